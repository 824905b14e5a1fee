-- nnlua test: busted with nothing to set up, run in a project made for it.
local process = require "support.process"

local function run(folder, arguments, options)
  local command = ("cd '%s' && exec \"$@\""):format(folder)
  local nnlua = process.nnlua:sub(1, 1) == "/" and process.nnlua or os.getenv "PWD" .. "/" .. process.nnlua
  return process.run({"sh", "-c", command, "sh", nnlua, "test", table.unpack(arguments)}, options)
end

local function write(path, text)
  os.execute("mkdir -p '" .. path:match "^(.*)/" .. "'")
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local model = [[
local nn = require "nnlua.nn"
return nn.Linear(2, 1)
]]

local good = [[
local nl = require "nnlua"
describe("the model", function()
  it("is close", function() assert.close(nl.ones(2), nl.ones(2) + 1e-7) end)
  it("is found", function() assert.equal(1, require "model"(nl.ones(2)):numel()) end)
end)
]]

describe("nnlua test", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir '" .. folder .. "'")
  end)

  after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

  it("runs what is in spec, tests and test, with the project's modules at hand", function()
    for _, place in ipairs {"/model.lua", "/lua/model.lua", "/src/model.lua"} do
      write(folder .. place, model)
      write(folder .. "/spec/model_spec.lua", good)
      write(folder .. "/spec/other.lua", "error 'no spec'")
      write(folder .. "/tests/deep/model_test.lua", good)
      write(folder .. "/test/model_spec.lua", good)
      local result = run(folder, {})
      assert.equal("", result.stderr)
      assert.matches("^%+%+%+%+%+%+\n6 successes / 0 failures / 0 errors", result.stdout)
      assert.equal(0, result.code)
      os.remove(folder .. place)
    end
  end)

  it("runs the folders and files that are named", function()
    write(folder .. "/model.lua", model)
    write(folder .. "/spec/model_spec.lua", "it('is not run', function() error 'x' end)")
    write(folder .. "/checks/a_spec.lua", good)
    write(folder .. "/checks/b_test.lua", good)
    write(folder .. "/c.lua", good)
    assert.matches("\n6 successes", run(folder, {"checks", "c.lua"}).stdout)
    assert.matches("\n2 successes", run(folder, {"checks/a_spec.lua"}).stdout)
    assert.matches("\n2 successes", run(folder, {"--filter", "is found", "checks"}).stdout)
    assert.matches("\n2 successes", run(folder .. "/checks", {"-C", "..", "c.lua"}).stdout)
  end)

  it("fails when a spec does, and says where", function()
    write(folder .. "/spec/bad_spec.lua", [[
      local nl = require "nnlua"
      it("is close", function() assert.close(nl.ones(2), nl.tensor {1.0, 1.5}) end)
      it("is not", function() assert.not_close(1.0, 1.0) end)
      it("is equal", function() assert.equal_tensor(nl.ones(2), nl.ones(3)) end)
      it("has gradients", function()
        local x = nl.ones(1, {dtype = nl.float64, requires_grad = true})
        assert.gradients(function(t) return t * t:detach() end, x)
      end)
      it("has second gradients", function()
        local x = nl.ones(1, {dtype = nl.float64, requires_grad = true})
        assert.gradients(function(t) return t ^ 3 end, x, {second = true})
        assert.has_error(function() assert.gradients(function(t) return t end, nl.ones(1)) end)
      end)
    ]])
    local result = run(folder, {})
    assert.equal(1, result.code)
    assert.equal("", result.stderr)
    assert.matches("1 success / 4 failures / 0 errors", result.stdout, 1, true)
    assert.matches("spec/bad_spec.lua:2: assert.close: tensors are not close: 1 of 2 elements differ (50.0%)\n" ..
      "greatest absolute difference: 0.5 at [2]", result.stdout, 1, true)
    assert.matches("spec/bad_spec.lua:3: assert.not_close: the values are close\n", result.stdout, 1, true)
    assert.matches("spec/bad_spec.lua:4: assert.equal_tensor: shapes differ: actual [2], expected [3]\n",
      result.stdout, 1, true)
    assert.matches("spec/bad_spec.lua:7: assert.gradients: gradcheck: the Jacobians of result", result.stdout, 1, true)
  end)

  it("starts each spec afresh, before its own before_each", function()
    write(folder .. "/spec/state_spec.lua", [[
      local nl = require "nnlua"
      before_each(function() nl.set_default_dtype(nl.float64) end)
      for i = 1, 2 do
        it("begins with seed 0, " .. i, function()
          assert.close(0.4963, nl.rand(1, {dtype = nl.float32}):item(), {rtol = 0, atol = 1e-4})
          assert.equal(nl.float64, nl.get_default_dtype())
          assert.is_true(nl.is_grad_enabled())
          nl.set_grad_enabled(false)
        end)
      end
    ]])
    assert.matches("^%+%+\n2 successes / 0 failures / 0 errors", run(folder, {}).stdout)
  end)

  it("respects the user's .busted, but for its interpreter", function()
    write(folder .. "/checks/a_check.lua", "it('runs', function() assert.equal('given', require 'inside') end)")
    write(folder .. "/modules/inside.lua", "return 'given'")
    write(folder .. "/help.lua", "require 'busted'.before_each(function() _G.helped = true end)")
    write(folder .. "/.busted", [[return {
      _all = {lua = "/no/such/lua", lpath = "./modules/?.lua", helper = "help.lua"},
      default = {ROOT = {"checks"}, pattern = "_check"},
      other = {ROOT = {"nowhere"}},
    }]])
    local result = run(folder, {})
    assert.equal("", result.stderr)
    assert.matches("^%+\n1 success / 0 failures", result.stdout)
    assert.matches("nowhere", run(folder, {"--run", "other"}).stdout)
  end)

  it("runs in this interpreter", function()
    write(folder .. "/spec/own_spec.lua", [[
      it("is nnlua", function()
        assert.equal(2, require "nnlua".get_num_threads())
        assert.matches("nnlua$", arg[-1])
        assert.equal("generational", collectgarbage "generational")
      end)
    ]])
    assert.matches("\n1 success", run(folder, {}, {env = {NNLUA_NUM_THREADS = "2"}}).stdout)
  end)

  it("says what is missing", function()
    local result = run(folder, {})
    assert.equal(1, result.code)
    assert.matches("^nnlua test: there is no folder spec, tests or test here; name the folders or files", result.stderr)
    result = run(folder, {"nowhere"})
    assert.equal(1, result.code)
    assert.matches("Cannot find file or directory: nowhere", result.stdout, 1, true)
    result = run(folder, {"--unknown"})
    assert.equal(1, result.code)
    assert.matches("^nnlua test: error: unknown/bad flag: %-%-unknown", result.stderr)
    result = run(folder, {}, {env = {LUA_PATH = "/nowhere/?.lua"}})
    assert.equal(1, result.code)
    assert.equal([[
nnlua test: busted, which runs specs, is not installed. Install it with one of
  apt install lua-busted      (Debian, Ubuntu; with lua5.4 installed before)
  luarocks --lua-version=5.4 install busted
]], result.stderr)
  end)

  it("shows busted's options with --help", function()
    local result = run(folder, {"--help"})
    assert.equal(0, result.code)
    assert.equal("", result.stderr)
    assert.matches("^Usage: nnlua test %[OPTIONS%]", result.stdout)
  end)

  it("leaves a script called test to ./test and --", function()
    write(folder .. "/test", "print('a script', ...)")
    local command = "cd '" .. folder .. "' && exec \"$@\""
    for _, arguments in ipairs {{"./test", "a"}, {"--", "test", "a"}} do
      local result = process.run {"sh", "-c", command, "sh", process.nnlua, table.unpack(arguments)}
      assert.equal("a script\ta\n", result.stdout)
    end
  end)
end)

describe("busted's own runner", function()
  it("has the same with --helper=nnlua.testing.helper", function()
    local path = process.file [[
      local nl = require "nnlua"
      it("is close", function() assert.close(nl.rand(1):item(), 0.4963, {rtol = 0, atol = 1e-4}) end)
    ]]
    os.rename(path, path .. "_spec.lua")
    local result = process.run_nnlua {"/usr/bin/busted", "--helper=nnlua.testing.helper", path .. "_spec.lua"}
    os.remove(path .. "_spec.lua")
    assert.matches("\n1 success", result.stdout)
  end)
end)
