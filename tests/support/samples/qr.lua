-- Samples of the rows of src/ops/linalg/qr.def; see tests/support/samples.lua.
local nl = require "nnlua"
local inputs = require "support.inputs"
local real = inputs.real

--- The factors of a matrix, whose Q is orthonormal.
local function factors(...)
  local a, tau = nl.geqrf(real(...))
  return a, tau
end

local function reflections(...)
  local a, tau = factors(...)
  return {a, tau}
end

local function reflected(other, left, transpose)
  local a, tau = factors(2, 3, 2)
  return {a, tau, other, left, transpose}
end

return {
  -- batches, since a matrix whose rows are one has no derivative
  linalg_qr = function() return {{real(2, 3, 3)}, {real(2, 4, 2)}, {real(2, 2, 3)}, {real(2, 2, 3), "complete"}} end,
  qr = function() return {{real(2, 3, 2)}} end,
  geqrf = function() return {{real(3, 2)}, {real(2, 2, 3)}} end,
  householder_product = function() return {reflections(2, 3, 2), reflections(2, 3, 3)} end,
  orgqr = function() return {reflections(2, 3, 2)} end,
  ormqr = function()
    return {
      reflected(real(2, 3, 4), true, false), reflected(real(2, 3, 1), true, true),
      reflected(real(2, 2, 3), false, true),
    }
  end,
}
