-- nl.transforms.functional: what transforms do, without what they draw; as torchvision.transforms.functional does it to
-- tensors. Pictures are tensors (…, channels, height, width).

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local geometry = require "nnlua.transforms.geometry"
local nl = require "nnlua"

local functional = {}

local raise, F = core.raise, nl.F

local greatest = {[nl.uint8] = 255, [nl.int8] = 127, [nl.int16] = 32767, [nl.int32] = 2147483647,
  [nl.int64] = math.maxinteger}

--- The value that full light has in a dtype: 1 of floats.
local function bound_of(dtype)
  return greatest[dtype] or 1
end

--- A parser of functions whose first argument is a picture.
local function parser(name, ...)
  local full = "nl.transforms.functional." .. name
  local parse = args.parser(full, {{"img", "tensor"}, ...})
  local function check(img, ...)
    if img.ndim < 3 then
      raise(("%s: img has shape %s: (channels, height, width) is wanted"):format(full, img.shape))
    end
    return img, ...
  end
  return function(...) return check(parse(...)) end
end

local function check_channels(name, img)
  if img:size(-3) ~= 1 and img:size(-3) ~= 3 then
    raise(("nl.transforms.functional.%s: img has %d channels: 1 (gray) or 3 (RGB) are wanted"):format(name,
      img:size(-3)))
  end
end

-- ------------------------------------------------------------------ values

local parse_convert = parser("convert_image_dtype", {"dtype", "any?"})

