-- Pictures in files, as torchvision.io has them: uint8 tensors (channels, height, width).

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local images = {}

local raise = core.raise

local modes = {UNCHANGED = true, GRAY = true, GRAY_ALPHA = true, RGB = true, RGB_ALPHA = true}

--- What is read of bytes, channels first.
local function decoded(name, bytes, mode, by_orientation, what)
  if not modes[mode] then
    raise(("%s: mode must be UNCHANGED, GRAY, GRAY_ALPHA, RGB or RGB_ALPHA, not '%s'"):format(name, mode))
  end
  return system.decode_picture(name, bytes, mode, by_orientation, what):permute(3, 1, 2)
end

local parse_read = args.parser("nl.io.read_image", {
  {"path", "any"}, {"mode", "string", "UNCHANGED"}, {"apply_exif_orientation", "boolean", false},
})

--- The picture in a PNG or JPEG file, uint8 (int32 from 0 to 65535 where a PNG has 16 bits). `mode` is "UNCHANGED" for
--- the channels of the file (of a palette the numbers of its colours from 0 on, of inks CMYK as stored), "GRAY",
--- "GRAY_ALPHA", "RGB" or "RGB_ALPHA".
--- Shapes: result (channels, height, width)
---     > path = os.tmpname()
---     > nl.io.write_png(nl.full({3, 2, 4}, 200, {dtype = nl.uint8}), path)
---     > nl.io.read_image(path).shape, nl.io.read_image(path, {mode = "GRAY"}):max():item()
---     [3, 2, 4]	200
---@param path string
---@param mode? string
---@param apply_exif_orientation? boolean
---@return Tensor
function images.read_image(...)
  local path, mode, by_orientation = parse_read(...)
  local bytes = system.read_bytes("nl.io.read_image", path)
  return decoded("nl.io.read_image", bytes, mode, by_orientation, path .. ": ")
end

local parse_decode = args.parser("nl.io.decode_image", {
  {"input", "any"}, {"mode", "string", "UNCHANGED"}, {"apply_exif_orientation", "boolean", false},
})

--- The picture in the bytes of a PNG or JPEG file, a string or a uint8 tensor of one dimension: see nl.io.read_image.
---     > file = nl.io.encode_png(nl.zeros(1, 2, 3, {dtype = nl.uint8}))
---     > nl.io.decode_image(file).shape, nl.io.decode_image(file:tobytes(), "RGB").shape
---     [1, 2, 3]	[3, 2, 3]
---@param input string|Tensor
---@param mode? string
---@param apply_exif_orientation? boolean
---@return Tensor
function images.decode_image(...)
  local input, mode, by_orientation = parse_decode(...)
  local is_bytes = core.is_tensor(input) and input.dtype == nl.uint8 and input.ndim == 1
  if not is_bytes and type(input) ~= "string" then
    raise(("nl.io.decode_image: input must be a string or a uint8 tensor of one dimension, not %s"):format(
      core.describe(input)))
  end
  return decoded("nl.io.decode_image", is_bytes and input:contiguous() or input, mode, by_orientation, "")
end

--- A file's bytes as a string, of pixels that are checked.
local function encoded(name, input, channels, format, setting)
  if input.dtype ~= nl.uint8 then
    raise(("%s: input must be uint8, not %s"):format(name, tostring(input.dtype):gsub("^nnlua%.", "")))
  elseif input.ndim ~= 3 or not channels[input:size(1)] or input:numel() == 0 then
    raise(("%s: input has shape %s: (channels, height, width) of %s channels is wanted"):format(
      name, input.shape, channels.text))
  end
  return system.encode_picture(name, input:permute(2, 3, 1):contiguous(), format, setting)
end

local function check_level(name, level)
  if level < 0 or level > 9 then raise(("%s: compression_level must be from 0 to 9, not %d"):format(name, level)) end
end

local function check_quality(name, quality)
  if quality < 1 or quality > 100 then raise(("%s: quality must be from 1 to 100, not %d"):format(name, quality)) end
end

local png_channels = {true, true, true, true, text = "1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha)"}
local jpeg_channels = {true, false, true, text = "1 (gray) or 3 (RGB)"}

local parse_encode_png = args.parser("nl.io.encode_png", {{"input", "tensor"}, {"compression_level", "integer", 6}})

--- The bytes of a PNG file with a picture, as a uint8 tensor of one dimension.
--- Shapes: input (1 to 4, height, width), uint8; result (bytes)
---     > nl.io.encode_png(nl.zeros(3, 8, 8, {dtype = nl.uint8})):tobytes():sub(2, 4)
---     PNG
---@param input Tensor
---@param compression_level? integer
---@return Tensor
function images.encode_png(...)
  local input, level = parse_encode_png(...)
  check_level("nl.io.encode_png", level)
  return nl.frombuffer(encoded("nl.io.encode_png", input, png_channels, "png", level), nl.uint8)
end

local parse_encode_jpeg = args.parser("nl.io.encode_jpeg", {{"input", "tensor"}, {"quality", "integer", 75}})

--- The bytes of a JPEG file with a picture, as a uint8 tensor of one dimension.
--- Shapes: input (1 or 3, height, width), uint8; result (bytes)
---     > file = nl.io.encode_jpeg(nl.full({1, 8, 8}, 77, {dtype = nl.uint8}), {quality = 90})
---     > nl.io.decode_image(file)[{1, 1, 1}]
---     tensor(77, dtype=nnlua.uint8)
---@param input Tensor
---@param quality? integer
---@return Tensor
function images.encode_jpeg(...)
  local input, quality = parse_encode_jpeg(...)
  check_quality("nl.io.encode_jpeg", quality)
  return nl.frombuffer(encoded("nl.io.encode_jpeg", input, jpeg_channels, "jpeg", quality), nl.uint8)
end

local parse_write_png = args.parser("nl.io.write_png", {
  {"input", "tensor"}, {"filename", "any"}, {"compression_level", "integer", 6},
})

--- Writes a picture as a PNG file, which appears whole or not at all.
--- Shapes: input (1 to 4, height, width), uint8
---     > path = os.tmpname()
---     > nl.io.write_png(nl.arange(0, 12, {dtype = nl.uint8}):view(3, 2, 2), path)
---     > nl.io.read_image(path)[3]
---     tensor([[ 8,  9],
---             [10, 11]], dtype=nnlua.uint8)
---@param input Tensor
---@param filename string
---@param compression_level? integer
function images.write_png(...)
  local input, filename, level = parse_write_png(...)
  check_level("nl.io.write_png", level)
  system.check_path("nl.io.write_png", filename)
  system.write_bytes("nl.io.write_png", filename, encoded("nl.io.write_png", input, png_channels, "png", level))
end

local parse_write_jpeg = args.parser("nl.io.write_jpeg", {
  {"input", "tensor"}, {"filename", "any"}, {"quality", "integer", 75},
})

--- Writes a picture as a JPEG file, which appears whole or not at all.
--- Shapes: input (1 or 3, height, width), uint8
---     > path = os.tmpname()
---     > nl.io.write_jpeg(nl.full({3, 16, 16}, 128, {dtype = nl.uint8}), path)
---     > nl.io.read_image(path).shape
---     [3, 16, 16]
---@param input Tensor
---@param filename string
---@param quality? integer
function images.write_jpeg(...)
  local input, filename, quality = parse_write_jpeg(...)
  check_quality("nl.io.write_jpeg", quality)
  system.check_path("nl.io.write_jpeg", filename)
  system.write_bytes("nl.io.write_jpeg", filename, encoded("nl.io.write_jpeg", input, jpeg_channels, "jpeg", quality))
end

return images
