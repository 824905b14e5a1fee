-- Training mode, gradients, conversions.
local nl = require "nnlua"
local nn = nl.nn

local function model()
  local net = nn.Sequential(nn.Linear(2, 3), nn.Dropout(), nn.Linear(3, 1))
  net:register_buffer("scale", nl.ones(2))
  net:register_buffer("steps", nl.tensor {1, 2})
  return net
end

describe("modes", function()
  it("M1: train and eval set the flag everywhere and return the module", function()
    local net = model()
    assert.equal(net, net:eval())
    for m in net:modules() do assert.is_false(m.training) end
    assert.equal(net, net:train())
    for m in net:modules() do assert.is_true(m.training) end
    net[1]:eval()
    assert.is_true(net.training)
    assert.is_false(net[1].training)
    assert.error_matches(function() net:train(1) end, "the mode is true or false, not a number")
  end)

  it("M2: requires_grad_ is for all parameters", function()
    local net = model()
    assert.equal(net, net:requires_grad_(false))
    for p in net:parameters() do assert.is_false(p.requires_grad) end
    net:requires_grad_()
    for p in net:parameters() do assert.is_true(p.requires_grad) end
  end)

  it("M2: zero_grad drops gradients, or zeroes them in place", function()
    local net = nn.Linear(2, 1)
    net(nl.ones(3, 2)):sum():backward()
    local grad = net.weight.grad
    net:zero_grad(false)
    assert.equal(grad, net.weight.grad)
    assert.same({{0, 0}}, grad:tolist())
    net:zero_grad {set_to_none = false}
    assert.is_not_nil(net.weight.grad)
    net:zero_grad()
    assert.is_nil(net.weight.grad)
    assert.is_nil(net.bias.grad)
  end)
end)

describe("conversions", function()
  it("M3: happen in place and return the module", function()
    local net = model()
    assert.equal(net, net:double())
    assert.equal(nl.float64, net[1].weight.dtype)
    assert.equal(net, net:to(nl.float32))
    assert.equal(nl.float32, net[1].weight.dtype)
    net:to {dtype = nl.float64}
    assert.equal(nl.float64, net[3].bias.dtype)
    net:to(nl.zeros(1))
    assert.equal(nl.float32, net[3].bias.dtype)
    assert.equal(net, net:to("cpu"):cpu())
    net:half()
    assert.equal(nl.float16, net.scale.dtype)
    net:bfloat16()
    assert.equal(nl.bfloat16, net.scale.dtype)
    net:float()
    assert.equal(1, net(nl.ones(1, 2)):size(2))
  end)

  it("M4: to takes inexact dtypes, and leaves integers alone; type takes all", function()
    local net = model()
    assert.error_matches(function() net:to(nl.int64) end, "floating and complex dtypes only")
    assert.error_matches(function() net:to(3) end, "a dtype, a device or a tensor was expected, got a number")
    assert.error_matches(function() net:to("gpu") end, "there is no device 'gpu'")
    assert.error_matches(function() net:to {dtyp = nl.float64} end, "no argument is called 'dtyp'")
    net:double()
    assert.equal(nl.int64, net.steps.dtype)
    net:type(nl.float32)
    assert.equal(nl.float32, net.steps.dtype)
  end)

  it("M5: parameters and gradients stay the same objects, buffers are replaced", function()
    local net = model()
    net(nl.ones(1, 2)):sum():backward()
    local weight, grad, scale, steps = net[1].weight, net[1].weight.grad, net.scale, net.steps
    net:double()
    assert.equal(weight, net[1].weight)
    assert.equal(grad, net[1].weight.grad)
    assert.equal(nl.float64, grad.dtype)
    assert.not_equal(scale, net.scale)
    assert.equal(nl.float32, scale.dtype)
    assert.equal(steps, net.steps)
    assert.is_true(net[1].weight.requires_grad)
  end)

  it("M5: an optimizer made before stays valid", function()
    local net = nn.Linear(2, 1)
    local optimizer = nl.optim.SGD(net:parameters(), {lr = 1})
    net:double()
    net(nl.ones(1, 2, {dtype = nl.float64})):sum():backward()
    local before = net.bias:item()
    optimizer:step()
    assert.near(before - 1, net.bias:item(), 1e-12)
  end)

  it("M6: ties survive", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    net:double()
    assert.equal(net[1].weight, net[2].weight)
    assert.equal(nl.float64, net[1].weight.dtype)
  end)
end)
