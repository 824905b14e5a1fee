-- What is close, and what reports say: PyTorch's torch.testing.assert_close (2.15) gave the verdicts and figures.
local nl = require "nnlua"
local testing = require "nnlua.testing"

local function report(...)
  local good, text = testing.close(...)
  assert.is_false(good)
  return text
end

--- The largest step above 1 or 100 that PyTorch takes as close, and the next one that it refuses.
local bounds = {
  -- dtype, expected, close, not close
  {nl.float64, 1.0, 1.0 + 1.9e-7, 1.0 + 2.1e-7},
  {nl.float64, 100.0, 100.0 + 1.009e-5, 100.0 + 1.011e-5},
  {nl.float32, 1.0, 1.0 + 1.12e-5, 1.0 + 1.15e-5},
  {nl.float32, 100.0, 100.0 + 1.3e-4, 100.0 + 1.5e-4},
  {nl.float16, 1.0, 1.0009765625, 1.001953125},
  {nl.bfloat16, 1.0, 1.015625, 1.0234375},
}

describe("close", function()
  it("has PyTorch's tolerances for each dtype", function()
    for _, row in ipairs(bounds) do
      local dtype, expected, near, far = table.unpack(row)
      expected = nl.tensor({expected}, {dtype = dtype})
      assert.is_true(testing.close(nl.tensor({near}, {dtype = dtype}), expected), tostring(dtype))
      assert.is_false((testing.close(nl.tensor({far}, {dtype = dtype}), expected)), tostring(dtype))
    end
    assert.is_false((testing.close(nl.tensor {1, 2}, nl.tensor {1, 3})))
    assert.is_true(testing.close(nl.tensor {true, false}, nl.tensor {true, false}))
    assert.is_true(testing.close(1.0 + 1.9e-7, 1.0))
    assert.is_false((testing.close(1.0 + 2.1e-7, 1.0)))
    assert.is_true(testing.close(nl.tensor({1.0 + 1.9e-7}, {dtype = nl.float64}):to(nl.complex128),
      nl.tensor({1.0}, {dtype = nl.complex128})))
  end)

  it("takes the looser tolerances where dtypes may differ", function()
    local a, b = nl.tensor {1.00001}, nl.tensor({1.0}, {dtype = nl.float64})
    assert.equal("dtypes differ: actual nnlua.float32, expected nnlua.float64", report(a, b))
    assert.is_true(testing.close(a, b, {check_dtype = false}))
    assert.is_true(testing.close(nl.tensor {1}, nl.tensor {true}, {check_dtype = false}))
  end)

  it("compares infinities and nan as PyTorch does", function()
    local inf, nan = nl.inf, nl.nan
    assert.is_true(testing.close(nl.tensor {inf, -inf}, nl.tensor {inf, -inf}))
    assert.is_false((testing.close(nl.tensor {inf}, nl.tensor {-inf})))
    assert.is_false((testing.close(nl.tensor {inf}, nl.tensor {1e30})))
    assert.is_false((testing.close(nl.tensor {nan}, nl.tensor {nan})))
    assert.is_true(testing.close(nl.tensor {nan}, nl.tensor {nan}, {equal_nan = true}))
    assert.is_true(testing.close(nan, nan, {equal_nan = true}))
    assert.is_false((testing.close(nan, nan)))
  end)

  it("tells how many differ, how far, and where", function()
    local actual = nl.tensor {{1.0, 2.0, 3.0}, {4.0, 5.5, 6.0}}
    local expected = nl.tensor {{1.0, 2.5, 3.0}, {4.0, 5.0, 6.0}}
    expected[1][1], actual[1][1] = 0.25, 0.5
    assert.equal([=[
tensors are not close: 3 of 6 elements differ (50.0%)
greatest absolute difference: 0.5 at [1, 2] (up to 1e-05 allowed): actual 2.0, expected 2.5
greatest relative difference: 1 at [1, 1] (up to 1.3e-06 allowed): actual 0.5, expected 0.25
actual:   tensor([[0.5000, 2.0000, 3.0000],
                  [4.0000, 5.5000, 6.0000]])
expected: tensor([[0.2500, 2.5000, 3.0000],
                  [4.0000, 5.0000, 6.0000]])]=], report(actual, expected))
  end)

  it("names the dtype and shape of what is too long to show", function()
    local x = nl.zeros(10, 10)
    local y = x:clone()
    y[7][3] = 2
    assert.equal([[
tensors are not equal: 1 of 100 elements differ (1.0%)
greatest absolute difference: 2 at [7, 3]: actual 0.0, expected 2.0
greatest relative difference: 1 at [7, 3]: actual 0.0, expected 2.0
shape [10, 10], float32]], (select(2, testing.equal(x, y))))
  end)

  it("finds the places in tensors that are not contiguous, and of any rank", function()
    local x = nl.zeros(2, 3, 4):transpose(1, 3)
    local y = x:clone()
    y[4][2][1] = 1
    assert.matches("at [4, 2, 1] (up to", report(x, y), 1, true)
    assert.matches("difference: 1 (up to 1e-05 allowed): actual 1.0, expected 2.0",
      report(nl.tensor(1.0), nl.tensor(2.0)), 1, true)
  end)

  it("tells shapes before dtypes, strides only when asked", function()
    assert.equal("shapes differ: actual [2], expected [2, 1]",
      report(nl.zeros(2), nl.zeros(2, 1, {dtype = nl.float64})))
    local x = nl.zeros(2, 3)
    local y = nl.zeros(3, 2):t()
    assert.is_true(testing.close(x, y))
    assert.equal("strides differ: actual [3, 1], expected [1, 2]", report(x, y, {check_stride = true}))
    assert.equal("devices differ: actual cpu, expected meta", report(nl.zeros(2), nl.zeros(2, {device = "meta"})))
    assert.is_true(testing.close(nl.zeros(2, {device = "meta"}), nl.zeros(2, {device = "meta"})))
  end)

  it("takes empty tensors", function()
    assert.is_true(testing.close(nl.zeros(0, 3), nl.zeros(0, 3)))
    assert.is_false((testing.close(nl.zeros(0, 3), nl.zeros(0, 4))))
  end)

  it("shows values with as many digits as tell them apart", function()
    local text = report(nl.tensor({0.1}, {dtype = nl.float64}), nl.tensor({0.1 + 1e-6}, {dtype = nl.float64}))
    assert.matches("actual 0.1, expected 0.100001", text, 1, true)
    assert.matches("actual 0.1, expected 0.3", report(nl.tensor {0.1}, nl.tensor {0.3}), 1, true)
    assert.matches("actual 1.0+2.0i, expected 1.0-2.0i", report(nl.complex(1, 2), nl.complex(1, -2)), 1, true)
    assert.matches("actual true, expected false", report(nl.tensor {true}, nl.tensor {false}), 1, true)
    assert.matches("actual 9007199254740993, expected 9007199254740992",
      report(nl.tensor {9007199254740993}, nl.tensor {9007199254740992}), 1, true)
  end)

  it("compares numbers, whatever their subtype", function()
    assert.is_true(testing.close(1, 1.0))
    assert.equal([[
numbers are not close: actual 1.5, expected 1.0
absolute difference: 0.5 (up to 1e-07 allowed)
relative difference: 0.5 (up to 1e-07 allowed)]], report(1.5, 1.0))
    assert.matches("numbers are not equal: actual 1, expected 2", report(1, 2), 1, true)
    assert.is_true(testing.close(1.0, 1.05, {rtol = 0, atol = 0.1}))
  end)

  it("goes into tables and names the path", function()
    local function state(weight, name)
      return {model = {weight = nl.ones(2), list = {1.0, weight}}, name = name or "net", ["odd key"] = true}
    end
    assert.is_true(testing.close(state(nl.ones(1)), state(nl.ones(1))))
    assert.matches("^at %.model%.list%[2%]: shapes differ: actual %[1%], expected %[3%]$",
      report(state(nl.ones(1)), state(nl.ones(3))))
    assert.equal('at .name: values differ: actual the string "net", expected the string "other"',
      report(state(nl.ones(1)), state(nl.ones(1), "other")))
    assert.equal('at .a: missing: expected a tensor of shape [2]\nalso at ["b c"]: not expected: actual true',
      report({["b c"] = true}, {a = nl.ones(2)}))
  end)

  it("names all places where much differs", function()
    local a, b = {}, {}
    for i = 1, 12 do a[i], b[i] = i, -i end
    local text = report(a, b)
    assert.matches("^at %[1%]: numbers are not equal: actual 1, expected %-1\n", text)
    assert.matches("\nalso at [8]: numbers are not equal: actual 8, expected -8\nand at 4 more places", text, 1, true)
  end)

  it("compares state dicts", function()
    local a, b = nl.nn.Linear(2, 2), nl.nn.Linear(2, 2)
    assert.matches("^at %.bias: ", report(a:state_dict(), b:state_dict()))
    b:load_state_dict(a:state_dict())
    assert.is_true(testing.close(a:state_dict(), b:state_dict()))
  end)

  it("says what to do where a tensor meets something else", function()
    assert.equal("actual a tensor of shape [], expected the number 1 (compare x:item(), or with nl.tensor(number))",
      report(nl.tensor(1), 1))
    assert.equal("actual a tensor of shape [2], expected a table (compare with nl.tensor(table))",
      report(nl.ones(2), {1, 1}))
    assert.equal("actual nil, expected a tensor of shape [1]", report(nil, nl.ones(1)))
  end)

  it("changes nothing and records nothing", function()
    local x = nl.ones(2, {requires_grad = true})
    local y = x * 2
    assert.is_false((testing.close(y, y + 1)))
    assert.is_true(y.requires_grad and nl.is_grad_enabled())
    y:sum():backward()
    assert.same({2, 2}, x.grad:tolist())
  end)

  it("refuses tables in a circle, and half of the tolerances", function()
    local circle = {}
    circle[1] = circle
    assert.has_error(function() testing.close(circle, circle) end)
    local ok, message = pcall(testing.assert_close, 1, 2, {rtol = 1})
    assert.is_false(ok)
    assert.matches("assert_close: rtol and atol are given both or neither, not rtol alone", message, 1, true)
    ok, message = pcall(testing.close, 1, 2, {tolerance = 1})
    assert.is_false(ok)
    assert.matches("close: no argument is called 'tolerance'", message, 1, true)
  end)
end)

