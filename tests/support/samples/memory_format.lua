-- Samples of the rows of src/ops/shape/memory_format.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"

local function images() return inputs.real(1, 2, 2, 3) end

local function of_format() return {{images(), nl.channels_last}} end
local function named() return {{images(), {memory_format = nl.channels_last}}} end

local list = {
  clone_in = of_format, contiguous_in = of_format,
  to_dtype_in = function() return {{images(), nl.float64, false, false, nl.channels_last}} end,
  to_device_in = function() return {{images(), "cpu", nil, false, false, nl.channels_last, n = 6}} end,
  to_other_in = function() return {{images(), inputs.real(2), false, false, nl.channels_last, fixed = {2}}} end,
  zeros_like_in = named, ones_like_in = named,
  empty_like_in = function() return {{images(), {memory_format = nl.channels_last}, values = false}} end,
  full_like_in = function() return {{images(), 0.5, {memory_format = nl.channels_last}}} end,
}
for _, name in ipairs {
  "float", "double", "half", "bfloat16", "int", "long", "short", "char", "byte", "bool", "cfloat", "cdouble",
} do
  list["to_" .. name .. "_in"] = of_format
end

return list
