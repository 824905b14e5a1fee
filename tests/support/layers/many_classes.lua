-- Samples of the layers of lua/nnlua/nn/many_classes.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  AdaptiveLogSoftmaxWithLoss = function()
    return {{6, 9, {2, 5}, {div_value = 2.0, head_bias = true}, inputs = {real(4, 6), nl.tensor {1, 9, 4, 3}}, text = [[
AdaptiveLogSoftmaxWithLoss(
  (head): Linear(in_features=6, out_features=4, bias=True)
  (tail): ModuleList(
    (0): Sequential(
      (0): Linear(in_features=6, out_features=3, bias=False)
      (1): Linear(in_features=3, out_features=3, bias=False)
    )
    (1): Sequential(
      (0): Linear(in_features=6, out_features=1, bias=False)
      (1): Linear(in_features=1, out_features=4, bias=False)
    )
  )
)]]}}
  end,
  LinearCrossEntropyLoss = function()
    return {{3, 5, {reduction = "sum"}, inputs = {real(4, 3), nl.tensor {1, 5, 2, 2}}, text = [[
LinearCrossEntropyLoss(
  in_features=3, num_classes=5, out_features=(), bias=False, reduction=sum, ignore_index=None, label_smoothing=0.0, ]]
  .. [[options=None
  (linear): Linear(in_features=3, out_features=5, bias=False)
)]]}}
  end,
}
