-- Samples of the rows of src/ops/math/composed_arithmetic.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive = inputs.real, inputs.positive

return {
  clamp_min = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), 0.1}} end,
  clamp_max = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), 0.1}} end,
  div_mode = function()
    return {{real(2, 3), positive(2, 3), "trunc"}, {real(2, 3), positive(2, 3), {rounding_mode = "floor"}}}
  end,
  clamp = function() return {{real(2, 3), -0.5, 0.6}, {real(2, 3), {max = 0.3}}, {real(2, 3), 0.1}} end,
  clamp_tensors = function()
    return {{real(2, 3), -positive(2, 3), positive(2, 3)}, {real(2, 3), {max = positive(3)}}}
  end,
  nan_to_num = function() return {{real(2, 3)}, {real(2, 3), 1, 2, 3}} end,
  round_decimals = function() return {{real(2, 3), 1}, {real(2, 3) * 10, -1}, {real(2, 3), 0}} end,
  isclose = function() return {{real(2, 3), real(2, 3)}, {nl.ones(3), nl.ones(3), 0.1, 0.1, true}} end,
}
