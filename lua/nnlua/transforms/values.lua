-- Transforms of pixels' values.

local args = require "nnlua.args"
local containers = require "nnlua.transforms.containers"
local core = require "nnlua.nn.core"
local draws = require "nnlua.transforms.draws"
local functional = require "nnlua.transforms.functional"
local geometry = require "nnlua.transforms.geometry"
local nl = require "nnlua"

local values = {}

local raise = core.raise

local new_class = containers.class_maker(values)

--- A picture as float32 from 0 to 1. Unlike torchvision's it takes tensors (channels, height, width), as
--- nl.io.read_image gives them.
---     > nl.transforms.ToTensor()(nl.full({1, 1, 1}, 255, {dtype = nl.uint8}))
---     tensor([[[1.]]])
---@class ToTensor: ImageTransform
local ToTensor = new_class "ToTensor"

function ToTensor:forward(img)
  return functional.convert_image_dtype(img, nl.float32)
end

--- A picture in another dtype, its values stretched to it: see transforms.functional.convert_image_dtype.
---     > nl.transforms.ConvertImageDtype(nl.uint8)(nl.ones(1, 1, 1))
---     tensor([[[255]]], dtype=nnlua.uint8)
---@class ConvertImageDtype: ImageTransform
local ConvertImageDtype = new_class("ConvertImageDtype", "dtype")

function ConvertImageDtype:init(dtype)
  self.dtype = dtype
end

function ConvertImageDtype:forward(img)
  return functional.convert_image_dtype(img, self.dtype)
end

local parse_normalize = args.parser("transforms.Normalize", {
  {"mean", "any"}, {"std", "any"}, {"inplace", "boolean", false},
})

--- (picture - mean) / std, with a number of each for each channel.
---     > nl.transforms.Normalize({0.5}, {0.5})(nl.ones(1, 1, 1))
---     tensor([[[1.]]])
---@class Normalize: ImageTransform
local Normalize = new_class("Normalize", "mean", "std")

function Normalize:init(...)
  self.mean, self.std, self.inplace = parse_normalize(...)
end

function Normalize:forward(img)
  return functional.normalize(img, self.mean, self.std, self.inplace)
end

local parse_gray = args.parser("transforms.Grayscale", {{"num_output_channels", "integer", 1}})

--- The light of a picture, in one channel or three.
---     > nl.transforms.Grayscale()(nl.ones(3, 2, 2)).shape
---     [1, 2, 2]
---@class Grayscale: ImageTransform
local Grayscale = new_class("Grayscale", "num_output_channels")

function Grayscale:init(...)
  self.num_output_channels = parse_gray(...)
end

function Grayscale:forward(img)
  return functional.rgb_to_grayscale(img, self.num_output_channels)
end

local parse_random_gray = args.parser("transforms.RandomGrayscale", {{"p", "number", 0.1}})

--- Gray with probability p, in as many channels.
---     > nl.transforms.RandomGrayscale(0)(nl.ones(3, 2, 2)).shape
---     [3, 2, 2]
---@class RandomGrayscale: ImageTransform
local RandomGrayscale = new_class("RandomGrayscale", "p")

function RandomGrayscale:init(...)
  self.p = parse_random_gray(...)
end

function RandomGrayscale:forward(img)
  if not draws.happens(self.p) then return img end
  return functional.rgb_to_grayscale(img, img:size(-3))
end

local parse_invert = args.parser("transforms.RandomInvert", {{"p", "number", 0.5}})

--- The negative with probability p.
---     > nl.transforms.RandomInvert(1)(nl.ones(1, 1, 1))
---     tensor([[[0.]]])
---@class RandomInvert: ImageTransform
local RandomInvert = new_class("RandomInvert", "p")

function RandomInvert:init(...)
  self.p = parse_invert(...)
end

function RandomInvert:forward(img)
  return draws.happens(self.p) and functional.invert(img) or img
end

-- ------------------------------------------------------------- ColorJitter

--- A range about `center` from one number, or two numbers; nil if it changes nothing.
local function range_of(name, value, center, least, most)
  local low, high
  if type(value) == "number" then
    if value < 0 then raise(("transforms.ColorJitter: %s must not be negative"):format(name)) end
    low, high = center - value, center + value
    if center == 1 then low = math.max(low, 0) end
  elseif type(value) == "table" and type(value[1]) == "number" and type(value[2]) == "number" then
    low, high = value[1], value[2]
  else
    raise(("transforms.ColorJitter: %s must be one or two numbers"):format(name))
  end
  if low < least or low > high or high > most then
    raise(core.format("transforms.ColorJitter: %s must lie between %g and %g, not from %g to %g", name, least, most,
      low, high))
  end
  if low == center and high == center then return nil end
  return {low, high}
end

local parse_jitter = args.parser("transforms.ColorJitter", {
  {"brightness", "any", 0}, {"contrast", "any", 0}, {"saturation", "any", 0}, {"hue", "any", 0},
})

