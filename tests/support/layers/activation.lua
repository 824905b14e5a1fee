-- Samples of the layers of lua/nnlua/nn/activation.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  CELU = function() return {{0.5, text = "CELU(alpha=0.5)"}} end,
  ELU = function() return {{0.5, text = "ELU(alpha=0.5)"}} end,
  GELU = function()
    return {{text = "GELU(approximate='none')"}, {"tanh", text = "GELU(approximate='tanh')"}}
  end,
  GLU = function() return {{1, text = "GLU(dim=1)"}} end, -- PyTorch counts from 0
  Hardshrink = function() return {{0.25, text = "Hardshrink(0.25)"}} end,
  Hardsigmoid = function() return {{text = "Hardsigmoid()"}} end,
  Hardswish = function() return {{text = "Hardswish()"}} end,
  Hardtanh = function() return {{-0.5, 0.75, text = "Hardtanh(min_val=-0.5, max_val=0.75)"}} end,
  LeakyReLU = function() return {{0.25, text = "LeakyReLU(negative_slope=0.25)"}} end,
  LogSigmoid = function() return {{text = "LogSigmoid()"}} end,
  LogSoftmax = function() return {{1, text = "LogSoftmax(dim=1)"}} end,
  Mish = function() return {{text = "Mish()"}} end,
  PReLU = function() return {{3, 0.5, text = "PReLU(num_parameters=3)"}} end,
  RReLU = function() return {{0.1, 0.4, text = "RReLU(lower=0.1, upper=0.4)"}} end,
  ReLU = function() return {{text = "ReLU()"}} end,
  ReLU6 = function() return {{text = "ReLU6()"}} end,
  SELU = function() return {{text = "SELU()"}} end,
  SiLU = function() return {{text = "SiLU()"}} end,
  Sigmoid = function() return {{text = "Sigmoid()"}} end,
  Softmax = function() return {{text = "Softmax(dim=None)"}, {2, text = "Softmax(dim=2)"}} end,
  Softmax2d = function() return {{inputs = {real(2, 3, 1, 2)}, text = "Softmax2d()"}} end,
  Softmin = function() return {{-1, text = "Softmin(dim=-1)"}} end,
  Softplus = function() return {{2, 1.5, text = "Softplus(beta=2, threshold=1.5)"}} end,
  Softshrink = function() return {{0.25, text = "Softshrink(0.25)"}} end,
  Softsign = function() return {{text = "Softsign()"}} end,
  Tanh = function() return {{text = "Tanh()"}} end,
  Tanhshrink = function() return {{text = "Tanhshrink()"}} end,
  Threshold = function() return {{0.1, 20, text = "Threshold(threshold=0.1, value=20)"}} end,
}
