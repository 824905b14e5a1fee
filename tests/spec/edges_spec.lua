-- What ops and their gradients give at nan, at infinities, at bounds and where operands are equal. Where nothing else
-- is said, the values are PyTorch 2.15's on inputs of a few elements.
local nl = require "nnlua"
local F = nl.F
local nan, inf = 0 / 0, math.huge

local function text(t)
  local list = nl.is_tensor(t) and t:detach():double():reshape({-1}):tolist() or t
  local parts = {}
  for i, n in ipairs(list) do parts[i] = n ~= n and "nan" or ("%.6g"):format(n == 0 and 0 or n) end
  return table.concat(parts, " ")
end

local function leaf(values, dtype) return nl.tensor(values, {dtype = dtype or nl.float64, requires_grad = true}) end

--- Checks values, and gradients of their sum: those of kernels and those that create_graph computes.
local function check(f, inputs, values, ...)
  for _, dtype in ipairs {nl.float64, nl.float32} do
    local leaves, wanted = {}, {...}
    for i, list in ipairs(inputs) do leaves[i] = leaf(list, dtype) end
    local y = f(table.unpack(leaves))
    if values then assert.equal(text(values), text(y)) end
    for _, graph in ipairs {false, true} do
      local g = nl.autograd.grad(y:sum(), leaves, {retain_graph = true, create_graph = graph, as_table = true})
      for i, want in ipairs(wanted) do assert.equal(text(want), text(g[i])) end
    end
  end
end

--- The second derivative of f at each number.
local function second(f, values)
  local x = leaf(values)
  local first = nl.autograd.grad(f(x):sum(), x, {create_graph = true})
  return (nl.autograd.grad(first:sum(), x))
end

local function fails(message, f, ...)
  local ok, found = pcall(f, ...)
  assert.is_false(ok)
  assert.truthy(tostring(found):find(message, 1, true), found)
end

describe("activations at bounds and nan", function()
  local function has(name, f, inputs, values, gradient)
    it(name, function() check(f, {inputs}, values, gradient) end)
  end
  has("relu", nl.relu, {nan, -1, 0, 1, inf}, {nan, 0, 0, 1, inf}, {1, 0, 0, 1, 1})
  has("relu6", F.relu6, {nan, 0, 3, 6, 7}, {nan, 0, 3, 6, 6}, {1, 0, 1, 0, 0})
  has("hardtanh", F.hardtanh, {nan, -1, 0, 1, inf}, {nan, -1, 0, 1, 1}, {1, 0, 1, 0, 0})
  has("elu", F.elu, {nan, -inf, 0, 2, inf}, {nan, -1, 0, 2, inf}, {1, 0, 1, 1, 1})
  has("elu with alpha", function(x) return F.elu(x, 0.5) end, {nan, -inf, 0, 2}, {nan, -0.5, 0, 2}, {1, 0, 0.5, 1})
  has("celu", function(x) return F.celu(x, 0.5) end, {nan, -inf, 0, 2}, {nan, -0.5, 0, 2}, {1, 0, 1, 1})
  has("selu", F.selu, {nan, -inf, 0, 1}, {nan, -1.75809934, 0, 1.05070099}, {1.05070099, 0, 1.75809934, 1.05070099})
  has("hardswish", F.hardswish, {nan, -3, 0, 3, 4}, {nan, 0, 0, 3, 4}, {1, 0, 0.5, 1, 1})
  has("hardsigmoid", F.hardsigmoid, {nan, -3, 0, 3}, {nan, 0, 0.5, 1}, {0, 0, 1 / 6, 0})
  has("hardshrink", F.hardshrink, {nan, -0.5, 0, 0.5, 1}, {nan, 0, 0, 0, 1}, {1, 0, 0, 0, 1})
  has("softshrink", F.softshrink, {nan, -0.5, 0, 0.5, 1}, {nan, 0, 0, 0, 0.5}, {1, 0, 0, 0, 1})
  has("threshold", function(x) return F.threshold(x, 1, 20) end, {nan, 1, 2}, {nan, 20, 2}, {1, 0, 1})
  has("leaky_relu", function(x) return F.leaky_relu(x, 0.1) end, {nan, 0, 1}, {nan, 0, 1}, {0.1, 0.1, 1})

  it("have second derivatives where e^x alone overflows", function()
    for _, f in ipairs {F.elu, F.celu, F.selu} do assert.equal("0 0", text(second(f, {inf, 1e10}))) end
    assert.equal("0 0", text(second(F.hardswish, {-3, 3})))
  end)
end)

