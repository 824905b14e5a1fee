-- What both forms of spectral_norm are made of: a weight as a matrix, and its first singular vectors.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local norms = require "nnlua.nn.utils.norm_except_dim"

local singular = {}

--- The arguments of spectral_norm.
singular.arguments = {
  {"module", "module"}, {"name", "string", "weight"}, {"n_power_iterations", "integer", 1}, {"eps", "number", 1e-12},
  {"dim", "integer?"},
}

local function is_transposed(module)
  local nn = nl.nn
  return module:is_a(nn.ConvTranspose1d) or module:is_a(nn.ConvTranspose2d) or module:is_a(nn.ConvTranspose3d)
end

--- The dimension whose entries are the rows, once it and the number of iterations are known to be right.
function singular.checked(name, module, weight, n_power_iterations, dim)
  if n_power_iterations < 1 then
    core.raise(("%s: n_power_iterations must be positive, not %d"):format(name, n_power_iterations))
  end
  return norms.checked_dim(name, weight, dim or is_transposed(module) and 2 or 1)
end

--- A weight as a matrix whose rows are the entries of a dimension.
function singular.as_matrix(weight, dim)
  return (dim == 1 and weight or weight:movedim(dim, 1)):flatten(2)
end

--- A vector divided by its norm.
function singular.normalized(x, eps)
  return nl.F.normalize(x, 2, 1, eps)
end

--- Two random vectors of norm 1, to start from: of as many elements as the matrix has rows and columns.
function singular.drawn(matrix, eps)
  local kind = {dtype = matrix.dtype, device = matrix.device}
  local u = nl.empty(matrix:size(1), kind):normal_(0, 1)
  local v = nl.empty(matrix:size(2), kind):normal_(0, 1)
  return singular.normalized(u, eps), singular.normalized(v, eps)
end

return singular
