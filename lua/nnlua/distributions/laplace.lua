-- The Laplace and the Gumbel distribution.

local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transformed = require "nnlua.distributions.transformed_base"
local uniform = require "nnlua.distributions.uniform"
local utils = require "nnlua.distributions.utils"

local laplace = {}

local on_the_line = {loc = constraints.real, scale = constraints.positive}

--- Numbers whose density falls exponentially on both sides: `Laplace(loc, scale)`.
---     > nl.distributions.Laplace(0, 1):log_prob(nl.tensor(1.0))
---     tensor(-1.6931)
---@class Laplace: Distribution
---@field loc Tensor
---@field scale Tensor
local Laplace = distribution.define_broadcast("Laplace", distribution.Distribution, {
  {"loc", "numeric"}, {"scale", "numeric"},
})
laplace.Laplace = Laplace

Laplace.arg_constraints, Laplace.support, Laplace.has_rsample = on_the_line, constraints.real, true

function Laplace.get:mean() return self.loc end
function Laplace.get:mode() return self.loc end
function Laplace.get:variance() return 2 * self.scale ^ 2 end
function Laplace.get:stddev() return math.sqrt(2) * self.scale end

function Laplace:_rsample(shape, options)
  local eps = nl.finfo(self.loc.dtype).eps
  local u = nl.empty(self:_extended_shape(shape), {dtype = self.loc.dtype}):uniform_(eps - 1, 1, options)
  return self.loc - self.scale * u:sign() * nl.log1p(-u:abs())
end

function Laplace:log_prob(value)
  self:_validate_sample(value)
  return -nl.log(2 * self.scale) - nl.abs(value - self.loc) / self.scale
end

function Laplace:cdf(value)
  self:_validate_sample(value)
  local off = value - self.loc
  return 0.5 - 0.5 * off:sign() * nl.expm1(-off:abs() / self.scale)
end

function Laplace:icdf(value)
  local term = value - 0.5
  return self.loc - self.scale * term:sign() * nl.log1p(-2 * term:abs())
end

function Laplace:entropy()
  return 1 + nl.log(2 * self.scale)
end

--- The largest of many numbers, moved and scaled: `Gumbel(loc, scale)`.
---     > nl.distributions.Gumbel(0, 1).mean
---     tensor(0.5772)
---@class Gumbel: TransformedDistribution
---@field loc Tensor
---@field scale Tensor
local Gumbel, parse_gumbel = transformed.define("Gumbel", {{"loc", "numeric"}, {"scale", "numeric"}}, {})
laplace.Gumbel = Gumbel

Gumbel.arg_constraints, Gumbel.support, Gumbel._expanded = on_the_line, constraints.real, {"loc", "scale"}

function Gumbel:init(...)
  local loc, scale, validate_args = parse_gumbel(...)
  distribution.set_broadcast(self, loc, scale)
  local finfo = nl.finfo(self.loc.dtype)
  local low, high = nl.full_like(self.loc, finfo.tiny), nl.full_like(self.loc, 1 - finfo.eps)
  transformed.start(self, uniform.Uniform(low, high, validate_args), {
    pointwise.ExpTransform().inv, pointwise.AffineTransform(0, -nl.ones_like(self.scale)),
    pointwise.ExpTransform().inv, pointwise.AffineTransform(self.loc, -self.scale),
  }, validate_args)
end

function Gumbel.get:mean() return self.loc + self.scale * utils._euler end
function Gumbel.get:mode() return self.loc end
function Gumbel.get:stddev() return math.pi / math.sqrt(6) * self.scale end
function Gumbel.get:variance() return self.stddev ^ 2 end

function Gumbel:log_prob(value)
  self:_validate_sample(value)
  local y = (self.loc - value) / self.scale
  return y - y:exp() - self.scale:log()
end

function Gumbel:entropy()
  return self.scale:log() + (1 + utils._euler)
end

return laplace