describe("clamp", function()
  it("has no gradient at its bounds and at nan, if they are numbers", function()
    check(function(x) return x:clamp(0, 6) end, {{nan, -1, 0, 3, 6, 7}}, {nan, 0, 0, 3, 6, 6}, {0, 0, 0, 1, 0, 0})
    check(function(x) return x:clamp {min = 0} end, {{nan, -1, 0, inf}}, {nan, 0, 0, inf}, {0, 0, 0, 1})
    check(function(x) return x:clamp {max = 0} end, {{nan, -inf, 0, 1}}, {nan, -inf, 0, 0}, {0, 1, 0, 0})
    check(function(x) return x:clamp_min(0) end, {{nan, -1, 0, 1}}, {nan, 0, 0, 1}, {0, 0, 0, 1})
    check(function(x) return x:clamp_max(0) end, {{nan, -1, 0, 1}}, {nan, -1, 0, 0}, {0, 1, 0, 0})
    check(function(x) return x:clamp(nan, 1) end, {{-1, 0, 2}}, {nan, nan, nan}, {0, 0, 0})
    check(function(x) return x:clamp(1, -1) end, {{-2, 0, 2}}, {-1, -1, -1}, {0, 0, 0})
  end)

  it("shares the gradient with a tensor's bound that is equal", function()
    local x, bound = {nan, 0, 1, 2}, {1, 1, 1, 1}
    check(nl.clamp_min, {x, bound}, {nan, 1, 1, 2}, {1, 0, 0.5, 1}, {1, 1, 0.5, 0})
    check(nl.clamp_max, {x, bound}, {nan, 0, 1, 1}, {1, 1, 0.5, 0}, {1, 0, 0.5, 1})
    check(function(a, min) return a:clamp {min = min} end, {x, bound}, {nan, 1, 1, 2}, {1, 0, 0.5, 1}, {1, 1, 0.5, 0})
    check(nl.clamp, {{0, 1, 2, 1, 0, 2, nan}, {1, 1, 0, 1, 2, nan, 2}, {2, 2, 2, 1, 1, 1, 0}},
      {1, 1, 2, 1, 1, nan, nan}, {0, 0.5, 0.5, 1, 0, 0, 1}, {1, 0.5, 0, 0, 0, 0, 0}, {0, 0, 0.5, 0, 1, 0, 1})
  end)

  it("keeps the dtype and takes bounds of another kind", function()
    assert.equal("1 3", text(nl.tensor({0, 3}):clamp_min(1)))
    assert.equal("0.5 3", text(nl.tensor({0, 3}):clamp_min(0.5)))
    assert.equal(nl.int64, nl.tensor({0, 3}):clamp_max(1).dtype)
    assert.equal("0 1", text(nl.tensor({0, 3}):clamp_max_(1)))
  end)
end)

describe("the larger and the smaller one", function()
  it("share the gradient of equals", function()
    local a, b = {nan, 0, 1, 1, nan, inf}, {0, nan, 1, 2, nan, inf}
    check(nl.fmax, {a, b}, {0, 0, 1, 2, nan, inf}, {0, 1, 0.5, 0, 1, 0.5}, {1, 0, 0.5, 1, 0, 0.5})
    check(nl.fmin, {a, b}, {0, 0, 1, 1, nan, inf}, {0, 1, 0.5, 1, 1, 0.5}, {1, 0, 0.5, 0, 0, 0.5})
    check(nl.maximum, {a, b}, {nan, nan, 1, 2, nan, inf}, {1, 1, 0.5, 0, 1, 0.5}, {1, 1, 0.5, 1, 1, 0.5})
  end)

  it("share it among as many halves as there are", function()
    for _, f in ipairs {nl.max, nl.min, nl.amax, nl.amin, nl.median} do
      local x = nl.ones(70000):half():requires_grad_()
      f(x):backward()
      assert.equal("1", ("%.2g"):format(x.grad:double():sum():item()))
    end
  end)
end)

