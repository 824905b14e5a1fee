-- Samples of the rows of src/ops/math/bitwise.def; see tests/support/samples.lua.
local nl = require "nnlua"

local function pair() return {{nl.tensor {{5, -6, 7}, {12, 0, 3}}, nl.tensor {{3, 2, 1}, {1, 5, 4}}}} end

return {
  bitwise_and = pair, bitwise_or = pair, bitwise_xor = pair, bitwise_left_shift = pair, bitwise_right_shift = pair,
  bitwise_not = function() return {{nl.tensor {{5, -6, 7}}}, {nl.tensor {true, false}}} end,
  gcd = pair, lcm = pair,
}
