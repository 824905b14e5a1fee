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
    assert.equal("channels_last", nl.channels_last)
  end)
end)

describe("memory_format of tensors", function()
  local x = nl.randn(2, 3, 4, 5)

  it("is kept as strides", function()
    local y = x:contiguous(nl.channels_last)
    assert.same({60, 1, 15, 3}, strides(y))
    assert.is_true(nl.equal(x, y))
    assert.is_true(y:is_contiguous {memory_format = nl.channels_last})
    assert.is_false(y:is_contiguous())
    assert.is_false(x:is_contiguous(nl.channels_last))
    assert.is_false(y:is_contiguous(nl.channels_last_3d))
    assert.same({60, 1, 15, 3}, strides(y:clone {memory_format = nl.preserve_format}))
    assert.same({60, 20, 5, 1}, strides(y:clone {memory_format = nl.contiguous_format}))
    assert.same({60, 20, 5, 1}, strides(nl.zeros_like(y, {memory_format = nl.contiguous_format})))
    assert.same({60, 1, 15, 3}, strides(x:double {memory_format = nl.channels_last}))
    assert.same({120, 1, 40, 10, 2}, strides(nl.ones(1, 2, 3, 4, 5):contiguous(nl.channels_last_3d)))
  end)

  it("gives the tensor itself where it lies so, and clone a copy", function()
    local y = x:contiguous(nl.channels_last)
    assert.equal(y:data_ptr(), y:contiguous(nl.channels_last):data_ptr())
    assert.equal(y:data_ptr(), y:to({memory_format = nl.channels_last}):data_ptr())
    assert.not_equal(y:data_ptr(), y:clone({memory_format = nl.channels_last}):data_ptr())
  end)

  it("lets gradients through, and makes leaves", function()
    local leaf = x:clone():requires_grad_()
    leaf:contiguous(nl.channels_last):mul(2):sum():backward()
    assert.is_true(nl.equal(nl.full_like(x, 2), leaf.grad))
    local ones = nl.ones_like(x, {memory_format = nl.channels_last, requires_grad = true})
    assert.is_true(ones.is_leaf and ones.requires_grad)
  end)

  it("must fit the dimensions", function()
    assert.error_matches(function() nl.ones(2):contiguous(nl.channels_last) end,
      "contiguous: channels_last is a layout of 4 dimensions, and the tensor has 1")
    assert.error_matches(function() x:clone {memory_format = "rows"} end, "clone: memory_format is nl.contiguous")
    assert.error_matches(function() x.mT:contiguous(nl.preserve_format) end, "preserve_format says nothing here")
    assert.error_matches(function() x:is_contiguous(3) end, "is_contiguous: memory_format is")
  end)
end)
