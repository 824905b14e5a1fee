-- Ones and zeros; the continuous distribution of that density; how many trials fail before one succeeds.

local args = require "nnlua.args"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local probabilities = require "nnlua.distributions.probabilities"
local utils = require "nnlua.distributions.utils"

local bernoulli = {}

--- Ones with a probability, else zeros: `Bernoulli(probs)` or `Bernoulli({logits = …})`, the logarithms of odds.
---     > d = nl.distributions.Bernoulli(nl.tensor({0.25, 0.5}))
---     > d.variance, d:log_prob(nl.tensor({1.0, 0.0}))
---     tensor([0.1875, 0.2500])	tensor([-1.3863, -0.6931])
---@class Bernoulli: ExponentialFamily
---@field probs Tensor
---@field logits Tensor
local Bernoulli, parse_bernoulli = distribution.define("Bernoulli", distribution.ExponentialFamily, {
  {"probs", "numeric?"}, {"logits", "numeric?"},
})
bernoulli.Bernoulli = Bernoulli

Bernoulli.arg_constraints = {probs = constraints.unit_interval, logits = constraints.real}
Bernoulli.support, Bernoulli.has_enumerate_support = constraints.boolean, true
Bernoulli._mean_carrier_measure = 0
probabilities.give_fields(Bernoulli, true)

function Bernoulli:init(...)
  local probs, logits, validate_args = parse_bernoulli(...)
  probabilities.set(self, probs, logits)
  distribution.start(self, self._param.shape, nil, validate_args)
end

function Bernoulli.get:mean() return self.probs end

function Bernoulli.get:mode()
  return self.probs:ge(0.5):to(self.probs):masked_fill(self.probs:eq(0.5), 0 / 0)
end

function Bernoulli.get:variance() return self.probs * (1 - self.probs) end

function Bernoulli:_sample(shape, options)
  return nl.bernoulli(self.probs:expand(self:_extended_shape(shape)), options)
end

function Bernoulli:log_prob(value)
  self:_validate_sample(value)
  local logits
  logits, value = utils.broadcast_all(self.logits, value)
  return -nl.F.binary_cross_entropy_with_logits(logits, value, {reduction = "none"})
end

function Bernoulli:entropy()
  return nl.F.binary_cross_entropy_with_logits(self.logits, self.probs, {reduction = "none"})
end

function Bernoulli:enumerate_support(expand)
  local values = nl.arange(0, 2, {dtype = self._param.dtype})
  return probabilities.enumerated(self, values, args.only("enumerate_support", "expand", expand))
end

function Bernoulli.get:_natural_params() return {nl.logit(self.probs)} end

function Bernoulli:_log_normalizer(x)
  return nl.log1p(nl.exp(x))
end

--- Numbers between 0 and 1 whose density is in proportion to probs^x (1 - probs)^(1 - x) (Loaiza-Ganem and Cunningham,
--- 2019): `ContinuousBernoulli(probs)` or `{logits = …}`. Between the two `lims` formulas give way to Taylor series.
---     > nl.distributions.ContinuousBernoulli(0.5):log_prob(nl.tensor(0.25))
---     tensor(0.)
---@class ContinuousBernoulli: ExponentialFamily
---@field probs Tensor
---@field logits Tensor
local ContinuousBernoulli, parse_continuous = distribution.define("ContinuousBernoulli",
  distribution.ExponentialFamily, {{"probs", "numeric?"}, {"logits", "numeric?"}, {"lims", "list", {0.499, 0.501}}})
bernoulli.ContinuousBernoulli = ContinuousBernoulli

ContinuousBernoulli.arg_constraints = Bernoulli.arg_constraints
ContinuousBernoulli.support, ContinuousBernoulli.has_rsample = constraints.unit_interval, true
ContinuousBernoulli._mean_carrier_measure = 0
probabilities.give_fields(ContinuousBernoulli, true)

function ContinuousBernoulli:init(...)
  local probs, logits, lims, validate_args = parse_continuous(...)
  self._lims = lims
  probabilities.set(self, probs, logits)
  distribution.start(self, self._param.shape, nil, validate_args) -- before probs is moved inside of its bounds
  if probs then
    self.probs = utils.clamp_probs(self.probs)
    self._param = self.probs
  end
end

function ContinuousBernoulli.lazy:probs()
  return utils.clamp_probs(utils.logits_to_probs(self.logits, true))
end

-- Where the formulas hold, and probs there, else a number at which they do.
local function stable(self)
  local holds = self.probs:le(self._lims[1]) | self.probs:gt(self._lims[2])
  return holds, nl.where(holds, self.probs, self._lims[1])
end

local function log_odds_against(probs)
  return nl.log1p(-probs) - nl.log(probs)
end

