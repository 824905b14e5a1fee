-- Samples of the rows of src/ops/math/arithmetic.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  add = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), 2.5}, {real(2, 3), 1.5}} end,
  addcmul = function() return {{real(2, 3), real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), real(2, 3), -2.5}} end,
  addcdiv = function()
    return {{real(2, 3), real(2, 3), positive(2, 3)}, {real(2, 3), real(2, 3), positive(2, 3), -2.5}}
  end,
  lerp = function() return {{real(2, 3), real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), 0.25}} end,
  sub = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), -0.5}} end,
  pow = function() return {{positive(2, 3), real(2, 3)}, {real(2, 3), 3}, {positive(2, 3), 0.5}} end,
}
