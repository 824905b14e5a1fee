-- Operators that make tensors.

local nl = require "nnlua"
local words = require "nnlua.onnx.operators.words"

local fillings = {}

function fillings.Constant(b, node)
  local value = node:tensor "value" or node:tensor "sparse_value"
  if not value and node:has "value_float" then value = nl.tensor(node:float("value_float", 0.0)) end
  if not value and node:has "value_int" then value = nl.tensor(node:int("value_int", 0)) end
  value = value or words.floats(node:floats "value_floats") or words.ints(node:ints "value_ints")
  if not value then node:fail "it has no value, or one of texts" end
  return b:constant(value)
end

function fillings.ConstantOfShape(b, node, shape)
  return b:call("onnx_constant_of_shape", {shape, value = node:tensor "value"})
end

fillings.Range = words.row "onnx_range"

function fillings.EyeLike(b, node, x)
  return b:call("onnx_eye_like", {x, k = node:int("k", 0), dtype = node:dtype "dtype"})
end

function fillings.OneHot(b, node, indices, depth, values)
  return b:call("onnx_one_hot", {indices, depth, values, axis = node:int("axis", -1)})
end

for name, kind in pairs {HannWindow = "hann", HammingWindow = "hamming", BlackmanWindow = "blackman"} do
  fillings[name] = function(b, node, size)
    return b:call("onnx_window", {
      size, kind = kind, periodic = node:flag("periodic", true), dtype = node:dtype "output_datatype",
    })
  end
end

-- ---------------------------------------------------------- random numbers

--- Random numbers of a row, times a scale and plus an offset.
local function drawn(b, row, arguments, scale, offset)
  return b:call("onnx_affine", {b:call(row, arguments), alpha = scale, beta = offset})
end

function fillings.RandomNormal(b, node)
  return drawn(b, "randn", {node:ints "shape", dtype = node:dtype "dtype"}, node:float("scale", 1),
    node:float("mean", 0))
end

function fillings.RandomNormalLike(b, node, x)
  return drawn(b, "randn_like", {x, dtype = node:dtype "dtype"}, node:float("scale", 1), node:float("mean", 0))
end

function fillings.RandomUniform(b, node)
  local low, high = node:float("low", 0), node:float("high", 1)
  return drawn(b, "rand", {node:ints "shape", dtype = node:dtype "dtype"}, high - low, low)
end

function fillings.RandomUniformLike(b, node, x)
  local low, high = node:float("low", 0), node:float("high", 1)
  return drawn(b, "rand_like", {x, dtype = node:dtype "dtype"}, high - low, low)
end

function fillings.Bernoulli(b, node, x)
  local y = b:call("bernoulli", {x})
  local dtype = node:dtype "dtype"
  return dtype and b:call("to_dtype", {y, dtype}) or y
end

function fillings.Multinomial(b, node, x)
  local drawn_positions = b:call("multinomial", {
    b:call("softmax", {x, dim = -1}), node:int("sample_size", 1), replacement = true,
  })
  return b:call("to_dtype", {b:call("sub", {drawn_positions, 1}), node:dtype "dtype" or nl.int32})
end

return fillings
