-- Samples of the rows of src/ops/linalg/svd.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  -- singular vectors are one choice of many: finite differences of them need values far apart, as these have
  svd = function() return {{real(2, 3), false}, {real(3, 2), false}, {real(2, 2)}} end,
  svdvals = function() return {{real(2, 3)}, {real(2, 3, 2)}} end,
}
