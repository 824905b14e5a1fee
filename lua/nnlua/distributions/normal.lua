-- The normal distribution.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

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
local Normal, parse_normal = distribution.define("Normal", distribution.ExponentialFamily, {
  {"loc", "numeric"}, {"scale", "numeric"},
})
normal.Normal = Normal

Normal.arg_constraints = {loc = constraints.real, scale = constraints.positive}
Normal.support, Normal.has_rsample, Normal._mean_carrier_measure = constraints.real, true, 0

function Normal:init(...)
  local loc, scale, validate_args = parse_normal(...)
  self.loc, self.scale = utils.broadcast_all(loc, scale)
  distribution.start(self, self.loc.shape, nil, validate_args)
end

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

return normal
