-- Samples of the layers of lua/nnlua/nn/dropout.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  AlphaDropout = function() return {{text = "AlphaDropout(p=0.5, inplace=False)"}} end,
  Dropout = function() return {{0.25, text = "Dropout(p=0.25, inplace=False)"}} end,
  Dropout1d = function() return {{inputs = {real(2, 3, 2)}, text = "Dropout1d(p=0.5, inplace=False)"}} end,
  Dropout2d = function() return {{inputs = {real(2, 3, 1, 2)}, text = "Dropout2d(p=0.5, inplace=False)"}} end,
  Dropout3d = function() return {{inputs = {real(2, 3, 1, 2, 1)}, text = "Dropout3d(p=0.5, inplace=False)"}} end,
  FeatureAlphaDropout = function()
    return {{inputs = {real(2, 3, 2)}, text = "FeatureAlphaDropout(p=0.5, inplace=False)"}}
  end,
}
