-- Rows on complex numbers, which ONNX's operators don't take but as pairs: a last dimension of real and imaginary
-- parts. The names in the arguments, and those that are given for complex results, are of pairs.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local complex = {}

--- An axis from 0, from the front: the pairs' dimension is behind all.
local function axis_of(e, a, name, dim) return words.axis(dim) % math.max(words.rank(e, a, name), 1) end

--- The dtype of the parts of an argument or result.
local function part_dtype(dtype)
  if dtype == nl.complex128 or dtype == nl.float64 then return nl.float64 end
  return nl.float32
end

local function is_pair(e, a, name)
  local dtype = words.dtype(e, a, name)
  return dtype and dtype.is_complex
end

for _, row in ipairs {"view_as_real", "view_as_complex", "alias", "clone", "contiguous", "detach", "resolve_conj",
  "clone_in", "contiguous_in"} do
  complex[row] = function(e, a) return e:add("Identity", {a.input}) end
end

--- Times numbers for the real and the imaginary parts.
local function times(e, x, re, im, dtype)
  return (e:add("Mul", {x, e:constant(nl.tensor({re, im}, {dtype = dtype}))}))
end

for _, row in ipairs {"conj", "conj_physical"} do
  complex[row] = function(e, a) return times(e, a.input, 1, -1, part_dtype(words.dtype(e, a, "input"))) end
end

function complex.neg(e, a) return e:add("Neg", {a.input}) end

function complex.abs(e, a)
  return e:add("ReduceL2", {a.input, e:ints {-1}}, {keepdims = 0})
end

for row, part in pairs {real = 0, imag = 1} do
  complex[row] = function(e, a) return e:add("Gather", {a.input, e:number(part, nl.int64)}, {axis = -1}) end
end

function complex.complex_of(e, a, step)
  local dtype, parts = part_dtype(words.result_dtype(e, step)), {}
  local shape = e.contents.values[step.results[1]].shape
  for i = 1, 2 do
    local part = words.as(e, a, step.arguments[i].name, dtype)
    for _, size in ipairs(shape or {"?"}) do
      if math.type(size) ~= "integer" then return nil end
    end
    parts[i] = e:add("Unsqueeze", {e:add("Expand", {part, e:ints(shape)}), e:ints {-1}})
  end
  return e:add("Concat", parts, {axis = -1})
end

-- --------------------------------------------------------------- arithmetic

--- An operand as pairs; a real one has imaginary parts of 0, for sums.
local function pair(e, a, name, dtype)
  if is_pair(e, a, name) then return a[name] end
  local x = e:add("Unsqueeze", {words.as(e, a, name, dtype), e:ints {-1}})
  return times(e, x, 1, 0, dtype)
end

for row, op in pairs {add = "Add", sub = "Sub"} do
  complex[row] = function(e, a, step)
    local dtype = part_dtype(words.result_dtype(e, step))
    if a.alpha ~= 1 then return nil end
    return e:add(op, {pair(e, a, "input", dtype), (pair(e, a, "other", dtype))})
  end
end

--- Real factors of pairs.
local function factors(e, a, name, dtype)
  return (e:add("Unsqueeze", {words.as(e, a, name, dtype), e:ints {-1}}))
end

function complex.mul(e, a, step)
  local dtype = part_dtype(words.result_dtype(e, step))
  local x, y = a.input, a.other
  if not is_pair(e, a, "input") then return e:add("Mul", {factors(e, a, "input", dtype), y}) end
  if not is_pair(e, a, "other") then return e:add("Mul", {x, factors(e, a, "other", dtype)}) end
  local function part(name, i) return (e:add("Gather", {name, e:ints {i}}, {axis = -1})) end
  local turned = times(e, e:add("Gather", {y, e:ints {1, 0}}, {axis = -1}), -1, 1, dtype) -- i y
  return e:add("Add", {e:add("Mul", {y, part(x, 0)}), (e:add("Mul", {turned, part(x, 1)}))})
end

function complex.div(e, a, step)
  if is_pair(e, a, "other") then return nil end
  return e:add("Div", {a.input, factors(e, a, "other", part_dtype(words.result_dtype(e, step)))})
end

-- -------------------------------------------------------------------- shapes

