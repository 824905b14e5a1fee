-- Samples of the rows of src/ops/shape/diagonal.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  tril = function() return {{real(2, 3)}, {real(2, 2, 3), 1}} end,
  triu = function() return {{real(2, 3)}, {real(2, 2, 3), -1}} end,
  diag = function() return {{real(2, 3), 1}, {real(3)}} end,
  diag_embed = function() return {{real(2, 3)}, {real(2, 3), -1, 1, 3}} end,
  diagonal_scatter = function() return {{real(2, 3), real(2), 1}} end,
  select_scatter = function() return {{real(2, 3), real(2), 2, 3}} end,
  as_strided_scatter = function() return {{real(2, 3), real(2, 2), {2, 2}, {3, 1}, strided = false}} end,
  slice_scatter = function() return {{real(2, 3), real(2, 2), 2, 2, 3}, {real(4, 2), real(2, 2), 1, 1, -1, 2}} end,
  block_diag = function() return {{{real(2, 3), real(3)}}, {{real(0, 2), real(), real(2, 1)}}} end,
  vander = function() return {{real(3)}, {real(3), 2, true}} end,
  linalg_vander = function() return {{real(2, 3)}, {real(2, 3), 2}} end,
  fill_diagonal = function() return {{real(3, 2), 0.5}, {real(5, 2), 2, true}, {real(2, 2, 2), 1}} end,
}
