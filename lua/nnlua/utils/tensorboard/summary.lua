-- The values that stand in summaries: scalars, histograms, pictures, sound, texts, tensors, curves.

local core = require "nnlua.nn.core"
local message = require "nnlua.utils.tensorboard.message"
local nl = require "nnlua"
local protobuf = require "nnlua.files.protobuf"

local summary = {}

local raise = core.raise
local packed_floats, packed_integers = protobuf.packed_floats, protobuf.packed_integers

-- Numbers of dtypes in messages.
local FLOAT, DOUBLE, INT32, UINT8, INT16, INT8, STRING, COMPLEX64, INT64, BOOL, BFLOAT16, COMPLEX128, HALF =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 18, 19

--- Metadata that name a plugin, with what it keeps there: a message or a text.
function summary.plugin(name, content)
  return message("metadata", {plugin_data = message("plugin_data", {plugin_name = name, content = content})})
end

local function shape_message(sizes)
  local dims = {}
  for i, size in ipairs(sizes) do dims[i] = message("dim", {size = size}) end
  return message("shape", {dim = dims})
end

--- A tensor message of floats.
function summary.floats(numbers, sizes)
  return message("tensor", {dtype = FLOAT, float_val = packed_floats("f", numbers),
    tensor_shape = shape_message(sizes)})
end

--- A tensor message of one text.
local function text_tensor(text, sizes)
  return message("tensor", {dtype = STRING, string_val = text, tensor_shape = shape_message(sizes)})
end

--- A value with a tag.
function summary.value(tag, fields)
  fields.tag = tag
  return message("value", fields)
end

-- ------------------------------------------------------------------- inputs

--- Names of a table in order.
function summary.sorted_names(caller, t)
  local names = {}
  for name in pairs(t) do
    if type(name) ~= "string" then
      raise(("%s: names must be texts, as in {name = …}, not %s"):format(caller, core.describe(name)))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Raises unless a list is one of values of a type.
function summary.check_list(caller, what, list, kind)
  for i, one in ipairs(list) do
    if type(one) ~= kind then
      raise(("%s: %s[%d] must be a %s, not %s"):format(caller, what, i, kind, core.describe(one)))
    end
  end
end

-- ------------------------------------------------------------------- scalars

--- A number, or the one element of a tensor.
function summary.number(name, value)
  if core.is_tensor(value) and value:numel() == 1 then value = value:item() end
  if type(value) == "boolean" then value = value and 1 or 0 end
  if type(value) ~= "number" then
    raise(("%s: a number or a tensor of one element is wanted, not %s"):format(name, core.describe(value)))
  end
  return value + 0.0
end

--- Numbers, or tensors of one element, of a table by name.
function summary.numbers(name, values)
  local numbers = {}
  for key, value in pairs(values) do numbers[key] = summary.number(name, value) end
  return numbers
end

--- A scalar; in the new style as a tensor.
function summary.scalar(tag, number, new_style, double_precision)
  if not new_style then return summary.value(tag, {simple_value = number}) end
  local tensor = double_precision and {dtype = DOUBLE, double_val = packed_floats("d", {number})}
    or {dtype = FLOAT, float_val = packed_floats("f", {number})}
  return summary.value(tag, {tensor = message("tensor", tensor), metadata = summary.plugin "scalars"})
end

-- ---------------------------------------------------------------- histograms

local default_edges

