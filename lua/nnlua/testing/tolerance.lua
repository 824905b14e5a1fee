-- How far apart two values may be: PyTorch's defaults for each dtype, the looser one of two.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local by_dtype = {
  [nl.float16] = {1e-3, 1e-5}, [nl.bfloat16] = {1.6e-2, 1e-5}, [nl.float32] = {1.3e-6, 1e-5},
  [nl.float64] = {1e-7, 1e-7}, [nl.complex64] = {1.3e-6, 1e-5}, [nl.complex128] = {1e-7, 1e-7},
}
local exact = {0.0, 0.0}

local function of(value)
  if core.is_tensor(value) then return by_dtype[value.dtype] or exact end
  return math.type(value) == "float" and by_dtype[nl.float64] or exact
end

--- The relative and the absolute tolerance for two tensors or numbers.
local function tolerance(actual, expected, options)
  if options.rtol then return options.rtol, options.atol end
  local a, b = of(actual), of(expected)
  return math.max(a[1], b[1]), math.max(a[2], b[2])
end

return tolerance
