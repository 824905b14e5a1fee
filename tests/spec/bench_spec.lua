-- The benchmarks run: nnlua's sides of them, the runner, and the writer of the page's figures.
local process = require "support.process"

describe("bench/run.lua", function()
  local path = os.tmpname()

  teardown(function() os.remove(path) end)

  it("measures cases and writes what it measured", function()
    local command = {process.nnlua, "bench/run.lua", "small", "rows", "--rounds", "1", "--only", "10", "--json", path}
    local result = process.run(command, {env = {BENCH_SECONDS = "0"}})
    assert.equal("", result.stderr)
    assert.equal(0, result.code)
    local file <close> = assert(io.open(path))
    local measured = require "cjson".decode(file:read "a")
    assert.equal(1, measured.rounds)
    assert.is_true(measured.limits.flops > 0)
    local names = {}
    for _, row in ipairs(measured.rows) do names[row.name] = row.ours.min end
    assert.is_true(names["add 3x10"] > 0)
    assert.is_true(names["softmax backward, rows of 100"] > 0)
    assert.is_nil(names["softmax backward, rows of 4"])
  end)

  local others = {
    products = "NT float32 64 64 64", convolutions = "512-512 3x3 2x2 dx", layers = "batch norm", nets = "actor",
    fft = "rfft float32 360", programs = "MLP 10-5-2 b3, forward, compiled", every = "linalg.det(randn(200, 200))",
  }
  for set, case in pairs(others) do
    it("measures cases of " .. set, function()
      local command = {process.nnlua, "bench/run.lua", set, "--rounds", "1", "--only", (case:gsub("%p", "%%%0"))}
      local result = process.run(command, {env = {BENCH_SECONDS = "0"}})
      assert.equal("", result.stderr)
      assert.matches(case, result.stdout, 1, true)
    end)
  end

  it("says which arguments there are", function()
    local result = process.run {process.nnlua, "bench/run.lua", "--help"}
    assert.equal(0, result.code)
    assert.matches("%-%-threads", result.stdout)
  end)

  it("refuses sides that disagree", function()
    local folder = os.tmpname()
    os.remove(folder)
    local make = "mkdir %s && cp bench/*.lua %s && ln -s %s %s/python"
    assert(os.execute(make:format(folder, folder, process.nnlua, folder)))
    local other <close> = assert(io.open(folder .. "/small.py", "w"))
    other:write 'print "case something else" io.stdout:flush() io.read()'
    other:close()
    local result = process.run({process.nnlua, folder .. "/run.lua", "small", "--only", "^add 3x10$", "--python",
      folder .. "/python"}, {env = {BENCH_SECONDS = "0"}})
    os.execute("rm -r " .. folder)
    assert.not_equal(0, result.code)
    local complaint = "small: nnlua's side has the case 'add 3x10' where PyTorch's has 'something else'"
    assert.matches(complaint, result.stderr, 1, true)
  end)
end)
