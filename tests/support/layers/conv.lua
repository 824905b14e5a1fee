-- Samples of the layers of lua/nnlua/nn/conv.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  Conv1d = function()
    return {
      {2, 4, 3, {stride = 2, padding = 1, groups = 2}, inputs = {real(2, 2, 5)},
        text = "Conv1d(2, 4, kernel_size=(3,), stride=(2,), padding=(1,), groups=2)"},
      {2, 3, 2, {padding = "same", padding_mode = "reflect", bias = false}, inputs = {real(1, 2, 4)},
        text = "Conv1d(2, 3, kernel_size=(2,), stride=(1,), padding=same, bias=False, padding_mode=reflect)"},
    }
  end,
  Conv2d = function()
    return {{1, 2, {2, 3}, {dilation = {1, 2}, padding = {0, 1}}, inputs = {real(2, 1, 3, 5)},
      text = "Conv2d(1, 2, kernel_size=(2, 3), stride=(1, 1), padding=(0, 1), dilation=(1, 2))"}}
  end,
  Conv3d = function()
    return {
      {2, 2, {1, 2, 3}, {stride = {1, 2, 1}, padding = {0, 1, 1}, groups = 2}, inputs = {real(1, 2, 2, 3, 3)},
        text = "Conv3d(2, 2, kernel_size=(1, 2, 3), stride=(1, 2, 1), padding=(0, 1, 1), groups=2)"},
      {1, 2, 2, {padding = 1, padding_mode = "circular"}, inputs = {real(1, 1, 2, 2, 3)},
        text = "Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), padding=(1, 1, 1), padding_mode=circular)"},
    }
  end,
  ConvTranspose1d = function()
    return {{2, 3, 3, {stride = 2, output_padding = 1, padding = 1}, inputs = {real(1, 2, 3)},
      text = "ConvTranspose1d(2, 3, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,))"}}
  end,
  ConvTranspose2d = function()
    return {{2, 2, 2, {groups = 2, bias = false}, inputs = {real(1, 2, 2, 3)},
      text = "ConvTranspose2d(2, 2, kernel_size=(2, 2), stride=(1, 1), groups=2, bias=False)"}}
  end,
  ConvTranspose3d = function()
    return {{2, 1, {1, 2, 2}, {stride = {1, 2, 1}, output_padding = {0, 1, 0}}, inputs = {real(1, 2, 2, 1, 2)},
      text = "ConvTranspose3d(2, 1, kernel_size=(1, 2, 2), stride=(1, 2, 1), output_padding=(0, 1, 0))"}}
  end,
  LazyConv1d = function()
    return {{2, 3, inputs = {real(2, 2, 4)}, text = "LazyConv1d(0, 2, kernel_size=(3,), stride=(1,))"}}
  end,
  LazyConv2d = function()
    return {{2, 2, {bias = false}, inputs = {real(1, 2, 3, 2)},
      text = "LazyConv2d(0, 2, kernel_size=(2, 2), stride=(1, 1), bias=False)"}}
  end,
  LazyConv3d = function()
    return {{2, 2, inputs = {real(1, 1, 2, 3, 2)},
      text = "LazyConv3d(0, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1))"}}
  end,
  LazyConvTranspose1d = function()
    return {{2, 2, {stride = 2}, inputs = {real(1, 2, 3)},
      text = "LazyConvTranspose1d(0, 2, kernel_size=(2,), stride=(2,))"}}
  end,
  LazyConvTranspose2d = function()
    return {{2, 2, inputs = {real(1, 1, 2, 2)}, text = "LazyConvTranspose2d(0, 2, kernel_size=(2, 2), stride=(1, 1))"}}
  end,
  LazyConvTranspose3d = function()
    return {{2, 2, {bias = false}, inputs = {real(1, 1, 1, 2, 2)},
      text = "LazyConvTranspose3d(0, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), bias=False)"}}
  end,
}
