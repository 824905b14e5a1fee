-- Products of batches, and those whose operands lie where the result is written.
local nl = require "nnlua"
local tensors = require "support.tensors"

local assert_near = tensors.assert_near

--- beta x + alpha l r of nested tables, by the definition.
local function by_hand(x, l, r, beta, alpha)
  local y = {}
  for i = 1, #l do
    y[i] = {}
    for j = 1, #r[1] do
      local sum = 0
      for k = 1, #r do sum = sum + l[i][k] * r[k][j] end
      y[i][j] = beta * x[i][j] + alpha * sum
    end
  end
  return y
end

--- A 4x5 tensor of small whole numbers, which all dtypes hold, and three overlapping 3x3 parts of it.
local function parts(dtype)
  local whole = nl.tensor {{1, 2, 0, 1, 3}, {0, 1, 2, 1, 0}, {2, 0, 1, 3, 1}, {1, 1, 0, 2, 2}}:to(dtype)
  local function part(row, column) return whole:narrow(1, row, 3):narrow(2, column, 3) end
  return whole, part(1, 1), part(2, 2), part(1, 3)
end

--- What an in-place product of parts should give, and what it gives; the parts are named by their places.
local function check(dtype, x, l, r, run, product)
  local before = {parts(dtype)}
  local expected = by_hand(before[x]:double():tolist(), before[l]:double():tolist(), before[r]:double():tolist(), 2, 3)
  local now = {parts(dtype)}
  run(now[x], now[l], now[r], product)
  assert_near(expected, now[x]:double())
end

local DTYPES = {nl.float32, nl.float64, nl.float16, nl.int64, nl.int8}
local PLACES = {{2, 2, 2}, {2, 3, 4}, {2, 4, 3}, {3, 2, 4}, {3, 2, 2}, {4, 4, 2}}

describe("baddbmm", function()
  it("adds what broadcasts to each product of a batch", function()
    for _, batches in ipairs {1, 3, 9} do
      for _, size in ipairs {{2, 3, 4}, {5, 3, 1}, {1, 3, 5}, {33, 20, 40}, {4, 0, 2}} do
        local m, k, n = table.unpack(size)
        local l, r = nl.randn(batches, m, k), nl.randn(batches, k, n)
        for _, input in ipairs {nl.randn(batches, m, n), nl.randn(n), nl.randn(m, 1), nl.randn(batches, 1, n)} do
          local got = nl.baddbmm(input, l, r, {beta = 0.5, alpha = -2})
          for i = 1, batches do
            local expected = nl.mm(l[i], r[i]) * -2 + (input:expand(batches, m, n) * 0.5)[i]
            assert.is_true((got[i] - expected):abs():amax():item() < 1e-5)
          end
        end
        local none = nl.full({n}, 0 / 0)
        assert.is_true(nl.equal(nl.bmm(l, r), nl.baddbmm(none, l, r, {beta = 0})))
      end
    end
  end)
end)

describe("bmm", function()
  it("is the product of each, whatever their sizes", function()
    for _, sizes in ipairs {
      {5, 3, 4, 5}, {4, 60, 40, 30}, {5, 130, 90, 128}, {4, 200, 128, 100}, {6, 128, 128, 129}, {3, 200, 300, 64},
      {4, 60, 600, 90}, {4, 60, 30, 2100},
    } do
      local batches, m, k, n = table.unpack(sizes)
      local x, y = nl.randint(-4, 5, {batches, m, k}):float(), nl.randint(-4, 5, {batches, k, n}):float()
      local whole, turned = nl.bmm(x, y), nl.bmm(x, y:transpose(2, 3):contiguous():transpose(2, 3))
      for i = 1, batches do
        local sums = (x[i]:double()):mm(y[i]:double()):float() -- of whole numbers: exact
        assert.is_true(nl.equal(whole[i], sums))
        assert.is_true(nl.equal(turned[i], sums))
      end
    end
  end)
end)

