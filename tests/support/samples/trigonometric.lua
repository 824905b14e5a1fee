-- Samples of the rows of src/ops/math/trigonometric.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

local function of_positive() return {{positive(2, 3)}} end

return {
  asin = of_positive, acos = of_positive, atanh = of_positive,
  acosh = function() return {{positive(2, 3) + 1}} end,
  atan2 = function() return {{real(2, 3), real(2, 3)}} end,
}
