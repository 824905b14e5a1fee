-- Products of matrices by each of the ways that shapes and layouts choose (launch/linalg/gemm.c).
local nl = require "nnlua"

-- Small integers: sums of their products are exact in any order and dtype.
local function pattern(rows, cols, dtype, by_row, by_col)
  local i, j = nl.arange(rows):unsqueeze(2), nl.arange(cols):unsqueeze(1)
  local x = (i * by_row + j * by_col):remainder(7) - 3
  if dtype == nl.complex64 or dtype == nl.complex128 then
    local y = (i * by_col + j):remainder(5) - 2
    return nl.complex(x:to(nl.float64), y:to(nl.float64)):to(dtype)
  end
  return x:to(dtype)
end

-- The same matrix as it may lie in memory.
local layouts = {
  plain = function(x) return x end,
  transposed = function(x) return x:t():contiguous():t() end,
  wide = function(x)
    local room = nl.zeros(x.shape[1], x.shape[2] + 1500, {dtype = x.dtype})
    return room:narrow(2, 3, x.shape[2]):copy_(x)
  end,
  tall = function(x)
    local room = nl.zeros(x.shape[2], x.shape[1] + 1500, {dtype = x.dtype})
    return room:narrow(2, 3, x.shape[1]):t():copy_(x)
  end,
}

local shapes = { -- rows, depth, columns
  {1003, 3, 2}, {2, 3, 1005}, {2, 1007, 3}, {1, 1007, 5}, {3, 1007, 1}, {1003, 5, 1}, {1, 5, 1003},
  {1, 5003, 1}, {7, 70, 9}, {16, 40, 33}, {203, 61, 170}, {130, 300, 50}, {1, 40, 2100}, {30, 1, 40}, {14, 390, 700},
}