describe("functions at their corners", function()
  it("have the right values and gradients", function()
    check(nl.atan2, {{0, 0, 1}, {0, 1, 0}}, {0, 0, math.pi / 2}, {0, 1, 0}, {0, 0, -1})
    check(nl.nextafter, {{1, 1}, {1, inf}}, nil, {0, 1}, {0, 0})
    check(nl.sgn, {{nan, -2, 0}}, {0, -1, 0}, {0, 0, 0})
    check(function(x) return x ^ 0 end, {{nan, 0, 2}}, {1, 1, 1}, {0, 0, 0})
    check(nl.xlogy, {{1, 0, 2}, {-0.0, 0.5, 1}}, {-inf, 0, 0}, {-inf, -0.69314718, 0}, {-inf, 0, 2})
  end)

  it("have second derivatives there", function()
    assert.equal("0 0 0", text(second(function(x) return x ^ 0 end, {nan, 0, 2})))
    assert.equal("0 0 0", text(second(nl.sgn, {nan, 0, 2})))
    assert.equal("0 0", text(second(nl.abs, {nan, 0})))
  end)

  it("sinc is smooth at 0", function() -- its series: 1 - (pi x)^2 / 6 + (pi x)^4 / 120 ...
    local x = leaf {0, 1e-6, 0.1, -0.2499, 0.2501, 1}
    local first = nl.autograd.grad(nl.sinc(x):sum(), x, {create_graph = true})
    local next_one = nl.autograd.grad(first:sum(), x, {create_graph = true})
    local third = nl.autograd.grad(next_one:sum(), x)
    for i, v in ipairs(x:tolist()) do
      local p = math.pi
      local wanted = {-p ^ 2 * v / 3, -p ^ 2 / 3, 0}
      if v ~= 0 then
        wanted[1] = v ^ 2 < 1e-9 and wanted[1] or (math.cos(p * v) - math.sin(p * v) / (p * v)) / v
        if v ^ 2 > 1e-9 then
          wanted[2] = -p * math.sin(p * v) / v - 2 * wanted[1] / v
          wanted[3] = -p ^ 2 * math.cos(p * v) / v + p * math.sin(p * v) / v ^ 2 - 2 * wanted[2] / v
            + 2 * wanted[1] / v ^ 2
        end
      end
      assert.near(wanted[1], first[i]:item(), 1e-12)
      assert.near(wanted[2], next_one[i]:item(), 1e-11)
      if v ~= 1e-6 then assert.near(wanted[3], third[i]:item(), 1e-10) end
    end
  end)

  it("complex 0 ^ 0 is 1", function()
    local zero = nl.tensor({nl.complex(0, 0)})
    assert.equal("1", text(nl.real(zero ^ 0)))
    assert.equal("0", text(nl.imag(zero ^ 0)))
    assert.equal("1", text(nl.real(nl.pow(zero:to(nl.complex64), nl.zeros(1)))))
  end)
end)

describe("losses at corners", function()
  local none = {reduction = "none"}

  it("of differences pass nan on to their gradients", function()
    local a, b = {nan, 0, 2, 1}, {0, 0, 0, 0}
    check(function(x, y) return F.smooth_l1_loss(x, y, none) end, {a, b}, {nan, 0, 1.5, 0.5}, {nan, 0, 1, 1},
      {nan, 0, -1, -1})
    check(function(x, y) return F.huber_loss(x, y, none) end, {a, b}, {nan, 0, 1.5, 0.5}, {nan, 0, 1, 1},
      {nan, 0, -1, -1})
  end)

  it("have no gradient where a margin is just met", function()
    check(function(x) return F.multi_margin_loss(x, nl.tensor {1}) end, {{{1, 0}}}, {0}, {0, 0})
    check(function(x) return F.hinge_embedding_loss(x, nl.full_like(x, -1), none) end, {{1}}, {0}, {0})
    check(function(x) return F.margin_ranking_loss(x, x:detach(), nl.ones_like(x), none) end, {{1}}, {0}, {0})
    check(function(x) return F.multilabel_margin_loss(x, nl.tensor {1, -1}) end, {{1, 0}}, {0}, {0, 0})
  end)

  it("of a variance that is infinite or below eps", function()
    check(function(x, var) return F.gaussian_nll_loss(x, nl.ones_like(x), var, none) end, {{0, 1}, {inf, 0}},
      {inf, 0.5 * math.log(1e-6)}, {0, 0}, {0, 5e5})
  end)

  it("binary_cross_entropy refuses what is no probability", function()
    local half = nl.full({1}, 0.5)
    for _, wrong in ipairs {-0.1, 1.5, nan, inf} do
      fails("binary_cross_entropy: the input", F.binary_cross_entropy, nl.tensor {wrong}, half)
      fails("binary_cross_entropy: target", F.binary_cross_entropy, half, nl.tensor {wrong})
    end
    assert.equal("0 0", text(F.binary_cross_entropy(nl.tensor {0.0, 1}, nl.tensor {0.0, 1}, none)))
  end)
end)

