-- Operators that are layers of networks.

local words = require "nnlua.onnx.operators.words"

local layers = {}

--- The attributes of windows, with others.
local function windows(node, others)
  others.auto_pad = node:text("auto_pad", "NOTSET")
  others.dilations, others.pads, others.strides = node:ints "dilations", node:ints "pads", node:ints "strides"
  return others
end
layers.windows = windows

-- ------------------------------------------------------------ convolutions

function layers.Conv(b, node, x, w, bias)
  return b:call("onnx_conv", windows(node, {x, w, b = bias, group = node:int("group", 1)}))
end

function layers.ConvTranspose(b, node, x, w, bias)
  return b:call("onnx_conv_transpose", windows(node, {
    x, w, b = bias, group = node:int("group", 1), output_padding = node:ints "output_padding",
    output_shape = node:ints "output_shape",
  }))
end

function layers.DeformConv(b, node, x, w, offset, bias, mask)
  return b:call("onnx_deform_conv", {
    x, w, offset, b = bias, mask = mask, dilations = node:ints "dilations", group = node:int("group", 1),
    offset_group = node:int("offset_group", 1), pads = node:ints "pads", strides = node:ints "strides",
  })
end

function layers.Col2Im(b, node, x, image, block)
  return b:call("onnx_col2im", {
    x, image, block, dilations = node:ints "dilations", pads = node:ints "pads", strides = node:ints "strides",
  })
end

function layers.CausalConvWithState(b, node, x, w, bias, past)
  return b:call("onnx_causal_conv", {x, w, b = bias, past = past, activation = node:text("activation", "none")})
end

-- -------------------------------------------------------------------- pools

function layers.MaxPool(b, node, x)
  local arguments = windows(node, {x, node:ints "kernel_shape", ceil_mode = node:flag "ceil_mode"})
  if not node:wants(2) then return b:call("onnx_max_pool", arguments) end
  arguments.column_major = node:flag "storage_order"
  return b:call("onnx_max_pool_indices", arguments)
end

function layers.AveragePool(b, node, x)
  return b:call("onnx_average_pool", windows(node, {
    x, node:ints "kernel_shape", ceil_mode = node:flag "ceil_mode", count_include_pad = node:flag "count_include_pad",
  }))
end

function layers.LpPool(b, node, x)
  return b:call("onnx_lp_pool", windows(node, {
    x, node:ints "kernel_shape", p = node:int("p", 2), ceil_mode = node:flag "ceil_mode",
  }))
end

for name, kind in pairs {GlobalAveragePool = "average", GlobalMaxPool = "max", GlobalLpPool = "lp"} do
  layers[name] = function(b, node, x)
    return b:call("onnx_global_pool", {x, kind = kind, p = node:int("p", 2)})
  end
end

function layers.MaxUnpool(b, node, x, indices, shape)
  return b:call("onnx_max_unpool", {
    x, indices, output_shape = shape, kernel_shape = node:ints "kernel_shape", pads = node:ints "pads",
    strides = node:ints "strides",
  })
end

function layers.MaxRoiPool(b, node, x, rois)
  return b:call("onnx_max_roi_pool", {
    x, rois, shape = node:ints "pooled_shape", spatial_scale = node:float("spatial_scale", 1),
  })
end

function layers.RoiAlign(b, node, x, rois, images)
  local mode = node:text("coordinate_transformation_mode", node.version < 16 and "output_half_pixel" or "half_pixel")
  return b:call("onnx_roi_align", {
    x, rois, images, height = node:int("output_height", 1), width = node:int("output_width", 1),
    sampling_ratio = node:int("sampling_ratio", 0), spatial_scale = node:float("spatial_scale", 1),
    half_pixel = mode == "half_pixel", is_max = node:text("mode", "avg") == "max",
  })
end

-- ----------------------------------------------------------- normalizations

function layers.BatchNormalization(b, node, x, scale, bias, mean, var)
  local arguments = {x, scale, bias, mean, var, epsilon = node:float("epsilon", 1e-5)}
  if not node:flag "training_mode" then return b:call("onnx_batch_norm", arguments) end
  arguments.momentum = node:float("momentum", 0.9)
  return b:call("onnx_batch_norm_training", arguments)
end

function layers.InstanceNormalization(b, node, x, scale, bias)
  return b:call("onnx_instance_norm", {x, scale, bias, epsilon = node:float("epsilon", 1e-5)})
end

function layers.GroupNormalization(b, node, x, scale, bias)
  return b:call("onnx_group_norm", {
    x, scale, bias, num_groups = node:int("num_groups", 1), epsilon = node:float("epsilon", 1e-5),
  })
end

function layers.LayerNormalization(b, node, x, scale, bias)
  local row = (node:wants(2) or node:wants(3)) and "onnx_layer_norm_parts" or "onnx_layer_norm"
  return b:call(row, {x, scale, b = bias, axis = node:int("axis", -1), epsilon = node:float("epsilon", 1e-5)})
end

function layers.RMSNormalization(b, node, x, scale)
  return b:call("onnx_rms_norm", {x, scale, axis = node:int("axis", -1), epsilon = node:float("epsilon", 1e-5)})
