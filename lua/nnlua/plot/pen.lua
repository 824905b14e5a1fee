-- What marks and axes draw with: values become places in a medium's units, and what is outside of the axes is cut off.

local Pen = {}
Pen.__index = Pen

local max, min = math.max, math.min

--- For axes within a frame (see axes.lua); `list` gets what is drawn.
function Pen.new(axes, frame)
  return setmetatable({axes = axes, frame = frame, medium = frame.medium, list = {}, x_scale = axes.x_scale,
    y_scale = axes.y_scale}, Pen)
end

-- ------------------------------------------------------------------- places

--- From a place on the scale to the medium's units; edges of areas may lie at the very end.
function Pen:edge_x(place)
  local f = self.frame
  return f.left + (place - f.x_low) / (f.x_high - f.x_low) * (f.right - f.left)
end

function Pen:edge_y(place)
  local f = self.frame
  local share = (place - f.y_low) / (f.y_high - f.y_low)
  if self.axes.y_goes_down then return f.top + share * (f.bottom - f.top) end
  return f.bottom - share * (f.bottom - f.top)
end

--- The same for points: on cells the last dot is within.
function Pen:place_x(place)
  local x = self:edge_x(place)
  return self.medium.is_cells and x >= self.frame.right and x < self.frame.right + 0.01 and x - 0.5 or x
end

function Pen:place_y(place)
  local y = self:edge_y(place)
  return self.medium.is_cells and y >= self.frame.bottom and y < self.frame.bottom + 0.01 and y - 0.5 or y
end

-- ------------------------------------------------------------------ cutting

--- The part of a segment between bounds along one axis, as shares; nil if none is.
local function within(from, delta, low, high, first, last)
  if delta == 0 then
    if from < low or from > high then return nil end
    return first, last
  end
  local a, b = (low - from) / delta, (high - from) / delta
  if a > b then a, b = b, a end
  first, last = max(first, a), min(last, b)
  if first > last then return nil end
  return first, last
end

--- The part of a segment within the frame (Liang and Barsky); nil if none is.
local function visible(f, x, y, u, v)
  local first, last = within(x, u - x, f.left, f.right, 0, 1)
  if first then first, last = within(y, v - y, f.top, f.bottom, first, last) end
  if not first then return nil end
  local from_x, from_y, to_x, to_y = x, y, u, v -- as they are where nothing is cut
  if first > 0 then from_x, from_y = x + first * (u - x), y + first * (v - y) end
  if last < 1 then to_x, to_y = x + last * (u - x), y + last * (v - y) end
  return from_x, from_y, to_x, to_y
end

-- ------------------------------------------------------------------ drawing

