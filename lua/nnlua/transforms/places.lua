-- Transforms that move pixels: of size, crops, flips, turns.

local args = require "nnlua.args"
local containers = require "nnlua.transforms.containers"
local core = require "nnlua.nn.core"
local draws = require "nnlua.transforms.draws"
local functional = require "nnlua.transforms.functional"
local geometry = require "nnlua.transforms.geometry"
local nl = require "nnlua"

local places = {}

local raise = core.raise

local new_class = containers.class_maker(places)

local parse_resize = args.parser("transforms.Resize", {
  {"size", "any"}, {"interpolation", "string", "bilinear"}, {"max_size", "integer?"}, {"antialias", "boolean", true},
})

--- A picture of another size: see transforms.functional.resize.
---     > nl.transforms.Resize(4)(nl.zeros(3, 8, 16)).shape
---     [3, 4, 8]
---@class Resize: ImageTransform
local Resize = new_class("Resize", "size", "interpolation", "max_size", "antialias")

function Resize:init(...)
  self.size, self.interpolation, self.max_size, self.antialias = parse_resize(...)
end

function Resize:forward(img)
  return functional.resize(img, self.size, self.interpolation, self.max_size, self.antialias)
end

--- The middle of a picture, with zeros around it where it is too small.
---     > nl.transforms.CenterCrop(2)(nl.ones(1, 4, 4)).shape
---     [1, 2, 2]
---@class CenterCrop: ImageTransform
local CenterCrop = new_class("CenterCrop", "size")

function CenterCrop:init(size)
  self.size = geometry.pair("transforms.CenterCrop", "size", size)
end

function CenterCrop:forward(img)
  return functional.center_crop(img, self.size)
end

local parse_pad = args.parser("transforms.Pad", {
  {"padding", "any"}, {"fill", "number", 0}, {"padding_mode", "string", "constant"},
})

--- A picture with more around it: see transforms.functional.pad.
---     > nl.transforms.Pad(1)(nl.ones(1, 2, 2)).shape
---     [1, 4, 4]
---@class Pad: ImageTransform
local Pad = new_class("Pad", "padding", "fill", "padding_mode")

function Pad:init(...)
  self.padding, self.fill, self.padding_mode = parse_pad(...)
end

function Pad:forward(img)
  return functional.pad(img, self.padding, self.fill, self.padding_mode)
end

local parse_crop = args.parser("transforms.RandomCrop", {
  {"size", "any"}, {"padding", "any?"}, {"pad_if_needed", "boolean", false}, {"fill", "number", 0},
  {"padding_mode", "string", "constant"},
})

--- A part of a picture, anywhere in it, which may be padded before.
---     > nl.transforms.RandomCrop(4, {padding = 1})(nl.ones(1, 4, 4)).shape
---     [1, 4, 4]
---@class RandomCrop: ImageTransform
local RandomCrop = new_class("RandomCrop", "size", "padding")

function RandomCrop:init(...)
  local size
  size, self.padding, self.pad_if_needed, self.fill, self.padding_mode = parse_crop(...)
  self.size = geometry.pair("transforms.RandomCrop", "size", size)
end

function RandomCrop:forward(img)
  local height, width = self.size[1], self.size[2]
  local function pad(padding) img = functional.pad(img, padding, self.fill, self.padding_mode) end
  if self.padding then pad(self.padding) end
  if self.pad_if_needed and img:size(-1) < width then pad {width - img:size(-1), 0} end
  if self.pad_if_needed and img:size(-2) < height then pad {0, height - img:size(-2)} end
  local rows, columns = img:size(-2), img:size(-1)
  if rows < height or columns < width then
    raise(("transforms.RandomCrop: %d x %d pixels are wanted of %d x %d"):format(height, width, rows, columns))
  end
  if rows == height and columns == width then return img end
  local top = draws.whole(0, rows - height + 1)
  return functional.crop(img, top + 1, draws.whole(0, columns - width + 1) + 1, height, width)
end

local parse_resized = args.parser("transforms.RandomResizedCrop", {
  {"size", "any"}, {"scale", "list", {0.08, 1.0}}, {"ratio", "list", {3 / 4, 4 / 3}},
  {"interpolation", "string", "bilinear"}, {"antialias", "boolean", true},
})

--- A part of a picture, of an area and a ratio of sides that are drawn from scale and ratio, in the wanted size.
---     > nl.transforms.RandomResizedCrop(8)(nl.rand(3, 20, 30)).shape
---     [3, 8, 8]
---@class RandomResizedCrop: ImageTransform
local RandomResizedCrop = new_class("RandomResizedCrop", "size", "scale", "ratio", "interpolation", "antialias")

