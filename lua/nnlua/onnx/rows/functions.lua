-- Functions of elements that are several of ONNX's.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local functions = {}

--- What a function writes its nodes with: k.Add(x, y) adds one and gives its name; k.number(v) is a number of the
--- result's dtype.
local function kit(e, dtype)
  return setmetatable({
    dtype = dtype,
    number = function(value) return e:number(value, dtype) end,
    real = function(value) return e:number(value + 0.0, dtype) end,
    cast = function(name, from) return e:cast(name, from, dtype) end,
    as = function(to, name) return e:cast(name, dtype, to) end,
    of = function(other) return kit(e, other) end,
  }, {__index = function(_, op) return function(...) return (e:add(op, {...})) end end})
end

--- A row of one to three operands in the result's dtype, by f(kit, a, x, y, z).
local function row(name, f, is_of_reals)
  functions[name] = function(e, a, step)
    local dtype, operands = words.result_dtype(e, step), {}
    if not dtype or is_of_reals and not words.is_floating(dtype) then return nil end
    for _, argument in ipairs(step.arguments) do
      if argument.value then table.insert(operands, words.as(e, a, argument.name, dtype)) end
    end
    return f(kit(e, dtype), a, table.unpack(operands))
  end
end
local function real(name, f) row(name, f, true) end

--- The same of operands in the dtype that they have, where the result's is bool.
local function test(name, f)
  functions[name] = function(e, a)
    local dtype = words.dtype(e, a, "input")
    if not dtype then return nil end
    return f(kit(e, dtype), a.input, words.is_floating(dtype))
  end
end

--- A constant of bools in the shape of x.
local function all_true(k, x) return k.Equal(x, x) end

test("isfinite", function(k, x, is_real)
  if not is_real then return all_true(k, x) end
  return k.Not(k.Or(k.IsNaN(x), k.IsInf(x)))
end)
test("isreal", function(k, x, is_real) return is_real and k.Or(k.IsNaN(x), k.Equal(x, x)) or all_true(k, x) end)

--- Whether the sign is minus, that of zeros too.
local function is_minus(k, x)
  if not words.is_floating(k.dtype) then return k.Less(x, k.number(0)) end
  return k.Or(k.Less(x, k.number(0)), k.Less(k.Reciprocal(x), k.number(0)))
end
test("signbit", is_minus)

row("sgn", function(k, _, x) return k.Sign(x) end)
row("clamp_from", function(k, a, x) return k.Max(x, k.number(a.min)) end)
row("clamp_to", function(k, a, x) return k.Min(k.Max(x, k.number(a.min)), k.number(a.max)) end)
row("zero_link", function(k, _, x) return k.Identity(x) end)
real("angle", function(k, _, x) return k.Where(k.Less(x, k.number(0)), k.number(math.pi), k.Mul(x, k.number(0))) end)
real("hypot", function(k, _, x, y) return k.Sqrt(k.Add(k.Mul(x, x), k.Mul(y, y))) end)
real("erfc", function(k, _, x) return k.Sub(k.number(1), k.Erf(x)) end)
real("ndtr", function(k, _, x)
  return k.Mul(k.number(0.5), k.Add(k.number(1), k.Erf(k.Mul(x, k.number(math.sqrt(0.5))))))
end)
real("sinc", function(k, _, x)
  local turned = k.Mul(x, k.number(math.pi))
  return k.Where(k.Equal(x, k.number(0)), k.number(1), k.Div(k.Sin(turned), turned))
end)
real("copysign", function(k, _, x, y)
  local size = k.Abs(x)
  return k.Where(is_minus(k, y), k.Neg(size), size)
end)
real("atan2", function(k, _, y, x)
  local zero, pi = k.number(0), k.number(math.pi)
  local has_no_ratio = k.And(k.IsInf(y), k.IsInf(x))
  local angle = k.Atan(k.Where(has_no_ratio, k.Mul(k.Sign(y), k.Sign(x)), k.Div(y, x)))
  local behind = k.Where(is_minus(k, y), k.Sub(angle, pi), k.Add(angle, pi))
  local whole = k.Where(k.Less(x, zero), behind, angle)
  return k.Where(k.And(k.Equal(x, zero), k.Equal(y, zero)), zero, whole)
end)
row("heaviside", function(k, _, x, y)
  local above = k.cast(k.Greater(x, k.number(0)), nl.bool)
  return k.Where(k.Equal(x, k.number(0)), y, above)
end)

for name, op in pairs {fmax = "Max", fmin = "Min"} do
  row(name, function(k, _, x, y)
    if not words.is_floating(k.dtype) then return k[op](x, y) end
    return k.Where(k.IsNaN(x), y, k.Where(k.IsNaN(y), x, k[op](x, y)))
  end)
end

-- ------------------------------------------------------------- logarithms

--- x times log(y), 0 where x is.
local function x_log(k, x, y, logarithm)
  local is_none = k.And(k.Equal(x, k.number(0)), k.Not(k.IsNaN(y)))
  return k.Where(is_none, k.number(0), k.Mul(x, logarithm))
