-- How tensors of 4 and 5 dimensions lie in memory. The strides are those of PyTorch 2.15.
local nl = require "nnlua"
local nn = nl.nn

local function strides(t) return {table.unpack(t:stride())} end

--- A module with the parameters of nn.Conv2d(2, 3, 4).
local function images()
  local net = nn.Module()
  net.weight = nn.Parameter(nl.randn(3, 2, 4, 4))
  net.bias = nn.Parameter(nl.randn(3))
  return net
end

describe("M8: memory_format", function()
  it("orders the memory of tensors of 4 dimensions, and of no others", function()
    local net = images()
    net:register_buffer("mean", nl.ones(2, 3))
    local weight, before = net.weight, net.weight:tolist()
    assert.equal(net, net:to {memory_format = nl.channels_last})
    assert.equal(weight, net.weight)
    assert.same({32, 1, 8, 2}, strides(weight))
    assert.same({1}, strides(net.bias))
    assert.same({3, 1}, strides(net.mean))
    assert.same(before, weight:tolist())
    assert.is_true(weight.requires_grad)
    net:to {memory_format = nl.contiguous_format}
    assert.same({32, 16, 4, 1}, strides(net.weight))
    assert.same(before, weight:tolist())
  end)

  it("stays through conversions to other dtypes, and goes with them", function()
    local net = images():to {memory_format = nl.channels_last, dtype = nl.float64}
    assert.equal(nl.float64, net.weight.dtype)
    assert.same({32, 1, 8, 2}, strides(net.weight))
    assert.same({32, 1, 8, 2}, strides(net:float().weight))
  end)

  it("is for 4 dimensions, or for 5, and otherwise changes nothing", function()
    local net = images()
    net.volume = nn.Parameter(nl.randn(3, 2, 4, 5, 6))
    assert.error_matches(function() net:to {memory_format = nl.channels_last, dtype = nl.float64} end,
      "channels_last is a layout of 4 dimensions, and 'volume' has 5")
    assert.equal(nl.float32, net.weight.dtype)
    assert.error_matches(function() net:to {memory_format = nl.channels_last_3d} end, "'weight' has 4")
    net:unregister("weight")
    assert.same({240, 1, 60, 12, 2}, strides(net:to {memory_format = nl.channels_last_3d}.volume))
    assert.same({240, 120, 30, 6, 1}, strides(net:to {memory_format = nl.contiguous_format}.volume))
  end)

  it("is one of the constants", function()
    assert.error_matches(function() images():to {memory_format = 3} end,
      "memory_format is nl.contiguous_format, nl.channels_last or nl.channels_last_3d, not a number")
    assert.equal("nl.channels_last", tostring(nl.channels_last))
  end)
end)
