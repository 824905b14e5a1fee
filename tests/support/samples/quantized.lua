-- Samples of the rows of src/ops/linalg/quantized.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

local function bytes(...) return (nl.randint(-128, 128, {...}, {dtype = nl.int8})) end

return {
  int_mm = function() return {{bytes(2, 3), bytes(3, 4)}} end,
  weight_int8pack_mm = function()
    return {{real(2, 3), bytes(4, 3), real(4)}, {real(2, 1, 3), bytes(2, 3), real(2)}, {real(3), bytes(1, 3), real(1)}}
  end,
}
