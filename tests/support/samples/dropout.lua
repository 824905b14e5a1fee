-- Samples of the rows of src/ops/random/dropout.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function of_sequences() return {{real(2, 3, 2)}, {real(2, 3), 0.3}} end

-- It draws as its input lies in memory.
local function in_order_of_memory() return {{real(2, 3), 0.3, true, strided = false}} end

return {
  dropout1d = of_sequences,
  dropout3d = function() return {{real(1, 2, 1, 3, 1)}} end,
  alpha_dropout = in_order_of_memory,
  functional_alpha_dropout = in_order_of_memory,
  functional_feature_alpha_dropout = function() return {{real(2, 3), 0.3, true}} end,
  native_dropout = function() return {{real(2, 3), 0.3, true, strided = false}, {real(2, 3), 0.3, false}} end,
}
