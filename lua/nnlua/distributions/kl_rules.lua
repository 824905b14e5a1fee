-- Kullback-Leibler divergences in closed form: rules[p][q](p, q, kl_divergence) by the names of two classes. Where the
-- support of p isn't within that of q they are infinite.

local core = require "nnlua.nn.core"
local covariance = require "nnlua.distributions.covariance"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local rules = {}

local euler, sum_rightmost = utils._euler, utils._sum_rightmost
local inf, pi = math.huge, math.pi

local function rule(p, q, f)
  rules[p] = rules[p] or {}
  for name in q:gmatch "%S+" do rules[p][name] = f end
end

-- Infinite, in the shape of one of p's parameters.
local function infinite(p, q, parameter)
  rule(p, q, function(one) return nl.full_like(one[parameter], inf) end)
end

local function x_log_x(x)
  return nl.xlogy(x, x)
end

-- ------------------------------------------------------ of the same family

rule("Bernoulli", "Bernoulli", function(p, q)
  local softplus = nl.F.softplus
  local t1 = p.probs * (softplus(-q.logits) - softplus(-p.logits))
  t1 = t1:masked_fill(q.probs:eq(0), inf):masked_fill(p.probs:eq(0), 0)
  local t2 = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
  return t1 + t2:masked_fill(q.probs:eq(1), inf):masked_fill(p.probs:eq(1), 0)
end)

rule("Beta", "Beta", function(p, q)
  local p1, p0, q1, q0 = p.concentration1, p.concentration0, q.concentration1, q.concentration0
  local sum_p, sum_q = p1 + p0, q1 + q0
  local t1 = q1:lgamma() + q0:lgamma() + sum_p:lgamma()
  local t2 = p1:lgamma() + p0:lgamma() + sum_q:lgamma()
  local t3 = (p1 - q1) * p1:digamma()
  local t4 = (p0 - q0) * p0:digamma()
  local t5 = (sum_q - sum_p) * sum_p:digamma()
  return t1 - t2 + t3 + t4 + t5
end)

rule("Binomial", "Binomial", function(p, q)
  if p.total_count:lt(q.total_count):any():item() then
    core.raise("kl_divergence: there is none of Binomials where q's total_count is larger than p's")
  end
  local kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs):log1p() - (-q.probs):log1p())
  return kl:masked_fill(p.total_count:gt(q.total_count), inf)
end)

local function kl_of_categories(p, q)
  local t = p.probs * (p.logits - q.logits)
  return t:masked_fill(q.probs:eq(0), inf):masked_fill(p.probs:eq(0), 0):sum(-1)
end

rule("Categorical", "Categorical", kl_of_categories)
rule("OneHotCategorical", "OneHotCategorical", kl_of_categories)

rule("ContinuousBernoulli", "ContinuousBernoulli", function(p, q)
  local t1 = p.mean * (p.logits - q.logits)
  local t2 = p:_log_norm() + nl.log1p(-p.probs)
  local t3 = -q:_log_norm() - nl.log1p(-q.probs)
  return t1 + t2 + t3
end)

rule("Dirichlet", "Dirichlet", function(p, q)
  local sum_p, sum_q = p.concentration:sum(-1), q.concentration:sum(-1)
  local t1 = sum_p:lgamma() - sum_q:lgamma()
  local t2 = (p.concentration:lgamma() - q.concentration:lgamma()):sum(-1)
  local t3 = p.concentration - q.concentration
  local t4 = p.concentration:digamma() - sum_p:digamma():unsqueeze(-1)
  return t1 - t2 + (t3 * t4):sum(-1)
end)

rule("Exponential", "Exponential", function(p, q)
  local ratio = q.rate / p.rate
  return -ratio:log() + ratio - 1
end)

