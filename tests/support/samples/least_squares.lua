-- Samples of the rows of src/ops/linalg/least_squares.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  -- batches, since the derivative of a matrix whose rank changes is none
  linalg_lstsq = function()
    return {
      {real(2, 4, 2), real(4, 3)}, {real(2, 4, 2), real(2, 4), -1, "gels"},
      {real(2, 4, 2), real(2, 4, 1), 1e-9, "gelsd"}, {real(2, 2, 3), real(2, 2, 2), 1e-9, "gelss"},
    }
  end,
  linalg_pinv = function() return {{real(2, 4, 2)}, {real(2, 2, 3), 1e-3, 1e-6}} end,
  linalg_pinv_rcond = function() return {{real(2, 4, 2), 1e-6}} end,
  pinverse = function() return {{real(2, 4, 2)}} end,
  linalg_matrix_rank = function() return {{real(2, 4, 2)}, {real(2, 3, 2), 1e-3, 1e-6}} end,
  linalg_matrix_rank_above = function() return {{real(2, 4, 2), 1e-3, false}} end,
}
