-- The gamma distribution, and what is made of it.

local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transformed = require "nnlua.distributions.transformed_base"
local utils = require "nnlua.distributions.utils"

local gamma = {}

local positive = constraints.positive
local nan, inf = 0 / 0, math.huge

--- Gamma numbers: `Gamma(concentration, rate)`, of mean concentration / rate.
---     > nl.distributions.Gamma(2, 1):log_prob(nl.tensor(1.0))
---     tensor(-1.)
---@class Gamma: ExponentialFamily
---@field concentration Tensor
---@field rate Tensor
local Gamma = distribution.define_broadcast("Gamma", distribution.ExponentialFamily, {
  {"concentration", "numeric"}, {"rate", "numeric"},
})
gamma.Gamma = Gamma

Gamma.arg_constraints, Gamma.support = {concentration = positive, rate = positive}, constraints.nonnegative
Gamma.has_rsample, Gamma._mean_carrier_measure = true, 0

function Gamma.get:mean() return self.concentration / self.rate end
function Gamma.get:mode() return ((self.concentration - 1) / self.rate):clamp(0) end
function Gamma.get:variance() return self.concentration / self.rate ^ 2 end

function Gamma:_rsample(shape, options)
  local whole = self:_extended_shape(shape)
  local value = nl._standard_gamma(self.concentration:expand(whole), options) / self.rate:expand(whole)
  local tiny = nl.finfo(value.dtype).tiny
  if not value.requires_grad then return value:clamp_(tiny) end
  local plain = value:detach()
  return value + (plain:clamp(tiny) - plain) -- the gradient passes by the clamp
end

function Gamma:log_prob(value)
  if core.is_tensor(value) then value = value:to(self.rate.dtype) end
  self:_validate_sample(value)
  return nl.xlogy(self.concentration, self.rate) + nl.xlogy(self.concentration - 1, value) - self.rate * value
    - nl.lgamma(self.concentration)
end

function Gamma:cdf(value)
  self:_validate_sample(value)
  return nl.igamma(self.concentration, self.rate * value)
end

function Gamma:entropy()
  return self.concentration - nl.log(self.rate) + nl.lgamma(self.concentration)
    + (1 - self.concentration) * nl.digamma(self.concentration)
end

function Gamma.get:_natural_params() return {self.concentration - 1, -self.rate} end

function Gamma:_log_normalizer(x, y)
  return nl.lgamma(x + 1) + (x + 1) * nl.log(-y:reciprocal())
end

--- The sum of the squares of so many standard normal numbers: `Chi2(df)`.
---     > nl.distributions.Chi2(3).mean
---     tensor(3.)
---@class Chi2: Gamma
---@field df Tensor
local Chi2, parse_chi2 = distribution.define("Chi2", Gamma, {{"df", "numeric"}})
gamma.Chi2 = Chi2

Chi2.arg_constraints = {df = positive}

function Chi2:init(...)
  local df, validate_args = parse_chi2(...)
  self.concentration, self.rate = utils.broadcast_all(0.5 * df, 0.5)
  distribution.start(self, self.concentration.shape, nil, validate_args)
end

function Chi2.get:df() return self.concentration * 2 end

--- Reciprocals of gamma numbers: `InverseGamma(concentration, rate)`.
---     > nl.distributions.InverseGamma(3, 1).mean
---     tensor(0.5000)
---@class InverseGamma: TransformedDistribution
---@field concentration Tensor
---@field rate Tensor
local InverseGamma, parse_inverse_gamma = transformed.define("InverseGamma", {
  {"concentration", "numeric"}, {"rate", "numeric"},
}, {"concentration", "rate"})
gamma.InverseGamma = InverseGamma

InverseGamma.arg_constraints, InverseGamma.support = Gamma.arg_constraints, positive

function InverseGamma:init(...)
  local concentration, rate, validate_args = parse_inverse_gamma(...)
  local base = Gamma(concentration, rate, validate_args)
  transformed.start(self, base, {pointwise.PowerTransform(-base.rate:new_ones({}))}, validate_args)
end

function InverseGamma.get:mean()
  return nl.where(self.concentration:gt(1), self.rate / (self.concentration - 1), inf)
end

function InverseGamma.get:mode() return self.rate / (self.concentration + 1) end

function InverseGamma.get:variance()
  local result = self.rate:square() / ((self.concentration - 1):square() * (self.concentration - 2))
  return nl.where(self.concentration:gt(2), result, inf)
end

function InverseGamma:entropy()
  local alpha = self.concentration
  return alpha + self.rate:log() + alpha:lgamma() - (1 + alpha) * alpha:digamma()
end

