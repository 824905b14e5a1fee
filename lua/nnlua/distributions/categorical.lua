-- Categories: positions drawn by their probabilities, as numbers or as vectors with a single 1.

local args = require "nnlua.args"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local probabilities = require "nnlua.distributions.probabilities"
local utils = require "nnlua.distributions.utils"

local categorical = {}

local part = utils._part

--- Positions from 1 to n with the probabilities of a vector of n: `Categorical(probs)`, which need not add up to one,
--- or `Categorical({logits = …})`, logarithms of such. What is drawn, and what log_prob takes, counts from 1.
---     > d = nl.distributions.Categorical(nl.tensor({1.0, 1.0, 2.0}))
---     > d.probs, d:log_prob(nl.tensor(3))
---     tensor([0.2500, 0.2500, 0.5000])	tensor(-0.6931)
---@class Categorical: Distribution
---@field probs Tensor
---@field logits Tensor
local Categorical, parse_categorical = distribution.define("Categorical", distribution.Distribution, {
  {"probs", "tensor?"}, {"logits", "tensor?"},
})
categorical.Categorical = Categorical

Categorical.arg_constraints = {probs = constraints.simplex, logits = constraints.real_vector}
Categorical.has_enumerate_support = true
probabilities.give_fields(Categorical, false)

function Categorical:init(...)
  local probs, logits, validate_args = parse_categorical(...)
  probabilities.check_one(self, probs, logits)
  if (probs or logits).ndim < 1 then
    core.raise(("%s: %s must have a dimension of categories"):format(self.__name, probs and "probs" or "logits"))
  end
  probabilities.set(self, probs and probs / probs:sum(-1, true), logits and logits - logits:logsumexp(-1, true))
  self._num_events = self._param.shape[self._param.ndim]
  distribution.start(self, part(self._param.shape, 1, self._param.ndim - 1), nil, validate_args)
end

function Categorical.get:support() return constraints.integer_interval(1, self._num_events) end

local function not_a_number(self)
  return nl.full(self:_extended_shape(), 0 / 0, {dtype = self.probs.dtype})
end

Categorical.get.mean, Categorical.get.variance = not_a_number, not_a_number

function Categorical.get:mode() return self.probs:argmax(-1) end

function Categorical:_sample(shape, options)
  local rows = self.probs:reshape(-1, self._num_events)
  return nl.multinomial(rows, shape:numel(), true, options).T:reshape(self:_extended_shape(shape))
end

function Categorical:log_prob(value)
  self:_validate_sample(value)
  local positions, log_probs = nl.broadcast_tensors(value:to(nl.int64):unsqueeze(-1), self.logits)
  return log_probs:gather(-1, positions:narrow(-1, 1, 1)):squeeze(-1)
end

function Categorical:entropy()
  local logits = self.logits:clamp(nl.finfo(self.logits.dtype).min)
  return -(logits * self.probs):sum(-1)
end

function Categorical:enumerate_support(expand)
  local values = nl.arange(1, self._num_events + 1)
  return probabilities.enumerated(self, values, args.only("enumerate_support", "expand", expand))
end

--- Vectors of n with a single 1 at the place that a Categorical draws: `OneHotCategorical(probs)` or `{logits = …}`.
---     > nl.distributions.OneHotCategorical(nl.tensor({0.0, 1.0})):sample()
---     tensor([0., 1.])
---@class OneHotCategorical: Distribution
---@field probs Tensor
---@field logits Tensor
local OneHotCategorical, parse_one_hot = distribution.define("OneHotCategorical", distribution.Distribution, {
  {"probs", "tensor?"}, {"logits", "tensor?"},
})
categorical.OneHotCategorical = OneHotCategorical

OneHotCategorical.arg_constraints = Categorical.arg_constraints
OneHotCategorical.support, OneHotCategorical.has_enumerate_support = constraints.one_hot, true
OneHotCategorical._expanded = {"_categorical"}

function OneHotCategorical:init(...)
  local probs, logits, validate_args = parse_one_hot(...)
  probabilities.check_one(self, probs, logits)
  self._categorical = Categorical(probs, logits)
  distribution.start(self, self._categorical.batch_shape, {self._categorical._num_events}, validate_args)
end

for _, name in ipairs {"probs", "logits", "param_shape", "_param"} do
  OneHotCategorical.get[name] = function(self) return self._categorical[name] end
end

local function one_hot(positions, like)
  return nl.F.one_hot(positions, like.shape[like.ndim]):to(like)
end

function OneHotCategorical.get:mean() return self.probs end
function OneHotCategorical.get:mode() return one_hot(self.probs:argmax(-1), self.probs) end
function OneHotCategorical.get:variance() return self.probs * (1 - self.probs) end

function OneHotCategorical:_sample(shape, options)
  return one_hot(self._categorical:sample(shape, options), self.probs)
end

function OneHotCategorical:log_prob(value)
  self:_validate_sample(value)
  local _, positions = value:max(-1)
  return self._categorical:log_prob(positions)
end

function OneHotCategorical:entropy()
  return self._categorical:entropy()
end

function OneHotCategorical:enumerate_support(expand)
  local values = nl.eye(self.event_shape[1], {dtype = self._param.dtype})
  return probabilities.enumerated(self, values, args.only("enumerate_support", "expand", expand))
end

--- A OneHotCategorical whose rsample passes gradients straight through to the probabilities (Bengio et al., 2013).
---     > probs = nl.tensor({0.5, 0.5}, {requires_grad = true})
---     > nl.distributions.OneHotCategoricalStraightThrough(probs):rsample().requires_grad
---     true
---@class OneHotCategoricalStraightThrough: OneHotCategorical
local StraightThrough = distribution.define("OneHotCategoricalStraightThrough", OneHotCategorical, {
  {"probs", "tensor?"}, {"logits", "tensor?"},
})
categorical.OneHotCategoricalStraightThrough = StraightThrough

StraightThrough.has_rsample = true

function StraightThrough:_rsample(shape, options)
  local probs = self.probs
  return self:sample(shape, options) + (probs - probs:detach())
end

return categorical
