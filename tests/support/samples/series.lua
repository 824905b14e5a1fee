-- Samples of the rows of src/ops/shape/series.def; see tests/support/samples.lua.
local inputs = require "support.inputs"

return {
  logspace = function() return {{0, 2, 5}} end,
  range = function() return {{1, 3, 0.5}} end,
  new_empty_strided = function() return {{inputs.real(2), {2, 3}, {1, 2}, values = false}} end,
  empty_permuted = function() return {{{2, 3}, {2, 1}, values = false}} end,
  empty_strided = function() return {{{2, 3}, {1, 2}, values = false}} end,
}
