-- Where pixels of transformed pictures come from.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local geometry = {}

local raise, F = core.raise, nl.F

-- -------------------------------------------------------------------- sizes

--- Two whole numbers from 1 on: of one both are it.
function geometry.pair(name, what, value)
  local one = args.whole(value)
  local a, b = one, one
  if type(value) == "table" then
    a = args.whole(value[1])
    b = #value == 1 and a or #value == 2 and args.whole(value[2])
  end
  if not a or not b or a < 1 or b < 1 then
    raise(("%s: %s must be one or two whole numbers from 1 on"):format(name, what))
  end
  return {a, b}
end

--- Height and width: those that are given, or of one number the sizes whose shorter one it is.
function geometry.size_for(name, size, height, width, max_size)
  if height < 1 or width < 1 then
    raise(("%s: a picture of %d x %d pixels can't be resized"):format(name, height, width))
  end
  if type(size) == "table" and #size == 2 then
    if max_size then raise(name .. ": max_size is for a size that is one number") end
    return geometry.pair(name, "size", size)
  end
  local short = geometry.pair(name, "size", size)[1]
  local long = short * math.max(height, width) // math.min(height, width)
  if max_size then
    if max_size <= short then
      raise(("%s: max_size must be more than size, %d, not %d"):format(name, short, max_size))
    elseif long > max_size then
      short, long = max_size * short // long, max_size
    end
  end
  if height <= width then return {short, long} end
  return {long, short}
end

-- ------------------------------------------------------- padding and crops

--- Left, top, right, bottom.
local function sides_of(name, padding)
  local one = args.whole(padding)
  if one then return {one, one, one, one} end
  local n = type(padding) == "table" and #padding
  if n ~= 1 and n ~= 2 and n ~= 4 then raise(name .. ": padding must be a number or a list of 1, 2 or 4") end
  for i = 1, n do
    if not args.whole(padding[i]) then raise(name .. ": padding must be whole numbers") end
  end
  if n == 1 then return {padding[1], padding[1], padding[1], padding[1]} end
  if n == 2 then return {padding[1], padding[2], padding[1], padding[2]} end
  return padding
end

