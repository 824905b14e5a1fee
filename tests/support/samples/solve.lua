-- Samples of the rows of src/ops/linalg/solve.def; see tests/support/samples.lua.
local nl = require "nnlua"
local inputs = require "support.inputs"
local real = inputs.real

--- Triangles with a diagonal away from 0, and the rest of the matrix.
local function triangle(...)
  local x = real(...)
  return x + 2 * nl.eye(x:size(-1), {dtype = x.dtype})
end

local function by_factors(b, ...)
  local lu, pivots = nl.linalg.lu_factor(real(...))
  return {lu, pivots, b}
end

return {
  linalg_solve = function()
    return {
      -- batches, since a matrix whose rows are one is singular
      {real(2, 3, 3), real(3, 2)}, {real(1, 3, 3), real(2, 3, 1)}, {real(2, 3, 3), real(2, 3)},
      {real(2, 3, 3), real(4, 3), false}, {real(2, 3, 3), real(3)},
    }
  end,
  linalg_solve_ex = function() return {{real(3, 3), real(3, 2)}} end,
  linalg_inv = function() return {{real(2, 3, 3)}, {real(1, 1)}} end,
  linalg_inv_ex = function() return {{real(3, 3)}} end,
  inverse = function() return {{real(2, 3, 3)}} end,
  det = function() return {{real(2, 3, 3)}, {real(1, 1)}} end,
  slogdet = function() return {{real(2, 3, 3)}, {real(1, 1)}} end,
  logdet = function() return {{triangle(2, 3, 3):tril()}} end,
  linalg_solve_triangular = function()
    return {
      {triangle(3, 3), real(3, 2), true}, {triangle(2, 3, 3), real(3, 2), false, true, true},
      {triangle(3, 3), real(2, 2, 3), true, false}, {triangle(3, 3), real(2, 3), false, false, true},
    }
  end,
  triangular_solve = function()
    return {{real(3, 2), triangle(3, 3)}, {real(3, 2), triangle(2, 3, 3), false, true, true}}
  end,
  linalg_lu_solve = function()
    local right, adjoint = by_factors(real(2, 3), 3, 3), by_factors(real(3, 2), 2, 3, 3)
    right[4], right[5] = false, false
    adjoint[4], adjoint[5] = true, true
    return {by_factors(real(3, 2), 3, 3), right, adjoint}
  end,
  lu_solve = function()
    local f = by_factors(real(3, 2), 3, 3)
    return {{f[3], f[1], f[2]}}
  end,
  -- the gradient of a factor is PyTorch's, of all of its matrix, though only a triangle is read
  cholesky_solve = function()
    return {
      {real(3, 2), triangle(3, 3):tril(), fixed = {2}}, {real(2, 3, 2), triangle(3, 3):triu(), true, fixed = {2}},
    }
  end,
  cholesky_inverse = function() return {{triangle(2, 3, 3):tril(), fixed = {1}}} end,
}
