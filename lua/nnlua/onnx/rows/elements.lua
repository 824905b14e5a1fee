-- Rows on elements.

local nl = require "nnlua"
local words = require "nnlua.onnx.rows.words"

local elements = {}

--- The first argument in the result's dtype, where that is another one: exp of whole numbers is real.
local function operand(e, a, step)
  local name = step.arguments[1].name
  return words.as(e, a, name, words.result_dtype(e, step)), words.result_dtype(e, step)
end

for row, op in pairs {
  abs = "Abs", acos = "Acos", acosh = "Acosh", asin = "Asin", asinh = "Asinh", atan = "Atan", atanh = "Atanh",
  ceil = "Ceil", cos = "Cos", cosh = "Cosh", erf = "Erf", exp = "Exp", floor = "Floor", log = "Log", neg = "Neg",
  reciprocal = "Reciprocal", round = "Round", sigmoid = "Sigmoid", sign = "Sign", sin = "Sin", sinh = "Sinh",
  sqrt = "Sqrt", tan = "Tan", tanh = "Tanh", relu = "Relu", mish = "Mish", hardswish = "HardSwish", selu = "Selu",
  softsign = "Softsign", bitwise_not = "BitwiseNot", alias = "Identity", clone = "Identity", detach = "Identity",
  contiguous = "Identity", contiguous_in = "Identity", clone_in = "Identity", positive = "Identity",
  conj = "Identity", conj_physical = "Identity", resolve_conj = "Identity",
  resolve_neg = "Identity", real = "Identity",
} do
  elements[row] = function(e, a, step)
    local x, dtype = operand(e, a, step)
    local is_whole = dtype and not words.is_floating(dtype)
    local here = op
    if is_whole and (op == "Floor" or op == "Ceil" or op == "Round") then here = "Identity" end
    if dtype == nl.bool and op == "BitwiseNot" then here = "Not" end
    return e:add(here, {x})
  end
end

--- A row that is several nodes of one operand: f(e, x, number), where number makes constants of its dtype.
local function made_of(f)
  return function(e, a, step)
    local x, dtype = operand(e, a, step)
    if dtype and not words.is_floating(dtype) then return nil end
    return f(e, x, function(value) return words.number(e, value + 0.0, dtype, x) end, a)
  end
end

local function mul(e, x, y) return (e:add("Mul", {x, y})) end

elements.rsqrt = made_of(function(e, x) return e:add("Reciprocal", {e:add("Sqrt", {x})}) end)
elements.log1p = made_of(function(e, x, number) return e:add("Log", {e:add("Add", {x, number(1)})}) end)
elements.expm1 = made_of(function(e, x, number) return e:add("Sub", {e:add("Exp", {x}), number(1)}) end)
elements.exp2 = made_of(function(e, x, number) return e:add("Pow", {number(2), x}) end)
elements.log2 = made_of(function(e, x, number) return e:add("Div", {e:add("Log", {x}), number(math.log(2))}) end)
elements.log10 = made_of(function(e, x, number) return e:add("Div", {e:add("Log", {x}), number(math.log(10))}) end)
elements.silu = made_of(function(e, x) return mul(e, x, e:add("Sigmoid", {x})) end)
elements.tanhshrink = made_of(function(e, x) return e:add("Sub", {x, e:add("Tanh", {x})}) end)
elements.logsigmoid = made_of(function(e, x) return e:add("Neg", {e:add("Softplus", {e:add("Neg", {x})})}) end)
elements.trunc = made_of(function(e, x)
  return mul(e, e:add("Sign", {x}), e:add("Floor", {e:add("Abs", {x})}))
end)
elements.frac = made_of(function(e, x)
  return e:add("Sub", {x, mul(e, e:add("Sign", {x}), e:add("Floor", {e:add("Abs", {x})}))})
end)
elements.deg2rad = made_of(function(e, x, number) return mul(e, x, number(math.pi / 180)) end)
elements.rad2deg = made_of(function(e, x, number) return mul(e, x, number(180 / math.pi)) end)
elements.gelu = made_of(function(e, x, _, a) return e:add("Gelu", {x}, {approximate = a.approximate}) end)
elements.elu = made_of(function(e, x, _, a) return e:add("Elu", {x}, {alpha = a.alpha + 0.0}) end)
elements.celu = made_of(function(e, x, number, a) -- Celu takes float32 alone
  local below = e:add("Sub", {e:add("Exp", {e:add("Div", {x, number(a.alpha)})}), number(1)})
  local bent = e:add("Min", {mul(e, number(a.alpha), below), number(0)})
  return e:add("Add", {e:add("Relu", {x}), bent})
end)
elements.leaky_relu = made_of(function(e, x, _, a)
  return e:add("LeakyRelu", {x}, {alpha = a.negative_slope + 0.0})
end)
elements.hardsigmoid = made_of(function(e, x) return e:add("HardSigmoid", {x}, {alpha = 1 / 6, beta = 0.5}) end)

