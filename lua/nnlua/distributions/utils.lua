-- What the distributions and their transforms share: shapes as lists, parameters broadcast, logits and probabilities.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local utils = {}

local raise = core.raise

-- ----------------------------------------------------------------- shapes

--- A shape of several one after the other.
function utils._joined(...)
  local sizes = {}
  for i = 1, select("#", ...) do
    local shape = select(i, ...)
    for j = 1, #shape do sizes[#sizes + 1] = shape[j] end
  end
  return nl.Size(sizes)
end

--- The sizes of a shape from one place to another, both included.
function utils._part(shape, first, last)
  local sizes = {}
  for i = first, last or #shape do sizes[#sizes + 1] = shape[i] end
  return nl.Size(sizes)
end

-- The named options that stand last among n values, and how many values come before them.
local function take_options(values, n)
  while n > 0 and values[n] == nil do n = n - 1 end
  local last = values[n]
  if type(last) == "table" and not getmetatable(last) and type(next(last)) == "string" then return last, n - 1 end
  return {}, n
end

--- A shape that came as an nl.Size, a list, one number or several, and the named options behind it; `{name = …}` among
--- these may be the shape itself.
---@param caller string what the function is called in errors
---@param name string
---@return userdata size, table options
function utils._shape(caller, name, ...)
  local values = {...}
  local options, n = take_options(values, select("#", ...))
  if n == 0 and options[name] ~= nil then values, n = {options[name]}, 1 end
  local is_list = n == 1 and type(values[1]) ~= "number"
  local sizes = is_list and values[1] or values
  if is_list and not core.is_size(sizes) and type(sizes) ~= "table" then
    raise(("%s: %s must be a list of sizes, not %s"):format(caller, name, core.describe(sizes)))
  end
  local whole = {}
  for i = 1, is_list and #sizes or n do
    whole[i] = type(sizes[i]) == "number" and math.tointeger(sizes[i]) or -1
    if whole[i] < 0 then
      raise(("%s: %s must be a list of sizes, not of %s"):format(caller, name, core.describe(sizes[i])))
    end
  end
  return nl.Size(whole), options
end

--- The sum over as many of the last dimensions.
function utils._sum_rightmost(value, count)
  if count == 0 then return value end
  local sizes = {}
  for i = 1, value.ndim - count do sizes[i] = value.shape[i] end
  sizes[#sizes + 1] = -1
  return value:reshape(sizes):sum(-1)
end

-- ------------------------------------------------------------- parameters

local function check_values(values, count)
  local first
  for i = 1, count do
    if core.is_tensor(values[i]) then first = first or values[i]
    elseif type(values[i]) ~= "number" then
      raise(("broadcast_all: numbers and tensors are taken, not %s"):format(core.describe(values[i])))
    end
  end
  return first
end

--- Numbers and tensors as tensors of one shape: numbers take the dtype of the first tensor, or the default one.
---     > nl.distributions.utils.broadcast_all(nl.tensor({1.0, 2.0}), 3)
---     tensor([1., 2.])	tensor([3., 3.])
---@param ... number|Tensor
---@return Tensor ...
function utils.broadcast_all(...)
  local count = select("#", ...)
  local values = {...}
  local first = check_values(values, count)
  local dtype = first and first.dtype or nl.get_default_dtype()
  for i = 1, count do
    if type(values[i]) == "number" then values[i] = nl.tensor(values[i], {dtype = dtype}) end
  end
  if count == 1 then return values[1] end
  return nl.broadcast_tensors(table.unpack(values, 1, count))
end

--- Probabilities of logits: along the last dimension, or of ones and zeros if is_binary is set.
---     > nl.distributions.utils.logits_to_probs(nl.zeros(2))
---     tensor([0.5000, 0.5000])
---@param logits Tensor
---@param is_binary? boolean
function utils.logits_to_probs(logits, is_binary)
  if is_binary then return nl.sigmoid(logits) end
  return nl.softmax(logits, -1)
end

--- Probabilities moved inside of 0 and 1, by the dtype's eps.
---     > nl.distributions.utils.clamp_probs(nl.tensor({0.0, 0.5})):gt(0)
---     tensor([True, True])
---@param probs Tensor
function utils.clamp_probs(probs)
  local eps = nl.finfo(probs.dtype).eps
  return probs:clamp(eps, 1 - eps)
end

--- Logits of probabilities: their logarithms, or of ones and zeros if is_binary is set.
---     > nl.distributions.utils.probs_to_logits(nl.tensor(0.5), true)
---     tensor(0.)
---@param probs Tensor
---@param is_binary? boolean
function utils.probs_to_logits(probs, is_binary)
  local clamped = utils.clamp_probs(probs)
  if is_binary then return nl.log(clamped) - nl.log1p(-clamped) end
  return nl.log(clamped)
end

--- What is below a diagonal of the last two dimensions, row by row as a vector.
---     > nl.distributions.utils.tril_matrix_to_vec(nl.tensor {{1, 2}, {3, 4}})
---     tensor([1, 3, 4])
---@param mat Tensor
---@param diag? integer
function utils.tril_matrix_to_vec(mat, diag)
  diag = diag or 0
  local n = mat.shape[mat.ndim]
  if diag < -n or diag >= n then
    raise(("tril_matrix_to_vec: diag must be from %d to %d, not %d"):format(-n, n - 1, diag))
  end
  local indices = nl.tril_indices(n, n, diag)
  return mat[{nl.ellipsis, indices[1], indices[2]}]
end

--- A lower triangular matrix of its elements row by row, in the last dimension.
---     > nl.distributions.utils.vec_to_tril_matrix(nl.tensor {1, 2, 3})
---     tensor([[1, 0],
---             [2, 3]])
---@param vec Tensor
---@param diag? integer
function utils.vec_to_tril_matrix(vec, diag)
  diag = diag or 0
  local count = vec.shape[vec.ndim]
  -- n elements a side have n (n + 1) / 2 up to the diagonal, and diag more or fewer diagonals
  local n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ^ 2 + 8 * count + 4 * math.abs(diag) * (diag + 1))) / 2
  local whole = math.floor(n + 0.5)
  if math.abs(whole - n) > 1e-9 then
    raise(("vec_to_tril_matrix: %d elements are no lower triangle of a square matrix"):format(count))
  end
  local matrix = vec:new_zeros(utils._joined(utils._part(vec.shape, 1, vec.ndim - 1), {whole, whole}))
  local indices = nl.tril_indices(whole, whole, diag)
  matrix[{nl.ellipsis, indices[1], indices[2]}] = vec
  return matrix
end

--- Numbers moved inside of 0 and 1 as far as the dtype goes: to its smallest normal number and 1 - eps.
function utils._clipped(x)
  local finfo = nl.finfo(x.dtype)
  return x:clamp(finfo.tiny, 1 - finfo.eps)
end

function utils._clipped_sigmoid(x)
  return utils._clipped(nl.sigmoid(x))
end

-- ------------------------------------------------------------------ draws

local function factory_options(like, options)
  return {dtype = like.dtype, generator = options and options.generator}
end

--- Uniform numbers of a shape, in the dtype of a tensor; `options` may have a generator.
function utils._rand(shape, like, options)
  return nl.rand(shape, factory_options(like, options))
end

--- The same of normal numbers.
function utils._standard_normal(shape, like, options)
  return nl.randn(shape, factory_options(like, options))
end

--- Euler's constant.
utils._euler = 0.57721566490153286060

return utils
