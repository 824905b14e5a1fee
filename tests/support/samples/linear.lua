-- Samples of the rows of src/ops/nn/linear.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  bilinear = function()
    return {{real(2, 3), real(2, 2), real(4, 3, 2), real(4)}, {real(3), real(2), real(1, 3, 2)}}
  end,
  linear_cross_entropy = function()
    return {
      {real(2, 3), real(4, 3), nl.tensor({2, 4})},
      {real(3), real(4, 3), nl.tensor(2), {linear_bias = real(4), reduction = "sum"}},
    }
  end,
}