--- Elements drawn to 0; Shrink takes nan for one near it.
local function shrink(bias_of)
  return made_of(function(e, x, _, a)
    local near = e:add("Shrink", {x}, {lambd = a.lambd + 0.0, bias = bias_of(a) + 0.0})
    return e:add("Where", {e:add("IsNaN", {x}), x, near})
  end)
end

elements.hardshrink = shrink(function() return 0 end)
elements.softshrink = shrink(function(a) return a.lambd end)
elements.softplus = made_of(function(e, x, number, a)
  local line = a.beta == 1 and x or mul(e, x, number(a.beta))
  local y = e:add("Softplus", {line})
  if a.beta ~= 1 then y = e:add("Div", {y, number(a.beta)}) end
  if a.threshold >= 20 then return y end -- from there on both are the same
  return e:add("Where", {e:add("Greater", {line, number(a.threshold)}), x, y})
end)
elements.threshold = made_of(function(e, x, number, a)
  return e:add("Where", {e:add("Greater", {x, number(a.threshold)}), x, number(a.value)})
end)

--- Elements between two of the arguments, of any dtype.
local function clip(low, high)
  return function(e, a, step)
    local x, dtype = operand(e, a, step)
    return e:add("Clip", {
      x, a[low] ~= nil and words.scalar(e, a, low, dtype, x), a[high] ~= nil and words.scalar(e, a, high, dtype, x),
    })
  end
end

elements.clamp, elements.hardtanh = clip("min", "max"), clip("min_val", "max_val")
function elements.relu6(e, a, step)
  local x, dtype = operand(e, a, step)
  return e:add("Clip", {x, words.number(e, 0, dtype, x), words.number(e, 6, dtype, x)})
end

function elements.square(e, a, step)
  local x = operand(e, a, step)
  return mul(e, x, x)
end

function elements.logical_not(e, a)
  return e:add("Not", {words.as(e, a, "input", nl.bool)})
end

function elements.isnan(e, a)
  if words.is_whole(words.dtype(e, a, "input")) then return nil end
  return e:add("IsNaN", {a.input})
end

function elements.isinf(e, a)
  if words.is_whole(words.dtype(e, a, "input")) then return nil end
  return e:add("IsInf", {a.input})
end

for row, sign in pairs {isposinf = "detect_negative", isneginf = "detect_positive"} do
  elements[row] = function(e, a)
    if words.is_whole(words.dtype(e, a, "input")) then return nil end
    return e:add("IsInf", {a.input}, {[sign] = 0})
  end
end

-- --------------------------------------------------------------- two operands

--- The names of two operands in a dtype. Where that isn't known, both are of one dtype already.
local function in_dtype(e, a, first, second, dtype)
  return words.as(e, a, first, dtype, a[second]), words.as(e, a, second, dtype, a[first])
end

