-- Rows that are layers of networks.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local layers = {}

local extents, pads, with_batch = words.extents, words.pads, words.with_batch

-- ------------------------------------------------------------------ products

function layers.linear(e, a)
  local weight_rank = words.rank(e, a, "weight")
  if weight_rank ~= 2 then return nil end
  if words.rank(e, a, "input") == 2 then return e:add("Gemm", {a.input, a.weight, a.bias}, {transB = 1}) end
  local product = e:add("MatMul", {a.input, e:add("Transpose", {a.weight}, {perm = {1, 0}})})
  return a.bias and e:add("Add", {product, a.bias}) or product
end

for row, names in pairs {
  matmul = {"input", "other"}, mm = {"input", "mat2"}, bmm = {"input", "mat2"}, mv = {"input", "vec"},
  dot = {"input", "tensor"},
} do
  layers[row] = function(e, a, step)
    return e:add("MatMul", {a[names[1]], a[names[2]]})
  end
end

for row, names in pairs {addmm = {"mat1", "mat2"}, baddbmm = {"batch1", "batch2"}} do
  layers[row] = function(e, a, step)
    local dtype = words.result_dtype(e, step)
    local product = e:add("MatMul", {a[names[1]], a[names[2]]})
    if a.alpha ~= 1 then product = e:add("Mul", {product, e:number(a.alpha, dtype)}) end
    if a.beta == 0 then return product end
    local added = a.beta == 1 and a.input or e:add("Mul", {a.input, e:number(a.beta, dtype)})
    return e:add("Add", {added, product})
  end
end

function layers.einsum(e, a)
  if a.equation:find "%u" then return nil end
  return e:add("Einsum", a.operands, {equation = a.equation})
end

-- -------------------------------------------------------------- convolutions

for n = 1, 3 do
  layers["conv" .. n .. "d"] = function(e, a)
    return with_batch(e, a, n + 2, function(x)
      return e:add("Conv", {x, a.weight, a.bias}, {
        strides = extents(a.stride, n, 1), pads = pads(extents(a.padding, n, 0)),
        dilations = extents(a.dilation, n, 1), group = a.groups,
      })
    end)
  end
  layers["conv" .. n .. "d_padding"] = function(e, a)
    local dilations, both = extents(a.dilation, n, 1), {}
    for d = 1, n do
      local kernel = words.size(e, a, "weight", d + 2)
      if not kernel then return nil end
      local lost = a.padding == "same" and dilations[d] * (kernel - 1) or 0
      both[d], both[n + d] = lost // 2, lost - lost // 2
    end
    return with_batch(e, a, n + 2, function(x)
      return e:add("Conv", {x, a.weight, a.bias}, {
        strides = extents(a.stride, n, 1), pads = both, dilations = dilations, group = a.groups,
      })
    end)
  end
  layers["conv_transpose" .. n .. "d"] = function(e, a)
    return with_batch(e, a, n + 2, function(x)
      return e:add("ConvTranspose", {x, a.weight, a.bias}, {
        strides = extents(a.stride, n, 1), pads = pads(extents(a.padding, n, 0)),
        output_padding = extents(a.output_padding, n, 0), dilations = extents(a.dilation, n, 1), group = a.groups,
      })
    end)
  end
end

--- Convolutions over as many dimensions as their strides are.
function layers.convolve(e, a)
  return e:add("Conv", {a.input, a.weight, a.bias}, {
    strides = a.stride, pads = pads(a.padding), dilations = a.dilation, group = a.groups,
  })
end

