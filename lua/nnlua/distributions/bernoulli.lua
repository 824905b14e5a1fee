-- Ones and zeros.

local args = require "nnlua.args"
local constraints = require "nnlua.distributions.constraints"
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
local Bernoulli, parse = distribution.define("Bernoulli", distribution.ExponentialFamily, {
  {"probs", "numeric?"}, {"logits", "numeric?"},
})
bernoulli.Bernoulli = Bernoulli

Bernoulli.arg_constraints = {probs = constraints.unit_interval, logits = constraints.real}
Bernoulli.support, Bernoulli.has_enumerate_support = constraints.boolean, true
Bernoulli._mean_carrier_measure = 0
probabilities.give_fields(Bernoulli, true)

function Bernoulli:init(...)
  local probs, logits, validate_args = parse(...)
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

return bernoulli
