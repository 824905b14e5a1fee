-- The operators of com.microsoft that exporters and optimizers leave; those on quantized numbers are in
-- microsoft_quantized.lua.

local elements = require "nnlua.onnx.operators.elements"
local layers = require "nnlua.onnx.operators.layers"

local microsoft = {}

function microsoft.FastGelu(b, _, x, bias)
  return b:call("gelu", {bias and b:call("add", {x, bias}) or x, approximate = "tanh"})
end

function microsoft.BiasGelu(b, _, x, bias)
  return b:call("gelu", {b:call("add", {x, bias})})
end

function microsoft.QuickGelu(b, node, x)
  return b:call("mul", {x, b:call("sigmoid", {b:call("mul", {x, node:float("alpha", 1.702)})})})
end

function microsoft.FusedMatMul(b, node, x, y)
  return b:call("onnx_fused_matmul", {
    x, y, alpha = node:float("alpha", 1), trans_a = node:flag "transA", trans_b = node:flag "transB",
    batch_a = node:flag "transBatchA", batch_b = node:flag "transBatchB",
  })
end

--- A fused activation by its name, with its numbers.
local function activated(b, node, x, name, numbers)
  numbers = numbers or {}
  if not name or name == "" then return x end
  if name == "LeakyRelu" then return b:call("leaky_relu", {x, negative_slope = numbers[1] or 0.01}) end
  if name == "Clip" then return b:call("clamp", {x, min = numbers[1], max = numbers[2]}) end
  if name == "HardSigmoid" then
    return b:call("clamp", {b:call("onnx_affine", {x, alpha = numbers[1] or 0.2, beta = numbers[2] or 0.5}), 0, 1})
  end
  if name == "Elu" then return b:call("elu", {x, alpha = numbers[1] or 1}) end
  if name == "ThresholdedRelu" then return b:call("threshold", {x, numbers[1] or 1, 0}) end
  local plain = {
    Relu = "relu", Tanh = "tanh", Sigmoid = "sigmoid", HardSwish = "hardswish", Softplus = "softplus",
  }
  if not plain[name] then node:fail("its activation %s is not there", name) end
  return b:call(plain[name], {x})
end

function microsoft.FusedConv(b, node, x, w, bias, added)
  local y = layers.Conv(b, node, x, w, bias)
  if added then y = b:call("add", {y, added}) end
  return activated(b, node, y, node:text "activation", node:floats "activation_params")
end

function microsoft.FusedGemm(b, node, ...)
  return activated(b, node, elements.Gemm(b, node, ...), node:text "activation", {node:float "activation_alpha",
    node:float "activation_beta"})
end

function microsoft.Attention(b, node, x, weights, bias, mask, past, attention_bias)
  return b:call("onnx_packed_attention", {
    x, weights, bias = bias, mask = mask, past = past, attention_bias = attention_bias,
    num_heads = node:int "num_heads", unidirectional = node:flag "unidirectional",
    widths = node:ints "qkv_hidden_sizes", scale = node:float("scale", 0),
    mask_value = node:float("mask_filter_value", -10000),
  })
end

function microsoft.MultiHeadAttention(b, node, q, k, v, bias, mask, attention_bias, past_key, past_value)
  return b:call("onnx_multi_head_attention", {
    q, k = k, v = v, bias = bias, mask = mask, attention_bias = attention_bias, past_key = past_key,
    past_value = past_value, num_heads = node:int "num_heads", unidirectional = node:flag "unidirectional",
    scale = node:float("scale", 0), mask_value = node:float("mask_filter_value", -10000),
  })
end

function microsoft.GroupQueryAttention(b, node, q, k, v, past_key, past_value, lengths, total, cos, sin, ...)
  local positions, bias, sinks, k_scale, v_scale = ...
  if k_scale or v_scale then node:fail "scales of quantized keys and values (k_scale, v_scale) are not taken" end
  for _, name in ipairs {"k_quant_type", "v_quant_type"} do
    local kind = node:text(name, "NONE")
    if kind ~= "NONE" then node:fail("quantized keys and values (%s = %s) are not taken", name, kind) end
  end
  return b:call("onnx_group_query_attention", {
    k and {q, k, v} or {q}, past_key and {past_key, past_value} or {}, node:flag "do_rotary" and {cos, sin} or {},
    lengths, total, positions = positions, bias = bias, sinks = sinks, num_heads = node:int "num_heads",
    kv_num_heads = node:int "kv_num_heads", scale = node:float("scale", 0), softcap = node:float("softcap", 0),
    window = node:int("local_window_size", -1), interleaved = node:flag "rotary_interleaved",
    smooth = node:flag "smooth_softmax",
  })
end

function microsoft.RotaryEmbedding(b, node, x, positions, cos, sin)
  return layers.RotaryEmbedding(b, node, x, cos, sin, positions)
end

function microsoft.EmbedLayerNormalization(b, node, ids, segments, embeddings, places, kinds, gamma, beta, ...)
  local mask, positions = ...
  return b:call("onnx_embed_layer_norm", {
    ids, segments = segments, words = embeddings, places = places, kinds = kinds, gamma = gamma, beta = beta,
    mask = mask, positions = positions, epsilon = node:float("epsilon", 1e-12),
  })
end

--- The sum of two, or three, tensors.
local function sum_of(b, x, skip, bias)
  local sum = b:call("add", {x, skip})
  return bias and b:call("add", {sum, bias}) or sum
end

function microsoft.SkipLayerNormalization(b, node, x, skip, gamma, beta, bias)
  local sum = sum_of(b, x, skip, bias)
  local y, mean, deviation = b:call("onnx_layer_norm_parts", {
    sum, gamma, b = beta, epsilon = node:float("epsilon", 1e-12),
  })
  return y, mean, deviation, sum
end

microsoft.SimplifiedLayerNormalization = layers.SimplifiedLayerNormalization

function microsoft.SkipSimplifiedLayerNormalization(b, node, x, skip, gamma, bias)
  local sum = sum_of(b, x, skip, bias)
  return b:call("onnx_rms_norm", {sum, gamma, epsilon = node:float("epsilon", 1e-12)}), nil, nil, sum
end

-- ------------------------------------------------------------------- others

--- The softmax of a sum, over all axes from one on.
function microsoft.BiasSoftmax(b, node, x, bias)
  return b:call("onnx_softmax", {
    b:call("add", {x, bias}), axis = node:int("axis", 1), flat = true, kind = "softmax",
  })
end

function microsoft.ExpandDims(b, _, x, axis)
  return b:call("onnx_unsqueeze", {x, axis})
end

function microsoft.Inverse(b, _, x)
  return b:call("linalg_inv", {x})
end

microsoft.TransposeMatMul = microsoft.FusedMatMul

for name, entry in pairs(require "nnlua.onnx.operators.microsoft_quantized") do microsoft[name] = entry end

return microsoft