-- By the log normalizer and its gradient, as a Bregman divergence.
rule("ExponentialFamily", "ExponentialFamily", function(p, q)
  if getmetatable(p) ~= getmetatable(q) then
    core.raise(("kl_divergence: there is none of %s and %s"):format(p.__name, q.__name))
  end
  local normalizer, natural, gradients = distribution.differentiated_normalizer(p)
  local q_natural = q._natural_params
  local result = q:_log_normalizer(table.unpack(q_natural)) - normalizer
  for i, one in ipairs(natural) do
    result = result - sum_rightmost((q_natural[i] - one) * gradients[i], #q.event_shape)
  end
  return result
end)

rule("Gamma", "Gamma", function(p, q)
  local t1 = q.concentration * (p.rate / q.rate):log()
  local t2 = q.concentration:lgamma() - p.concentration:lgamma()
  local t3 = (p.concentration - q.concentration) * p.concentration:digamma()
  local t4 = (q.rate - p.rate) * (p.concentration / p.rate)
  return t1 + t2 + t3 + t4
end)

rule("Gumbel", "Gumbel", function(p, q)
  local ct1, ct2, ct3 = p.scale / q.scale, q.loc / q.scale, p.loc / q.scale
  local t1 = -ct1:log() - ct2 + ct3
  local t2 = ct1 * euler
  local t3 = nl.exp(ct2 + (1 + ct1):lgamma() - ct3)
  return t1 + t2 + t3 - (1 + euler)
end)

rule("Geometric", "Geometric", function(p, q)
  return -p:entropy() - nl.log1p(-q.probs) / p.probs - q.logits
end)

local function of_bases(p, q, kl_divergence)
  return kl_divergence(p.base_dist, q.base_dist)
end

rule("HalfNormal", "HalfNormal", of_bases)

rule("Laplace", "Laplace", function(p, q)
  local ratio, distance = p.scale / q.scale, (p.loc - q.loc):abs()
  return -ratio:log() + distance / q.scale + ratio * nl.exp(-distance / p.scale) - 1
end)

rule("Normal", "Normal", function(p, q)
  local var_ratio = (p.scale / q.scale) ^ 2
  return 0.5 * (var_ratio + ((p.loc - q.loc) / q.scale) ^ 2 - 1 - var_ratio:log())
end)

rule("Pareto", "Pareto", function(p, q)
  local scale_ratio, alpha_ratio = p.scale / q.scale, q.alpha / p.alpha
  local result = q.alpha * scale_ratio:log() - alpha_ratio:log() + alpha_ratio - 1
  return result:masked_fill(p.scale:lt(q.scale), inf)
end)

rule("Poisson", "Poisson", function(p, q)
  return p.rate * (p.rate:log() - q.rate:log()) - (p.rate - q.rate)
end)

rule("TransformedDistribution", "TransformedDistribution", function(p, q, kl_divergence)
  local same = #p.transforms == #q.transforms and p.event_shape == q.event_shape
  for i, one in ipairs(p.transforms) do same = same and one == q.transforms[i] end
  if not same then
    core.raise("kl_divergence: there is none of two distributions whose transforms or event shapes differ")
  end
  return of_bases(p, q, kl_divergence)
end)

rule("Uniform", "Uniform", function(p, q)
  local result = ((q.high - q.low) / (p.high - p.low)):log()
  return result:masked_fill(q.low:gt(p.low) | q.high:lt(p.high), inf)
end)

rule("Independent", "Independent", function(p, q, kl_divergence)
  if p.reinterpreted_batch_ndims ~= q.reinterpreted_batch_ndims then
    core.raise("kl_divergence: both Independents must have the same reinterpreted_batch_ndims")
  end
  return sum_rightmost(of_bases(p, q, kl_divergence), p.reinterpreted_batch_ndims)
end)

rule("Cauchy", "Cauchy", function(p, q) -- Chyzak and Nielsen, 2019
  return ((p.scale + q.scale) ^ 2 + (p.loc - q.loc) ^ 2):log() - (4 * p.scale * q.scale):log()
end)

-- ---------------------------------------------------- multivariate normals

-- Half the logarithm of the determinant of a covariance, x^T C^-1 x, and the trace of C^-1 times another covariance.
local of_full = {
  half_log_det = covariance.half_log_det,
  distance = function(d, x) return covariance.mahalanobis(d._unbroadcasted_scale_tril, x) end,
  -- the columns of factors whose products add up to the covariance
  factors = function(d) return {d._unbroadcasted_scale_tril} end,
  trace = function(d, factor)
    local tril, n = d._unbroadcasted_scale_tril, d.event_shape[1]
    local batch = nl.broadcast_shapes(utils._part(tril.shape, 1, tril.ndim - 2),
      utils._part(factor.shape, 1, factor.ndim - 2))
    factor = factor:expand(utils._joined(batch, {n, factor.shape[factor.ndim]}))
    return covariance.sum_of_squares(covariance.solved(tril:expand(utils._joined(batch, {n, n})), factor))
  end,
}

local of_low_rank = {
  half_log_det = function(d) return covariance.low_rank_log_det(d) / 2 end,
  distance = covariance.low_rank_mahalanobis,
  factors = function(d) return {d._unbroadcasted_cov_factor, nl.diag_embed(d._unbroadcasted_cov_diag:sqrt())} end,
  trace = function(d, factor)
    local whole = covariance.sum_of_squares(factor * d._unbroadcasted_cov_diag:rsqrt():unsqueeze(-1))
    local solved = covariance.solved(d._capacitance_tril, covariance.scaled_factor(d))
    return whole - covariance.sum_of_squares(solved:matmul(factor))
  end,
}

local function of_normals(p_kind, q_kind)
  return function(p, q)
    if p.event_shape ~= q.event_shape then
      core.raise(("kl_divergence: there is none of normal distributions with the event shapes %s and %s"):format(
        p.event_shape, q.event_shape))
    end
    local trace = 0
    for _, factor in ipairs(p_kind.factors(p)) do trace = trace + q_kind.trace(q, factor) end
    local distance = q_kind.distance(q, q.loc - p.loc)
    return q_kind.half_log_det(q) - p_kind.half_log_det(p) + 0.5 * (trace + distance - p.event_shape[1])
  end
end

rule("MultivariateNormal", "MultivariateNormal", of_normals(of_full, of_full))
rule("MultivariateNormal", "LowRankMultivariateNormal", of_normals(of_full, of_low_rank))
rule("LowRankMultivariateNormal", "MultivariateNormal", of_normals(of_low_rank, of_full))
rule("LowRankMultivariateNormal", "LowRankMultivariateNormal", of_normals(of_low_rank, of_low_rank))

-- --------------------------------------------------------- of two families

rule("Bernoulli", "Poisson", function(p, q)
  return -p:entropy() - (p.probs * q.rate:log() - q.rate)
end)

rule("Beta", "ContinuousBernoulli", function(p, q)
  return -p:entropy() - p.mean * q.logits - nl.log1p(-q.probs) - q:_log_norm()
end)

infinite("Beta", "Pareto", "concentration1")

rule("Beta", "Exponential", function(p, q)
  return -p:entropy() - q.rate:log() + q.rate * (p.concentration1 / (p.concentration1 + p.concentration0))
end)

rule("Beta", "Gamma", function(p, q)
  local sum = p.concentration1 + p.concentration0
  local t2 = q.concentration:lgamma() - q.concentration * q.rate:log()
  local t3 = (q.concentration - 1) * (p.concentration1:digamma() - sum:digamma())
  return -p:entropy() + t2 - t3 + q.rate * p.concentration1 / sum
end)

rule("Beta", "Normal", function(p, q)
  local sum = p.concentration1 + p.concentration0
  local mean, variance = p.concentration1 / sum, q.scale ^ 2
  local t3 = (mean * (1 - mean) / (sum + 1) + mean ^ 2) * 0.5
  return -p:entropy() + 0.5 * (variance * 2 * pi):log() + (t3 - q.loc * mean + q.loc ^ 2 * 0.5) / variance
end)

rule("Beta", "Uniform", function(p, q)
  local result = -p:entropy() + (q.high - q.low):log()
  return result:masked_fill(q.low:gt(0) | q.high:lt(1), inf)
end)

infinite("ContinuousBernoulli", "Pareto", "probs")

rule("ContinuousBernoulli", "Exponential", function(p, q)
  return -p:entropy() - nl.log(q.rate) + q.rate * p.mean
end)

rule("ContinuousBernoulli", "Normal", function(p, q)
  local t2 = 0.5 * (math.log(2 * pi) + (q.loc / q.scale):square()) + nl.log(q.scale)
  local t3 = (p.variance + p.mean:square() - 2 * q.loc * p.mean) / (2 * q.scale:square())
  return -p:entropy() + t2 + t3
end)

rule("ContinuousBernoulli", "Uniform", function(p, q)
  local result = -p:entropy() + (q.high - q.low):log()
  return result:masked_fill(q.low:gt(0) | q.high:lt(1), inf)
end)

infinite("Exponential", "Beta ContinuousBernoulli Pareto Uniform", "rate")

rule("Exponential", "Gamma", function(p, q)
  local ratio = q.rate / p.rate
  return -q.concentration * nl.log(ratio) + ratio + q.concentration:lgamma() + q.concentration * euler - (1 + euler)
end)

rule("Exponential", "Gumbel", function(p, q)
  local product, ratio = p.rate * q.scale, q.loc / q.scale
  local t2 = nl.exp(ratio) * product / (product + 1)
  return product:log() - 1 - ratio + t2 + product:reciprocal()
end)

rule("Exponential", "Normal", function(p, q)
  local variance, squared = q.scale ^ 2, p.rate ^ 2
  local t1 = 0.5 * nl.log(squared * variance * 2 * pi)
  return t1 - 1 + (squared:reciprocal() - q.loc / p.rate + q.loc ^ 2 * 0.5) / variance
end)

infinite("Gamma", "Beta ContinuousBernoulli Pareto Uniform", "concentration")

rule("Gamma", "Exponential", function(p, q)
  return -p:entropy() - q.rate:log() + q.rate * p.concentration / p.rate
end)

rule("Gamma", "Gumbel", function(p, q)
  local product, ratio, alpha = p.rate * q.scale, q.loc / q.scale, p.concentration
  local t1 = (alpha - 1) * alpha:digamma() - alpha:lgamma() - alpha
  local t2 = product:log() + alpha / product
  return t1 + t2 + nl.exp(ratio) * (1 + product:reciprocal()) ^ -alpha - ratio
end)

rule("Gamma", "Normal", function(p, q)
  local variance, squared, alpha = q.scale ^ 2, p.rate ^ 2, p.concentration
  local t1 = 0.5 * nl.log(squared * variance * 2 * pi) - alpha - alpha:lgamma()
  local t2 = 0.5 * (alpha ^ 2 + alpha) / squared
  return t1 + (alpha - 1) * alpha:digamma() + (t2 - q.loc * alpha / p.rate + 0.5 * q.loc ^ 2) / variance
end)

infinite("Gumbel", "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform", "loc")

rule("Gumbel", "Normal", function(p, q)
  local ratio = p.scale / q.scale
  local t1 = (ratio / math.sqrt(2 * pi)):log()
  local t2 = (pi * ratio * 0.5) ^ 2 / 3
  local t3 = ((p.loc + p.scale * euler - q.loc) / q.scale) ^ 2 * 0.5
  return -t1 + t2 + t3 - (euler + 1)
end)

infinite("Laplace", "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform", "loc")

rule("Laplace", "Normal", function(p, q)
  local variance = q.scale ^ 2
  local ratio = p.scale ^ 2 / variance
  local t1 = 0.5 * nl.log(2 * ratio / pi)
  return -t1 + ratio + (0.5 * p.loc ^ 2 - p.loc * q.loc + 0.5 * q.loc ^ 2) / variance - 1
end)

infinite("Normal", "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform", "loc")

rule("Normal", "Gumbel", function(p, q)
  local mean_ratio, var_ratio, loc_ratio = p.loc / q.scale, (p.scale / q.scale) ^ 2, q.loc / q.scale
  local t3 = nl.exp(-mean_ratio + 0.5 * var_ratio + loc_ratio)
  return -(var_ratio:log() * 0.5) + (mean_ratio - loc_ratio) + t3 - 0.5 * (1 + math.log(2 * pi))
end)

rule("Normal", "Laplace", function(p, q)
  local distance = p.loc - q.loc
  local by_scale = distance / p.scale
  local t1 = nl.log(p.scale / q.scale)
  local t2 = math.sqrt(2 / pi) * p.scale * nl.exp(-0.5 * by_scale ^ 2)
  local t3 = distance * nl.erf(math.sqrt(0.5) * by_scale)
  return -t1 + (t2 + t3) / q.scale - 0.5 * (1 + math.log(0.5 * pi))
end)

infinite("Pareto", "Beta ContinuousBernoulli Uniform", "scale")

rule("Pareto", "Exponential", function(p, q)
  local product = p.scale * q.rate
  local t1 = (p.alpha / product):log()
  local result = t1 - p.alpha:reciprocal() + p.alpha * product / (p.alpha - 1) - 1
  return result:masked_fill(p.alpha:le(1), inf)
end)

rule("Pareto", "Gamma", function(p, q)
  local common = p.scale:log() + p.alpha:reciprocal()
  local t2 = q.concentration:lgamma() - q.concentration * q.rate:log()
  local t3 = (1 - q.concentration) * common
  local t4 = q.rate * p.alpha * p.scale / (p.alpha - 1)
  return (p.alpha:log() - common + t2 + t3 + t4 - 1):masked_fill(p.alpha:le(1), inf)
end)

rule("Pareto", "Normal", function(p, q)
  local variance, common = 2 * q.scale ^ 2, p.scale / (p.alpha - 1)
  local t1 = (math.sqrt(2 * pi) * q.scale * p.alpha / p.scale):log()
  local t3 = p.alpha * common ^ 2 / (p.alpha - 2)
  local t4 = (p.alpha * common - q.loc) ^ 2
  return (t1 - p.alpha:reciprocal() + (t3 + t4) / variance - 1):masked_fill(p.alpha:le(2), inf)
end)

infinite("Poisson", "Bernoulli Binomial", "rate")

rule("Uniform", "Beta", function(p, q)
  local width, q1, q0 = p.high - p.low, q.concentration1, q.concentration0
  local t2 = (q1 - 1) * (x_log_x(p.high) - x_log_x(p.low) - width) / width
  local t3 = (q0 - 1) * (x_log_x(1 - p.high) - x_log_x(1 - p.low) + width) / width
  local t4 = q1:lgamma() + q0:lgamma() - (q1 + q0):lgamma()
  return (t3 + t4 - width:log() - t2):masked_fill(p.high:gt(1) | p.low:lt(0), inf)
end)

rule("Uniform", "ContinuousBernoulli", function(p, q)
  local result = -p:entropy() - p.mean * q.logits - nl.log1p(-q.probs) - q:_log_norm()
  return result:masked_fill(p.high:gt(1) | p.low:lt(0), inf)
end)

rule("Uniform", "Exponential", function(p, q)
  local result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate):log()
  return result:masked_fill(p.low:lt(0), inf)
end)

