-- Samples of the rows of src/ops/shape/view.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positions = inputs.real, inputs.positions

return {
  view = function() return {{real(2, 3), {3, -1}, strided = false}} end,
  view_dtype = function() return {{real(2, 3), nl.float32, strided = false, values = false}} end,
  narrow_tensor = function() return {{real(2, 3), 2, positions({}, 2), 2}} end,
  unflatten = function() return {{real(2, 6), 2, {3, 2}}} end,
  transpose = function() return {{real(2, 3), 1, 2}} end,
  swapaxes = function() return {{real(2, 3), 1, 2}} end,
  swapdims = function() return {{real(2, 3), 1, 2}} end,
  permute = function() return {{real(2, 3, 2), {3, 1, 2}}} end,
  expand = function() return {{real(2, 1), {2, 3}}, {real(3), {2, -1}}} end,
  expand_as = function() return {{real(2, 1), real(2, 3)}} end,
  broadcast_to = function() return {{real(2, 1), {2, 2, 3}}} end,
  squeeze = function() return {{real(2, 1, 3)}} end,
  squeeze_dims = function() return {{real(1, 2, 1), {1, 3}}} end,
  as_strided = function() return {{real(2, 3), {2, 2}, {1, 2}, 1, strided = false}} end,
}
