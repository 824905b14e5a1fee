-- What stands between the brackets of x[...]. The expected numbers are PyTorch's.
local nl = require "nnlua"

local M = nl.tensor {{true, false, true}, {false, false, true}}

-- A value written in Lua, for x the tensor indexed.
local function value_of(text, x)
  return assert(load("local nl, x, M = ... return " .. text))(nl, x, M)
end

local function flat(x)
  return x:reshape(-1):tolist()
end

local function shape_of(x)
  local shape = {}
  for i = 1, x:dim() do shape[i] = x:size(i) end
  return shape
end

local function assert_fails(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(message, err, 1, true)
end

local function get(x, index)
  return x[index]
end

local function set(x, index, value)
  x[index] = value
end

-- Indices of the 2 x 3 x 4 tensor of 0..23, and shape and elements of the result.
local READS = {
  {"1", {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
  {"-1", {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"2.0", {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{2}", {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{2, 3}", {4}, {20, 21, 22, 23}},
  {"{2, -1, 4}", {}, {23}},
  {"{}", {2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}}", {2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, 2}", {2, 4}, {4, 5, 6, 7, 16, 17, 18, 19}},
  {"{{}, {}, 3}", {2, 3}, {2, 6, 10, 14, 18, 22}},
  {"{{2}}", {1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, {2, 3}}", {2, 2, 4}, {4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, {}, {1, 4, 2}}", {2, 3, 2}, {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22}},
  {"{{}, {}, {2, 4, 2}}", {2, 3, 2}, {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}},
  {"{1, {2, 2}, {3}}", {1, 2}, {6, 7}},
  {"{{}, {-2}}", {2, 2, 4}, {4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, {-2, -2}}", {2, 1, 4}, {4, 5, 6, 7, 16, 17, 18, 19}},
  {"{{}, {1, -2}}", {2, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19}},
  {"{{}, {2, 99}}", {2, 2, 4}, {4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, {-99, 2}}", {2, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19}},
  {"{{}, {3, 2}}", {2, 0, 4}, {}},
  {"{{}, {1, 0}}", {2, 0, 4}, {}},
  {"{{}, {99, 100}}", {2, 0, 4}, {}},
  {"{{}, {}, {1, 4, 99}}", {2, 3, 1}, {0, 4, 8, 12, 16, 20}},
  {"{{nil, 1}, {nl.none, 2}}", {1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}},
  {"nl.newaxis", {1, 2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{nl.newaxis, 1}", {1, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
  {"{1, nl.newaxis, 2}", {1, 4}, {4, 5, 6, 7}},
  {"{{}, 1, nl.newaxis}", {2, 1, 4}, {0, 1, 2, 3, 12, 13, 14, 15}},
  {"nl.ellipsis", {2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{nl.ellipsis, 1}", {2, 3}, {0, 4, 8, 12, 16, 20}},
  {"{1, nl.ellipsis, 2}", {3}, {1, 5, 9}},
  {"{1, 2, 3, nl.ellipsis}", {}, {6}},
  {"{nl.ellipsis, nl.newaxis}", {2, 3, 4, 1}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    19, 20, 21, 22, 23}},
  {"true", {1, 2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"false", {0, 2, 3, 4}, {}},
  {"{1, true}", {1, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
  {"nl.tensor {2, 1, 2}", {3, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"nl.tensor {-1}", {1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"nl.tensor(2)", {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{nl.tensor(2), nl.tensor(-1)}", {4}, {20, 21, 22, 23}},
  {"nl.tensor {{1, 2}, {2, 1}}", {2, 2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    19, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
  {"{nl.tensor {1, 2}, nl.tensor {3, 1}}", {2, 4}, {8, 9, 10, 11, 12, 13, 14, 15}},
  {"{nl.tensor {{1}, {2}}, nl.tensor {3, 1}}", {2, 2, 4}, {8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15}},
  {"{{}, nl.tensor {3, 1}}", {2, 2, 4}, {8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15}},
  {"{nl.tensor {1, 2}, {}, nl.tensor {3, 1}}", {2, 3}, {2, 6, 10, 12, 16, 20}},
  {"{2, {}, nl.tensor {3, 1}}", {3, 2}, {14, 12, 18, 16, 22, 20}},
  {"{{}, nl.tensor {3, 1}, 2}", {2, 2}, {9, 1, 21, 13}},
  {"{{}, {2, 3}, nl.tensor {3, 1}}", {2, 2, 2}, {6, 4, 10, 8, 18, 16, 22, 20}},
  {"{nl.ellipsis, nl.tensor {3, 1}}", {2, 3, 2}, {2, 0, 6, 4, 10, 8, 14, 12, 18, 16, 22, 20}},
  {"{nl.newaxis, nl.tensor {2}}", {1, 1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{nl.tensor {2}, nl.newaxis, {1, 2}}", {1, 1, 2, 4}, {12, 13, 14, 15, 16, 17, 18, 19}},
  {"x:gt(20)", {3}, {21, 22, 23}},
  {"x:gt(99)", {0}, {}},
  {"nl.tensor {false, true}", {1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
  {"{{}, nl.tensor {true, false, true}, 1}", {2, 2}, {0, 8, 12, 20}},
  {"M", {3, 4}, {0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23}},
  {"{M, 2}", {3}, {1, 9, 21}},
  {"{M, nl.tensor {1, 2, 4}}", {3}, {0, 9, 23}},
  {"{{}, nl.tensor {true, false, true}, nl.tensor {4, 1}}", {2, 2}, {3, 8, 15, 20}},
  {"nl.tensor(true)", {1, 2, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23}},
  {"nl.zeros({0}, {dtype = nl.int64})", {0, 3, 4}, {}},
}

describe("reading x[index]", function()
  local x = nl.arange(0, 24):reshape(2, 3, 4)

  for _, case in ipairs(READS) do
    it(case[1], function()
      local y = x[value_of(case[1], x)]
      assert.same(case[2], shape_of(y))
      assert.same(case[3], flat(y))
    end)
  end

  it("reads a transposed tensor", function()
    assert.same({4, 10, 16, 22}, flat(nl.arange(0, 24):reshape(4, 6):t()[5]))
  end)

  it("gives nil behind the last position, so that ipairs works", function()
    assert.is_nil(x[3])
    local sums = {}
    for i, row in ipairs(nl.arange(0, 6):reshape(3, 2)) do sums[i] = row[1]:item() + row[2]:item() end
    assert.same({1, 5, 9}, sums)
  end)

  it("gives views that share memory, whatever the index but tensors", function()
    for _, text in ipairs {"1", "{}", "{{}, 2}", "{{}, {2, 3}}", "nl.newaxis", "nl.ellipsis", "nl.tensor(1)"} do
      local y = nl.zeros(2, 3)
      y[value_of(text, y)]:fill_(7)
      assert.is_true(y:sum():item() > 0, text)
    end
    local y = nl.zeros(3)
    y[nl.tensor {1, 2}]:fill_(7)
    assert.equal(0, y:sum():item())
    y[M[1]]:fill_(7)
    assert.equal(0, y:sum():item())
  end)

  it("never gives the tensor itself", function()
    local y = x[{}]
    assert.is_false(rawequal(x, y))
    assert.equal(x:data_ptr(), y:data_ptr())
  end)
end)

-- Indices of a 2 x 3 tensor of zeros, values, and the elements afterwards.
local WRITES = {
  {"1", "9", {9, 9, 9, 0, 0, 0}},
  {"{2, 3}", "9", {0, 0, 0, 0, 0, 9}},
  {"{{}, 1}", "9", {9, 0, 0, 9, 0, 0}},
  {"{}", "9", {9, 9, 9, 9, 9, 9}},
  {"nl.ellipsis", "9", {9, 9, 9, 9, 9, 9}},
  {"{1, {2, 3}}", "1.5", {0, 1.5, 1.5, 0, 0, 0}},
  {"{2, -1}", "true", {0, 0, 0, 0, 0, 1}},
  {"1", "nl.tensor {7, 8, 9}", {7, 8, 9, 0, 0, 0}},
  {"{{}, {1, 2}}", "nl.tensor {{5}, {6}}", {5, 5, 0, 6, 6, 0}},
  {"1", "nl.ones(1, 1, 3)", {1, 1, 1, 0, 0, 0}},
  {"{{}, {1, 3, 2}}", "nl.tensor(4.5)", {4.5, 0, 4.5, 4.5, 0, 4.5}},
  {"{{3, 2}}", "1", {0, 0, 0, 0, 0, 0}},
  {"nl.tensor {2, 1}", "nl.tensor {{1.0, 2, 3}, {4, 5, 6}}", {4, 5, 6, 1, 2, 3}},
  {"nl.tensor {2}", "nl.ones(1, 1, 1, 3)", {0, 0, 0, 1, 1, 1}},
  {"{{}, nl.tensor {3, 1}}", "nl.tensor {{1.0, 2}, {3, 4}}", {2, 0, 1, 4, 0, 3}},
  {"{nl.tensor {1, 2}, nl.tensor {3, 1}}", "7", {0, 0, 7, 7, 0, 0}},
  {"{2, nl.tensor {3, 1}}", "nl.tensor {1.5, 2.5}", {0, 0, 0, 2.5, 0, 1.5}},
  {"M", "9", {9, 0, 9, 0, 0, 9}},
  {"M", "nl.tensor {1.0, 2, 3}", {1, 0, 2, 0, 0, 3}},
  {"nl.tensor {false, true}", "8", {0, 0, 0, 8, 8, 8}},
  {"{1, nl.tensor {true, false, true}}", "8", {8, 0, 8, 0, 0, 0}},
  {"true", "3", {3, 3, 3, 3, 3, 3}},
  {"false", "3", {0, 0, 0, 0, 0, 0}},
  {"nl.newaxis", "nl.ones(1, 2, 3)", {1, 1, 1, 1, 1, 1}},
  {"nl.tensor(2)", "5", {0, 0, 0, 5, 5, 5}},
}

describe("writing x[index] = value", function()
  for _, case in ipairs(WRITES) do
    it(("x[%s] = %s"):format(case[1], case[2]), function()
      local x = nl.zeros(2, 3)
      x[value_of(case[1], x)] = value_of(case[2], x)
      assert.same(case[3], flat(x))
    end)
  end

  it("converts numbers to the tensor's dtype", function()
    local x = nl.zeros({2}, {dtype = nl.int64})
    x[1] = 1.7
    x[2] = nl.tensor(2.5)
    assert.same({1, 2}, x:tolist())
    x[nl.tensor {1}] = 3.5
    assert.same({3, 2}, x:tolist())
  end)

  it("reads what it overwrites as it was", function()
    local x = nl.arange(0, 5)
    x[{{2, 5}}] = x[{{1, 4}}]
    assert.same({0, 0, 1, 2, 3}, x:tolist())
  end)

  it("counts up the version", function()
    local w = nl.tensor({2.0, 3.0}, {requires_grad = true})
    local x = nl.ones(2)
    local y = (w * x):sum()
    x[1] = 5
    assert.has_error(function() y:backward() end)
  end)
end)

describe("an index that does not fit", function()
  local x = nl.arange(0, 6):reshape(2, 3)

  it("0 is told that positions count from 1", function()
    for _, text in ipairs {"0", "{0}", "{1, 0}", "{{}, {0, 2}}", "nl.tensor(0)", "nl.tensor {1, 0}",
                           "{{}, nl.tensor {0}}"} do
      assert_fails("count from 1", get, x, value_of(text))
      assert_fails("count from 1", set, x, value_of(text), 1)
    end
  end)

  it("is out of range", function()
    assert_fails("index 4 is out of range for dimension 1 of size 2", get, x, 4)
    assert_fails("index -3 is out of range for dimension 1 of size 2", get, x, -3)
    assert_fails("index 3 is out of range for dimension 1 of size 2", get, x, {3})
    assert_fails("index 4 is out of range for dimension 2 of size 3", get, x, {1, 4})
    assert_fails("index 4 is out of range for dimension 2 of size 3", get, x, {nl.newaxis, 1, nl.newaxis, 4})
    assert_fails("index 3 is out of range for dimension 1 of size 2", set, x, 3, 0)
    assert_fails("out of range", get, x, nl.tensor {3})
    assert_fails("out of range", set, x, nl.tensor {-3}, 0)
  end)

  it("has too many entries", function()
    assert_fails("3 dimensions are indexed", get, x, {1, 1, 1})
    assert_fails("2 dimensions are indexed, but the tensor of shape (3) has 1", get, x[1], M)
    assert_fails("two of nl.ellipsis", get, x, {nl.ellipsis, nl.ellipsis})
    assert_fails("0-dim", get, nl.tensor(1), 1)
    assert_fails("0-dim", get, nl.tensor(1), {{}})
    assert_fails("length", function() return #nl.tensor(1) end)
  end)

  it("is no range", function()
    assert_fails("step of a range must be positive", get, x, {{1, 2, -1}})
    assert_fails("step of a range must be positive", get, x, {{1, 2, 0}})
    assert_fails("nl.tensor{...}", get, x, {{1, 2, 1, 2}})
    assert_fails("entry 1 of the index", get, x, {{"a"}})
    assert_fails("entry 2 of the index", get, x, {1, {first = 1}})
  end)

  it("is of a type that indexes nothing", function()
    assert_fails("1.5, which is no integer", get, x, 1.5)
    assert_fails("entry 2 of the index is 1.5, which is no integer", get, x, {1, 1.5})
    assert_fails("entry 2 of the index is a string", get, x, {1, "a"})
    assert_fails("function", get, x, print)
    assert_fails("without names", get, x, {dim = 1})
    assert.has_error(function() return x[nl.tensor {1.0}] end)
    assert.has_error(function() return x[nl.tensor(1.0)] end)
  end)

  it("is a mask of another shape", function()
    assert.has_error(function() return x[nl.tensor {true}] end)
    assert.has_error(function() x[nl.tensor {true}] = 1 end)
  end)

  it("names the user's line", function()
    assert_fails("indexing_spec.lua:", get, x, 7)
  end)
end)

describe("a value that does not fit", function()
  it("is refused and changes nothing", function()
    local x = nl.zeros(2, 3)
    assert_fails("shape (2)", set, x, 1, nl.ones(2))
    assert_fails("shape (2, 1, 3)", set, x, 1, nl.ones(2, 1, 3))
    assert.has_error(function() x[nl.tensor {1, 2}] = nl.ones(3, 3) end)
    assert.has_error(function() x[nl.tensor {1, 2}] = nl.ones({3}, {dtype = nl.float64}) end)
    assert_fails("nl.tensor", set, x, 1, {1, 2, 3})
    assert_fails("nil", set, x, 1, nil)
    assert_fails("string", set, x, 1, "1")
    assert.equal(0, x:sum():item())
    local bytes = nl.zeros({2}, {dtype = nl.int8})
    assert_fails("300 is nothing that int8 can hold", set, bytes, 1, 300)
    assert_fails("nan is nothing that int8 can hold", set, bytes, nl.tensor {1}, nl.nan)
  end)
end)

describe("gradients through an index", function()
  local function gradient(index)
    local a = nl.arange(0, 6):to(nl.float32):reshape(2, 3):requires_grad_()
    local y = a[index]
    ;(y * nl.arange(1, y:numel() + 1):reshape(y.shape)):sum():backward()
    return flat(a.grad)
  end

  it("come back where elements were read", function()
    assert.same({0, 0, 0, 1, 2, 3}, gradient(2))
    assert.same({1, 0, 2, 3, 0, 4}, gradient {{}, {1, 3, 2}})
    assert.same({0, 1, 2, 0, 0, 0}, gradient {nl.newaxis, 1, {2}})
    assert.same({1, 2, 3, 4, 5, 6}, gradient {})
  end)

  it("add up where an element was picked twice", function()
    assert.same({7, 8, 9, 5, 7, 9}, gradient(nl.tensor {2, 2, 1}))
    assert.same({0, 0, 0, 0, 0, 3}, gradient {2, nl.tensor {3, 3}})
    assert.same({0, 0, 1, 0, 0, 2}, gradient {nl.tensor {1, 2}, nl.tensor {3, 3}})
    assert.same({1, 0, 2, 0, 0, 3}, gradient(M))
  end)

  -- b = 2a with b[index] = value: elements of b, gradients of a and of v.
  local function written(index, value_from)
    local a = nl.arange(0, 6):to(nl.float32):reshape(2, 3):requires_grad_()
    local v = nl.tensor({1.0, 2.0, 3.0}, {requires_grad = true})
    local b = a * 2
    b[index] = value_from(v)
    ;(b * nl.arange(1, 7):reshape(2, 3)):sum():backward()
    return {flat(b), flat(a.grad), v.grad and flat(v.grad)}
  end
  local function itself(v) return v end
  local function sum(v) return v:sum() end
  local function nine() return 9 end

  it("reach values assigned, and no longer what they replaced", function()
    assert.same({{0, 2, 4, 1, 2, 3}, {2, 4, 6, 0, 0, 0}, {4, 5, 6}}, written(2, itself))
    assert.same({{0, 6, 4, 6, 6, 10}, {2, 0, 6, 8, 0, 12}, {7, 7, 7}}, written({{}, 2}, sum))
    assert.same({{9, 9, 9, 6, 8, 10}, {0, 0, 0, 8, 10, 12}}, written(1, nine))
  end)

  it("reach values assigned through tensors", function()
    assert.same({{0, 2, 4, 1, 2, 3}, {2, 4, 6, 0, 0, 0}, {4, 5, 6}}, written(nl.tensor {2}, itself))
    assert.same({{1, 2, 3, 1, 2, 3}, {0, 0, 0, 0, 0, 0}, {5, 7, 9}}, written(nl.tensor {1, 2}, itself))
    assert.same({{1, 2, 2, 6, 8, 3}, {0, 4, 0, 8, 10, 0}, {1, 3, 6}}, written(M, itself))
    assert.same({{6, 2, 6, 6, 8, 6}, {0, 4, 0, 8, 10, 0}, {10, 10, 10}}, written(M, sum))
    assert.same({{9, 2, 9, 6, 8, 9}, {0, 4, 0, 8, 10, 0}}, written(M, nine))
    assert.same({{0, 2, 4, 6, 8, 6}, {2, 4, 6, 0, 10, 0}, {10, 10, 10}}, written({2, nl.tensor {1, 3}}, sum))
  end)

  it("follow a view of a view that is written to", function()
    local a = nl.zeros({2, 3}, {requires_grad = true})
    local v = nl.tensor(5.0, {requires_grad = true})
    local b = a * 1
    local row = b[1]
    row[2] = v
    row:mul_(3)
    assert.same({0, 15, 0, 0, 0, 0}, flat(b))
    assert.same({0, 15, 0}, row:tolist())
    ;(b * nl.arange(0, 6):reshape(2, 3)):sum():backward()
    assert.same({0, 0, 6, 3, 4, 5}, flat(a.grad))
    assert.equal(3, v.grad:item())
  end)

  it("are refused for a leaf that is written to, but under no_grad", function()
    local w = nl.zeros({2, 3}, {requires_grad = true})
    assert_fails("leaf", set, w, 1, 1)
    assert_fails("leaf", set, w, nl.tensor {1}, 1)
    nl.no_grad(function()
      w[1] = 1
      w[nl.tensor {2}] = 2
    end)
    assert.same({1, 1, 1, 2, 2, 2}, flat(w))
    assert.is_true(w.requires_grad)
  end)

  it("are not recorded under no_grad", function()
    local w = nl.zeros({2, 3}, {requires_grad = true})
    nl.no_grad(function()
      assert.is_nil(w[1].grad_fn) -- though a view of what requires a gradient says that it does too
      assert.is_false(w[nl.tensor {1}].requires_grad)
    end)
    assert.is_not_nil(w[1].grad_fn)
  end)

  it("flow through what is collected in between", function()
    local w = nl.ones({4, 2}, {requires_grad = true})
    local total = nl.tensor(0.0)
    for i = 1, 4 do
      total = total + w[i][1] * i
      collectgarbage()
    end
    total:backward()
    assert.same({1, 0, 2, 0, 3, 0, 4, 0}, flat(w.grad))
  end)
end)

describe("nl.newaxis and nl.ellipsis", function()
  it("say what they are", function()
    assert.equal("nl.newaxis", tostring(nl.newaxis))
    assert.equal("nl.ellipsis", tostring(nl.ellipsis))
  end)
end)

describe("nl.none among the indices of index_put", function()
  it("stands for all of its dimension", function()
    local x = nl.zeros(2, 3)
    x:index_put_({nl.none, nl.tensor {1, 3}}, nl.tensor {5., 7.})
    assert.same({5, 0, 7, 5, 0, 7}, flat(x))
    assert.same({1, 1, 1, 0, 0, 0}, flat(nl.zeros(2, 3):index_put({nl.tensor {1}, nl.none}, nl.tensor(1.))))
    x:index_put_({nl.none, nl.tensor {3, 3}}, nl.tensor(1.), true)
    assert.same({5, 0, 9, 5, 0, 9}, flat(x))
  end)

  it("lets gradients through, and gradients of gradients", function()
    local x = nl.ones({2, 3}, {requires_grad = true})
    local values = nl.tensor({{1., 2.}, {3., 4.}}, {requires_grad = true})
    local y = x:index_put({nl.none, nl.tensor {1, 3}}, values)
    local dx, dv = nl.autograd.grad((y * y):sum(), {x, values}, {create_graph = true})
    assert.same({0, 2, 0, 0, 2, 0}, flat(dx))
    assert.same({2, 4, 6, 8}, flat(dv))
    assert.same({2, 2, 2, 2}, flat((nl.autograd.grad(dv:sum(), values))))
  end)

  it("counts positions of shapes that no memory holds", function()
    local largest = math.maxinteger
    local rows, places = nl.unravel_index(nl.tensor(largest), {1, largest})
    assert.same({1, largest}, {rows:item(), places:item()})
    assert_fails("too large", function() nl.unravel_index(nl.tensor(1), {2, largest}) end)
  end)

  it("needs an index beside it, and is no tensor elsewhere", function()
    assert_fails("at least one index tensor", function() nl.zeros(2):index_put_({nl.none}, nl.tensor(1.)) end)
    assert_fails("element 1 is no tensor", function() nl.cat {nl.none, nl.zeros(2)} end)
    assert_fails("too many indices for a tensor of shape (2)", function()
      nl.zeros(2):index_put_({nl.none, nl.tensor {1}}, nl.tensor(1.))
    end)
  end)
end)
