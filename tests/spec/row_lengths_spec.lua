-- Rows of any length, of which kernels leave a part of a vector over: against the definitions, in Lua's numbers.
local nl = require "nnlua"
local F = nl.F
local testing = require "nnlua.testing"

local lengths = {100, 257, 2049}
for n = 1, 35 do lengths[#lengths + 1] = n end

local function sum(row, f)
  local total = 0.0
  for i = 1, #row do total = total + f(row[i], i) end
  return total
end

local function same(x) return x end

local function near(expected, got, what, tolerance)
  local size = math.max(1, math.abs(expected))
  if math.abs(expected - got) <= (tolerance or 2e-6) * size or expected == got then return end
  error(string.format("%s: %.9g expected, got %.9g", what, expected, got), 2)
end

--- Calls check(row, r, name) for three rows of each length, which are views with a gap and dense ones in turn; short
--- rows are 83, for many of them are taken together.
local function each_row(make, check)
  for _, dtype in ipairs {nl.float32, nl.float64} do
    for _, n in ipairs(lengths) do
      local count = n <= 24 and 83 or 5
      local wide = nl.randn(count, n + 1, {dtype = dtype}) * 2 + 3
      for _, x in ipairs {wide[{{}, {1, n}}], wide[{{}, {2, n + 1}}]:contiguous()} do
        local results, rows = make(x), x:tolist()
        for r = 1, count do check(rows[r], r, results, string.format("%s, %d elements", dtype, n)) end
      end
    end
  end
end

describe("rows of any length", function()
  before_each(function() nl.manual_seed(0) end)

  it("have right sums, means, norms and moments", function()
    each_row(function(x)
      return {sum = x:sum(-1):tolist(), mean = x:mean(-1):tolist(), abs = x:norm(1, -1):tolist(),
        norm = x:norm(2, -1):tolist(), var = x:var(-1, {correction = 0}):tolist(),
        std = x:std(-1, {correction = 0}):tolist(), columns = x:t():var(1, {correction = 0}):tolist()}
    end, function(row, r, got, what)
      local n, total = #row, sum(row, same)
      local mean = total / n
      local var = sum(row, function(x) return (x - mean) ^ 2 end) / n
      near(total, got.sum[r], "sum, " .. what)
      near(mean, got.mean[r], "mean, " .. what)
      near(sum(row, math.abs), got.abs[r], "norm 1, " .. what)
      near(math.sqrt(sum(row, function(x) return x * x end)), got.norm[r], "norm 2, " .. what)
      near(var, got.var[r], "var, " .. what)
      near(math.sqrt(var), got.std[r], "std, " .. what)
      near(var, got.columns[r], "var of columns, " .. what)
    end)
  end)

  it("have right products, which may leave the range of floats on the way", function()
    each_row(function(x)
      local factors = 1 - (x - 3) / 32
      return {products = factors:prod(-1):tolist(), factors = factors:tolist()}
    end, function(_, r, got, what)
      local product = 1.0
      for _, factor in ipairs(got.factors[r]) do product = product * factor end
      near(1, got.products[r] / product, "prod, " .. what)
    end)
    local ones = nl.cat {nl.full({7}, 1e30), nl.full({7}, 1e-30), nl.full({33}, -1.0)}
    near(-1, ones:prod():item(), "products beyond floats")
  end)

  it("have right spreads however large, small or far apart their elements are", function()
    local n, noise = 300, nl.randn(300, {dtype = nl.float64})
    local rows = {
      huge = noise * 1e25, tiny = noise * 1e-25, far = noise + 3e5, constant = nl.full({n}, 0.1),
      steps = nl.cat {nl.full({150}, -1e3), nl.full({150}, 1e3)} + noise,
      mixed = nl.cat {noise[{{1, 150}}], noise[{{151, n}}] * 1e-30},
      first_ones_apart = nl.cat {nl.full({n - 30}, 1e4), nl.zeros(30)} + noise * 1e-2,
      first_one_apart = nl.cat {nl.tensor {1e4}, noise[{{2, n}}]:float()},
    }
    for name, values in pairs(rows) do
      local x = values:float()
      local row = x:tolist()
      local mean = sum(row, same) / n
      local var = sum(row, function(v) return (v - mean) ^ 2 end) / n
      local square = math.sqrt(sum(row, function(v) return v * v end) / n)
      local tolerance = name == "far" and 2e-2 or 2e-6 -- what the mean, rounded, may be wrong by
      if name ~= "constant" then near(1, x:std({correction = 0}):item() / math.sqrt(var), "std, " .. name) end
      near(square * math.sqrt(n) / 1e25, x:norm():item() / 1e25, "norm, " .. name)
      local y = F.layer_norm(x, {n}, nil, nil, name == "constant" and 1 or 0):tolist()
      local z = F.rms_norm(x, {n}, nil, 0):tolist()
      for i = 1, n do
        near((row[i] - mean) / (name == "constant" and 1 or math.sqrt(var)), y[i], "layer_norm, " .. name, tolerance)
        near(row[i] / square, z[i], "rms_norm, " .. name)
      end
    end
    for _, odd in ipairs {0 / 0, math.huge} do
      local x = nl.randn(n)
      x[200] = odd
      assert.is_true(F.layer_norm(x, {n}):isnan():all():item())
      assert.is_true(x:var():isnan():item())
    end
  end)

  it("have right extremes", function()
    each_row(function(x)
      return {max = x:amax(-1):tolist(), min = x:amin(-1):tolist(), at = x:argmax(-1):tolist(),
        low = x:argmin(-1):tolist(), size = x:norm(math.huge, -1):tolist()}
    end, function(row, r, got, what)
      local at, low, size = 1, 1, 0
      for i = 1, #row do
        if row[i] > row[at] then at = i end
        if row[i] < row[low] then low = i end
        size = math.max(size, math.abs(row[i]))
      end
      assert.equal(row[at], got.max[r], what)
      assert.equal(row[low], got.min[r], what)
      assert.equal(at, got.at[r], what)
      assert.equal(low, got.low[r], what)
      assert.equal(size, got.size[r], what)
    end)
  end)

  it("find nan wherever it is", function()
    for n = 1, 40 do
      for at = 1, n do
        local x = nl.zeros(n)
        x[at] = 0 / 0
        assert.equal(at, x:argmax():item())
        assert.equal(at, x:argmin():item())
        assert.is_true(x:amax():item() ~= x:amax():item())
        assert.is_true(nl.softmax(x, 1):isnan():all():item())
        assert.is_true(x:logsumexp(1):isnan():item())
      end
    end
  end)

  it("have right softmaxes, also as columns", function()
    each_row(function(x)
      return {softmax = nl.softmax(x, -1):tolist(), log = nl.log_softmax(x, -1):tolist(),
        lse = x:logsumexp(-1):tolist(), columns = nl.softmax(x:t(), 1):t():tolist(),
        log_columns = nl.log_softmax(x:t():contiguous(), 1):t():tolist(),
        lse_columns = x:t():contiguous():logsumexp(1):tolist()}
    end, function(row, r, got, what)
      local max = math.max(table.unpack(row))
      local lse = max + math.log(sum(row, function(x) return math.exp(x - max) end))
      near(lse, got.lse[r], "logsumexp, " .. what)
      near(lse, got.lse_columns[r], "logsumexp of columns, " .. what)
      for i = 1, #row do
        near(math.exp(row[i] - lse), got.softmax[r][i], "softmax, " .. what)
        near(math.exp(row[i] - lse), got.columns[r][i], "softmax of columns, " .. what)
        near(row[i] - lse, got.log[r][i], "log_softmax, " .. what)
        near(row[i] - lse, got.log_columns[r][i], "log_softmax of columns, " .. what)
      end
    end)
  end)

  it("have the gradients of softmaxes that columns have", function()
    for n = 1, 24 do
      local x, dy = nl.randn(83, n, {requires_grad = true}), nl.randn(83, n)
      for _, name in ipairs {"softmax", "log_softmax", "logsumexp"} do
        local f, d = nl[name], name == "logsumexp" and dy[{{}, 1}] or dy
        local along = nl.autograd.grad(f(x, 2), x, d)
        local across = nl.autograd.grad(f(x:t():contiguous(), 1), x, name == "logsumexp" and d or d:t())
        testing.assert_close(along, across)
      end
    end
  end)

  it("add up powers over several dimensions", function()
    local x = nl.randn(3, 4, 5, {dtype = nl.float64})
    local all = x:exp()
    for _, dims in ipairs {{1}, {2}, {3}, {1, 2}, {2, 3}, {1, 3}, {1, 2, 3}} do
      testing.assert_close(x:logsumexp(dims), all:sum(dims):log())
      testing.assert_close(x:logsumexp(dims, true), all:sum(dims, true):log())
    end
    assert.equal(-math.huge, nl.full({5}, -math.huge):logsumexp(1):item())
    assert.equal(math.huge, nl.tensor({1.0, math.huge}):logsumexp(1):item())
    assert.equal(-math.huge, nl.full({5, 20}, -math.huge):logsumexp(1)[7]:item())
  end)

  it("are normalized", function()
    each_row(function(x)
      local n = x.shape[2]
      local w, b = nl.arange(1, n + 1, {dtype = x.dtype}) / n, nl.arange(0, n, {dtype = x.dtype}) / n
      return {layer = F.layer_norm(x, {n}, w, b):tolist(), rms = F.rms_norm(x, {n}, w, 1e-6):tolist()}
    end, function(row, r, got, what)
      local n = #row
      local mean = sum(row, same) / n
      local var = sum(row, function(x) return (x - mean) ^ 2 end) / n
      local square = sum(row, function(x) return x * x end) / n
      for i = 1, n do
        local w, b = i / n, (i - 1) / n
        near((row[i] - mean) / math.sqrt(var + 1e-5) * w + b, got.layer[r][i], "layer_norm, " .. what, 2e-5)
        near(row[i] / math.sqrt(square + 1e-6) * w, got.rms[r][i], "rms_norm, " .. what)
      end
    end)
  end)

  it("have the gradients of norms that finite differences give", function()
    for _, n in ipairs {1, 3, 5, 8, 17} do
      local x = nl.randn(6, n, {dtype = nl.float64, requires_grad = true})
      local w = nl.randn(n, {dtype = nl.float64, requires_grad = true})
      local b = nl.randn(n, {dtype = nl.float64, requires_grad = true})
      assert.is_true(nl.autograd.gradcheck(function(p, q, r) return F.layer_norm(p, {n}, q, r) end, {x, w, b}))
      local function rms_norm(p, q) return F.rms_norm(p, {n}, q, 1e-3) end
      assert.is_true(nl.autograd.gradcheck(rms_norm, {x, w}))
      assert.is_true(nl.autograd.gradgradcheck(rms_norm, {x, w}))
    end
  end)
end)

describe("an op made of others, in place,", function()
  it("gives what it gives elsewhere", function()
    local x = nl.tensor {-2.5, -0.5, 0.0, 0.5, 1.5, 0 / 0, math.huge}
    local low, high = nl.full({7}, -1.0), nl.full({7}, 1.0)
    for _, call in ipairs {
      {"clamp", -1, 1}, {"clamp", -1}, {"clamp_min", 0.5}, {"clamp_max", 0.5}, {"clamp", low, high}, {"clamp", low},
      {"clamp_min", low}, {"clamp_max", high}, {"square"}, {"nan_to_num"}, {"round"}, {"round", {decimals = 1}},
      {"remainder", 2}, {"fmod", 2}, {"floor_divide", 2}, {"div", 2, {rounding_mode = "trunc"}}, {"heaviside", high},
      {"logit", 0.1}, {"ldexp", high},
    } do
      local name, arguments = call[1], table.pack(table.unpack(call, 2))
      local y = x:clone()
      assert.is_true(rawequal(y, y[name .. "_"](y, table.unpack(arguments))))
      assert.is_true(nl.equal(x[name](x, table.unpack(arguments)):nan_to_num(), y:nan_to_num()), name)
    end
  end)

  it("is refused where the result doesn't fit, and nothing has changed", function()
    local x = nl.tensor {1, 2, 3}
    assert.has_error(function() x:clamp_(nl.tensor {1.5}, nl.tensor {2.5}) end)
    assert.has_error(function() x:floor_divide_(1.5) end)
    assert.same({1, 2, 3}, x:tolist())
  end)

  it("goes on being differentiated", function()
    local x = nl.tensor({-2.0, 0.5, 3.0}, {requires_grad = true})
    local y = x * 2
    y:clamp_(-1, 2)
    y:square_()
    y:sum():backward()
    assert.same({0, 4, 0}, x.grad:tolist())
  end)
end)
