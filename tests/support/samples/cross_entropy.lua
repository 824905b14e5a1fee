-- Samples of the rows of src/ops/nn/cross_entropy.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive, positions = inputs.real, inputs.positive, inputs.positions

return {
  -- columns beyond a strip, short rows, rows beyond these (src/core/blocks.h)
  softmax = function() return {{real(2, 3), 1}, {real(3, 5), 1}, {real(5, 3), 2}, {real(2, 9), 2}} end,
  log_softmax = function() return {{real(2, 3), 1}, {real(3, 5), 1}, {real(5, 3), 2}, {real(2, 9), 2}} end,
  nll_loss = function()
    return {
      {real(2, 3), positions({2}, 3, 1)},
      {real(2, 3), positions({2}, 2, -100), positive(3), {reduction = "sum"}, fixed = {3}},
      {real(2, 3, 2), positions({2, 2}, 3, 1, 2, 2), {reduction = "none"}},
    }
  end,
  cross_entropy = function()
    return {
      {real(2, 3), positions({2}, 3, 1)},
      {real(2, 3), positions({2}, 2, 1), positive(3), {label_smoothing = 0.1}, fixed = {3}},
      {real(2, 3, 2), positions({2, 2}, 3, 1, -100, 2), {reduction = "none"}},
      {real(2, 3), positive(2, 3)},
    }
  end,
}
