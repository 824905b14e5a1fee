-- Operators on quantized numbers.

local layers = require "nnlua.onnx.operators.layers"
local ranges = require "nnlua.onnx.operators.ranges"
local words = require "nnlua.onnx.operators.words"

local quantized = {}

function quantized.QuantizeLinear(b, node, x, scale, zero)
  local data_type = node:int("output_dtype", 0)
  if data_type == 0 then data_type = node:data_type(3) or 0 end
  local arguments = {x, scale, zero = zero, axis = node:int("axis", 1), block_size = node:int("block_size", 0)}
  if data_type ~= 0 then
    local range = ranges.of(node, data_type)
    if range then arguments.low, arguments.high = range[1], range[2] end
    arguments.dtype = node:dtype "output_dtype"
  end
  return b:call("onnx_quantize", arguments)
end

function quantized.DequantizeLinear(b, node, x, scale, zero)
  return b:call("onnx_dequantize", {
    x, scale, zero = zero, axis = node:int("axis", 1), block_size = node:int("block_size", 0),
    dtype = node:dtype "output_dtype",
  })
end

quantized.DynamicQuantizeLinear = words.row "onnx_dynamic_quantize"

function quantized.MatMulInteger(b, _, x, y, x_zero, y_zero)
  return b:call("onnx_matmul_integer", {x, y, a_zero = x_zero, b_zero = y_zero})
end

quantized.QLinearMatMul = words.row "onnx_qlinear_matmul"

function quantized.ConvInteger(b, node, x, w, x_zero, w_zero)
  return b:call("onnx_conv_integer", layers.windows(node, {
    x, w, x_zero = x_zero, w_zero = w_zero, group = node:int("group", 1),
  }))
end

function quantized.QLinearConv(b, node, x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias)
  return b:call("onnx_qlinear_conv", layers.windows(node, {
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, b = bias, group = node:int("group", 1),
  }))
end

return quantized
