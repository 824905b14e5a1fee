-- Samples of the rows of src/ops/nn/batch_layer_norm.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positive = inputs.real, inputs.positive

return {
  batch_norm = function()
    return {
      {real(3, 2), {training = true}},
      {real(2, 3, 2), real(3), positive(3), real(3), real(3), fixed = {2, 3}},
      {real(2, 3, 2), {training = true}},
    }
  end,
  instance_norm = function() return {{real(2, 3, 4)}, {real(2, 3, 2, 2)}} end,
  group_norm = function() return {{real(2, 4, 3), 2, real(4), real(4)}, {real(2, 4), 1}} end,
  native_layer_norm = function() return {{real(2, 3), {3}, real(3), real(3), 1e-5}} end,
  native_group_norm = function() return {{real(2, 4, 3), real(4), real(4), 2, 4, 3, 2, 1e-5}} end,
  native_batch_norm = function()
    return {
      {real(3, 2), real(2), real(2), nil, nil, true, 0.1, 1e-5, n = 8},
      {real(2, 3, 2), real(3), real(3), real(3), positive(3), false, 0.1, 1e-5, fixed = {4, 5}},
    }
  end,
  layer_norm = function() return {{real(2, 3), {3}, real(3), real(3)}, {real(2, 2, 3), {2, 3}}} end,
  rms_norm = function() return {{real(2, 3), {3}, real(3)}, {real(2, 2, 3), {2, 3}}} end,
}
