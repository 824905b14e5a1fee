-- Counts: of successes, of failures before them, of what happens in a while.

local args = require "nnlua.args"
local categorical = require "nnlua.distributions.categorical"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local gamma = require "nnlua.distributions.gamma"
local nl = require "nnlua"
local probabilities = require "nnlua.distributions.probabilities"
local utils = require "nnlua.distributions.utils"

local counts = {}

local raise = core.raise

-- A constructor of total_count and probs or logits.
local function start_counting(self, total_count, probs, logits, validate_args)
  local total = probabilities.set(self, probs, logits, total_count)
  self.total_count = total:type_as(self._param)
  distribution.start(self, self._param.shape, nil, validate_args)
end

local function give_count_fields(class)
  probabilities.give_fields(class, true)
  table.insert(class._expanded, "total_count")
end

--- How many of total_count trials succeed: `Binomial(total_count = 1, probs)` or `{logits = …}`.
---     > d = nl.distributions.Binomial(3, nl.tensor(0.5))
---     > d.mean, d:log_prob(nl.tensor(1.0)):exp()
---     tensor(1.5000)	tensor(0.3750)
---@class Binomial: Distribution
---@field total_count Tensor
---@field probs Tensor
---@field logits Tensor
local Binomial, parse_binomial = distribution.define("Binomial", distribution.Distribution, {
  {"total_count", "numeric", 1}, {"probs", "numeric?"}, {"logits", "numeric?"},
})
counts.Binomial = Binomial

Binomial.arg_constraints = {
  total_count = constraints.nonnegative_integer, probs = constraints.unit_interval, logits = constraints.real,
}
Binomial.has_enumerate_support = true
give_count_fields(Binomial)

function Binomial:init(...)
  start_counting(self, parse_binomial(...))
end

function Binomial.get:support() return constraints.integer_interval(0, self.total_count) end
function Binomial.get:mean() return self.total_count * self.probs end
function Binomial.get:mode() return ((self.total_count + 1) * self.probs):floor():minimum(self.total_count) end
function Binomial.get:variance() return self.total_count * self.probs * (1 - self.probs) end

function Binomial:_sample(shape, options)
  local whole = self:_extended_shape(shape)
  return nl.binomial(self.total_count:expand(whole), self.probs:expand(whole), options)
end

-- max(x, 0) with the derivative 0.5 at 0
local function above_zero(x)
  return (x:clamp(0) + x - x:clamp({max = 0})) / 2
end

function Binomial:log_prob(value)
  self:_validate_sample(value)
  local n, logits = self.total_count, self.logits
  local normalizer = n * above_zero(logits) + n * nl.log1p(nl.exp(-nl.abs(logits))) - nl.lgamma(n + 1)
  return value * logits - nl.lgamma(value + 1) - nl.lgamma(n - value + 1) - normalizer
end

-- The count of all trials of the batch.
local function one_count(self, what)
  local most = self.total_count:max():item()
  if self.total_count:min():item() ~= most then
    raise(("%s: %s needs one total_count for all of the batch"):format(self.__name, what))
  end
  return math.tointeger(most)
end

function Binomial:entropy()
  one_count(self, "entropy")
  local log_prob = self:log_prob(self:enumerate_support(false))
  return -(nl.exp(log_prob) * log_prob):sum(1)
end

function Binomial:enumerate_support(expand)
  local values = nl.arange(0, one_count(self, "enumerate_support") + 1, {dtype = self._param.dtype})
  return probabilities.enumerated(self, values, args.only("enumerate_support", "expand", expand))
end

--- How many trials succeed before total_count fail: `NegativeBinomial(total_count, probs)` or `{logits = …}`.
---     > nl.distributions.NegativeBinomial(3, nl.tensor(0.5)).mean
---     tensor(3.)
---@class NegativeBinomial: Distribution
---@field total_count Tensor
---@field probs Tensor
---@field logits Tensor
local NegativeBinomial, parse_negative = distribution.define("NegativeBinomial", distribution.Distribution, {
  {"total_count", "numeric"}, {"probs", "numeric?"}, {"logits", "numeric?"},
})
counts.NegativeBinomial = NegativeBinomial

NegativeBinomial.arg_constraints = {
  total_count = constraints.greater_than_eq(0), probs = constraints.half_open_interval(0.0, 1.0),
  logits = constraints.real,
}
NegativeBinomial.support = constraints.nonnegative_integer
give_count_fields(NegativeBinomial)

function NegativeBinomial:init(...)
  start_counting(self, parse_negative(...))
end

function NegativeBinomial.get:mean() return self.total_count * nl.exp(self.logits) end
function NegativeBinomial.get:mode() return ((self.total_count - 1) * self.logits:exp()):floor():clamp(0) end
function NegativeBinomial.get:variance() return self.mean / nl.sigmoid(-self.logits) end

