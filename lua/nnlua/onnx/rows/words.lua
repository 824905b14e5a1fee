-- What the functions of rows share.

local Builder = require "nnlua.program.builder"
local nl = require "nnlua"

local words = {}

--- A dimension as an axis from 0, or from the end.
function words.axis(dim)
  return dim > 0 and dim - 1 or dim
end

--- A list of dimensions as axes, or nil of nil.
function words.axes(dims)
  local axes = dims and {}
  for i, dim in ipairs(dims or {}) do axes[i] = words.axis(dim) end
  return axes
end

--- What is known of an argument that is a tensor.
function words.value(e, a, name)
  local at = a.at[name]
  return at and e.contents.values[at] or {}
end
function words.shape(e, a, name) return words.value(e, a, name).shape end
function words.dtype(e, a, name) return words.value(e, a, name).dtype end
function words.rank(e, a, name)
  local shape = words.shape(e, a, name)
  return shape and #shape
end

--- The size of a dimension, if it is a number.
function words.size(e, a, name, dim)
  local shape = words.shape(e, a, name)
  local size = shape and shape[dim < 0 and #shape + 1 + dim or dim]
  return math.type(size) == "integer" and size or nil
end

--- The shape of an argument, if all its sizes are numbers.
function words.known_shape(e, a, name)
  local shape = words.shape(e, a, name)
  for _, size in ipairs(shape or {"?"}) do
    if math.type(size) ~= "integer" then return nil end
  end
  return shape
end

--- What a step's row gives for other tensors, by the names of its arguments, and its own other arguments, unless others
--- are given.
function words.run(step, tensors, others)
  local b, arguments = Builder(), {}
  for _, argument in ipairs(step.arguments) do
    local other = others and others[argument.name]
    if argument.constant ~= nil then arguments[argument.name] = other == nil and argument.constant or other end
  end
  for name, tensor in pairs(tensors) do arguments[name] = b:constant(tensor) end
  b:output("y", b:call(step.row, arguments))
  return b:build()()
end

--- The dtype of a step's result.
function words.result_dtype(e, step, i)
  return e.contents.values[step.results[i or 1]].dtype
end

function words.is_floating(dtype)
  return dtype == nl.float32 or dtype == nl.float64 or dtype == nl.float16 or dtype == nl.bfloat16
end

--- Whether a dtype is known, and one of whole numbers: where it isn't, the row was read from a file, whose operator
--- takes the numbers that it got.
function words.is_whole(dtype) return dtype ~= nil and not words.is_floating(dtype) end

--- A number as a constant of a dtype; where that isn't known, of the dtype of a value.
function words.number(e, value, dtype, like)
  if dtype then return e:number(value, dtype) end
  return (e:add("CastLike", {e:number(value, nl.float64), like}))
end

--- A number of the arguments, as a dtype, or, where that isn't known, as that of a value: a constant, or worked out
--- from the inputs' sizes.
function words.scalar(e, a, name, dtype, like)
  if not a.bound[name] then return words.number(e, a[name], dtype, like) end
  local whole = e:add("Reshape", {e:size(a.bound[name][0]), e:ints {}})
  return dtype and e:cast(whole, nl.int64, dtype) or e:add("CastLike", {whole, like})
end

--- A tensor that stands in the arguments, as a dtype, if that is known. A number is a constant of that dtype at once.
function words.as(e, a, name, dtype, like)
  local value = words.value(e, a, name)
  if a.bound[name] then return words.scalar(e, a, name, dtype, like) end
  if value.is_number then return words.number(e, value.tensor:item(), dtype, like) end
  return dtype and e:cast(a[name], value.dtype, dtype) or a[name]
end

--- The dtype in which two tensors meet.
function words.common(e, a, first, second)
  local function stand_in(name)
    local value = words.value(e, a, name)
    if value.is_number then return value.tensor end
    local size = value.shape and #value.shape > 0 and {1} or {}
    return value.dtype and nl.empty(size, {dtype = value.dtype, device = "meta"})
  end
  local x, y = stand_in(first), stand_in(second)
  return x and y and nl.result_type(x, y) or nil
end

--- Positions as ours from ONNX's, and the other way.
function words.from_one(e, positions) return (e:add("Add", {positions, e:number(1, nl.int64)})) end
function words.from_zero(e, a, name)
  return (e:add("Sub", {words.as(e, a, name, nl.int64), e:number(1, nl.int64)}))
end

--- A list of sizes as a tensor: a constant, or worked out from the inputs' sizes where it follows from them.
function words.sizes(e, a, name)
  local bound = a.bound[name]
  if not bound then return e:ints(a[name]) end
  local parts = {}
  for i, size in ipairs(a[name]) do parts[i] = bound[i] and e:size(bound[i]) or e:ints {size} end
  if #parts == 1 then return parts[1] end
  return (e:add("Concat", parts, {axis = 0}))
end

-- ------------------------------------------------------------------ windows

--- A list of one number for each of n dimensions.
function words.extents(list, n, default)
  local each = {}
  for i = 1, n do each[i] = list and (list[i] or list[1]) or default end
  return each
end

--- ONNX's pads: the same before and behind.
function words.pads(list)
  local both = table.move(list, 1, #list, 1, {})
  return table.move(list, 1, #list, #list + 1, both)
end

--- f(x) with a batch dimension, which is put before an input that has none: its rank is one less.
function words.with_batch(e, a, rank, f)
  local n = words.rank(e, a, "input")
  if n == rank then return f(a.input) end
  if n ~= rank - 1 then return nil end
  local results = table.pack(f(e:add("Unsqueeze", {a.input, e:ints {0}})))
  if results[1] == nil then return nil end
  for i = 1, results.n do results[i] = e:add("Squeeze", {results[i], e:ints {0}}) end
  return table.unpack(results, 1, results.n)
end

return words
