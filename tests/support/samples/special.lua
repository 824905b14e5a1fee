-- Samples of the rows of src/ops/math/special.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local positive = inputs.positive

local function of_positive() return {{positive(2, 3)}} end

return {
  erfinv = of_positive, lgamma = of_positive, digamma = of_positive, ndtri = of_positive,
  bessel_y0 = of_positive, bessel_y1 = of_positive, modified_bessel_k0 = of_positive, modified_bessel_k1 = of_positive,
  scaled_modified_bessel_k0 = of_positive, scaled_modified_bessel_k1 = of_positive,
  zeta_of = function() return {{positive(2, 3) + 2, positive(3)}} end,
}
