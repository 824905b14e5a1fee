-- Samples of the rows of src/ops/linalg/distance.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  cdist = function()
    return {
      {real(2, 3), real(4, 3)}, {real(2, 3), real(4, 3), 2, "use_mm_for_euclid_dist"}, {real(2, 3), real(4, 3), 1},
    }
  end,
  pdist = function() return {{real(4, 3)}, {real(3, 2), 1.5}} end,
}