-- A total_count of 0 is no concentration that Gamma takes.
function NegativeBinomial.lazy:_gamma()
  return gamma.Gamma(self.total_count, nl.exp(-self.logits), false)
end

function NegativeBinomial:_sample(shape, options)
  return nl.poisson(self._gamma:sample(shape, options), options)
end

function NegativeBinomial:log_prob(value)
  self:_validate_sample(value)
  local n, log_sigmoid = self.total_count, nl.F.logsigmoid
  local unnormalized = n * log_sigmoid(-self.logits) + value * log_sigmoid(self.logits)
  local normalizer = -nl.lgamma(n + value) + nl.lgamma(1 + value) + nl.lgamma(n)
  return unnormalized - normalizer:masked_fill((n + value):eq(0), 0)
end

--- How often each of several things happens in total_count trials: `Multinomial(total_count = 1, probs)` or
--- `{logits = …}`.
---     > nl.distributions.Multinomial(4, nl.tensor({1.0, 3.0})).mean
---     tensor([1., 3.])
---@class Multinomial: Distribution
---@field total_count integer
---@field probs Tensor
---@field logits Tensor
local Multinomial, parse_multinomial = distribution.define("Multinomial", distribution.Distribution, {
  {"total_count", "integer", 1}, {"probs", "tensor?"}, {"logits", "tensor?"},
})
counts.Multinomial = Multinomial

Multinomial.arg_constraints = {probs = constraints.simplex, logits = constraints.real_vector}
Multinomial._expanded = {"_categorical", "_binomial"}

function Multinomial:init(...)
  local total_count, probs, logits, validate_args = parse_multinomial(...)
  probabilities.check_one(self, probs, logits)
  self.total_count = total_count
  self._categorical = categorical.Categorical(probs, logits)
  self._binomial = Binomial(total_count, self.probs)
  distribution.start(self, self._categorical.batch_shape, {self._categorical._num_events}, validate_args)
end

for _, name in ipairs {"probs", "logits", "param_shape"} do
  Multinomial.get[name] = function(self) return self._categorical[name] end
end

function Multinomial.get:support() return constraints.multinomial(self.total_count) end
function Multinomial.get:mean() return self.probs * self.total_count end
function Multinomial.get:variance() return self.total_count * self.probs * (1 - self.probs) end

function Multinomial:_sample(shape, options)
  local drawn = self._categorical:sample(utils._joined({self.total_count}, shape), options)
  drawn = drawn:movedim(1, -1)
  local zeros = nl.zeros(self:_extended_shape(shape), {dtype = nl.int64})
  return zeros:scatter_add(-1, drawn, nl.ones_like(drawn)):type_as(self.probs)
end

function Multinomial:entropy()
  local n = nl.tensor(self.total_count, {dtype = self.probs.dtype})
  local support = self._binomial:enumerate_support(false):narrow(1, 2, self.total_count)
  local of_counts = nl.exp(self._binomial:log_prob(support)) * nl.lgamma(support + 1)
  return n * self._categorical:entropy() - nl.lgamma(n + 1) + of_counts:sum({1, -1})
end

function Multinomial:log_prob(value)
  self:_validate_sample(value)
  local logits
  logits, value = utils.broadcast_all(self.logits, value)
  logits = logits:masked_fill(value:eq(0) & logits:eq(-math.huge), 0)
  return nl.lgamma(value:sum(-1) + 1) - nl.lgamma(value + 1):sum(-1) + (logits * value):sum(-1)
end

--- How often something happens in a while: `Poisson(rate)`, of mean rate.
---     > nl.distributions.Poisson(2):log_prob(nl.tensor(0.0))
---     tensor(-2.)
---@class Poisson: ExponentialFamily
---@field rate Tensor
local Poisson = distribution.define_broadcast("Poisson", distribution.ExponentialFamily, {{"rate", "numeric"}})
counts.Poisson = Poisson

Poisson.arg_constraints, Poisson.support = {rate = constraints.nonnegative}, constraints.nonnegative_integer

function Poisson.get:mean() return self.rate end
function Poisson.get:mode() return self.rate:floor() end
function Poisson.get:variance() return self.rate end

function Poisson:_sample(shape, options)
  return nl.poisson(self.rate:expand(self:_extended_shape(shape)), options)
end

function Poisson:log_prob(value)
  self:_validate_sample(value)
  local rate
  rate, value = utils.broadcast_all(self.rate, value)
  return value:xlogy(rate) - rate - (value + 1):lgamma()
end

function Poisson.get:_natural_params() return {nl.log(self.rate)} end

function Poisson:_log_normalizer(x)
  return nl.exp(x)
end

return counts
