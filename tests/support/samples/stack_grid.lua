-- Samples of the rows of src/ops/shape/stack_grid.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions = inputs.real, inputs.positions

return {
  tensor_split = function() return {{real(2, 3), 2, 2}} end,
  tensor_split_indices = function() return {{real(2, 3), {2, 3}, 2}} end,
  tensor_split_tensor = function() return {{real(2, 3), positions({2}, 2, 3), 2}, {real(3), positions({}, 2)}} end,
  hsplit = function() return {{real(2, 4), 2}} end,
  hsplit_indices = function() return {{real(2, 3), {2}}} end,
  vsplit_indices = function() return {{real(3, 2), {2}}} end,
  dsplit = function() return {{real(1, 2, 4), 2}} end,
  dsplit_indices = function() return {{real(1, 2, 3), {2}}} end,
  meshgrid = function() return {{{real(2), real(3)}}, {{real(2), real(3)}, "xy"}} end,
  broadcast_tensors = function() return {{{real(2, 1), real(3)}}} end,
  cartesian_prod = function() return {{{real(2), real(3)}}} end,
  combinations = function() return {{real(4)}, {real(3), 2, true}} end,
}