function Pen:add(kind, entry)
  entry.kind = kind
  self.list[#self.list + 1] = entry
end

--- A line through points of the medium, a flat list; what is outside of the frame is left out.
function Pen:line(points, style)
  local f, piece = self.frame, {}
  local function finish()
    if #piece >= 4 then
      self:add("line", {points = piece, color = style.color, width = style.width or 1.5, dash = style.dash,
        alpha = style.alpha, series = style.series})
    end
    piece = {}
  end
  for i = 1, #points - 2, 2 do
    local x, y, u, v = visible(f, points[i], points[i + 1], points[i + 2], points[i + 3])
    if not x then
      finish()
    else
      if x ~= piece[#piece - 1] or y ~= piece[#piece] then
        finish()
        piece = {x, y}
      end
      piece[#piece + 1], piece[#piece + 2] = u, v
    end
  end
  finish()
end

--- Round dots of a radius.
function Pen:dots(points, radius, style)
  local f, inside = self.frame, {}
  for i = 1, #points, 2 do
    local x, y = points[i], points[i + 1]
    if x >= f.left and x <= f.right and y >= f.top and y <= f.bottom then
      inside[#inside + 1], inside[#inside + 2] = x, y
    end
  end
  if #inside > 0 then
    self:add("dots", {points = inside, radius = radius, color = style.color, alpha = style.alpha,
      series = style.series})
  end
end

--- A rectangle; style: alpha, line (the colour of its edge), series, grows ("up", "down", "right": where a value ends).
function Pen:rect(x, y, width, height, color, style)
  style = style or {}
  self:add("rect", {x = x, y = y, width = width, height = height, color = color, alpha = style.alpha,
    line = style.line, series = style.series, grows = style.grows})
end

--- A rectangle between two places, cut off at the frame.
function Pen:area(x0, y0, x1, y1, color, style)
  local f = self.frame
  local left, right = max(min(x0, x1), f.left), min(max(x0, x1), f.right)
  local top, bottom = max(min(y0, y1), f.top), min(max(y0, y1), f.bottom)
  if right > left and bottom >= top then self:rect(left, top, right - left, bottom - top, color, style) end
end

--- A straight line along an axis.
function Pen:rule(x0, y0, x1, y1, color, style)
  style = style or {}
  self:add("rule", {x0 = x0, y0 = y0, x1 = x1, y1 = y1, color = color, width = style.width or 1, series = style.series,
    is_heavy = style.is_heavy})
end

--- A short mark of an axis: "left", "right" or "down".
function Pen:tick(x, y, direction, length)
  self:add("tick", {x = x, y = y, direction = direction, length = length})
end

--- A text around a point, or ending or beginning there; style: anchor ("start", "middle", "end"), size, angle, color,
--- is_bold.
function Pen:text(x, y, text, style)
  self:add("text", {x = x, y = y, text = text, anchor = style.anchor, size = style.size or self.medium.size,
    angle = style.angle, color = style.color or "text", is_bold = style.is_bold})
end

--- A picture, uint8 (height, width, 3), stretched over a rectangle.
function Pen:picture(x, y, width, height, pixels)
  self:add("picture", {x = x, y = y, width = width, height = height, pixels = pixels})
end

--- A map's colours from the bottom to the top of a rectangle.
function Pen:map_strip(x, y, width, height, map)
  local bytes = {}
  for i = 255, 0, -1 do bytes[#bytes + 1] = string.char(table.unpack(map[i])) end
  local nl = require "nnlua"
  self:picture(x, y, width, height, nl.frombuffer(table.concat(bytes), nl.uint8):view(256, 1, 3))
end

--- What stands for a mark in the legend.
function Pen:sample(mark, x, y, length)
  local style = {color = mark.color, series = mark.series, width = mark.width, dash = mark.dash, alpha = mark.alpha}
  if mark.shape == "line" then
    self:add("line", {points = {x, y, x + length, y}, color = style.color, width = style.width, dash = style.dash,
      series = style.series, is_sample = true})
  elseif mark.shape == "dots" then
    self:add("dots", {points = {x + length / 2, y}, radius = 4, color = style.color, series = style.series,
      is_sample = true})
  else
    local height = self.medium.is_cells and 4 or 10
    self:add("rect", {x = x, y = y - height / 2, width = length, height = height, color = style.color,
      alpha = style.alpha, series = style.series})
  end
end

--- Points of values on both scales as a flat list for each stretch without a gap.
function Pen:stretches(xs, ys)
  local list, stretch = {}, {}
  for i = 1, #ys do
    local x, y = self.x_scale.at(xs[i]), self.y_scale.at(ys[i])
    if x and y then
      stretch[#stretch + 1], stretch[#stretch + 2] = self:place_x(x), self:place_y(y)
    elseif #stretch > 0 then
      list[#list + 1], stretch = stretch, {}
    end
  end
  if #stretch > 0 then list[#list + 1] = stretch end
  return list
end

--- Where areas begin: at zero, or at the lower end of a logarithmic axis.
function Pen:base_y()
  return self.y_scale.at(0) and max(self.frame.y_low, min(self.frame.y_high, 0)) or self.frame.y_low
end

return Pen
