-- The rows that programs read from files of ONNX are made of, as the operators that they were: tables of the names of
-- inputs, in order, and of attributes, ours to theirs.

local nl = require "nnlua"
local types = require "nnlua.onnx.types"
local words = require "nnlua.onnx.rows.words"

local loaded = {}

--- An attribute as it is written: numbers of arguments that are real stay real.
local function attribute_of(argument)
  local value = argument.constant
  if argument.kind == "real" then return value + 0.0 end
  return value
end

--- A row that is one operator. `fixed` are attributes that it always has; numbers of `last` are left out.
local function operator(op, inputs, attributes, outputs)
  return function(e, a, step)
    local names, given = {}, {}
    for i, name in ipairs(inputs) do names[i] = a[name] or false end
    for _, argument in ipairs(step.arguments) do
      local theirs = attributes and attributes[argument.name]
      if theirs and argument.constant ~= nil then given[theirs] = attribute_of(argument) end
    end
    return e:add(op, names, given, outputs)
  end
end

local windows = {auto_pad = "auto_pad", dilations = "dilations", pads = "pads", strides = "strides"}

--- Attributes of windows and others.
local function with_windows(others)
  for ours, theirs in pairs(windows) do others[ours] = others[ours] or theirs end
  return others
end

loaded.onnx_reshape = operator("Reshape", {"data", "shape"}, {allowzero = "allowzero"})
loaded.onnx_flatten = operator("Flatten", {"input"}, {axis = "axis"})
loaded.onnx_squeeze = operator("Squeeze", {"data", "axes"})

--- com.microsoft's takes an axis of int32.
function loaded.onnx_unsqueeze(e, a)
  local dtype = words.dtype(e, a, "axes")
  return e:add("Unsqueeze", {a.data, e:cast(a.axes, dtype or nl.int64, nl.int64)})
end

loaded.onnx_expand = operator("Expand", {"input", "shape"})
loaded.onnx_tile = operator("Tile", {"input", "repeats"})
loaded.onnx_transpose = operator("Transpose", {"data"}, {perm = "perm"})
loaded.onnx_depth_to_space = operator("DepthToSpace", {"input"}, {blocksize = "blocksize", mode = "mode"})
loaded.onnx_trilu = operator("Trilu", {"input", "k"}, {upper = "upper"})
loaded.onnx_slice = operator("Slice", {"data", "starts", "ends", "axes", "steps"})

--- A number that an attribute was is of no dtype yet.
function loaded.onnx_pad(e, a)
  local value = a.value and words.as(e, a, "value", words.dtype(e, a, "data"), a.data)
  return e:add("Pad", {a.data, a.pads, value, a.axes}, {mode = a.mode})
end

loaded.onnx_center_crop_pad = operator("CenterCropPad", {"input", "shape"}, {axes = "axes"})
loaded.onnx_reverse_sequence = operator("ReverseSequence", {"input", "sequence_lens"}, {
  batch_axis = "batch_axis", time_axis = "time_axis",
})
loaded.onnx_shape = operator("Shape", {"input"}, {start = "start", stop = "end"})
loaded.onnx_size = operator("Size", {"input"})
function loaded.onnx_range(e, a)
  local dtype = words.dtype(e, a, "start")
  if dtype == nl.float16 or dtype == nl.bfloat16 then e:since(27) end
  return e:add("Range", {a.start, a.limit, a.delta})
end

loaded.onnx_one_hot = operator("OneHot", {"indices", "depth", "values"}, {axis = "axis"})

--- Rows that give a list, whose tensors most programs take one by one.
function loaded.onnx_split(e, a, step)
  local count = not a.split and a.num_outputs or nil
  local parts = {e:add("Split", {a.input, a.split}, {axis = a.axis, num_outputs = count}, a.num_outputs)}
  return e:list(step, parts)
end

function loaded.onnx_unique(e, a, step)
  return e:list(step, {e:add("Unique", {a.x}, {axis = a.axis, sorted = a.sorted}, 4)})
end

loaded.onnx_split_to_sequence = operator("SplitToSequence", {"input", "split"}, {axis = "axis", keepdims = "keepdims"})

--- The element as an attribute, where it is known: else as what is broadcast.
function loaded.onnx_constant_of_shape(e, a)
  local value = a.value and e.contents.values[a.at.value].tensor
  if a.value and not value then return e:add("Expand", {e:add("Reshape", {a.value, e:ints {1}}), a.shape}) end
  return e:add("ConstantOfShape", {a.shape}, {value = value and value:detach():reshape {1}})
end

