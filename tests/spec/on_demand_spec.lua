-- Layers, optimizers and schedules, whose files are read when one of their names is first asked for.
local nl = require "nnlua"
local on_demand = require "nnlua.on_demand"
local process = require "tests.support.process"

local parts = {
  ["nl.nn"] = nl.nn, ["nl.optim"] = nl.optim, ["nl.optim.lr_scheduler"] = nl.optim.lr_scheduler,
  ["nl.distributions"] = nl.distributions, ["nl.distributions.transforms"] = nl.distributions.transforms,
}

-- What a program prints in a process of its own, and the files of layers and optimizers that it has read then.
local function output(program)
  local result = process.run_nnlua({"-e", "local nl = require 'nnlua'\n" .. program .. [[
    local function is_read(name) return package.loaded["nnlua." .. name] ~= nil end
    print(is_read "nn.linear", is_read "nn.conv", is_read "nn.rnn", is_read "optim.sgd", is_read "optim.lbfgs")]]})
  assert.equal("", result.stderr)
  return result.stdout
end

describe("a name", function()
  for part, value in pairs(parts) do
    it("is in the list of " .. part .. " if its file has it, or is it, and only then", function()
      local names, modules = on_demand.names(value), {}
      for name, module in pairs(names) do
        local is_itself = rawget(require(module), name) == nil -- nl.optim.functional is a file
        if is_itself then assert.equal(name, module:match "[^.]+$") else modules[module] = true end
      end
      for module in pairs(modules) do
        for name in pairs(require(module)) do assert.equal(module, names[name], name) end
      end
    end)
  end

  it("is in nl.F too, whichever file its function stands in", function()
    assert.equal("function\tfunction\tnil\ntrue\tfalse\tfalse\tfalse\tfalse\n", output [[
      local F = nl.nn.functional
      print(type(F.multi_head_attention_forward), type(F.triplet_margin_with_distance_loss), type(F.multi_head))
    ]])
    local names, found = on_demand.names(nl.F), {}
    for _, path in ipairs(require "nnlua.system".source()) do
      for name in require "nnlua.system".source(path):gmatch "\nfunction F%.([%w_]+)" do found[name] = true end
    end
    for name in pairs(names) do assert.is_true(found[name], name) end
    for name in pairs(found) do assert.is_not_nil(names[name], name) end
  end)

  it("reads its file alone", function()
    assert.equal("false\tfalse\tfalse\tfalse\tfalse\n", output "assert(nl.nn and nl.optim)")
    assert.equal("true\tfalse\tfalse\ttrue\tfalse\n", output "nl.optim.SGD(nl.nn.Linear(2, 3):parameters(), {lr = 1})")
    assert.equal("nil\nfalse\tfalse\tfalse\tfalse\tfalse\n", output "print(nl.nn.Linaer)")
  end)

  it("is there for who goes through all of them", function()
    local program = [[
      local n, known = 0, require "nnlua.on_demand".names(nl.nn)
      for name, class in pairs(nl.nn) do n = n + (known[name] and class.super and 1 or 0) end
      for _ in pairs(known) do n = n - 1 end
      print(n)
    ]]
    assert.equal("0\ntrue\ttrue\ttrue\tfalse\tfalse\n", output(program))
  end)

  it("keeps what a program has put there", function()
    assert.equal("mine\ttrue\ntrue\tfalse\tfalse\tfalse\tfalse\n", output [[
      nl.nn.Linear = "mine"
      local lazy = nl.nn.LazyLinear
      print(nl.nn.Linear, lazy ~= nil)
    ]])
  end)
end)
