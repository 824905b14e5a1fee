-- Samples of the rows of src/ops/reduce/vector_norm.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  norm = function() return {{real(2, 3)}, {real(2, 3), 3, 2}, {real(2, 3), 1}, {real(2, 3), math.huge, 1}} end,
  norm_named = function() return {{real(2, 3), "fro"}} end,
  matrix_norm_of_order = function() return {{real(2, 3), 1}, {real(2, 3, 2), -math.huge, {1, 3}, true}} end,
  linalg_norm = function() return {{real(2, 3)}, {real(2, 3), 1}, {real(2, 3), 3, 1}} end,
  linalg_norm_named = function() return {{real(2, 3), "fro"}} end,
  frobenius_norm = function() return {{real(2, 3), {1, 2}}, {real(2, 3), {2}, true}} end,
  norm_except_dim = function() return {{real(2, 3), 2, 1}, {real(2, 3), 2, -1}} end,
}
