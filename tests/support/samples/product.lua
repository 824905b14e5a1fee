-- Samples of the rows of src/ops/linalg/product.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function square() return real(2, 3, 3) end

return {
  addmv = function() return {{real(2), real(2, 3), real(3)}} end,
  addr = function() return {{real(2, 3), real(2), real(3)}, {real(2, 3), real(2), real(3), 2, 3}} end,
  outer = function() return {{real(2), real(3)}} end,
  ger = function() return {{real(2), real(3)}} end,
  inner = function() return {{real(2, 3), real(4, 3)}, {real(3), real(3)}} end,
  vdot = function() return {{real(3), real(3)}} end,
  linalg_matmul = function() return {{real(2, 3), real(3, 2)}} end,
  tensordot = function() return {{real(2, 3, 2), real(3, 2, 4)}} end,
  tensordot_pairs = function()
    return {{real(2, 3), real(3, 2), {{1, 2}, {2, 1}}}, {real(2, 3), real(4, 3), {{2}, {2}}}}
  end,
  kron = function() return {{real(2, 3), real(2)}} end,
  chain_matmul = function() return {{{real(2, 3), real(3, 4), real(4, 1)}}} end,
  linalg_multi_dot = function() return {{{real(3), real(3, 4), real(4, 2)}}} end,
  matrix_power = function() return {{square(), 3}, {square(), 0}} end,
  linalg_matrix_power = function() return {{square(), 2}} end,
  cross = function() return {{real(2, 3), real(2, 3)}} end,
  linalg_cross = function() return {{real(2, 3), real(2, 3)}} end,
  einsum = function() return {{"ij,jk->ik", {real(2, 3), real(3, 2)}}, {"bii,bj->ij", {real(2, 3, 3), real(2, 2)}}} end,
}
