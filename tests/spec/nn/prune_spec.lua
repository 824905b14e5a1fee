-- nn.utils.prune: masks of PyTorch 2.15 for the same weights and seeds.
local nl = require "nnlua"
local nn = nl.nn
local prune = nn.utils.prune

local function weight(...)
  local n = 1
  for _, size in ipairs {...} do n = n * size end
  return (nl.arange(0, n):float() * 0.7):sin():reshape(...)
end

local function linear(inputs, outputs)
  local m = nn.Linear(inputs, outputs)
  nl.no_grad(function()
    m.weight:copy_(weight(outputs, inputs))
    m.bias:zero_()
  end)
  return m
end

local function keys(m)
  local list = {}
  for key in pairs(m:state_dict()) do list[#list + 1] = key end
  return list
end

local x = nl.tensor {{1.0, -2.0, 0.5}}

describe("l1_unstructured", function()
  it("prunes the least elements, then the least of those that are left", function()
    local m = linear(3, 4)
    assert.equal(m, prune.l1_unstructured(m, "weight", 0.5))
    assert.same({{0, 0, 1}, {1, 0, 0}, {1, 1, 0}, {0, 1, 1}}, m.weight_mask:tolist())
    prune.l1_unstructured(m, "weight", 0.5)
    assert.same({{0, 0, 1}, {0, 0, 0}, {0, 1, 0}, {0, 0, 1}}, m.weight_mask:tolist())
    prune.ln_structured(m, "weight", 1, 2, 1)
    assert.same({{0, 0, 1}, {0, 0, 0}, {0, 0, 0}, {0, 0, 1}}, m.weight_mask:tolist())
    assert.same({"bias", "weight_orig", "weight_mask"}, keys(m))
    assert.is_true(nl.allclose(m(x), nl.tensor {{0.4927, 0, 0, 0.4941}}, {atol = 1e-4}))
  end)

  it("takes scores, has gradients for what is left, and is made final", function()
    local m = linear(3, 4)
    local parameter = m.weight
    prune.l1_unstructured(m, "weight", 2, nl.arange(0, 12):float():reshape(4, 3))
    assert.same({{0, 0, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}, m.weight_mask:tolist())
    m(x):sum():backward()
    assert.same({{0, 0, 0.5}, {1, -2, 0.5}, {1, -2, 0.5}, {1, -2, 0.5}}, m.weight_orig.grad:tolist())
    assert.equal(m, prune.remove(m, "weight"))
    assert.same({"bias", "weight"}, keys(m))
    assert.equal(parameter, m.weight)
    assert.same({0, 0}, {m.weight[{1, 1}]:item(), m.weight[{1, 2}]:item()})
    assert.is_false(prune.is_pruned(m))
  end)

  it("follows a training's steps", function()
    local m = prune.l1_unstructured(linear(3, 4), "weight", 6)
    nl.no_grad(function() m.weight_orig:fill_(2) end)
    m(x)
    assert.is_true(nl.equal(m.weight, 2 * m.weight_mask))
  end)
end)

describe("ln_structured", function()
  it("prunes the entries of the least norms", function()
    for _, n in ipairs {1, 2, math.huge, "fro"} do
      local m = nn.Conv2d(3, 4, 2)
      m.weight = nn.Parameter(weight(4, 3, 2, 2))
      prune.ln_structured(m, "weight", 0.5, n, 1)
      assert.same({0, 0, 12, 12}, m.weight_mask:sum({2, 3, 4}):tolist())
    end
  end)

  it("knows the nuclear norm, and counts dimensions from the end", function()
    local m = nn.Conv1d(3, 4, 2)
    m.weight = nn.Parameter(weight(4, 3, 2))
    prune.ln_structured(m, "weight", 0.5, "nuc", 1)
    assert.same({0, 6, 6, 0}, m.weight_mask:sum({2, 3}):tolist())
    m = nn.Conv1d(3, 4, 2)
    m.weight = nn.Parameter(weight(4, 3, 2))
    prune.ln_structured(m, "weight", {amount = 0.25, n = 2, dim = -2})
    assert.same({8, 8, 0}, m.weight_mask:sum({1, 3}):tolist())
  end)
end)

describe("random pruning", function()
  it("draws what PyTorch draws", function()
    nl.manual_seed(4)
    local m = prune.random_unstructured(linear(3, 4), "weight", 5)
    assert.same({{0, 1, 1}, {1, 1, 1}, {0, 1, 0}, {1, 0, 0}}, m.weight_mask:tolist())
    prune.random_unstructured(m, "weight", 0.3)
    assert.same({{0, 0, 1}, {1, 1, 1}, {0, 1, 0}, {0, 0, 0}}, m.weight_mask:tolist())
    m = prune.random_structured(linear(3, 4), "weight", 2, 1)
    assert.same({{1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}, m.weight_mask:tolist())
    prune.random_structured(m, "weight", 0.5, -1)
    assert.same({{0, 0, 1}, {0, 0, 1}, {0, 0, 0}, {0, 0, 0}}, m.weight_mask:tolist())
  end)
end)

describe("global_unstructured", function()
  it("prunes parameters as if they were one", function()
    local a, b = linear(3, 4), linear(4, 2)
    prune.global_unstructured({{a, "weight"}, {b, "weight"}}, prune.L1Unstructured, {amount = 0.4})
    assert.same({{0, 1, 1}, {1, 0, 0}, {1, 1, 0}, {0, 1, 1}}, a.weight_mask:tolist())
    assert.same({{0, 1, 1, 1}, {0, 0, 1, 1}}, b.weight_mask:tolist())
  end)

  it("starts from masks that are there, and takes scores", function()
    local a, b = linear(3, 4), linear(4, 2)
    prune.l1_unstructured(a, "weight", 3)
    prune.global_unstructured({{a, "weight"}, {b, "weight"}}, prune.L1Unstructured,
      {amount = 5, importance_scores = {[b] = {weight = nl.arange(0, 8):float():reshape(2, 4)}}})
    assert.same({{0, 0, 1}, {1, 0, 0}, {1, 1, 0}, {0, 0, 1}}, a.weight_mask:tolist())
    assert.same({{0, 1, 1, 1}, {1, 1, 1, 1}}, b.weight_mask:tolist())
  end)

  it("refuses what can't be", function()
    local list = {{linear(2, 2), "weight"}}
    assert.error_matches(function() prune.global_unstructured({}, prune.L1Unstructured) end, "a list of pairs")
    assert.error_matches(function() prune.global_unstructured({{1, 2}}, prune.L1Unstructured) end, "entry 1 is no pair")
    assert.error_matches(function() prune.global_unstructured(list, prune.LnStructured, {amount = 1, n = 1}) end,
      "unstructured")
  end)
end)

describe("ways of pruning", function()
  it("can be one's own, and are joined in containers", function()
    local Odd = prune.class "Odd"
    Odd.PRUNING_TYPE = "unstructured"
    function Odd.compute_mask(_, _, default_mask)
      local mask = default_mask:clone()
      mask:reshape(-1)[{{1, -1, 2}}] = 0
      return mask
    end
    local m = linear(2, 2)
    local first = Odd:apply(m, "weight")
    assert.same({{0, 1}, {0, 1}}, m.weight_mask:tolist())
    local both = prune.L1Unstructured:apply(m, "weight", {amount = 1, importance_scores = nl.tensor {{9.0, 5}, {9, 3}}})
    assert.same({{0, 1}, {0, 0}}, m.weight_mask:tolist())
    assert.equal(2, #both)
    assert.equal(first, both[1])
    assert.is_true(prune.is_pruned(nn.Sequential(m)))
  end)

  it("leave the module as it was where they fail", function()
    local m = linear(2, 2)
    assert.error_matches(function() prune.l1_unstructured(m, "weight", 5) end, "amount is 5, but only 4 are left")
    assert.same({"weight", "bias"}, keys(m))
    assert.is_false(prune.is_pruned(m))
    prune.identity(m, "weight")
    assert.error_matches(function() prune.custom_from_mask(m, "weight", nl.ones(3)) end, "the mask has the shape")
    assert.same({{1, 1}, {1, 1}}, m.weight_mask:tolist())
    prune.remove(m, "weight")
    assert.error_matches(function() prune.remove(m, "weight") end, "isn't pruned")
  end)

  it("check their arguments", function()
    local m = linear(2, 2)
    assert.error_matches(function() prune.l1_unstructured(m, "weight", 1.5) end, "a float from 0 to 1")
    assert.error_matches(function() prune.l1_unstructured(m, "weight", -1) end, "amount is a count")
    assert.error_matches(function() prune.l1_unstructured(m, "wieght", 1) end, "no parameter 'wieght'")
    assert.error_matches(function() prune.ln_structured(m, "bias", 1, 2, 1) end, "at least 2 dimensions")
    assert.error_matches(function() prune.ln_structured(m, "weight", 1, 2, 3) end, "dim is a dimension from 1 to 2")
    assert.error_matches(function() prune.ln_structured(m, "weight", 1, "one", 1) end, '"fro" or "nuc"')
    assert.error_matches(function() prune.l1_unstructured(m, "weight", 1, nl.ones(2)) end, "importance_scores")
    assert.error_matches(function() prune.BasePruningMethod():prune(nl.ones(2)) end, "has none of its own")
    local method = prune.L1Unstructured(1)
    assert.error_matches(function() method:remove(m) end, "has not been applied to this module")
    assert.error_matches(function() method:compute_mask(3, 4) end, "a tensor and a mask of its shape")
    assert.error_matches(function() prune.PruningContainer():compute_mask(nl.ones(1), nl.ones(1)) end, "no method")
    assert.error_matches(function() prune.PruningContainer(3) end, "a way of pruning was expected")
  end)

  it("take nothing off for an amount of 0, and all for 1.0", function()
    local m = prune.random_unstructured(linear(2, 2), "weight", 0)
    assert.equal(4, m.weight_mask:sum():item())
    prune.l1_unstructured(m, "weight", 1.0)
    assert.equal(0, m.weight_mask:sum():item())
  end)
end)
