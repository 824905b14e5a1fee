-- Samples of the rows of src/ops/index/segment.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

-- Lengths and offsets that lie otherwise are others.
return {
  segment_reduce = function()
    local lengths, offsets = nl.tensor({2, 0, 3}), nl.tensor({1, 3, 6})
    return {
      {real(5, 2), "sum", lengths, strided = false},
      {real(5, 2), "mean", {lengths = lengths, initial = 1}, strided = false},
      {real(5, 2), "max", {offsets = offsets}, strided = false},
      {real(5, 2), "min", {lengths = lengths, initial = 0.1}, strided = false},
      {inputs.positive(2, 3), "prod", {lengths = nl.tensor({{1, 2}, {3, 0}}), axis = 2}, strided = false},
    }
  end,
}
