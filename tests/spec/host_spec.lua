-- C hosts: the programs that the build makes, and one built by the line of docs/embedding.md.
local process = require "support.process"

local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function run(...)
  local result = process.run {...}
  assert.equal("", result.stderr)
  assert.equal(0, result.code, result.stdout)
  return result.stdout
end

local function check_host(output)
  local first, last = output:match "step   1  loss (%S+)\nstep 500  loss (%S+)\n"
  assert.is_true(tonumber(first) > 0.3 and tonumber(last) < 0.001, output)
  local low, high = output:match "net%(%-1.57%) = (%S+), net%(1.57%) = (%S+)\n$"
  assert.near(-1, tonumber(low), 0.05)
  assert.near(1, tonumber(high), 0.05)
end

describe("a C host", function()
  it("trains a net on its own arrays", function()
    check_host(run(folder .. "/nnlua_host"))
  end)

  it("exchanges tensors without copying them", function()
    assert.equal("ok\n", run(folder .. "/nnlua_exchange"))
  end)

  it("runs programs on its own arrays", function()
    assert.equal("ok\n", run(folder .. "/nnlua_program"))
  end)

  it("runs several states in threads of their own", function()
    assert.equal("ok\n", run(folder .. "/nnlua_states"))
  end)

  it("sees nnlua.h in plain C", function()
    run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I/usr/include/lua5.4",
      "-x", "c", "src/lua/nnlua.h")
  end)

  if not process.is_sanitized() then
    it("is built by the line that the documentation shows", function()
      local prefix = os.tmpname()
      os.remove(prefix)
      run("cmake", "--install", folder, "--prefix", prefix)
      local line = read "docs/embedding.md":match "\n(cc %-o host [^\n]*)\n"
      line = line:gsub("/usr/local", prefix):gsub("host host.c", prefix .. "/host examples/host/host.c")
      run("sh", "-c", line)
      check_host(run(prefix .. "/host"))
      line = read "docs/embedding.md":match "\n(cc %-o host [^\n]*pkg%-config[^\n]*)\n"
      line = line:gsub("host host.c", prefix .. "/host2 examples/host/host.c")
      run("env", "PKG_CONFIG_PATH=" .. prefix .. "/lib/pkgconfig", "sh", "-c", line)
      check_host(run(prefix .. "/host2"))
      local symbols = run("sh", "-c", "nm -g --defined-only " .. prefix .. "/lib/libnnlua.a")
      for name in symbols:gmatch " %a ([%w_]+)" do
        assert.is_true(name:find "^luaopen_nnlua" ~= nil or name:find "^nnlua_" ~= nil, name)
      end
      run("test", "-s", prefix .. "/share/nnlua/library/nnlua.lua")
      run("test", "-s", prefix .. "/share/nnlua/library/nnlua.luacheck.lua")
      run("test", "-s", prefix .. "/share/doc/nnlua/reference.md")
      run("rm", "-rf", prefix)
    end)
  end
end)
