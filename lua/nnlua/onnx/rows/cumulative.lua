-- Rows that run along a dimension with what came before: loops by Scan where ONNX has no operator.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis = words.axis

local cumulative = {}

function cumulative.cumsum(e, a, step)
  return e:add("CumSum", {words.as(e, a, "input", words.result_dtype(e, step)), e:number(axis(a.dim), nl.int64)})
end

--- A loop along a dimension: next(inner, states, x) gives the names of the next states, from those and a slice, and of
--- what is gathered; `starts(first)` gives the states before the first round, of the first slice.
local function scan(e, a, x, dtypes, starts, next_of, from_end)
  local shape = words.known_shape(e, a, "input")
  if not shape or #shape == 0 then return nil end
  local at = axis(a.dim) % #shape
  if shape[at + 1] == 0 then return nil end
  local slice = {}
  for d, size in ipairs(shape) do
    if d ~= at + 1 then table.insert(slice, size) end
  end
  local first = e:add("Gather", {x, e:number(from_end and -1 or 0, nl.int64)}, {axis = at})
  local states, infos = starts(first), {}
  for i, dtype in ipairs(dtypes) do infos[i] = {dtype = dtype, shape = slice} end
  local n = #states
  local body, count = e:body(infos, function(inner, names)
    return next_of(inner, table.move(names, 1, n, 1, {}), names[n + 1])
  end)
  local inputs = table.move(states, 1, n, 1, {})
  inputs[n + 1] = x
  local axes, directions = {}, {}
  for i = 1, count - n do axes[i], directions[i] = at, 1 end
  local outputs = table.pack(e:add("Scan", inputs, {
    body = body, num_scan_inputs = 1, scan_input_axes = {at}, scan_input_directions = from_end and {1} or nil,
    scan_output_axes = axes, scan_output_directions = from_end and directions or nil,
  }, count))
  return table.unpack(outputs, n + 1)
end

--- A number in the shape of a slice.
local function filled(e, like, value, dtype)
  return (e:add("ConstantOfShape", {e:add("Shape", {like})}, {value = nl.tensor({value}, {dtype = dtype})}))
end

function cumulative.cumprod(e, a, step)
  local dtype = words.result_dtype(e, step)
  local x = words.as(e, a, "input", dtype)
  return scan(e, a, x, {dtype, dtype}, function(first) return {filled(e, first, 1, dtype)} end,
    function(inner, states, slice)
      local product = inner:add("Mul", {states[1], slice})
      return {product, inner:add("Identity", {product})}
    end)
end

--- log(e^x + e^y) of what was there so far and the next slice.
function cumulative.logcumsumexp_of(e, a, step)
  local dtype = words.result_dtype(e, step)
  if not words.is_floating(dtype) then return nil end
  return scan(e, a, a.input, {dtype, dtype}, function(first) return {filled(e, first, -math.huge, dtype)} end,
    function(inner, states, x)
      local so_far = states[1]
      local near = inner:add("Neg", {inner:add("Abs", {inner:add("Sub", {so_far, x})})})
      local sum = inner:add("Add", {inner:add("Max", {so_far, x}), inner:add("Softplus", {near})})
      local twice = inner:add("Add", {x, inner:number(math.log(2), dtype)})
      local all = inner:add("Where", {inner:add("Equal", {so_far, x}), twice, sum})
      return {all, inner:add("Identity", {all})}
    end, a.from_end)
end

for row, op in pairs {cummax = "GreaterOrEqual", cummin = "LessOrEqual"} do
  cumulative[row] = function(e, a, step)
    local dtype = words.result_dtype(e, step)
    if dtype == nl.bool then return nil end
    local int = nl.int64
    return scan(e, a, a.input, {dtype, int, int, dtype}, function(first)
      return {first, filled(e, first, 1, int), filled(e, first, 1, int)}
    end, function(inner, states, x)
      local best, place, round = table.unpack(states)
      local is_next = inner:add(op, {x, best}) -- which no number is of nan
      if words.is_floating(dtype) then is_next = inner:add("Or", {is_next, inner:add("IsNaN", {x})}) end
      local value = inner:add("Where", {is_next, x, best})
      local where = inner:add("Where", {is_next, round, place})
      local following = inner:add("Add", {round, inner:number(1, int)})
      return {value, where, following, inner:add("Identity", {value}), (inner:add("Identity", {where}))}
    end)
  end
end

return cumulative
