-- The old forms nn.utils.weight_norm and spectral_norm, and fused layers: values of PyTorch 2.15 for the same weights.
local nl = require "nnlua"
local nn = nl.nn
local utils = nn.utils

local function close(expected, t)
  expected = nl.tensor(expected)
  assert.same({table.unpack(expected.shape)}, {table.unpack(t.shape)})
  assert.is_true(nl.allclose(t, expected, {atol = 2e-5}), tostring(t))
end

local function weight(rows, columns)
  return (nl.arange(0, rows * columns):float() * 0.7):sin():reshape(rows, columns)
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

describe("the old weight_norm", function()
  it("has PyTorch's values, gradients and keys", function()
    local m = utils.weight_norm(linear(3, 2))
    nl.no_grad(function() m.weight_g:mul_(2) end)
    local y = m(x)
    close({{-1.591421, 0.035683}}, y)
    y:pow(2):sum():backward()
    close({{2.151139}, {0.001286}}, m.weight_g.grad)
    close({{-6.365684, 10.377242, -6.783910}, {0.140489, -0.286333, 0.072277}}, m.weight_v.grad)
    assert.same({"bias", "weight_g", "weight_v"}, keys(m))
  end)

  it("is taken off", function()
    local m = utils.weight_norm(linear(3, 2))
    nl.no_grad(function() m.weight_g:mul_(2) end)
    utils.remove_weight_norm(m)
    close({{0, 1.288435, 1.970899}, {1.726419, 0.669976, -0.701567}}, m.weight)
    assert.same({"bias", "weight"}, keys(m))
    m(x):sum():backward()
    assert.is_not_nil(m.weight.grad)
  end)

  it("refuses what can't be", function()
    local m = utils.weight_norm(linear(3, 2), {dim = nl.none})
    assert.equal(0, m.weight_g.ndim)
    assert.error_matches(function() utils.weight_norm(m) end, "has a hook of this function already")
    assert.error_matches(function() utils.weight_norm(m, "wieght") end, "no parameter 'wieght'")
    assert.error_matches(function() utils.weight_norm(nn.LazyLinear(2)) end, "has no shape yet")
    assert.error_matches(function() utils.remove_weight_norm(nn.Linear(2, 2)) end, "has no such hook for 'weight'")
  end)
end)

describe("the old spectral_norm", function()
  it("has PyTorch's values, gradients and keys", function()
    local m = utils.spectral_norm(linear(3, 2), {n_power_iterations = 2})
    m.weight_u:copy_(nl.tensor {0.6, 0.8})
    m.weight_v:copy_(nl.tensor {1.0, 0, 0})
    local y = m(x)
    close({{-0.758749, 0.017013}}, y)
    y:sum():backward()
    close({{1.299589, -1.506742, 0.743156}, {1.179208, -1.646018, 0.650487}}, m.weight_orig.grad)
    close({0.837632, 0.546236}, m.weight_u)
    close({0.584089, 0.675774, 0.449632}, m.weight_v)
    assert.same({"bias", "weight_orig", "weight_u", "weight_v"}, keys(m))
    m:eval()
    close({{-0.758749, 0.017013}}, m(x))
    utils.remove_spectral_norm(m)
    close({{0, 0.614293, 0.939675}, {0.823113, 0.319428, -0.334489}}, m.weight)
    assert.same({"bias", "weight"}, keys(m))
  end)

  it("draws the vectors that PyTorch does", function()
    nl.manual_seed(5)
    local m = utils.spectral_norm(linear(3, 2))
    close({-0.101094, 0.994877}, m.weight_u)
    close({-0.816838, -0.444378, 0.367838}, m.weight_v)
  end)

  it("allows two forwards before a backward", function()
    local m = utils.spectral_norm(linear(3, 2));
    (m(x) - m(x * 2)):sum():backward()
    assert.is_not_nil(m.weight_orig.grad)
  end)

  it("refuses what can't be", function()
    assert.error_matches(function() utils.spectral_norm(nn.Linear(2, 2), "bias") end, "at least 2 dimensions")
    assert.error_matches(function() utils.spectral_norm(nn.Linear(2, 2), "weight", 0) end, "must be positive")
    assert.error_matches(function() utils.remove_spectral_norm(nn.Linear(2, 2)) end, "has no such hook")
  end)
end)

local function normalization(class)
  local bn = class(3):eval()
  bn.running_mean, bn.running_var = nl.tensor {0.1, 0.2, 0.3}, nl.tensor {1.0, 2.0, 3.0}
  bn.weight, bn.bias = nn.Parameter(nl.tensor {1.0, 0.5, 2.0}), nn.Parameter(nl.tensor {0.0, 1.0, -1.0})
  return bn
end

describe("fused layers", function()
  it("are PyTorch's for convolutions", function()
    local conv, bn = nn.Conv1d(2, 3, 1):eval(), normalization(nn.BatchNorm1d)
    conv.weight = nn.Parameter(weight(3, 2):reshape(3, 2, 1))
    conv.bias = nn.Parameter(nl.tensor {1.0, 2.0, 3.0})
    local fused = utils.fuse_conv_bn_eval(conv, bn)
    close({{0, 0.644214}, {0.348408, 0.305190}, {0.386810, -0.405049}}, fused.weight:reshape(3, 2))
    close({0.899995, 1.636395, 2.117686}, fused.bias)
    local input = nl.randn(2, 2, 5)
    assert.is_true(nl.allclose(bn(conv(input)), fused(input), {atol = 1e-5}))
    assert.is_true(nl.equal(conv.bias, nl.tensor {1.0, 2.0, 3.0}))
  end)

  it("are PyTorch's for transposed convolutions without a bias", function()
    local conv, bn = nn.ConvTranspose1d(2, 3, 1, {bias = false}):eval(), normalization(nn.BatchNorm1d)
    conv.weight = nn.Parameter(weight(2, 3):reshape(2, 3, 1))
    local fused = utils.fuse_conv_bn_eval(conv, bn, true)
    close({{0, 0.227765, 1.137897}, {0.863205, 0.118436, -0.405049}}, fused.weight:reshape(2, 3))
    close({-0.1, 0.929290, -1.346410}, fused.bias)
    assert.is_true(fused.weight.requires_grad)
    assert.is_false(fused.bias.requires_grad)
  end)

  it("are PyTorch's for linear layers", function()
    local fused = utils.fuse_linear_bn_eval(linear(2, 3):eval(), normalization(nn.BatchNorm1d))
    close({{0, 0.644214}, {0.348408, 0.305190}, {0.386810, -0.405049}}, fused.weight)
    close({-0.1, 0.929290, -1.346410}, fused.bias)
  end)

  it("refuse what can't be", function()
    local conv, bn = nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3)
    assert.error_matches(function() utils.fuse_conv_bn_eval(conv, bn) end, "in evaluation mode")
    local without = nn.BatchNorm1d(3, {track_running_stats = false}):eval()
    assert.error_matches(function() utils.fuse_conv_bn_eval(conv:eval(), without) end, "keeps no running mean")
    assert.error_matches(function() utils.fuse_linear_bn_eval(nn.Linear(2, 2):eval(), bn:eval()) end,
      "2 outputs, the normalization 3 features")
  end)
end)

describe("stateless.functional_call", function()
  it("is that of nl.func", function()
    assert.equal(nl.func.functional_call, utils.stateless.functional_call)
  end)
end)
