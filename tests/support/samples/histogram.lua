-- Samples of the rows of src/ops/index/histogram.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positions = inputs.real, inputs.positions

return {
  bincount = function() return {{positions({4}, 2, 1, 2, 4)}, {positions({3}, 1, 3, 3), real(3), 5}} end,
  histogram_edges = function() return {{real(2, 3), (nl.sort(real(4)))}} end,
  histogram = function() return {{real(2, 3), 3}, {real(2, 3), 2, {-1, 2}, inputs.positive(2, 3), true}} end,
  histc = function() return {{real(2, 3), 4}, {real(2, 3), 3, -1, 1}} end,
}
