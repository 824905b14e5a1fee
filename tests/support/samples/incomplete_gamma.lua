-- Samples of the rows of src/ops/math/incomplete_gamma.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local positive = inputs.positive

local function of_other() return {{positive(2, 3), positive(3), fixed = {1}}} end

return {igamma = of_other, igammac = of_other}
