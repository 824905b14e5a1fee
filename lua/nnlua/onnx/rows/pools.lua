-- Rows that are pools.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local extents, pads, with_batch = words.extents, words.pads, words.with_batch

local pools = {}

--- Positions in the plane, from 1, of those among all elements.
local function positions_in_plane(e, a, n, indices)
  local plane = 1
  for d = 1, n do plane = plane * (words.size(e, a, "input", -d) or 0) end
  if plane == 0 then return nil end
  return words.from_one(e, e:add("Mod", {indices, e:number(plane, nl.int64)}))
end

--- The attributes of windows. Where the number of windows is rounded up, what that wants behind the input: ONNX counts
--- a window there that begins in the padding, and PyTorch doesn't. nil if sizes aren't known.
local function windows(e, a, step, n)
  local kernel, behind = extents(a.kernel_size, n), {}
  local strides, dilations = extents(a.stride or a.kernel_size, n), extents(a.dilation, n, 1)
  local padding = extents(a.padding, n, 0)
  if #(a.stride or {1}) == 0 then strides = kernel end
  for d = 1, n do
    behind[d] = padding[d]
    if a.ceil_mode then
      local size, shape = words.size(e, a, "input", d - n - 1), e.contents.values[step.results[1]].shape
      local count = shape and shape[#shape - n + d]
      if not size or math.type(count) ~= "integer" then return nil end
      local wanted = (count - 1) * strides[d] + dilations[d] * (kernel[d] - 1) + 1
      behind[d] = math.max(padding[d], wanted - size - padding[d])
    end
  end
  local both = table.move(behind, 1, n, n + 1, table.move(padding, 1, n, 1, {}))
  return {kernel_shape = kernel, strides = strides, pads = both}, padding, dilations
end

local function max_pool(n)
  return function(e, a, step)
    local attributes, _, dilations = windows(e, a, step, n)
    if not attributes then return nil end
    attributes.dilations = dilations
    return with_batch(e, a, n + 2, function(x)
      local with_positions = #step.results == 2
      local y, indices = e:add("MaxPool", {x}, attributes, with_positions and 2 or 1)
      if not with_positions then return y end
      local positions = positions_in_plane(e, a, n, indices)
      if positions then return y, positions end
    end)
  end
end

--- Means of windows, of which those behind the padding have no part; or sums divided by a number.
local function avg_pool(n)
  return function(e, a, step)
    local attributes, padding = windows(e, a, step, n)
    if not attributes then return nil end
    local dtype, volume = words.result_dtype(e, step), 1
    for d = 1, n do volume = volume * attributes.kernel_shape[d] end
    return with_batch(e, a, n + 2, function(x)
      local counts_padding = a.count_include_pad or a.divisor_override
      if counts_padding and not a.divisor_override and a.ceil_mode then
        local zeros = {0, 0, table.unpack(padding)}
        x = e:add("Pad", {x, e:ints(pads(zeros))})
        for d = 1, n do
          attributes.pads[d], attributes.pads[n + d] = 0, math.max(0, attributes.pads[n + d] - padding[d])
        end
        counts_padding = false
      end
      attributes.count_include_pad = counts_padding and 1 or 0
      local y = e:add("AveragePool", {x}, attributes)
      if not a.divisor_override then return y end
      return e:add("Mul", {y, e:number(volume / a.divisor_override, dtype)})
    end)
  end
end

for n = 1, 3 do
  pools["max_pool" .. n .. "d"], pools["max_pool" .. n .. "d_with_indices"] = max_pool(n), max_pool(n)
  pools["avg_pool" .. n .. "d"] = avg_pool(n)

  for kind, ops in pairs {avg = {"GlobalAveragePool", "AveragePool"}, max = {"GlobalMaxPool", "MaxPool"}} do
    pools["adaptive_" .. kind .. "_pool" .. n .. "d"] = function(e, a, step)
      local sizes, kernel, is_one = extents(a.output_size, n), {}, true
      if #step.results > 1 then return nil end
      for d = 1, n do
        local size = words.size(e, a, "input", d - n - 1)
        if sizes[d] == nl.none then sizes[d] = size end
        is_one = is_one and sizes[d] == 1
        kernel[d] = size and sizes[d] > 0 and size % sizes[d] == 0 and size // sizes[d]
      end
      return with_batch(e, a, n + 2, function(x)
        if is_one then return e:add(ops[1], {x}) end
        for d = 1, n do
          if not kernel[d] then return nil end
        end
        return e:add(ops[2], {x}, {kernel_shape = kernel, strides = kernel})
      end)
    end
  end
end

--- What pools of other forms are composed of: of as many dimensions as the kernel has.
for row, f in pairs {max_pool = max_pool, avg_pool = avg_pool} do
  pools[row] = function(e, a, step) return f(#a.kernel_size)(e, a, step) end
end

-- ---------------------------------------------------------- uneven windows

--- The first and last places, from 0, of the windows that divide n places evenly or nearly so.
local function even_windows(n, count)
  local first, last = {}, {}
  for i = 1, count do first[i], last[i] = (i - 1) * n // count, (i * n + count - 1) // count - 1 end
  return first, last
end

--- The places of even windows, side by side: short ones have their last place again.
local function places_of(size, count)
  local first, last = even_windows(size, count)
  local width = 0
  for i = 1, count do width = math.max(width, last[i] - first[i] + 1) end
  local rows = {}
  for i = 1, count do
    rows[i] = {}
    for k = 1, width do rows[i][k] = math.min(first[i] + k - 1, last[i]) end
  end
  return nl.tensor(rows), width
end

--- A list with another behind it.
local function joined(a, b) return table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})) end

--- Maxima of windows that are nearly even: the places of each are gathered along a dimension of their own.
function pools.adaptive_max_pool(e, a)
  local n, shape = #a.output_size, words.known_shape(e, a, "input")
  if not shape then return nil end
  local lead, x, volume = #shape - n, a.input, 1
  local plane, order, perm = nl.zeros({}, {dtype = nl.int64}), {}, {}
  for d = 1, n do
    local size, count = shape[lead + d], a.output_size[d]
    if size == 0 or count == 0 then return nil end
    local places, width = places_of(size, count)
    x = e:add("Gather", {x, e:initializer(places)}, {axis = lead + 2 * (d - 1)})
    plane = plane:unsqueeze(-1):unsqueeze(-1) * size + places -- [count, width] of each dimension so far
    volume = volume * width
    order[d], order[n + d] = 2 * d - 1, 2 * d
  end
  for d = 1, lead do perm[d] = d - 1 end
  for d = 1, 2 * n do perm[lead + d] = lead + order[d] - 1 end
  local outside = table.move(shape, 1, lead, 1, {})
  local flat, result = joined(outside, {-1, volume}), joined(outside, a.output_size)
  local positions = plane:permute(order):reshape(-1, volume) + 1
  x = e:add("Reshape", {e:add("Transpose", {x}, {perm = perm}), e:ints(flat)})
  local chosen = e:add("ArgMax", {x}, {axis = -1, keepdims = 1})
  local all = e:add("Expand", {e:initializer(positions), e:add("Shape", {x})})
  local values = e:add("ReduceMax", {x, e:ints {-1}}, {keepdims = 0})
  local at = e:add("GatherElements", {all, chosen}, {axis = -1})
  return e:add("Reshape", {values, e:ints(result)}), e:add("Reshape", {at, e:ints(result)})
end

return pools
