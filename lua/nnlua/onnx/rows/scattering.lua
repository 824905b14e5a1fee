-- Rows that put elements at positions, or combine them with those that are there. Positions in tensors count from 1
-- here and from 0 in ONNX; in some rows those below 0 count from the end in both.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis = words.axis

local scattering = {}

local reductions = {
  add = "add", sum = "add", mean = "add", multiply = "mul", prod = "mul", amax = "max", amin = "min",
}

--- What a reduction begins with.
local function neutral(reduce, dtype)
  if reduce == "sum" or reduce == "add" or reduce == "mean" then return 0 end
  if reduce == "prod" or reduce == "multiply" then return 1 end
  local is_real = words.is_floating(dtype)
  if reduce == "amax" then return is_real and -math.huge or nl.iinfo(dtype).min end
  return is_real and math.huge or nl.iinfo(dtype).max
end

--- ScatterElements along a dimension.
local function put(e, x, index, source, dim, reduction)
  return (e:add("ScatterElements", {x, index, source}, {axis = axis(dim), reduction = reduction}))
end

--- A number in the shape of a tensor.
local function filled(e, like, value, dtype)
  return (e:add("ConstantOfShape", {e:add("Shape", {like})}, {value = nl.tensor({value}, {dtype = dtype})}))
end

--- Reduces sources at the positions of an index of their shape.
local function reduced(e, x, index, source, a, dtype)
  local includes = a.include_self ~= false
  local start = includes and x or put(e, x, index, filled(e, index, neutral(a.reduce, dtype), dtype), a.dim)
  local y = put(e, start, index, source, a.dim, reductions[a.reduce])
  if a.reduce ~= "mean" then return y end
  local one = filled(e, index, 1, dtype)
  local before = filled(e, x, 1, dtype)
  if not includes then before = put(e, before, index, filled(e, index, 0, dtype), a.dim) end
  local quotient = e:add("Div", {y, put(e, before, index, one, a.dim, "add")})
  return words.is_floating(dtype) and quotient or nil -- of whole numbers rounded down
end

--- The sources as a dtype: no larger than the index, as ONNX wants it.
local function source_of(e, a, name, dtype)
  local source, index = words.known_shape(e, a, name), words.known_shape(e, a, "index")
  if not source or not index then return nil end
  local x, ends, axes, is_larger = words.as(e, a, name, dtype), {}, {}, false
  for d = 1, #index do
    ends[d], axes[d] = index[d], d - 1
    is_larger = is_larger or source[d] ~= index[d]
  end
  if not is_larger then return x end
  local starts = {}
  for d = 1, #index do starts[d] = 0 end
  return (e:add("Slice", {x, e:ints(starts), e:ints(ends), e:ints(axes)}))
end

function scattering.scatter(e, a, step)
  local dtype = words.result_dtype(e, step)
  local source = source_of(e, a, "src", dtype)
  return source and put(e, a.input, words.from_zero(e, a, "index"), source, a.dim)
end

function scattering.scatter_add(e, a, step)
  local source = source_of(e, a, "src", words.result_dtype(e, step))
  return source and put(e, a.input, words.from_zero(e, a, "index"), source, a.dim, "add")
end

function scattering.scatter_value(e, a, step)
  local index = words.from_zero(e, a, "index")
  return put(e, a.input, index, filled(e, index, a.value, words.result_dtype(e, step)), a.dim)
end

function scattering.scatter_reduce(e, a, step)
  local dtype = words.result_dtype(e, step)
  local source = source_of(e, a, "src", dtype)
  if not source or dtype == nl.bool then return nil end
  return reduced(e, a.input, words.from_zero(e, a, "index"), source, a, dtype)
end
scattering.scatter_combine = scattering.scatter_reduce

function scattering.scatter_combine_value(e, a, step)
  local dtype, index = words.result_dtype(e, step), words.from_zero(e, a, "index")
  return reduced(e, a.input, index, filled(e, index, a.value, dtype), a, dtype)
end

-- ------------------------------------------------------------ whole slices

