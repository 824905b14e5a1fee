-- Rows that take elements by positions, or find them. Positions in tensors count from 1 here and from 0 in ONNX.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis = words.axis

local picking = {}

function picking.index_select(e, a)
  return e:add("Gather", {a.input, words.from_zero(e, a, "index")}, {axis = axis(a.dim)})
end

function picking.gather(e, a)
  return e:add("GatherElements", {a.input, words.from_zero(e, a, "index")}, {axis = axis(a.dim)})
end

function picking.take_along_dim(e, a)
  if not a.dim then return nil end
  return e:add("GatherElements", {a.input, words.from_zero(e, a, "indices")}, {axis = axis(a.dim)})
end

function picking.embedding(e, a)
  if a.max_norm then return nil end
  return e:add("Gather", {a.weight, words.from_zero(e, a, "input")}, {axis = 0})
end

function picking.scatter(e, a)
  return e:add("ScatterElements", {a.input, words.from_zero(e, a, "index"), a.src}, {axis = axis(a.dim)})
end

function picking.scatter_add(e, a)
  return e:add("ScatterElements", {a.input, words.from_zero(e, a, "index"), a.src}, {
    axis = axis(a.dim), reduction = "add",
  })
end

function picking.one_hot(e, a)
  local classes = a.num_classes
  if classes < 1 then return nil end
  return e:add("OneHot", {words.from_zero(e, a, "input"), e:number(classes, nl.int64), e:ints {0, 1}})
end

for row, op in pairs {argmax = "ArgMax", argmin = "ArgMin"} do
  picking[row] = function(e, a)
    local x, dim = a.input, a.dim
    if not dim then
      x, dim = e:add("Reshape", {x, e:ints {-1}}), 1
      if a.keepdim then return nil end
    end
    return words.from_one(e, e:add(op, {x}, {axis = axis(dim), keepdims = a.keepdim}))
  end
end

for row, ops in pairs {max_dim = {"ReduceMax", "ArgMax"}, min_dim = {"ReduceMin", "ArgMin"}} do
  picking[row] = function(e, a)
    local values = e:add(ops[1], {a.input, e:ints {axis(a.dim)}}, {keepdims = a.keepdim})
    local places = e:add(ops[2], {a.input}, {axis = axis(a.dim), keepdims = a.keepdim})
    return values, words.from_one(e, places)
  end
end

function picking.topk(e, a)
  if a.bound.k then return nil end
  local values, places = e:add("TopK", {a.input, e:ints {a.k}}, {
    axis = axis(a.dim), largest = a.largest, sorted = a.sorted,
  }, 2)
  return values, words.from_one(e, places)
end

function picking.sort(e, a)
  local size = words.size(e, a, "input", a.dim)
  if not size then return nil end
  local values, places = e:add("TopK", {a.input, e:ints {size}}, {axis = axis(a.dim), largest = a.descending}, 2)
  return values, words.from_one(e, places)
end

function picking.argsort(e, a)
  local _, places = picking.sort(e, a)
  return places
end

return picking
