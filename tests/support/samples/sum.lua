-- Samples of the rows of src/ops/reduce/sum.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, mask = inputs.real, inputs.mask

return {
  sum = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), {1, 2}, true}} end,
  mean = function() return {{real(2, 3)}, {real(2, 3), 1}, {real(2, 3), {1, 2}, true}} end,
  sum_to_size = function() return {{real(2, 3), {1, 3}}, {real(2, 3), {3}}} end,
  prod_dim = function() return {{real(2, 3), 2}, {real(2, 3), 1, true}} end,
  nansum = function() return {{real(2, 3)}, {real(2, 3), 2}} end,
  nanmean = function() return {{real(2, 3)}, {real(2, 3), 2}} end,
  logsumexp = function() return {{real(2, 3), 2}, {real(2, 3), {1, 2}, true}} end,
  any = function() return {{mask()}, {mask(), 2, true}} end,
  all = function() return {{mask()}, {mask(), 2, true}} end,
}
