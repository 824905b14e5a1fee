-- Samples of the rows of src/ops/index/scatter_reduce.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real, positions = inputs.real, inputs.positions

local function reduce(name, include_self)
  return {real(2, 3), 1, positions({2, 3}, 1, 2, 1, 2, 2, 1), real(2, 3), name, include_self}
end

return {
  scatter_reduce = function()
    return {reduce("sum", true), reduce("prod", true), reduce("prod", false), reduce("mean", true),
            reduce("mean", false), reduce("amax", true), reduce("amin", false)}
  end,
  index_reduce = function()
    return {{real(3, 3), 1, positions({2}, 3, 1), real(2, 3), "prod"},
            {real(3, 3), 2, positions({2}, 1, 1), real(3, 2), "amin", false}}
  end,
  put = function()
    return {{real(2, 3), positions({2}, 6, 2), real(2)}, {real(2, 3), positions({2}, 1, 1), real(2), true}}
  end,
  take_along_dim = function()
    return {{real(2, 3), positions({1, 2}, 2, 1), 2}, {real(2, 3), positions({2}, 6, 1)}}
  end,
}
