-- Samples of the rows of src/ops/math/calculus.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive = inputs.real, inputs.positive

local function points(n)
  return positive(n):cumsum(1)
end

return {
  gradient = function() return {{real(4, 3)}, {real(4, 3), 0.5, {2}, 2}} end,
  gradient_points = function() return {{real(4, 3), {points(4), points(3)}}, {real(4), {points(4)}, {1}, 2}} end,
  gradient_steps = function() return {{real(4, 3), {0.5, 2}}, {real(4, 3), {2}, {1}, 2}} end,
  trapezoid_points = function() return {{real(2, 3), points(3)}} end,
  trapz_points = function() return {{real(2, 3), points(3)}} end,
  cumulative_trapezoid_points = function() return {{real(2, 3), points(3)}} end,
  cov = function()
    return {{real(2, 4)}, {real(2, 3), 0, nl.tensor({1, 2, 1}), positive(3)}}
  end,
  corrcoef = function() return {{real(2, 4)}} end,
  renorm = function() return {{real(2, 3), 2, 1, 0.8}} end,
}
