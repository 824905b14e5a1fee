-- Samples of the rows of src/ops/index/search.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positions = inputs.real, inputs.positions

local function sorted(...)
  return nl.sort(real(...))
end

return {
  unravel_index = function() return {{positions({2, 2}, 1, 6, 3, 2), {2, 3}}} end,
  searchsorted = function() return {{(sorted(2, 3)), real(2, 4)}, {(sorted(3)), 0.5}} end,
  bucketize = function() return {{real(2, 3), (sorted(3))}} end,
  unique = function()
    return {{positions({2, 3}, 1, 2, 1, 3, 2, 2), true, true, true}, {real(2, 3), true, true, true, 1}}
  end,
  unique_consecutive = function() return {{positions({4}, 1, 1, 3, 1), true, true}, {real(2, 3), true, true, 2}} end,
  isin = function() return {{real(2, 3), real(2, 3)}} end,
}
