-- What the oracle's cases don't show: gradients of draws against the derivative of the distribution function, densities
-- and divergences against integrals, identities of the incomplete gamma functions.
local nl = require "nnlua"
local D = nl.distributions

local f64 = {dtype = nl.float64}

-- The integral of f over a grid, by Simpson's rule.
local function integral(f, low, high)
  local n = 20000
  local x = nl.linspace(low, high, n + 1, f64)
  local weights = nl.full({n + 1}, 2, f64)
  weights[{{2, n, 2}}] = 4
  weights[1], weights[n + 1] = 1, 1
  return (f(x) * weights):sum():item() * (high - low) / n / 3
end

local function number(x) return nl.tensor(x, f64) end

describe("gradients of draws", function()
  it("of gamma numbers follow the distribution function", function()
    for _, a in ipairs {0.3, 1.0, 2.5, 7.0, 12.0, 80.0} do
      nl.manual_seed(5)
      local concentration = nl.full({50}, a, {dtype = nl.float64, requires_grad = true})
      local x = nl._standard_gamma(concentration)
      local slope = nl.autograd.grad(x:sum(), {concentration})
      local h, plain = 1e-5 * a, x:detach()
      local fixed = concentration:detach()
      local by_a = (nl.igamma(fixed + h, plain) - nl.igamma(fixed - h, plain)) / (2 * h)
      local density = D.Gamma(number(a), number(1)):log_prob(plain):exp()
      assert.is_true(nl.allclose(slope, -by_a / density, {rtol = 5e-3, atol = 1e-4}), a)
    end
  end)

  it("of Dirichlet vectors sum up to 0, and of two categories are those of Beta's cdf", function()
    for _, pair in ipairs {{0.7, 1.5}, {3.0, 2.0}, {9.0, 12.0}} do
      nl.manual_seed(6)
      local concentration = nl.tensor(pair, {dtype = nl.float64, requires_grad = true})
      local draw = D.Dirichlet(concentration):rsample()
      local first = nl.autograd.grad(draw[1], {concentration}, {retain_graph = true})
      local second = nl.autograd.grad(draw[2], {concentration})
      assert.is_true(nl.allclose(first, -second, {rtol = 1e-9, atol = 1e-12}))
      local x, h = draw[1]:item(), 1e-4
      local function cdf(a)
        local beta = D.Beta(number(a), number(pair[2]), {validate_args = false})
        return 1 - integral(function(t) return beta:log_prob(t):exp() end, x, 1 - 1e-12)
      end
      local slope = -(cdf(pair[1] + h) - cdf(pair[1] - h)) / (2 * h)
      local density = D.Beta(number(pair[1]), number(pair[2])):log_prob(number(x)):exp():item()
      assert.is_near(slope / density, first[1]:item(), 5e-3)
    end
  end)

  it("have none of their own", function()
    local concentration = nl.tensor({2.0, 3.0}, {requires_grad = true})
    for _, f in ipairs {nl._standard_gamma, nl._sample_dirichlet} do
      local first = nl.autograd.grad(f(concentration)[1], {concentration}, {create_graph = true})
      assert.error_matches(function() first:sum():backward() end, "the gradient of a draw has no gradient of its own")
    end
  end)
end)

describe("draws with wrong parameters", function()
  it("are refused", function()
    assert.error_matches(function() nl.poisson(nl.tensor {-1.0}) end, "a rate must not be negative")
    assert.error_matches(function() nl.poisson(nl.tensor {1}) end, "a floating point tensor is wanted")
    assert.error_matches(function() nl._standard_gamma(nl.tensor {-1.0}) end, "a concentration must not be negative")
    assert.error_matches(function() nl.binomial(nl.ones(2), nl.ones(2, f64)) end, "the same dtype")
    assert.error_matches(function() nl._sample_dirichlet(nl.tensor(1.0)) end, "need a dimension")
  end)
end)

