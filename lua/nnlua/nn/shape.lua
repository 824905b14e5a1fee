-- Layers that change shapes: Flatten, Unflatten, and those that bring images to another size.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"

local shape = {}

local F = nl.F
local raise = core.raise

--- Makes one dimension of several: `nn.Flatten(start_dim = 2, end_dim = -1)`.
--- Shapes: input (*), result with the dimensions from start_dim to end_dim as one
---     > nn.Flatten()(nl.ones(32, 1, 5, 5)).shape
---     [32, 25]
---@class Flatten: Module
local Flatten = core.class("nn.Flatten", Module)

local parse_flatten = args.parser("nn.Flatten", {{"start_dim", "integer", 2}, {"end_dim", "integer", -1}})

function Flatten:init(...)
  self.start_dim, self.end_dim = parse_flatten(...)
end

function Flatten:forward(x)
  return nl.flatten(x, self.start_dim, self.end_dim)
end

function Flatten:extra_repr()
  return ("start_dim=%d, end_dim=%d"):format(self.start_dim, self.end_dim)
end

shape.Flatten = Flatten

--- Makes several dimensions of one: `nn.Unflatten(dim, unflattened_size)`, of which one may be -1.
--- Shapes: input (*), result with dim as several of the sizes
---     > nn.Unflatten(2, {2, 5})(nl.randn(3, 10)).shape
---     [3, 2, 5]
---@class Unflatten: Module
local Unflatten = core.class("nn.Unflatten", Module)

local parse_unflatten = args.parser("nn.Unflatten", {{"dim", "integer"}, {"unflattened_size", "any"}})

function Unflatten:init(...)
  local dim, sizes = parse_unflatten(...)
  if type(sizes) ~= "table" or sizes == core.none then
    raise(("nn.Unflatten: unflattened_size must be a list of integers, not %s"):format(core.describe(sizes)))
  end
  self.dim, self.unflattened_size = dim, settings.list("nn.Unflatten", "unflattened_size", sizes, #sizes, -1)
end

function Unflatten:forward(x)
  return nl.unflatten(x, self.dim, self.unflattened_size)
end

function Unflatten:extra_repr()
  return ("dim=%d, unflattened_size=%s"):format(self.dim, settings.text(self.unflattened_size))
end

shape.Unflatten = Unflatten

-- ---------------------------------------------------------------- resampling

local function floats(value)
  if type(value) == "number" then return value + 0.0 end
  local list = {}
  for i, item in ipairs(value) do list[i] = item + 0.0 end
  return list
end

--- Brings an input [N, C, ...] to a size, or enlarges it by a factor: `nn.Upsample({size, scale_factor,
--- mode = "nearest", align_corners = false, recompute_scale_factor = false})`; modes are those of nl.F.interpolate.
--- Shapes: input (N, C, L), (N, C, H, W), result with the last dimensions of size, or times scale_factor
---     > nn.Upsample({scale_factor = 2})(nl.tensor({{{1.0, 2.0}}}))
---     tensor([[[1., 1., 2., 2.]]])
---@class Upsample: Module
local Upsample = core.class("nn.Upsample", Module)

local function check_factor(name, value)
  local list = type(value) == "table" and value or {value}
  for _, item in ipairs(list) do
    if type(item) ~= "number" then
      raise(("%s: scale_factor must be a number or a list of numbers, not %s"):format(name, core.describe(item)))
    end
  end
  return floats(value)
end

function Upsample:_setup(name, size, factor, mode, align_corners, recompute)
  self.size, self.mode, self.align_corners, self.recompute_scale_factor = size, mode, align_corners, recompute
  self.scale_factor = factor ~= nil and check_factor(name, factor) or nil
end

local parse_upsample = args.parser("nn.Upsample", {
  {"size", "any?"}, {"scale_factor", "any?"}, {"mode", "string", "nearest"}, {"align_corners", "boolean?"},
  {"recompute_scale_factor", "boolean?"},
})

function Upsample:init(...)
  self:_setup("nn.Upsample", parse_upsample(...))
end

function Upsample:forward(x)
  return F.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)
end

function Upsample:extra_repr()
  local what = self.scale_factor and "scale_factor" or "size"
  return ("%s=%s, mode='%s'"):format(what, settings.text(self[what]), self.mode)
end

shape.Upsample = Upsample

local function upsampling_class(short, mode, align_corners)
  local name = "nn." .. short
  local class, parse = core.class(name, Upsample), args.parser(name, {{"size", "any?"}, {"scale_factor", "any?"}})

  function class:init(...)
    local size, factor = parse(...)
    self:_setup(name, size, factor, mode, align_corners)
  end

  shape[short] = class
end

--- Upsample of images with mode "nearest": `nn.UpsamplingNearest2d({size, scale_factor})`.
--- Shapes: input (N, C, H, W), result with the last two of size, or times scale_factor
---     > nn.UpsamplingNearest2d({scale_factor = 2})(nl.ones(1, 1, 2, 3)).shape
---     [1, 1, 4, 6]
---@class UpsamplingNearest2d: Upsample
upsampling_class("UpsamplingNearest2d", "nearest")

--- Upsample of images with mode "bilinear" and align_corners: `nn.UpsamplingBilinear2d({size, scale_factor})`.
--- Shapes: input (N, C, H, W), result with the last two of size, or times scale_factor
---     > nn.UpsamplingBilinear2d({scale_factor = 2})(nl.ones(1, 1, 2, 3)).shape
---     [1, 1, 4, 6]
---@class UpsamplingBilinear2d: Upsample
upsampling_class("UpsamplingBilinear2d", "bilinear", true)

return shape
