-- Patches of images as columns and back, channels as places, and norms over neighbouring channels.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local patches = {}

local F = nl.F

-- --------------------------------------------------------------------- columns

local windows = {{"kernel_size", "any"}, {"dilation", "any", 1}, {"padding", "any", 0}, {"stride", "any", 1}}

local function set_windows(self, name, kernel_size, dilation, padding, stride)
  settings.list(name, "kernel_size", kernel_size, 2, 1)
  settings.list(name, "dilation", dilation, 2, 1)
  settings.list(name, "padding", padding, 2)
  settings.list(name, "stride", stride, 2, 1)
  self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride
end

local function windows_text(self)
  local text = settings.text
  return ("kernel_size=%s, dilation=%s, padding=%s, stride=%s"):format(text(self.kernel_size), text(self.dilation),
    text(self.padding), text(self.stride))
end

--- The windows of images as columns. `nn.Unfold(kernel_size, {dilation = 1, padding = 0, stride = 1})`.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C * kernel height * kernel width, number of windows)
---     > nn.Unfold({2, 3})(nl.randn(2, 5, 3, 4)).shape
---     [2, 30, 4]
---@class Unfold: Module
local Unfold = core.class("nn.Unfold", Module)

local parse_unfold = args.parser("nn.Unfold", windows)

function Unfold:init(...)
  set_windows(self, "nn.Unfold", parse_unfold(...))
end

function Unfold:forward(x)
  return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
end

Unfold.extra_repr = windows_text
patches.Unfold = Unfold

--- Columns put back as windows of images; where these overlap, elements are added. `nn.Fold(output_size, kernel_size,
--- {dilation = 1, padding = 0, stride = 1})`.
--- Shapes: input (N, C * kernel height * kernel width, number of windows), result (N, C, output_size)
---     > nn.Fold({4, 5}, {2, 2})(nl.randn(1, 12, 12)).shape
---     [1, 3, 4, 5]
---@class Fold: Module
local Fold = core.class("nn.Fold", Module)

local parse_fold = args.parser("nn.Fold", table.move(windows, 1, 4, 2, {{"output_size", "any"}}))

function Fold:init(...)
  local output_size, kernel_size, dilation, padding, stride = parse_fold(...)
  settings.list("nn.Fold", "output_size", output_size, 2, 1)
  self.output_size = output_size
  set_windows(self, "nn.Fold", kernel_size, dilation, padding, stride)
end

function Fold:forward(x)
  return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
end

function Fold:extra_repr()
  return ("output_size=%s, %s"):format(settings.text(self.output_size), windows_text(self))
end

patches.Fold = Fold

-- -------------------------------------------------------------------- channels

local function factor_class(short, setting, f)
  local name = "nn." .. short
  local class = core.class(name, Module)
  local parse = args.parser(name, {{setting, "integer"}})

  function class:init(...)
    self[setting] = settings.list(name, setting, parse(...), 1, 1)[1]
  end

  function class:forward(x)
    return f(x, self[setting])
  end

  function class:extra_repr()
    return ("%s=%s"):format(setting, repr.value(self[setting]))
  end

  patches[short] = class
end

--- Groups of upscale_factor^2 channels spread over as many places. `nn.PixelShuffle(upscale_factor)`.
--- Shapes: input (*, C r^2, H, W), result (*, C, H r, W r)
---     > nn.PixelShuffle(3)(nl.randn(1, 9, 4, 4)).shape
---     [1, 1, 12, 12]
---@class PixelShuffle: Module
factor_class("PixelShuffle", "upscale_factor", F.pixel_shuffle)

--- Places gathered into downscale_factor^2 times as many channels. `nn.PixelUnshuffle(downscale_factor)`.
--- Shapes: input (*, C, H r, W r), result (*, C r^2, H, W)
---     > nn.PixelUnshuffle(3)(nl.randn(1, 1, 12, 12)).shape
---     [1, 9, 4, 4]
---@class PixelUnshuffle: Module
factor_class("PixelUnshuffle", "downscale_factor", F.pixel_unshuffle)

--- The channels of groups interleaved. `nn.ChannelShuffle(groups)`.
--- Shapes: input (N, C, *), result the same
---     > nn.ChannelShuffle(2)(nl.arange(4):reshape(1, 4, 1, 1)):flatten()
---     tensor([0, 2, 1, 3])
---@class ChannelShuffle: Module
factor_class("ChannelShuffle", "groups", F.channel_shuffle)

-- ------------------------------------------------------ norms over channels

local function norm_class(short, k)
  local name = "nn." .. short
  local class = core.class(name, Module)
  local parse = args.parser(name, {
    {"size", "integer"}, {"alpha", "number", 1e-4}, {"beta", "number", 0.75}, {"k", "number", k},
  })

  function class:init(...)
    local size, alpha, beta, addend = parse(...)
    self.size, self.alpha, self.beta, self.k = settings.list(name, "size", size, 1, 1)[1], alpha, beta, addend
  end

  function class:forward(x)
    return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)
  end

  function class:extra_repr()
    return ("%s, alpha=%s, beta=%s, k=%s"):format(repr.value(self.size), repr.value(self.alpha),
      repr.value(self.beta), repr.value(self.k))
  end

  patches[short] = class
end

--- Each element divided by (k + alpha * the mean of squares over size neighbouring channels)^beta.
--- `nn.LocalResponseNorm(size, {alpha = 1e-4, beta = 0.75, k = 1.0})`.
--- Shapes: input (N, C, *), result the same
---     > nn.LocalResponseNorm(2, {alpha = 1.0, beta = 1.0})(nl.ones(1, 2, 1)):flatten()
---     tensor([0.6667, 0.5000])
---@class LocalResponseNorm: Module
norm_class("LocalResponseNorm", 1.0)

--- LocalResponseNorm of images, by its older name. `nn.CrossMapLRN2d(size, {alpha = 1e-4, beta = 0.75, k = 1})`.
--- Shapes: input (N, C, H, W), result the same
---     > nn.CrossMapLRN2d(3)(nl.ones(1, 4, 2, 2)).shape
---     [1, 4, 2, 2]
---@class CrossMapLRN2d: Module
norm_class("CrossMapLRN2d", 1)

return patches