--- The positions of a line with its neighbours mirrored, ends included.
local function mirrored(name, n, before, after)
  if before > n or after > n then raise(("%s: %d pixels can't be mirrored so far"):format(name, n)) end
  local positions = {}
  for i = before, 1, -1 do positions[#positions + 1] = i end
  for i = 1, n do positions[#positions + 1] = i end
  for i = n, n - after + 1, -1 do positions[#positions + 1] = i end
  return nl.tensor(positions, {dtype = nl.int64})
end

local modes = {constant = "constant", edge = "replicate", reflect = "reflect", symmetric = "symmetric"}

function geometry.pad(name, img, padding, fill, mode)
  local left, top, right, bottom = table.unpack(sides_of(name, padding))
  if not modes[mode] then
    raise(("%s: padding_mode must be constant, edge, reflect or symmetric, not '%s'"):format(name, mode))
  elseif mode == "symmetric" then
    local rows, columns = mirrored(name, img:size(-2), top, bottom), mirrored(name, img:size(-1), left, right)
    return img:index_select(-2, rows):index_select(-1, columns)
  elseif mode == "constant" then
    return F.pad(img, {left, right, top, bottom}, {value = fill})
  end
  local x = img.dtype.is_floating_point and img or img:double()
  local padded = F.pad(x, {left, right, top, bottom}, {mode = modes[mode]})
  return padded:to(img.dtype)
end

function geometry.crop(img, top, left, height, width)
  local rows, columns = img:size(-2), img:size(-1)
  if height < 0 or width < 0 then raise "nl.transforms.functional.crop: height and width must not be negative" end
  local bottom, right = top + height - 1, left + width - 1
  if top >= 1 and left >= 1 and bottom <= rows and right <= columns then
    return img:narrow(-2, top, height):narrow(-1, left, width)
  end
  local shape = {table.unpack(img.shape)}
  shape[#shape - 1], shape[#shape] = height, width
  local made = img:new_zeros(shape)
  local first, last, from, to = math.max(top, 1), math.min(bottom, rows), math.max(left, 1), math.min(right, columns)
  if last >= first and to >= from then
    local part = made:narrow(-2, first - top + 1, last - first + 1):narrow(-1, from - left + 1, to - from + 1)
    part:copy_(img:narrow(-2, first, last - first + 1):narrow(-1, from, to - from + 1))
  end
  return made
end

--- A whole number: half-way the even one, as Python rounds.
function geometry.rounded(x)
  local low = math.floor(x)
  local rest = x - low
  if rest > 0.5 or rest == 0.5 and low % 2 == 1 then low = low + 1 end
  return math.tointeger(low) or low
end

--- Raises unless a value is two numbers, the smaller one first.
function geometry.check_range(name, what, range)
  if type(range) ~= "table" or #range ~= 2 or type(range[1]) ~= "number" or type(range[2]) ~= "number"
    or range[1] > range[2] then
    raise(("%s: %s must be two numbers, the smaller one first"):format(name, what))
  end
end

--- The logarithms of two numbers, as float32.
function geometry.logarithms(range)
  local logs = nl.tensor({range[1], range[2]}, {dtype = nl.float32}):log()
  return logs[1]:item(), logs[2]:item()
end

function geometry.center_crop(img, size)
  local height, width = img:size(-2), img:size(-1)
  local wanted_height, wanted_width = size[1], size[2]
  if wanted_width > width or wanted_height > height then
    img = geometry.pad("nl.transforms.functional.center_crop", img, {
      wanted_width > width and (wanted_width - width) // 2 or 0,
      wanted_height > height and (wanted_height - height) // 2 or 0,
      wanted_width > width and (wanted_width - width + 1) // 2 or 0,
      wanted_height > height and (wanted_height - height + 1) // 2 or 0}, 0, "constant")
    height, width = img:size(-2), img:size(-1)
  end
  local top, left = geometry.rounded((height - wanted_height) / 2), geometry.rounded((width - wanted_width) / 2)
  return geometry.crop(img, top + 1, left + 1, wanted_height, wanted_width)
end

-- --------------------------------------------------------------- matrices

--- What takes a place of the result, from the middle, to the place of the picture that is shown there: six numbers, two
--- rows. The picture is sheared, turned with the clock, made larger, and moved, all about center.
local function inverse_matrix(center, angle, translate, scale, shear)
  local turn, sx, sy = math.rad(angle), math.rad(shear[1]), math.rad(shear[2])
  local cx, cy, tx, ty = center[1], center[2], translate[1], translate[2]
  local a = math.cos(turn - sy) / math.cos(sy)
  local b = -math.cos(turn - sy) * math.tan(sx) / math.cos(sy) - math.sin(turn)
  local c = math.sin(turn - sy) / math.cos(sy)
  local d = -math.sin(turn - sy) * math.tan(sx) / math.cos(sy) + math.cos(turn)
  local m = {d / scale, -b / scale, 0.0, -c / scale, a / scale, 0.0}
  m[3] = m[1] * (-cx - tx) + m[2] * (-cy - ty) + cx
  m[6] = m[4] * (-cx - tx) + m[5] * (-cy - ty) + cy
  return m
end

--- Where places of a result come from, for grid_sample: (1, height, width, 2).
local function grid_of(m, from_height, from_width, height, width, dtype)
  local base = nl.ones(1, height, width, 3, {dtype = dtype})
  local x = nl.linspace(-width * 0.5 + 0.5, width * 0.5 + 0.5 - 1, width)
  local y = nl.linspace(-height * 0.5 + 0.5, height * 0.5 + 0.5 - 1, height)
  base:select(4, 1):copy_(x)
  base:select(4, 2):copy_(y:unsqueeze(-1))
  local theta = nl.tensor(m, {dtype = dtype}):view(1, 2, 3)
  local scaled = theta:transpose(2, 3) / nl.tensor({0.5 * from_width, 0.5 * from_height}, {dtype = dtype})
  return nl.bmm(base:view(1, height * width, 3), scaled):view(1, height, width, 2)
end

--- Pixels by a grid; what comes from outside is filled, mixed by how much of it does.
local function sampled(name, img, grid, mode, fill)
  if mode ~= "nearest" and mode ~= "bilinear" then
    raise(("%s: interpolation must be nearest or bilinear, not '%s'"):format(name, mode))
  end
  local channels, height, width = img:size(-3), grid:size(2), grid:size(3)
  local x = img:to(grid.dtype):reshape(-1, channels, img:size(-2), img:size(-1))
  local n = #x
  grid = grid:expand(n, -1, -1, -1)
  x = nl.cat({x, nl.ones(n, 1, x:size(3), x:size(4), {dtype = x.dtype})}, 2)
  x = F.grid_sample(x, grid, {mode = mode, padding_mode = "zeros", align_corners = false})
  local mask, made = x:narrow(2, channels + 1, 1), x:narrow(2, 1, channels)
  local colour = nl.tensor(type(fill) == "table" and fill or {fill}, {dtype = x.dtype})
  if #colour ~= 1 and #colour ~= channels then
    raise(("%s: fill has %d numbers, but the picture %d channels"):format(name, #colour, channels))
  end
  colour = colour:view(1, -1, 1, 1)
  made = mode == "nearest" and nl.where(mask:lt(0.5), colour, made) or made * mask + (1.0 - mask) * colour
  local shape = {table.unpack(img.shape)}
  shape[#shape - 1], shape[#shape] = height, width
  if not img.dtype.is_floating_point then made = made:round() end
  return made:to(img.dtype):view(shape)
end

local function dtype_for(img)
  return img.dtype.is_floating_point and img.dtype or nl.float32
end

--- A center in pixels as a distance from the middle.
local function from_middle(name, center, img)
  if not center then return {0.0, 0.0} end
  if type(center[1]) ~= "number" or type(center[2]) ~= "number" then raise(name .. ": center must be {x, y}") end
  return {center[1] - img:size(-1) * 0.5, center[2] - img:size(-2) * 0.5}
end

--- Height and width of what a picture covers when it is turned.
local function covered(m, height, width)
  local corners = nl.tensor {{-0.5 * width, -0.5 * height, 1.0}, {-0.5 * width, 0.5 * height, 1.0},
    {0.5 * width, 0.5 * height, 1.0}, {0.5 * width, -0.5 * height, 1.0}}
  local places = nl.matmul(corners, nl.tensor(m):view(2, 3):t())
  local half = nl.tensor {width * 0.5, height * 0.5}
  local least, most = places:amin(1) + half, places:amax(1) + half
  local tol = 1e-4
  local size = nl.ceil((most / tol):trunc() * tol) - nl.floor((least / tol):trunc() * tol)
  return math.tointeger(size[2]:item()), math.tointeger(size[1]:item())
end

--- Raises unless an angle is a number of degrees.
local function check_angle(name, angle)
  if angle ~= angle or math.abs(angle) == math.huge then
    raise(("%s: angle must be a finite number of degrees, not %s"):format(name, tostring(angle)))
  end
end

function geometry.rotate(name, img, angle, mode, expand, center, fill)
  check_angle(name, angle)
  local m = inverse_matrix(from_middle(name, center, img), -angle, {0.0, 0.0}, 1.0, {0.0, 0.0})
  local height, width = img:size(-2), img:size(-1)
  if expand then height, width = covered(m, height, width) end
  local grid = grid_of(m, img:size(-2), img:size(-1), height, width, dtype_for(img))
  return sampled(name, img, grid, mode, fill or 0)
end

function geometry.affine(name, img, angle, translate, scale, shear, mode, fill, center)
  check_angle(name, angle)
  if type(shear) == "number" then shear = {shear, 0.0} end
  if type(shear) ~= "table" or type(shear[1]) ~= "number" then raise(name .. ": shear must be one or two angles") end
  if type(translate[1]) ~= "number" or type(translate[2]) ~= "number" then
    raise(name .. ": translate must be {x, y}")
  elseif scale <= 0 then
    raise(core.format("%s: scale must be above 0, not %g", name, scale))
  end
  local m = inverse_matrix(from_middle(name, center, img), angle, translate, scale, {shear[1], shear[2] or shear[1]})
  local height, width = img:size(-2), img:size(-1)
  local grid = grid_of(m, height, width, height, width, dtype_for(img))
  return sampled(name, img, grid, mode, fill or 0)
end

-- -------------------------------------------------------------- perspective

--- The eight numbers of the perspective that takes four points of a result to four of the picture, all from 0 on.
local function perspective_of(from, to)
  local rows, values = {}, {}
  for i, p in ipairs(to) do
    local x, y, u, v = p[1], p[2], from[i][1], from[i][2]
    rows[2 * i - 1], values[2 * i - 1] = {x, y, 1, 0, 0, 0, -u * x, -u * y}, {u}
    rows[2 * i], values[2 * i] = {0, 0, 0, x, y, 1, -v * x, -v * y}, {v}
  end
  local double = {dtype = nl.float64}
  return nl.linalg.solve(nl.tensor(rows, double), nl.tensor(values, double)):flatten():float():tolist()
end

--- A picture whose four points `from` are seen at the points `to`.
function geometry.perspective(name, img, from, to, mode, fill)
  local m, height, width, options = perspective_of(from, to), img:size(-2), img:size(-1), {dtype = dtype_for(img)}
  local base = nl.ones(1, height, width, 3, options)
  base:select(4, 1):copy_(nl.linspace(0.5, width - 0.5, width))
  base:select(4, 2):copy_(nl.linspace(0.5, height - 0.5, height):unsqueeze(-1))
  base = base:view(1, height * width, 3)
  local above = nl.tensor({{m[1], m[4]}, {m[2], m[5]}, {m[3], m[6]}}, options):unsqueeze(1)
    / nl.tensor({0.5 * width, 0.5 * height}, options)
  local below = nl.tensor({{m[7], m[7]}, {m[8], m[8]}, {1.0, 1.0}}, options):unsqueeze(1)
  local grid = nl.bmm(base, above) / nl.bmm(base, below) - 1.0
  return sampled(name, img, grid:view(1, height, width, 2), mode, fill)
end

return geometry
