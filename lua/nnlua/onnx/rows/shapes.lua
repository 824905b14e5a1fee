-- Rows on shapes, and those that make tensors.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis = words.axis

local shapes = {}

for row, name in pairs {view = "size", reshape = "shape"} do
  shapes[row] = function(e, a)
    return e:add("Reshape", {a.input, words.sizes(e, a, name)}, {allowzero = 1})
  end
end

--- The shape of a step's result as a tensor, if all its sizes are known.
local function result_shape(e, step)
  local shape = e.contents.values[step.results[1]].shape
  for _, size in ipairs(shape or {"?"}) do
    if math.type(size) ~= "integer" then return nil end
  end
  return e:ints(shape)
end

--- Rows whose result is the input's elements in a shape that is known.
for _, row in ipairs {
  "flatten", "unflatten", "ravel", "view_as", "reshape_as", "squeeze", "atleast_1d", "atleast_2d",
} do
  shapes[row] = function(e, a, step)
    local shape = result_shape(e, step)
    if shape then return e:add("Reshape", {a.input, shape}, {allowzero = 1}) end
    local is_flatten = row == "flatten" and a.start_dim == 2 and a.end_dim == -1
    return is_flatten and e:add("Flatten", {a.input}, {axis = 1}) or nil
  end
end

function shapes.transpose(e, a)
  local n, perm = words.rank(e, a, "input"), {}
  if not n then return nil end
  for d = 1, n do perm[d] = d - 1 end
  local i, k = axis(a.dim0) % math.max(n, 1) + 1, axis(a.dim1) % math.max(n, 1) + 1
  perm[i], perm[k] = perm[k], perm[i]
  return e:add("Transpose", {a.input}, {perm = perm})
end
shapes.swapaxes = function(e, a) a.dim0, a.dim1 = a.axis0, a.axis1 return shapes.transpose(e, a) end
shapes.swapdims = shapes.transpose

function shapes.t(e, a)
  return e:add("Transpose", {a.input})
end

function shapes.permute(e, a)
  local n, perm = words.rank(e, a, "input"), {}
  for i, dim in ipairs(a.dims) do perm[i] = n and axis(dim) % n or axis(dim) end
  return e:add("Transpose", {a.input}, {perm = perm})
end

function shapes.movedim(e, a)
  local n, perm, taken, order = words.rank(e, a, "input"), {}, {}, {}
  if not n then return nil end
  for i, dim in ipairs(a.source) do
    local from, to = axis(dim) % n, axis(a.destination[i]) % n
    order[to + 1], taken[from] = from, true
  end
  local rest = 0
  for d = 1, n do
    if order[d] then
      perm[d] = order[d]
    else
      while taken[rest] do rest = rest + 1 end
      perm[d], rest = rest, rest + 1
    end
  end
  return e:add("Transpose", {a.input}, {perm = perm})
end
shapes.moveaxis = shapes.movedim

function shapes.unsqueeze(e, a)
  return e:add("Unsqueeze", {a.input, e:ints {axis(a.dim)}})
end

function shapes.squeeze_dims(e, a)
  local out = {}
  for _, dim in ipairs(a.dim) do
    local size = words.size(e, a, "input", dim)
    if not size then return nil end
    if size == 1 then table.insert(out, axis(dim)) end
  end
  if #out == 0 then return e:add("Identity", {a.input}) end
  return e:add("Squeeze", {a.input, e:ints(out)})
end

for row, name in pairs {expand = "size", broadcast_to = "size"} do
  shapes[row] = function(e, a)
    local sizes = {}
    for i, size in ipairs(a[name]) do sizes[i] = size == -1 and 1 or size end
    a[name] = sizes
    return e:add("Expand", {a.input, words.sizes(e, a, name)})
  end
end

function shapes.expand_as(e, a)
  return e:add("Expand", {a.input, e:add("Shape", {a.other})})
end

-- ------------------------------------------------------------------- parts

--- A range of an axis, from 0, without its end.
local function slice(e, x, at, start, stop, step)
  return e:add("Slice", {x, start, stop, e:ints {at}, step and e:ints {step}})
end

function shapes.select(e, a)
  if a.bound.index then return nil end
  return e:add("Gather", {a.input, e:number(axis(a.index), nl.int64)}, {axis = axis(a.dim)})
end

function shapes.narrow(e, a)
  if a.bound.start then return nil end
  local start = axis(a.start)
  if start < 0 then return nil end
  local stop = a.bound.length and e:add("Add", {e:size(a.bound.length[0]), e:ints {start}}) or e:ints {start + a.length}
  return slice(e, a.input, axis(a.dim), e:ints {start}, stop)
end

function shapes.slice(e, a)
  local stop = a.bound.stop and e:size(a.bound.stop[0]) or e:ints {a.stop or math.maxinteger}
  local start = a.bound.start and e:size(a.bound.start[0]) or e:ints {a.start or 0}
  return slice(e, a.input, axis(a.dim), start, stop, a.step)
end

