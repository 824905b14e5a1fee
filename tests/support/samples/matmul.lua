-- Samples of the rows of src/ops/linalg/matmul.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  mm = function() return {{real(2, 3), real(3, 4)}} end,
  bmm = function() return {{real(2, 3, 2), real(2, 2, 3)}} end,
  mv = function() return {{real(2, 3), real(3)}} end,
  dot = function() return {{real(3), real(3)}} end,
  matmul = function()
    return {
      {real(2, 3), real(3, 2)}, {real(3), real(3)}, {real(2, 3), real(3)}, {real(2), real(2, 3)},
      {real(2, 2, 3), real(3, 2)}, {real(2, 1, 2, 3), real(2, 3, 1)},
    }
  end,
  addmm = function()
    return {{real(2, 2), real(2, 3), real(3, 2)}, {real(2), real(2, 3), real(3, 2), 0.5, 2.5}}
  end,
  baddbmm = function()
    return {{real(2, 2, 2), real(2, 2, 3), real(2, 3, 2)}, {real(2, 2, 2), real(2, 2, 1), real(2, 1, 2), 2, 3}}
  end,
  addbmm = function() return {{real(2, 2), real(2, 2, 3), real(2, 3, 2), 2, 3}} end,
  linear = function()
    return {{real(2, 3), real(4, 3), real(4)}, {real(2, 2, 3), real(4, 3)}, {real(3), real(2, 3), real(2)}}
  end,
}