function RandomResizedCrop:init(...)
  local size
  size, self.scale, self.ratio, self.interpolation, self.antialias = parse_resized(...)
  self.size = geometry.pair("transforms.RandomResizedCrop", "size", size)
  geometry.check_range("transforms.RandomResizedCrop", "scale", self.scale)
  geometry.check_range("transforms.RandomResizedCrop", "ratio", self.ratio)
end

--- The middle with the nearest ratio, where none that was drawn fits.
local function middle(height, width, ratio)
  local own, least, most = width / height, math.min(ratio[1], ratio[2]), math.max(ratio[1], ratio[2])
  local h, w = height, width
  if own < least then h = geometry.rounded(width / least) elseif own > most then w = geometry.rounded(height * most) end
  return (height - h) // 2, (width - w) // 2, h, w
end

--- Top and left from 0 on, height, width.
local function draw_part(self, height, width)
  local low, high = geometry.logarithms(self.ratio)
  for _ = 1, 10 do
    local area = height * width * draws.uniform(self.scale[1], self.scale[2])
    local ratio = nl.empty(1):uniform_(low, high):exp():item()
    local w, h = geometry.rounded(math.sqrt(area * ratio)), geometry.rounded(math.sqrt(area / ratio))
    if w > 0 and w <= width and h > 0 and h <= height then
      local top = draws.whole(0, height - h + 1)
      return top, draws.whole(0, width - w + 1), h, w
    end
  end
  return middle(height, width, self.ratio)
end

function RandomResizedCrop:forward(img)
  local top, left, height, width = draw_part(self, img:size(-2), img:size(-1))
  return functional.resized_crop(img, top + 1, left + 1, height, width, self.size, self.interpolation, self.antialias)
end

-- -------------------------------------------------------------------- flips

local parse_hflip = args.parser("transforms.RandomHorizontalFlip", {{"p", "number", 0.5}})

--- Left and right exchanged with probability p.
---     > nl.transforms.RandomHorizontalFlip(1)(nl.arange(0, 3):view(1, 1, 3))
---     tensor([[[2, 1, 0]]])
---@class RandomHorizontalFlip: ImageTransform
local RandomHorizontalFlip = new_class("RandomHorizontalFlip", "p")

function RandomHorizontalFlip:init(...)
  self.p = parse_hflip(...)
end

function RandomHorizontalFlip:forward(img)
  return draws.happens(self.p) and functional.hflip(img) or img
end

local parse_vflip = args.parser("transforms.RandomVerticalFlip", {{"p", "number", 0.5}})

--- Upside down with probability p.
---     > nl.transforms.RandomVerticalFlip(1)(nl.arange(0, 2):view(1, 2, 1)):flatten()
---     tensor([1, 0])
---@class RandomVerticalFlip: ImageTransform
local RandomVerticalFlip = new_class("RandomVerticalFlip", "p")

function RandomVerticalFlip:init(...)
  self.p = parse_vflip(...)
end

function RandomVerticalFlip:forward(img)
  return draws.happens(self.p) and functional.vflip(img) or img
end

-- -------------------------------------------------------------------- turns

--- Two angles from one: to both sides.
local function angles(name, what, value)
  if type(value) == "number" then
    if value < 0 then raise(("%s: %s must not be negative where it is one number"):format(name, what)) end
    return {-value, value}
  end
  geometry.check_range(name, what, value)
  return value
end

local parse_rotation = args.parser("transforms.RandomRotation", {
  {"degrees", "any"}, {"interpolation", "string", "nearest"}, {"expand", "boolean", false}, {"center", "list?"},
  {"fill", "any", 0},
})

--- A picture turned by an angle between two, or -degrees and degrees: see transforms.functional.rotate.
---     > nl.transforms.RandomRotation(10)(nl.ones(1, 5, 5)).shape
---     [1, 5, 5]
---@class RandomRotation: ImageTransform
local RandomRotation = new_class("RandomRotation", "degrees", "interpolation", "expand", "center", "fill")

function RandomRotation:init(...)
  local degrees
  degrees, self.interpolation, self.expand, self.center, self.fill = parse_rotation(...)
  self.degrees = angles("transforms.RandomRotation", "degrees", degrees)
end

function RandomRotation:forward(img)
  local angle = draws.uniform(self.degrees[1], self.degrees[2])
  return functional.rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)
