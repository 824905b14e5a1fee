-- Samples of the layers of lua/nnlua/nn/embedding.lua; see tests/support/layers.lua.
local nl = require "nnlua"

return {
  Embedding = function()
    local words = nl.tensor {{1, 3, 2}, {3, 3, 4}}
    return {
      {4, 3, inputs = {words}, text = "Embedding(4, 3)"},
      {4, 3, {padding_idx = 3, scale_grad_by_freq = true}, inputs = {words}, differences = false,
        text = "Embedding(4, 3, padding_idx=3, scale_grad_by_freq=True)"}, -- PyTorch counts from 0
    }
  end,
}
