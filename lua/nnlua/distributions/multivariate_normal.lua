-- Multivariate normal distributions, of any covariance and of one that is a low rank beside a diagonal.

local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local covariance = require "nnlua.distributions.covariance"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local multivariate_normal = {}

local raise, part, joined = core.raise, utils._part, utils._joined
local log_two_pi = math.log(2 * math.pi)

--- Vectors of normal numbers that hang together: `MultivariateNormal(loc, covariance_matrix)`, or, by name,
--- `precision_matrix`, its inverse, or `scale_tril`, its lower Cholesky factor, which is the fastest.
---     > d = nl.distributions.MultivariateNormal(nl.zeros(2), nl.eye(2))
---     > d.event_shape, d:log_prob(nl.zeros(2))
---     [2]	tensor(-1.8379)
---@class MultivariateNormal: Distribution
---@field loc Tensor
---@field covariance_matrix Tensor
---@field precision_matrix Tensor
---@field scale_tril Tensor
local MultivariateNormal, parse_normal = distribution.define("MultivariateNormal", distribution.Distribution, {
  {"loc", "tensor"}, {"covariance_matrix", "tensor?"}, {"precision_matrix", "tensor?"}, {"scale_tril", "tensor?"},
})
multivariate_normal.MultivariateNormal = MultivariateNormal

MultivariateNormal.arg_constraints = {
  loc = constraints.real_vector, covariance_matrix = constraints.positive_definite,
  precision_matrix = constraints.positive_definite, scale_tril = constraints.lower_cholesky,
}
MultivariateNormal.support, MultivariateNormal.has_rsample = constraints.real_vector, true
covariance.give_fields(MultivariateNormal)

function MultivariateNormal:init(...)
  local loc, matrix, precision, scale_tril, validate_args = parse_normal(...)
  if loc.ndim < 1 then raise(self.__name .. ": loc must be a vector, or a batch of them") end
  local batch_shape = covariance.set(self, part(loc.shape, 1, loc.ndim - 1), matrix, precision, scale_tril)
  self.loc = loc:expand(joined(batch_shape, part(loc.shape, loc.ndim)))
  distribution.start(self, batch_shape, part(loc.shape, loc.ndim), validate_args)
  covariance.factorize(self, matrix, precision, scale_tril)
end

function MultivariateNormal.get:mean() return self.loc end
function MultivariateNormal.get:mode() return self.loc end

function MultivariateNormal.get:variance()
  return (self._unbroadcasted_scale_tril ^ 2):sum(-1):expand(joined(self.batch_shape, self.event_shape))
end

function MultivariateNormal:_rsample(shape, options)
  local normal = utils._standard_normal(self:_extended_shape(shape), self.loc, options)
  return self.loc + covariance.product(self._unbroadcasted_scale_tril, normal)
end

function MultivariateNormal:log_prob(value)
  self:_validate_sample(value)
  local distance = covariance.mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
  return -0.5 * (self.event_shape[1] * log_two_pi + distance) - covariance.half_log_det(self)
end

function MultivariateNormal:entropy()
  return (0.5 * self.event_shape[1] * (1 + log_two_pi) + covariance.half_log_det(self)):expand(self.batch_shape)
end

-- -------------------------------------------------------------- low rank

--- Vectors of normal numbers whose covariance is W W^T + diag(D): `LowRankMultivariateNormal(loc, cov_factor,
--- cov_diag)` are the mean, W (n, m) and D.
---     > d = nl.distributions.LowRankMultivariateNormal(nl.zeros(2), nl.ones(2, 1), nl.ones(2))
---     > d.covariance_matrix
---     tensor([[2., 1.],
---             [1., 2.]])
---@class LowRankMultivariateNormal: Distribution
---@field loc Tensor
---@field cov_factor Tensor
---@field cov_diag Tensor
---@field covariance_matrix Tensor
---@field precision_matrix Tensor
---@field scale_tril Tensor
local LowRank, parse_low_rank = distribution.define("LowRankMultivariateNormal", distribution.Distribution, {
  {"loc", "tensor"}, {"cov_factor", "tensor"}, {"cov_diag", "tensor"},
})
multivariate_normal.LowRankMultivariateNormal = LowRank

