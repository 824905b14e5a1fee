-- Samples of the rows of src/ops/shape/factory.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  empty = function() return {{{2, 3}, values = false}} end,
  empty_like = function() return {{real(2, 3), values = false}} end,
  new_empty = function() return {{real(2, 3), {3, 2}, values = false}} end,
  arange = function() return {{5}, {2.5}} end,
  arange_start = function() return {{1, 6, 2}, {3, 0.5, -0.5}} end,
  linspace = function() return {{0, 1, 5}} end,
}
