-- Transforms of vectors and matrices.

local class = require "nnlua.class"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local transform = require "nnlua.distributions.transforms.transform"
local utils = require "nnlua.distributions.utils"

local vectors = {}

local F = nl.F
local raise, part, joined = core.raise, utils._part, utils._joined

local function define_plain(name, domain, codomain, bijective)
  local new = transform.define(name, {})
  new.domain, new.codomain, new.bijective = domain, codomain, bijective
  function new.__eq(a, b) return class.is_a(a, new) and class.is_a(b, new) end
  vectors[name] = new
  return new
end

-- A shape with other last sizes in the place of so many; raises if it has fewer.
local function with_last(self, shape, count, ...)
  if #shape < count then raise(self.__name .. ": a shape of more dimensions was expected") end
  return joined(part(shape, 1, #shape - count), {...})
end

-- Everything but the last element along the last dimension.
local function but_last(x)
  return x:narrow(-1, 1, x.shape[x.ndim] - 1)
end

--- y = e^x over its sum along the last dimension. It is not bijective: x and x + 1 give the same.
---     > nl.distributions.SoftmaxTransform()(nl.zeros(2))
---     tensor([0.5000, 0.5000])
---@class SoftmaxTransform: Transform
local SoftmaxTransform = define_plain("SoftmaxTransform", constraints.real_vector, constraints.simplex, false)

function SoftmaxTransform:_call(x)
  local powers = (x - x:amax(-1, true)):exp()
  return powers / powers:sum(-1, true)
end

function SoftmaxTransform:_inverse(y) return y:log() end

function SoftmaxTransform:forward_shape(shape)
  return with_last(self, shape, 1, shape[#shape])
end

SoftmaxTransform.inverse_shape = SoftmaxTransform.forward_shape

--- From n numbers to n + 1 probabilities: sigmoids break pieces off a stick, one after the other.
---     > nl.distributions.StickBreakingTransform()(nl.zeros(2))
---     tensor([0.3333, 0.3333, 0.3333])
---@class StickBreakingTransform: Transform
local StickBreakingTransform = define_plain("StickBreakingTransform", constraints.real_vector, constraints.simplex,
  true)

-- n, n - 1, … 1 in the dtype of x.
local function countdown(x, n)
  return nl.arange(n, 0, -1, {dtype = x.dtype})
end

function StickBreakingTransform:_call(x)
  local z = utils._clipped_sigmoid(x - countdown(x, x.shape[x.ndim]):log())
  return F.pad(z, {0, 1}, {value = 1}) * F.pad((1 - z):cumprod(-1), {1, 0}, {value = 1})
end

function StickBreakingTransform:_inverse(y)
  local cut = but_last(y)
  local rest = (1 - cut:cumsum(-1)):clamp(nl.finfo(y.dtype).tiny)
  return cut:log() - rest:log() + countdown(y, cut.shape[cut.ndim]):log()
end

function StickBreakingTransform:log_abs_det_jacobian(x, y)
  x = x - countdown(x, x.shape[x.ndim]):log()
  return (-x + F.logsigmoid(x) + but_last(y):log()):sum(-1)
end

function StickBreakingTransform:forward_shape(shape)
  return with_last(self, shape, 1, (shape[#shape] or 0) + 1)
end

function StickBreakingTransform:inverse_shape(shape)
  return with_last(self, shape, 1, (shape[#shape] or 1) - 1)
end

--- From D (D - 1) / 2 numbers to the Cholesky factor of a D x D correlation matrix: lower triangular, of rows of length
--- 1 and positive diagonal.
---     > nl.distributions.CorrCholeskyTransform()(nl.zeros(1))
---     tensor([[1., 0.],
---             [0., 1.]])
---@class CorrCholeskyTransform: Transform
local CorrCholeskyTransform = define_plain("CorrCholeskyTransform", constraints.real_vector, constraints.corr_cholesky,
  true)

local function shifted(x)
  return F.pad(but_last(x), {1, 0}, {value = 1})
end

function CorrCholeskyTransform:_call(x)
  local eps = nl.finfo(x.dtype).eps
  local r = utils.vec_to_tril_matrix(nl.tanh(x):clamp(-1 + eps, 1 - eps), -1)
  local rest = (1 - r ^ 2):sqrt():cumprod(-1)
  return (r + nl.eye(r.shape[r.ndim], {dtype = r.dtype})) * shifted(rest)
end

function CorrCholeskyTransform:_inverse(y)
  local rest = utils.tril_matrix_to_vec(shifted(1 - nl.cumsum(y * y, -1)), -1)
  local t = utils.tril_matrix_to_vec(y, -1) / rest:sqrt()
  return (t:log1p() - t:neg():log1p()) / 2
end

--- Of the elements below the diagonal.
---     > t, x = nl.distributions.CorrCholeskyTransform(), nl.zeros(1)
---     > t:log_abs_det_jacobian(x, t(x)) -- tanh rises by 1 there
---     tensor(0.)
function CorrCholeskyTransform:log_abs_det_jacobian(x, y)
  local rest = utils.tril_matrix_to_vec(1 - (y * y):cumsum(-1), -2)
  local of_tanh = -2 * (x + F.softplus(-2 * x) - math.log(2)):sum(-1)
  return 0.5 * rest:log():sum(-1) + of_tanh
end

function CorrCholeskyTransform:forward_shape(shape)
  local n = shape[#shape] or 0
  local side = math.floor(math.sqrt(0.25 + 2 * n) + 0.5 + 0.5)
  if side * (side - 1) // 2 ~= n then
    raise(("%s: %d elements are no lower triangle of a square matrix"):format(self.__name, n))
  end
  return with_last(self, shape, 1, side, side)
end

function CorrCholeskyTransform:inverse_shape(shape)
  local side = shape[#shape] or 0
  if #shape >= 2 and shape[#shape - 1] ~= side then raise(self.__name .. ": a square matrix was expected") end
  return with_last(self, shape, 2, side * (side - 1) // 2)
end

--- From square matrices to lower triangular ones with a positive diagonal, which is e to the power of the matrix's.
---     > nl.distributions.LowerCholeskyTransform()(nl.zeros(2, 2))
---     tensor([[1., 0.],
---             [0., 1.]])
---@class LowerCholeskyTransform: Transform
local LowerCholeskyTransform = define_plain("LowerCholeskyTransform", constraints.independent(constraints.real, 2),
  constraints.lower_cholesky, false)

function LowerCholeskyTransform:_call(x)
  return x:tril(-1) + x:diagonal(0, -2, -1):exp():diag_embed()
end

function LowerCholeskyTransform:_inverse(y)
  return y:tril(-1) + y:diagonal(0, -2, -1):log():diag_embed()
end

--- From square matrices to positive definite ones: the product of what LowerCholeskyTransform gives and its transpose.
---     > nl.distributions.PositiveDefiniteTransform()(nl.zeros(2, 2))
---     tensor([[1., 0.],
---             [0., 1.]])
---@class PositiveDefiniteTransform: Transform
local PositiveDefiniteTransform = define_plain("PositiveDefiniteTransform",
  constraints.independent(constraints.real, 2), constraints.positive_definite, false)

function PositiveDefiniteTransform:_call(x)
  local factor = LowerCholeskyTransform()(x)
  return factor:matmul(factor.mT)
end

function PositiveDefiniteTransform:_inverse(y)
  return LowerCholeskyTransform().inv(nl.linalg.cholesky(y))
end

return vectors