function complex.transpose(e, a)
  local n, perm = words.rank(e, a, "input"), {}
  for d = 1, n + 1 do perm[d] = d - 1 end
  local i, k = axis_of(e, a, "input", a.dim0) + 1, axis_of(e, a, "input", a.dim1) + 1
  if n > 0 then perm[i], perm[k] = perm[k], perm[i] end
  return e:add("Transpose", {a.input}, {perm = perm})
end

function complex.permute(e, a)
  local perm = {}
  for i, dim in ipairs(a.dims) do perm[i] = axis_of(e, a, "input", dim) end
  table.insert(perm, #perm)
  return e:add("Transpose", {a.input}, {perm = perm})
end

for _, row in ipairs {"reshape", "view", "flatten", "unsqueeze", "squeeze", "squeeze_dims"} do
  complex[row] = function(e, a, step)
    local shape = {}
    for d, size in ipairs(e.contents.values[step.results[1]].shape or {"?"}) do
      if math.type(size) ~= "integer" then return nil end
      shape[d] = size
    end
    table.insert(shape, 2)
    return e:add("Reshape", {a.input, e:ints(shape)}, {allowzero = 1})
  end
end

function complex.select(e, a)
  if a.bound.index then return nil end
  local at = axis_of(e, a, "input", a.dim)
  return e:add("Gather", {a.input, e:number(words.axis(a.index), nl.int64)}, {axis = at})
end

-- ------------------------------------------------------------- transforms

--- The transform along an axis, in float64: ONNX Runtime's in float32 is inexact where a size is no power of two (4e-4
--- of 100 normal numbers' sums).
local function dft(e, x, at, inverse, onesided, dtype)
  local wide = e:cast(x, dtype, nl.float64)
  local y = e:add("DFT", {wide, false, e:number(at, nl.int64)}, {inverse = inverse, onesided = onesided})
  return e:cast(y, nl.float64, dtype)
end

local function scaled(e, x, scale, dtype)
  if scale == 1 then return x end
  return (e:add("Mul", {x, e:number(scale + 0.0, dtype)}))
end

function complex.fft_r2c(e, a, step)
  local x, dtype = e:add("Unsqueeze", {a.input, e:ints {-1}}), part_dtype(words.result_dtype(e, step))
  for i = #a.dim, 1, -1 do
    x = dft(e, x, axis_of(e, a, "input", a.dim[i]), false, a.onesided and i == #a.dim, dtype)
  end
  return scaled(e, x, a.scale, dtype)
end

--- The product of the sizes of dimensions, which ONNX's inverse divides by; nil if they aren't known.
local function volume(e, a, dims)
  local product = 1
  for _, dim in ipairs(dims) do
    local size = words.size(e, a, "input", dim)
    if not size then return nil end
    product = product * size
  end
  return product
end

function complex.fft_c2c(e, a, step)
  local x, n, dtype = a.input, a.forward and 1 or volume(e, a, a.dim), part_dtype(words.result_dtype(e, step))
  if not n then return nil end
  for _, dim in ipairs(a.dim) do x = dft(e, x, axis_of(e, a, "input", dim), not a.forward, false, dtype) end
  return scaled(e, x, a.scale * n, dtype)
end

--- Back to real numbers: the half that is missing is that which is there, conjugate and turned around.
function complex.fft_c2r(e, a, step)
  local x, dtype, n = a.input, words.result_dtype(e, step), a.last_dim_size
  local dims = table.move(a.dim, 1, #a.dim - 1, 1, {})
  local last, others = axis_of(e, a, "input", a.dim[#a.dim]), volume(e, a, dims)
  local half, shape, places, signs = n // 2 + 1, {}, {}, {}
  if not others or n < 1 or words.size(e, a, "input", a.dim[#a.dim]) ~= half then return nil end
  for _, dim in ipairs(dims) do x = dft(e, x, axis_of(e, a, "input", dim), true, false, dtype) end
  for k = 0, n - 1 do
    places[k + 1], signs[k + 1] = k < half and k or n - k, {1, k < half and 1 or -1}
  end
  for d = 1, words.rank(e, a, "input") do shape[d] = d == last + 1 and n or 1 end
  table.insert(shape, 2)
  local whole = e:add("Gather", {x, e:ints(places)}, {axis = last})
  whole = e:add("Mul", {whole, e:initializer(nl.tensor(signs, {dtype = dtype}):reshape(shape))})
  local y = e:add("Gather", {dft(e, whole, last, true, false, dtype), e:number(0, nl.int64)}, {axis = -1})
  return scaled(e, y, a.scale * n * others, dtype)
end

return complex
