-- Samples of the rows of src/ops/nn/ctc.def; see tests/support/samples.lua. The gradient is that of what log_softmax
-- gives, not of log_probs alone, so none is compared here: tests/spec/nn/losses_spec.lua does, through log_softmax.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positions = inputs.real, inputs.positions

return {
  ctc_loss = function()
    return {{real(4, 2, 3), positions({2, 2}, 2, 3, 3, 1), {4, 3}, {2, 1}, fixed = {1}}}
  end,
  ctc_loss_tensor = function()
    local lengths = {nl.tensor {4, 3}, nl.tensor {2, 1}}
    return {
      {real(4, 2, 3), positions({2, 2}, 2, 3, 3, 1), lengths[1], lengths[2], 1, "sum", fixed = {1}, strided = false},
    }
  end,
}
