-- Samples of the rows of src/ops/math/exponential.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

local function of_positive() return {{positive(2, 3)}} end

return {
  log = of_positive, log1p = of_positive, log2 = of_positive, log10 = of_positive,
  sqrt = of_positive, entr = of_positive, rsqrt = of_positive, entr = of_positive,
  xlog1py = function() return {{real(2, 3), positive(2, 3)}, {real(2, 3), 1.5}} end,
  xlogy = function() return {{real(2, 3), positive(2, 3)}, {real(2, 3), 1.5}} end,
}
