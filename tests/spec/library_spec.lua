-- Libraries that are loaded at their first use: OpenBLAS, as LAPACK.
local lfs = require "lfs"
local process = require "tests.support.process"

-- Runs a program and returns its output.
local function output(program, environment, ...)
  local result = process.run_nnlua({"--threads", "1", "-e", program, ...}, {env = environment})
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  return result.stdout
end

local inside = [[
  local nl, lfs = require "nnlua", require "lfs"
  local function look()
    local threads, maps = 0, assert(io.open "/proc/self/maps"):read "a"
    for name in lfs.dir "/proc/self/task" do threads = threads + (name:match "%d" and 1 or 0) end
    print(maps:match "libopenblas" or maps:match "liblapack" or "none", threads)
  end
]]

describe("a library", function()
  it("is loaded by the first call that needs it, without threads of its own", function()
    local lines = output(inside .. [[
      look()
      nl.nn.Linear(2, 3)(nl.ones(2)):sum():backward()
      look()
      print(nl.linalg.svdvals(nl.tensor {{3.0, 0.0}, {0.0, 2.0}}))
      look()
    ]])
    assert.matches("^none\t1\nnone\t1\ntensor%(%[3., 2.%]%)\nlib[a-z]+\t1\n$", lines)
  end)

  it("is no part of what the binary is linked to", function()
    assert.not_matches("blas", process.run({"ldd", process.nnlua}).stdout)
    assert.not_matches("lapack", process.run({"ldd", process.nnlua}).stdout)
  end)

  it("that isn't there is an error that names Debian's package", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
    local files = {"libopenblas.so.0", "liblapack.so.3"}
    for _, name in ipairs(files) do assert(io.open(folder .. "/" .. name, "w")):write "none":close() end
    local program = [[
      local nl = require "nnlua"
      local x = nl.ones(2, 2)
      print(select(2, pcall(nl.linalg.svdvals, x)))
      print(x)
    ]]
    local lines = output(program, {LD_LIBRARY_PATH = folder})
    local version = process.run_nnlua({"--version"}, {env = {LD_LIBRARY_PATH = folder}})
    for _, name in ipairs(files) do os.remove(folder .. "/" .. name) end
    os.remove(folder)
    local first, rest = lines:match "([^\n]*)\n(.*)"
    assert.matches("svdvals: LAPACK can't be loaded: .*libopenblas.so.0: .* %(Debian has it in the package "
      .. "libopenblas0%-pthread%)$", first)
    assert.equal("tensor([[1., 1.],\n        [1., 1.]])\n", rest)
    assert.equal(0, version.code)
    assert.matches("\nno LAPACK %(.*libopenblas.so.0: .*%)\n", version.stdout)
  end)
end)

-- The stand-in (tests/support/openblas.c) is built beside the interpreter.
local stand_in = process.nnlua:gsub("[^/]*$", "") .. "stand_in"

local function version(environment)
  environment.LD_LIBRARY_PATH = stand_in
  return process.run_nnlua({"--version"}, {env = environment}).stdout:match "\n([^\n]*)"
end

-- Whether the processor is more than the Prescott that the stand-in takes it for.
local flags = (assert(io.open "/proc/cpuinfo"):read "a":match "\nflags%s*:([^\n]*)" or "") .. " "
local is_newer = flags:find " avx2 " and flags:find " fma "

describe("OpenBLAS", function()
  it("that takes a newer processor for an old one has the kernels for a Haswell", function()
    local haswell = "OpenBLAS 0.0.1 for Haswell, which by itself took this processor for Prescott"
    local expected = is_newer and haswell or "OpenBLAS 0.0.1 for Prescott"
    assert.equal(expected, version {})
    assert.equal(expected, version {OPENBLAS_NUM_THREADS = "7"})
  end)

  it("has the kernels that the user wants", function()
    assert.equal("OpenBLAS 0.0.1 for Prescott", version {OPENBLAS_CORETYPE = "Prescott"})
    assert.equal("OpenBLAS 0.0.1 for Nehalem", version {OPENBLAS_CORETYPE = "Nehalem"})
  end)

  it("leaves nothing in the environment", function()
    local program = [[
      local nl = require "nnlua"
      nl.linalg.svdvals(nl.ones(2, 2))
      print(os.getenv "OPENBLAS_CORETYPE", os.getenv "OPENBLAS_NUM_THREADS", os.getenv "OTHER")
      io.stdout:flush()
      os.execute "env | grep -e OPENBLAS_ -e OTHER"
    ]]
    local other = {LD_LIBRARY_PATH = stand_in, OTHER = "there"}
    assert.equal("nil\tnil\tthere\nOTHER=there\n", output(program, other))
    other.LD_LIBRARY_PATH = nil
    assert.equal("nil\tnil\tthere\nOTHER=there\n", output(program, other))
    other.OPENBLAS_NUM_THREADS = "3"
    assert.matches("^nil\t3\tthere\n", output(program, other))
  end)

  -- Sanitizers want terabytes of addresses.
  if not process.is_sanitized() then
    it("is not waited for where a process may have little memory", function()
      local function limited(program)
        return process.run {"bash", "-c", ("ulimit -v 100000; exec timeout 60 '%s' -e \"%s\""):format(process.nnlua,
          program)}
      end
      local result = limited "print(1)"
      assert.equal("1\n", result.stdout)
      assert.equal(0, result.code)
      result = limited "local nl = require 'nnlua' nl.linalg.svdvals(nl.ones(2, 2))"
      assert.matches("svdvals: LAPACK can't be loaded: libopenblas.so.0: 128 MB of address space are wanted",
        result.stderr)
      assert.equal(1, result.code)
    end)
  end
end)
