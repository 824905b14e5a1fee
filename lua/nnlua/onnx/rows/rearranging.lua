-- Rows that only move elements, or take weighted sums of them that the shapes decide: what moves where is worked out
-- when the file is written, by running the row on numbers that say which element is which.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local axis = words.axis

local rearranging = {}

--- Tensors end to end in one dimension, behind a zero: places 1, 2, … of them.
local function end_to_end(e, names, dtype, blank)
  local parts = {e:constant(nl.tensor({blank}, {dtype = dtype}))}
  for i, name in ipairs(names) do parts[i + 1] = e:add("Reshape", {name, e:ints {-1}}) end
  return (e:add("Concat", parts, {axis = 0}))
end

--- A row that moves elements of its tensors, and has one number elsewhere: the argument named `blank`, or 0.
local function moving(blank)
  return function(e, a, step)
    local dtype, places, names, filled = words.result_dtype(e, step), {}, {}, 0
    if not dtype then return nil end
    for _, argument in ipairs(step.arguments) do
      if argument.value then
        local shape = words.known_shape(e, a, argument.name)
        if not shape then return nil end
        local n = nl.zeros(shape, {device = "meta"}):numel()
        places[argument.name] = nl.arange(filled + 1, filled + n + 1):reshape(shape)
        table.insert(names, words.as(e, a, argument.name, dtype))
        filled = filled + n
      end
    end
    if #step.bindings > 0 then return nil end
    local from = words.run(step, places, blank and {[blank] = 0})
    return e:add("Gather", {end_to_end(e, names, dtype, blank and a[blank] or 0), e:initializer(from)}, {axis = 0})
  end
end

for _, row in ipairs {"diagonal", "diag_embed", "unfold", "frames_of", "roll", "select_scatter", "slice_scatter",
  "diagonal_scatter"} do
  rearranging[row] = moving()
end
rearranging.fill_diagonal = moving "fill_value"

--- A dimension that is brought to another size by weighted sums: a product with the row's results for each element
--- alone.
function rearranging.resample(e, a, step)
  local dtype, n, rank = words.result_dtype(e, step), words.size(e, a, "input", a.dim), words.rank(e, a, "input")
  if not n or not words.is_floating(dtype) or #step.bindings > 0 then return nil end
  local weights = words.run(step, {input = nl.eye(n, {dtype = nl.float64})}, {dim = 2})
  local last, perm, x = axis(a.dim) == rank - 1 or a.dim == -1, {}, a.input
  for d = 1, rank do perm[d] = d - 1 end
  local at = axis(a.dim) % rank + 1
  perm[at], perm[rank] = perm[rank], perm[at]
  if not last then x = e:add("Transpose", {x}, {perm = perm}) end
  x = e:add("MatMul", {x, e:initializer(weights:to(dtype))})
  return last and x or e:add("Transpose", {x}, {perm = perm})
end

return rearranging
