-- Samples of the rows of src/ops/nn/pad.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  constant_pad_nd = function() return {{real(2, 3), {1, 2}, 0.5}, {real(2, 3, 2), {-1, 1, 2, -1}}} end,
  pad_edges = function()
    return {{real(1, 3, 4), {2, 1}, "reflect"}, {real(1, 3, 4), {4, 1, 0, 2}, "circular"}}
  end,
  pad = function()
    return {
      {real(2, 3), {1, 0, 0, 2}, "constant", 0.5},
      {real(1, 3, 4), {2, 1}, "reflect"},
      {real(1, 3, 4), {2, 1, -1, 2}, "replicate"},
      {real(1, 2, 3, 4), {1, 4, -1, 1}, "circular"},
    }
  end,
}
