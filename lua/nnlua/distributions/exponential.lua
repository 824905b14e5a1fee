-- The exponential distribution, and what is made of it; the generalized Pareto distribution.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transformed = require "nnlua.distributions.transformed_base"
local utils = require "nnlua.distributions.utils"

local exponential = {}

local positive = constraints.positive
local nan, inf = 0 / 0, math.huge

--- Times until something that happens so often on average: `Exponential(rate)`.
---     > nl.distributions.Exponential(2):log_prob(nl.tensor(1.0))
---     tensor(-1.3069)
---@class Exponential: ExponentialFamily
---@field rate Tensor
local Exponential = distribution.define_broadcast("Exponential", distribution.ExponentialFamily, {{"rate", "numeric"}})
exponential.Exponential = Exponential

Exponential.arg_constraints, Exponential.support = {rate = positive}, constraints.nonnegative
Exponential.has_rsample, Exponential._mean_carrier_measure = true, 0

function Exponential.get:mean() return self.rate:reciprocal() end
function Exponential.get:stddev() return self.rate:reciprocal() end
function Exponential.get:mode() return nl.zeros_like(self.rate) end
function Exponential.get:variance() return self.rate ^ -2 end

function Exponential:_rsample(shape, options)
  return nl.empty(self:_extended_shape(shape), {dtype = self.rate.dtype}):exponential_(options) / self.rate
end

function Exponential:log_prob(value)
  self:_validate_sample(value)
  return self.rate:log() - self.rate * value
end

function Exponential:cdf(value)
  self:_validate_sample(value)
  return 1 - nl.exp(-self.rate * value)
end

function Exponential:icdf(value)
  return -nl.log1p(-value) / self.rate
end

function Exponential:entropy()
  return 1 - nl.log(self.rate)
end

function Exponential.get:_natural_params() return {-self.rate} end

function Exponential:_log_normalizer(x)
  return -nl.log(-x)
end

--- Numbers from scale on whose share above x falls as x^-alpha: `Pareto(scale, alpha)`.
---     > nl.distributions.Pareto(1, 2).mean
---     tensor(2.)
---@class Pareto: TransformedDistribution
---@field scale Tensor
---@field alpha Tensor
local Pareto, parse_pareto = transformed.define("Pareto", {{"scale", "numeric"}, {"alpha", "numeric"}}, {})
exponential.Pareto = Pareto

Pareto.arg_constraints, Pareto._expanded = {alpha = positive, scale = positive}, {"scale", "alpha"}
Pareto._printed = {"alpha", "scale"}

function Pareto:init(...)
  local scale, alpha, validate_args = parse_pareto(...)
  distribution.set_broadcast(self, scale, alpha)
  local transforms = {pointwise.ExpTransform(), pointwise.AffineTransform(0, self.scale)}
  transformed.start(self, Exponential(self.alpha, validate_args), transforms, validate_args)
end

function Pareto.get:support() return constraints.greater_than_eq(self.scale) end
function Pareto.get:mode() return self.scale end

function Pareto.get:mean()
  local alpha = self.alpha:clamp(1) -- infinite up to 1
  return alpha * self.scale / (alpha - 1)
end

function Pareto.get:variance()
  local alpha = self.alpha:clamp(2) -- infinite up to 2
  return self.scale ^ 2 * alpha / ((alpha - 1) ^ 2 * (alpha - 2))
end

function Pareto:entropy()
  return (self.scale / self.alpha):log() + (1 + self.alpha:reciprocal())
end

--- Powers of exponential numbers: `Weibull(scale, concentration)`.
---     > nl.distributions.Weibull(1, 1):log_prob(nl.tensor(1.0))
---     tensor(-1.)
---@class Weibull: TransformedDistribution
---@field scale Tensor
---@field concentration Tensor
local Weibull, parse_weibull = transformed.define("Weibull", {{"scale", "numeric"}, {"concentration", "numeric"}}, {})
exponential.Weibull = Weibull

Weibull.arg_constraints, Weibull.support = {scale = positive, concentration = positive}, positive
Weibull._expanded = {"scale", "concentration", "concentration_reciprocal"}

function Weibull:init(...)
  local scale, concentration, validate_args = parse_weibull(...)
  distribution.set_broadcast(self, scale, concentration)
  self.concentration_reciprocal = self.concentration:reciprocal()
  transformed.start(self, Exponential(nl.ones_like(self.scale), validate_args), {
    pointwise.PowerTransform(self.concentration_reciprocal), pointwise.AffineTransform(0, self.scale),
  }, validate_args)