describe("products", function()
  for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64, nl.complex128, nl.bfloat16, nl.float16} do
    it("are right whatever their shapes and layouts: " .. tostring(dtype), function()
      local exact = dtype.itemsize == 2 and nl.float32 or dtype -- halves are rounded once, at the end
      for _, shape in ipairs(shapes) do
        local m, k, n = table.unpack(shape)
        local a, b, c = pattern(m, k, exact, 1, 2), pattern(k, n, exact, 3, 1), pattern(m, n, exact, 2, 5)
        local product
        if k < 10 then -- by the definition, without a product of matrices
          product = nl.zeros(m, n, {dtype = exact})
          for i = 1, k do product = product + a:narrow(2, i, 1) * b:narrow(1, i, 1) end
        else
          product = (a:unsqueeze(3) * b:unsqueeze(1)):sum(2)
        end
        local scaled = (product * 2 + c * 3):to(dtype)
        a, b, c, product = a:to(dtype), b:to(dtype), c:to(dtype), product:to(dtype)
        for a_name, a_layout in pairs(layouts) do
          for b_name, b_layout in pairs(layouts) do
            if a_name == b_name or a_name == "plain" or b_name == "plain" then
              local p, q = a_layout(a), b_layout(b)
              local what = ("%d x %d (%s) times %d x %d (%s)"):format(m, k, a_name, k, n, b_name)
              assert.is_true(p:mm(q):equal(product), what)
              assert.is_true(nl.addmm(c, p, q, {alpha = 2, beta = 3}):equal(scaled), what .. ", scaled and added")
              if n == 1 then assert.is_true(p:mv(q:squeeze(2)):equal(product:squeeze(2)), what .. ", as a vector") end
            end
          end
        end
      end
    end)
  end

  it("don't read what is multiplied by a factor of 0", function() -- as PyTorch's
    for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64, nl.complex128, nl.bfloat16} do
      for _, n in ipairs {1, 3, 40, 128} do
        local ones, nan = nl.ones(n, n, {dtype = dtype}), nl.full({n, n}, 0 / 0, {dtype = dtype})
        assert.is_true(nl.addmm(ones, nan, ones, {alpha = 0}):equal(ones))
        assert.is_true(nl.addmm(nan, ones, ones, {beta = 0}):equal(ones * n))
        assert.is_true(nl.addmm(nan, nan, ones, {alpha = 0, beta = 0}):equal(ones * 0))
        assert.is_true(nl.addmm(ones, nan, ones):isnan():all():item())
        assert.is_true((nan * 0):mm(ones):isnan():all():item())
      end
    end
  end)

  it("add what broadcasts, however it lies", function()
    local a, b = pattern(5, 7, nl.float32, 1, 2), pattern(7, 4, nl.float32, 3, 1)
    local product = a:mm(b)
    local wide = pattern(10, 9, nl.float32, 2, 1)
    for _, x in ipairs {
      nl.tensor(2.0), wide:narrow(1, 1, 1):narrow(2, 3, 4), wide:select(1, 2):narrow(1, 2, 4),
      wide:narrow(1, 4, 5):narrow(2, 2, 1), wide:narrow(1, 3, 5):narrow(2, 5, 4),
      wide:narrow(2, 1, 5):narrow(1, 1, 4):t(), wide:select(2, 1):narrow(1, 1, 4),
      wide:select(1, 2):narrow(1, 2, 4):expand(5, 4),
    } do
      assert.is_true(nl.addmm(x, a, b, {beta = 2}):equal(x * 2 + product))
    end
    for _, bias in ipairs {wide:select(1, 2):narrow(1, 2, 4), wide:select(2, 3):narrow(1, 1, 4), nl.tensor {1.0}} do
      local whole = nl.F.linear(a:long(), b:t():long(), bias:long())
      assert.is_true(whole:equal((product + bias):long()))
      assert.is_true(nl.F.linear(a, b:t(), bias):equal(product + bias))
      assert.is_true(nl.F.linear(a, b:t():narrow(1, 1, 1), bias:narrow(1, 1, 1)):equal(
        a:mm(b:narrow(2, 1, 1)) + bias:narrow(1, 1, 1)))
    end
  end)

  it("take matrices and vectors whose elements are apart or the same", function()
    local whole = pattern(40, 60, nl.float32, 1, 2)
    local strided, same = whole:index_select(2, nl.arange(1, 60, 3)), whole:select(1, 1):expand(33, 60)
    local apart = whole:view(40, 20, 3):select(3, 1)
    assert.is_true(apart:mm(whole:narrow(1, 1, 20)):equal(strided:mm(whole:narrow(1, 1, 20))))
    assert.is_true(apart:mv(whole:select(2, 5):narrow(1, 1, 20)):equal(
      strided:mv(whole:select(2, 5):narrow(1, 1, 20):clone())))
    assert.is_true(same:mm(whole:t()):equal(same:clone():mm(whole:t())))
    assert.is_true(whole:mm(same:t()):equal(whole:mm(same:t():clone())))
  end)

  it("of few rows and a large matrix don't depend on how that lies", function()
    local b = pattern(2100, 1100, nl.float32, 3, 1)
    local turned = b:t():contiguous():t()
    for _, rows in ipairs {3, 6, 14} do
      local a, c = pattern(rows, 2100, nl.float32, 1, 2), nl.ones(rows, 1100)
      assert.is_true(a:mm(b):equal(a:mm(turned)))
      assert.is_true(nl.addmm(c, a, b, {alpha = 2, beta = 3}):equal(nl.addmm(c, a, turned, {alpha = 2, beta = 3})))
    end
  end)

  it("without terms are the addend, scaled", function()
    local c = pattern(2, 2003, nl.float32, 1, 2)
    assert.is_true(nl.addmm(c, nl.zeros(2, 0), nl.zeros(0, 2003), {beta = 3}):equal(c * 3))
    local whole = pattern(2, 3, nl.int64, 1, 2)
    local empty = nl.zeros(2, 0, {dtype = nl.int64})
    assert.is_true(nl.addmm(whole, empty, nl.zeros(0, 3, {dtype = nl.int64})):equal(whole))
  end)
end)
