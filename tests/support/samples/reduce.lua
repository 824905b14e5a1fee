-- Samples of the rows of src/ops/reduce.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, mask = inputs.real, inputs.mask

return {
  sum = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), {1, 2}, true}} end,
  cumsum = function() return {{real(2, 3), 2}, {real(2, 3, 2), 1}, {real(2, 3), -1, nl.complex128, in_place = false}} end,
  mean = function() return {{real(2, 3)}, {real(2, 3), 1}, {real(2, 3), {1, 2}, true}} end,
  norm = function() return {{real(2, 3)}, {real(2, 3), 3, 2}, {real(2, 3), 1}, {real(2, 3), math.huge, 1}} end,
  norm_named = function() return {{real(2, 3), "fro"}} end,
  var = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), 1, false, true}} end,
  std = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), 1, false, true}} end,
  any = function() return {{mask()}, {mask(), 2, true}} end,
  all = function() return {{mask()}, {mask(), 2, true}} end,
}