--- A sequence whose tensors are joined; programs read from files have some.
local function joined(e, a, is_stack)
  local value = words.value(e, a, "tensors")
  if not value.is_sequence or e.parts[a.at.tensors] then return nil end
  return e:add("ConcatFromSequence", {a.tensors}, {axis = axis(a.dim), new_axis = is_stack})
end

for _, row in ipairs {"cat", "concat", "concatenate"} do
  shapes[row] = function(e, a, step)
    local dtype, parts = words.result_dtype(e, step), {}
    if type(a.at.tensors) ~= "table" then return joined(e, a, false) end
    for i, id in ipairs(a.at.tensors) do
      local value = e.contents.values[id]
      local is_legacy = value.shape and #value.shape == 1 and value.shape[1] == 0 -- PyTorch's, which has no effect
      if not is_legacy then table.insert(parts, dtype and e:cast(a.tensors[i], value.dtype, dtype) or a.tensors[i]) end
    end
    return e:add("Concat", parts, {axis = axis(a.dim)})
  end
end

function shapes.stack(e, a, step)
  local dtype, parts, at = words.result_dtype(e, step), {}, e:ints {axis(a.dim)}
  if type(a.at.tensors) ~= "table" then return joined(e, a, true) end
  for i, id in ipairs(a.at.tensors) do
    local value = e.contents.values[id]
    parts[i] = e:add("Unsqueeze", {dtype and e:cast(a.tensors[i], value.dtype, dtype) or a.tensors[i], at})
  end
  return e:add("Concat", parts, {axis = axis(a.dim)})
end

