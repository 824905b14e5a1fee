-- Samples of the rows of src/ops/nn/resample.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  interpolate = function()
    return {
      {real(1, 2, 3, 4), {5, 3}},
      {real(2, 2, 3), {size = 5, mode = "nearest-exact"}},
      {real(1, 2, 3), {scale_factor = 1.7, mode = "linear"}},
      {real(1, 1, 3, 4), {scale_factor = {2, 1.5}, mode = "bilinear", align_corners = true}},
      {real(1, 1, 3, 2), {size = {4, 5}, mode = "bicubic"}},
      {real(1, 1, 5, 3), {size = {3, 2}, mode = "area"}},
      {real(1, 1, 5, 4), {size = {2, 3}, mode = "bilinear", antialias = true}},
      {real(1, 1, 4, 5), {size = {3, 2}, mode = "bicubic", antialias = true, align_corners = true}},
      {real(1, 1, 5, 4), {size = {2, 3}, mode = "lanczos", antialias = true}},
    }
  end,
  upsample = function() return {{real(1, 2, 3), {size = 5, mode = "linear"}}, {real(1, 2, 3), {scale_factor = 2}}} end,
  upsample_nearest = function() return {{real(1, 2, 3), 5}} end,
  upsample_bilinear = function() return {{real(1, 1, 3, 2), {4, 3}}} end,
}