describe("a product of halves", function()
  local SIZES = {
    {1, 700, 40}, {2, 130, 140}, {5, 300, 130}, {7, 1031, 35}, {12, 600, 70}, {16, 257, 100}, {17, 130, 130},
    {40, 1030, 17}, {130, 513, 65}, {150, 64, 300}, {200, 150, 1}, {300, 1, 100},
  }
  local LAYOUTS = {
    function(x) return x end,
    function(x) return x:t():contiguous():t() end,
    function(x) return nl.zeros(#x, x:size(2) + 3, {dtype = x.dtype}):narrow(2, 2, x:size(2)):copy_(x) end,
    function(x) return nl.zeros(x:size(2), #x + 3, {dtype = x.dtype}):narrow(2, 2, #x):copy_(x:t()):t() end,
  }

  it("is that in float32, rounded once, however they lie", function()
    for _, dtype in ipairs {nl.bfloat16, nl.float16} do
      for _, size in ipairs(SIZES) do
        local m, k, n = table.unpack(size)
        local x, y = nl.randint(-4, 5, {m, k}), nl.randint(-4, 5, {k, n}) -- sums are exact in float32
        local sums, added = x:double():mm(y:double()), nl.randint(-4, 5, {m, n})
        local l, r, z = x:to(dtype), y:to(dtype), added:to(dtype)
        local scaled = (sums * 0.5 + added * 2):to(dtype)
        for _, p in ipairs(LAYOUTS) do
          for _, q in ipairs(LAYOUTS) do
            assert.is_true(p(l):mm(q(r)):equal(sums:to(dtype)))
            assert.is_true(z:addmm(p(l), q(r), {beta = 2, alpha = 0.5}):equal(scaled))
          end
        end
      end
    end
  end)

  it("has infinities and nan where sums do", function()
    for _, dtype in ipairs {nl.bfloat16, nl.float16} do
      local x, y = nl.ones(20, 200, {dtype = dtype}), nl.ones(200, 130, {dtype = dtype})
      x[{3, 7}], y[{9, 5}], x[{20, 200}] = math.huge, -math.huge, 0 / 0
      local z = x:mm(y)
      assert.same({200, math.huge, -math.huge}, {z[{1, 1}]:item(), z[{3, 1}]:item(), z[{1, 5}]:item()})
      assert.is_true(z[{3, 5}]:isnan():item() and z[20]:isnan():all():item())
      assert.equal(131, z:isnan():sum():item())
    end
  end)
end)

describe("a product in place", function()
  it("reads operands before it overwrites them", function()
    for _, dtype in ipairs(DTYPES) do
      for _, place in ipairs(PLACES) do
        local x, l, r = table.unpack(place)
        check(dtype, x, l, r, function(a, b, c) a:addmm_(b, c, {beta = 2, alpha = 3}) end)
        check(dtype, x, l, r, function(a, b, c)
          a:unsqueeze(1):baddbmm_(b:unsqueeze(1), c:unsqueeze(1), {beta = 2, alpha = 3})
        end)
        check(dtype, x, l, r, function(a, b, c)
          a:addbmm_(b:unsqueeze(1), c:unsqueeze(1), {beta = 2, alpha = 3})
        end)
      end
    end
  end)

  it("reads itself turned around", function()
    for _, dtype in ipairs(DTYPES) do
      local m = nl.tensor {{1, 2}, {3, 4}}:to(dtype)
      m:addmm_(m:t(), m, {beta = 0})
      assert_near({{10, 14}, {14, 20}}, m:double())
      local n = nl.tensor {{1, 2}, {3, 4}}:to(dtype)
      n:t():addmm_(n, n)
      assert_near({{8, 17}, {13, 26}}, n:double())
    end
  end)

  it("reads vectors that it overwrites", function()
    for _, dtype in ipairs(DTYPES) do
      local m = nl.tensor {{1, 2}, {3, 4}}:to(dtype)
      m:addr_(m:select(1, 1), m:select(2, 2), {alpha = 2})
      assert_near({{1 + 2 * 1 * 2, 2 + 2 * 1 * 4}, {3 + 2 * 2 * 2, 4 + 2 * 2 * 4}}, m:double())
      local n = nl.tensor {{1, 2}, {3, 4}}:to(dtype)
      n:select(2, 1):addmv_(n, n:select(1, 2))
      assert_near({{1 + 1 * 3 + 2 * 4, 2}, {3 + 3 * 3 + 4 * 4, 4}}, n:double())
    end
  end)
end)
