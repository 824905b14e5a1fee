-- Samples of the rows of src/ops/nn/conv.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  conv1d = function()
    return {
      {real(2, 3, 5), real(4, 3, 2), real(4)},
      {real(4, 6), real(2, 2, 3), {stride = 2, padding = 1, groups = 2}},
    }
  end,
  conv1d_padding = function()
    return {
      {real(2, 2, 5), real(3, 2, 2), real(3), {padding = "same"}},
      {real(1, 2, 5), real(3, 2, 2), {padding = "valid", stride = 2}},
    }
  end,
  conv2d = function()
    return {
      {real(2, 3, 4, 5), real(2, 3, 2, 3), real(2), 1, {1, 0}},
      {real(4, 5, 4), real(4, 1, 3, 2), real(4), {stride = {2, 1}, padding = 1, groups = 4}},
      {real(1, 2, 6, 5), real(2, 2, 2, 2), {stride = {1, 3}, dilation = {2, 3}}},
      {real(2, 2, 3, 3), real(3, 2, 1, 1), real(3)},
    }
  end,
  conv2d_padding = function()
    return {{real(1, 2, 4, 5), real(2, 2, 2, 3), real(2), {padding = "same", dilation = {1, 2}}}}
  end,
  conv3d = function()
    return {
      {real(2, 2, 3, 2, 3), real(2, 2, 2, 1, 2), real(2), 1, {1, 0, 1}},
      {real(2, 3, 4, 3), real(4, 1, 2, 3, 2), real(4), {stride = {2, 1, 3}, padding = 1, groups = 2}},
      {real(1, 1, 5, 3, 4), real(2, 1, 2, 2, 2), {dilation = {3, 2, 1}}},
    }
  end,
  conv3d_padding = function()
    return {{real(1, 2, 2, 3, 3), real(2, 2, 2, 1, 3), real(2), {padding = "same", dilation = {1, 2, 1}}}}
  end,
  conv_transpose1d = function()
    return {
      {real(2, 3, 4), real(3, 2, 3), real(2)},
      {real(4, 3), real(4, 1, 2), {stride = 3, output_padding = 1, groups = 2}},
    }
  end,
  conv_transpose2d = function()
    return {
      {real(2, 2, 3, 2), real(2, 3, 2, 3), real(3), {1, 2}, 1},
      {real(4, 2, 3), real(4, 1, 2, 2), {stride = 2, output_padding = {1, 0}, groups = 2, dilation = {2, 1}}},
    }
  end,
  conv_transpose3d = function()
    return {
      {real(1, 2, 2, 2, 2), real(2, 2, 1, 2, 3), real(2), {1, 2, 1}, {0, 1, 0}},
      {real(2, 2, 1, 3), real(2, 1, 2, 2, 1), {stride = 2, output_padding = {1, 0, 1}, groups = 2}},
    }
  end,
  convolution = function()
    return {
      {real(1, 2, 4), real(3, 2, 2), real(3), 2},
      {real(2, 2, 3), real(2, 3, 2, 2), {stride = {1, 2}, transposed = true, output_padding = {0, 1}}},
    }
  end,
  conv_tbc = function() return {{real(4, 2, 3), real(2, 3, 2), real(2), 1}} end,
}
