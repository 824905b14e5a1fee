-- testing.check_module: modules that break one rule each, and the library's own, which break none.
local nl = require "nnlua"
local testing = require "nnlua.testing"

local nn = nl.nn

local function report(...)
  local good, text = testing.check_module(...)
  assert.is_false(good)
  return text
end

local quietly = {raise_exception = false}

--- A class whose forward is given, around one linear layer.
local function class(name, forward, init)
  local Class = nn.class(name)
  function Class:init()
    self.layer = nn.Linear(3, 3)
    if init then init(self) end
  end
  function Class:forward(x)
    return forward(self, x)
  end
  return Class
end

describe("check_module", function()
  before_each(testing.reset)

  it("finds nothing wrong with the library's modules", function()
    local x = nl.randn(4, 3)
    assert.is_true(testing.check_module(nn.Linear(3, 2), x))
    assert.is_true(testing.check_module(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5),
      nn.Linear(4, 2)), x))
    assert.is_true(testing.check_module(nn.LSTM(3, 4, {num_layers = 2, dropout = 0.5}), nl.randn(5, 2, 3)))
    local q, k = nl.randn(5, 2, 4), nl.randn(3, 2, 4)
    assert.is_true(testing.check_module(nn.MultiheadAttention(4, 2), {q, k, k}))
    assert.is_true(testing.check_module(nn.LazyLinear(2), x))
    assert.is_true(testing.check_module(nn.Embedding(9, 4), nl.randint(1, 10, {3, 2})))
    assert.is_true(testing.check_module(nn.Conv2d(3, 4, 3):to(nl.float64), nl.randn(2, 3, 5, 5, {dtype = nl.float64})))
    assert.is_true(testing.check_module(nn.Identity(), x))
    local tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[2].weight = tied[1].weight
    assert.is_true(testing.check_module(tied, x))
  end)

  it("leaves module, inputs and random numbers as they are", function()
    local net, x = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nl.randn(4, 3, {requires_grad = true})
    local before = nn.deepcopy(net):state_dict()
    nl.manual_seed(5)
    local expected = nl.rand(2)
    nl.manual_seed(5)
    testing.check_module(net, x)
    testing.assert_equal(nl.rand(2), expected)
    testing.assert_equal(net:state_dict(), before)
    assert.is_true(net.training)
    assert.is_nil(net[1].weight.grad)
    assert.is_nil(x.grad)
  end)

  it("stops where forward fails, and raises unless told not to", function()
    local ok, message = pcall(testing.check_module, nn.Linear(3, 2), nl.randn(4, 5))
    assert.is_false(ok)
    assert.matches("check_module: Linear fails 1 of 11:\n  forward: ", message, 1, true)
    assert.matches("shapes (4, 5) and (2, 3) don't fit", message, 1, true)
    local _, text = testing.check_module(nn.Linear(3, 2), nl.randn(4, 5), quietly)
    assert.matches("^Linear fails 1 of 11:\n  forward: ", text)
  end)

  it("sees results that change", function()
    local Noisy = class("Noisy", function(self, x) return nl.dropout(self.layer(x), 0.5, true) end)
    local text = report(Noisy(), nl.randn(4, 3), quietly)
    assert.matches("\n  deterministic: two calls in eval mode give different results: tensors are not equal", text, 1,
      true)
  end)

  it("names parameters without a gradient", function()
    local Spare = class("Spare", function(self, x) return self.layer(x) end, function(self)
      self.spare = nn.Linear(2, 1)
    end)
    local text = report(Spare(), nl.randn(4, 3), quietly)
    assert.equal("Spare fails 1 of 11:\n  gradients: no gradient comes to spare.weight, spare.bias"
      .. " (name those that are meant to have none: {unused = {...}})", text)
    assert.is_true(testing.check_module(Spare(), nl.randn(4, 3), {unused = {"spare.weight", "spare.bias"}}))
    local frozen = Spare()
    frozen.spare:requires_grad_(false)
    assert.is_true(testing.check_module(frozen, nl.randn(4, 3)))
    local Cut = class("Cut", function(self, x) return self.layer(x):detach() end)
    assert.matches("gradients: no gradient comes to layer.weight, layer.bias (no result requires a gradient)",
      report(Cut(), nl.randn(4, 3), quietly), 1, true)
  end)

  it("sees inputs that are changed", function()
    local Scaling = class("Scaling", function(self, x) return self.layer(x:mul_(2)) end)
    local text = report(Scaling(), nl.randn(4, 3), quietly)
    assert.matches("\n  inputs: the inputs are changed: tensors are not equal: 12 of 12 elements differ", text, 1, true)
  end)

  it("sees memory that grows", function()
    local Keeping = class("Keeping", function(self, x)
      local y = self.layer(x)
      table.insert(self.kept, y:detach())
      return y
    end, function(self) self.kept = {} end)
    local text = report(Keeping(), nl.randn(4, 3), quietly)
    assert.matches("\n  memory: 6 calls leave %d+ more tensors alive", text)
  end)

  it("sees a copy that computes something else", function()
    local factors = setmetatable({}, {__mode = "k"})
    local Outside = class("Outside", function(self, x) return self.layer(x) * (factors[self] or 2) end)
    local net = Outside()
    local forward = Outside.forward
    function Outside:forward(x)
      factors[self] = factors[self] or nl.rand(1):item()
      return forward(self, x)
    end
    assert.matches("\n  deepcopy: a deepcopy gives other results: ", report(net, nl.randn(4, 3), quietly), 1, true)
  end)

  it("sees modules that train() does not reach", function()
    local Stubborn = class("Stubborn", function(self, x) return self.layer(x) end)
    function Stubborn:train(mode)
      self.training = mode ~= false
      return self
    end
    local text = report(Stubborn(), nl.randn(4, 3), quietly)
    assert.matches("train and eval: train() and eval() do not reach layer after eval()", text, 1, true)
  end)

  it("sees a state dict that misses something", function()
    local Forgetful = class("Forgetful", function(self, x) return self.layer(x) end)
    function Forgetful:load_state_dict() end
    local text = report(Forgetful(), nl.randn(4, 3), quietly)
    assert.matches("\n  state_dict: a copy that loads the state dict gives other results: ", text, 1, true)
    assert.matches("\n  save and load: what nl.save wrote gives other results when loaded: ", text, 1, true)
  end)

  it("skips what it is told to", function()
    local Noisy = class("Noisy", function(self, x) return nl.dropout(self.layer(x), 0.5, true) end)
    local good = testing.check_module(Noisy(), nl.randn(4, 3),
      {skip = {"deterministic", "state_dict", "deepcopy", "to", "save and load"}})
    assert.is_true(good)
    local ok, message = pcall(testing.check_module, Noisy(), nl.randn(4, 3), {skip = {"everything"}})
    assert.is_false(ok)
    assert.matches("there is nothing called 'everything' to skip; there are: forward, deterministic", message, 1, true)
  end)
end)
