-- Samples of the rows of src/ops/shape/permute_repeat.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions = inputs.real, inputs.positions

return {
  movedim = function() return {{real(2, 3, 2), 1, 3}, {real(2, 3, 2), {1, 2}, {-1, 1}}} end,
  moveaxis = function() return {{real(2, 3, 2), 1, 3}} end,
  flip = function() return {{real(2, 3), {2}}, {real(2, 3, 2), {1, 3}}} end,
  roll = function() return {{real(2, 3), 1, 2}, {real(2, 3), -1}} end,
  roll_dims = function() return {{real(2, 3), {1, 2}, {1, 2}}} end,
  rot90 = function() return {{real(2, 3)}, {real(2, 3, 2), -1, {1, 3}}, {real(2, 3), 2}} end,
  narrow_copy = function() return {{real(2, 3), 2, 2, 2}} end,
  repeat_interleave = function() return {{real(2, 3), 2, 2}, {real(2, 3), 3}} end,
  repeat_interleave_each = function() return {{real(2, 3), positions({3}, 2, 0, 1), 2}} end,
  repeat_interleave_positions = function() return {{positions({3}, 2, 0, 1)}} end,
  atleast_1d = function() return {{real()}} end,
  atleast_2d = function() return {{real(3)}} end,
}