describe("powers of integers", function()
  it("refuse a negative number", function()
    for _, dtype in ipairs {nl.int64, nl.uint8, nl.int8} do
      local x = nl.tensor({1, 2}, {dtype = dtype})
      fails("pow: integers to the negative power -1", nl.pow, x, -1)
      fails("pow: integers to the negative power -2", function() return x ^ -2 end)
      fails("pow", x.pow_, x, -1)
      assert.equal("1 2", text(x))
    end
    assert.equal("1 0.5", text(nl.tensor({1, 2}) ^ -1.0))
    assert.equal("1 4", text(nl.pow(nl.tensor {1, 2}, nl.tensor {-1, 2})))
  end)
end)

describe("distances and norms", function()
  it("give every largest difference the whole gradient", function()
    check(function(x) return nl.cdist(x, nl.zeros_like(x), inf) end, {{{3, -3}}}, {3}, {1, -1})
  end)

  it("have second derivatives where coordinates are equal", function()
    -- Of d = (a^p + b^p)^(1 / p) at b = 0: d is a there, and its second derivatives are 0.
    for _, p in ipairs {2.5, 3, 4} do
      assert.equal("0 0", text(second(function(x) return nl.cdist(x, nl.zeros_like(x), p) end, {{2, 0}})))
    end
  end)

  it("of nan have no gradient in the maximum norm", function()
    check(function(x) return nl.norm(x, inf) end, {{nan, 1}}, {nan}, {0, 0})
  end)

  it("of halves don't overflow on the way", function()
    local x = nl.tensor({300.0, 400}, {dtype = nl.float16, requires_grad = true})
    local y = nl.norm(x, 3)
    assert.near((300 ^ 3 + 400 ^ 3) ^ (1 / 3), y:item(), 0.25)
    y:backward()
    assert.near((300 / 449.8) ^ 2, x.grad[1]:item(), 1e-3)
  end)
end)

describe("moments", function()
  it("are about the mean as it is, not as the dtype rounds it", function()
    local x = leaf({{16777216, 16777218}, {33554432, 33554436}}, nl.float32)
    local y = x:var(2)
    assert.equal("2 8", text(y))
    y:sum():backward()
    assert.equal("-2 2 -4 4", text(x.grad))
    assert.equal("2", text(nl.cov(x[1])))
  end)

  it("take a correction that is no whole number", function()
    local x = nl.tensor {1.0, 2, 3, 6}
    assert.near(14 / 2.5, x:var({correction = 1.5}):item(), 1e-6)
    assert.near(math.sqrt(14 / 3.5), nl.std(x, {dim = 1, correction = 0.5}):item(), 1e-6)
    assert.near(14 / 2.5, nl.var_mean(x, {correction = 1.5}):item(), 1e-6)
    assert.near(math.sqrt(14 / 2.5), nl.std_mean(x, {correction = 1.5}):item(), 1e-6)
  end)

  it("mode counts nan as one value", function()
    assert.equal("nan", text({(nl.mode(nl.tensor {nan, 1, 2, nan})):item()}))
  end)
end)

