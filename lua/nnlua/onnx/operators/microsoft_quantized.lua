-- The operators of com.microsoft on quantized numbers.

local elements = require "nnlua.onnx.operators.elements"
local layers = require "nnlua.onnx.operators.layers"
local quantized = require "nnlua.onnx.operators.quantized"
local reductions = require "nnlua.onnx.operators.reductions"
local words = require "nnlua.onnx.operators.words"

local ours = {QuantizeLinear = quantized.QuantizeLinear, DequantizeLinear = quantized.DequantizeLinear}

function ours.MatMulIntegerToFloat(b, _, x, y, x_scale, y_scale, x_zero, y_zero, bias)
  local product = b:call("onnx_matmul_integer", {x, y, a_zero = x_zero, b_zero = y_zero})
  local real = b:call("mul", {product, b:call("mul", {x_scale, y_scale})})
  return bias and b:call("add", {real, bias}) or real
end

function ours.DynamicQuantizeMatMul(b, node, x, y, y_scale, y_zero, bias)
  local whole, scale, zero = b:call("onnx_dynamic_quantize", {x})
  return ours.MatMulIntegerToFloat(b, node, whole, y, scale, y_scale, zero, y_zero, bias)
end

--- Quantized numbers through an operator of real ones.
local function on_reals(f)
  return function(b, node, x, x_scale, x_zero, y_scale, y_zero)
    local real = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
    return b:call("onnx_quantize", {f(b, node, real), y_scale, zero = y_zero})
  end
end

ours.QLinearSigmoid = on_reals(elements.Sigmoid)
ours.QLinearLeakyRelu = on_reals(elements.LeakyRelu)
ours.QLinearGlobalAveragePool = on_reals(layers.GlobalAveragePool)
ours.QLinearAveragePool = on_reals(layers.AveragePool)
ours.QLinearReduceMean = on_reals(reductions.ReduceMean)

function ours.QLinearSoftmax(b, node, x, x_scale, x_zero, y_scale, y_zero)
  local real = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
  local is_flat = node:int("opset", 13) < 13
  local shares = b:call("onnx_softmax", {real, axis = node:int("axis", -1), flat = is_flat, kind = "softmax"})
  return b:call("onnx_quantize", {shares, y_scale, zero = y_zero})
end

function ours.QLinearWhere(b, _, condition, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero)
  local left = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
  local right = b:call("onnx_dequantize", {y, y_scale, zero = y_zero})
  return b:call("onnx_quantize", {b:call("where", {condition, left, right}), z_scale, zero = z_zero})
end

for name, row in pairs {QLinearAdd = "add", QLinearMul = "mul"} do
  ours[name] = function(b, _, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero)
    local left = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
    local right = b:call("onnx_dequantize", {y, y_scale, zero = y_zero})
    return b:call("onnx_quantize", {b:call(row, {left, right}), z_scale, zero = z_zero})
  end
end

function ours.QLinearConcat(b, node, scale, zero)
  local parts = {}
  for i = 3, node.n, 3 do
    local at = node.inputs
    table.insert(parts, (b:call("onnx_dequantize", {at[i], at[i + 1], zero = at[i + 2]})))
  end
  return b:call("onnx_quantize", {b:call("cat", {parts, dim = words.dim(node:int("axis", 1))}), scale, zero = zero})
end

--- A product of matrices with a bias that is quantized as it is; real where no scale of the result is given.
function ours.QGemm(b, node, x, x_scale, x_zero, y, y_scale, y_zero, bias, z_scale, z_zero)
  if node:flag "transA" then x = b:call("transpose", {x, 1, 2}) end
  if node:flag "transB" then y = b:call("transpose", {y, 1, 2}) end
  local product = b:call("onnx_matmul_integer", {x, y, a_zero = x_zero, b_zero = y_zero})
  if bias then product = b:call("add", {product, bias}) end
  local scale = b:call("mul", {b:call("mul", {x_scale, y_scale}), node:float("alpha", 1)})
  local real = b:call("mul", {product, scale})
  return z_scale and b:call("onnx_quantize", {real, z_scale, zero = z_zero}) or real
end

function ours.DynamicQuantizeLSTM(b, node, x, w, r, bias, lengths, h, c, peepholes, w_scale, w_zero, r_scale, r_zero)
  local arguments = words.recurrence(node, x, w, r, bias, lengths, h)
  arguments.initial_c, arguments.p, arguments.flag = c, peepholes, node:flag "input_forget"
  arguments.scales = {w_scale, r_scale, w_zero, w_zero and r_zero}
  return b:call("onnx_dynamic_quantize_lstm", arguments)
end

--- The attention of quantized inputs and weights: q, k and v by one product, side by side.
function ours.QAttention(b, node, x, w, bias, x_scale, w_scale, mask, x_zero, w_zero, past)
  local all = ours.MatMulIntegerToFloat(b, node, x, w, x_scale, w_scale, x_zero, w_zero, bias)
  return b:call("onnx_packed_attention", {
    all, mask = mask, past = past, num_heads = node:int "num_heads", unidirectional = node:flag "unidirectional",
    scale = node:float("scale", 0), mask_value = node:float("mask_filter_value", -10000),
  })
end

function ours.QEmbedLayerNormalization(b, node, ids, segments, embeddings, places, kinds, gamma, beta, mask, ...)
  local given = {...} -- scales and zero points of the five tables
  local function real(table, i)
    return table and b:call("onnx_dequantize", {table, given[i], zero = given[i + 5]})
  end
  return b:call("onnx_embed_layer_norm", {
    ids, segments = segments, words = real(embeddings, 1), places = real(places, 2), kinds = real(kinds, 3),
    gamma = real(gamma, 4), beta = real(beta, 5), mask = mask, epsilon = node:float("epsilon", 1e-12),
  })
end

-- ---------------------------------------------------------- packed weights

--- The products are those of float32, whatever accuracy the attribute accuracy_level lets them have.
function ours.MatMulNBits(b, node, x, w, scales, zero, order, bias)
  if order then node:fail "weights in an order of their own (g_idx) are not taken" end
  local weight = b:call("onnx_unpack", {
    w, scales, zero = zero, n = node:int "N", k = node:int "K", bits = node:int("bits", 4),
    block_size = node:int "block_size",
  })
  return b:call("linear", {x, weight, bias})
end

local packed_in_bytes <const> = 2 -- the data type uint8

function ours.GatherBlockQuantized(b, node, data, indices, scales, zero)
  if node:int("gather_axis", 0) ~= 0 then node:fail "positions are taken along the first axis only" end
  local bits = node:int("bits", 4)
  local is_packed = node:data_type(1) == packed_in_bytes
  return b:call("onnx_gather_packed", {
    data, indices, scales, zero = zero, bits = is_packed and bits or 8, block_size = node:int("block_size", 128),
    middle = is_packed and 1 << (bits - 1) or 0,
  })
end

return ours
