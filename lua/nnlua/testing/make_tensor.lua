-- testing.make_tensor: random tensors of any dtype for specs, the numbers PyTorch's makes from the same seed.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local format, raise = core.format, core.raise

local lowest_integer = {[nl.int8] = -128, [nl.int16] = -32768, [nl.int32] = -2147483648, [nl.int64] = math.mininteger}
local highest_integer = {
  [nl.uint8] = 255, [nl.int8] = 127, [nl.int16] = 32767, [nl.int32] = 2147483647, [nl.int64] = math.maxinteger,
}
local highest_float = {
  [nl.float16] = 65504.0, [nl.bfloat16] = 0x1.fep127, [nl.float32] = 0x1.fffffep127,
  [nl.float64] = 0x1.fffffffffffffp1023,
}
local smallest_float = {
  [nl.float16] = 0x1p-14, [nl.bfloat16] = 0x1p-126, [nl.float32] = 0x1p-126, [nl.float64] = 0x1p-1022,
}
local part_of = {[nl.complex64] = nl.float32, [nl.complex128] = nl.float64}

local function limits(options, lowest, highest, low, high)
  low, high = options.low or low, options.high or high
  if low ~= low or high ~= high then raise "make_tensor: low or high is nan" end
  if low > high then
    raise(format("make_tensor: low must not be greater than high: %s > %s", low, high))
  end
  return math.min(math.max(low, lowest), highest), math.min(math.max(high, lowest), highest)
end

local function random_integers(shape, options)
  local dtype = options.dtype
  if dtype == nl.bool then return nl.randint(0, 2, shape):to(nl.bool) end
  local lowest = lowest_integer[dtype] or 0
  local low, high = limits(options, lowest, highest_integer[dtype], dtype == nl.uint8 and 0 or -9, 10)
  return nl.randint(math.floor(low), math.ceil(high), shape, {dtype = dtype})
end

--- Draws a real tensor's elements, also over more than uniform_ takes: twice the dtype's largest number.
local function draw(t, options)
  local most = highest_float[t.dtype]
  local low, high = limits(options, -most, most, -9, 9)
  if high - low > most then return t:uniform_(low / 2, high / 2):mul_(2) end
  return t:uniform_(low, high)
end

local function random_floats(shape, options)
  return draw(nl.empty(shape, {dtype = options.dtype}), options)
end

local function random_complex(shape, options)
  local x = nl.empty(shape, {dtype = options.dtype})
  draw(nl.view_as_real(x), options)
  return x
end

local function spread(t)
  return t:repeat_interleave(2, {dim = -1})[{nl.ellipsis, {1, -1, 2}}]
end

--- What takes the place of zeros: the smallest number that is none.
local function near_zero(dtype)
  local part = part_of[dtype]
  if not part then return smallest_float[dtype] or 1 end
  local smallest = nl.tensor(smallest_float[part], {dtype = part})
  return nl.complex(smallest, smallest)
end

local known = {
  dtype = false, low = false, high = false, requires_grad = false, noncontiguous = false, exclude_zero = false,
}

local function check(options)
  for _, name in ipairs {"low", "high"} do
    if options[name] and type(options[name]) ~= "number" then
      raise(("make_tensor: %s must be a number, not %s"):format(name, core.describe(options[name])))
    end
  end
  local dtype = options.dtype
  if not (smallest_float[dtype] or part_of[dtype] or highest_integer[dtype] or dtype == nl.bool) then
    raise(("make_tensor: dtype must be a dtype, not %s"):format(core.describe(dtype)))
  elseif options.requires_grad and not (smallest_float[dtype] or part_of[dtype]) then
    raise(("make_tensor: %s tensors can't require gradients"):format(dtype))
  end
end

--- A tensor of random numbers, evenly spread from `low` up to `high`: by default -9 to 9 (integers -9 to 9 inclusive,
--- unsigned ones 0 to 9).
--- Options: dtype (the default dtype), low, high, requires_grad, noncontiguous (every other element of a larger one),
--- exclude_zero.
---     > nl.testing.make_tensor(2, 3, {dtype = nl.float32, low = 0, high = 1}).shape
---     [2, 3]
---@return Tensor
local function make_tensor(...)
  local sizes, options = args.options("make_tensor", known, ...)
  options.dtype = options.dtype or nl.get_default_dtype()
  check(options)
  local shape = sizes.n == 1 and type(sizes[1]) ~= "number" and sizes[1] or {table.unpack(sizes, 1, sizes.n)}
  local result = part_of[options.dtype] and random_complex(shape, options)
    or smallest_float[options.dtype] and random_floats(shape, options)
    or random_integers(shape, options)
  if options.noncontiguous and result:numel() > 1 then result = spread(result) end
  if options.exclude_zero then result[result:eq(0)] = near_zero(options.dtype) end
  return options.requires_grad and result:requires_grad_() or result
end

return make_tensor
