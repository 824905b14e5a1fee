-- Samples of the rows of src/ops/shape/memory_format.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"

local function images() return inputs.real(1, 2, 2, 3) end

local function of_format() return {{images(), nl.channels_last}} end
local function named() return {{images(), {memory_format = nl.channels_last}}} end
local function random() return {{images(), {memory_format = nl.channels_last}, values = false}} end

local list = {
  clone_in = of_format, contiguous_in = of_format,
  to_dtype_in = function() return {{images(), nl.float64, false, false, nl.channels_last}} end,
  to_device_in = function() return {{images(), "cpu", nil, false, false, nl.channels_last, n = 6}} end,
  to_cpu_in = of_format, laid_out = function() return {{images(), nl.float64, nl.channels_last}} end,
  empty_in = function() return {{{1, 2, 2, 3}, {memory_format = nl.channels_last}, values = false}} end,
  rand_like_in = random, randn_like_in = random,
  randint_like_in = function() return {{images(), 5, {memory_format = nl.channels_last}, values = false}} end,
  randint_like_low_in = function() return {{images(), 2, 5, {memory_format = nl.channels_last}, values = false}} end,
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
