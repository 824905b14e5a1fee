-- Samples of the rows of src/ops/nn/grid.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

--- A grid within the image and somewhat beyond, its places apart from those of elements, where derivatives jump.
local function places(...)
  return nl.linspace(-1.13, 0.97, nl.zeros(...):numel(), {dtype = nl.float64}):reshape(...)
end

local function sampler(...)
  local modes = {...}
  return function()
    return {{real(1, 2, 3, 4), places(1, 2, 3, 2), table.unpack(modes)}}
  end
end

return {
  affine_grid = function()
    return {{real(2, 2, 3), {2, 1, 2, 3}}, {real(1, 3, 4), {1, 1, 2, 1, 3}, {align_corners = true}}}
  end,
  affine_grid_generator = function() return {{real(1, 2, 3), {1, 1, 2, 3}, true}} end,
  grid_sample = function()
    local list = {{real(1, 1, 2, 3, 2), places(1, 2, 1, 2, 3)}}
    for _, mode in ipairs {"bilinear", "nearest", "bicubic"} do
      for _, outside in ipairs {"zeros", "border", "reflection"} do
        list[#list + 1] = {real(1, 2, 3, 4), places(1, 2, 3, 2), mode, outside, mode == "bilinear"}
      end
    end
    return list
  end,
  grid_sampler = sampler(0, 0, false),
  grid_sampler_2d = sampler(2, 1, true),
  grid_sampler_3d = function() return {{real(1, 1, 2, 3, 2), places(1, 2, 1, 2, 3), 0, 2, false}} end,
}