--- Positions along one dimension, as an index of the shape of the slices at them.
local function index_of_slices(e, a, slices)
  local rank = words.rank(e, a, "input")
  if not rank or rank == 0 or words.rank(e, a, "index") ~= 1 then return nil end
  local shape = {}
  for d = 1, rank do shape[d] = 1 end
  shape[axis(a.dim) % rank + 1] = -1
  local positions = e:add("Reshape", {words.from_zero(e, a, "index"), e:ints(shape)})
  return (e:add("Expand", {positions, e:add("Shape", {slices})}))
end

function scattering.index_add(e, a, step)
  local dtype = words.result_dtype(e, step)
  local source = words.as(e, a, "source", dtype)
  local index = index_of_slices(e, a, source)
  if not index then return nil end
  if a.alpha ~= 1 then source = e:add("Mul", {source, e:number(a.alpha, dtype)}) end
  return put(e, a.input, index, source, a.dim, "add")
end

function scattering.index_copy(e, a, step)
  local source = words.as(e, a, "source", words.result_dtype(e, step))
  local index = index_of_slices(e, a, source)
  return index and put(e, a.input, index, source, a.dim)
end

function scattering.index_reduce(e, a, step)
  local dtype = words.result_dtype(e, step)
  local source = words.as(e, a, "source", dtype)
  local index = index_of_slices(e, a, source)
  return index and reduced(e, a.input, index, source, a, dtype)
end

function scattering.index_fill(e, a, step)
  if words.rank(e, a, "input") == 0 then return nil end
  local slices = e:add("Gather", {a.input, words.from_zero(e, a, "index")}, {axis = axis(a.dim)})
  local index = index_of_slices(e, a, slices)
  local value = words.as(e, a, "value", words.result_dtype(e, step))
  return index and put(e, a.input, index, e:add("Expand", {value, e:add("Shape", {slices})}), a.dim)
end

-- -------------------------------------------------- positions of elements

--- Positions where those below 0 count from the end.
local function from_either_end(e, name, dtype)
  local positions, zero = e:cast(name, dtype, nl.int64), e:number(0, nl.int64)
  local before = e:add("Sub", {positions, e:number(1, nl.int64)})
  return (e:add("Where", {e:add("Less", {positions, zero}), positions, before}))
end

function scattering.take(e, a)
  local flat = e:add("Reshape", {a.input, e:ints {-1}})
  return e:add("Gather", {flat, from_either_end(e, a.index, words.dtype(e, a, "index"))}, {axis = 0})
end

--- The positions that lists of them for the first dimensions pick, as GatherND has them: the last dimension runs over
--- the dimensions. Nothing where there are masks, or dimensions that are taken whole.
local function picked(e, a)
  local parts, shape = {}, nil
  for i, id in ipairs(a.at.indices) do
    local value = id and e.contents.values[id]
    if not value or value.dtype == nl.bool or value.dtype == nl.uint8 then return nil end
    shape = shape and e:add("Max", {shape, (e:add("Shape", {a.indices[i]}))}) or e:add("Shape", {a.indices[i]})
    local first = e.contents.values[a.at.indices[1]].shape
    if not first or not value.shape or #first ~= #value.shape then return nil end
    parts[i] = from_either_end(e, a.indices[i], value.dtype)
  end
  for i, name in ipairs(parts) do
    parts[i] = e:add("Unsqueeze", {e:add("Expand", {name, shape}), e:ints {-1}})
  end
  return (e:add("Concat", parts, {axis = -1}))
end

function scattering.index(e, a)
  local positions = picked(e, a)
  return positions and e:add("GatherND", {a.input, positions})
end

function scattering.index_put(e, a, step)
  local positions = picked(e, a)
  if not positions then return nil end
  local values = words.as(e, a, "values", words.result_dtype(e, step))
  local places = e:add("Shape", {e:add("GatherND", {a.input, positions})})
  return e:add("ScatterND", {a.input, positions, (e:add("Expand", {values, places}))}, {
    reduction = a.accumulate and "add" or nil,
  })
end

return scattering
