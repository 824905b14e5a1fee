-- Samples of the layers of lua/nnlua/nn/linear.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  Identity = function() return {{54, text = "Identity()"}} end,
  LazyLinear = function() return {{4, text = "LazyLinear(in_features=0, out_features=4, bias=True)"}} end,
  Linear = function()
    return {
      {3, 4, text = "Linear(in_features=3, out_features=4, bias=True)"},
      {3, 2, {bias = false}, text = "Linear(in_features=3, out_features=2, bias=False)"},
    }
  end,
  Bilinear = function()
    return {
      {3, 4, 2, inputs = {real(5, 3), real(5, 4)},
        text = "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)"},
      {3, 4, 2, {bias = false}, inputs = {real(2, 3), real(2, 4)},
        text = "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=False)"},
    }
  end,
}
