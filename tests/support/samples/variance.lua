-- Samples of the rows of src/ops/reduce/variance.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function over_dims() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), 1, false, true}} end

return {var = over_dims, std = over_dims, var_mean = over_dims, std_mean = over_dims}
