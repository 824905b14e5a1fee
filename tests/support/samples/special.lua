-- Samples of the rows of src/ops/math/special.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local positive = inputs.positive

return {
  erfinv = function() return {{positive(2, 3)}} end,
  lgamma = function() return {{positive(2, 3)}} end,
  digamma = function() return {{positive(2, 3)}} end,
}
