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
  local input, index = words.known_shape(e, a, "input"), words.known_shape(e, a, "indices")
  if not a.dim or not input or not index then return nil end
  local at, x, positions, is_wider = axis(a.dim) % #input + 1, {}, {}, false
  for d = 1, #input do
    local size = math.max(input[d], index[d])
    x[d], positions[d] = d == at and input[d] or size, d == at and index[d] or size
    is_wider = is_wider or x[d] ~= input[d] or positions[d] ~= index[d]
  end
  local source, places = a.input, words.from_zero(e, a, "indices")
  if is_wider then
    source, places = e:add("Expand", {source, e:ints(x)}), e:add("Expand", {places, e:ints(positions)})
  end
  return e:add("GatherElements", {source, places}, {axis = axis(a.dim)})
end

function picking.embedding(e, a)
  if a.max_norm then return nil end
  return e:add("Gather", {a.weight, words.from_zero(e, a, "input")}, {axis = 0})
end

function picking.one_hot(e, a)
  local classes = a.num_classes
  if classes < 1 then return nil end
  return e:add("OneHot", {words.from_zero(e, a, "input"), e:number(classes, nl.int64), e:ints {0, 1}})
end

for row, op in pairs {argmax = "ArgMax", argmin = "ArgMin"} do
  picking[row] = function(e, a)
    local x, dim, rank = a.input, a.dim, words.rank(e, a, "input")
    if not rank then return nil end
    if not dim or rank == 0 then x, dim = e:add("Reshape", {x, e:ints {-1}}), 1 end
    local keeps, ones = a.keepdim and rank > 0, {}
    local at = e:add(op, {x}, {axis = axis(dim), keepdims = keeps})
    if rank == 0 then at = e:add("Reshape", {at, e:ints {}}) end
    for d = 1, rank do ones[d] = 1 end
    if keeps and not a.dim then at = e:add("Reshape", {at, e:ints(ones)}) end
    return words.from_one(e, at)
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

--- The k-th smallest elements of a dimension, k from 1, and their positions from 0.
local function kth(e, a, k)
  if words.rank(e, a, "input") == 0 then return nil end
  local values, places = e:add("TopK", {a.input, e:ints {k}}, {axis = axis(a.dim), largest = 0}, 2)
  local last, results = a.keepdim and e:ints {k - 1} or e:number(k - 1, nl.int64), {}
  for i, name in ipairs {values, places} do results[i] = e:add("Gather", {name, last}, {axis = axis(a.dim)}) end
  return results[1], results[2]
end

function picking.kthvalue(e, a)
  if a.bound.k then return nil end
  local values, places = kth(e, a, a.k)
  if not values then return nil end
  return values, words.from_one(e, places)
end

--- 1 where elements are nan, 0 elsewhere; whether a dimension has a nan.
local function nans(e, x, dim, keepdim)
  local ones = e:cast(e:add("IsNaN", {x}), nl.bool, nl.int32)
  local most = e:add("ReduceMax", {ones, e:ints {dim}}, {keepdims = keepdim})
  return ones, e:cast(most, nl.int32, nl.bool)
end

--- The middle element, or the first nan, as TopK puts nan where it likes.
function picking.median_dim(e, a)
  local size = words.size(e, a, "input", a.dim)
  if not size or size == 0 then return nil end
  local values, places = kth(e, a, (size + 1) // 2)
  if not values then return nil end
  local dtype = words.dtype(e, a, "input")
  if words.is_floating(dtype) then
    local ones, has_nan = nans(e, a.input, axis(a.dim), a.keepdim)
    local first = e:add("ArgMax", {ones}, {axis = axis(a.dim), keepdims = a.keepdim})
    values = e:add("Where", {has_nan, e:number(nl.nan, dtype), values})
    places = e:add("Where", {has_nan, first, places})
  end
  return values, words.from_one(e, places)
end

function picking.median(e, a)
  local shape = words.known_shape(e, a, "input")
  local n = shape and nl.zeros(shape, {device = "meta"}):numel() or 0
  if n == 0 then return nil end
  local flat, k = e:add("Reshape", {a.input, e:ints {-1}}), (n + 1) // 2
  local values = e:add("TopK", {flat, e:ints {k}}, {axis = 0, largest = 0}, 2)
  local middle, dtype = e:add("Gather", {values, e:number(k - 1, nl.int64)}, {axis = 0}), words.dtype(e, a, "input")
  if not words.is_floating(dtype) then return middle end
  local _, has_nan = nans(e, flat, 0, false)
  return e:add("Where", {has_nan, e:number(nl.nan, dtype), middle})
end

--- How many of the sorted elements lie before each value, counted.
function picking.searchsorted(e, a, step)
  local dtype = words.common(e, a, "sorted_sequence", "values")
  local rank, result = words.rank(e, a, "values"), words.result_dtype(e, step)
  if not dtype or a.sorter or not rank then return nil end
  local sorted, values = words.as(e, a, "sorted_sequence", dtype), words.as(e, a, "values", dtype)
  if words.rank(e, a, "sorted_sequence") > 1 then sorted = e:add("Unsqueeze", {sorted, e:ints {-2}}) end
  local is_right = a.right or a.side == "right"
  local before = e:add(is_right and "LessOrEqual" or "Less", {sorted, e:add("Unsqueeze", {values, e:ints {-1}})})
  local count = e:add("ReduceSum", {e:cast(before, nl.bool, nl.int64), e:ints {-1}}, {keepdims = 0})
  return e:cast(words.from_one(e, count), nl.int64, result)
end

function picking.isin(e, a)
  local dtype = words.common(e, a, "elements", "test_elements")
  if not dtype or dtype == nl.bool then return nil end
  local x, tests = words.as(e, a, "elements", dtype), words.as(e, a, "test_elements", dtype)
  local flat = e:add("Reshape", {tests, e:ints {-1}})
  local same = e:add("Equal", {e:add("Unsqueeze", {x, e:ints {-1}}), flat})
  local count = e:add("ReduceSum", {e:cast(same, nl.bool, nl.int32), e:ints {-1}}, {keepdims = 0})
  local is_there = e:cast(count, nl.int32, nl.bool)
  return a.invert and e:add("Not", {is_there}) or is_there
end

return picking