end

--- What ONNX Runtime's optimizer wrote into the standard domain before that had one; and 1 over the roots.
function layers.SimplifiedLayerNormalization(b, node, x, scale)
  local y = layers.RMSNormalization(b, node, x, scale)
  return y, node:wants(2) and b:call("onnx_rms_factor", {
    x, axis = node:int("axis", -1), epsilon = node:float("epsilon", 1e-5),
  }) or nil
end

function layers.MeanVarianceNormalization(b, node, x)
  return b:call("onnx_mean_variance_norm", {x, axes = node:ints "axes"})
end

function layers.LRN(b, node, x)
  return b:call("onnx_lrn", {
    x, size = node:int "size", alpha = node:float("alpha", 0.0001), beta = node:float("beta", 0.75),
    bias = node:float("bias", 1),
  })
end

-- ------------------------------------------------------------------- images

function layers.Resize(b, node, x, roi, scales, sizes)
  local mode = node:text("mode", "nearest")
  local first = node.version < 11 -- scales alone, counted from the image's edge; smaller ones round up
  if first then roi, scales = nil, roi end
  return b:call("onnx_resize", {
    x, roi = roi, scales = scales, sizes = sizes, mode = mode, axes = node:ints "axes",
    coordinates = node:text("coordinate_transformation_mode", first and "asymmetric" or "half_pixel"),
    nearest = node:text("nearest_mode", first and mode == "nearest" and "outward" or "round_prefer_floor"),
    aspect = node:text("keep_aspect_ratio_policy", "stretch"), cubic_coeff_a = node:float("cubic_coeff_a", -0.75),
    extrapolation_value = node:float("extrapolation_value", 0), exclude_outside = node:flag "exclude_outside",
    antialias = node:flag "antialias",
  })
end

function layers.Upsample(b, node, x, scales)
  if node.version < 9 then scales = words.floats(node:floats "scales") end
  return b:call("onnx_resize", {
    x, scales = scales, mode = node:text("mode", "nearest"), coordinates = "asymmetric", nearest = "floor",
  })
end

local sampling = {linear = "bilinear", cubic = "bicubic"}

function layers.GridSample(b, node, x, grid)
  local mode = node:text("mode", "bilinear")
  return b:call("grid_sample", {
    x, grid, mode = sampling[mode] or mode, padding_mode = node:text("padding_mode", "zeros"),
    align_corners = node:flag "align_corners",
  })
end

function layers.AffineGrid(b, node, theta, size)
  return b:call("onnx_affine_grid", {theta, size, align_corners = node:flag "align_corners"})
end

-- ---------------------------------------------------------------- attention

function layers.Attention(b, node, q, k, v, mask, past_key, past_value, lengths)
  local arguments = {
    q, k, v, mask = mask, past_key = past_key, past_value = past_value, lengths = lengths,
    is_causal = node:flag "is_causal", q_num_heads = node:int("q_num_heads", 0),
    kv_num_heads = node:int("kv_num_heads", 0), scale = node:float("scale", 0), softcap = node:float("softcap", 0),
  }
  local left, right = node:int("left_window_size", -1), node:int("right_window_size", -1)
  if left >= 0 or right >= 0 then arguments.window = {left, right} end
  if not (node:wants(2) or node:wants(3) or node:wants(4)) then return b:call("onnx_attention", arguments) end
  arguments.qk_mode = node:int("qk_matmul_output_mode", 0)
  local parts = b:call("onnx_attention_parts", arguments)
  return b:item(parts, 1), b:item(parts, 2), b:item(parts, 3), b:item(parts, 4)
end

function layers.RotaryEmbedding(b, node, x, cos, sin, positions)
  return b:call("onnx_rotary", {
    x, cos, sin, positions = positions, num_heads = node:int("num_heads", 0),
    rotary_embedding_dim = node:int("rotary_embedding_dim", 0), interleaved = node:flag "interleaved",
  })
end

function layers.LinearAttention(b, node, q, k, v, state, decay, beta)
  return b:call("onnx_linear_attention", {
    q, k, v, state = state, decay = decay, beta = beta, q_num_heads = node:int "q_num_heads",
    kv_num_heads = node:int "kv_num_heads", scale = node:float("scale", 0),
  })
end

-- ------------------------------------------------------------------- losses

--- Labels from 0 as ours from 1; a label that is to be ignored stays one.
local function loss_of(b, node, scores, labels, weight)
  local ignored = node:int "ignore_index"
  local arguments = {
    scores, b:call("add", {b:call("to_dtype", {labels, require "nnlua".int64}), 1}), weight = weight,
    reduction = node:text("reduction", "mean"), ignore_index = ignored and ignored + 1 or math.mininteger,
  }
  return b:call("nll_loss", arguments)
end

layers.NegativeLogLikelihoodLoss = loss_of

function layers.SoftmaxCrossEntropyLoss(b, node, scores, labels, weight)
  local logs = b:call("log_softmax", {scores, dim = 2})
  return loss_of(b, node, logs, labels, weight), logs
end

return layers
