-- The uniform distribution.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local uniform = {}

--- Numbers from low up to, but not including, high, all as likely: `Uniform(low, high)`.
---     > nl.distributions.Uniform(0, 4):log_prob(nl.tensor(1.0))
---     tensor(-1.3863)
---@class Uniform: Distribution
---@field low Tensor
---@field high Tensor
local Uniform = distribution.define_broadcast("Uniform", distribution.Distribution, {
  {"low", "numeric"}, {"high", "numeric"},
})
uniform.Uniform = Uniform

Uniform.has_rsample = true

function Uniform.get:arg_constraints()
  return {low = constraints.less_than(self.high), high = constraints.greater_than(self.low)}
end

function Uniform.get:support() return constraints.interval(self.low, self.high) end

function Uniform.get:mean() return (self.high + self.low) / 2 end
function Uniform.get:mode() return 0 / 0 * self.high end
function Uniform.get:stddev() return (self.high - self.low) / math.sqrt(12) end
function Uniform.get:variance() return (self.high - self.low) ^ 2 / 12 end

function Uniform:_rsample(shape, options)
  return self.low + utils._rand(self:_extended_shape(shape), self.low, options) * (self.high - self.low)
end

function Uniform:log_prob(value)
  self:_validate_sample(value)
  local above, below = self.low:le(value):type_as(self.low), self.high:gt(value):type_as(self.low)
  return nl.log(above * below) - nl.log(self.high - self.low)
end

function Uniform:cdf(value)
  self:_validate_sample(value)
  return ((value - self.low) / (self.high - self.low)):clamp(0, 1)
end

function Uniform:icdf(value)
  return value * (self.high - self.low) + self.low
end

function Uniform:entropy()
  return nl.log(self.high - self.low)
end

return uniform