function loaded.onnx_eye_like(e, a)
  return e:add("EyeLike", {a.input}, {k = a.k, dtype = a.dtype and types.number(a.dtype)})
end

--- Operator sets before 28 have one order of channels.
function loaded.onnx_space_to_depth(e, a)
  if a.mode ~= "DCR" then e:since(28) end
  return e:add("SpaceToDepth", {a.input}, {blocksize = a.blocksize, mode = a.mode ~= "DCR" and a.mode or nil})
end

function loaded.onnx_affine(e, a)
  local dtype = words.dtype(e, a, "input")
  local function number(value) return words.number(e, value + 0.0, dtype, a.input) end
  local y = a.input
  if a.alpha ~= 1 then y = e:add("Mul", {y, number(a.alpha)}) end
  if a.beta ~= 0 then y = e:add("Add", {y, number(a.beta)}) end
  return y
end

loaded.onnx_dropout = operator("Dropout", {"input", "ratio", "training"}, nil, 2)

--- Whole numbers that ONNX has and we don't, by the least and the greatest: their number, and the dtype that has them.
local narrow <const> = {
  ["0,3"] = {25, nl.uint8}, ["-2,1"] = {26, nl.int8}, ["0,15"] = {21, nl.uint8}, ["-8,7"] = {22, nl.int8},
  ["0,65535"] = {4, nl.int32}, ["0,4294967295"] = {12, nl.int64},
}

function loaded.onnx_into_range(e, a)
  local number, dtype = table.unpack(narrow[table.concat(a.range, ",")] or {})
  if not number then return nil end
  e:since(number > 22 and 25 or number > 20 and 21 or 0)
  return e:cast(e:add("Cast", {a.input}, {to = number}), nil, dtype)
end

loaded.onnx_div = operator("Div", {"input", "other"})

--- Of reals with the sign of the divisor only operator set 28 has.
function loaded.onnx_mod(e, a)
  if not a.fmod and words.is_floating(words.dtype(e, a, "input")) then e:since(28) end
  return e:add("Mod", {a.input, a.other}, {fmod = a.fmod})
end

loaded.onnx_pow = operator("Pow", {"input", "exponent"})
loaded.onnx_is_inf = operator("IsInf", {"input"}, {negative = "detect_negative", positive = "detect_positive"})
loaded.onnx_shrink = operator("Shrink", {"input"}, {lambd = "lambd", bias = "bias"})
loaded.onnx_selu = operator("Selu", {"input"}, {alpha = "alpha", gamma = "gamma"})
loaded.onnx_prelu = operator("PRelu", {"input", "slope"})
loaded.onnx_gemm = operator("Gemm", {"a", "b", "c"}, {
  alpha = "alpha", beta = "beta", trans_a = "transA", trans_b = "transB",
})

loaded.onnx_gather = operator("Gather", {"data", "indices"}, {axis = "axis"})
loaded.onnx_gather_elements = operator("GatherElements", {"data", "indices"}, {axis = "axis"})
loaded.onnx_gather_nd = operator("GatherND", {"data", "indices"}, {batch_dims = "batch_dims"})
loaded.onnx_scatter_elements = operator("ScatterElements", {"data", "indices", "updates"}, {
  axis = "axis", reduction = "reduction",
})
loaded.onnx_scatter_nd = operator("ScatterND", {"data", "indices", "updates"}, {reduction = "reduction"})
loaded.onnx_compress = operator("Compress", {"input", "condition"}, {axis = "axis"})
loaded.onnx_non_zero = operator("NonZero", {"x"})
loaded.onnx_top_k = operator("TopK", {"x", "k"}, {axis = "axis", largest = "largest", sorted = "sorted"}, 2)
loaded.onnx_non_max_suppression = operator("NonMaxSuppression",
  {"boxes", "scores", "most", "iou_threshold", "score_threshold"}, {center_point_box = "center_point_box"})

loaded.onnx_cumulate = function(e, a)
  if a.product then e:since(26) end
  return e:add(a.product and "CumProd" or "CumSum", {a.x, a.axis}, {exclusive = a.exclusive, reverse = a.reverse})
end

function loaded.onnx_arg(e, a)
  return e:add(a.greatest and "ArgMax" or "ArgMin", {a.data}, {
    axis = a.axis, keepdims = a.keepdims, select_last_index = a.last,
  })
end

function loaded.onnx_reduce(e, a)
  return e:add("Reduce" .. a.kind, {a.data, a.axes}, {
    keepdims = a.keepdims, noop_with_empty_axes = a.noop_with_empty_axes,
  })
end

