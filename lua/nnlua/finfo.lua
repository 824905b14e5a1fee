-- nl.finfo: the limits of a floating dtype.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

-- Bits of the fraction and the largest exponent, and how many digits printing may rely on.
local formats = {
  float16 = {10, 15, 1e-3}, bfloat16 = {7, 127, 1e-2}, float32 = {23, 127, 1e-6}, float64 = {52, 1023, 1e-15},
}
local dtype_meta = getmetatable(nl.float32)
local of_parts = {complex64 = "float32", complex128 = "float64"}

local Finfo = {__name = "nnlua.finfo"}

function Finfo:__tostring()
  return core.format("finfo(resolution=%g, min=%g, max=%g, eps=%g, smallest_normal=%g, tiny=%g, dtype=%s)",
    self.resolution, self.min, self.max, self.eps, self.smallest_normal, self.tiny, self.dtype)
end

local made = {}

local function make(name)
  local fraction, exponent, resolution = table.unpack(formats[name])
  local eps = 2.0 ^ -fraction
  local max, normal = (2 - eps) * 2.0 ^ exponent, 2.0 ^ (1 - exponent)
  return setmetatable({
    bits = 8 * nl[name].itemsize, eps = eps, max = max, min = -max, tiny = normal, smallest_normal = normal,
    resolution = resolution, dtype = name,
  }, Finfo)
end

--- The limits of a floating dtype (of a complex one: of its parts), by default of the default one: `max` and `min`,
--- `eps` (the step from 1 to the next number), `tiny` or `smallest_normal` (the smallest number of full precision),
--- `resolution`, `bits`, `dtype` (its name).
---     > nl.finfo(nl.float32).eps == 2.0 ^ -23, nl.finfo(nl.float16).max
---     true	65504.0
---@param type? dtype
---@return table
local function finfo(type)
  local dtype = type == nil and nl.get_default_dtype() or type
  if getmetatable(dtype) ~= dtype_meta then
    core.raise(("finfo: a dtype such as nl.float32 was expected, not %s"):format(core.describe(dtype)))
  end
  local name = of_parts[dtype.name] or dtype.name
  if not formats[name] then
    core.raise(("finfo: %s is no floating dtype; nl.iinfo tells the limits of integers"):format(dtype))
  end
  made[name] = made[name] or make(name)
  return made[name]
end

return finfo