--- A picture in another dtype, its values from 0 to 1 in floats, to the greatest one in integers.
---     > nl.transforms.functional.convert_image_dtype(nl.full({1, 1, 2}, 51, {dtype = nl.uint8}))
---     tensor([[[0.2000, 0.2000]]])
---@param img Tensor
---@param dtype? dtype
---@return Tensor
function functional.convert_image_dtype(...)
  local img, dtype = parse_convert(...)
  dtype = dtype or nl.float32
  local from, most, target = img.dtype, bound_of(img.dtype), bound_of(dtype)
  if from == dtype then return img end
  if from.is_floating_point and dtype.is_floating_point then
    return img:to(dtype)
  elseif from.is_floating_point then
    if dtype == nl.int64 or dtype == nl.int32 and from ~= nl.float64 then
      raise(("nl.transforms.functional.convert_image_dtype: %s hasn't the digits for %s"):format(tostring(from),
        tostring(dtype)))
    end
    return (img * (target + 1.0 - 1e-3)):to(dtype) -- so that the greatest value isn't 1 alone
  elseif dtype.is_floating_point then
    return img:to(dtype) / most
  elseif most > target then
    return (img // ((most + 1) // (target + 1))):to(dtype)
  end
  return img:to(dtype) * ((target + 1) // (most + 1))
end

--- A list of numbers, or a tensor, with one for each channel or one for all, as a tensor (channels, 1, 1).
local function per_channel(name, what, values, img)
  local t = core.is_tensor(values) and values:to(img.dtype) or nl.tensor(values, {dtype = img.dtype})
  t = t:reshape(-1)
  if #t ~= 1 and #t ~= img:size(-3) then
    raise(("%s: %s has %d numbers, but the picture %d channels"):format(name, what, #t, img:size(-3)))
  end
  return t:view(-1, 1, 1)
end

local parse_normalize = parser("normalize", {"mean", "any"}, {"std", "any"}, {"inplace", "boolean", false})

--- (img - mean) / std, with a number of each for each channel.
---     > nl.transforms.functional.normalize(nl.ones(1, 1, 2), {0.5}, {0.25})
---     tensor([[[2., 2.]]])
---@param img Tensor
---@param mean number[]|Tensor
---@param std number[]|Tensor
---@param inplace? boolean
---@return Tensor
function functional.normalize(...)
  local img, mean, std, inplace = parse_normalize(...)
  local name = "nl.transforms.functional.normalize"
  if not img.dtype.is_floating_point then
    raise(("%s: img must be floats, not %s: see convert_image_dtype"):format(name, tostring(img.dtype)))
  end
  mean, std = per_channel(name, "mean", mean, img), per_channel(name, "std", std, img)
  if std:eq(0):any():item() then raise(name .. ": std has a zero") end
  return inplace and img:sub_(mean):div_(std) or img:sub(mean):div_(std)
end

-- ------------------------------------------------------------------ colours

local function gray_of(img)
  if img:size(-3) == 1 then return img:clone() end
  local r, g, b = img:unbind(-3)
  return (0.2989 * r + 0.587 * g + 0.114 * b):to(img.dtype):unsqueeze(-3)
end

--- Between two pictures: all of the first one by a ratio of 1, beyond it by more.
local function blend(a, b, ratio)
  return (ratio * a + (1.0 - ratio) * b):clamp(0, bound_of(a.dtype)):to(a.dtype)
end

local function check_factor(name, factor)
  if factor < 0 then
    raise(core.format("nl.transforms.functional.%s: the factor must not be negative: %g", name, factor))
  end
end

local parse_gray = parser("rgb_to_grayscale", {"num_output_channels", "integer", 1})

--- The light of a picture, in one channel or the same three times.
---     > nl.transforms.functional.rgb_to_grayscale(nl.tensor({100, 50, 200}, {dtype = nl.uint8}):view(3, 1, 1))
---     tensor([[[82]]], dtype=nnlua.uint8)
---@param img Tensor
---@param num_output_channels? integer
---@return Tensor
function functional.rgb_to_grayscale(...)
  local img, channels = parse_gray(...)
  check_channels("rgb_to_grayscale", img)
  if channels ~= 1 and channels ~= 3 then
    raise "nl.transforms.functional.rgb_to_grayscale: num_output_channels must be 1 or 3"
  end
  local gray = gray_of(img)
  if channels == 1 then return gray end
  local shape = {table.unpack(img.shape)}
  shape[#shape - 2] = 3
  return gray:expand(shape)
end

local parse_brightness = parser("adjust_brightness", {"brightness_factor", "number"})

--- A picture made darker by a factor below 1, lighter by one above.
---     > nl.transforms.functional.adjust_brightness(nl.full({1, 1, 1}, 100, {dtype = nl.uint8}), 1.5)
---     tensor([[[150]]], dtype=nnlua.uint8)
---@param img Tensor
---@param brightness_factor number
---@return Tensor
function functional.adjust_brightness(...)
  local img, factor = parse_brightness(...)
  check_channels("adjust_brightness", img)
  check_factor("adjust_brightness", factor)
  return blend(img, nl.zeros_like(img), factor)
end

local parse_contrast = parser("adjust_contrast", {"contrast_factor", "number"})

--- A picture moved towards its mean gray by a factor below 1, away from it by one above.
---     > nl.transforms.functional.adjust_contrast(nl.tensor({0, 100}, {dtype = nl.uint8}):view(1, 1, 2), 0.5)
---     tensor([[[25, 75]]], dtype=nnlua.uint8)
---@param img Tensor
---@param contrast_factor number
---@return Tensor
function functional.adjust_contrast(...)
  local img, factor = parse_contrast(...)
  check_channels("adjust_contrast", img)
  check_factor("adjust_contrast", factor)
  local gray = (img:size(-3) == 3 and gray_of(img) or img):to(img.dtype.is_floating_point and img.dtype or nl.float32)
  return blend(img, gray:mean({-3, -2, -1}, true), factor)
end

local parse_saturation = parser("adjust_saturation", {"saturation_factor", "number"})

--- A picture moved towards its gray by a factor below 1, away from it by one above.
---     > red = nl.tensor({255, 0, 0}, {dtype = nl.uint8}):view(3, 1, 1)
---     > nl.transforms.functional.adjust_saturation(red, 0):flatten()
---     tensor([76, 76, 76], dtype=nnlua.uint8)
---@param img Tensor
---@param saturation_factor number
---@return Tensor
function functional.adjust_saturation(...)
  local img, factor = parse_saturation(...)
  check_channels("adjust_saturation", img)
  check_factor("adjust_saturation", factor)
  if img:size(-3) == 1 then return img end
  return blend(img, gray_of(img), factor)
end

--- Hue, saturation and value of red, green and blue, all from 0 to 1.
local function hsv_of(img)
  local r, g, b = img:unbind(-3)
  local most, least = img:amax(-3), img:amin(-3)
  local same, range, ones = most:eq(least), most - least, nl.ones_like(most)
  local saturation = range / nl.where(same, ones, most)
  local divisor = nl.where(same, ones, range)
  local rc, gc, bc = (most - r) / divisor, (most - g) / divisor, (most - b) / divisor
  local is_r, is_g = most:eq(r), most:eq(g)
  local hue = is_r * (bc - gc) + (is_g & ~is_r) * (2.0 + rc - bc) + (~is_g & ~is_r) * (4.0 + gc - rc)
  return nl.fmod(hue / 6.0 + 1.0, 1.0), saturation, most
end

local function rgb_of(h, s, v)
  local sector = nl.floor(h * 6.0)
  local f = h * 6.0 - sector
  local p = nl.clamp(v * (1.0 - s), 0.0, 1.0)
  local q = nl.clamp(v * (1.0 - s * f), 0.0, 1.0)
  local t = nl.clamp(v * (1.0 - s * (1.0 - f)), 0.0, 1.0)
  local place = (sector:to(nl.int64) % 6 + 1):unsqueeze(-3)
  local function pick(...) return nl.stack({...}, -3):gather(-3, place) end
  return nl.cat({pick(v, q, p, p, t, v), pick(t, v, v, q, p, p), pick(p, p, t, v, v, q)}, -3)
end

local parse_hue = parser("adjust_hue", {"hue_factor", "number"})

--- A picture whose colours are turned by a part of their circle, from -0.5 to 0.5.
---     > nl.transforms.functional.adjust_hue(nl.tensor({1.0, 0, 0}):view(3, 1, 1), 1 / 3):flatten()
---     tensor([0., 1., 0.])
---@param img Tensor
---@param hue_factor number
---@return Tensor
function functional.adjust_hue(...)
  local img, factor = parse_hue(...)
  check_channels("adjust_hue", img)
  if factor < -0.5 or factor > 0.5 then
    raise(core.format("nl.transforms.functional.adjust_hue: hue_factor must be from -0.5 to 0.5, not %g", factor))
  end
  if img:size(-3) == 1 then return img end
  local h, s, v = hsv_of(functional.convert_image_dtype(img, nl.float32))
  return functional.convert_image_dtype(rgb_of((h + factor) % 1.0, s, v), img.dtype)
end

local parse_gamma = parser("adjust_gamma", {"gamma", "number"}, {"gain", "number", 1})

--- gain img^gamma, with values from 0 to 1.
---     > nl.transforms.functional.adjust_gamma(nl.full({1, 1, 1}, 0.5), 2)
---     tensor([[[0.2500]]])
---@param img Tensor
---@param gamma number
---@param gain? number
---@return Tensor
function functional.adjust_gamma(...)
  local img, gamma, gain = parse_gamma(...)
  check_factor("adjust_gamma", gamma)
  local x = img.dtype.is_floating_point and img or functional.convert_image_dtype(img, nl.float32)
  return functional.convert_image_dtype((gain * x:pow(gamma)):clamp(0, 1), img.dtype)
end

local parse_invert = parser "invert"

--- The negative of a picture.
---     > nl.transforms.functional.invert(nl.full({1, 1, 1}, 55, {dtype = nl.uint8}))
---     tensor([[[200]]], dtype=nnlua.uint8)
---@param img Tensor
---@return Tensor
function functional.invert(...)
  local img = parse_invert(...)
  return bound_of(img.dtype) - img
end

-- -------------------------------------------------------------------- size

local parse_resize = parser("resize", {"size", "any"}, {"interpolation", "string", "bilinear"},
  {"max_size", "integer?"}, {"antialias", "boolean", true})

--- A picture of another size: {height, width}, or one number for the shorter side, of which the longer one then becomes
--- at most max_size. Antialiased it is nl.io.resize, as torchvision resizes Pillow's pictures; else F.interpolate.
---     > nl.transforms.functional.resize(nl.zeros(3, 20, 30), 10).shape
---     [3, 10, 15]
---@param img Tensor
---@param size integer|integer[]
---@param interpolation? string
---@param max_size? integer
---@param antialias? boolean
---@return Tensor
function functional.resize(...)
  local img, size, interpolation, max_size, antialias = parse_resize(...)
  local wanted = geometry.size_for("nl.transforms.functional.resize", size, img:size(-2), img:size(-1), max_size)
  if wanted[1] == img:size(-2) and wanted[2] == img:size(-1) then return img end
  local is_known = img.dtype == nl.uint8 or img.dtype == nl.float32
  if antialias or interpolation == "nearest" then
    local x = is_known and img or img:float()
    local made = nl.io.resize(x, wanted, interpolation)
    return is_known and made or (img.dtype.is_floating_point and made or made:round()):to(img.dtype)
  end
  local x = img.dtype.is_floating_point and img or img:float()
  local made = F.interpolate(x:dim() == 3 and x:unsqueeze(1) or x, {size = wanted, mode = interpolation,
    align_corners = false})
  if x:dim() == 3 then made = made:squeeze(1) end
  if img.dtype.is_floating_point then return made end
  return made:clamp(0, bound_of(img.dtype)):round():to(img.dtype)
end

local parse_pad = parser("pad", {"padding", "any"}, {"fill", "number", 0}, {"padding_mode", "string", "constant"})

--- A picture with more around it: one number for all sides, {left and right, top and bottom} or {left, top, right,
--- bottom}; "constant" (filled with fill), "edge", "reflect" or "symmetric".
---     > nl.transforms.functional.pad(nl.ones(1, 1, 2), {1, 0}, 7)
---     tensor([[[7., 1., 1., 7.]]])
---@param img Tensor
---@param padding integer|integer[]
---@param fill? number
---@param padding_mode? string
---@return Tensor
function functional.pad(...)
  local img, padding, fill, mode = parse_pad(...)
  return geometry.pad("nl.transforms.functional.pad", img, padding, fill, mode)
end

local parse_crop = parser("crop", {"top", "integer"}, {"left", "integer"}, {"height", "integer"}, {"width", "integer"})

--- A part of a picture, whose first row and column are `top` and `left`, counted from 1; what is outside of the picture
--- is zero.
---     > nl.transforms.functional.crop(nl.arange(0, 6):view(1, 2, 3), 2, 2, 1, 2)
---     tensor([[[4, 5]]])
---@param img Tensor
---@param top integer
---@param left integer
---@param height integer
---@param width integer
---@return Tensor
function functional.crop(...)
  return geometry.crop(parse_crop(...))
end

local parse_center = parser("center_crop", {"output_size", "any"})

--- The middle of a picture, with zeros around it where it is too small.
---     > nl.transforms.functional.center_crop(nl.arange(0, 9):view(1, 3, 3), 1)
---     tensor([[[4]]])
---@param img Tensor
---@param output_size integer|integer[]
---@return Tensor
function functional.center_crop(...)
  local img, size = parse_center(...)
  return geometry.center_crop(img, geometry.pair("nl.transforms.functional.center_crop", "output_size", size))
end

local parse_resized = parser("resized_crop", {"top", "integer"}, {"left", "integer"}, {"height", "integer"},
  {"width", "integer"}, {"size", "any"}, {"interpolation", "string", "bilinear"}, {"antialias", "boolean", true})

--- A part of a picture, see crop, in another size, see resize.
---     > nl.transforms.functional.resized_crop(nl.rand(3, 8, 8), 1, 1, 4, 4, {2, 2}).shape
---     [3, 2, 2]
function functional.resized_crop(...)
  local img, top, left, height, width, size, interpolation, antialias = parse_resized(...)
  return functional.resize(geometry.crop(img, top, left, height, width), size, interpolation, nil, antialias)
end

local parse_hflip = parser "hflip"

--- A picture whose left side is on the right.
---     > nl.transforms.functional.hflip(nl.arange(0, 3):view(1, 1, 3))
---     tensor([[[2, 1, 0]]])
---@param img Tensor
---@return Tensor
function functional.hflip(...)
  return (parse_hflip(...)):flip(-1)
end

local parse_vflip = parser "vflip"

--- A picture upside down.
---     > nl.transforms.functional.vflip(nl.arange(0, 3):view(1, 3, 1)):flatten()
---     tensor([2, 1, 0])
---@param img Tensor
---@return Tensor
function functional.vflip(...)
  return (parse_vflip(...)):flip(-2)
end

local parse_rotate = parser("rotate", {"angle", "number"}, {"interpolation", "string", "nearest"},
  {"expand", "boolean", false}, {"center", "list?"}, {"fill", "any?"})

--- A picture turned by an angle in degrees, against the clock, about its middle or center = {x, y}. expand makes it so
--- large that all of it is shown. fill is for what comes from outside: a number, or one for each channel.
---     > nl.transforms.functional.rotate(nl.tensor({{1, 2}, {3, 4}}):view(1, 2, 2), 90)
---     tensor([[[2, 4],
---              [1, 3]]])
---@param img Tensor
---@param angle number
---@param interpolation? string "nearest" or "bilinear"
---@param expand? boolean
---@param center? number[]
---@param fill? number|number[]
---@return Tensor
function functional.rotate(...)
  return geometry.rotate("nl.transforms.functional.rotate", parse_rotate(...))
end

local parse_affine = parser("affine", {"angle", "number"}, {"translate", "list"}, {"scale", "number"}, {"shear", "any"},
  {"interpolation", "string", "nearest"}, {"fill", "any?"}, {"center", "list?"})

--- A picture turned with the clock by an angle, moved by translate = {x, y} pixels, made larger by scale and sheared by
--- one or two angles.
---     > nl.transforms.functional.affine(nl.arange(0, 3):view(1, 1, 3), 0, {1, 0}, 1, 0)
---     tensor([[[0, 0, 1]]])
---@param img Tensor
---@param angle number
---@param translate number[]
---@param scale number
---@param shear number|number[]
---@param interpolation? string "nearest" or "bilinear"
---@param fill? number|number[]
---@param center? number[]
---@return Tensor
function functional.affine(...)
  return geometry.affine("nl.transforms.functional.affine", parse_affine(...))
end

-- ------------------------------------------------------------ blur and erase

--- The weights of one side, which add up to 1.
local function gauss(size, sigma, dtype)
  local half = (size - 1) * 0.5
  local x = nl.linspace(-half, half, size, {dtype = dtype})
  local weights = nl.exp(-0.5 * (x / sigma):pow(2))
  return weights / weights:sum()
end

local parse_blur = parser("gaussian_blur", {"kernel_size", "any"}, {"sigma", "any?"})

--- A picture blurred by a bell over kernel_size = {width, height} pixels (odd numbers) whose widths are sigma.
---     > nl.transforms.functional.gaussian_blur(nl.ones(3, 5, 5), 3).shape
---     [3, 5, 5]
---@param img Tensor
---@param kernel_size integer|integer[]
---@param sigma? number|number[]
---@return Tensor
function functional.gaussian_blur(...)
  local img, size, sigma = parse_blur(...)
  local name = "nl.transforms.functional.gaussian_blur"
  size = geometry.pair(name, "kernel_size", size)
  if size[1] % 2 == 0 or size[2] % 2 == 0 then raise(name .. ": kernel_size must be odd") end
  if type(sigma) == "number" then sigma = {sigma, sigma} end
  sigma = sigma or {size[1] * 0.15 + 0.35, size[2] * 0.15 + 0.35}
  if not (type(sigma) == "table" and type(sigma[1]) == "number" and type(sigma[2]) == "number")
    or sigma[1] <= 0 or sigma[2] <= 0 then
    raise(name .. ": sigma must be one or two numbers above 0")
  end
  local x = img.dtype.is_floating_point and img or img:float()
  local channels = img:size(-3)
  local kernel = nl.mm(gauss(size[2], sigma[2], x.dtype):unsqueeze(2), gauss(size[1], sigma[1], x.dtype):unsqueeze(1))
  local planes = x:reshape(-1, channels, img:size(-2), img:size(-1))
  planes = F.pad(planes, {size[1] // 2, size[1] // 2, size[2] // 2, size[2] // 2}, {mode = "reflect"})
  local made = F.conv2d(planes, kernel:expand(channels, 1, -1, -1), {groups = channels}):view(img.shape)
  return img.dtype.is_floating_point and made or made:round():to(img.dtype)
end

local parse_erase = parser("erase", {"i", "integer"}, {"j", "integer"}, {"h", "integer"}, {"w", "integer"},
  {"v", "any"}, {"inplace", "boolean", false})

--- A picture with a rectangle of other values, whose first row and column are i and j, counted from 1.
---     > nl.transforms.functional.erase(nl.ones(1, 2, 2), 1, 2, 2, 1, 0)
---     tensor([[[1., 0.],
---              [1., 0.]]])
function functional.erase(...)
  local img, i, j, h, w, v, inplace = parse_erase(...)
  if i < 1 or j < 1 or h < 0 or w < 0 or i + h - 1 > img:size(-2) or j + w - 1 > img:size(-1) then
    raise(("%s: %d rows from %d on and %d columns from %d on are not in a picture of shape %s"):format(
      "nl.transforms.functional.erase", h, i, w, j, img.shape))
  end
  local made = inplace and img or img:clone()
  made:narrow(-2, i, h):narrow(-1, j, w):copy_(core.is_tensor(v) and v or nl.tensor(v, {dtype = img.dtype}))
  return made
end

return functional
