-- Distributions of matrices: the Wishart distribution, of covariances, and the LKJ distribution, of correlations.

local beta = require "nnlua.distributions.beta"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local covariance = require "nnlua.distributions.covariance"
local distribution = require "nnlua.distributions.distribution"
local gamma = require "nnlua.distributions.gamma"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local wishart = {}

local raise, part, joined = core.raise, utils._part, utils._joined
local log_2 = math.log(2)

--- Sums of outer products of df normal vectors of a covariance: `Wishart(df, covariance_matrix)`, or, by name,
--- `precision_matrix`, its inverse, or `scale_tril`, its lower Cholesky factor. df is greater than p - 1, but need not
--- be whole.
---     > nl.distributions.Wishart(3, nl.eye(2)).mean
---     tensor([[3., 0.],
---             [0., 3.]])
---@class Wishart: ExponentialFamily
---@field df Tensor
---@field covariance_matrix Tensor
---@field precision_matrix Tensor
---@field scale_tril Tensor
local Wishart, parse_wishart = distribution.define("Wishart", distribution.ExponentialFamily, {
  {"df", "numeric"}, {"covariance_matrix", "tensor?"}, {"precision_matrix", "tensor?"}, {"scale_tril", "tensor?"},
})
wishart.Wishart = Wishart

Wishart.support, Wishart.has_rsample, Wishart._mean_carrier_measure = constraints.positive_definite, true, 0
Wishart._printed = {"covariance_matrix", "precision_matrix", "scale_tril", "df"}
covariance.give_fields(Wishart)

function Wishart.get:arg_constraints()
  return {
    covariance_matrix = constraints.positive_definite, precision_matrix = constraints.positive_definite,
    scale_tril = constraints.lower_cholesky, df = constraints.greater_than(self.event_shape[1] - 1),
  }
end

-- Those that the diagonal is drawn by.
local function diagonal_chi2(self)
  local steps = nl.arange(0, self.event_shape[1], {dtype = self._unbroadcasted_scale_tril.dtype})
  return gamma.Chi2(self.df:unsqueeze(-1) - steps)
end

function Wishart:init(...)
  local df, matrix, precision, scale_tril, validate_args = parse_wishart(...)
  local given = matrix or precision or scale_tril
  local is_number = type(df) == "number"
  local batch_shape = covariance.set(self, is_number and {} or df.shape, matrix, precision, scale_tril)
  local p = given.shape[given.ndim]
  self.df = is_number and nl.tensor(df, {dtype = given.dtype}) or df
  if not self.df:gt(p - 1):all():item() then
    raise(("%s: df must be greater than %d, one less than the side, but it holds %s"):format(
      self.__name, p - 1, tostring(self.df)))
  end
  self.df = self.df:expand(batch_shape)
  distribution.start(self, batch_shape, part(given.shape, given.ndim - 1), validate_args)
  covariance.factorize(self, matrix, precision, scale_tril)
  self._dist_chi2 = diagonal_chi2(self)
end

function Wishart:_expand(new, batch_shape)
  distribution.Distribution._expand(self, new, batch_shape)
  new._dist_chi2 = diagonal_chi2(new)
end

-- Numbers, one for each matrix.
local function for_matrices(x)
  return x:unsqueeze(-1):unsqueeze(-1)
end

function Wishart.get:mean() return for_matrices(self.df) * self.covariance_matrix end

function Wishart.get:mode()
  local factor = self.df - self.event_shape[1] - 1
  return for_matrices(factor:masked_fill(factor:le(0), 0 / 0)) * self.covariance_matrix
end

function Wishart.get:variance()
  local matrix = self.covariance_matrix
  local diagonal = matrix:diagonal(0, -2, -1)
  return for_matrices(self.df) * (matrix ^ 2 + diagonal:unsqueeze(-1) * diagonal:unsqueeze(-2))
end

