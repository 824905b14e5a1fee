-- nn.utils on gradients and vectors: closed forms.
local nl = require "nnlua"
local nn = nl.nn
local utils = nn.utils

local function with_gradients(...)
  local list = {}
  for i, values in ipairs {...} do
    list[i] = nn.Parameter(nl.zeros(#values))
    list[i].grad = nl.tensor(values)
  end
  return list
end

describe("clip_grad_norm_", function()
  it("scales gradients whose norm together is too large", function()
    local list = with_gradients({3.0}, {0.0, 4.0})
    assert.is_near(5, utils.clip_grad_norm_(list, 1):item(), 1e-6)
    assert.is_near(0.6, list[1].grad:item(), 1e-6)
    assert.is_near(0.8, list[2].grad[2]:item(), 1e-6)
  end)

  it("leaves smaller ones as they are", function()
    local list = with_gradients({0.3}, {0.4})
    assert.is_near(0.5, utils.clip_grad_norm_(list, {max_norm = 1}):item(), 1e-6)
    assert.is_true(nl.equal(list[1].grad, nl.tensor {0.3}))
  end)

  it("takes other norms, one tensor, an iterator, and parameters without a gradient", function()
    assert.is_near(7, utils.clip_grad_norm_(with_gradients({-3.0}, {4.0}), 1, 1):item(), 1e-6)
    local list = with_gradients({-3.0, 2.0})
    assert.is_near(3, utils.clip_grad_norm_(list[1], 1.5, math.huge):item(), 1e-6)
    assert.is_near(-1.5, list[1].grad[1]:item(), 1e-5)
    assert.equal(0, utils.clip_grad_norm_(nn.Linear(2, 2):parameters(), 1):item())
  end)

  it("raises at a norm that is no number if asked to", function()
    local list = with_gradients({1 / 0})
    assert.error_matches(function() utils.clip_grad_norm_(list, 1, 2, true) end, "can't be clipped")
    assert.equal(math.huge, list[1].grad:item())
  end)
end)

describe("get_total_norm and clip_grads_with_norm_", function()
  it("are the two halves of clip_grad_norm_", function()
    local tensors = {nl.tensor {3.0, 4.0}, nl.tensor {-12.0}}
    assert.equal(13, utils.get_total_norm(tensors):item())
    assert.equal(19, utils.get_total_norm(tensors, 1):item())
    assert.equal(0, utils.get_total_norm({}):item())
    assert.error_matches(function() utils.get_total_norm({nl.tensor {1 / 0}}, {error_if_nonfinite = true}) end,
      "get_total_norm: .* can't be clipped")
    local list = with_gradients({3.0, 4.0})
    utils.clip_grads_with_norm_(list, 1, nl.tensor(10.0))
    assert.is_true(nl.allclose(list[1].grad, nl.tensor {0.3, 0.4}))
    utils.clip_grads_with_norm_(list, 1, nl.tensor(0.5))
    assert.is_true(nl.allclose(list[1].grad, nl.tensor {0.3, 0.4}))
  end)
end)

describe("convert_conv…_weight_memory_format", function()
  it("lays out the weights of these convolutions alone, with PyTorch's strides", function()
    local net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Linear(2, 2), nn.Sequential(nn.ConvTranspose2d(3, 2, 2)),
      nn.Conv3d(2, 3, 2))
    local weight, before = net[1].weight, net[1].weight:detach():clone()
    assert.equal(net, utils.convert_conv2d_weight_memory_format(net, nl.channels_last))
    assert.equal(weight, net[1].weight)
    assert.is_true(nl.equal(before, weight))
    assert.same({12, 1, 6, 3}, {table.unpack(weight:stride())})
    assert.same({8, 1, 4, 2}, {table.unpack(net[3][1].weight:stride())})
    assert.same({16, 8, 4, 2, 1}, {table.unpack(net[4].weight:stride())})
    utils.convert_conv3d_weight_memory_format(net, nl.channels_last_3d)
    assert.same({16, 1, 8, 4, 2}, {table.unpack(net[4].weight:stride())})
    assert.error_matches(function() utils.convert_conv2d_weight_memory_format(net, nl.channels_last_3d) end,
      "memory_format is .*channels_last or .*contiguous_format, not")
  end)
end)

describe("vectors of parameters", function()
  it("go there and back", function()
    local net = nn.Linear(3, 2)
    local v = utils.parameters_to_vector(net:parameters())
    assert.equal(8, #v)
    assert.is_true(nl.equal(v[{{1, 6}}], net.weight:reshape(-1)))
    utils.vector_to_parameters(nl.arange(0, 8):to(nl.float32), net:parameters())
    assert.same({{0, 1, 2}, {3, 4, 5}}, net.weight:tolist())
    assert.same({6, 7}, net.bias:tolist())
    assert.is_true(net.weight.is_leaf)
  end)

  it("keep gradients", function()
    local net = nn.Linear(1, 1)
    utils.parameters_to_vector(net:parameters()):pow(2):sum():backward()
    assert.is_near(2 * net.weight:item(), net.weight.grad:item(), 1e-6)
  end)

  it("must fit", function()
    assert.error_matches(function() utils.vector_to_parameters(nl.zeros(2), nn.Linear(2, 2):parameters()) end,
      "has 2 elements, the parameters 6")
  end)
end)