LowRank.arg_constraints = {
  loc = constraints.real_vector, cov_factor = constraints.independent(constraints.real, 2),
  cov_diag = constraints.independent(constraints.positive, 1),
}
LowRank.support, LowRank.has_rsample = constraints.real_vector, true

local function check_low_rank(self, loc, factor, diag)
  local n = loc.ndim > 0 and loc.shape[loc.ndim]
  if not n or factor.ndim < 2 or factor.shape[factor.ndim - 1] ~= n or diag.ndim < 1 or diag.shape[diag.ndim] ~= n then
    raise(("%s: loc (n), cov_factor (n, m) and cov_diag (n) were expected, not the shapes %s, %s and %s"):format(
      self.__name, loc.shape, factor.shape, diag.shape))
  end
end

function LowRank:init(...)
  local loc, factor, diag, validate_args = parse_low_rank(...)
  check_low_rank(self, loc, factor, diag)
  self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = factor, diag
  loc, self.cov_factor, diag = nl.broadcast_tensors(loc:unsqueeze(-1), factor, diag:unsqueeze(-1))
  self.loc, self.cov_diag = loc:select(-1, 1), diag:select(-1, 1)
  self._capacitance_tril = covariance.capacitance_tril(factor, self._unbroadcasted_cov_diag)
  local shape = self.loc.shape
  distribution.start(self, part(shape, 1, #shape - 1), part(shape, #shape), validate_args)
end

local function expanded_matrix(self, x)
  return x:expand(joined(self.batch_shape, self.event_shape, self.event_shape))
end

function LowRank.get:mean() return self.loc end
function LowRank.get:mode() return self.loc end

function LowRank.lazy:variance()
  local variance = (self._unbroadcasted_cov_factor ^ 2):sum(-1) + self._unbroadcasted_cov_diag
  return variance:expand(joined(self.batch_shape, self.event_shape))
end

-- W W^T + D = D^(1/2) (1 + V V^T) D^(1/2) with V = D^(-1/2) W: what is factorized has no eigenvalue below 1.
function LowRank.lazy:scale_tril()
  local root = self._unbroadcasted_cov_diag:sqrt():unsqueeze(-1)
  local v = self._unbroadcasted_cov_factor / root
  return expanded_matrix(self, root * nl.linalg.cholesky(covariance.plus_identity(v:matmul(v.mT))))
end

function LowRank.lazy:covariance_matrix()
  local factor = self._unbroadcasted_cov_factor
  return expanded_matrix(self, factor:matmul(factor.mT) + nl.diag_embed(self._unbroadcasted_cov_diag))
end

-- Woodbury's identity: the inverse of D, less what the capacitance matrix takes off.
function LowRank.lazy:precision_matrix()
  local a = covariance.solved(self._capacitance_tril, covariance.scaled_factor(self))
  return expanded_matrix(self, nl.diag_embed(self._unbroadcasted_cov_diag:reciprocal()) - a.mT:matmul(a))
end

function LowRank:_rsample(shape, options)
  local whole = self:_extended_shape(shape)
  local factors = joined(part(whole, 1, #whole - 1), part(self.cov_factor.shape, self.cov_factor.ndim))
  local of_factor = utils._standard_normal(factors, self.loc, options)
  local of_diag = utils._standard_normal(whole, self.loc, options)
  return self.loc + covariance.product(self._unbroadcasted_cov_factor, of_factor)
    + self._unbroadcasted_cov_diag:sqrt() * of_diag
end

function LowRank:log_prob(value)
  self:_validate_sample(value)
  local distance = covariance.low_rank_mahalanobis(self, value - self.loc)
  return -0.5 * (self.event_shape[1] * log_two_pi + covariance.low_rank_log_det(self) + distance)
end

function LowRank:entropy()
  local n = self.event_shape[1]
  return (0.5 * (n * (1 + log_two_pi) + covariance.low_rank_log_det(self))):expand(self.batch_shape)
end

return multivariate_normal