describe("arguments that PyTorch takes as well", function()
  it("any and all over several dimensions", function()
    local x = nl.tensor {{{0, 0}, {0, 1}}, {{0, 0}, {0, 0}}}
    assert.equal("1 0", text(x:any({2, 3}):long()))
    assert.same({1, 1, 2}, {table.unpack(x:any({1, 2}, true).shape)})
    assert.equal("0", text({x:all():long():item()}))
    assert.equal("0 0", text(x:all({1, 3}):long()))
  end)

  it("int32 positions", function()
    local x, index = nl.tensor {1.0, 2, 3}, nl.tensor({3, 1}, {dtype = nl.int32})
    assert.equal("3 1", text(x:gather(1, index)))
    assert.equal("9 2 9", text(x:scatter(1, index, 9)))
    assert.equal("5 2 4", text(x:scatter(1, index, nl.tensor {4.0, 5})))
    assert.equal("3 1", text(x[index]))
    fails("take_along_dim: indices must be int64", nl.take_along_dim, x, index, 1)
  end)

  it("linear with a vector", function()
    local x, w, b = {{1, 2}, {3, 4}}, {10, 20}, 0.5
    check(function(a, v) return F.linear(a, v) end, {x, w}, {50, 110}, {10, 20, 10, 20}, {4, 6})
    check(function(a, v, c) return F.linear(a, v, c) end, {x, w, b}, {50.5, 110.5}, {10, 20, 10, 20}, {4, 6}, {2})
    assert.equal("50", text({F.linear(nl.tensor {1.0, 2}, nl.tensor {10.0, 20}):item()}))
    fails("linear: bias has shape (2)", F.linear, nl.ones(3, 2), nl.ones(2), nl.ones(2))
  end)
end)

describe("attention without keys", function()
  local mask = nl.tensor {{true, true}, {false, false}}

  it("gives zeros, and finite gradients", function()
    local q, k, v = {{1, 0}, {2, 1}}, {{1, 0}, {2, 1}}, {{1, 2}, {3, 4}}
    local function f(a, b, c) return F.scaled_dot_product_attention(a, b, c, mask) end
    for _, graph in ipairs {false, true} do
      local leaves = {leaf(q), leaf(k), leaf(v)}
      local y = f(table.unpack(leaves))
      assert.equal("0 0", text(y[2]))
      local g = nl.autograd.grad(y:sum(), leaves, {create_graph = graph, as_table = true})
      for i = 1, 3 do assert.is_true(g[i]:isfinite():all():item()) end
      assert.equal("0 0", text(g[1][2]))
      local w = 1 / (1 + math.exp(1 / math.sqrt(2))) -- of the first key, whose product with the query is less by 1
      assert.near(w, g[3][1][1]:item(), 1e-12)
    end
    assert.is_true(nl.autograd.gradcheck(f, {leaf(q), leaf(k), leaf(v)}))
    assert.is_true(nl.autograd.gradgradcheck(f, {leaf(q), leaf(k), leaf(v)}))
  end)

  it("in a module beside a padded sequence, with weights and without", function()
    nl.manual_seed(0)
    local att, x = nl.nn.MultiheadAttention(2, 1), nl.rand(3, 2, 2)
    local padding = nl.tensor {{false, false, false}, {true, true, true}}
    for _, need in ipairs {true, false} do
      att:zero_grad()
      local out, weights = att(x, x, x, {key_padding_mask = padding, need_weights = need})
      assert.is_true(out:isfinite():all():item())
      if need then assert.equal(text(nl.zeros(9)), text(weights[2])) end
      out[{{}, 1}]:sum():backward()
      assert.is_true(att.in_proj_weight.grad:isfinite():all():item())
    end
  end)
end)

describe("repeats", function()
  it("are copies, always", function()
    for _, name in ipairs {"rep", "repeat", "tile"} do
      for _, times in ipairs {{1, 1}, {2, 1, 1}, {1, 1, 1}, {2, 1}, {3, 2}} do
        local x = nl.ones(3, 2)
        local y = x[name](x, table.unpack(times))
        assert.are_not.equal(x:data_ptr(), y:data_ptr())
        y:add_(1)
        assert.equal("1 1 1 1 1 1", text(x))
        assert.equal(2, y:min():item())
      end
      local v = nl.ones(2)
      assert.equal("2 2 2 2", text(v[name](v, 2, 1):add_(1)))
    end
  end)
end)

describe("a tensor that repeats elements", function()
  it("takes one value", function()
    assert.equal("2 2 2", text(nl.ones(1):expand(3):fill_(2)))
    assert.equal("2 2 2", text(nl.ones(1):expand(3):fill_(nl.tensor(2.0))))
    assert.equal("0 0 0", text(nl.ones(1):expand(3):zero_()))
    assert.equal("5 5 5", text(nl.ones(1):expand(3):masked_fill_(nl.tensor {true, false, false}, 5)))
    assert.equal("1 1 5 5", text(nl.ones(2, 1):expand(2, 2):masked_fill_(nl.tensor {{false, false}, {false, true}}, 5)))
    assert.equal("5 5 5", text(nl.ones(1):expand(3):index_fill_(1, nl.tensor {1}, 5)))
    local x = nl.ones(1):expand(3)
    x[2] = 7
    assert.equal("7 7 7", text(x))
  end)

  it("refuses several", function()
    fails("share a place in memory", function() nl.ones(1):expand(3):add_(1) end)
    fails("share a place in memory", function() nl.ones(1):expand(3):copy_(nl.tensor {1.0, 2, 3}) end)
    fails("share a place in memory", function() (leaf {1} * 1):expand(3):fill_(2) end)
  end)
end)

