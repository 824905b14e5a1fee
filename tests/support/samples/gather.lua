-- Samples of the rows of src/ops/index/gather.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions, default_positions = inputs.real, inputs.positions, inputs.default_positions

return {
  scatter_combine = function()
    return {
      {real(2, 3), 1, default_positions(), real(2, 3), "add"},
      {real(2, 3), 1, default_positions(), real(2, 3), {reduce = "add"}},
    }
  end,
  scatter_combine_value = function()
    return {
      {real(2, 3), 1, default_positions(), 0.5, "add"},
      {real(2, 3), 1, default_positions(), 2, {reduce = "multiply"}, fixed = {1}},
    }
  end,
  index_select = function()
    return {{real(2, 3), 2, positions({2}, 3, 1)}, {real(2, 3), 1, positions({3}, 1, 2, 1)}}
  end,
  index_add = function()
    return {
      {real(2, 3), 2, positions({2}, 3, 1), real(2, 2)},
      {real(2, 3), 1, positions({3}, 1, 2, 1), real(3, 3), 0.5},
    }
  end,
  index_copy = function() return {{real(2, 3), 2, positions({2}, 3, 1), real(2, 2)}} end,
  index_fill = function()
    return {{real(2, 3), 2, positions({2}, 3, 1), 0.5}, {real(2, 3), 1, positions({1}, 2), real()}}
  end,
}
