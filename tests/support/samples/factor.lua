-- Samples of the rows of src/ops/linalg/factor.def; see tests/support/samples.lua.
local nl = require "nnlua"
local inputs = require "support.inputs"
local real = inputs.real

--- Symmetric and positive definite: only its lower triangle is read, so no gradient of it is tried by differences
--- (linalg_solve_spec.lua does, through what makes it symmetric).
local function definite(...)
  local x = real(...)
  return x:matmul(x.mT) + nl.eye(x:size(-1), {dtype = x.dtype})
end

local function fixed(...)
  local sample = {...}
  sample.fixed = {1}
  return sample
end

--- What lu_factor gives.
local function factors(...)
  local lu, pivots = nl.linalg.lu_factor(real(...))
  return {lu, pivots}
end

return {
  linalg_cholesky = function() return {fixed(definite(2, 3, 3)), fixed(definite(2, 2), true)} end,
  linalg_cholesky_ex = function() return {fixed(definite(3, 3))} end,
  -- batches, since a matrix whose rows are one is singular
  linalg_lu_factor = function() return {{real(2, 3, 3)}, {real(2, 4, 3)}, {real(2, 2, 3)}} end,
  linalg_lu_factor_ex = function() return {{real(3, 3)}} end,
  linalg_lu = function() return {{real(3, 3)}, {real(2, 4, 3)}, {real(2, 3)}} end,
  lu = function() return {{real(2, 3, 3)}, {real(2, 3, 3), true, true}} end,
  lu_unpack = function() return {factors(3, 3), factors(2, 4, 3), factors(2, 3)} end,
  linalg_ldl_factor = function() return {{definite(2, 3, 3)}} end,
  linalg_ldl_factor_ex = function() return {{definite(3, 3)}} end,
  linalg_ldl_solve = function()
    local ld, pivots = nl.linalg.ldl_factor(definite(3, 3))
    return {{ld, pivots, real(2, 3, 2)}}
  end,
}