--- A normal number over the root of a Chi2 number that is divided by its df: `StudentT(df, loc = 0, scale = 1)`.
---     > nl.distributions.StudentT(3).variance
---     tensor(3.)
---@class StudentT: Distribution
---@field df Tensor
---@field loc Tensor
---@field scale Tensor
local StudentT, parse_student = distribution.define("StudentT", distribution.Distribution, {
  {"df", "numeric"}, {"loc", "numeric", 0}, {"scale", "numeric", 1},
})
gamma.StudentT = StudentT

StudentT.arg_constraints = {df = positive, loc = constraints.real, scale = positive}
StudentT.support, StudentT.has_rsample = constraints.real, true
StudentT._expanded = {"df", "loc", "scale", "_chi2"}

function StudentT:init(...)
  local df, loc, scale, validate_args = parse_student(...)
  distribution.set_broadcast(self, df, loc, scale)
  self._chi2 = Chi2(self.df)
  distribution.start(self, self.df.shape, nil, validate_args)
end

function StudentT.get:mean() return self.loc:masked_fill(self.df:le(1), nan) end
function StudentT.get:mode() return self.loc end

function StudentT.get:variance()
  local finite = self.df:gt(2)
  local variance = self.scale ^ 2 * self.df / (nl.where(finite, self.df, 3) - 2)
  return variance:masked_fill(finite:logical_not(), inf):masked_fill(self.df:le(1), nan)
end

function StudentT:_rsample(shape, options)
  local x = utils._standard_normal(self:_extended_shape(shape), self.df, options)
  local z = self._chi2:rsample(shape, options)
  return self.loc + self.scale * (x * nl.rsqrt(z / self.df))
end

function StudentT:log_prob(value)
  self:_validate_sample(value)
  local y, df = (value - self.loc) / self.scale, self.df
  local z = self.scale:log() + 0.5 * df:log() + 0.5 * math.log(math.pi) + nl.lgamma(0.5 * df)
    - nl.lgamma(0.5 * (df + 1))
  return -0.5 * (df + 1) * nl.log1p(y ^ 2 / df) - z
end

function StudentT:entropy()
  local df, upper = self.df, 0.5 * (self.df + 1)
  local log_beta = nl.lgamma(0.5 * df) + 0.5 * math.log(math.pi) - nl.lgamma(upper)
  return self.scale:log() + upper * (nl.digamma(upper) - nl.digamma(0.5 * df)) + 0.5 * df:log() + log_beta
end

--- The quotient of two Chi2 numbers, each over its df: `FisherSnedecor(df1, df2)`.
---     > nl.distributions.FisherSnedecor(2, 4).mean
---     tensor(2.)
---@class FisherSnedecor: Distribution
---@field df1 Tensor
---@field df2 Tensor
local FisherSnedecor, parse_fisher = distribution.define("FisherSnedecor", distribution.Distribution, {
  {"df1", "numeric"}, {"df2", "numeric"},
})
gamma.FisherSnedecor = FisherSnedecor

FisherSnedecor.arg_constraints, FisherSnedecor.support = {df1 = positive, df2 = positive}, positive
FisherSnedecor.has_rsample, FisherSnedecor._expanded = true, {"df1", "df2", "_gamma1", "_gamma2"}

function FisherSnedecor:init(...)
  local df1, df2, validate_args = parse_fisher(...)
  distribution.set_broadcast(self, df1, df2)
  self._gamma1, self._gamma2 = Gamma(self.df1 * 0.5, self.df1), Gamma(self.df2 * 0.5, self.df2)
  distribution.start(self, self.df1.shape, nil, validate_args)
end

function FisherSnedecor.get:mean()
  local df2 = self.df2:masked_fill(self.df2:le(2), nan)
  return df2 / (df2 - 2)
end

function FisherSnedecor.get:mode()
  local mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
  return mode:masked_fill(self.df1:le(2), nan)
end

function FisherSnedecor.get:variance()
  local df2 = self.df2:masked_fill(self.df2:le(4), nan)
  return 2 * df2 ^ 2 * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2) ^ 2 * (df2 - 4))
end

function FisherSnedecor:_rsample(shape, options)
  local tiny = nl.finfo(self.df1.dtype).tiny
  local x1, x2 = self._gamma1:rsample(shape, options), self._gamma2:rsample(shape, options)
  return (x1 / x2:clamp(tiny)):clamp(tiny)
end

function FisherSnedecor:log_prob(value)
  self:_validate_sample(value)
  local half1, half2, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
  local t1 = (half1 + half2):lgamma() - half1:lgamma() - half2:lgamma()
  local t2 = half1 * ratio:log() + (half1 - 1) * nl.log(value)
  return t1 + t2 - (half1 + half2) * nl.log1p(ratio * value)
end

return gamma
