-- Samples of the rows of src/ops/shape/cat_split.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  split_with_sizes = function() return {{real(2, 3), {1, 2}, 2}} end,
  split_sizes = function() return {{real(2, 3), {1, 2}, 2}} end,
  cat = function() return {{{real(2, 3), real(1, 3)}}, {{real(2, 3), real(2, 2)}, 2}} end,
}
