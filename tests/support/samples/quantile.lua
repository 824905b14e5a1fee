-- Samples of the rows of src/ops/reduce/quantile.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

local function of_one()
  return {{real(2, 3), 0.4}, {real(2, 3), 0.7, 2, true}, {real(2, 3), 0.3, 1, {interpolation = "midpoint"}}}
end
local function of_several()
  local q = nl.tensor({0.2, 0.9}, {dtype = nl.float64})
  return {{real(2, 3), q, fixed = {2}}, {real(2, 3), q, 2, true, "lower", fixed = {2}}}
end

return {
  median_dim = function() return {{real(2, 3), 2}, {real(2, 3), 1, true}} end,
  nanmedian_dim = function() return {{real(2, 3), 2}, {real(2, 3), 1, true}} end,
  kthvalue = function() return {{real(2, 3), 2}, {real(2, 3), 1, 1, true}} end,
  quantile = of_one, nanquantile = of_one, quantile_tensor = of_several, nanquantile_tensor = of_several,
}
