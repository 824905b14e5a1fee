-- Samples of the rows of src/ops/nn/composed_activation.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  gelu = function() return {{real(2, 3)}, {real(2, 3), "tanh"}} end,
  softshrink = function() return {{real(2, 3)}, {real(2, 3), 0.1}} end,
  softmin = function() return {{real(2, 3), 2}, {real(2, 3), 1}} end,
  prelu = function() return {{real(2, 3), positive(3)}, {real(2, 3), positive(1)}, {real(3), positive(1)}} end,
  glu = function() return {{real(2, 4)}, {real(2, 3), 1}} end,
  rrelu = function() return {{real(2, 3)}, {real(2, 3), 0.1, 0.3, true}} end,
  normalize = function() return {{real(2, 3)}, {real(2, 3), 1, 1}, {real(2, 3, 2), 3, -1}} end,
}
