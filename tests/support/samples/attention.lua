-- Samples of the rows of src/ops/nn/attention.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  scaled_dot_product_attention = function()
    return {
      {real(3, 4), real(5, 4), real(5, 2)},
      {real(2, 2, 3, 4), real(2, 1, 5, 4), real(2, 5, 2), {scale = 0.7}},
      {real(2, 4, 3), real(2, 4, 3), real(2, 4, 3), {is_causal = true}},
      {real(2, 3, 4), real(5, 4), real(5, 2), real(3, 5)},
      {real(2, 3), real(3, 3), real(3, 3), nl.tensor {{true, false, true}, {false, true, true}}},
      {real(4, 3, 2), real(2, 3, 2), real(2, 3, 2), {enable_gqa = true}},
    }
  end,
}
