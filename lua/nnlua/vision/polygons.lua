-- Polygons and rotated rectangles. Points are tensors or lists (n, 2) of x and y.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local polygons = {}

local raise = core.raise

--- Points as a list of {x, y}.
local function points_of(name, what, value, least)
  local list = core.is_tensor(value) and value.ndim == 2 and value:to(nl.float64):tolist() or value
  if type(list) ~= "table" or #list < (least or 1) then
    raise(("%s: %s must be at least %d points, a tensor or list (n, 2)"):format(name, what, least or 1))
  end
  local points = {}
  for i, point in ipairs(list) do
    local x, y = type(point) == "table" and point[1], type(point) == "table" and point[2]
    if type(x) ~= "number" or type(y) ~= "number" or x ~= x or y ~= y or math.abs(x) == math.huge
      or math.abs(y) == math.huge or #point ~= 2 then
      raise(("%s: point %d of %s must be two finite numbers, x and y"):format(name, i, what))
    end
    points[i] = {x + 0.0, y + 0.0}
  end
  return points
end

local function tensor_of(points)
  return nl.tensor(points, {dtype = nl.float32})
end

--- Twice the area to the left of b on the way from a to c: above 0 where the way turns with the clock (y goes down).
local function turn(a, b, c)
  return (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])
end

