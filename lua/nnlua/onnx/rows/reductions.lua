-- Rows that reduce dimensions, or run along them.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis, axes = words.axis, words.axes

local reductions = {}

--- A reduction of some dimensions, or all of them, in the result's dtype.
local function reduce(op, keeps_dtype)
  return function(e, a, step)
    local dtype, dims = words.result_dtype(e, step), axes(a.dim)
    if words.is_complex(dtype) then return nil end
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

function reductions.norm(e, a, step)
  local op = (a.p == 1 and "ReduceL1") or ((a.p == nil or a.p == 2) and "ReduceL2")
  return op and reduce(op)(e, a, step) or nil
end
function reductions.vector_norm(e, a, step)
  a.p, a.input, a.at.input = a.ord, a.x, a.at.x
  return reductions.norm(e, a, step)
end

function reductions.cumsum(e, a, step)
  return e:add("CumSum", {words.as(e, a, "input", words.result_dtype(e, step)), e:number(axis(a.dim), nl.int64)})
end

for row, op in pairs {softmax = "Softmax", log_softmax = "LogSoftmax"} do
  reductions[row] = function(e, a, step)
    if words.rank(e, a, "input") == 0 then return nil end
    return e:add(op, {words.as(e, a, "input", words.result_dtype(e, step))}, {axis = axis(a.dim)})
  end
end

function reductions.softmin(e, a, step)
  local x = words.as(e, a, "input", words.result_dtype(e, step))
  if words.rank(e, a, "input") == 0 then return nil end
  return e:add("Softmax", {e:add("Neg", {x})}, {axis = axis(a.dim)})
end

function reductions.glu(e, a)
  local one, two = e:add("Split", {a.input}, {axis = axis(a.dim), num_outputs = 2}, 2)
  return e:add("Mul", {one, e:add("Sigmoid", {two})})
end

function reductions.normalize(e, a, step)
  local op = a.p == 1 and "ReduceL1" or a.p == 2 and "ReduceL2"
  if not op then return nil end
  local norm = e:add(op, {a.input, e:ints {axis(a.dim)}}, {keepdims = 1})
  return e:add("Div", {a.input, e:add("Max", {norm, e:number(a.eps, words.result_dtype(e, step))})})
end

function reductions.pairwise_distance(e, a, step)
  local op = a.p == 1 and "ReduceL1" or a.p == 2 and "ReduceL2"
  if not op then return nil end
  local apart = e:add("Add", {e:add("Sub", {a.x1, a.x2}), e:number(a.eps, words.result_dtype(e, step))})
  return e:add(op, {apart, e:ints {-1}}, {keepdims = a.keepdim})
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
