-- Samples of the rows of src/ops/linalg/functions.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  matrix_exp = function() return {{real(2, 3, 3)}, {real(3, 3) * 8}, {real(1, 1)}} end,
  linalg_cond = function() return {{real(2, 3, 3)}, {real(2, 3, 2), -2}, {real(2, 3, 3), 1}} end,
  linalg_cond_named = function() return {{real(2, 3, 3), "fro"}, {real(2, 3, 3), "nuc"}} end,
  -- of one row along the first dimension, since equal ones make a singular matrix
  linalg_tensorinv = function() return {{real(1, 4, 2, 2)}} end,
  linalg_tensorsolve = function() return {{real(1, 4, 4), real(1, 4)}, {real(1, 4, 4), real(4), {1}}} end,
}
