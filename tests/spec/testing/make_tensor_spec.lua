-- testing.make_tensor: the numbers of torch.testing.make_tensor (PyTorch 1.13) after manual_seed(3).
local nl = require "nnlua"
local testing = require "nnlua.testing"

local floats32 = {-8.923255920410156, -7.099750995635986, -3.8548355102539062, -8.514812469482422, -0.5109415054321289,
  -7.917907238006592}
local floats64 = {-8.38605247829063, -3.838675919016475, 4.912468997914518, -5.851313472936695, 4.596657689626179,
  1.9485112845726893}
local signed = {4, 2, 7, 3, -7, 6}
local expected = {
  bool = {false, false, true, true, false, false}, uint8 = {6, 8, 7, 7, 0, 0}, int8 = signed, int16 = signed,
  int32 = signed, int64 = signed, float16 = {7.68359375, 5.8359375, 2.1875, 5.6484375, -0.6328125, -0.4921875},
  bfloat16 = {-1.5625, 1.6875, 8.5, 0.1875, 3.9375, 5.0625}, float32 = floats32, float64 = floats64,
}
local imaginary = {
  complex64 = {4.893585205078125, 4.386589050292969, 1.6995818614959717, 6.981419563293457, -0.8814363479614258,
    5.390830993652344},
  complex128 = {-5.422911295245516, -1.198520440106663, -1.7128449993482011, 5.0138914617661605, -5.643297855061219,
    1.6999235902316059},
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
    for name, values in pairs(imaginary) do
      local x = made({2, 3}, {dtype = nl[name]}):reshape(6)
      local part = name == "complex64" and nl.float32 or nl.float64
      testing.assert_close(nl.real(x), nl.tensor(name == "complex64" and floats32 or floats64, {dtype = part}))
      testing.assert_close(nl.imag(x), nl.tensor(values, {dtype = part}))
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