-- By the decomposition of M. S. Bartlett (1933): a lower triangle of normal numbers, roots of Chi2 numbers on the
-- diagonal.
local function bartlett(self, shape, options)
  local p = self.event_shape[1]
  local diagonal = self._dist_chi2:rsample(shape, options):sqrt():clamp(nl.finfo(self.df.dtype).eps)
  local noise = nl.diag_embed(diagonal)
  local below = utils._standard_normal(joined(shape, self.batch_shape, {p * (p - 1) // 2}), noise, options)
  noise = noise + utils.vec_to_tril_matrix(below, -1)
  local factor = self._unbroadcasted_scale_tril:matmul(noise)
  return factor:matmul(factor.mT)
end

-- Draws that rounding made singular, as may happen where df is little more than p - 1, are drawn again, up to ten
-- times. PyTorch throws what it draws first away, all of it, for it asks whether it is regular: so does this, to go on
-- in the stream where that does.
function Wishart:_rsample(shape, options)
  bartlett(self, shape, options)
  local drawn = bartlett(self, {shape:numel()}, options)
  for _ = 2, 10 do
    local wrong = self.support:check(drawn):logical_not():reshape(shape:numel(), -1):any(2)
    local count = wrong:sum():item()
    if count == 0 then break end
    drawn[wrong] = bartlett(self, {count}, options)
  end
  return drawn:reshape(self:_extended_shape(shape))
end

local function log_det(x)
  local _, logarithm = nl.linalg.slogdet(x)
  return logarithm
end

function Wishart:log_prob(value)
  self:_validate_sample(value)
  local df, p = self.df, self.event_shape[1]
  local trace = nl.cholesky_solve(value, self._unbroadcasted_scale_tril):diagonal(0, -2, -1):sum(-1)
  return -df * (p * log_2 / 2 + covariance.half_log_det(self)) - nl.mvlgamma(df / 2, p)
    + (df - p - 1) / 2 * log_det(value) - trace / 2
end

local function multivariate_digamma(x, p)
  return nl.digamma(x:unsqueeze(-1) - nl.arange(0, p, {dtype = x.dtype}) / 2):sum(-1)
end

function Wishart:entropy()
  local df, p = self.df, self.event_shape[1]
  return (p + 1) * (p * log_2 / 2 + covariance.half_log_det(self)) + nl.mvlgamma(df / 2, p)
    - (df - p - 1) / 2 * multivariate_digamma(df / 2, p) + df * p / 2
end

function Wishart.get:_natural_params()
  return {-self.precision_matrix / 2, (self.df - self.event_shape[1] - 1) / 2}
end

function Wishart:_log_normalizer(x, y)
  local p = self.event_shape[1]
  local half = y + (p + 1) / 2
  return half * (-log_det(-2 * x) + log_2 * p) + nl.mvlgamma(half, p)
end

--- Lower Cholesky factors of correlation matrices (Lewandowski, Kurowicka and Joe, 2009): `LKJCholesky(dim,
--- concentration = 1)`; with 1 all correlations are as likely.
---     > nl.distributions.LKJCholesky(3, 1):sample().shape
---     [3, 3]
---@class LKJCholesky: Distribution
---@field dim integer
---@field concentration Tensor
local LKJCholesky, parse_lkj = distribution.define("LKJCholesky", distribution.Distribution, {
  {"dim", "integer"}, {"concentration", "numeric", 1.0},
})
wishart.LKJCholesky = LKJCholesky

LKJCholesky.arg_constraints, LKJCholesky.support = {concentration = constraints.positive}, constraints.corr_cholesky
LKJCholesky._expanded = {"concentration", "_beta"}

function LKJCholesky:init(...)
  local dim, concentration, validate_args = parse_lkj(...)
  if dim < 2 then raise(("%s: dim must be from 2 on, not %d"):format(self.__name, dim)) end
  self.dim, self.concentration = dim, utils.broadcast_all(concentration)
  local offset = nl.arange(-1, dim - 1, {dtype = self.concentration.dtype}):clamp(0)
  local marginal = self.concentration + 0.5 * (dim - 2)
  distribution.start(self, self.concentration.shape, {dim, dim}, validate_args)
  self._beta = beta.Beta(offset + 0.5, marginal:unsqueeze(-1) - 0.5 * offset)
end

-- The onion method: each row a direction of random numbers, of a random length; the rest goes to the diagonal.
function LKJCholesky:_sample(shape, options)
  local y = self._beta:sample(shape, options):unsqueeze(-1)
  local normal = utils._standard_normal(self:_extended_shape(shape), y, options):tril(-1)
  local direction = normal / normal:norm(2, -1, true)
  direction = direction:masked_fill(normal:eq(0), 0) -- the first row is 0 / 0
  local w = nl.sqrt(y) * direction
  return w + nl.diag_embed((1 - (w ^ 2):sum(-1)):clamp(nl.finfo(w.dtype).tiny):sqrt())
end

function LKJCholesky:log_prob(value)
  self:_validate_sample(value)
  local n, concentration = self.dim, self.concentration
  local diagonal = value:diagonal(0, -2, -1):narrow(-1, 2, n - 1)
  local order = 2 * (concentration - 1):unsqueeze(-1) + n - nl.arange(2, n + 1, {dtype = concentration.dtype})
  local alpha = concentration + 0.5 * (n - 1)
  local normalizer = 0.5 * (n - 1) * math.log(math.pi) + nl.mvlgamma(alpha - 0.5, n - 1) - nl.lgamma(alpha) * (n - 1)
  return (order * diagonal:log()):sum(-1) - normalizer
end

return wishart
