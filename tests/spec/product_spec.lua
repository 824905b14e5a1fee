-- Products of matrices with larger sizes and strides than BLAS is given at once: in test builds 1,000 (kernels/gemm.c).
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
  {1, 5003, 1},
}

describe("products", function()
  for _, dtype in ipairs {nl.float32, nl.float64, nl.complex64, nl.complex128} do
    it("are right beyond BLAS's sizes and strides: " .. tostring(dtype), function()
      for _, shape in ipairs(shapes) do
        local m, k, n = table.unpack(shape)
        local a, b, c = pattern(m, k, dtype, 1, 2), pattern(k, n, dtype, 3, 1), pattern(m, n, dtype, 2, 5)
        local product
        if k < 10 then -- by the definition, without a product of matrices
          product = nl.zeros(m, n, {dtype = dtype})
          for i = 1, k do product = product + a:narrow(2, i, 1) * b:narrow(1, i, 1) end
        else
          product = (a:unsqueeze(3) * b:unsqueeze(1)):sum(2)
        end
        local scaled = product * 2 + c * 3
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

  it("without terms are the addend, scaled", function()
    local c = pattern(2, 2003, nl.float32, 1, 2)
    assert.is_true(nl.addmm(c, nl.zeros(2, 0), nl.zeros(0, 2003), {beta = 3}):equal(c * 3))
    local whole = pattern(2, 3, nl.int64, 1, 2)
    local empty = nl.zeros(2, 0, {dtype = nl.int64})
    assert.is_true(nl.addmm(whole, empty, nl.zeros(0, 3, {dtype = nl.int64})):equal(whole))
  end)
end)
