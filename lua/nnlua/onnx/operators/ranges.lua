-- The ranges of integers that ONNX has and we don't: of 2, 4 and 16 bits.

local system = require "nnlua.system"

local ranges = {}

local known = {
  uint2 = {0, 3}, int2 = {-2, 1}, uint4 = {0, 15}, int4 = {-8, 7}, uint16 = {0, 65535}, uint32 = {0, 4294967295},
}

--- Raises for floats of 8 and 4 bits, which numbers can't be rounded to here.
local function checked_name(node, data_type)
  local name = system.wire_type(data_type)
  if name and (name:find "^float8" or name:find "^float4") then node:fail("numbers can't be made %s", name) end
  return name
end

--- The least and greatest number of a data type in a list, or nil if it is one that a dtype of ours has.
function ranges.of(node, data_type)
  return known[checked_name(node, data_type)]
end

return ranges