function layers.convolve_input(e, a)
  local n, rest = #a.stride, {}
  for d = 1, n do
    local size, kernel = words.size(e, a, "grad", d + 2), words.size(e, a, "weight", d + 2)
    if not size or not kernel then return nil end
    local least = (size - 1) * a.stride[d] - 2 * a.padding[d] + a.dilation[d] * (kernel - 1) + 1
    rest[d] = a.size[#a.size - n + d] - least
  end
  return e:add("ConvTranspose", {a.grad, a.weight, a.bias}, {
    strides = a.stride, pads = pads(a.padding), output_padding = rest, dilations = a.dilation, group = a.groups,
  })
end

--- Products with weights of bytes.
function layers.weight_int8pack_mm(e, a, step)
  local dtype = words.result_dtype(e, step)
  local weight = e:add("Transpose", {words.as(e, a, "mat2", dtype)}, {perm = {1, 0}})
  return e:add("Mul", {e:add("MatMul", {a.input, weight}), words.as(e, a, "scales", dtype)})
end

function layers.int_mm(e, a)
  return e:add("MatMulInteger", {a.input, a.mat2})
end

--- Determinants.
function layers.det(e, a, step)
  return e:add("Det", {a.A})
end

function layers.slogdet(e, a, step)
  local det = layers.det(e, a, step)
  if not det then return nil end
  return e:add("Sign", {det}), e:add("Log", {e:add("Abs", {det})})
end

-- ------------------------------------------------------------ normalizations

--- A tensor of n equal numbers.
local function many(e, n, value, dtype)
  return e:constant(nl.full({n}, value, {dtype = dtype}))
end

function layers.batch_norm(e, a, step)
  local c, dtype = words.size(e, a, "input", 2), words.result_dtype(e, step)
  if a.training or not a.running_mean or not c then return nil end
  return e:add("BatchNormalization", {
    a.input, a.weight or many(e, c, 1, dtype), a.bias or many(e, c, 0, dtype), a.running_mean, a.running_var,
  }, {epsilon = a.eps})
end

function layers.instance_norm(e, a, step)
  local c, dtype = words.size(e, a, "input", 2), words.result_dtype(e, step)
  if not a.use_input_stats or not c or words.rank(e, a, "input") < 3 then return nil end
  return e:add("InstanceNormalization", {
    a.input, a.weight or many(e, c, 1, dtype), a.bias or many(e, c, 0, dtype),
  }, {epsilon = a.eps})
end

--- A weight of each channel as it broadcasts over [N, C, …].
local function of_channels(e, name, c, rank)
  local shape = {c}
  for d = 2, rank - 1 do shape[d] = 1 end
  return (e:add("Reshape", {name, e:ints(shape)}))
end

function layers.group_norm(e, a, step)
  local c, rank, dtype = words.size(e, a, "input", 2), words.rank(e, a, "input"), words.result_dtype(e, step)
  if not c then return nil end
  local groups = e:add("Reshape", {a.input, e:ints {0, a.num_groups, -1}})
  local y = e:add("InstanceNormalization", {
    groups, many(e, a.num_groups, 1, dtype), many(e, a.num_groups, 0, dtype),
  }, {epsilon = a.eps})
  y = e:add("Reshape", {y, e:add("Shape", {a.input})})
  if a.weight then y = e:add("Mul", {y, of_channels(e, a.weight, c, rank)}) end
  return a.bias and e:add("Add", {y, of_channels(e, a.bias, c, rank)}) or y
end

--- Channels less their means, times their scales, plus what is added to them.
function layers.channel_map(e, a)
  local c, rank = words.size(e, a, "input", 2), words.rank(e, a, "input")
  if not c then return nil end
  local apart = e:add("Sub", {a.input, of_channels(e, a.mean, c, rank)})
  local y = e:add("Mul", {apart, of_channels(e, a.scale, c, rank)})
  return a.shift and e:add("Add", {y, of_channels(e, a.shift, c, rank)}) or y
end

--- Channels normalized over the batch, or in groups of each sample.
function layers.channel_norm(e, a, step)
  local shape, dtype = words.known_shape(e, a, "input"), words.result_dtype(e, step)
  if not shape then return nil end
  local n, c, groups = shape[1], shape[2], a.groups
  local at = e:ints(groups == 0 and {0, 2} or {2})
  local x = e:add("Reshape", {a.input, e:ints {n, groups == 0 and c or groups, -1}})
  local mean = e:add("ReduceMean", {x, at}, {keepdims = 1})
  local apart = e:add("Sub", {x, mean})
  local var = e:add("ReduceMean", {e:add("Mul", {apart, apart}), at}, {keepdims = 1})
  local y = e:add("Div", {apart, e:add("Sqrt", {e:add("Add", {var, e:number(a.eps, dtype)})})})
  y = e:add("Reshape", {y, e:ints(shape)})
  if a.weight then y = e:add("Mul", {y, of_channels(e, a.weight, c, #shape)}) end
  if a.bias then y = e:add("Add", {y, of_channels(e, a.bias, c, #shape)}) end
  local units = {}
  for i, name in ipairs {mean, var} do
    units[i] = e:cast(e:add("Reshape", {name, e:ints {-1}}), dtype, nl.float64)
  end
  return y, table.unpack(units)
end

function layers.layer_norm(e, a, step)
  local scale = a.weight or e:constant(nl.ones(a.normalized_shape, {dtype = words.result_dtype(e, step)}))
  return e:add("LayerNormalization", {a.input, scale, a.bias}, {axis = -#a.normalized_shape, epsilon = a.eps})
end

function layers.rms_norm(e, a, step)
  local axes, dtype = {}, words.result_dtype(e, step)
  for d = 1, #a.normalized_shape do axes[d] = -d end
  local squares = e:add("ReduceMean", {e:add("Mul", {a.input, a.input}), e:ints(axes)}, {keepdims = 1})
  local eps = a.eps or nl.finfo(dtype).eps
  local y = e:add("Div", {a.input, e:add("Sqrt", {e:add("Add", {squares, e:number(eps, dtype)})})})
  return a.weight and e:add("Mul", {y, a.weight}) or y
end

function layers.local_response_norm(e, a)
  if a.size % 2 == 0 or words.rank(e, a, "input") ~= 4 then return nil end
  return e:add("LRN", {a.input}, {size = a.size, alpha = a.alpha + 0.0, beta = a.beta + 0.0, bias = a.k + 0.0})
end

function layers.dropout(e, a)
  if (a.training or a.train) and a.p ~= 0 then return nil end
  return e:add("Identity", {a.input})
end
for _, row in ipairs {"dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
  "feature_alpha_dropout", "functional_dropout", "functional_alpha_dropout", "functional_feature_alpha_dropout"} do
  layers[row] = layers.dropout
end

-- ----------------------------------------------------------------- attention

--- Zeros where a query may look, -infinity where it may not, for the last keys of each.
local function causal(e, l, s, dtype)
  local mask = nl.full({l, s}, -math.huge, {dtype = nl.float32}):triu(1)
  return e:constant(mask:to(dtype))
end

--- softmax(scale q k' + mask) v, where a query that may look nowhere gives zeros; `o` has names, and causal the sizes.
local function attention(e, o, n, dtype)
  local perm = {}
  for d = 1, n do perm[d] = d - 1 end
  perm[n - 1], perm[n] = perm[n], perm[n - 1]
  local q = e:add("Mul", {o.query, e:number(o.scale + 0.0, dtype)})
  local scores = e:add("MatMul", {q, e:add("Transpose", {o.key}, {perm = perm})})
  if o.causal then scores = e:add("Add", {scores, causal(e, o.causal[1], o.causal[2], dtype)}) end
  if o.mask then scores = e:add("Add", {scores, o.mask}) end
  local weights = e:add("Softmax", {scores}, {axis = -1})
  if o.mask then weights = e:add("Where", {e:add("IsNaN", {weights}), e:number(0.0, dtype), weights}) end
  return e:add("MatMul", {weights, o.value})
end

--- The sizes of a causal mask; false if they aren't known.
local function causal_sizes(e, a)
  local l, s = words.size(e, a, "query", -2), words.size(e, a, "key", -2)
  return l and s and {l, s}
end

function layers.scaled_dot_product_attention(e, a, step)
  local dtype, width = words.result_dtype(e, step), words.size(e, a, "query", -1)
  local n, sizes = words.rank(e, a, "key"), a.is_causal and causal_sizes(e, a)
  if a.dropout_p ~= 0 or a.enable_gqa or not n or not (a.scale or width) then return nil end
  if a.is_causal and not sizes then return nil end
  local mask = a.attn_mask
  if mask and words.dtype(e, a, "attn_mask") == nl.bool then
    mask = e:add("Where", {mask, e:number(0.0, dtype), e:number(-math.huge, dtype)})
  end
  return attention(e, {
    query = a.query, key = a.key, value = a.value, scale = a.scale or 1 / math.sqrt(width), mask = mask, causal = sizes,
  }, n, dtype)
end

--- What attention of other forms is composed of; its second result is for the backward alone.
function layers.attention(e, a, step)
  local n, sizes = words.rank(e, a, "key"), a.causal and causal_sizes(e, a)
  if a.kept or not n or a.causal and not sizes then return nil end
  local y = attention(e, {
    query = a.query, key = a.key, value = a.value, scale = a.scale, mask = a.mask, causal = sizes,
  }, n, words.result_dtype(e, step))
  return y, y
end

-- ----------------------------------------------------------------- recurrent

--- The rows of gates in another order.
local function reordered(e, name, order)
  if not order then return name end
  local parts, chosen = table.pack(e:add("Split", {name}, {axis = 0, num_outputs = #order}, #order)), {}
  for i, k in ipairs(order) do chosen[i] = parts[k] end
  return (e:add("Concat", chosen, {axis = 0}))
end

--- Tensors of one or two directions along a new first axis.
local function stacked(e, list)
  local parts = {}
  for i, name in ipairs(list) do parts[i] = e:add("Unsqueeze", {name, e:ints {0}}) end
  if #parts == 1 then return parts[1] end
  return (e:add("Concat", parts, {axis = 0}))
end

--- States [layers times directions, N, H], those of a layer.
local function state_of(e, name, layer, directions)
  return (e:add("Slice", {name, e:ints {(layer - 1) * directions}, e:ints {layer * directions}, e:ints {0}}))
end

--- The weights of a layer as ONNX has them: W, R, B, each [directions, …].
local function weights_of(e, a, kind, layer, directions)
  local each, w, r, bias = a.has_biases and 4 or 2, {}, {}, {}
  for k = 1, directions do
    local first = ((layer - 1) * directions + k - 1) * each
    local function param(i) return reordered(e, a.params[first + i], kind.order) end
    w[k], r[k] = param(1), param(2)
    if a.has_biases then bias[k] = e:add("Concat", {param(3), param(4)}, {axis = 0}) end
  end
  return stacked(e, w), stacked(e, r), a.has_biases and stacked(e, bias)
end

local kinds = {
  lstm = {op = "LSTM", order = {1, 4, 2, 3}, outputs = 3},
  gru = {op = "GRU", order = {2, 1, 3}, outputs = 2, linear_before_reset = 1},
  rnn_tanh = {op = "RNN", outputs = 2, activation = "Tanh"},
  rnn_relu = {op = "RNN", outputs = 2, activation = "Relu"},
}

for row, kind in pairs(kinds) do
  layers[row] = function(e, a)
    local directions = a.bidirectional and 2 or 1
    local hidden = words.value(e, {at = {p = a.at.params[2]}}, "p").shape[2]
    local is_dropping = a.train and a.dropout > 0 and a.num_layers > 1
    local has_projections = #a.params ~= a.num_layers * directions * (a.has_biases and 4 or 2)
    if is_dropping or has_projections or words.rank(e, a, "input") ~= 3 then return nil end
    local states = type(a.hx) == "table" and a.hx or {a.hx}
    local x, last = a.input, {{}, {}}
    if a.batch_first then x = e:add("Transpose", {x}, {perm = {1, 0, 2}}) end
    local attributes = {
      hidden_size = hidden, direction = directions == 2 and "bidirectional" or "forward",
      linear_before_reset = kind.linear_before_reset,
      activations = kind.activation and {texts = directions == 2 and {kind.activation, kind.activation}
        or {kind.activation}},
    }
    for layer = 1, a.num_layers do
      local w, r, bias = weights_of(e, a, kind, layer, directions)
      local inputs = {x, w, r, bias, false, state_of(e, states[1], layer, directions)}
      if row == "lstm" then inputs[7] = state_of(e, states[2], layer, directions) end
      local outputs = table.pack(e:add(kind.op, inputs, attributes, kind.outputs))
      last[1][layer], last[2][layer] = outputs[2], outputs[3]
      local y = e:add("Transpose", {outputs[1]}, {perm = {0, 2, 1, 3}})
      x = e:add("Reshape", {y, e:ints {0, 0, -1}})
    end
    if a.batch_first then x = e:add("Transpose", {x}, {perm = {1, 0, 2}}) end
    for i = 1, 2 do last[i] = #last[i] > 0 and e:add("Concat", last[i], {axis = 0}) end
    if row == "lstm" then return x, last[1], last[2] end
    return x, last[1]
  end
end

-- -------------------------------------------------------------------- images

local resizing = {
  nearest = {mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"},
  ["nearest-exact"] = {mode = "nearest", coordinate_transformation_mode = "half_pixel",
    nearest_mode = "round_prefer_ceil"},
  linear = {mode = "linear"}, bilinear = {mode = "linear"}, trilinear = {mode = "linear"},
  bicubic = {mode = "cubic", cubic_coeff_a = -0.75},
}

local function resize(e, a, step, mode, align_corners)
  local attributes, n = {}, words.rank(e, a, "input")
  if not resizing[mode] or not n or a.antialias then return nil end -- others weight those by a rule of their own
  for key, value in pairs(resizing[mode]) do attributes[key] = value end
  attributes.coordinate_transformation_mode = attributes.coordinate_transformation_mode
    or (align_corners and "align_corners" or "half_pixel")
  if a.scale_factor and not a.recompute_scale_factor then
    local scales = {1, 1}
    for d = 1, n - 2 do scales[d + 2] = a.scale_factor[d] or a.scale_factor[1] end
    return e:add("Resize", {a.input, false, e:constant(nl.tensor(scales, {dtype = nl.float32}))}, attributes)
  end
  local shape = e.contents.values[step.results[1]].shape
  for _, size in ipairs(shape) do
    if math.type(size) ~= "integer" then return nil end
  end
  return e:add("Resize", {a.input, false, false, e:ints(shape)}, attributes)
end

function layers.interpolate(e, a, step) return resize(e, a, step, a.mode, a.align_corners) end
function layers.upsample(e, a, step) return resize(e, a, step, a.mode, a.align_corners) end
function layers.upsample_nearest(e, a, step) return resize(e, a, step, "nearest") end
function layers.upsample_bilinear(e, a, step) return resize(e, a, step, "bilinear", true) end

--- How images are sampled, by name and by number.
local sampling = {bilinear = "linear", nearest = "nearest", bicubic = "cubic", [0] = "linear", "nearest", "cubic"}
local paddings = {[0] = "zeros", "border", "reflection"}

function layers.grid_sample(e, a)
  return e:add("GridSample", {a.input, a.grid}, {
    mode = sampling[a.mode or a.interpolation_mode], padding_mode = paddings[a.padding_mode] or a.padding_mode,
    align_corners = a.align_corners,
  })
end
layers.grid_sampler, layers.grid_sampler_2d, layers.grid_sampler_3d = layers.grid_sample, layers.grid_sample,
  layers.grid_sample

return layers
