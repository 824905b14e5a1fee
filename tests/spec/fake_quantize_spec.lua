-- Rounding to a grid, against PyTorch 2.15.
local nl = require "nnlua"

local function near(expected, actual)
  assert.is_true(nl.allclose(nl.tensor(expected, {dtype = actual.dtype}), actual), tostring(actual))
end

describe("fake_quantize", function()
  local x = nl.linspace(-2, 2, 9)

  it("rounds to multiples of a scale, and passes gradients on within bounds", function()
    local leaf = x:clone():requires_grad_()
    local y = nl.fake_quantize_per_tensor_affine(leaf, 0.1, 0, -8, 7)
    near({-0.8, -0.8, -0.8, -0.5, 0, 0.5, 0.7, 0.7, 0.7}, y)
    near({0, 0, 0, 1, 1, 1, 0, 0, 0}, nl.autograd.grad(y:sum(), leaf))
    y = nl.fake_quantize_per_tensor_affine(x, nl.tensor(0.1), nl.tensor(2, {dtype = nl.int32}), -8, 7)
    near({-1, -1, -1, -0.5, 0, 0.5, 0.5, 0.5, 0.5}, y)
    assert.equal(nl.float16, nl.fake_quantize_per_tensor_affine(x:half(), 0.1, 0, -8, 7).dtype)
  end)

  it("takes a scale for each channel", function()
    local leaf = nl.linspace(-2, 2, 6):reshape(2, 3):requires_grad_()
    local zero = nl.tensor({0, 1}, {dtype = nl.int32})
    local y = nl.fake_quantize_per_channel_affine(leaf, nl.tensor({0.1, 0.5}), zero, 1, -8, 7)
    near({{-0.8, -0.8, -0.4}, {0.5, 1, 2}}, y)
    near({{0, 0, 1}, {1, 1, 1}}, nl.autograd.grad(y:sum(), leaf))
  end)

  it("says what doesn't fit", function()
    assert.error_matches(function() nl.fake_quantize_per_tensor_affine(x, 0.1, 9, -8, 7) end, "zero_point must lie")
    assert.error_matches(function() nl.fake_quantize_per_tensor_affine(x, 0.1, 0, 8, 7) end, "quant_max less")
    assert.error_matches(function() nl.fake_quantize_per_tensor_affine(x:long(), 0.1, 0, 0, 7) end, "floating point")
    assert.error_matches(function()
      nl.fake_quantize_per_channel_affine(x, nl.ones(2), nl.zeros(2), 1, 0, 7)
    end, "vectors of 9 elements")
  end)
end)