end

function Weibull.get:mean()
  return self.scale * nl.exp(nl.lgamma(1 + self.concentration_reciprocal))
end

function Weibull.get:mode()
  return self.scale * ((self.concentration - 1) / self.concentration) ^ self.concentration:reciprocal()
end

function Weibull.get:variance()
  local second = nl.exp(nl.lgamma(1 + 2 * self.concentration_reciprocal))
  return self.scale ^ 2 * (second - nl.exp(2 * nl.lgamma(1 + self.concentration_reciprocal)))
end

function Weibull:entropy()
  return utils._euler * (1 - self.concentration_reciprocal) + nl.log(self.scale * self.concentration_reciprocal) + 1
end

--- Excesses over a threshold: `GeneralizedPareto(loc, scale, concentration)`; a concentration of 0 is exponential, -1
--- uniform.
---     > nl.distributions.GeneralizedPareto(0, 1, 0):cdf(nl.tensor(1.0))
---     tensor(0.6321)
---@class GeneralizedPareto: Distribution
---@field loc Tensor
---@field scale Tensor
---@field concentration Tensor
local GeneralizedPareto = distribution.define_broadcast("GeneralizedPareto", distribution.Distribution, {
  {"loc", "numeric"}, {"scale", "numeric"}, {"concentration", "numeric"},
})
exponential.GeneralizedPareto = GeneralizedPareto

GeneralizedPareto.arg_constraints = {loc = constraints.real, scale = positive, concentration = constraints.real}
GeneralizedPareto.has_rsample = true

-- Where the concentration is next to 0, and it with 1 in its place there.
local function is_zero(self)
  local zero = nl.isclose(self.concentration, nl.zeros_like(self.concentration))
  return zero, self.concentration:masked_fill(zero, 1)
end

local function standardized(self, value)
  return (value - self.loc) / self.scale
end

function GeneralizedPareto.get:support()
  local finite = self.loc - self.scale / self.concentration
  return constraints.interval(self.loc, nl.where(self.concentration:lt(0), finite, inf))
end

function GeneralizedPareto.get:mode() return self.loc end

function GeneralizedPareto.get:mean()
  local valid = self.concentration:lt(1)
  return nl.where(valid, self.loc + self.scale / (1 - nl.where(valid, self.concentration, 0.5)), nan)
end

function GeneralizedPareto.get:variance()
  local valid = self.concentration:lt(0.5)
  local safe = nl.where(valid, self.concentration, 0.25)
  return nl.where(valid, self.scale ^ 2 / ((1 - safe) ^ 2 * (1 - 2 * safe)), nan)
end

function GeneralizedPareto:_rsample(shape, options)
  return self:icdf(utils._rand(self:_extended_shape(shape), self.loc, options))
end

function GeneralizedPareto:log_prob(value)
  self:_validate_sample(value)
  local z, zero, safe = standardized(self, value), is_zero(self)
  local y = 1 / safe + nl.ones_like(z)
  local otherwise = nl.where(y:eq(0), y, y * nl.log1p(safe * z))
  return -self.scale:log() - nl.where(zero, z, otherwise)
end

--- The logarithm of the probability of more than a value.
---     > nl.distributions.GeneralizedPareto(0, 1, 0):log_survival_function(nl.tensor(2.0))
---     tensor(-2.)
---@param value Tensor
---@return Tensor
function GeneralizedPareto:log_survival_function(value)
  self:_validate_sample(value)
  local z, zero, safe = standardized(self, value), is_zero(self)
  return nl.where(zero, -z, -nl.log1p(safe * z) / safe)
end

--- The logarithm of cdf.
---     > nl.distributions.GeneralizedPareto(0, 1, -1):log_cdf(nl.tensor(0.5))
---     tensor(-0.6931)
---@param value Tensor
---@return Tensor
function GeneralizedPareto:log_cdf(value)
  return nl.log1p(-nl.exp(self:log_survival_function(value)))
end

function GeneralizedPareto:cdf(value)
  return nl.exp(self:log_cdf(value))
end

function GeneralizedPareto:icdf(value)
  local log_rest, zero, safe = nl.log1p(-value), is_zero(self)
  local otherwise = self.loc + self.scale / safe * nl.expm1(-safe * log_rest)
  return nl.where(zero, self.loc - self.scale * log_rest, otherwise)
end

function GeneralizedPareto:entropy()
  return nl.log(self.scale) + self.concentration + 1
end

return exponential