describe("the incomplete gamma functions", function()
  it("are those of sums and exponentials in closed form", function()
    local x = nl.tensor({0.1, 1.0, 3.0, 20.0}, f64)
    assert.is_true(nl.allclose(nl.igamma(number(1), x), 1 - nl.exp(-x), {rtol = 1e-13}))
    assert.is_true(nl.allclose(nl.igammac(number(2), x), nl.exp(-x) * (1 + x), {rtol = 1e-13}))
    assert.is_true(nl.allclose(nl.igamma(number(0.5), x), nl.erf(x:sqrt()), {rtol = 1e-13}))
    local a = nl.tensor({0.01, 3.0, 40.0, 1e6}, f64)
    assert.is_true(nl.allclose(nl.igamma(a, a) + nl.igammac(a, a), nl.ones(4, f64), {rtol = 1e-14}))
  end)

  it("have a gradient of their second argument", function()
    local a, x = nl.tensor({0.5, 3.0}, f64), nl.tensor({0.7, 2.0}, f64):requires_grad_()
    assert.is_true(nl.autograd.gradcheck(function(t) return nl.igamma(a, t) end, {x}))
    assert.is_true(nl.autograd.gradgradcheck(function(t) return nl.igammac(a, t) end, {x}))
    assert.error_matches(function() nl.igamma(x, a):sum():backward() end, "no gradient of input")
  end)
end)

describe("densities", function()
  it("have the integral 1, and their means", function()
    for name, case in pairs {
      Normal = {{1, 2}, -20, 22}, Laplace = {{1, 0.5}, -20, 22}, Gamma = {{2, 1}, 1e-9, 60},
      Beta = {{2, 3}, 1e-9, 1 - 1e-9},
      Gumbel = {{0, 1}, -8, 45}, Weibull = {{1, 2}, 1e-9, 12}, Kumaraswamy = {{2, 3}, 1e-6, 1 - 1e-6},
      LogNormal = {{0, 0.3}, 1e-6, 8}, StudentT = {{6, 1, 1}, -300, 300}, ContinuousBernoulli = {{0.3}, 0, 1},
      HalfNormal = {{1}, 0, 12}, VonMises = {{0.5, 2}, -math.pi, math.pi}, InverseGamma = {{6, 2}, 1e-3, 60},
    } do
      local arguments = {}
      for i, one in ipairs(case[1]) do arguments[i] = number(one) end
      local d = D[name](table.unpack(arguments))
      local function density(x) return d:log_prob(x):exp() end
      assert.is_near(1, integral(density, case[2], case[3]), 2e-3, name)
      if name ~= "VonMises" then -- whose mean is circular
        assert.is_near(d.mean:item(), integral(function(x) return x * density(x) end, case[2], case[3]), 5e-3, name)
      end
    end
  end)

  it("have the divergences that the closed forms say", function()
    local p, one = number, number(1)
    for _, pair in ipairs {
      {D.Normal(p(0.3), p(0.8)), D.Laplace(p(0), p(1.2)), -9, 9},
      {D.Normal(p(0.3), p(0.8)), D.Gumbel(p(0), p(1.2)), -9, 9},
      {D.Gamma(p(2), p(1.5)), D.Normal(p(0.3), p(0.8)), 1e-9, 40},
      {D.Gamma(p(2), p(1.5)), D.Gumbel(p(0), one), 1e-9, 40},
      {D.Beta(p(2), p(3)), D.Gamma(p(2), p(1.5)), 1e-9, 1 - 1e-9},
      {D.Gumbel(p(0.2), one), D.Normal(p(0.3), p(0.8)), -7, 45},
      {D.ContinuousBernoulli(p(0.3)), D.Uniform(p(0), one), 1e-9, 1 - 1e-9},
      {D.Uniform(p(0), one), D.ContinuousBernoulli(p(0.3)), 1e-9, 1 - 1e-9},
      {D.Uniform(p(0.1), p(0.9)), D.Beta(p(2), p(3)), 0.1, 0.9 - 1e-12},
      {D.Exponential(p(2)), D.Gumbel(p(0), one), 1e-9, 25},
    } do
      local first, second = pair[1], pair[2]
      local expected = integral(function(x)
        local log_p = first:log_prob(x)
        return log_p:exp() * (log_p - second:log_prob(x))
      end, pair[3], pair[4])
      assert.is_near(expected, D.kl_divergence(first, second):item(), 2e-3, first.__name .. " " .. second.__name)
    end
  end)
end)
