-- Samples of the layers of lua/nnlua/nn/pooling.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  AdaptiveAvgPool1d = function() return {{2, inputs = {real(1, 2, 5)}, text = "AdaptiveAvgPool1d(output_size=2)"}} end,
  AdaptiveAvgPool2d = function()
    return {
      {2, inputs = {real(1, 2, 3, 4)}, text = "AdaptiveAvgPool2d(output_size=2)"},
      {{nl.none, 2}, inputs = {real(1, 1, 2, 5)}, text = "AdaptiveAvgPool2d(output_size=(None, 2))"},
    }
  end,
  AdaptiveMaxPool1d = function()
    return {
      {2, inputs = {real(1, 2, 5)}, text = "AdaptiveMaxPool1d(output_size=2)"},
      {2, true, inputs = {real(1, 2, 5)}, text = "AdaptiveMaxPool1d(output_size=2)"},
    }
  end,
  AdaptiveMaxPool2d = function()
    return {{{2, 3}, inputs = {real(1, 2, 3, 4)}, text = "AdaptiveMaxPool2d(output_size=(2, 3))"}}
  end,
  AdaptiveAvgPool3d = function()
    return {{{3, 2, 2}, inputs = {real(1, 1, 3, 2, 6)}, text = "AdaptiveAvgPool3d(output_size=(3, 2, 2))"}}
  end,
  AdaptiveMaxPool3d = function()
    return {{2, inputs = {real(1, 2, 4, 3, 4)}, text = "AdaptiveMaxPool3d(output_size=2)"}}
  end,
  AvgPool3d = function()
    return {{3, {stride = 2, padding = 1, ceil_mode = true, count_include_pad = false}, inputs = {real(1, 2, 4, 3, 4)},
      text = "AvgPool3d(kernel_size=3, stride=2, padding=1)"}}
  end,
  LPPool1d = function()
    return {{3, 2, {stride = 1, ceil_mode = true}, inputs = {real(2, 3, 5):abs()},
      text = "LPPool1d(norm_type=3, kernel_size=2, stride=1, ceil_mode=True)"}}
  end,
  LPPool2d = function()
    return {{1.5, {2, 3}, {stride = 2}, inputs = {real(1, 2, 5, 6):abs()},
      text = "LPPool2d(norm_type=1.5, kernel_size=(2, 3), stride=2, ceil_mode=False)"}}
  end,
  LPPool3d = function()
    return {{2, 2, inputs = {real(1, 2, 4, 4, 3)},
      text = "LPPool3d(norm_type=2, kernel_size=2, stride=None, ceil_mode=False)"}}
  end,
  MaxPool3d = function()
    return {{3, {stride = 2, padding = 1}, inputs = {real(1, 2, 4, 3, 4)},
      text = "MaxPool3d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)"}}
  end,
  AvgPool1d = function()
    return {{3, {stride = 2, padding = 1, count_include_pad = false}, inputs = {real(1, 2, 5)},
      text = "AvgPool1d(kernel_size=(3,), stride=(2,), padding=(1,))"}}
  end,
  AvgPool2d = function()
    return {
      {2, inputs = {real(1, 2, 3, 4)}, text = "AvgPool2d(kernel_size=2, stride=2, padding=0)"},
      {{2, 3}, {stride = {1, 2}, padding = 1, divisor_override = 4, ceil_mode = true}, inputs = {real(1, 1, 3, 4)},
        text = "AvgPool2d(kernel_size=(2, 3), stride=(1, 2), padding=1)"},
    }
  end,
  MaxPool1d = function()
    return {{3, {stride = 2, padding = 1, ceil_mode = true}, inputs = {real(1, 2, 6)},
      text = "MaxPool1d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=True)"}}
  end,
  MaxPool2d = function()
    return {
      {2, inputs = {real(1, 2, 3, 4)},
        text = "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"},
      {{2, 1}, {dilation = {1, 2}, return_indices = true}, inputs = {real(1, 2, 3, 4)},
        text = "MaxPool2d(kernel_size=(2, 1), stride=(2, 1), padding=0, dilation=(1, 2), ceil_mode=False)"},
    }
  end,
}