describe("operands that share memory with what is written", function()
  it("are read before", function()
    local c = nl.arange(0, 8)
    c[{{2, 8}}]:sub_(c[{{1, 7}}])
    assert.equal("0 1 1 1 1 1 1 1", text(c))
    c = nl.arange(0, 8)
    c[{{1, 7}}]:sub_(c[{{2, 8}}])
    assert.equal("-1 -1 -1 -1 -1 -1 -1 7", text(c))
    local b = nl.tensor {{1.0, 2}, {3, 4}}
    b:div_(b[{{1, 1}}])
    assert.equal("1 1 3 2", text(b))
    local x = nl.tensor {{0.0, 1}, {2, 3}}
    x:add_(x:t())
    assert.equal("0 3 3 6", text(x))
    local m = nl.tensor {1.0, 2, 3, 4}
    m:mul_(m[1])
    m[{{2, 4}}]:copy_(m[{{1, 3}}])
    assert.equal("1 1 2 3", text(m))
    m:addcmul_(m:flip(1), m[4])
    assert.equal("10 7 5 6", text(m))
    m[{{2, 4}}]:lerp_(m[{{1, 3}}], 1)
    assert.equal("10 10 7 5", text(m))
    m[{{2, 4}}]:masked_fill_(m[{{1, 3}}]:gt(8), m[4])
    assert.equal("10 5 5 5", text(m))
  end)
end)

describe("halves", function()
  local ones = nl.ones(70000):half() -- their sum is over 65504, the largest half

  it("hold means and logarithms of sums that they can't hold", function()
    local places = nl.ones(70000):long()
    assert.equal("1", text({nl.nanmean(ones):item()}))
    assert.equal("1", text({ones:mean():item()}))
    assert.near(1 + math.log(70000), ones:logsumexp(1):item(), 0.01)
    assert.near(1, nl.zeros(1):half():scatter_reduce(1, places, ones, "mean"):item(), 1e-3)
    assert.near(1, nl.zeros(1):half():index_reduce(1, places, ones, "mean"):item(), 1e-3)
    local logits = nl.zeros(70000, 2):half()
    assert.near(math.log(2), F.cross_entropy(logits, places, {label_smoothing = 0.1}):item(), 1e-3)
    assert.near(math.log(2), F.cross_entropy(logits, nl.full_like(logits, 0.5)):item(), 1e-3)
    assert.near(math.log(0.5), F.kl_div(ones, nl.full_like(ones, 0.5), {reduction = "batchmean"}):item() * 2 + 1, 1e-3)
  end)

  it("share a gradient among as many as there are", function()
    local places = nl.ones(70000):long()
    for _, how in ipairs {"mean", "amax"} do
      local x = ones:clone():requires_grad_()
      nl.zeros(1):half():scatter_reduce(1, places, x, how, {include_self = false}):sum():backward()
      assert.equal("1", ("%.2g"):format(x.grad:double():sum():item()))
    end
  end)

  it("take powers of two that they can't hold", function()
    local y = nl.tensor({1e-5}, {dtype = nl.float16}):ldexp(nl.tensor {20})
    assert.equal(nl.float16, y.dtype)
    assert.equal("10.5", text(y))
    assert.equal(nl.float16, nl.ldexp(nl.tensor {3}, nl.tensor({2}, {dtype = nl.float16})).dtype)
  end)

  it("have covariances and cosines of large numbers", function()
    local x = nl.tensor({{200.0, 300, 400}, {400, 600, 800}}, {dtype = nl.float16})
    assert.equal("10000 20000 20000 40000", text(nl.cov(x)))
    assert.equal("1 1 1 1", text(nl.corrcoef(x)))
    assert.equal(nl.float16, nl.corrcoef(x).dtype)
    assert.near(0, F.cosine_embedding_loss(x, x * 2, nl.ones(2):half()):item(), 1e-3)
    local shrunk = nl.renorm(x, 3, 1, 5)
    assert.near(5, shrunk[1]:float():norm(3):item(), 0.02)
  end)
end)

