-- Samples of the layers of lua/nnlua/nn/linear.lua and sparse.lua; see tests/support/layers.lua.
local nl = require "nnlua"

return {
  Identity = function() return {{54, text = "Identity()"}} end,
  LazyLinear = function() return {{4, text = "LazyLinear(in_features=0, out_features=4, bias=True)"}} end,
  Linear = function()
    return {
      {3, 4, text = "Linear(in_features=3, out_features=4, bias=True)"},
      {3, 2, {bias = false}, text = "Linear(in_features=3, out_features=2, bias=False)"},
    }
  end,
  Embedding = function()
    local words = nl.tensor {{1, 3, 2}, {3, 3, 4}}
    return {
      {4, 3, inputs = {words}, text = "Embedding(4, 3)"},
      {4, 3, {padding_idx = 3, scale_grad_by_freq = true}, inputs = {words}, differences = false,
        text = "Embedding(4, 3, padding_idx=3, scale_grad_by_freq=True)"}, -- PyTorch counts from 0
    }
  end,
}
