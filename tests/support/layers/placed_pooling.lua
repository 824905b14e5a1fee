-- Samples of the layers of lua/nnlua/nn/placed_pooling.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

local samples = nl.tensor({{{0.743, 0.363, 0.228}, {0.559, 0.18, 0.9}}}, {dtype = nl.float64})

return {
  FractionalMaxPool2d = function()
    return {
      {2, {output_ratio = {0.5, 0.6}, return_indices = true, _random_samples = samples:narrow(3, 1, 2)},
        inputs = {real(1, 2, 7, 7)}, text = "FractionalMaxPool2d()"},
      {2, {output_size = 3, _random_samples = samples:narrow(3, 1, 2)}, inputs = {real(1, 2, 6, 7)},
        text = "FractionalMaxPool2d()"},
    }
  end,
  FractionalMaxPool3d = function()
    return {{2, {output_size = {2, 3, 2}, _random_samples = samples}, inputs = {real(1, 2, 5, 6, 5)},
      text = "FractionalMaxPool3d()"}}
  end,
  MaxUnpool1d = function()
    return {{2, inputs = {real(1, 1, 2), nl.tensor({{{2, 3}}})},
      text = "MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))"}}
  end,
  MaxUnpool2d = function()
    return {{2, inputs = {real(1, 1, 1, 2), nl.tensor({{{{2, 7}}}})},
      text = "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"}}
  end,
  MaxUnpool3d = function()
    return {{2, inputs = {real(1, 1, 1, 1, 2), nl.tensor({{{{{2, 7}}}}})},
      text = "MaxUnpool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 0, 0))"}}
  end,
}
