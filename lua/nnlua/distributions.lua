-- nnlua.distributions: probability distributions, constraints of their values, and transforms between them.

local distribution = require "nnlua.distributions.distribution"
local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

--- Probability distributions: draws, densities, moments, entropies, divergences.
local distributions = {
  Distribution = distribution.Distribution,
  ExponentialFamily = distribution.ExponentialFamily,
  class = distribution.class,
  constraints = require "nnlua.distributions.constraints",
  utils = require "nnlua.distributions.utils",
}

guard.classes {distributions.Distribution, distributions.ExponentialFamily}

return on_demand.fields(distributions, guard.classes, {
  ["nnlua.distributions.bernoulli"] = "Bernoulli",
  ["nnlua.distributions.categorical"] = "Categorical OneHotCategorical OneHotCategoricalStraightThrough",
  ["nnlua.distributions.kl"] = "kl_divergence register_kl",
  ["nnlua.distributions.normal"] = "Normal",
  ["nnlua.distributions.uniform"] = "Uniform",
})
