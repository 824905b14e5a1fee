-- Samples of the rows of src/ops/index/mask.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions, mask = inputs.real, inputs.positions, inputs.mask

return {
  index_put = function()
    return {
      {real(2, 3), {positions({2}, 2, 1)}, real(2, 3)},
      {real(2, 3), {positions({3}, 2, 1, 2), positions({3}, 1, 1, 1)}, real(3), true},
      {real(2, 3), {mask()}, 0.5},
    }
  end,
  nonzero = function() return {{mask()}, {mask(), true}} end,
  nonzero_static = function() return {{mask(), 2}, {mask(), 9, 7}} end,
  argwhere = function() return {{mask()}} end,
  where = function() return {{mask(), real(2, 3), real(2, 3)}, {mask(), real(2, 1), 0.5}} end,
  where_positions = function() return {{mask()}} end,
  where_self = function() return {{real(2, 3), mask(), real(2, 3)}, {real(2, 3), mask(), 0.5}} end,
  masked_fill = function() return {{real(2, 3), mask(), 0.5}, {real(2, 3), mask(), real()}} end,
  masked_select = function() return {{real(2, 3), mask()}} end,
  masked_scatter = function() return {{real(2, 3), mask(), real(2, 3)}} end,
}
