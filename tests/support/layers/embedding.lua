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
  EmbeddingBag = function()
    return {
      {4, 3, {mode = "sum"}, inputs = {nl.tensor {1, 3, 2, 4, 4}, nl.tensor {1, 3}},
        text = "EmbeddingBag(4, 3, mode='sum')"},
      {4, 3, {mode = "max", padding_idx = 2}, inputs = {nl.tensor {{1, 3}, {2, 4}}}, differences = false,
        text = "EmbeddingBag(4, 3, mode='max', padding_idx=2)"}, -- PyTorch counts from 0
    }
  end,
}
