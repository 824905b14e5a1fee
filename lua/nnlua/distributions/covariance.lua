-- Batches of covariance matrices by their Cholesky factors: what multivariate distributions and their divergences
-- share.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

local covariance = {}

local part, joined = utils._part, utils._joined

local names = {"covariance_matrix", "precision_matrix", "scale_tril"}

--- Sets the one of three matrices that was given, expanded to the batch that it has with another shape of a batch;
--- gives that batch's shape.
function covariance.set(self, other_batch, ...)
  local given, count = nil, 0
  for i, name in ipairs(names) do
    if select(i, ...) ~= nil then given, count = name, count + 1 end
  end
  if count ~= 1 then
    core.raise(("%s: give one of covariance_matrix, precision_matrix and scale_tril, not %d of them"):format(
      self.__name, count))
  end
  local matrix = (...) or select(2, ...) or select(3, ...)
  if matrix.ndim < 2 then
    core.raise(("%s: %s must be a matrix, or a batch of them, not of shape %s"):format(
      self.__name, given, matrix.shape))
  end
  local batch_shape = nl.broadcast_shapes(part(matrix.shape, 1, matrix.ndim - 2), other_batch)
  self[given] = matrix:expand(joined(batch_shape, part(matrix.shape, matrix.ndim - 1)))
  return batch_shape
end

--- The lower Cholesky factor of the inverse of a matrix: that of the matrix turned round, turned back.
local function factor_of_inverse(precision)
  local factor = nl.linalg.cholesky(nl.flip(precision, {-2, -1}))
  local inverse = nl.flip(factor, {-2, -1}):transpose(-2, -1)
  local identity = nl.eye(precision.shape[precision.ndim], {dtype = precision.dtype})
  return nl.linalg.solve_triangular(inverse, identity, {upper = false})
end

--- Sets the Cholesky factor, not expanded, of what was given.
function covariance.factorize(self, matrix, precision, scale_tril)
  self._unbroadcasted_scale_tril = scale_tril or matrix and nl.linalg.cholesky(matrix) or factor_of_inverse(precision)
end

--- Gives a class the three matrices as fields.
function covariance.give_fields(class)
  local function expanded(self, matrix)
    local n = matrix.ndim
    return matrix:expand(joined(self.batch_shape, part(matrix.shape, n - 1)))
  end
  function class.lazy:scale_tril() return expanded(self, self._unbroadcasted_scale_tril) end

  function class.lazy:covariance_matrix()
    local factor = self._unbroadcasted_scale_tril
    return expanded(self, factor:matmul(factor.mT))
  end

  function class.lazy:precision_matrix() return expanded(self, nl.cholesky_inverse(self._unbroadcasted_scale_tril)) end

  class._expanded = {"loc", "df", table.unpack(names)}
end

--- Matrices times vectors.
function covariance.product(matrix, vector)
  return matrix:matmul(vector:unsqueeze(-1)):squeeze(-1)
end

--- Lower triangular systems solved.
function covariance.solved(tril, right)
  return nl.linalg.solve_triangular(tril, right, {upper = false})
end

-- Half the logarithm of the determinant of L L^T.
local function half_log_det_of(tril)
  return tril:diagonal(0, -2, -1):log():sum(-1)
end

--- The same of a distribution's covariance.
function covariance.half_log_det(self)
  return half_log_det_of(self._unbroadcasted_scale_tril)
end

--- x^T (L L^T)^-1 x for each vector of a batch whose leading dimensions L may lack.
function covariance.mahalanobis(tril, x)
  local n = x.shape[x.ndim]
  local batch = nl.broadcast_shapes(part(tril.shape, 1, tril.ndim - 2), part(x.shape, 1, x.ndim - 1))
  if tril.ndim == 2 then -- one matrix for all: all vectors are the columns of one system
    return (covariance.solved(tril, x:reshape(-1, n).mT) ^ 2):sum(1):reshape(batch)
  end
  local columns = x:expand(joined(batch, {n})):unsqueeze(-1)
  return (covariance.solved(tril:expand(joined(batch, {n, n})), columns) ^ 2):sum({-2, -1})
end

--- The sum of the squares of each matrix.
function covariance.sum_of_squares(matrix)
  return (matrix ^ 2):sum({-2, -1})
end

-- ---------------------------------------------------------------- low rank

--- Matrices and the identity added.
function covariance.plus_identity(matrix)
  return matrix + nl.eye(matrix.shape[matrix.ndim], {dtype = matrix.dtype})
end

--- W^T D^-1 of a low rank distribution.
function covariance.scaled_factor(self)
  return self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag:unsqueeze(-2)
end

--- The Cholesky factor of 1 + W^T D^-1 W.
function covariance.capacitance_tril(factor, diag)
  return nl.linalg.cholesky(covariance.plus_identity((factor.mT / diag:unsqueeze(-2)):matmul(factor)))
end

--- The logarithm of the determinant of W W^T + D, by the matrix determinant lemma.
function covariance.low_rank_log_det(self)
  return 2 * half_log_det_of(self._capacitance_tril) + self._unbroadcasted_cov_diag:log():sum(-1)
end

--- x^T (W W^T + D)^-1 x, by Woodbury's identity.
function covariance.low_rank_mahalanobis(self, x)
  local scaled = covariance.product(covariance.scaled_factor(self), x)
  local whole = (x ^ 2 / self._unbroadcasted_cov_diag):sum(-1)
  return whole - covariance.mahalanobis(self._capacitance_tril, scaled)
end

return covariance
