-- testing.make_tensor: the numbers of torch.testing.make_tensor (PyTorch 2.15) after manual_seed(3).
local nl = require "nnlua"
local testing = require "nnlua.testing"

local signed = {4, 2, 7, 3, -7, 6}
local expected = {
  bool = {false, false, true, true, false, false}, uint8 = {6, 8, 7, 7, 0, 0}, int8 = signed, int16 = signed,
  int32 = signed, int64 = signed,
  float16 = {-8.921875, -7.1015625, -3.85546875, -8.515625, -0.5107421875, -7.91796875},
  bfloat16 = {-8.9375, -7.09375, -3.859375, -8.5, -0.51171875, -7.90625},
  float32 = {-8.923256874084473, -7.0997514724731445, -3.8548355102539062, -8.514813423156738, -0.5109415054321289,
    -7.917906761169434},
  float64 = {-8.386052478290631, -3.8386759190164748, 4.912468997914518, -5.851313472936696, 4.59665768962618,
    1.9485112845726895},
}
-- Real and imaginary parts in turn.
local complex = {
  complex64 = {-8.923256874084473, -7.0997514724731445, -3.8548355102539062, -8.514813423156738, -0.5109415054321289,
    -7.917906761169434, 4.893585205078125, 4.3865885734558105, 1.6995817422866821, 6.981420040130615,
    -0.8814361095428467, 5.390831470489502},
  complex128 = {-8.386052478290631, -3.8386759190164748, 4.912468997914518, -5.851313472936696, 4.59665768962618,
    1.9485112845726895, -5.422911295245516, -1.1985204401066631, -1.7128449993482016, 5.013891461766161,
    -5.64329785506122, 1.6999235902316054},
}

local function made(...)
  nl.manual_seed(3)
  return testing.make_tensor(...)
end

describe("make_tensor", function()
  it("gives PyTorch's numbers from the same seed", function()
    for name, values in pairs(expected) do
      testing.assert_close(made(2, 3, {dtype = nl[name]}), nl.tensor(values, {dtype = nl[name]}):reshape(2, 3))
    end
    for name, values in pairs(complex) do
      local x = nl.view_as_real(made({2, 3}, {dtype = nl[name]}))
      testing.assert_close(x:reshape(-1), nl.tensor(values, {dtype = x.dtype}))
    end
  end)

  it("takes low, high and the other options", function()
    testing.assert_close(made({2, 3}, {low = -1, high = 2}),
      nl.tensor {{-0.9872, -0.6833, -0.1425}, {-0.9191, 0.4148, -0.8197}}, {rtol = 0, atol = 1e-4})
    testing.assert_equal(made(20, {dtype = nl.int64, low = -1, high = 2, exclude_zero = true}),
      nl.tensor {1, 1, 1, -1, 1, -1, -1, 1, 1, 1, 1, -1, 1, 1, -1, 1, -1, -1, 1, 1})
    local x = made(2, 3, {noncontiguous = true})
    assert.same({6, 2}, {x:stride():unpack()})
    testing.assert_equal(x, made(2, 3))
    assert.is_true(made(2, {requires_grad = true}).requires_grad)
    assert.equal(nl.float32, made(1).dtype)
    assert.equal(0, made({}).ndim)
    assert.same({0, 2}, {made(0, 2, {noncontiguous = true}).shape:unpack()})
    assert.is_false(made(300, {dtype = nl.bool, exclude_zero = true}):eq(0):any():item())
    assert.is_false(made(9, {dtype = nl.float16, low = 0, high = 0, exclude_zero = true}):eq(0):any():item())
    assert.is_false(made(9, {dtype = nl.complex64, low = 0, high = 0, exclude_zero = true}):eq(0):any():item())
  end)

  it("cuts bounds off at what the dtype holds", function()
    assert.is_true(made(50, {dtype = nl.uint8, low = -100, high = 1000}):numel() == 50)
    assert.is_true(made(50, {dtype = nl.float16, low = 0, high = 1e9}):isfinite():all():item())
  end)

  it("refuses what has no meaning", function()
    local function fails(message, ...)
      local ok, text = pcall(testing.make_tensor, ...)
      assert.is_false(ok)
      assert.matches(message, text, 1, true)
    end
    fails("make_tensor: low must not be greater than high: 2 > 1", 2, {low = 2, high = 1})
    fails("make_tensor: low or high is nan", 2, {low = 0 / 0})
    fails("make_tensor: nnlua.int64 tensors can't require gradients", 2, {dtype = nl.int64, requires_grad = true})
    fails("make_tensor: no argument is called 'lo'", 2, {lo = 1})
    fails("make_tensor: dtype must be a dtype, not ", 2, {dtype = "float32"})
    fails("make_tensor: low must be a number, not ", 2, {low = "1"})
  end)
end)
