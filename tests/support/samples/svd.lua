-- Samples of the rows of src/ops/linalg/svd.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  -- singular vectors are one choice of many: finite differences of them need values far apart, as these have
  svd = function() return {{real(2, 3), false}, {real(3, 2), false}, {real(2, 2)}} end,
  svd_of = function() return {{real(2, 3)}, {real(3, 2), true, false}} end,
  svd_lowrank = function() return {{real(4, 3), 3, fixed = {1}, values = false}} end,
  pca_lowrank = function() return {{real(4, 3), 2, fixed = {1}, values = false}} end,
  svdvals = function() return {{real(2, 3)}, {real(2, 3, 2)}} end,
  nuclear_norm = function() return {{real(3, 2)}} end,
}
