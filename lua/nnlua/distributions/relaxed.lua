-- Continuous distributions next to discrete ones, whose draws have gradients: the Concrete distribution (Maddison et
-- al., 2017), also called Gumbel-softmax (Jang et al., 2017). The lower the temperature, the nearer.

local categorical = require "nnlua.distributions.categorical"
local constraints = require "nnlua.distributions.constraints"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local probabilities = require "nnlua.distributions.probabilities"
local transformed = require "nnlua.distributions.transformed_base"
local utils = require "nnlua.distributions.utils"

local relaxed = {}

local binary = {probs = constraints.unit_interval, logits = constraints.real}
local of_vectors = {probs = constraints.simplex, logits = constraints.real_vector}

-- The temperature as a tensor beside the parameter.
local function temperature_of(value, param)
  return type(value) == "number" and nl.tensor(value, {dtype = param.dtype}) or value
end

--- Logits of relaxed ones and zeros: `LogitRelaxedBernoulli(temperature, probs)` or `{logits = …}`.
---     > nl.distributions.LogitRelaxedBernoulli(1, 0.5):log_prob(nl.tensor(0.0))
---     tensor(-1.3863)
---@class LogitRelaxedBernoulli: Distribution
---@field temperature Tensor
---@field probs Tensor
---@field logits Tensor
local LogitRelaxedBernoulli, parse_logit = distribution.define("LogitRelaxedBernoulli", distribution.Distribution, {
  {"temperature", "numeric"}, {"probs", "numeric?"}, {"logits", "numeric?"},
})
relaxed.LogitRelaxedBernoulli = LogitRelaxedBernoulli

LogitRelaxedBernoulli.arg_constraints, LogitRelaxedBernoulli.support = binary, constraints.real
probabilities.give_fields(LogitRelaxedBernoulli, true)

function LogitRelaxedBernoulli:init(...)
  local temperature, probs, logits, validate_args = parse_logit(...)
  probabilities.set(self, probs, logits)
  self.temperature = temperature_of(temperature, self._param)
  distribution.start(self, self._param.shape, nil, validate_args)
end

function LogitRelaxedBernoulli:_rsample(shape, options)
  local whole = self:_extended_shape(shape)
  local probs = utils.clamp_probs(self.probs:expand(whole))
  local u = utils.clamp_probs(utils._rand(whole, probs, options))
  return (u:log() - (-u):log1p() + probs:log() - (-probs):log1p()) / self.temperature
end

function LogitRelaxedBernoulli:log_prob(value)
  self:_validate_sample(value)
  local logits
  logits, value = utils.broadcast_all(self.logits, value)
  local off = logits - value * self.temperature
  return self.temperature:log() + off - 2 * off:exp():log1p()
end

--- Numbers between 0 and 1, mostly next to these: `RelaxedBernoulli(temperature, probs)` or `{logits = …}`.
---     > nl.distributions.RelaxedBernoulli(1, 0.5):log_prob(nl.tensor(0.5))
---     tensor(0.)
---@class RelaxedBernoulli: TransformedDistribution
---@field temperature Tensor
---@field probs Tensor
---@field logits Tensor
local RelaxedBernoulli, parse_bernoulli = transformed.define("RelaxedBernoulli", {
  {"temperature", "numeric"}, {"probs", "numeric?"}, {"logits", "numeric?"},
}, {"temperature", "probs", "logits"})
relaxed.RelaxedBernoulli = RelaxedBernoulli

RelaxedBernoulli.arg_constraints, RelaxedBernoulli.support = binary, constraints.unit_interval

function RelaxedBernoulli:init(...)
  local temperature, probs, logits, validate_args = parse_bernoulli(...)
  probabilities.check_one(self, probs, logits)
  local base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
  transformed.start(self, base, {pointwise.SigmoidTransform()}, validate_args)
  self.has_rsample = true
end

--- Logarithms of relaxed vectors with a single 1: `ExpRelaxedCategorical(temperature, probs)` or `{logits = …}`.
---     > nl.distributions.ExpRelaxedCategorical(1, nl.ones(2)):sample():exp():sum()
---     tensor(1.)
---@class ExpRelaxedCategorical: Distribution
---@field temperature Tensor
---@field probs Tensor
---@field logits Tensor
local ExpRelaxedCategorical, parse_exp = distribution.define("ExpRelaxedCategorical", distribution.Distribution, {
  {"temperature", "numeric"}, {"probs", "tensor?"}, {"logits", "tensor?"},
})
relaxed.ExpRelaxedCategorical = ExpRelaxedCategorical

ExpRelaxedCategorical.arg_constraints, ExpRelaxedCategorical.support = of_vectors, constraints.real_vector
ExpRelaxedCategorical.has_rsample, ExpRelaxedCategorical._expanded = true, {"_categorical"}

function ExpRelaxedCategorical:init(...)
  local temperature, probs, logits, validate_args = parse_exp(...)
  probabilities.check_one(self, probs, logits)
  self._categorical = categorical.Categorical(probs, logits)
  self.temperature = temperature_of(temperature, self._categorical._param)
  distribution.start(self, self._categorical.batch_shape, {self._categorical._num_events}, validate_args)
end

for _, name in ipairs {"probs", "logits", "param_shape"} do
  ExpRelaxedCategorical.get[name] = function(self) return self._categorical[name] end
end

function ExpRelaxedCategorical:_rsample(shape, options)
  local u = utils.clamp_probs(utils._rand(self:_extended_shape(shape), self.logits, options))
  local scores = (self.logits - (-u:log()):log()) / self.temperature
  return scores - scores:logsumexp(-1, true)
end

function ExpRelaxedCategorical:log_prob(value)
  self:_validate_sample(value)
  local n, logits = self._categorical._num_events, nil
  logits, value = utils.broadcast_all(self.logits, value)
  local log_scale = nl.full_like(self.temperature, n):lgamma() + self.temperature:log() * (n - 1)
  local score = logits - value * self.temperature
  return (score - score:logsumexp(-1, true)):sum(-1) + log_scale
end

--- Vectors of probabilities, mostly next to a single 1: `RelaxedOneHotCategorical(temperature, probs)` or
--- `{logits = …}`.
---     > nl.distributions.RelaxedOneHotCategorical(1, nl.ones(2)):rsample():sum()
---     tensor(1.)
---@class RelaxedOneHotCategorical: TransformedDistribution
---@field temperature Tensor
---@field probs Tensor
---@field logits Tensor
local RelaxedOneHotCategorical, parse_one_hot = transformed.define("RelaxedOneHotCategorical", {
  {"temperature", "numeric"}, {"probs", "tensor?"}, {"logits", "tensor?"},
}, {"temperature", "probs", "logits"})
relaxed.RelaxedOneHotCategorical = RelaxedOneHotCategorical

RelaxedOneHotCategorical.arg_constraints, RelaxedOneHotCategorical.support = of_vectors, constraints.simplex

function RelaxedOneHotCategorical:init(...)
  local temperature, probs, logits, validate_args = parse_one_hot(...)
  probabilities.check_one(self, probs, logits)
  local base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
  transformed.start(self, base, {pointwise.ExpTransform()}, validate_args)
end

return relaxed
