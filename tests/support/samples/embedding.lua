-- Samples of the rows of src/ops/nn/embedding.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions = inputs.real, inputs.positions

return {
  embedding = function()
    return {
      {positions({2, 2}, 3, 1, 3, 2), real(4, 3)},
      {positions({3}, 3, 1, 3), real(4, 3), {padding_idx = 2}}, -- where it occurs, the gradient is no derivative
    }
  end,
  embedding_renorm = function() return {{real(3, 2), positions({3}, 2, 1, 2), 0.5, 2}} end,
}
