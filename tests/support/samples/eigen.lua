-- Samples of the rows of src/ops/linalg/eigen.def; see tests/support/samples.lua.
local nl = require "nnlua"
local inputs = require "support.inputs"
local real = inputs.real

--- Symmetric, which differences of single elements don't leave so: no gradient is tried by them (linalg_eigen_spec.lua
--- does, through what makes it symmetric).
local function symmetric(...)
  local x = real(...)
  return {x:matmul(x.mT) + nl.eye(x:size(-1), {dtype = x.dtype}), fixed = {1}}
end

return {
  linalg_eigh = function() return {symmetric(2, 3, 3)} end,
  linalg_eigvalsh = function() return {symmetric(2, 3, 3)} end,
  -- vectors are a choice of many, another one in each dtype
  linalg_eig = function() return {{real(2, 3, 3), fixed = {1}, values = false}} end,
  linalg_eigvals = function() return {{real(2, 3, 3)}} end,
  linalg_matrix_sqrth = function() return {symmetric(2, 3, 3)} end,
  linalg_polar = function() return {{real(2, 3, 3)}, {real(2, 4, 2)}} end,
}