function loaded.onnx_softmax(e, a)
  local ops = {softmax = "Softmax", log = "LogSoftmax", hardmax = "Hardmax"}
  if not a.flat then return e:add(ops[a.kind], {a.input}, {axis = a.axis}) end
  local shares = e:add(ops[a.kind], {e:add("Flatten", {a.input}, {axis = a.axis})}, {axis = -1})
  return e:add("Reshape", {shares, e:add("Shape", {a.input})}, {allowzero = 1})
end

loaded.onnx_conv = operator("Conv", {"x", "w", "b"}, with_windows {group = "group"})
loaded.onnx_conv_transpose = operator("ConvTranspose", {"x", "w", "b"}, with_windows {
  group = "group", output_padding = "output_padding", output_shape = "output_shape",
})
loaded.onnx_max_pool = operator("MaxPool", {"x"}, with_windows {kernel_shape = "kernel_shape", ceil_mode = "ceil_mode"})
loaded.onnx_average_pool = operator("AveragePool", {"x"}, with_windows {
  kernel_shape = "kernel_shape", ceil_mode = "ceil_mode", count_include_pad = "count_include_pad",
})
loaded.onnx_lp_pool = operator("LpPool", {"x"}, with_windows {
  kernel_shape = "kernel_shape", ceil_mode = "ceil_mode", p = "p",
})

function loaded.onnx_max_pool_indices(e, a)
  return e:add("MaxPool", {a.x}, {
    kernel_shape = a.kernel_shape, auto_pad = a.auto_pad, ceil_mode = a.ceil_mode, dilations = a.dilations,
    pads = a.pads, strides = a.strides, storage_order = a.column_major,
  }, 2)
end

loaded.onnx_max_unpool = operator("MaxUnpool", {"x", "indices", "output_shape"}, {
  kernel_shape = "kernel_shape", pads = "pads", strides = "strides",
})
loaded.onnx_max_roi_pool = operator("MaxRoiPool", {"x", "rois"}, {
  shape = "pooled_shape", spatial_scale = "spatial_scale",
})

function loaded.onnx_roi_align(e, a)
  return e:add("RoiAlign", {a.x, a.rois, a.batch_indices}, {
    output_height = a.height, output_width = a.width, sampling_ratio = a.sampling_ratio,
    spatial_scale = a.spatial_scale + 0.0, mode = a.is_max and "max" or "avg",
    coordinate_transformation_mode = a.half_pixel and "half_pixel" or "output_half_pixel",
  })
end

loaded.onnx_deform_conv = operator("DeformConv", {"x", "w", "offset", "b", "mask"}, {
  dilations = "dilations", group = "group", offset_group = "offset_group", pads = "pads", strides = "strides",
})
loaded.onnx_col2im = operator("Col2Im", {"input", "image_shape", "block_shape"}, {
  dilations = "dilations", pads = "pads", strides = "strides",
})
loaded.onnx_affine_grid = operator("AffineGrid", {"theta", "size"}, {align_corners = "align_corners"})

function loaded.onnx_global_pool(e, a)
  local ops = {average = "GlobalAveragePool", max = "GlobalMaxPool", lp = "GlobalLpPool"}
  return e:add(ops[a.kind], {a.x}, a.kind == "lp" and {p = a.p} or nil)
end

loaded.onnx_batch_norm = operator("BatchNormalization", {"x", "scale", "b", "mean", "var"}, {epsilon = "epsilon"})
function loaded.onnx_batch_norm_training(e, a)
  return e:add("BatchNormalization", {a.x, a.scale, a.b, a.mean, a.var}, {
    epsilon = a.epsilon, momentum = a.momentum, training_mode = 1,
  }, 3)
end

loaded.onnx_instance_norm = operator("InstanceNormalization", {"x", "scale", "b"}, {epsilon = "epsilon"})
loaded.onnx_layer_norm = operator("LayerNormalization", {"x", "scale", "b"}, {axis = "axis", epsilon = "epsilon"})
loaded.onnx_layer_norm_parts = operator("LayerNormalization", {"x", "scale", "b"}, {
  axis = "axis", epsilon = "epsilon",
}, 3)
loaded.onnx_mean_variance_norm = operator("MeanVarianceNormalization", {"x"}, {axes = "axes"})
loaded.onnx_lp_normalization = operator("LpNormalization", {"input"}, {axis = "axis", p = "p"})
loaded.onnx_lrn = operator("LRN", {"x"}, {size = "size", alpha = "alpha", beta = "beta", bias = "bias"})
local resize = operator("Resize", {"x", "roi", "scales", "sizes"}, {
  mode = "mode", coordinates = "coordinate_transformation_mode", nearest = "nearest_mode",
  aspect = "keep_aspect_ratio_policy", axes = "axes", cubic_coeff_a = "cubic_coeff_a",
  extrapolation_value = "extrapolation_value", exclude_outside = "exclude_outside", antialias = "antialias",
})