rule("Uniform", "Gamma", function(p, q)
  local width = p.high - p.low
  local t2 = q.concentration:lgamma() - q.concentration * q.rate:log()
  local t3 = (1 - q.concentration) * (x_log_x(p.high) - x_log_x(p.low) - width) / width
  local t4 = q.rate * (p.high + p.low) / 2
  return (-width:log() + t2 + t3 + t4):masked_fill(p.low:lt(0), inf)
end)

rule("Uniform", "Gumbel", function(p, q)
  local common = q.scale / (p.high - p.low)
  local high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
  return common:log() + 0.5 * (high + low) - common * (nl.exp(-high) - nl.exp(-low))
end)

rule("Uniform", "Normal", function(p, q)
  local width = p.high - p.low
  local t1 = (math.sqrt(pi * 2) * q.scale / width):log()
  local t3 = ((p.high + p.low - 2 * q.loc) / 2) ^ 2
  return t1 + 0.5 * (width ^ 2 / 12 + t3) / q.scale ^ 2
end)

rule("Uniform", "Pareto", function(p, q)
  local width = p.high - p.low
  local t1 = (q.alpha * q.scale ^ q.alpha * width):log()
  local t2 = (x_log_x(p.high) - x_log_x(p.low) - width) / width
  return (t2 * (q.alpha + 1) - t1):masked_fill(p.low:lt(q.scale), inf)
end)

return rules
