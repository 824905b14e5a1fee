-- Samples of the rows of src/ops/reduce/cumulative.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

return {
  cumsum = function()
    return {{real(2, 3), 2}, {real(2, 3, 2), 1}, {real(2, 3), -1, nl.complex128, in_place = false}}
  end,
  cumprod = function() return {{real(2, 3), 2}, {real(2, 3, 2), 1}} end,
  logcumsumexp = function() return {{real(2, 3), 2}, {real(2, 3, 2), 1}} end,
}
