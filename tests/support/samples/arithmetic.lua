-- Samples of the rows of src/ops/arithmetic.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  div_mode = function()
    return {{real(2, 3), positive(2, 3), "trunc"}, {real(2, 3), positive(2, 3), {rounding_mode = "floor"}}}
  end,
}