--- Both operands of a step of a program read from a file, whose dtypes aren't known but where one is a sum of products
--- of bytes: it takes the dtype of the other, or the result is such a sum, too.
local function with_sums(e, a, step, x, y)
  local first, second = step.arguments[1].name, step.arguments[2].name
  local is_first, is_second = e.sums[a.at[first]], e.sums[a.at[second]]
  if not is_first == not is_second then return x, y end
  if words.dtype(e, a, is_first and second or first) == nl.int32 then
    e.sums[step.results[1]] = true
    return x, y
  end
  if is_first then return e:add("CastLike", {x, y}), y end
  return x, (e:add("CastLike", {y, x}))
end

--- The names of both operands, in the result's dtype.
local function both(e, a, step)
  local dtype = words.result_dtype(e, step)
  local x, y = in_dtype(e, a, step.arguments[1].name, step.arguments[2].name, dtype)
  if x and not dtype and next(e.sums) then x, y = with_sums(e, a, step, x, y) end
  return x, y, dtype
end

--- The second operand of a sum, times alpha.
local function with_alpha(e, y, alpha, dtype)
  if alpha == 1 then return y end
  return mul(e, y, words.number(e, alpha, dtype, y))
end

function elements.add(e, a, step)
  local x, y, dtype = both(e, a, step)
  if not x then return nil end
  if dtype == nl.bool then return e:add("Or", {x, y}) end
  return e:add("Add", {x, with_alpha(e, y, a.alpha, dtype)})
end

function elements.sub(e, a, step)
  local x, y, dtype = both(e, a, step)
  return x and e:add("Sub", {x, with_alpha(e, y, a.alpha, dtype)})
end

function elements.rsub(e, a, step)
  local x, y, dtype = both(e, a, step)
  return x and e:add("Sub", {y, with_alpha(e, x, a.alpha, dtype)})
end

function elements.mul(e, a, step)
  local x, y, dtype = both(e, a, step)
  if not x then return nil end
  return e:add(dtype == nl.bool and "And" or "Mul", {x, y})
end

for row, op in pairs {
  div = "Div", pow = "Pow", maximum = "Max", minimum = "Min", max_other = "Max", min_other = "Min",
} do
  elements[row] = function(e, a, step)
    local x, y = both(e, a, step)
    return x and e:add(op, {x, y})
  end
end

for row, op in pairs {bitwise_and = "BitwiseAnd", bitwise_or = "BitwiseOr", bitwise_xor = "BitwiseXor"} do
  local of_bools = {BitwiseAnd = "And", BitwiseOr = "Or", BitwiseXor = "Xor"}
  elements[row] = function(e, a, step)
    local x, y, dtype = both(e, a, step)
    return x and e:add(dtype == nl.bool and of_bools[op] or op, {x, y})
  end
end

function elements.floor_divide(e, a, step)
  local x, y, dtype = both(e, a, step)
  if not x then return nil end
  if not dtype or words.is_floating(dtype) then return e:add("Floor", {e:add("Div", {x, y})}) end
  return e:add("Div", {e:add("Sub", {x, e:add("Mod", {x, y})}), y})
end

function elements.div_mode(e, a, step)
  local x, y, dtype = both(e, a, step)
  if not x then return nil end
  if a.rounding_mode == "floor" then return elements.floor_divide(e, a, step) end
  local quotient = e:add("Div", {x, y})
  if not words.is_floating(dtype) then return quotient end
  return mul(e, e:add("Sign", {quotient}), e:add("Floor", {e:add("Abs", {quotient})}))
end

function elements.remainder(e, a, step)
  local x, y, dtype = both(e, a, step)
  if not x then return nil end
  if not words.is_floating(dtype) then return e:add("Mod", {x, y}) end
  return e:add("Sub", {x, mul(e, e:add("Floor", {e:add("Div", {x, y})}), y)})
end

function elements.fmod(e, a, step)
  local x, y = both(e, a, step)
  return x and e:add("Mod", {x, y}, {fmod = 1})
end

