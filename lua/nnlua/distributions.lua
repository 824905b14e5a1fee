-- nnlua.distributions: probability distributions, constraints of their values, and transforms between them.

local distribution = require "nnlua.distributions.distribution"
local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"
local transforms = require "nnlua.distributions.transforms"

--- Probability distributions: draws, densities, moments, entropies, divergences.
local distributions = {
  Distribution = distribution.Distribution,
  ExponentialFamily = distribution.ExponentialFamily,
  Transform = transforms.Transform,
  class = distribution.class,
  constraints = require "nnlua.distributions.constraints",
  transforms = transforms,
  utils = require "nnlua.distributions.utils",
}

guard.classes {distributions.Distribution, distributions.ExponentialFamily}

local modules = {
  ["nnlua.distributions.bernoulli"] = "Bernoulli ContinuousBernoulli Geometric",
  ["nnlua.distributions.beta"] = "Beta Dirichlet Kumaraswamy",
  ["nnlua.distributions.categorical"] = "Categorical OneHotCategorical OneHotCategoricalStraightThrough",
  ["nnlua.distributions.cauchy"] = "Cauchy HalfCauchy",
  ["nnlua.distributions.constraint_registry"] = "ConstraintRegistry biject_to transform_to",
  ["nnlua.distributions.counts"] = "Binomial Multinomial NegativeBinomial Poisson",
  ["nnlua.distributions.exponential"] = "Exponential GeneralizedPareto Pareto Weibull",
  ["nnlua.distributions.gamma"] = "Chi2 FisherSnedecor Gamma InverseGamma StudentT",
  ["nnlua.distributions.independent"] = "Independent MixtureSameFamily",
  ["nnlua.distributions.kl"] = "kl_divergence register_kl",
  ["nnlua.distributions.laplace"] = "Gumbel Laplace",
  ["nnlua.distributions.multivariate_normal"] = "LowRankMultivariateNormal MultivariateNormal",
  ["nnlua.distributions.normal"] = "HalfNormal LogNormal LogisticNormal Normal",
  ["nnlua.distributions.relaxed"] = [[
    ExpRelaxedCategorical LogitRelaxedBernoulli RelaxedBernoulli RelaxedOneHotCategorical]],
  ["nnlua.distributions.transformed"] = "TransformedDistribution",
  ["nnlua.distributions.uniform"] = "Uniform",
  ["nnlua.distributions.von_mises"] = "VonMises",
  ["nnlua.distributions.wishart"] = "LKJCholesky Wishart",
}

-- The transforms have their names here, too.
for name, module in next, on_demand.names(transforms) do
  modules[module] = (modules[module] or "") .. " " .. name
end

return on_demand.fields(distributions, guard.classes, modules)
