-- Samples of the layers of lua/nnlua/nn/shape.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  Flatten = function() return {{inputs = {real(2, 1, 3)}, text = "Flatten(start_dim=2, end_dim=-1)"}} end,
  Unflatten = function() return {{2, {3, 1}, text = "Unflatten(dim=2, unflattened_size=(3, 1))"}} end,
  Upsample = function()
    return {
      {{scale_factor = 2}, inputs = {real(1, 2, 3)}, text = "Upsample(scale_factor=2.0, mode='nearest')"},
      {{size = {3, 4}, mode = "bilinear", align_corners = true}, inputs = {real(1, 1, 2, 2)},
        text = "Upsample(size=(3, 4), mode='bilinear')"},
    }
  end,
  UpsamplingBilinear2d = function()
    return {{{scale_factor = 2}, inputs = {real(1, 1, 2, 3)},
      text = "UpsamplingBilinear2d(scale_factor=2.0, mode='bilinear')"}}
  end,
  UpsamplingNearest2d = function()
    return {{{3, 4}, inputs = {real(1, 1, 2, 2)}, text = "UpsamplingNearest2d(size=(3, 4), mode='nearest')"}}
  end,
}
