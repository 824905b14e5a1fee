-- Samples of the rows of src/ops/math/activation.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  hardtanh = function() return {{real(2, 3)}, {real(2, 3), -0.5, 0.6}} end,
  leaky_relu = function() return {{real(2, 3)}, {real(2, 3), 0.3}} end,
  elu = function() return {{real(2, 3)}, {real(2, 3), 0.6}} end,
  celu = function() return {{real(2, 3)}, {real(2, 3), 0.6}} end,
  softplus = function() return {{real(2, 3)}, {real(2, 3), 2, 1}} end,
  hardshrink = function() return {{real(2, 3)}, {real(2, 3), 0.9}} end,
  threshold = function() return {{real(2, 3), 0.1, 0.2}} end,
}
