-- Samples of the rows of src/ops/nn/patches.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  unfold_patches = function()
    return {{real(2, 1, 3, 4), {2, 3}}, {real(2, 4, 5), 2, {dilation = 2, padding = 1, stride = {1, 2}}}}
  end,
  fold = function()
    return {{real(4, 6), {3, 4}, 2}, {real(1, 8, 6), {4, 4}, {2, 2}, {stride = {2, 1}, dilation = {1, 1}}}}
  end,
  pixel_shuffle = function() return {{real(4, 2, 1), 2}, {real(1, 9, 1, 2), 3}} end,
  pixel_unshuffle = function() return {{real(1, 4, 2), 2}, {real(2, 1, 3, 6), 3}} end,
  channel_shuffle = function() return {{real(1, 6, 2), 3}, {real(2, 4, 1, 2), 2}} end,
  local_response_norm = function()
    return {{real(1, 4, 3), 2}, {real(2, 3, 1, 2), 3, {alpha = 0.5, beta = 0.6, k = 1.5}}}
  end,
}