function loaded.onnx_resize(e, a, step)
  if a.nearest == "outward" then return nil end -- which operator sets behind 10 can't say
  return resize(e, a, step)
end

loaded.onnx_stft = operator("STFT", {"signal", "frame_step", "window", "frame_length"}, {onesided = "onesided"})

--- The axis is an input in operator set 20.
function loaded.onnx_dft(e, a)
  return e:add("DFT", {a.input, a.dft_length, a.axis_tensor or e:number(a.axis, nl.int64)}, {
    inverse = a.inverse, onesided = a.onesided,
  })
end

function loaded.onnx_mel_weights(e, a)
  return e:add("MelWeightMatrix", {a.bins, a.dft_length, a.sample_rate, a.lower, a.upper}, {
    output_datatype = a.dtype and types.number(a.dtype),
  })
end

function loaded.onnx_window(e, a)
  local ops = {hann = "HannWindow", hamming = "HammingWindow", blackman = "BlackmanWindow"}
  return e:add(ops[a.kind], {a.size}, {periodic = a.periodic, output_datatype = a.dtype and types.number(a.dtype)})
end

--- Operators of later sets than the one that files are of otherwise.
function loaded.onnx_rms_norm(e, a)
  e:since(23)
  return e:add("RMSNormalization", {a.x, a.scale}, {axis = a.axis, epsilon = a.epsilon})
end

function loaded.onnx_rotary(e, a)
  if a.num_heads == 0 and words.rank(e, a, "x") == 3 then return nil end -- com.microsoft's knows it from cos
  e:since(23)
  return e:add("RotaryEmbedding", {a.x, a.cos, a.sin, a.positions}, {
    num_heads = a.num_heads, rotary_embedding_dim = a.rotary_embedding_dim, interleaved = a.interleaved,
  })
end

--- Attention: its 4 outputs, or the first.
local function attention(outputs)
  return function(e, a, step)
    local left, right = table.unpack(a.window or {})
    e:since(a.window and 25 or a.lengths and 24 or 23)
    local names = {e:add("Attention", {a.q, a.k, a.v, a.mask, a.past_key, a.past_value, a.lengths}, {
      is_causal = a.is_causal, q_num_heads = a.q_num_heads > 0 and a.q_num_heads or nil,
      kv_num_heads = a.kv_num_heads > 0 and a.kv_num_heads or nil, scale = a.scale ~= 0 and a.scale + 0.0 or nil,
      softcap = a.softcap + 0.0, qk_matmul_output_mode = a.qk_mode, left_window_size = left, right_window_size = right,
    }, outputs)}
    if outputs == 1 then return names[1] end
    return e:list(step, names)
  end
end

loaded.onnx_attention, loaded.onnx_attention_parts = attention(1), attention(4)

function loaded.onnx_tensor_scatter(e, a)
  e:since(24)
  return e:add("TensorScatter", {a.past_cache, a.update, a.write_indices}, {
    axis = a.axis, mode = a.circular and "circular" or "linear",
  })
end

function loaded.onnx_causal_conv(e, a)
  e:since(27)
  return e:add("CausalConvWithState", {a.x, a.w, a.b, a.past}, {activation = a.activation}, 2)
end

function loaded.onnx_bit_cast(e, a)
  e:since(26)
  return e:add("BitCast", {a.input}, {to = types.number(a.dtype)})
end

--- Scale and bias of channels: those of groups were an earlier set's.
function loaded.onnx_group_norm(e, a)
  local channels, scales = words.size(e, a, "x", 2), words.size(e, a, "scale", 1)
  if not scales or scales == a.num_groups and channels ~= scales then return nil end
  e:since(21)
  return e:add("GroupNormalization", {a.x, a.scale, a.bias}, {num_groups = a.num_groups, epsilon = a.epsilon})
end