end
real("xlogy", function(k, _, x, y) return x_log(k, x, y, k.Log(y)) end)
real("xlog1py", function(k, _, x, y) return x_log(k, x, y, k.Log(k.Add(y, k.number(1)))) end)
real("entr", function(k, _, x)
  local terms = k.Neg(x_log(k, x, x, k.Log(x)))
  return k.Where(k.Less(x, k.number(0)), k.number(-math.huge), terms)
end)
real("log_odds", function(k, _, x) return k.Log(k.Div(x, k.Sub(k.number(1), x))) end)
real("divergence_penalty", function(k, _, x, y) return k.Sub(x_log(k, y, y, k.Log(y)), k.Mul(y, x)) end)
real("log_divergence_penalty", function(k, _, x, y) return k.Mul(k.Exp(y), k.Sub(y, x)) end)

--- log(e^x + e^y): the larger one and log(1 + e^-distance); equal ones, which may be infinite, have no distance.
local function log_add(k, x, y)
  local sum = k.Add(k.Max(x, y), k.Softplus(k.Neg(k.Abs(k.Sub(x, y)))))
  return k.Where(k.Equal(x, y), k.Add(x, k.number(math.log(2))), sum)
end
real("logaddexp", function(k, _, x, y) return log_add(k, x, y) end)
real("logaddexp2", function(k, _, x, y)
  local factor = k.number(math.log(2))
  return k.Div(log_add(k, k.Mul(x, factor), k.Mul(y, factor)), factor)
end)

--- The binary cross entropy of logits, positives weighted.
real("weighted_logit_penalty", function(k, _, x, y, weight)
  local one = k.number(1)
  local weights = k.Add(k.Mul(k.Sub(weight, one), y), one)
  local rest = k.Add(k.Softplus(k.Neg(k.Abs(x))), k.Relu(k.Neg(x)))
  return k.Add(k.Mul(k.Sub(one, y), x), k.Mul(weights, rest))
end)

-- ---------------------------------------------------------------- rounding

real("round_scaled", function(k, a, x)
  local scale = k.real(a.scale)
  return k.Div(k.Round(k.Mul(x, scale)), scale)
end)
real("round_divided", function(k, a, x)
  local scale = k.real(a.scale)
  return k.Mul(k.Round(k.Div(x, scale)), scale)
end)
real("replace_nonfinite", function(k, a, x)
  local finite = k.Where(k.Equal(x, k.number(-math.huge)), k.real(a.neginf), x)
  finite = k.Where(k.Equal(x, k.number(math.huge)), k.real(a.posinf), finite)
  return k.Where(k.IsNaN(x), k.real(a.nan), finite)
end)
local function fake_quantize(k, a, x, scale, zero)
  local levels = k.Add(k.Round(k.Div(x, scale)), zero)
  local kept = k.Min(k.Max(levels, k.number(a.quant_min)), k.number(a.quant_max))
  return k.Mul(k.Sub(kept, zero), scale)
end
real("fake_quantize", fake_quantize)

--- The same with a scale and a zero for each position of a dimension.
function functions.fake_quantize_channels(e, a, step)
  local dtype, rank, shape = words.result_dtype(e, step), words.rank(e, a, "input"), {}
  if not rank or not words.is_floating(dtype) then return nil end
  for d = 1, rank do shape[d] = d == (a.axis > 0 and a.axis or rank + 1 + a.axis) and -1 or 1 end
  local function spread(name) return e:add("Reshape", {words.as(e, a, name, dtype), e:ints(shape)}) end
  return fake_quantize(kit(e, dtype), a, words.as(e, a, "input", dtype), spread "scale", spread "zero_point")
end

--- Shifts of whole numbers: products with powers of two, or quotients that are rounded down. What is shifted by less
--- than 0, or by as many bits as there are, leaves 0, or of the shift to the right the sign.
for name, is_left in pairs {bitwise_left_shift = true, bitwise_right_shift = false} do
  row(name, function(k, _, x, y)
    local dtype, bits, has_sign = k.dtype, 8 * k.dtype.itemsize, k.dtype ~= nl.uint8
    if bits < 32 then -- Pow has no smaller ones
      k = k.of(nl.int32)
      x, y = k.cast(x, dtype), k.cast(y, dtype)
    end
    local zero = k.number(0)
    local most = bits - ((has_sign and not is_left) and 1 or 0) -- of a power that is a number of the dtype
    local inside = k.And(k.GreaterOrEqual(y, zero), k.Less(y, k.number(most)))
    local factor = k.Pow(k.number(2), k.Where(inside, y, zero))
    local rest = has_sign and not is_left and k.Where(k.Less(x, zero), k.number(-1), zero) or zero
    local shifted = is_left and k.Mul(x, factor) or k.Div(k.Sub(x, k.Mod(x, factor)), factor)
    return k.as(dtype, k.Where(inside, shifted, rest))
  end)
end

return functions