--- Rows with a list of parts, which the trace has one by one.
for _, row in ipairs {"split", "split_sizes", "split_with_sizes", "chunk"} do
  shapes[row] = function(e, a, step)
    local sizes = {}
    for i, id in ipairs(step.results) do
      local value = e.contents.values[id]
      local shape = not value.is_sequence and value.shape
      local size = shape and shape[a.dim < 0 and #shape + 1 + a.dim or a.dim]
      if math.type(size) ~= "integer" then return nil end
      sizes[i] = size
    end
    return e:add("Split", {a.input, e:ints(sizes)}, {axis = axis(a.dim)}, #step.results)
  end
end

function shapes.unbind(e, a, step)
  local parts = {}
  if e.contents.values[step.results[1]].is_sequence then return nil end
  for i = 1, #step.results do
    parts[i] = e:add("Gather", {a.input, e:number(i - 1, nl.int64)}, {axis = axis(a.dim)})
  end
  return table.unpack(parts)
end

for row, name in pairs {["repeat"] = "repeats", rep = "repeats", tile = "dims"} do
  shapes[row] = function(e, a)
    local n, x, repeats, ones = words.rank(e, a, "input"), a.input, a[name], {}
    if not n or a.bound[name] then return nil end
    repeats = table.move(repeats, 1, #repeats, 1, {})
    while #repeats < n do table.insert(repeats, 1, 1) end
    for d = 1, #repeats - n do ones[d] = d - 1 end
    if #ones > 0 then x = e:add("Unsqueeze", {x, e:ints(ones)}) end
    return e:add("Tile", {x, e:ints(repeats)})
  end
end

function shapes.flip(e, a)
  local x = a.input
  for _, dim in ipairs(a.dims) do
    x = slice(e, x, axis(dim), e:ints {-1}, e:ints {math.mininteger}, -1)
  end
  return x
end

for row, upper in pairs {tril = 0, triu = 1} do
  shapes[row] = function(e, a)
    return e:add("Trilu", {a.input, words.scalar(e, a, "diagonal", nl.int64)}, {upper = upper})
  end
end

-- ------------------------------------------------------------------ padding

--- Pads in pairs, the last dimension first, as ONNX has them: all before, then all behind.
local function pads(n, pairs_of)
  local list = {}
  for d = 1, n do
    local at = 2 * (n - d) + 1
    list[d], list[n + d] = pairs_of[at] or 0, pairs_of[at + 1] or 0
  end
  return list
end

function shapes.constant_pad_nd(e, a, step)
  local n = words.rank(e, a, "input")
  if not n or a.bound.pad then return nil end
  local value = words.number(e, a.value, words.result_dtype(e, step), a.input)
  return e:add("Pad", {a.input, e:ints(pads(n, a.pad)), value})
end

local pad_modes = {reflect = "reflect", replicate = "edge", circular = "wrap"}

function shapes.pad(e, a, step)
  local n = words.rank(e, a, "input")
  if not n or a.bound.pad then return nil end
  if a.mode ~= "constant" then
    return e:add("Pad", {a.input, e:ints(pads(n, a.pad))}, {mode = pad_modes[a.mode]})
  end
  local value = words.number(e, a.value or 0, words.result_dtype(e, step), a.input)
  return e:add("Pad", {a.input, e:ints(pads(n, a.pad)), value})
end

--- Each block as wide as all, one below the other.
function shapes.block_diag(e, a, step)
  local dtype, wide, parts = words.result_dtype(e, step), {all = 0}, {}
  if type(a.at.tensors) ~= "table" or #a.at.tensors == 0 then return nil end
  for i, id in ipairs(a.at.tensors) do
    local shape = e.contents.values[id].shape
    wide[i] = not shape and "?" or shape[#shape] or 1
    if math.type(wide[i]) ~= "integer" then return nil end
    wide.all = wide.all + wide[i]
  end
  local before = 0
  for i, id in ipairs(a.at.tensors) do
    local value, new = e.contents.values[id], {}
    local x = dtype and e:cast(a.tensors[i], value.dtype, dtype) or a.tensors[i]
    for d = 1, 2 - #value.shape do new[d] = d - 1 end
    if #new > 0 then x = e:add("Unsqueeze", {x, e:ints(new)}) end
    parts[i] = e:add("Pad", {x, e:ints {0, before, 0, wide.all - before - wide[i]}})
    before = before + wide[i]
  end
  return e:add("Concat", parts, {axis = 0})
end

function shapes.pixel_shuffle(e, a)
  if words.rank(e, a, "input") ~= 4 then return nil end
  return e:add("DepthToSpace", {a.input}, {blocksize = a.upscale_factor, mode = "CRD"})
end

function shapes.channel_shuffle(e, a)
  local shape = words.shape(e, a, "input")
  for _, size in ipairs(shape or {"?"}) do
    if math.type(size) ~= "integer" then return nil end
  end
  local apart = {shape[1], a.groups, shape[2] // a.groups, table.unpack(shape, 3)}
  local perm = {0, 2, 1}
  for d = 4, #apart do perm[d] = d - 1 end
  local turned = e:add("Transpose", {e:add("Reshape", {a.input, e:ints(apart)})}, {perm = perm})
  return e:add("Reshape", {turned, e:ints(shape)})
end

-- --------------------------------------------------------------- new tensors

--- Rows that make a tensor of nothing but constants: what they make is one.
for _, row in ipairs {"linspace", "logspace", "eye", "scalar_tensor", "tril_indices",
  "triu_indices", "fft_fftfreq", "fft_rfftfreq", "hann_window", "hamming_window", "blackman_window",
  "bartlett_window", "kaiser_window", "range"} do
  shapes[row] = function(e, _, step)
    if #step.bindings > 0 then return nil end
    return e:initializer(words.run(step, {}))
  end
end

--- The dtypes that ONNX has ranges of.
local function has_ranges(dtype)
  return dtype == nl.int64 or dtype == nl.int32 or dtype == nl.int16 or dtype == nl.float32 or dtype == nl.float64
end

--- Rows that count: a constant, or from and to numbers that follow from sizes.
for row, start in pairs {arange = false, arange_start = "start"} do
  shapes[row] = function(e, a, step)
    if #step.bindings == 0 then return e:initializer(words.run(step, {})) end
    local dtype = words.result_dtype(e, step)
    if not dtype or not has_ranges(dtype) then return nil end
    return e:add("Range", {
      start and words.scalar(e, a, start, dtype) or e:number(0, dtype), words.scalar(e, a, "stop", dtype),
      start and words.scalar(e, a, "step", dtype) or e:number(1, dtype),
    })
  end
end

--- A tensor of a shape, filled with a number.
local function filled(e, shape, value, dtype)
  if not dtype then return nil end
  return e:add("ConstantOfShape", {shape}, {value = nl.tensor({value}, {dtype = dtype})})
end

for row, value in pairs {zeros = 0, ones = 1, empty = 0} do
  shapes[row] = function(e, a, step)
    return filled(e, words.sizes(e, a, "size"), value, words.result_dtype(e, step) or a.dtype)
  end
  shapes["new_" .. row], shapes[row .. "_in"] = shapes[row], shapes[row]
  shapes[row .. "_like"] = function(e, a, step)
    return filled(e, e:add("Shape", {a.input}), value, words.result_dtype(e, step) or a.dtype)
  end
  shapes[row .. "_like_in"] = shapes[row .. "_like"]
end
shapes.zero = shapes.zeros_like

--- The same with the number of an argument, which may follow from the inputs' sizes.
local function full(e, a, step, shape, name)
  local dtype = words.result_dtype(e, step) or a.dtype
  if not a.bound[name] then return filled(e, shape, a[name], dtype) end
  return dtype and e:add("Expand", {words.scalar(e, a, name, dtype), shape})
end

function shapes.full(e, a, step) return full(e, a, step, words.sizes(e, a, "size"), "fill_value") end
shapes.new_full, shapes.full_in = shapes.full, shapes.full

function shapes.full_like(e, a, step) return full(e, a, step, e:add("Shape", {a.input}), "fill_value") end
shapes.full_like_in = shapes.full_like
function shapes.fill(e, a, step) return full(e, a, step, e:add("Shape", {a.input}), "value") end

--- Rows in place that take the elements of another tensor, broadcast.
for row, name in pairs {copy = "src", fill_tensor = "value"} do
  shapes[row] = function(e, a, step)
    local x = words.as(e, a, name, words.result_dtype(e, step))
    return e:add("Expand", {x, e:add("Shape", {a.input})})
  end
end

return shapes
