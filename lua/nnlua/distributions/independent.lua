-- Distributions whose last batch dimensions belong to the event, and mixtures.

local class = require "nnlua.class"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local independent = {}

local raise, part, joined, sum_rightmost = core.raise, utils._part, utils._joined, utils._sum_rightmost

local function check_distribution(self, value, wanted, what)
  if not class.is_a(value, wanted) then
    raise(("%s: %s was expected, not %s"):format(self.__name, what, core.describe(value)))
  end
end

--- Another distribution, so many of whose last batch dimensions are one event: `Independent(base_distribution,
--- reinterpreted_batch_ndims)`; log_prob and entropy are summed over them.
---     > d = nl.distributions.Independent(nl.distributions.Normal(nl.zeros(3), 1), 1)
---     > d.batch_shape, d.event_shape, d:log_prob(nl.zeros(3))
---     []	[3]	tensor(-2.7568)
---@class Independent: Distribution
---@field base_dist Distribution
local Independent, parse_independent = distribution.define("Independent", distribution.Distribution, {
  {"base_distribution", "any"}, {"reinterpreted_batch_ndims", "integer"},
})
independent.Independent = Independent

Independent.arg_constraints, Independent._expanded = {}, {"base_dist"}

function Independent:init(...)
  local base, count, validate_args = parse_independent(...)
  check_distribution(self, base, distribution.Distribution, "a distribution")
  if count < 0 or count > #base.batch_shape then
    raise(("%s: reinterpreted_batch_ndims must be from 0 to %d, not %d"):format(self.__name, #base.batch_shape, count))
  end
  local shape, cut = joined(base.batch_shape, base.event_shape), #base.batch_shape - count
  self.base_dist, self.reinterpreted_batch_ndims = base, count
  self.has_rsample = base.has_rsample
  self.has_enumerate_support = count == 0 and base.has_enumerate_support
  distribution.start(self, part(shape, 1, cut), part(shape, cut + 1), validate_args)
end

function Independent.get:support()
  local support, count = self.base_dist.support, self.reinterpreted_batch_ndims
  return count > 0 and support and constraints.independent(support, count) or support
end

for _, name in ipairs {"mean", "mode", "variance"} do
  Independent.get[name] = function(self) return self.base_dist[name] end
end

function Independent:_sample(shape, options)
  return self.base_dist:sample(shape, options)
end

function Independent:_rsample(shape, options)
  return self.base_dist:rsample(shape, options)
end

function Independent:log_prob(value)
  return sum_rightmost(self.base_dist:log_prob(value), self.reinterpreted_batch_ndims)
end

function Independent:entropy()
  return sum_rightmost(self.base_dist:entropy(), self.reinterpreted_batch_ndims)
end

function Independent:enumerate_support(expand)
  if self.reinterpreted_batch_ndims > 0 then raise(self.__name .. ": products of supports are not enumerated") end
  return self.base_dist:enumerate_support(expand)
end

function Independent:__tostring()
  return ("Independent(%s, %d)"):format(tostring(self.base_dist), self.reinterpreted_batch_ndims)
end

--- A mixture of distributions of one family: `MixtureSameFamily(mixture_distribution, component_distribution)`; the
--- first is a Categorical, and the second one's last batch dimension has the components.
---     > D = nl.distributions
---     > d = D.MixtureSameFamily(D.Categorical(nl.ones(2)), D.Normal(nl.tensor({-1.0, 1.0}), 1))
---     > d.mean, d.variance
---     tensor(0.)	tensor(2.)
---@class MixtureSameFamily: Distribution
---@field mixture_distribution Categorical
---@field component_distribution Distribution
local MixtureSameFamily, parse_mixture = distribution.define("MixtureSameFamily", distribution.Distribution, {
  {"mixture_distribution", "any"}, {"component_distribution", "any"},
})
independent.MixtureSameFamily = MixtureSameFamily

MixtureSameFamily.arg_constraints = {}
MixtureSameFamily._expanded = {"mixture_distribution", "component_distribution"}

function MixtureSameFamily:init(...)
  local mixture, component, validate_args = parse_mixture(...)
  check_distribution(self, mixture, nl.distributions.Categorical, "a Categorical")
  check_distribution(self, component, distribution.Distribution, "a distribution of components")
  local batch, n = component.batch_shape, #component.batch_shape
  local count = mixture.logits:size(-1)
  if n == 0 or batch[n] ~= count then
    raise(("%s: there are %d components in the mixture, but the components have the batch_shape %s"):format(
      self.__name, count, batch))
  end
  nl.broadcast_shapes(mixture.batch_shape, part(batch, 1, n - 1))
  self.mixture_distribution, self.component_distribution = mixture, component
  self._num_component, self._event_ndims = count, #component.event_shape
  distribution.start(self, part(batch, 1, n - 1), component.event_shape, validate_args)
end

function MixtureSameFamily.get:support()
  return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)
end

-- A value with a dimension for the components.
local function padded(self, value)
  return value:unsqueeze(-1 - self._event_ndims)
end

-- The probabilities of the components, as they broadcast with what each component gives.
local function weights(self)
  local probs, ones = self.mixture_distribution.probs, {}
  local mixture_dims = #self.mixture_distribution.batch_shape
  local missing = mixture_dims == 1 and 0 or #self.batch_shape - mixture_dims
  for i = 1, missing do ones[i] = 1 end
  local shape, n = probs.shape, probs.ndim
  local events = {}
  for i = 1, self._event_ndims do events[i] = 1 end
  return probs:reshape(joined(part(shape, 1, n - 1), ones, {shape[n]}, events))
end

function MixtureSameFamily.get:mean()
  return (weights(self) * self.component_distribution.mean):sum(-1 - self._event_ndims)
end

function MixtureSameFamily.get:variance()
  local probs, component, dim = weights(self), self.component_distribution, -1 - self._event_ndims
  local within = (probs * component.variance):sum(dim)
  return within + (probs * (component.mean - padded(self, self.mean)) ^ 2):sum(dim)
end

function MixtureSameFamily:cdf(value)
  return (self.component_distribution:cdf(padded(self, value)) * self.mixture_distribution.probs):sum(-1)
end

function MixtureSameFamily:log_prob(value)
  self:_validate_sample(value)
  local of_components = self.component_distribution:log_prob(padded(self, value))
  return (of_components + nl.log_softmax(self.mixture_distribution.logits, -1)):logsumexp(-1)
end

function MixtureSameFamily:_sample(shape, options)
  local chosen = self.mixture_distribution:sample(shape, options)
  local drawn = self.component_distribution:sample(shape, options)
  local dim, ones = #shape + #self.batch_shape + 1, {1}
  for _ = 1, self._event_ndims do ones[#ones + 1] = 1 end
  chosen = chosen:reshape(joined(chosen.shape, ones)):expand(joined(chosen.shape, {1}, self.event_shape))
  return drawn:gather(dim, chosen):squeeze(dim)
end

function MixtureSameFamily:__tostring()
  return ("MixtureSameFamily(\n  %s,\n  %s)"):format(tostring(self.mixture_distribution),
    tostring(self.component_distribution))
end

return independent
