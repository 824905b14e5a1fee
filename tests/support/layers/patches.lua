-- Samples of the layers of lua/nnlua/nn/patches.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  ChannelShuffle = function() return {{3, inputs = {real(2, 6, 2, 2)}, text = "ChannelShuffle(groups=3)"}} end,
  CrossMapLRN2d = function()
    return {{3, {alpha = 0.1, beta = 0.5, k = 2.0}, inputs = {real(1, 4, 2, 3)},
      text = "CrossMapLRN2d(3, alpha=0.1, beta=0.5, k=2.0)"}}
  end,
  Fold = function()
    return {
      {{5, 5}, 3, {dilation = 1, padding = 1, stride = 2}, inputs = {real(1, 18, 9)},
        text = "Fold(output_size=(5, 5), kernel_size=3, dilation=1, padding=1, stride=2)"},
      {{4, 5}, {2, 3}, inputs = {real(2, 12, 9)},
        text = "Fold(output_size=(4, 5), kernel_size=(2, 3), dilation=1, padding=0, stride=1)"},
    }
  end,
  LocalResponseNorm = function()
    return {{2, inputs = {real(2, 5, 3)}, text = "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"}}
  end,
  PixelShuffle = function() return {{2, inputs = {real(2, 8, 2, 3)}, text = "PixelShuffle(upscale_factor=2)"}} end,
  PixelUnshuffle = function()
    return {{2, inputs = {real(2, 2, 4, 6)}, text = "PixelUnshuffle(downscale_factor=2)"}}
  end,
  Unfold = function()
    return {{3, {dilation = 2, padding = 1, stride = 2}, inputs = {real(1, 2, 6, 7)},
      text = "Unfold(kernel_size=3, dilation=2, padding=1, stride=2)"}}
  end,
}