--- The corners of the convex hull, with the clock as pictures show it, without points on its sides.
local function hull_of(points)
  local sorted = table.move(points, 1, #points, 1, {})
  table.sort(sorted, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  local hull = {}
  local function add(point, floor)
    while #hull > floor and turn(hull[#hull - 1], hull[#hull], point) <= 0 do hull[#hull] = nil end
    local last = hull[#hull]
    if not last or last[1] ~= point[1] or last[2] ~= point[2] then hull[#hull + 1] = point end
  end
  for _, point in ipairs(sorted) do add(point, 1) end
  local floor = #hull
  for i = #sorted - 1, 1, -1 do add(sorted[i], floor) end
  if #hull > 1 then hull[#hull] = nil end -- the first one again
  return hull
end

local parse_hull = args.parser("nl.vision.convex_hull", {{"points", "any"}})

--- The corners of the convex hull of points, with the clock.
--- Shapes: points (n, 2) of x and y; result float32 (corners, 2)
---     > nl.vision.convex_hull {{1, 1}, {3, 1}, {2, 2}, {3, 3}, {1, 3}}
---     tensor([[1., 1.],
---             [3., 1.],
---             [3., 3.],
---             [1., 3.]])
---@param points Tensor|number[][]
---@return Tensor
function polygons.convex_hull(...)
  return tensor_of(hull_of(points_of("nl.vision.convex_hull", "points", (parse_hull(...)))))
end

-- ----------------------------------------------------------------- rectangles

--- How far points reach along a direction: the least and the most.
local function reach(points, x, y)
  local least, most = math.huge, -math.huge
  for _, point in ipairs(points) do
    local at = point[1] * x + point[2] * y
    least, most = math.min(least, at), math.max(most, at)
  end
  return least, most
end

--- The rectangle around a hull with one side along a direction.
local function rectangle_along(hull, x, y)
  local length = math.sqrt(x * x + y * y)
  x, y = x / length, y / length
  local left, right = reach(hull, x, y)
  local top, bottom = reach(hull, -y, x)
  local across, down = (left + right) / 2, (top + bottom) / 2
  return {center = {across * x - down * y, across * y + down * x}, size = {right - left, bottom - top},
    angle = math.deg(math.atan(y, x))}
end

--- The same rectangle with an angle above 0 and up to 90.
local function with_usual_angle(rect)
  local angle, width, height = rect.angle, rect.size[1], rect.size[2]
  while angle <= 0 do angle, width, height = angle + 90, height, width end
  while angle > 90 do angle, width, height = angle - 90, height, width end
  return {center = rect.center, size = {width, height}, angle = angle}
end

local parse_rect = args.parser("nl.vision.min_area_rect", {{"points", "any"}})

--- The rectangle of least area around points, turned as it need be: a table with center = {x, y}, size = {width,
--- height} and angle, by how many degrees its width is turned with the clock, above 0 and up to 90 (as OpenCV's
--- minAreaRect has it).
--- Shapes: points (n, 2) of x and y
---     > rect = nl.vision.min_area_rect {{2, 0}, {4, 2}, {2, 4}, {0, 2}}
---     > rect.center[1], rect.center[2], rect.angle
---     2.0	2.0	45.0
---@param points Tensor|number[][]
---@return table
function polygons.min_area_rect(...)
  local hull = hull_of(points_of("nl.vision.min_area_rect", "points", (parse_rect(...))))
  local best, least
  if #hull == 1 then return {center = hull[1], size = {0.0, 0.0}, angle = 90.0} end
  for i, a in ipairs(hull) do
    local b = hull[i % #hull + 1]
    local rect = rectangle_along(hull, b[1] - a[1], b[2] - a[2])
    local area = rect.size[1] * rect.size[2]
    if not least or area < least then best, least = rect, area end
  end
  return with_usual_angle(best)
end

local parse_box = args.parser("nl.vision.box_points", {{"rect", "table"}})

--- The corners of a rectangle as min_area_rect gives it, with the clock.
--- Shapes: result float32 (4, 2)
---     > nl.vision.box_points {center = {2, 2}, size = {2, 4}, angle = 90}
---     tensor([[4., 1.],
---             [4., 3.],
---             [0., 3.],
---             [0., 1.]])
---@param rect table
---@return Tensor
function polygons.box_points(...)
  local rect = parse_box(...)
  local name = "nl.vision.box_points"
  local center = points_of(name, "rect.center", {rect.center})[1]
  local size = points_of(name, "rect.size", {rect.size})[1]
  if type(rect.angle) ~= "number" then raise(name .. ": rect.angle must be a number") end
  local x, y = math.cos(math.rad(rect.angle)) / 2, math.sin(math.rad(rect.angle)) / 2
  local points = {}
  for i, sides in ipairs {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} do
    local w, h = sides[1] * size[1], sides[2] * size[2]
    points[i] = {center[1] + w * x - h * y, center[2] + w * y + h * x}
  end
  return tensor_of(points)
end

-- ------------------------------------------------------------------- polygons

--- Area, above 0 with the clock, and the length of all sides.
local function area_of(points)
  local area, length = 0, 0
  for i, a in ipairs(points) do
    local b = points[i % #points + 1]
    area = area + (a[1] * b[2] - b[1] * a[2]) / 2
    length = length + math.sqrt((b[1] - a[1]) ^ 2 + (b[2] - a[2]) ^ 2)
  end
  return area, length
end

local parse_area = args.parser("nl.vision.polygon_area", {{"polygon", "any"}})

--- The area of a polygon, and the length of its sides.
--- Shapes: polygon (n, 2) of x and y
---     > nl.vision.polygon_area {{0, 0}, {4, 0}, {4, 3}}
---     6.0	12.0
---@param polygon Tensor|number[][]
---@return number
---@return number
function polygons.polygon_area(...)
  local area, length = area_of(points_of("nl.vision.polygon_area", "polygon", (parse_area(...)), 3))
  return math.abs(area), length
end

local parse_unclip = args.parser("nl.vision.unclip", {
  {"polygon", "any"}, {"distance", "number?"}, {"ratio", "number", 1.5}, {"arc_tolerance", "number", 0.25},
})

--- The convex hull of a polygon with its sides moved outward by a distance and rounded corners, whose chords are at
--- most arc_tolerance away from their arcs. Without a distance it is area times ratio over the length of the sides, by
--- which text detectors that learn shrunk boxes are undone.
--- Shapes: polygon (n, 2) of x and y; result float32 (m, 2)
---     > grown = nl.vision.unclip({{0, 0}, {4, 0}, {4, 2}, {0, 2}}, 1)
---     > grown:amin(1), grown:amax(1)
---     tensor([-1., -1.])	tensor([5., 3.])
---@param polygon Tensor|number[][]
---@param distance? number
---@param ratio? number
---@param arc_tolerance? number
---@return Tensor
function polygons.unclip(...)
  local polygon, distance, ratio, tolerance = parse_unclip(...)
  local hull = hull_of(points_of("nl.vision.unclip", "polygon", polygon))
  if not distance then
    local area, length = area_of(hull)
    distance = length > 0 and area * ratio / length or 0.0
  end
  if distance < 0 or tolerance <= 0 then
    raise "nl.vision.unclip: distance must not be negative, arc_tolerance must be above 0"
  end
  local step = math.max(2 * math.acos(math.max(1 - tolerance / math.max(distance, tolerance), -1)), 2 * math.pi / 1000)
  local grown = {}
  local function put(corner, angle)
    grown[#grown + 1] = {corner[1] + distance * math.cos(angle), corner[2] + distance * math.sin(angle)}
  end
  for i, corner in ipairs(hull) do
    local before, behind = hull[(i - 2) % #hull + 1], hull[i % #hull + 1]
    -- outward is a quarter against the turn of the hull from each side's direction
    local from = math.atan(corner[2] - before[2], corner[1] - before[1]) - math.pi / 2
    local to = math.atan(behind[2] - corner[2], behind[1] - corner[1]) - math.pi / 2
    if #hull == 1 then from, to = 0, 2 * math.pi end
    while to <= from do to = to + 2 * math.pi end
    local steps = math.max(math.ceil((to - from) / step), 1)
    for k = 0, #hull == 1 and steps - 1 or steps do put(corner, from + (to - from) * k / steps) end
  end
  return tensor_of(grown)
end

local parse_mask = args.parser("nl.vision.polygon_mask", {
  {"polygon", "any"}, {"height", "integer"}, {"width", "integer"},
})

--- Which pixels have their middle in a polygon, or on one of its sides; crossing parts of it are outside in turn.
--- Shapes: polygon (n, 2) of x and y; result bool (height, width)
---     > nl.vision.polygon_mask({{1, 1}, {3, 1}, {1, 3}}, 3, 3):long()
---     tensor([[1, 1, 1],
---             [1, 1, 0],
---             [1, 0, 0]])
---@param polygon Tensor|number[][]
---@param height integer
---@param width integer
---@return Tensor
function polygons.polygon_mask(...)
  local polygon, height, width = parse_mask(...)
  local points = points_of("nl.vision.polygon_mask", "polygon", polygon, 3)
  if height < 0 or width < 0 then raise "nl.vision.polygon_mask: height and width must not be negative" end
  local x = nl.arange(1, width + 1, {dtype = nl.float64}):view(1, -1)
  local y = nl.arange(1, height + 1, {dtype = nl.float64}):view(-1, 1)
  local inside = nl.zeros(height, width, {dtype = nl.bool})
  local on_side = inside:clone()
  for i, a in ipairs(points) do
    local b = points[i % #points + 1]
    local cross = (x - a[1]) * (b[2] - a[2]) - (y - a[2]) * (b[1] - a[1])
    local crosses = y:ge(a[2]):ne(y:ge(b[2]))
    inside = inside:logical_xor(crosses:logical_and(b[2] > a[2] and cross:lt(0) or cross:gt(0)))
    local within = x:ge(math.min(a[1], b[1])):logical_and(x:le(math.max(a[1], b[1])))
      :logical_and(y:ge(math.min(a[2], b[2]))):logical_and(y:le(math.max(a[2], b[2])))
    local near = 1e-9 * (1 + math.abs(b[1] - a[1]) + math.abs(b[2] - a[2]))
    on_side = on_side:logical_or(within:logical_and(cross:abs():le(near)))
  end
  return inside:logical_or(on_side)
end

-- ------------------------------------------------------------------ crop_quad

--- The eight numbers of the perspective that takes a rectangle (0, 0) to (width, height) to four corners, with the
--- clock.
local function perspective(corners, width, height)
  local rows, values = {}, {}
  local from = {{0, 0}, {width, 0}, {width, height}, {0, height}}
  for i, corner in ipairs(corners) do
    local u, v, x, y = from[i][1], from[i][2], corner[1], corner[2]
    rows[#rows + 1], values[#values + 1] = {u, v, 1, 0, 0, 0, -u * x, -v * x}, {x}
    rows[#rows + 1], values[#values + 1] = {0, 0, 0, u, v, 1, -u * y, -v * y}, {y}
  end
  local double = {dtype = nl.float64}
  return nl.linalg.solve(nl.tensor(rows, double), nl.tensor(values, double)):flatten():tolist()
end

local parse_quad = args.parser("nl.vision.crop_quad", {
  {"image", "tensor"}, {"corners", "any"}, {"size", "list?"}, {"mode", "string", "bicubic"},
})

--- What a picture shows between four corners (with the clock, from what becomes the upper left one), as a rectangle of
--- a size {height, width}, by default as long as the quadrangle's longer sides. As OpenCV's warpPerspective with the
--- border repeated, where pixels count from 0.
--- Shapes: image (channels, height, width); result (channels, height', width')
---     > nl.vision.crop_quad(nl.arange(0, 16):view(1, 4, 4), {{2, 2}, {4, 2}, {4, 4}, {2, 4}}, {2, 2}, "bilinear")
---     tensor([[[ 5,  6],
---              [ 9, 10]]])
---@param image Tensor
---@param corners Tensor|number[][]
---@param size? integer[]
---@param mode? string "bilinear", "bicubic" or "nearest"
---@return Tensor
function polygons.crop_quad(...)
  local image, corners, size, mode = parse_quad(...)
  local name = "nl.vision.crop_quad"
  local points = points_of(name, "corners", corners, 4)
  if #points ~= 4 then raise(("%s: four corners are wanted, not %d"):format(name, #points)) end
  if image.ndim ~= 3 or image:numel() == 0 then
    raise(("%s: image has shape %s: (channels, height, width) with pixels is wanted"):format(name, image.shape))
  end
  local function side(i, k) return math.sqrt((points[i][1] - points[k][1]) ^ 2 + (points[i][2] - points[k][2]) ^ 2) end
  local height = args.whole(size and size[1] or math.floor(math.max(side(1, 4), side(2, 3))))
  local width = args.whole(size and size[2] or math.floor(math.max(side(1, 2), side(4, 3))))
  if not height or not width or height < 1 or width < 1 then
    raise(name .. ": size must be {height, width}, each from 1 on, and the corners apart")
  end
  local m = perspective(points, width, height)
  local u = nl.arange(0, width, {dtype = nl.float64}):view(1, -1)
  local v = nl.arange(0, height, {dtype = nl.float64}):view(-1, 1)
  local below = u * m[7] + v * m[8] + 1
  local x, y = (u * m[1] + v * m[2] + m[3]) / below, (u * m[4] + v * m[5] + m[6]) / below
  -- from pixels' middles to what grid_sample counts: -1 and 1 at the borders of the first and the last pixel
  local grid = nl.stack({(2 * x - 1) / image:size(3) - 1, (2 * y - 1) / image:size(2) - 1}, 3):unsqueeze(1)
  local floats = image.dtype.is_floating_point and image or image:float()
  local made = nl.F.grid_sample(floats:unsqueeze(1), grid:to(floats.dtype), {mode = mode, padding_mode = "border",
    align_corners = false}):squeeze(1)
  if image.dtype.is_floating_point then return made end
  if image.dtype == nl.uint8 then made = made:clamp(0, 255) end
  return made:round():to(image.dtype)
end

return polygons
