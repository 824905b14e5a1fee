-- Samples of the rows of src/ops/math/fake_quantize.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

-- All elements are beyond the grid, where the gradient is a derivative.
return {
  fake_quantize = function() return {{real(2, 3), 0.01, 0, -2, 3}} end,
  fake_quantize_channels = function()
    local scale, zero = nl.tensor({0.01, 0.02, 0.03}), nl.tensor({0, 1, 2}, {dtype = nl.int32})
    return {{real(2, 3), scale, zero, 2, -2, 3, fixed = {2}, strided = false}}
  end,
}