describe("numbers beyond a dtype's limits", function()
  local bytes, shorts = nl.tensor({0, 1, 5, 200, 255}, {dtype = nl.uint8}), nl.tensor({-128, -1, 5}, {dtype = nl.int8})

  it("bound nothing on their own side", function()
    assert.equal("0 1 1 1 1", text(F.hardtanh(bytes)))
    assert.equal("0 1 2 2 2", text(F.hardtanh(bytes, -1.5, 2.5)))
    assert.equal("-128 -1 5", text(F.hardtanh(shorts, -300, 300)))
    assert.equal("0 1 3 3 3", text(bytes:clamp(-1, 3)))
    assert.equal("0 1 5 200 255", text(bytes:clamp(-1, 300)))
    assert.equal("0 1 5 200 255", text(bytes:clamp_min(-1)))
    assert.equal("0 1 5 200 255", text(bytes:clamp_max(300)))
    assert.equal("-5 7", text(nl.tensor({-5, 7}, {dtype = nl.int32}):clamp(-(1 << 40), 1 << 40)))
  end)

  it("raise where they leave no number", function()
    fails("max_val is -1, which lies beyond all numbers of uint8", F.hardtanh, bytes, -300, -1)
    fails("min is 300, which lies beyond all numbers of uint8", bytes.clamp, bytes, 300)
    fails("max is -1, which lies beyond all numbers of uint8", bytes.clamp_max, bytes, -1)
    fails("min is 200, which lies beyond all numbers of int8", shorts.clamp, shorts, 200)
  end)

  it("are no values", function()
    assert.equal("253 253 5 200 255", text(F.threshold(bytes, 1, -3))) -- a negative one goes around
    assert.equal("255 255 5 200 255", text(nl.where(bytes:gt(2), bytes, -1)))
    local message = "300, which uint8 can't hold"
    fails(message, F.threshold, bytes, 1, 300)
    fails(message, bytes.add, bytes, bytes, {alpha = 300})
    fails(message, nl.full, {2}, 300, {dtype = nl.uint8})
    fails(message, bytes.masked_fill, bytes, bytes:gt(2), 300)
    fails(message, bytes.index_fill, bytes, 1, nl.tensor {1}, 300)
    fails(message, nl.where, bytes:gt(2), bytes, 300)
    local same = bytes:clone()
    fails(message, same.fill_, same, 300)
    assert.is_true(nl.equal(bytes, same))
  end)

  it("make no layer", function()
    fails("max_val must be greater than min_val", nl.nn.Hardtanh, 2, 1)
    fails("max_val must be greater than min_val", nl.nn.Hardtanh, 1, 1)
  end)
end)

describe("norms, distances and variances beside nan and infinity", function()
  it("have PyTorch's gradients", function()
    check(function(x) return x:view(2, 2):renorm(2, 1, 5) end, {{nan, 1, 1, 1}}, {nan, 1, 1, 1}, {1, 1, 1, 1})
    check(function(x, y) return nl.cdist(x:view(2, 2), y:view(1, 2), 1) end, {{nan, 1, inf, 1}, {0, 5}},
      {nan, inf}, {nan, -1, 1, -1}, {nan, 2})
    check(function(x, y) return nl.cdist(x:view(2, 2), y:view(1, 2), 0) end, {{nan, 1, inf, 1}, {0, 5}},
      {nan, 2}, {0, 0, 0, 0}, {0, 0})
    check(function(x) return x:var() end, {{1, 2, inf}}, {nan}, {-inf, -inf, nan})
    check(function(x) return x:std() end, {{1, 2, inf}}, {nan}, {nan, nan, nan})
  end)

  it("lose infinitely much to an infinite score of a right class", function()
    local function loss(target)
      return function(x) return F.multilabel_soft_margin_loss(x:view(1, 2), nl.tensor({target}, {dtype = x.dtype})) end
    end
    check(loss {1, 1}, {{-inf, 0}}, {inf}, {-0.5, -0.25})
    check(loss {0, 1}, {{-inf, 0}}, {nan}, {0, -0.25})
    check(loss {0, 0}, {{inf, 0}}, {inf}, {0.5, 0.25})
  end)
end)
