-- Operators on elements.

local nl = require "nnlua"
local ranges = require "nnlua.onnx.operators.ranges"
local words = require "nnlua.onnx.operators.words"

local row, row_with = words.row, words.row_with

local elements = {}

for name, ours in pairs {
  Abs = "abs", Acos = "acos", Acosh = "acosh", Asin = "asin", Asinh = "asinh", Atan = "atan", Atanh = "atanh",
  BitwiseNot = "bitwise_not", Ceil = "ceil", Cos = "cos", Cosh = "cosh", Erf = "erf", Exp = "exp", Floor = "floor",
  HardSwish = "hardswish", IsNaN = "isnan", Log = "log", Mish = "mish", Neg = "neg",
  Not = "logical_not", Reciprocal = "reciprocal", Relu = "relu", Round = "round", Sigmoid = "sigmoid", Sign = "sign",
  Sin = "sin", Sinh = "sinh", Softplus = "softplus", Softsign = "softsign", Sqrt = "sqrt", Tan = "tan", Tanh = "tanh",
  BitwiseAnd = "bitwise_and", BitwiseOr = "bitwise_or", BitwiseXor = "bitwise_xor", Where = "where", Det = "det",
  MatMul = "matmul",
} do
  elements[name] = row(ours)
end

for name, ours in pairs {
  Add = "add", Sub = "sub", Mul = "mul", Div = "onnx_div", Pow = "onnx_pow", And = "logical_and", Or = "logical_or",
  Xor = "logical_xor", Equal = "eq", Greater = "gt", GreaterOrEqual = "ge", Less = "lt", LessOrEqual = "le",
} do
  elements[name] = function(b, node, x, y)
    node:want(2)
    return b:call(ours, {x, words.second(b, node, y)})
  end
end

elements.Max, elements.Min, elements.Sum = words.fold "maximum", words.fold "minimum", words.fold "add"

function elements.Mean(b, node)
  return b:call("onnx_div", {elements.Sum(b, node), nl.tensor(node.n + 0.0)})
end

elements.Celu = row_with("celu", {alpha = {"alpha", 1}})
elements.Elu = row_with("elu", {alpha = {"alpha", 1}})
elements.LeakyRelu = row_with("leaky_relu", {negative_slope = {"alpha", 0.01}})
elements.Selu = row_with("onnx_selu", {alpha = {"alpha"}, gamma = {"gamma"}})
elements.Shrink = row_with("onnx_shrink", {lambd = {"lambd", 0.5}, bias = {"bias", 0}})

function elements.PRelu(b, node, x, slope)
  if node.version < 7 then slope = b:call("onnx_at_axis", {slope, x, axis = 1}) end -- one for each channel
  return b:call("onnx_prelu", {x, slope})
end

function elements.ThresholdedRelu(b, node, x)
  return b:call("threshold", {x, node:float("alpha", 1), 0})
end

function elements.HardSigmoid(b, node, x)
  local line = b:call("onnx_affine", {x, alpha = node:float("alpha", 0.2), beta = node:float("beta", 0.5)})
  return b:call("clamp", {line, 0, 1})
end

function elements.Gelu(b, node, x)
  return b:call("gelu", {x, approximate = node:text("approximate", "none")})
end

function elements.Swish(b, node, x)
  local alpha = node:float("alpha", 1)
  if alpha == 1 then return b:call("silu", {x}) end
  return b:call("mul", {x, b:call("sigmoid", {b:call("mul", {x, alpha})})})
end

function elements.SwiGLU(b, node, gate, x)
  return b:call("mul", {elements.Swish(b, node, gate), x})
end

function elements.Mod(b, node, x, y)
  return b:call("onnx_mod", {x, y, fmod = node:flag "fmod"})
end

function elements.IsInf(b, node, x)
  return b:call("onnx_is_inf", {
    x, negative = node:flag("detect_negative", true), positive = node:flag("detect_positive", true),
  })
end

function elements.BitShift(b, node, x, y)
  local is_left = node:text "direction" == "LEFT"
  return b:call(is_left and "bitwise_left_shift" or "bitwise_right_shift", {x, y})
end

function elements.Clip(b, node, x, low, high)
  if node.version < 11 then
    local least, most = node:float "min", node:float "max"
    if not least and not most then return x end
    return b:call("clamp", {x, min = least, max = most})
  end
  if low then x = b:call("maximum", {x, low}) end
  if high then x = b:call("minimum", {x, high}) end
  return x
end

function elements.Cast(b, node, x)
  local dtype = node:dtype "to"
  if not dtype then node:fail "it doesn't say what to cast to" end
  local range = ranges.of(node, node:int "to")
  local y = b:call("to_dtype", {range and b:call("to_dtype", {x, nl.int64}) or x, dtype})
  return range and b:call("onnx_into_range", {y, range}) or y
end

function elements.CastLike(b, node, x, like)
  local y = b:call("to_other", {x, like})
  local range = node:data_type(2) and ranges.of(node, node:data_type(2))
  return range and b:call("onnx_into_range", {y, range}) or y
end

function elements.Identity(_, node, x)
  node:want(1)
  return x
end

function elements.BitCast(b, node, x)
  return b:call("onnx_bit_cast", {x, node:dtype "to"})
end

function elements.Dropout(b, node, x, ratio, training)
  if node.version < 12 or not training then
    if not node:wants(2) then return x end
    return x, b:call("ones_like", {x, dtype = nl.bool})
  end
  return b:call("onnx_dropout", {x, ratio = ratio, training = training})
end

function elements.Gemm(b, node, x, y, z)
  return b:call("onnx_gemm", {
    x, y, c = z, alpha = node:float("alpha", 1), beta = node:float("beta", 1), trans_a = node:flag "transA",
    trans_b = node:flag "transB",
  })
end

function elements.Einsum(b, node)
  return b:call("einsum", {node:text("equation", ""), node.inputs})
end

return elements
