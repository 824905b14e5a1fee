-- The operators of com.microsoft on quantized numbers.

local nl = require "nnlua"

local Builder = require "nnlua.program.builder"
local elements = require "nnlua.onnx.operators.elements"
local graph = require "nnlua.onnx.graph"
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

--- Real numbers as quantized ones, without a zero point in the dtype of others.
local function quantized_like(b, other, real, scale, zero)
  return b:call("onnx_quantize", {real, scale, zero = zero, like = other})
end

--- Quantized numbers through an operator of real ones.
local function on_reals(f)
  return function(b, node, x, x_scale, x_zero, y_scale, y_zero)
    local real = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
    return quantized_like(b, x, f(b, node, real), y_scale, y_zero)
  end
end

--- A pool of images whose channels are the second axis, or the last.
local function with_channels(f)
  return function(b, node, x)
    if not node:flag "channels_last" then return f(b, node, x) end
    local y = f(b, node, b:call("movedim", {x, -1, 2}))
    return b:call("movedim", {y, 2, -1})
  end
end

ours.QLinearSigmoid = on_reals(function(b, _, x) return b:call("sigmoid", {x}) end)
ours.QLinearLeakyRelu = on_reals(elements.LeakyRelu)

function ours.QLinearGlobalAveragePool(b, node, x, x_scale, x_zero, y_scale, y_zero)
  return with_channels(function(_, _, images)
    return b:call("onnx_qlinear_global_pool", {images, x_scale, x_zero = x_zero, y_scale = y_scale, y_zero = y_zero})
  end)(b, node, x)
end

function ours.QLinearAveragePool(b, node, x, x_scale, x_zero, y_scale, y_zero)
  return with_channels(function(_, _, images)
    return b:call("onnx_qlinear_average_pool", layers.windows(node, {
      images, x_scale, x_zero = x_zero, y_scale = y_scale, y_zero = y_zero, kernel_shape = node:ints "kernel_shape",
      ceil_mode = node:flag "ceil_mode", count_include_pad = node:flag "count_include_pad",
    }))
  end)(b, node, x)
end

ours.QLinearReduceMean = on_reals(reductions.ReduceMean)

function ours.QLinearSoftmax(b, node, x, x_scale, x_zero, y_scale, y_zero)
  local real = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
  local is_flat = node:int("opset", 13) < 13
  local shares = b:call("onnx_softmax", {real, axis = node:int("axis", -1), flat = is_flat, kind = "softmax"})
  -- ONNX Runtime takes whole multiples of a share: 1 / y_scale rounded down
  local whole = b:call("mul", {shares, b:call("floor", {b:call("reciprocal", {y_scale})})})
  return quantized_like(b, x, whole, b:constant(nl.tensor(1.0)), y_zero)
end

function ours.QLinearWhere(b, _, condition, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero)
  local left = b:call("onnx_dequantize", {x, x_scale, zero = x_zero})
  local right = b:call("onnx_dequantize", {y, y_scale, zero = y_zero})
  return quantized_like(b, x, b:call("where", {condition, left, right}), z_scale, z_zero)
end

for name, row in pairs {QLinearAdd = "onnx_qlinear_add", QLinearMul = "onnx_qlinear_mul"} do
  ours[name] = function(b, _, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero)
    return b:call(row, {
      x, x_scale, a_zero = x_zero, b = y, b_scale = y_scale, b_zero = y_zero, y_scale = z_scale, y_zero = z_zero,
    })
  end
end

function ours.QLinearConcat(b, node, scale, zero)
  local parts, at = {}, node.inputs
  for i = 3, node.n, 3 do
    table.insert(parts, (b:call("onnx_requantize", {
      at[i], at[i + 1], x_zero = at[i + 2], y_scale = scale, y_zero = zero,
    })))
  end
  return b:call("cat", {parts, dim = words.dim(node:int("axis", 1))})
end

--- A product of matrices with a bias that is quantized as it is; real where no zero point of the result is given,
--- though over its scale if there is one, as ONNX Runtime gives it.
function ours.QGemm(b, node, x, x_scale, x_zero, y, y_scale, y_zero, bias, z_scale, z_zero)
  if node:flag "transA" then x = b:call("transpose", {x, 1, 2}) end
  if node:flag "transB" then y = b:call("transpose", {y, 1, 2}) end
  local product = b:call("onnx_matmul_integer", {x, y, a_zero = x_zero, b_zero = y_zero})
  if bias then product = b:call("add", {product, bias}) end
  local scale = b:call("mul", {b:call("mul", {x_scale, node:float("alpha", 1)}), y_scale})
  if z_scale then scale = b:call("div", {scale, z_scale}) end -- sums are multiplied once
  local real = b:call("mul", {product, scale})
  return z_zero and b:call("onnx_quantize", {real, b:constant(nl.tensor(1.0)), zero = z_zero}) or real
end

function ours.DynamicQuantizeLSTM(b, node, x, w, r, bias, lengths, h, c, peepholes, w_scale, w_zero, r_scale, r_zero)
  local arguments = words.recurrence(node, x, w, r, bias, lengths, h)
  arguments.initial_c, arguments.p, arguments.flag = c, peepholes, node:flag "input_forget"
  arguments.scales = {w_scale, r_scale, w_zero, w_zero and r_zero}
  arguments.keeps, arguments.layout = not node:wants(1), nil
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

--- The weight that initializers make, unpacked now, so once for all calls; a parameter with the name of the packed one.
--- nil if what it is made of is known in calls only.
local function ready_weight(b, node, sizes)
  local packed, scales, zero = node:initializer(2), node:initializer(3), node:initializer(4)
  if not packed or not scales or node.inputs[4] and not zero then return nil end
  local arguments = {packed.tensor, scales.tensor, zero = zero and zero.tensor}
  for name, size in pairs(sizes) do arguments[name] = size end
  local made = Builder()
  made:at(node.name)
  made:output("weight", made:call("onnx_unpack", arguments))
  local weight = made:build()()
  while b.outer do b = b.outer end
  if packed.is_parameter then return b:constant(weight) end -- of another node, which has the name
  packed.is_parameter = true
  return graph.parameter(b, packed.name, weight)
end

--- The products are those of float32, whatever accuracy the attribute accuracy_level lets them have.
function ours.MatMulNBits(b, node, x, w, scales, zero, order, bias)
  if order then node:fail "weights in an order of their own (g_idx) are not taken" end
  local sizes = {
    n = node:int "N", k = node:int "K", bits = node:int("bits", 4), block_size = node:int "block_size",
  }
  local weight = ready_weight(b, node, sizes)
  if not weight then
    sizes[1], sizes[2], sizes.zero = w, scales, zero
    weight = b:call("onnx_unpack", sizes)
  end
  return b:call("linear", {x, weight, bias})
end

local packed_in_bytes <const> = 2 -- the data type uint8

function ours.GatherBlockQuantized(b, node, data, indices, scales, zero)
  local bits = node:int("bits", 4)
  local is_packed = node:data_type(1) == packed_in_bytes
  return b:call("onnx_gather_packed", {
    data, indices, scales, zero = zero, bits = is_packed and bits or 8, block_size = node:int("block_size", 128),
    middle = is_packed and 1 << (bits - 1) or 0, gather_axis = node:int("gather_axis", 0),
    quantize_axis = node:int("quantize_axis", 1),
  })
end

return ours
