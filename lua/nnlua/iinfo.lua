-- nl.iinfo: the limits of an integer dtype.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local dtype_meta = getmetatable(nl.int64)

local Iinfo = {__name = "nnlua.iinfo"}

function Iinfo:__tostring()
  return ("iinfo(min=%d, max=%d, dtype=%s)"):format(self.min, self.max, self.dtype)
end

--- The limits of an integer dtype: `max` and `min`, `bits`, `dtype` (its name).
---     > nl.iinfo(nl.int8).min, nl.iinfo(nl.int8).max
---     -128	127
---@param type dtype
---@return table
local function iinfo(type)
  local dtype = type
  if getmetatable(dtype) ~= dtype_meta then
    core.raise(("iinfo: a dtype such as nl.int64 was expected, not %s"):format(core.describe(dtype)))
  elseif dtype.is_floating_point or dtype.is_complex or dtype == nl.bool then
    core.raise(("iinfo: %s is no integer dtype; nl.finfo tells the limits of floats"):format(dtype))
  end
  local bits = 8 * dtype.itemsize
  local signed = dtype.is_signed
  local max = signed and math.maxinteger >> (64 - bits) or (1 << bits) - 1
  return setmetatable({bits = bits, max = max, min = signed and -max - 1 or 0, dtype = dtype.name}, Iinfo)
end

return iinfo
