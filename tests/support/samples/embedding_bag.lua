-- Samples of the rows of src/ops/nn/embedding_bag.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  embedding_bag = function()
    return {
      {nl.tensor({1, 3, 2, 2}), real(3, 2), nl.tensor({1, 3})},
      {nl.tensor({{1, 3}, {2, 2}}), real(3, 2), {mode = "sum", per_sample_weights = real(2, 2)}},
      {nl.tensor({1, 3, 2, 2}), real(3, 2), {offsets = nl.tensor({1, 1, 4}), mode = "max"}},
    }
  end,
}
