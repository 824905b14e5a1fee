-- Pixels of tensors: uint8 (height, width, 3).

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local scale = require "nnlua.plot.scale"

local pixels = {}

local raise = core.raise

--- A map of colours (colours.map) as a tensor (256, 3).
local function map_tensor(map)
  local bytes = {}
  for i = 0, 255 do bytes[i + 1] = string.char(table.unpack(map[i])) end
  return nl.frombuffer(table.concat(bytes), nl.uint8):view(256, 3)
end

--- Elements as float64 without a history.
function pixels.elements(name, what, x)
  if x.dtype.is_complex then raise(("%s: %s is complex: show its abs(), real or imag"):format(name, what)) end
  if x.is_meta then raise(("%s: %s is on the meta device and has no elements"):format(name, what)) end
  return x:detach():to(nl.float64)
end

local function check_limits(name, low, high)
  if not (scale.linear.at(low or 0) and scale.linear.at(high or 0)) then
    raise(("%s: vmin and vmax must be finite, at most 1e300 in size"):format(name))
  end
  if low and high and low > high then raise(("%s: vmin must not be greater than vmax"):format(name)) end
end

--- Least and greatest of what is finite, as scales count it, 0 and 1 if nothing is; what the user gives instead.
function pixels.limits(name, x, low, high)
  check_limits(name, low, high)
  if not (low and high) then
    local finite = x[x:abs():le(scale.largest)]
    local is_empty = finite:numel() == 0
    low = low or is_empty and 0 or finite:min():item()
    high = high or is_empty and 1 or finite:max():item()
  end
  check_limits(name, low, high)
  return low, high
end

--- Shares from 0 to 255 of values between limits; what is no number is 0.
local function shares(x, low, high)
  if low == high then return (x:ge(low) | x:lt(low)):to(nl.float64) * 127 end
  local half_low, half_high = low / 2, high / 2 -- whose difference is finite
  return ((x / 2 - half_low) / (half_high - half_low)):clamp(0, 1):nan_to_num(0) * 255
end

--- A matrix in the colours of a map; what is no number is gray.
function pixels.of_matrix(x, map, low, high)
  local index = (shares(x, low, high) + 0.5):floor():to(nl.int64) + 1
  local colours = map_tensor(map)[index]
  local missing = x:isnan()
  if missing:any():item() then colours[missing] = 160 end
  return colours
end

--- Three planes of red, green and blue; alpha, if there is a fourth one, lets white through.
function pixels.of_planes(x, low, high)
  local rgb = shares(x:narrow(1, 1, 3), low, high)
  if x:size(1) == 4 then
    local alpha = shares(x:narrow(1, 4, 1), low, high) / 255
    rgb = rgb * alpha + 255 * (1 - alpha)
  end
  return (rgb + 0.5):floor():clamp(0, 255):to(nl.uint8):permute(2, 3, 1)
end

--- The limits that a picture's values have by themselves: bytes 0 to 255, floats from 0 to 1, whatever else there is.
function pixels.picture_limits(name, x, dtype, low, high)
  if dtype == nl.uint8 then return pixels.limits(name, x, low or 0, high or 255) end
  local least, greatest = pixels.limits(name, x, nil, nil)
  if dtype == nl.bool or dtype.is_floating_point and least >= 0 and greatest <= 1 then least, greatest = 0, 1 end
  return pixels.limits(name, x, low or least, high or greatest)
end

return pixels
