-- The normal distribution, and those of e to the power of its draws, of their magnitudes and of shares.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transformed = require "nnlua.distributions.transformed_base"
local utils = require "nnlua.distributions.utils"
local vectors = require "nnlua.distributions.transforms.vectors"

local normal = {}

--- Normal (Gaussian) numbers: `Normal(loc, scale)` are the mean and the deviation.
---     > d = nl.distributions.Normal(nl.tensor({0.0, 1.0}), 2)
---     > d
---     Normal(loc: [2], scale: [2])
---     > d:log_prob(nl.tensor({0.0, 0.0}))
---     tensor([-1.6121, -1.7371])
---@class Normal: ExponentialFamily
---@field loc Tensor
---@field scale Tensor
local Normal = distribution.define_broadcast("Normal", distribution.ExponentialFamily, {
  {"loc", "numeric"}, {"scale", "numeric"},
})
normal.Normal = Normal

Normal.arg_constraints = {loc = constraints.real, scale = constraints.positive}
Normal.support, Normal.has_rsample, Normal._mean_carrier_measure = constraints.real, true, 0

function Normal.get:mean() return self.loc end
function Normal.get:mode() return self.loc end
function Normal.get:stddev() return self.scale end
function Normal.get:variance() return self.stddev ^ 2 end

function Normal:_sample(shape, options)
  local whole = self:_extended_shape(shape)
  return nl.normal(self.loc:expand(whole), self.scale:expand(whole), options)
end

function Normal:_rsample(shape, options)
  return self.loc + utils._standard_normal(self:_extended_shape(shape), self.loc, options) * self.scale
end

function Normal:log_prob(value)
  self:_validate_sample(value)
  return -((value - self.loc) ^ 2) / (2 * self.scale ^ 2) - self.scale:log() - math.log(math.sqrt(2 * math.pi))
end

function Normal:cdf(value)
  self:_validate_sample(value)
  return 0.5 * (1 + nl.erf((value - self.loc) * self.scale:reciprocal() / math.sqrt(2)))
end

function Normal:icdf(value)
  return self.loc + self.scale * nl.erfinv(2 * value - 1) * math.sqrt(2)
end

function Normal:entropy()
  return 0.5 + 0.5 * math.log(2 * math.pi) + nl.log(self.scale)
end

function Normal.get:_natural_params()
  return {self.loc / self.scale ^ 2, -0.5 * (self.scale ^ 2):reciprocal()}
end

function Normal:_log_normalizer(x, y)
  return -0.25 * x ^ 2 / y + 0.5 * nl.log(-math.pi / y)
end

--- e to the power of normal numbers: `LogNormal(loc, scale)` are the mean and the deviation of the logarithm.
---     > nl.distributions.LogNormal(0, 1).mean
---     tensor(1.6487)
---@class LogNormal: TransformedDistribution
---@field loc Tensor
---@field scale Tensor
local LogNormal, parse_log_normal = transformed.define("LogNormal", {{"loc", "numeric"}, {"scale", "numeric"}}, {
  "loc", "scale",
})
normal.LogNormal = LogNormal

LogNormal.arg_constraints, LogNormal.support = Normal.arg_constraints, constraints.positive

function LogNormal:init(...)
  local loc, scale, validate_args = parse_log_normal(...)
  transformed.start(self, Normal(loc, scale, validate_args), {pointwise.ExpTransform()}, validate_args)
end

function LogNormal.get:mean() return (self.loc + self.scale ^ 2 / 2):exp() end
function LogNormal.get:mode() return (self.loc - self.scale:square()):exp() end

function LogNormal.get:variance()
  local squared = self.scale ^ 2
  return squared:expm1() * (2 * self.loc + squared):exp()
end

function LogNormal:entropy()
  return self.base_dist:entropy() + self.loc
end

--- Magnitudes of normal numbers of mean 0 and the deviation scale.
---     > nl.distributions.HalfNormal(1).mean
---     tensor(0.7979)
---@class HalfNormal: TransformedDistribution
---@field scale Tensor
local HalfNormal, parse_half_normal = transformed.define("HalfNormal", {{"scale", "numeric"}}, {"scale"})
normal.HalfNormal = HalfNormal

HalfNormal.arg_constraints, HalfNormal.support = {scale = constraints.positive}, constraints.nonnegative

function HalfNormal:init(...)
  local scale, validate_args = parse_half_normal(...)
  transformed.start_half(self, Normal(0, scale, false), validate_args)
end

transformed.give_half_functions(HalfNormal)

function HalfNormal.get:mean() return self.scale * math.sqrt(2 / math.pi) end
function HalfNormal.get:variance() return self.scale ^ 2 * (1 - 2 / math.pi) end

--- Vectors of n + 1 probabilities that StickBreakingTransform makes of n normal numbers: `LogisticNormal(loc, scale)`.
---     > nl.distributions.LogisticNormal(nl.zeros(3), nl.ones(3)):sample():sum()
---     tensor(1.)
---@class LogisticNormal: TransformedDistribution
local LogisticNormal, parse_logistic_normal = transformed.define("LogisticNormal", {
  {"loc", "numeric"}, {"scale", "numeric"},
}, {})
normal.LogisticNormal = LogisticNormal

LogisticNormal.arg_constraints, LogisticNormal.support = Normal.arg_constraints, constraints.simplex

function LogisticNormal:init(...)
  local loc, scale, validate_args = parse_logistic_normal(...)
  local base = Normal(loc, scale, validate_args)
  if #base.batch_shape == 0 then base = base:expand(1) end
  transformed.start(self, base, {vectors.StickBreakingTransform()}, validate_args)
end

function LogisticNormal.get:loc() return self.base_dist.base_dist.loc end
function LogisticNormal.get:scale() return self.base_dist.base_dist.scale end

return normal