--- Brightness, contrast, saturation and hue changed by factors that are drawn, in an order that is: each is a number
--- for 1 - it to 1 + it (hue: -it to it), or two numbers.
---     > nl.transforms.ColorJitter({brightness = 0.5, hue = 0.1})(nl.rand(3, 4, 4)).shape
---     [3, 4, 4]
---@class ColorJitter: ImageTransform
local ColorJitter = new_class("ColorJitter", "brightness", "contrast", "saturation", "hue")

function ColorJitter:init(...)
  local brightness, contrast, saturation, hue = parse_jitter(...)
  self.brightness = range_of("brightness", brightness, 1, 0, math.huge)
  self.contrast = range_of("contrast", contrast, 1, 0, math.huge)
  self.saturation = range_of("saturation", saturation, 1, 0, math.huge)
  self.hue = range_of("hue", hue, 0, -0.5, 0.5)
end

local steps = {"brightness", "contrast", "saturation", "hue"}

function ColorJitter:forward(img)
  local order, factors = nl.randperm(4):tolist(), {}
  for i, name in ipairs(steps) do
    local range = self[name]
    factors[i] = range and draws.uniform(range[1], range[2])
  end
  for _, i in ipairs(order) do
    if factors[i] then img = functional["adjust_" .. steps[i]](img, factors[i]) end
  end
  return img
end

-- ------------------------------------------------------------ RandomErasing

local parse_erasing = args.parser("transforms.RandomErasing", {
  {"p", "number", 0.5}, {"scale", "list", {0.02, 0.33}}, {"ratio", "list", {0.3, 3.3}}, {"value", "any", 0},
  {"inplace", "boolean", false},
})

--- With probability p a rectangle of other values: `value` is a number, one for each channel, or "random". `scale` is
--- the part of the picture that it may cover, `ratio` its height over its width.
---     > nl.transforms.RandomErasing({p = 1, value = 7})(nl.zeros(1, 9, 9)):max():item()
---     7.0
---@class RandomErasing: ImageTransform
local RandomErasing = new_class("RandomErasing", "p", "scale", "ratio", "value", "inplace")

function RandomErasing:init(...)
  self.p, self.scale, self.ratio, self.value, self.inplace = parse_erasing(...)
  geometry.check_range("transforms.RandomErasing", "scale", self.scale)
  geometry.check_range("transforms.RandomErasing", "ratio", self.ratio)
  if self.scale[1] < 0 or self.scale[2] > 1 then raise "transforms.RandomErasing: scale must lie between 0 and 1" end
  if self.p < 0 or self.p > 1 then raise "transforms.RandomErasing: p must lie between 0 and 1" end
  local kind = type(self.value)
  if kind ~= "number" and kind ~= "table" and self.value ~= "random" then
    raise "transforms.RandomErasing: value must be a number, a list of them, or 'random'"
  end
end

--- What is written into a rectangle.
local function filling(self, img, h, w)
  if self.value == "random" then return nl.empty(img:size(-3), h, w):normal_() end
  local list = type(self.value) == "table" and self.value or {self.value}
  if #list ~= 1 and #list ~= img:size(-3) then
    raise(("transforms.RandomErasing: value has %d numbers, but the picture %d channels"):format(#list, img:size(-3)))
  end
  return nl.tensor(list, {dtype = nl.float32}):view(-1, 1, 1)
end

function RandomErasing:forward(img)
  if not draws.happens(self.p) then return img end
  local height, width = img:size(-2), img:size(-1)
  local low, high = geometry.logarithms(self.ratio)
  for _ = 1, 10 do
    local area = height * width * draws.uniform(self.scale[1], self.scale[2])
    local ratio = nl.empty(1):uniform_(low, high):exp():item()
    local h, w = geometry.rounded(math.sqrt(area * ratio)), geometry.rounded(math.sqrt(area / ratio))
    if h < height and w < width then
      local v = filling(self, img, h, w)
      local i = draws.whole(0, height - h + 1)
      local j = draws.whole(0, width - w + 1)
      return functional.erase(img, i + 1, j + 1, h, w, v, self.inplace)
    end
  end
  return img
end

-- -------------------------------------------------------------- GaussianBlur

local parse_blur = args.parser("transforms.GaussianBlur", {{"kernel_size", "any"}, {"sigma", "any", {0.1, 2.0}}})

--- A picture blurred by a bell, whose width is drawn between the two numbers of sigma.
---     > nl.transforms.GaussianBlur(3)(nl.ones(1, 4, 4)).shape
---     [1, 4, 4]
---@class GaussianBlur: ImageTransform
local GaussianBlur = new_class("GaussianBlur", "kernel_size", "sigma")

function GaussianBlur:init(...)
  local size, sigma = parse_blur(...)
  self.kernel_size = geometry.pair("transforms.GaussianBlur", "kernel_size", size)
  self.sigma = type(sigma) == "number" and {sigma, sigma} or sigma
  geometry.check_range("transforms.GaussianBlur", "sigma", self.sigma)
  if self.sigma[1] <= 0 then raise "transforms.GaussianBlur: sigma must be above 0" end
end

function GaussianBlur:forward(img)
  return functional.gaussian_blur(img, self.kernel_size, draws.uniform(self.sigma[1], self.sigma[2]))
end

return values
