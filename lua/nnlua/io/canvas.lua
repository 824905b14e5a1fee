-- Pictures made larger or smaller, and side by side.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local canvas = {}

local raise = core.raise

-- ------------------------------------------------------------------ resize

local filters = {nearest = true, box = true, bilinear = true, hamming = true, bicubic = true, lanczos = true}

--- Height and width that are asked for: two numbers, or one for the shorter side.
local function wanted_size(name, size, height, width)
  local h, w
  if args.whole(size) then
    local short = args.whole(size)
    if height <= width then h, w = short, short * width // height else h, w = short * height // width, short end
  elseif type(size) == "table" and #size == 2 then
    h, w = args.whole(size[1]), args.whole(size[2])
  end
  if not h or not w or h < 1 or w < 1 then
    raise(("%s: size must be {height, width}, or one number for the shorter side, each from 1 on"):format(name))
  end
  return h, w
end

local parse_resize = args.parser("nl.io.resize", {
  {"image", "tensor"}, {"size", "any"}, {"interpolation", "string", "bilinear"},
})

--- A picture of another size, or several, as Pillow makes it, to the bit: what is made smaller is averaged over all
--- pixels that become one (antialiased), except by "nearest". `size` is {height, width}, or one number for the shorter
--- side. `interpolation` is "nearest", "box", "bilinear", "hamming", "bicubic" or "lanczos".
--- Shapes: image (…, height, width), uint8 or float32; result (…, height', width')
---     > nl.io.resize(nl.tensor({{0, 100}, {100, 200}}, {dtype = nl.uint8}), {1, 4})
---     tensor([[ 50,  75, 125, 150]], dtype=nnlua.uint8)
---@param image Tensor
---@param size integer|integer[]
---@param interpolation? string
---@return Tensor
function canvas.resize(...)
  local image, size, interpolation = parse_resize(...)
  local n = image.ndim
  if image.dtype ~= nl.uint8 and image.dtype ~= nl.float32 then
    raise(("nl.io.resize: image must be uint8 or float32, not %s"):format(tostring(image.dtype):gsub("^nnlua%.", "")))
  elseif not filters[interpolation] then
    raise(("nl.io.resize: interpolation must be nearest, box, bilinear, hamming, bicubic or lanczos, not '%s'"):format(
      interpolation))
  elseif n < 2 or image:numel() == 0 then
    raise(("nl.io.resize: image has shape %s: (…, height, width) with pixels is wanted"):format(image.shape))
  end
  local height, width = wanted_size("nl.io.resize", size, image:size(-2), image:size(-1))
  local shape = {table.unpack(image.shape, 1, n - 2)}
  local planes = n == 3 and image or image:reshape(-1, image:size(-2), image:size(-1))
  shape[n - 1], shape[n] = height, width
  return system.resize_picture(planes:detach(), height, width, interpolation):view(shape)
end

-- --------------------------------------------------------------- make_grid

--- One tensor (pictures, channels, height, width), gray ones as RGB, of what make_grid takes.
local function batch_of(pictures)
  if type(pictures) == "table" and core.is_tensor(pictures[1]) then
    pictures = nl.stack(pictures)
  end
  if not core.is_tensor(pictures) or pictures.ndim < 2 or pictures.ndim > 4 then
    raise "nl.io.make_grid: a tensor of 2 to 4 dimensions, or a list of pictures of one size, is wanted"
  end
  while pictures.ndim < 4 do pictures = pictures:unsqueeze(1) end
  if pictures:size(1) == 0 then raise "nl.io.make_grid: there are no pictures" end
  return pictures:size(2) == 1 and pictures:expand(-1, 3, -1, -1) or pictures
end

--- Values between low and high stretched to 0 to 1.
local function stretched(x, range)
  local low, high = range and range[1] or x:min():item(), range and range[2] or x:max():item()
  return x:clamp(low, high):sub(low):div(math.max(high - low, 1e-5))
end

local function normalized(pictures, range, each)
  if range and not (type(range[1]) == "number" and type(range[2]) == "number") then
    raise "nl.io.make_grid: value_range must be {low, high}"
  elseif not pictures.dtype.is_floating_point then
    raise "nl.io.make_grid: to be normalized, pictures must be floats"
  end
  if not each then return stretched(pictures, range) end
  local list = {}
  for i = 1, #pictures do list[i] = stretched(pictures[i], range) end
  return nl.stack(list)
end

local parse_grid = args.parser("nl.io.make_grid", {
  {"tensor", "any"}, {"nrow", "integer", 8}, {"padding", "integer", 2}, {"normalize", "boolean", false},
  {"value_range", "list?"}, {"scale_each", "boolean", false}, {"pad_value", "number", 0},
})

--- Pictures of one size side by side, as torchvision.utils has it: `nrow` in a row, `padding` pixels of `pad_value`
--- between and around them. `normalize` stretches `value_range`, or what there is, to 0 to 1, `scale_each` each of them
--- by itself.
--- Shapes: tensor (pictures, channels, height, width), or a list of (channels, height, width); result (channels, …, …)
---     > nl.io.make_grid(nl.ones(5, 1, 4, 6), {nrow = 3}).shape
---     [3, 14, 26]
---@param tensor Tensor|Tensor[]
---@param nrow? integer
---@param padding? integer
---@param normalize? boolean
---@param value_range? number[]
---@param scale_each? boolean
---@param pad_value? number
---@return Tensor
function canvas.make_grid(...)
  local pictures, nrow, padding, normalize, range, each, pad_value = parse_grid(...)
  pictures = batch_of(pictures)
  if nrow < 1 or padding < 0 then raise "nl.io.make_grid: nrow must be from 1 on, padding from 0 on" end
  if normalize then pictures = normalized(pictures, range, each) end
  local n, channels, height, width = table.unpack(pictures.shape)
  if n == 1 then return pictures[1]:clone() end
  local columns = math.min(nrow, n)
  local rows = (n + columns - 1) // columns
  local shape = {channels, (height + padding) * rows + padding, (width + padding) * columns + padding}
  local grid = pictures:new_full(shape, pad_value)
  for i = 0, n - 1 do
    local top, left = i // columns * (height + padding) + padding, i % columns * (width + padding) + padding
    grid:narrow(2, top + 1, height):narrow(3, left + 1, width):copy_(pictures[i + 1])
  end
  return grid
end

return canvas