end

local parse_affine = args.parser("transforms.RandomAffine", {
  {"degrees", "any"}, {"translate", "list?"}, {"scale", "list?"}, {"shear", "any?"},
  {"interpolation", "string", "nearest"}, {"fill", "any", 0}, {"center", "list?"},
})

--- A picture turned, moved by up to translate = {x, y} of its width and height, made larger by a factor from scale =
--- {least, most}, and sheared by angles: see transforms.functional.affine. shear is an angle for x to both sides, two
--- for x, or four for x and y.
---     > nl.transforms.RandomAffine(10, {translate = {0.1, 0.1}, scale = {0.9, 1.1}})(nl.ones(1, 5, 5)).shape
---     [1, 5, 5]
---@class RandomAffine: ImageTransform
local RandomAffine = new_class("RandomAffine", "degrees", "translate", "scale", "shear", "interpolation", "fill",
  "center")

function RandomAffine:init(...)
  local name, degrees, shear = "transforms.RandomAffine", nil, nil
  degrees, self.translate, self.scale, shear, self.interpolation, self.fill, self.center = parse_affine(...)
  self.degrees = angles(name, "degrees", degrees)
  for i = 1, self.translate and 2 or 0 do
    local part = self.translate[i]
    if type(part) ~= "number" or part < 0 or part > 1 then
      raise(name .. ": translate must be two numbers from 0 to 1")
    end
  end
  if self.scale then
    geometry.check_range(name, "scale", self.scale)
    if self.scale[1] <= 0 then raise(name .. ": scale must be above 0") end
  end
  if type(shear) == "table" and #shear == 4 then
    geometry.check_range(name, "shear", {shear[3], shear[4]})
    geometry.check_range(name, "shear", {shear[1], shear[2]})
    self.shear = shear
  elseif shear then
    self.shear = angles(name, "shear", shear)
  end
end

function RandomAffine:forward(img)
  local angle, translate, scale, shear = draws.uniform(self.degrees[1], self.degrees[2]), {0, 0}, 1.0, {0.0, 0.0}
  if self.translate then
    local x, y = self.translate[1] * img:size(-1), self.translate[2] * img:size(-2)
    translate[1] = geometry.rounded(draws.uniform(-x, x))
    translate[2] = geometry.rounded(draws.uniform(-y, y))
  end
  if self.scale then scale = draws.uniform(self.scale[1], self.scale[2]) end
  if self.shear then
    shear[1] = draws.uniform(self.shear[1], self.shear[2])
    if #self.shear == 4 then shear[2] = draws.uniform(self.shear[3], self.shear[4]) end
  end
  return functional.affine(img, angle, translate, scale, shear, self.interpolation, self.fill, self.center)
end

local parse_perspective = args.parser("transforms.RandomPerspective", {
  {"distortion_scale", "number", 0.5}, {"p", "number", 0.5}, {"interpolation", "string", "bilinear"},
  {"fill", "any", 0},
})

--- With probability p a picture seen from aside: its corners are moved inward by up to distortion_scale of its half
--- sides.
---     > nl.transforms.RandomPerspective(0.5, 1)(nl.ones(1, 5, 5)).shape
---     [1, 5, 5]
---@class RandomPerspective: ImageTransform
local RandomPerspective = new_class("RandomPerspective", "distortion_scale", "p", "interpolation", "fill")

function RandomPerspective:init(...)
  self.distortion_scale, self.p, self.interpolation, self.fill = parse_perspective(...)
  if self.distortion_scale < 0 or self.distortion_scale > 1 then
    raise "transforms.RandomPerspective: distortion_scale must lie between 0 and 1"
  end
end

function RandomPerspective:forward(img)
  if not draws.happens(self.p) then return img end
  local height, width = img:size(-2), img:size(-1)
  local x, y = math.floor(self.distortion_scale * (width // 2)), math.floor(self.distortion_scale * (height // 2))
  local corners = {}
  for i, side in ipairs {{false, false}, {true, false}, {true, true}, {false, true}} do
    local across = side[1] and draws.whole(width - x - 1, width) or draws.whole(0, x + 1)
    corners[i] = {across, side[2] and draws.whole(height - y - 1, height) or draws.whole(0, y + 1)}
  end
  local from = {{0, 0}, {width - 1, 0}, {width - 1, height - 1}, {0, height - 1}}
  return geometry.perspective("transforms.RandomPerspective", img, from, corners, self.interpolation, self.fill)
end

return places
