-- Samples of the rows of src/ops/random/random.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  randint_low = function() return {{0, 5, {2, 3}}} end,
  randint_like_low = function() return {{real(2, 3), 0, 5}} end,
  -- of the stream that a seed gives the result is a function of mean and std: PyTorch gives both a gradient of 0
  normal_tensors = function() return {{real(2, 3), positive(3), values = false, fixed = {1, 2}}} end,
  normal_means = function() return {{real(2, 3), values = false, fixed = {1}}} end,
  normal_stds = function() return {{0.5, positive(2, 3), values = false, fixed = {2}}} end,
  normal_of_size = function() return {{0.5, 2, {2, 3}, values = false}} end,
  geometric = function() return {{real(2, 3), 0.5}} end,
  bernoulli = function() return {{positive(2, 3)}} end,
  bernoulli_fill_tensor = function() return {{real(2, 3), positive(2, 3)}} end,
  random_from = function() return {{real(2, 3), 0, 5}} end,
  multinomial = function() return {{positive(3, 5), 2, values = false}, {positive(5), 9, true, values = false}} end,
  dropout = function() return {{real(2, 3), 0.5, true, values = false}} end,
  functional_dropout = function() return {{real(2, 3), values = false}} end,
}
