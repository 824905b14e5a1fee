-- Samples of the rows of src/ops/math/composed_functions.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  logit = function() return {{positive(2, 3)}, {positive(2, 3), 0.4}} end,
  float_power = function() return {{positive(2, 3), real(2, 3)}, {positive(2, 3), 0.5}} end,
  polygamma = function() return {{2, positive(2, 3)}, {0, positive(2, 3)}} end,
  polygamma_method = function() return {{positive(2, 3), 1}} end,
  zeta = function() return {{positive(2, 3) + 2, positive(3), fixed = {1}}, {2.5, positive(2, 3)}} end,
  mvlgamma = function() return {{positive(2, 3) + 2, 3}} end,
}
