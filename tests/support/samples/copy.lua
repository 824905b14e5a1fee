-- Samples of the rows of src/ops/shape/copy.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  to_dtype = function() return {{real(2, 3), nl.float32}, {real(2, 3), nl.complex128}, {real(2, 3)}} end,
  to_device = function() return {{real(2, 3), "cpu"}} end,
  fill_tensor = function() return {{real(2, 3), real()}} end,
}