--- The logarithm of the constant that the density is scaled by.
function ContinuousBernoulli:_log_norm()
  local holds, cut = stable(self)
  local is_low = cut:le(0.5)
  local below = nl.log1p(-2 * cut:masked_fill(is_low:logical_not(), 0))
  local above = nl.log(2 * cut:masked_fill(cut:lt(0.5), 1) - 1)
  local exact = nl.log(nl.abs(log_odds_against(cut))) - nl.where(is_low, below, above)
  local x = (self.probs - 0.5) ^ 2
  return nl.where(holds, exact, math.log(2) + (4 / 3 + 104 / 45 * x) * x)
end

function ContinuousBernoulli.get:mean()
  local holds, cut = stable(self)
  local x = self.probs - 0.5
  local taylor = 0.5 + (1 / 3 + 16 / 45 * x ^ 2) * x
  return nl.where(holds, cut / (2 * cut - 1) + 1 / log_odds_against(cut), taylor)
end

function ContinuousBernoulli.get:variance()
  local holds, cut = stable(self)
  local x = (self.probs - 0.5) ^ 2
  local taylor = 1 / 12 - (1 / 15 - 128 / 945 * x) * x
  return nl.where(holds, cut * (cut - 1) / (1 - 2 * cut) ^ 2 + 1 / log_odds_against(cut) ^ 2, taylor)
end

function ContinuousBernoulli:_rsample(shape, options)
  return self:icdf(utils._rand(self:_extended_shape(shape), self.probs, options))
end

function ContinuousBernoulli:log_prob(value)
  self:_validate_sample(value)
  local logits
  logits, value = utils.broadcast_all(self.logits, value)
  return -nl.F.binary_cross_entropy_with_logits(logits, value, {reduction = "none"}) + self:_log_norm()
end

function ContinuousBernoulli:cdf(value)
  self:_validate_sample(value)
  local holds, cut = stable(self)
  local exact = (cut ^ value * (1 - cut) ^ (1 - value) + cut - 1) / (2 * cut - 1)
  return nl.where(holds, exact, value):masked_fill(value:le(0), 0):masked_fill(value:ge(1), 1)
end

function ContinuousBernoulli:icdf(value)
  local holds, cut = stable(self)
  local rest = nl.log1p(-cut)
  return nl.where(holds, (nl.log1p(-cut + value * (2 * cut - 1)) - rest) / (nl.log(cut) - rest), value)
end

function ContinuousBernoulli:entropy()
  local log0, log1 = nl.log1p(-self.probs), nl.log(self.probs)
  return self.mean * (log0 - log1) - self:_log_norm() - log0
end

function ContinuousBernoulli.get:_natural_params() return {self.logits} end

function ContinuousBernoulli:_log_normalizer(x)
  local low, high = self._lims[1] - 0.5, self._lims[2] - 0.5
  local holds = x:le(low) | x:gt(high)
  local cut = nl.where(holds, x, low)
  local exact = nl.log(nl.abs(nl.expm1(cut))) - nl.log(nl.abs(cut))
  return nl.where(holds, exact, 0.5 * x + x ^ 2 / 24 - x ^ 4 / 2880)
end

--- How many trials fail before the first success: `Geometric(probs)` or `{logits = …}`.
---     > nl.distributions.Geometric(0.25).mean
---     tensor(3.)
---@class Geometric: Distribution
---@field probs Tensor
---@field logits Tensor
local Geometric, parse_geometric = distribution.define("Geometric", distribution.Distribution, {
  {"probs", "numeric?"}, {"logits", "numeric?"},
})
bernoulli.Geometric = Geometric

Geometric.arg_constraints, Geometric.support = Bernoulli.arg_constraints, constraints.nonnegative_integer
probabilities.give_fields(Geometric, true)

function Geometric:init(...)
  local probs, logits, validate_args = parse_geometric(...)
  probabilities.set(self, probs, logits)
  distribution.start(self, self._param.shape, nil, validate_args)
  if self._validate_args and probs and not self.probs:gt(0):all():item() then
    core.raise(("%s: probs must be greater than 0, but it holds %s"):format(self.__name, tostring(self.probs)))
  end
end

function Geometric.get:mean() return 1 / self.probs - 1 end
function Geometric.get:mode() return nl.zeros_like(self.probs) end
function Geometric.get:variance() return (1 / self.probs - 1) / self.probs end

function Geometric:_sample(shape, options)
  local tiny = nl.finfo(self.probs.dtype).tiny
  local u = nl.empty(self:_extended_shape(shape), {dtype = self.probs.dtype}):uniform_(tiny, 1, options)
  return (u:log() / (-self.probs):log1p()):floor()
end

function Geometric:log_prob(value)
  self:_validate_sample(value)
  local probs
  value, probs = utils.broadcast_all(value, self.probs)
  probs = probs:masked_fill(probs:eq(1) & value:eq(0), 0)
  return value * (-probs):log1p() + self.probs:log()
end

function Geometric:entropy()
  return nl.F.binary_cross_entropy_with_logits(self.logits, self.probs, {reduction = "none"}) / self.probs
end

return bernoulli
