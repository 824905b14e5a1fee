-- Rows that reduce dimensions, or run along them.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis, axes = words.axis, words.axes

local reductions = {}

--- A reduction of some dimensions, or all of them, in the result's dtype.
local function reduce(op, keeps_dtype)
  return function(e, a, step)
    local dtype, dims = words.result_dtype(e, step), axes(a.dim)
    if type(dims) == "table" and #dims == 0 then dims = nil end
    local x = keeps_dtype and a.input or words.as(e, a, "input", dtype)
    return e:add(op, {x, dims and e:ints(dims)}, {keepdims = a.keepdim or false})
  end
end

reductions.sum, reductions.mean = reduce "ReduceSum", reduce "ReduceMean"
reductions.amax, reductions.amin = reduce("ReduceMax", true), reduce("ReduceMin", true)
reductions.max, reductions.min = reductions.amax, reductions.amin
reductions.logsumexp = reduce "ReduceLogSumExp"
reductions.prod = reduce "ReduceProd"

function reductions.prod_dim(e, a, step)
  a.dim = {a.dim}
  return reductions.prod(e, a, step)
end

for row, op in pairs {any = "ReduceMax", all = "ReduceMin"} do
  reductions[row] = function(e, a)
    local dims = axes(a.dim)
    local truth = e:cast(words.as(e, a, "input", nl.bool), nl.bool, nl.int32)
    local y = e:add(op, {truth, dims and #dims > 0 and e:ints(dims)}, {keepdims = a.keepdim or false})
    return e:cast(y, nl.int32, nl.bool)
  end
end

--- The variance, and the number of elements that it is over.
local function variance(e, a, step)
  local dtype, dims, count = words.result_dtype(e, step), axes(a.dim), 1
  local shape = words.shape(e, a, "input")
  if not words.is_floating(dtype) or not shape then return nil end
  if not dims or #dims == 0 then
    dims = {}
    for d = 1, #shape do dims[d] = d - 1 end
  end
  for _, d in ipairs(dims) do
    local size = shape[d % math.max(#shape, 1) + 1]
    if math.type(size) ~= "integer" then return nil end
    count = count * size
  end
  local less = a.correction or (a.unbiased and 1 or 0)
  local mean = e:add("ReduceMean", {a.input, e:ints(dims)}, {keepdims = 1})
  local apart = e:add("Sub", {a.input, mean})
  local squares = e:add("ReduceMean", {e:add("Mul", {apart, apart}), e:ints(dims)}, {keepdims = a.keepdim or false})
  if less == 0 or count <= less then return less == 0 and squares or nil, mean end
  return e:add("Mul", {squares, e:number(count / (count - less), dtype)}), mean
end

function reductions.var(e, a, step)
  return (variance(e, a, step))
end

function reductions.std(e, a, step)
  local var = variance(e, a, step)
  return var and e:add("Sqrt", {var})
end

--- Axes of a reduction as an input, nothing for all; and whether there is anything to reduce.
local function axes_input(e, a)
  local dims = type(a.dim) == "number" and {axis(a.dim)} or axes(a.dim)
  return dims and #dims > 0 and e:ints(dims)
end

--- The p-norm of a name.
local function p_norm(e, x, p, at, keepdim, dtype)
  local keeps, named = {keepdims = keepdim or false}, {[1] = "ReduceL1", [2] = "ReduceL2"}
  if named[p] then return (e:add(named[p], {x, at}, keeps)) end
  local size = e:add("Abs", {x})
  if p == math.huge then return (e:add("ReduceMax", {size, at}, keeps)) end
  if p == -math.huge then return (e:add("ReduceMin", {size, at}, keeps)) end
  if p == 0 then return (e:add("ReduceSum", {e:add("Sign", {size}), at}, keeps)) end
  local sum = e:add("ReduceSum", {e:add("Pow", {size, e:number(p + 0.0, dtype)}), at}, keeps)
  return (e:add("Pow", {sum, e:number(1 / p, dtype)}))
end

function reductions.norm(e, a, step)
  local dtype = words.result_dtype(e, step)
  if not words.is_floating(dtype) then return nil end
  return p_norm(e, words.as(e, a, "input", dtype), a.p or 2, axes_input(e, a), a.keepdim, dtype)
end
function reductions.vector_norm(e, a, step)
  a.p, a.input, a.at.input = a.ord, a.x, a.at.x
  return reductions.norm(e, a, step)
end

function reductions.nansum(e, a, step)
  local dtype = words.result_dtype(e, step)
  local x = words.as(e, a, "input", dtype)
  if words.is_floating(words.dtype(e, a, "input")) then
    x = e:add("Where", {e:add("IsNaN", {a.input}), e:number(0, dtype), x})
  end
  return e:add("ReduceSum", {x, axes_input(e, a)}, {keepdims = a.keepdim or false})
end

function reductions.count_nonzero(e, a)
  local is_there = words.as(e, a, "input", nl.bool)
  return e:add("ReduceSum", {e:cast(is_there, nl.bool, nl.int64), axes_input(e, a)}, {keepdims = 0})
end

--- Sums over what broadcasting had repeated.
function reductions.sum_to(e, a, step)
  local from, dtype, over = words.known_shape(e, a, "input"), words.result_dtype(e, step), {}
  if not from or a.bound.shape then return nil end
  local lead = #from - #a.shape
  for d = 1, #from do
    if d <= lead or a.shape[d - lead] ~= from[d] then table.insert(over, d - 1) end
  end
  local x = words.as(e, a, "input", dtype)
  if #over > 0 then x = e:add("ReduceSum", {x, e:ints(over)}, {keepdims = 1}) end
  return e:add("Reshape", {x, e:ints(a.shape)}, {allowzero = 1})
end

--- A row along a dimension; a number alone is one of one element.
local function along(f)
  return function(e, a, step)
    local x = words.as(e, a, "input", words.result_dtype(e, step))
    if words.rank(e, a, "input") ~= 0 then return f(e, x, axis(a.dim)) end
    return e:add("Reshape", {f(e, e:add("Reshape", {x, e:ints {1}}), 0), e:ints {}})
  end
end

for row, op in pairs {softmax = "Softmax", log_softmax = "LogSoftmax"} do
  reductions[row] = along(function(e, x, at) return e:add(op, {x}, {axis = at}) end)
end
reductions.softmin = along(function(e, x, at) return e:add("Softmax", {e:add("Neg", {x})}, {axis = at}) end)

function reductions.glu(e, a)
  local one, two = e:add("Split", {a.input}, {axis = axis(a.dim), num_outputs = 2}, 2)
  return e:add("Mul", {one, e:add("Sigmoid", {two})})
end

function reductions.normalize(e, a, step)
  local dtype = words.result_dtype(e, step)
  if not words.is_floating(dtype) then return nil end
  local norm = p_norm(e, a.input, a.p, axes_input(e, a), true, dtype)
  return e:add("Div", {a.input, e:add("Max", {norm, e:number(a.eps, dtype)})})
end

function reductions.pairwise_distance(e, a, step)
  local dtype = words.result_dtype(e, step)
  if not words.is_floating(dtype) then return nil end
  local apart = e:add("Sub", {words.as(e, a, "x1", dtype), words.as(e, a, "x2", dtype)})
  apart = e:add("Add", {apart, e:number(a.eps, dtype)})
  return p_norm(e, apart, a.p, e:ints {-1}, a.keepdim, dtype)
end

--- The distances of each row of x1 to each row of x2.
local function distances(e, x1, x2, p, dtype)
  local apart = e:add("Sub", {e:add("Unsqueeze", {x1, e:ints {-2}}), (e:add("Unsqueeze", {x2, e:ints {-3}}))})
  return p_norm(e, apart, p, e:ints {-1}, false, dtype)
end

function reductions.row_distances(e, a, step)
  return distances(e, a.x1, a.x2, a.p or 2, words.result_dtype(e, step))
end
reductions.euclidean_distances = reductions.row_distances

--- Those of each row to each that follows it.
function reductions.pair_distances(e, a, step)
  local n, places = words.size(e, a, "input", 1), {}
  if not n or n < 2 then return nil end
  for i = 0, n - 2 do
    for k = i + 1, n - 1 do table.insert(places, i * n + k) end
  end
  local all = distances(e, a.input, a.input, a.p, words.result_dtype(e, step))
  return e:add("Gather", {e:add("Reshape", {all, e:ints {-1}}), e:ints(places)}, {axis = 0})
end

function reductions.cosine_similarity(e, a, step)
  local dtype, at = words.result_dtype(e, step), e:ints {axis(a.dim)}
  local x, y = words.as(e, a, "x1", dtype), words.as(e, a, "x2", dtype)
  local eps, unit = e:number(a.eps, dtype), {}
  for i, name in ipairs {x, y} do
    local norm = e:add("ReduceL2", {name, at}, {keepdims = 1})
    unit[i] = e:add("Div", {name, e:add("Max", {norm, eps})})
  end
  return e:add("ReduceSum", {e:add("Mul", unit), at}, {keepdims = 0})
end

return reductions
