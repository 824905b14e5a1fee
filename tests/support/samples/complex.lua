-- Samples of the rows of src/ops/math/complex.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

local function complex() return nl.complex(real(2, 3), real(2, 3)) end

return {
  complex_of = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), 1.5}, {real(3), real(2, 1)}} end,
  view_as_real = function() return {{nl.complex(real(2, 3), real(2, 3)), complex = true}} end,
  real = function() return {{real(2, 3)}} end,
  imag = function() return {{complex(), complex = true}} end,
  angle = function() return {{real(2, 3)}} end,
  polar = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(3)}} end,
  view_as_complex = function() return {{real(3, 2), strided = false}} end,
}
