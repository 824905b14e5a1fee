-- Samples of the rows of src/ops/index/sort.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  sort = function() return {{real(2, 3)}, {real(3, 2), 1, true}} end,
  topk = function() return {{real(2, 4), 2}, {real(4, 2), 3, 1, false}} end,
}