--- TensorFlow's borders: powers of 1.1 from 1e-12 to 1e20, their negatives, 0.
local function tensorflow_edges()
  if default_edges then return default_edges end
  local powers, x = {}, 1e-12
  while x < 1e20 do
    powers[#powers + 1] = x
    x = x * 1.1
  end
  default_edges = {}
  for i = #powers, 1, -1 do default_edges[#default_edges + 1] = -powers[i] end
  default_edges[#default_edges + 1] = 0.0
  return table.move(powers, 1, #powers, #default_edges + 1, default_edges)
end

--- So many bins of one width from the least to the greatest value.
local function equal_edges(n, low, high)
  if not (low > -math.huge and high < math.huge) then -- nor nan
    raise(("add_histogram: bins of one width reach from the least to the greatest value: from %s to %s there are none")
      :format(low, high))
  end
  if low == high then low, high = low - 0.5, high + 0.5 end
  local edges, step = {}, (high - low) / n
  for i = 0, n - 1 do edges[i + 1] = i * step + low end
  edges[n + 1] = high
  return edges
end

local function edges_of(bins, low, high)
  if bins == nil or bins == "tensorflow" then return tensorflow_edges() end
  if math.type(bins) == "integer" and bins > 0 then return equal_edges(bins, low, high) end
  local edges = core.is_tensor(bins) and bins:double():tolist() or bins
  if type(edges) ~= "table" or #edges < 2 then
    raise("add_histogram: bins must be 'tensorflow', a number of bins, or a list of borders, not " ..
      core.describe(bins))
  end
  summary.check_list("add_histogram", "bins", edges, "number")
  for i = 2, #edges do
    if not (edges[i - 1] <= edges[i]) then -- nor nan
      raise(("add_histogram: the borders in bins must rise, but after %s comes %s"):format(edges[i - 1], edges[i]))
    end
  end
  return edges
end

--- Joins bins until there are no more than a number.
local function joined(counts, edges, most)
  local each = #counts // most
  local new_counts, new_edges = {}, {}
  for i = 1, #counts, each do
    local sum = 0
    for k = i, math.min(i + each - 1, #counts) do sum = sum + counts[k] end
    new_counts[#new_counts + 1], new_edges[#new_edges + 1] = sum, edges[i]
  end
  new_edges[#new_edges + 1] = edges[#edges]
  return new_counts, new_edges
end

--- The bins that hold something, with an empty one before them, whose right border is the left one of the first.
local function occupied(counts, edges)
  local first, last
  for i, n in ipairs(counts) do
    if n > 0 then first, last = first or i, i end
  end
  if not first then first, last = 1, #counts end
  local kept = {first > 1 and counts[first - 1] or 0}
  return table.move(counts, first, last, 2, kept), table.move(edges, first, last + 1, 1, {})
end

--- A histogram of ready counts.
function summary.histogram_raw(tag, h)
  return summary.value(tag, {histo = message("histogram", {
    min = h.min, max = h.max, num = h.num, sum = h.sum, sum_squares = h.sum_squares,
    bucket_limit = packed_floats("d", h.bucket_limits), bucket = packed_floats("d", h.bucket_counts),
  })})
end

--- A histogram of values.
function summary.histogram(tag, values, bins, max_bins)
  local x = values:detach():double():flatten()
  if x:numel() == 0 then raise "add_histogram: values has no elements" end
  local sorted, low, high = x:sort(), x:min():item(), x:max():item()
  local edges = edges_of(bins, low, high)
  local places = nl.searchsorted(sorted, nl.tensor(edges, {dtype = nl.float64})):tolist()
  places[#edges] = nl.searchsorted(sorted, nl.tensor(edges[#edges], {dtype = nl.float64}), {right = true}):item()
  local counts = {}
  for i = 1, #edges - 1 do counts[i] = places[i + 1] - places[i] end
  if max_bins and #counts > max_bins then counts, edges = joined(counts, edges, max_bins) end
  local bucket_counts, bucket_limits = occupied(counts, edges)
  return summary.histogram_raw(tag, {min = low, max = high, num = x:numel() + 0.0, sum = x:sum():item(),
    sum_squares = x:dot(x):item(), bucket_limits = bucket_limits, bucket_counts = bucket_counts})
end

-- ------------------------------------------------------------------ pictures

--- Pictures (N, C, H, W) side by side, eight a row, without a border; of one channel as three.
function summary.grid(x, columns)
  if x:size(2) == 1 then x = x:expand(-1, 3, -1, -1) end
  local n, channels, height, width = x.shape:unpack()
  columns = math.min(n, columns)
  local rows = (n + columns - 1) // columns
  local canvas = nl.zeros(channels, height * rows, width * columns, {dtype = x.dtype})
  for i = 0, n - 1 do
    canvas:narrow(2, i // columns * height + 1, height):narrow(3, i % columns * width + 1, width):copy_(x[i + 1])
  end
  return canvas
end

--- A picture (C, H, W) from one whose dimensions a format names, as "HWC" or "NCHW".
local function planes_of(name, x, dataformats)
  local order = {}
  local wanted = #dataformats == 4 and "NCHW" or #dataformats == 3 and "CHW" or "HW"
  for letter in wanted:gmatch "." do
    order[#order + 1] = dataformats:upper():find(letter, 1, true)
  end
  if #dataformats ~= x.ndim or #order ~= #dataformats then
    raise(("%s: a picture of shape %s is not of the dataformats '%s'"):format(name, x.shape, dataformats))
  end
  if x:numel() == 0 then raise(("%s: there is no pixel in shape %s"):format(name, x.shape)) end
  x = x:permute(order)
  if x.ndim == 4 then return summary.grid(x, 8) end
  if x.ndim == 2 then x = x:unsqueeze(1) end
  return x:size(1) == 1 and x:expand(3, -1, -1) or x
end

--- Pixels as bytes: floats from 0 to 1, bytes as they are.
function summary.pixels(x)
  if x.dtype == nl.uint8 then return x end
  return (x:float() * 255):clamp(0, 255):to(nl.uint8)
end

--- A picture (C, H, W) as bytes, of three channels.
function summary.planes(name, x, dataformats)
  return summary.pixels(planes_of(name, x:detach(), dataformats)):contiguous()
end

--- A picture as a PNG.
function summary.image(name, tag, x, dataformats)
  local planes = summary.planes(name, x, dataformats)
  return summary.value(tag, {image = message("image", {
    height = planes:size(2), width = planes:size(3), colorspace = planes:size(1),
    encoded_image_string = nl.io.encode_png(planes):tobytes(),
  })})
end

-- -------------------------------------------------------------- sound, texts

--- Samples from -1 to 1 of one channel, as a WAV file of 16 bits.
function summary.audio(tag, x, sample_rate)
  x = x:detach():squeeze():float():clamp(-1, 1)
  if x.ndim ~= 1 then
    raise("add_audio: snd_tensor must be samples of one channel, not of shape " .. tostring(x.shape))
  end
  local data = (x * 32767):to(nl.int16):contiguous():tobytes()
  local wav = ("<c4I4c4c4I4I2I2I4I4I2I2c4I4"):pack("RIFF", 36 + #data, "WAVE", "fmt ", 16, 1, 1, sample_rate,
    2 * sample_rate, 2, 16, "data", #data) .. data
  return summary.value(tag, {audio = message("audio", {
    sample_rate = sample_rate, num_channels = 1, length_frames = x:size(1), encoded_audio_string = wav,
    content_type = "audio/wav",
  })})
end

function summary.text(tag, text)
  return summary.value(tag .. "/text_summary", {tensor = text_tensor(text, {1}), metadata = summary.plugin "text"})
end

-- ------------------------------------------------------------------- tensors

--- Half precision stands in messages as PyTorch writes it: the bits of the float of that value.
local function bits_of_floats(list)
  local bits = {}
  for i, x in ipairs(list) do bits[i] = (("<i4"):unpack(("<f"):pack(x))) end
  return packed_integers(bits)
end

local function floats(kind) return function(list) return packed_floats(kind, list) end end

local function truths(list)
  local numbers = {}
  for i, x in ipairs(list) do numbers[i] = x and 1 or 0 end
  return packed_integers(numbers)
end

local tensor_kinds = {
  [nl.float16] = {HALF, "half_val", bits_of_floats}, [nl.bfloat16] = {BFLOAT16, "half_val", bits_of_floats},
  [nl.float32] = {FLOAT, "float_val", floats "f"}, [nl.float64] = {DOUBLE, "double_val", floats "d"},
  [nl.int8] = {INT8, "int_val", packed_integers}, [nl.int16] = {INT16, "int_val", packed_integers},
  [nl.int32] = {INT32, "int_val", packed_integers}, [nl.int64] = {INT64, "int64_val", packed_integers},
  [nl.uint8] = {UINT8, "uint32_val", packed_integers}, [nl.bool] = {BOOL, "bool_val", truths},
  [nl.complex64] = {COMPLEX64, "scomplex_val", floats "f"},
  [nl.complex128] = {COMPLEX128, "dcomplex_val", floats "d"},
}

function summary.tensor(tag, x)
  local dtype, field, pack = table.unpack(tensor_kinds[x.dtype])
  local numbers = x.dtype.is_complex and nl.view_as_real(x:detach()) or x:detach()
  return summary.value(tag, {tensor = message("tensor", {
    dtype = dtype, tensor_shape = shape_message(x.shape:totable()), [field] = pack(numbers:flatten():tolist()),
  }), metadata = summary.plugin "tensor"})
end

-- -------------------------------------------------------------------- curves

--- Six rows of counts and shares, by thresholds, as the plugin for precision and recall wants them.
function summary.pr_curve_raw(tag, data, thresholds)
  return summary.value(tag, {
    tensor = summary.floats(data:flatten():tolist(), data.shape:totable()),
    metadata = summary.plugin("pr_curves", message("pr_curve", {num_thresholds = thresholds})),
  })
end

--- The rows for labels (0 and 1, or booleans), probabilities and weights.
function summary.pr_curve(tag, labels, predictions, thresholds, weights)
  local places = (predictions * (thresholds - 1)):floor():long() + 1
  local is_inside = places:ge(1):logical_and(places:le(thresholds))
  local yes = labels:double() * weights
  local no = (1 - labels:double()) * weights
  local function counts(x) -- of what has at least each threshold
    local sums = places[is_inside]:bincount(x[is_inside], {minlength = thresholds})
    return sums:flip(1):cumsum(1):flip(1)
  end
  local tp, fp = counts(yes), counts(no)
  local tn, fn = fp[1] - fp, tp[1] - tp
  local precision, recall = tp / (tp + fp):clamp(1e-7), tp / (tp + fn):clamp(1e-7)
  return summary.pr_curve_raw(tag, nl.stack({tp, fp, tn, fn, precision, recall}, 1), thresholds)
end

-- ------------------------------------------------------------------- layouts

--- A chart of a layout: {"Multiline", tags} or {"Margin", {value, lower, upper}}.
local function chart(caller, title, value)
  local kind, tags
  if type(value) == "table" then kind, tags = value[1], value[2] end
  if kind ~= "Multiline" and kind ~= "Margin" or type(tags) ~= "table" then
    raise(('%s: chart %s must be {"Multiline", tags} or {"Margin", {value, lower, upper}}'):format(caller, title))
  end
  summary.check_list(caller, "tags", tags, "string")
  if kind == "Multiline" then
    return message("chart", {title = title, multiline = message("multiline", {tag = tags})})
  elseif #tags ~= 3 then
    raise(("%s: a Margin has three tags: value, lower, upper"):format(caller))
  end
  local series = message("series", {value = tags[1], lower = tags[2], upper = tags[3]})
  return message("chart", {title = title, margin = message("margin", {series = series})})
end

--- Charts by category and title.
function summary.custom_scalars(caller, layout)
  local categories = {}
  for _, category in ipairs(summary.sorted_names(caller, layout)) do
    local charts = {}
    if type(layout[category]) ~= "table" then
      raise(("%s: category %s must be a table of charts by title, not %s"):format(caller, category,
        core.describe(layout[category])))
    end
    for _, title in ipairs(summary.sorted_names(caller, layout[category])) do
      charts[#charts + 1] = chart(caller, title, layout[category][title])
    end
    categories[#categories + 1] = message("category", {title = category, chart = charts})
  end
  local text = table.concat(message("layout", {category = categories}))
  return summary.value("custom_scalars__config__", {tensor = text_tensor(text, {}),
    metadata = summary.plugin "custom_scalars"})
end

return summary
