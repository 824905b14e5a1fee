-- Samples of the rows of src/ops/random/draws.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local positive = inputs.positive

-- The gradients of draws have none of their own, and are approximations: distributions/draws_spec.lua looks at them.
return {
  poisson = function() return {{positive(2, 3), values = false, fixed = {1}}} end,
  binomial = function() return {{positive(2, 3):floor(), positive(2, 3), values = false, fixed = {1, 2}}} end,
  standard_gamma = function() return {{positive(2, 3), values = false, fixed = {1}}} end,
  sample_dirichlet = function() return {{positive(2, 3), values = false, fixed = {1}}} end,
}