describe("assert_close and assert_equal", function()
  it("raise at the user's line", function()
    local ok, message = pcall(function() testing.assert_close(nl.ones(2), nl.zeros(2)) end)
    assert.is_false(ok)
    assert.matches("^tests/spec/testing/close_spec.lua:%d+: assert_close: tensors are not close: 2 of 2", message)
    ok, message = pcall(function() testing.assert_equal(nl.ones(2), nl.ones(2) + 1e-6) end)
    assert.is_false(ok)
    assert.matches("assert_equal: tensors are not equal: 2 of 2 elements differ (100.0%)", message, 1, true)
    testing.assert_close(nl.ones(2), nl.ones(2) + 1e-6)
    testing.assert_equal({nl.ones(2), 1}, {nl.ones(2), 1})
  end)

  it("take a message, or a function that makes one", function()
    local ok, message = pcall(testing.assert_close, 1, 2, {msg = "the loss moved"})
    assert.is_false(ok)
    assert.matches("assert_close: the loss moved$", message)
    ok, message = pcall(testing.assert_equal, 1, 2, {msg = function(text) return "layer 3: " .. text end})
    assert.is_false(ok)
    assert.matches("assert_equal: layer 3: numbers are not equal", message, 1, true)
  end)
end)

describe("luassert's own messages", function()
  it("tell two tensors of the same text apart, and what compares them", function()
    testing.install(assert)
    local ok, failure = pcall(assert.same, nl.ones(1), nl.ones(1))
    local first, second = tostring(failure):match "(tensor 0x%x+).*(tensor 0x%x+)"
    assert.is_false(ok)
    assert.is_string(first)
    assert.not_equal(first, second)
    assert.matches("assert.equal_tensor compares elements", tostring(failure), 1, true)
  end)

  it("do so within tables", function()
    testing.install(assert)
    local ok, failure = pcall(assert.same, {w = {nl.ones(1)}, n = 3}, {w = {nl.ones(1)}, n = 3})
    assert.is_false(ok)
    local seen = {}
    local shown = "%*%[1%] = '(tensor%(%[1%.%]%)) %(tensor (0x%x+); assert.equal_tensor"
    for text, place in tostring(failure):gmatch(shown) do
      assert.equal("tensor([1.])", text)
      table.insert(seen, place)
    end
    assert.equal(2, #seen)
    assert.not_equal(seen[1], seen[2])
    assert.matches("*[w] = {", tostring(failure), 1, true)
    assert.matches("[n] = 3", tostring(failure), 1, true)
  end)
end)
