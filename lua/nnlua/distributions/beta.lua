-- The Dirichlet distribution, the beta distribution, which is one of it, and Kumaraswamy's, which is next to that.

local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transformed = require "nnlua.distributions.transformed_base"
local uniform = require "nnlua.distributions.uniform"
local utils = require "nnlua.distributions.utils"

local beta = {}

local part = utils._part
local two_concentrations = {concentration1 = constraints.positive, concentration0 = constraints.positive}

--- Vectors of probabilities that add up to 1: `Dirichlet(concentration)`, a vector.
---     > nl.distributions.Dirichlet(nl.tensor({1.0, 3.0})).mean
---     tensor([0.2500, 0.7500])
---@class Dirichlet: ExponentialFamily
---@field concentration Tensor
local Dirichlet, parse_dirichlet = distribution.define("Dirichlet", distribution.ExponentialFamily, {
  {"concentration", "tensor"},
})
beta.Dirichlet = Dirichlet

Dirichlet.arg_constraints = {concentration = constraints.independent(constraints.positive, 1)}
Dirichlet.support, Dirichlet.has_rsample = constraints.simplex, true

function Dirichlet:init(...)
  local concentration, validate_args = parse_dirichlet(...)
  local n = concentration.ndim
  if n < 1 then core.raise(self.__name .. ": concentration must have a dimension of categories") end
  self.concentration = concentration
  distribution.start(self, part(concentration.shape, 1, n - 1), part(concentration.shape, n), validate_args)
end

function Dirichlet:_rsample(shape, options)
  return nl._sample_dirichlet(self.concentration:expand(self:_extended_shape(shape)), options)
end

function Dirichlet:log_prob(value)
  self:_validate_sample(value)
  return nl.xlogy(self.concentration - 1, value):sum(-1) + nl.lgamma(self.concentration:sum(-1))
    - nl.lgamma(self.concentration):sum(-1)
end

function Dirichlet.get:mean() return self.concentration / self.concentration:sum(-1, true) end

-- Where all concentrations are less than 1 the density is infinite at the corners: the first of the largest ones.
function Dirichlet.get:mode()
  local above = (self.concentration - 1):clamp(0)
  local mode = above / above:sum(-1, true)
  local corner = nl.F.one_hot(mode:argmax(-1), mode.shape[mode.ndim]):to(mode)
  return nl.where(self.concentration:lt(1):all(-1, true), corner, mode)
end

function Dirichlet.get:variance()
  local total = self.concentration:sum(-1, true)
  return self.concentration * (total - self.concentration) / (total ^ 2 * (total + 1))
end

function Dirichlet:entropy()
  local alpha, k = self.concentration, self.concentration.shape[self.concentration.ndim]
  local total = alpha:sum(-1)
  return nl.lgamma(alpha):sum(-1) - nl.lgamma(total) - (k - total) * nl.digamma(total)
    - ((alpha - 1) * nl.digamma(alpha)):sum(-1)
end

function Dirichlet.get:_natural_params() return {self.concentration} end

function Dirichlet:_log_normalizer(x)
  return x:lgamma():sum(-1) - nl.lgamma(x:sum(-1))
end

--- Numbers between 0 and 1: `Beta(concentration1, concentration0)`, of mean concentration1 over the sum of both.
---     > nl.distributions.Beta(2, 2):log_prob(nl.tensor(0.5))
---     tensor(0.4055)
---@class Beta: ExponentialFamily
---@field concentration1 Tensor
---@field concentration0 Tensor
local Beta, parse_beta = distribution.define("Beta", distribution.ExponentialFamily, {
  {"concentration1", "numeric"}, {"concentration0", "numeric"},
})
beta.Beta = Beta

Beta.arg_constraints, Beta.support, Beta.has_rsample = two_concentrations, constraints.unit_interval, true
Beta._expanded = {"_dirichlet"}

function Beta:init(...)
  local concentration1, concentration0, validate_args = parse_beta(...)
  local both = nl.stack({utils.broadcast_all(concentration1, concentration0)}, -1)
  self._dirichlet = Dirichlet(both, validate_args)
  distribution.start(self, self._dirichlet.batch_shape, nil, validate_args)
end

function Beta.get:concentration1() return self._dirichlet.concentration:select(-1, 1) end
function Beta.get:concentration0() return self._dirichlet.concentration:select(-1, 2) end
function Beta.get:mean() return self.concentration1 / (self.concentration1 + self.concentration0) end
function Beta.get:mode() return self._dirichlet.mode:select(-1, 1) end

function Beta.get:variance()
  local total = self.concentration1 + self.concentration0
  return self.concentration1 * self.concentration0 / (total ^ 2 * (total + 1))
end

function Beta:_rsample(shape, options)
  return self._dirichlet:rsample(shape, options):select(-1, 1)
end

function Beta:log_prob(value)
  self:_validate_sample(value)
  return self._dirichlet:log_prob(nl.stack({value, 1 - value}, -1))
end

function Beta:entropy()
  return self._dirichlet:entropy()
end

function Beta.get:_natural_params() return {self.concentration1, self.concentration0} end

function Beta:_log_normalizer(x, y)
  return nl.lgamma(x) + nl.lgamma(y) - nl.lgamma(x + y)
end

--- Numbers between 0 and 1, much as Beta's, but with a simple cdf: `Kumaraswamy(concentration1, concentration0)`.
---     > nl.distributions.Kumaraswamy(1, 2).mean
---     tensor(0.3333)
---@class Kumaraswamy: TransformedDistribution
---@field concentration1 Tensor
---@field concentration0 Tensor
local Kumaraswamy, parse_kumaraswamy = transformed.define("Kumaraswamy", {
  {"concentration1", "numeric"}, {"concentration0", "numeric"},
}, {})
beta.Kumaraswamy = Kumaraswamy

Kumaraswamy.arg_constraints, Kumaraswamy.support = two_concentrations, constraints.unit_interval
Kumaraswamy._expanded = {"concentration1", "concentration0"}

function Kumaraswamy:init(...)
  local concentration1, concentration0, validate_args = parse_kumaraswamy(...)
  distribution.set_broadcast(self, concentration1, concentration0)
  local low, high = nl.zeros_like(self.concentration0), nl.ones_like(self.concentration0)
  transformed.start(self, uniform.Uniform(low, high, validate_args), {
    pointwise.PowerTransform(self.concentration0:reciprocal()), pointwise.AffineTransform(1.0, -1.0),
    pointwise.PowerTransform(self.concentration1:reciprocal()),
  }, validate_args)
end

-- The mean of the n-th power.
local function moment(self, n)
  local a, b = 1 + n / self.concentration1, self.concentration0
  return b * nl.exp(nl.lgamma(a) + nl.lgamma(b) - nl.lgamma(a + b))
end

function Kumaraswamy.get:mean() return moment(self, 1) end
function Kumaraswamy.get:variance() return moment(self, 2) - self.mean ^ 2 end

function Kumaraswamy.get:mode()
  local a, b = self.concentration1, self.concentration0
  local log_mode = b:reciprocal() * (-b):log1p() - (-b * a):log1p()
  return log_mode:masked_fill(b:lt(1) | a:lt(1), 0 / 0):exp()
end

function Kumaraswamy:entropy()
  local a, b = self.concentration1, self.concentration0
  local harmonic = nl.digamma(b + 1) + utils._euler
  return 1 - b:reciprocal() + (1 - a:reciprocal()) * harmonic - nl.log(a) - nl.log(b)
end

return beta