for row, op in pairs {
  eq = "Equal", ne = "Equal", lt = "Less", le = "LessOrEqual", gt = "Greater", ge = "GreaterOrEqual",
} do
  elements[row] = function(e, a, step)
    local first, second = step.arguments[1].name, step.arguments[2].name
    local dtype = words.common(e, a, first, second)
    if dtype == nl.bool and op ~= "Equal" then dtype = nl.int32 end
    local y = e:add(op, {in_dtype(e, a, first, second, dtype)})
    return row == "ne" and e:add("Not", {y}) or y
  end
end

for row, op in pairs {logical_and = "And", logical_or = "Or", logical_xor = "Xor"} do
  elements[row] = function(e, a, step)
    local first, second = step.arguments[1].name, step.arguments[2].name
    return e:add(op, {words.as(e, a, first, nl.bool), words.as(e, a, second, nl.bool)})
  end
end

-- ------------------------------------------------------------- three operands

function elements.where(e, a, step)
  local x, y = in_dtype(e, a, "input", "other", words.result_dtype(e, step))
  return e:add("Where", {words.as(e, a, "condition", nl.bool), x, y})
end

function elements.where_self(e, a, step)
  return elements.where(e, a, step)
end

function elements.masked_fill(e, a, step)
  local x, value = in_dtype(e, a, "input", "value", words.result_dtype(e, step))
  return e:add("Where", {words.as(e, a, "mask", nl.bool), value, x})
end

function elements.lerp(e, a, step)
  local dtype = words.result_dtype(e, step)
  if not words.is_floating(dtype) then return nil end
  local x, weight = words.as(e, a, "input", dtype), words.as(e, a, "weight", dtype)
  return e:add("Add", {x, mul(e, weight, e:add("Sub", {words.as(e, a, "stop", dtype), x}))})
end

for row, op in pairs {addcmul = "Mul", addcdiv = "Div"} do
  elements[row] = function(e, a, step)
    local dtype = words.result_dtype(e, step)
    local part = e:add(op, {words.as(e, a, "tensor1", dtype), words.as(e, a, "tensor2", dtype)})
    return e:add("Add", {words.as(e, a, "input", dtype), with_alpha(e, part, a.value, dtype)})
  end
end

function elements.clamp_tensors(e, a, step)
  local x = operand(e, a, step)
  local dtype = words.result_dtype(e, step)
  if a.min then x = e:add("Max", {x, words.as(e, a, "min", dtype)}) end
  if a.max then x = e:add("Min", {x, words.as(e, a, "max", dtype)}) end
  return x
end

function elements.clamp_min(e, a, step)
  local dtype = words.result_dtype(e, step)
  return e:add("Max", {words.as(e, a, "input", dtype), words.as(e, a, "min", dtype)})
end

function elements.clamp_max(e, a, step)
  local dtype = words.result_dtype(e, step)
  return e:add("Min", {words.as(e, a, "input", dtype), words.as(e, a, "max", dtype)})
end

function elements.prelu(e, a)
  local rank, slopes = words.rank(e, a, "input"), words.size(e, a, "weight", -1)
  if not rank then return nil end
  local slope, shape = a.weight, {}
  if rank == 0 then
    slope = e:add("Reshape", {slope, e:ints {}})
  elseif slopes and slopes > 1 then
    for d = 1, rank - 1 do shape[d] = d == 1 and slopes or 1 end
    slope = e:add("Reshape", {slope, e:ints(shape)})
  end
  return e:add("PRelu", {a.input, slope})
end

-- --------------------------------------------------------------------- dtypes

for _, row in ipairs {
  "to_dtype", "to_dtype_in", "to_float", "to_double", "to_half", "to_bfloat16", "to_int", "to_long", "to_short",
  "to_char", "to_byte", "to_bool", "to_other", "type_as", "to_float_in", "to_double_in", "to_cpu", "to_device",
  "laid_out",
} do
  elements[row] = function(e, a, step)
    local dtype = words.result_dtype(e, step) or a.dtype
    if not dtype then return a.other and e:add("CastLike", {a.input, a.other}) end
    return e:add("Identity", {e:cast(a.input, words.dtype(e, a, "input"), dtype)})
  end
end

return elements
