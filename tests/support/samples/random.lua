-- Samples of the rows of src/ops/random/random.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  randint_low = function() return {{0, 5, {2, 3}}} end,
  randint_like_low = function() return {{real(2, 3), 0, 5}} end,
  bernoulli = function() return {{positive(2, 3)}} end,
  bernoulli_fill_tensor = function() return {{real(2, 3), positive(2, 3)}} end,
  random_from = function() return {{real(2, 3), 0, 5}} end,
  multinomial = function() return {{positive(3, 5), 2, values = false}, {positive(5), 9, true, values = false}} end,
  dropout = function() return {{real(2, 3), 0.5, true, values = false}} end,
  functional_dropout = function() return {{real(2, 3), values = false}} end,
}
