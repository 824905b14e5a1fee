-- The rows that programs read from files of ONNX are made of, as the operators that they were: tables of the names of
-- inputs, in order, and of attributes, ours to theirs.

local nl = require "nnlua"

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
loaded.onnx_unsqueeze = operator("Unsqueeze", {"data", "axes"})
loaded.onnx_expand = operator("Expand", {"input", "shape"})
loaded.onnx_tile = operator("Tile", {"input", "repeats"})
loaded.onnx_transpose = operator("Transpose", {"data"}, {perm = "perm"})
loaded.onnx_depth_to_space = operator("DepthToSpace", {"input"}, {blocksize = "blocksize", mode = "mode"})
loaded.onnx_trilu = operator("Trilu", {"input", "k"}, {upper = "upper"})
loaded.onnx_slice = operator("Slice", {"data", "starts", "ends", "axes", "steps"})
loaded.onnx_pad = operator("Pad", {"data", "pads", "value", "axes"}, {mode = "mode"})
loaded.onnx_center_crop_pad = operator("CenterCropPad", {"input", "shape"}, {axes = "axes"})
loaded.onnx_reverse_sequence = operator("ReverseSequence", {"input", "sequence_lens"}, {
  batch_axis = "batch_axis", time_axis = "time_axis",
})
loaded.onnx_shape = operator("Shape", {"input"}, {start = "start", stop = "end"})
loaded.onnx_size = operator("Size", {"input"})
loaded.onnx_range = operator("Range", {"start", "limit", "delta"})
loaded.onnx_one_hot = operator("OneHot", {"indices", "depth", "values"}, {axis = "axis"})

loaded.onnx_div = operator("Div", {"input", "other"})
loaded.onnx_mod = operator("Mod", {"input", "other"}, {fmod = "fmod"})
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
  if a.product then return nil end
  return e:add("CumSum", {a.x, a.axis}, {exclusive = a.exclusive, reverse = a.reverse})
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
  if a.flat then return nil end
  local ops = {softmax = "Softmax", log = "LogSoftmax", hardmax = "Hardmax"}
  return e:add(ops[a.kind], {a.input}, {axis = a.axis})
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

function loaded.onnx_global_pool(e, a)
  local ops = {average = "GlobalAveragePool", max = "GlobalMaxPool", lp = "GlobalLpPool"}
  return e:add(ops[a.kind], {a.x}, a.kind == "lp" and {p = a.p} or nil)
end

loaded.onnx_batch_norm = operator("BatchNormalization", {"x", "scale", "b", "mean", "var"}, {epsilon = "epsilon"})
loaded.onnx_instance_norm = operator("InstanceNormalization", {"x", "scale", "b"}, {epsilon = "epsilon"})
loaded.onnx_layer_norm = operator("LayerNormalization", {"x", "scale", "b"}, {axis = "axis", epsilon = "epsilon"})
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
loaded.onnx_matmul_integer = operator("MatMulInteger", {"a", "b", "a_zero", "b_zero"})
loaded.onnx_qlinear_matmul = operator("QLinearMatMul", {
  "a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero",
})
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