--- The attributes that recurrent layers have in common. Numbers that say the default are left out.
local function recurrent(op, outputs, flag)
  return function(e, a)
    local activations = {}
    for name in a.activations:gmatch "[^,]+" do table.insert(activations, name) end
    local attributes = {
      direction = a.direction, hidden_size = e.contents.values[a.at.r].shape and e.contents.values[a.at.r].shape[3],
      layout = a.layout, clip = a.clip > 0 and a.clip or nil,
      activations = #activations > 0 and {texts = activations} or nil,
      activation_alpha = a.alpha and {floats = a.alpha} or nil, activation_beta = a.beta and {floats = a.beta} or nil,
    }
    if not attributes.hidden_size then return nil end
    if flag then attributes[flag] = a.flag end
    local inputs = {a.x, a.w, a.r, a.b, a.sequence_lens, a.initial_h, a.initial_c, a.p}
    if op ~= "LSTM" then inputs = table.move(inputs, 1, 6, 1, {}) end
    return e:add(op, inputs, attributes, outputs)
  end
end

loaded.onnx_rnn = recurrent("RNN", 2)
loaded.onnx_gru = recurrent("GRU", 2, "linear_before_reset")
loaded.onnx_lstm = recurrent("LSTM", 3, "input_forget")

function loaded.onnx_dequantize(e, a)
  if a.block_size ~= 0 or a.dtype then return nil end
  return e:add("DequantizeLinear", {a.x, a.scale, a.zero}, {axis = a.axis})
end

loaded.onnx_dynamic_quantize = operator("DynamicQuantizeLinear", {"x"}, nil, 3)

--- What com.microsoft's operators do with it next is of real numbers.
function loaded.onnx_matmul_integer(e, a, step)
  e.sums[step.results[1]] = true
  return e:add("MatMulInteger", {a.a, a.b, a.a_zero, a.b_zero})
end

local qlinear_matmul = operator("QLinearMatMul", {
  "a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero",
})

function loaded.onnx_qlinear_matmul(e, a, step)
  if words.dtype(e, a, "a_scale") == nl.float16 then e:since(21) end
  return qlinear_matmul(e, a, step)
end

loaded.onnx_conv_integer = operator("ConvInteger", {"x", "w", "x_zero", "w_zero"}, with_windows {group = "group"})
loaded.onnx_qlinear_conv = operator("QLinearConv", {
  "x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "b",
}, with_windows {group = "group"})

function loaded.onnx_quantize(e, a)
  if a.low ~= a.high or a.dtype or a.block_size ~= 0 or a.like and not a.zero then return nil end
  return e:add("QuantizeLinear", {a.x, a.scale, a.zero}, {axis = a.axis})
end

function loaded.onnx_to_bytes(e, a)
  if a.low ~= a.high or not a.zero and a.dtype ~= nl.uint8 then return nil end
  return e:add("QuantizeLinear", {a.x, a.scale, a.zero})
end

function loaded.onnx_of_bytes(e, a) return e:add("DequantizeLinear", {a.x, a.scale, a.zero}) end

--- Whether scales and zero points are known, so that the operators between DequantizeLinear and QuantizeLinear are read
--- as what they were. Of others such are written only where nothing but ONNX's own will do: they round otherwise.
local function may_be_real(e, a, names)
  if not a.y_zero then return false end
  for _, name in ipairs(names) do
    local id = a.at[name]
    if id and not e.contents.values[id].tensor then return e.options.strict end
  end
  return true
end
local of_pairs <const> = {"a_scale", "a_zero", "b_scale", "b_zero", "y_scale", "y_zero"}
local of_one <const> = {"x_scale", "x_zero", "y_scale", "y_zero"}

--- What quantized numbers stand for.
local function real_of(e, x, scale, zero) return e:add("DequantizeLinear", {x, scale, zero}) end

--- Operators that ONNX has for real numbers alone, between DequantizeLinear and QuantizeLinear.
for row, op in pairs {onnx_qlinear_add = "Add", onnx_qlinear_mul = "Mul"} do
  loaded[row] = function(e, a)
    if not may_be_real(e, a, of_pairs) then return nil end
    local real = e:add(op, {real_of(e, a.a, a.a_scale, a.a_zero), real_of(e, a.b, a.b_scale, a.b_zero)})
    return e:add("QuantizeLinear", {real, a.y_scale, a.y_zero})
  end
end

function loaded.onnx_requantize(e, a)
  if not may_be_real(e, a, of_one) then return nil end
  return e:add("QuantizeLinear", {real_of(e, a.x, a.x_scale, a.x_zero), a.y_scale, a.y_zero})
end

function loaded.onnx_qlinear_global_pool(e, a)
  if not may_be_real(e, a, of_one) then return nil end
  local mean = e:add("GlobalAveragePool", {real_of(e, a.x, a.x_scale, a.x_zero)})
  return e:add("QuantizeLinear", {mean, a.y_scale, a.y_zero})
end

return loaded
