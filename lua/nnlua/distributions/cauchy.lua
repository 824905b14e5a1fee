-- The Cauchy distribution, and that of its magnitudes.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local transformed = require "nnlua.distributions.transformed_base"

local cauchy = {}

local pi = math.pi

--- The quotient of two normal numbers of mean 0, moved and scaled: `Cauchy(loc, scale)`. It has no mean.
---     > nl.distributions.Cauchy(0, 1):cdf(nl.tensor(1.0))
---     tensor(0.7500)
---@class Cauchy: Distribution
---@field loc Tensor
---@field scale Tensor
local Cauchy = distribution.define_broadcast("Cauchy", distribution.Distribution, {
  {"loc", "numeric"}, {"scale", "numeric"},
})
cauchy.Cauchy = Cauchy

Cauchy.arg_constraints = {loc = constraints.real, scale = constraints.positive}
Cauchy.support, Cauchy.has_rsample = constraints.real, true

function Cauchy.get:mean() return nl.full_like(self.loc, 0 / 0) end
function Cauchy.get:mode() return self.loc end
function Cauchy.get:variance() return nl.full_like(self.loc, math.huge) end

function Cauchy:_rsample(shape, options)
  return self.loc + nl.empty(self:_extended_shape(shape), {dtype = self.loc.dtype}):cauchy_(options) * self.scale
end

function Cauchy:log_prob(value)
  self:_validate_sample(value)
  return -math.log(pi) - self.scale:log() - (((value - self.loc) / self.scale) ^ 2):log1p()
end

function Cauchy:cdf(value)
  self:_validate_sample(value)
  return nl.atan((value - self.loc) / self.scale) / pi + 0.5
end

function Cauchy:icdf(value)
  return nl.tan(pi * (value - 0.5)) * self.scale + self.loc
end

function Cauchy:entropy()
  return math.log(4 * pi) + self.scale:log()
end

--- Magnitudes of Cauchy numbers about 0: `HalfCauchy(scale)`.
---     > nl.distributions.HalfCauchy(1):cdf(nl.tensor(1.0))
---     tensor(0.5000)
---@class HalfCauchy: TransformedDistribution
---@field scale Tensor
local HalfCauchy, parse = transformed.define("HalfCauchy", {{"scale", "numeric"}}, {"scale", "variance"})
cauchy.HalfCauchy = HalfCauchy

HalfCauchy.arg_constraints, HalfCauchy.support = {scale = constraints.positive}, constraints.nonnegative

function HalfCauchy:init(...)
  local scale, validate_args = parse(...)
  transformed.start_half(self, Cauchy(0, scale, false), validate_args)
end

transformed.give_half_functions(HalfCauchy)

function HalfCauchy.get:mean() return nl.full_like(self.scale, math.huge) end

return cauchy
