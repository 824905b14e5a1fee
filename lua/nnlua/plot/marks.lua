-- What stands on axes: lines, dots, bars, boxes, matrices. A mark has `extent(x, y)`, which makes room for it, and
-- `draw(pen)`; `label`, `color`, `shape` ("line", "dots", "rect") and `series` (its number) are for the legend.

local axes = require "nnlua.plot.axes"
local colours = require "nnlua.plot.colours"
local scale = require "nnlua.plot.scale"

local marks = {}

local abs, max, min, floor = math.abs, math.max, math.min, math.floor
local include = axes.include

local function kind(methods)
  methods.__index = methods
  return function(mark) return setmetatable(mark, methods) end
end

local function include_points(mark, x, y)
  for i = 1, #mark.y do
    if x.scale.at(mark.x[i]) and y.scale.at(mark.y[i]) then
      include(x, mark.x[i])
      include(y, mark.y[i])
    end
  end
end

-- -------------------------------------------------------------------- lines

local Line = {shape = "line", extent = include_points}

function Line:draw(pen)
  if self.is_faint and pen.medium.is_cells then return end -- cells have no faint lines
  for _, stretch in ipairs(pen:stretches(self.x, self.y)) do
    pen:line(stretch, self)
    if self.marker or #stretch == 2 then pen:dots(stretch, self.marker and 3 or 2.5, self) end
  end
end

--- `x`, `y`, `width`, `dash` (a list of lengths), `marker` (whether points have dots), `is_faint`.
marks.line = kind(Line)

-- --------------------------------------------------------------------- dots

local Dots = {shape = "dots", extent = include_points}

--- The row of texts, each as high as a line, that a height is in.
local function row_of(pen, y)
  return floor(y / pen.medium.line)
end

--- Whether a text whose left end and middle are somewhere has room within the frame, beside those that stand there.
local function has_room(pen, x, y, width)
  local f, height, apart = pen.frame, pen.medium.line, pen.medium.is_cells and 2 or 3
  if x < f.left or x + width > f.right or y - height / 2 < f.top or y + height / 2 > f.bottom then return false end
  local row = row_of(pen, y)
  for near = row - 1, row + 1 do
    for _, other in ipairs(pen.texts[near] or {}) do
      if abs(other.y - y) < height and x < other.x + other.width + apart
        and other.x < x + width + apart then return false end
    end
  end
  return true
end

local function place_text(pen, x, y, width)
  local row = row_of(pen, y)
  pen.texts[row] = pen.texts[row] or {}
  table.insert(pen.texts[row], {x = x, y = y, width = width})
end

--- Texts beside their points, on the side that has room; those that have none on any are left out.
local function draw_texts(self, pen)
  local medium = pen.medium
  local gap, height = medium.is_cells and 2 or self.radius + 3, medium.is_cells and medium.line or medium.line * 0.75
  pen.texts = pen.texts or {} -- those that stand somewhere, by rows
  for i, text in ipairs(self.texts) do
    local x, y = pen.x_scale.at(self.x[i]), pen.y_scale.at(self.y[i])
    local width = medium.text_width(text)
    x, y = x and y and pen:place_x(x), x and y and pen:place_y(y)
    for _, place in ipairs(x and {{x + gap, y}, {x - gap - width, y}, {x - width / 2, y - height},
      {x - width / 2, y + height}} or {}) do
      if has_room(pen, place[1], place[2], width) then
        place_text(pen, place[1], place[2], width)
        pen:text(place[1], place[2], text, {anchor = "start", color = self.color})
        break
      end
    end
  end
end

function Dots:draw(pen)
  local points = {}
  for _, stretch in ipairs(pen:stretches(self.x, self.y)) do table.move(stretch, 1, #stretch, #points + 1, points) end
  pen:dots(points, self.radius, self)
  if self.texts then draw_texts(self, pen) end
end

--- `x`, `y`, `radius`; `texts`, one beside each point.
marks.dots = kind(Dots)

-- --------------------------------------------------------------------- bars

local Bars = {shape = "rect"}

function Bars:extent(x, y)
  if self.is_empty then return end
  local along, across = x, y
  if self.is_lying then along, across = y, x end
  for i = 1, #self.heights do
    include(along, self.from[i])
    include(along, self.to[i])
    include(across, self.heights[i])
  end
  include(across, 0)
  local base = across.scale.at(0)
  across.floor = base and across.low >= base and base or across.floor
  across.ceiling = base and across.high <= base and base or across.ceiling
end

local function draw_standing(self, pen, base)
  for i = 1, #self.heights do
    local top = pen.y_scale.at(self.heights[i])
    local from, to = pen.x_scale.at(self.from[i]), pen.x_scale.at(self.to[i])
    if top and from and to and top ~= base then
      pen:area(pen:edge_x(from), pen:edge_y(top), pen:edge_x(to), pen:edge_y(base), self.color,
        {alpha = self.alpha, series = self.series, grows = top > base and "up" or "down"})
    end
  end
end

local function draw_lying(self, pen)
  for i = 1, #self.heights do
    local v = self.heights[i]
    if v == v and v ~= 0 then
      pen:area(pen:edge_x(0), pen:edge_y(self.from[i]), pen:edge_x(v), pen:edge_y(self.to[i]), self.color,
        {alpha = self.alpha, series = self.series, grows = "right"})
    end
  end
end

function Bars:draw(pen)
  if self.is_lying then draw_lying(self, pen) else draw_standing(self, pen, pen:base_y()) end
end

--- `from`, `to`, `heights`; `is_lying` where they lie along x, `is_empty` where they count nothing.
marks.bars = kind(Bars)

-- -------------------------------------------------------------------- boxes

local Box = {shape = "rect"}

function Box:extent(x, y)
  include(x, self.at - 0.5)
  include(x, self.at + 0.5)
  for _, name in ipairs {"low", "q1", "median", "q3", "high"} do include(y, self[name] or 0 / 0) end
  for _, v in ipairs(self.fliers) do include(y, v) end
end

--- The middle of a cell's columns, so that what is around it is as wide on both sides.
local function on_column(pen, x)
  return pen.medium.is_cells and x // 2 * 2 + 1 or x
end

function Box:draw(pen)
  if not self.median then return end
  local at, half = pen:edge_x(self.at), (pen:edge_x(self.at + 0.25) - pen:edge_x(self.at))
  at = on_column(pen, at)
  if pen.medium.is_cells then half = max(2, half // 2 * 2) end
  local y = {}
  for _, name in ipairs {"low", "q1", "median", "q3", "high"} do
    local place = pen.y_scale.at(self[name])
    y[name] = place and pen:place_y(max(pen.frame.y_low, min(pen.frame.y_high, place)))
  end
  local style = {series = self.series, width = 1.5}
  local function rule(x0, y0, x1, y1, more)
    if y0 and y1 then pen:rule(x0, y0, x1, y1, self.color, more or style) end
  end
  if y.q1 and y.q3 and not pen.medium.is_cells then
    pen:rect(at - half, y.q3, 2 * half, y.q1 - y.q3, self.color, {alpha = 0.2})
  end
  rule(at - half, y.q1, at - half, y.q3)
  rule(at + half, y.q1, at + half, y.q3)
  rule(at - half, y.q1, at + half, y.q1)
  rule(at - half, y.q3, at + half, y.q3)
  rule(at, y.q3, at, y.high)
  rule(at, y.q1, at, y.low)
  local cap = pen.medium.is_cells and 2 or half / 2
  rule(at - cap, y.high, at + cap, y.high)
  rule(at - cap, y.low, at + cap, y.low)
  rule(at - half, y.median, at + half, y.median, {series = self.series, width = 3, is_heavy = true})
  local points = {}
  for _, v in ipairs(self.fliers) do
    local place = pen.y_scale.at(v)
    if place then points[#points + 1], points[#points + 2] = at, pen:place_y(place) end
  end
  pen:dots(points, 2.5, self)
end

--- `at`, `low`, `q1`, `median`, `q3`, `high` (none of them without values), `fliers`.
marks.box = kind(Box)

-- ------------------------------------------------------------------- matrix

local Matrix = {}

function Matrix:extent(x, y)
  include(x, 0.5)
  include(x, self.columns + 0.5)
  include(y, 0.5)
  include(y, self.rows + 0.5)
end

--- The texts of a row that have room: with some space around them, or as wide as a field of cells between narrower
--- ones.
local function fitting(medium, row, width)
  local list, count = {}, 0
  for j, text in ipairs(row) do
    local own = medium.text_width(text)
    local is_alone = medium.is_cells and medium.text_width(row[j - 1] or "") < width
      and medium.text_width(row[j + 1] or "") < width
    if own + (is_alone and 0 or medium.is_cells and 2 or 4) <= width then list[j], count = text, count + 1 end
  end
  return list, count == #row
end

--- The numbers of a matrix as texts for fields of a width: with as many digits as fit into all of them, or
--- else the fewest.
local function texts_within(self, medium, width)
  local rows, fits
  local has_decimals = max(-self.low, self.high) >= 0.5 -- else one decimal says nothing
  for _, digits in ipairs(has_decimals and {3, 2, 1} or {3, 1}) do
    rows, fits = {}, true
    for i, row in ipairs(self.values) do
      local texts, all = {}, nil
      for j, v in ipairs(row) do texts[j] = self.write(v, digits) end
      rows[i], all = fitting(medium, texts, width)
      fits = fits and all
    end
    if fits then break end
  end
  return rows
end

local function annotate(self, pen)
  local width, height = pen:edge_x(2) - pen:edge_x(1), pen:edge_y(2) - pen:edge_y(1)
  if height < pen.medium.line and pen.medium.is_cells then return end -- two rows in a line
  local function is_full(text) return pen.medium.is_cells and pen.medium.text_width(text) >= width end
  for i, row in ipairs(texts_within(self, pen.medium, width)) do
    local last_full = 0
    for j, text in pairs(row) do last_full = is_full(text) and max(last_full, j) or last_full end
    for j, text in pairs(row) do
      local by = j < last_full and -1 or 0 -- half a column away from it, where the middle is between two columns
      pen:text(pen:edge_x(j) + by, (pen:edge_y(i - 0.5) + pen:edge_y(i + 0.5)) / 2, text,
        {anchor = "middle", color = pen.medium.is_plain and "text"
          or colours.on(colours.in_map(self.map, self.values[i][j], self.low, self.high))})
    end
  end
end

function Matrix:draw(pen)
  local x, y = pen:edge_x(0.5), pen:edge_y(0.5)
  if not (self.write and pen.medium.is_plain) then
    pen:picture(x, y, pen:edge_x(self.columns + 0.5) - x, pen:edge_y(self.rows + 0.5) - y, self.pixels)
  end
  if self.write then annotate(self, pen) end
end

--- `rows`, `columns`, `pixels` (uint8, (rows, columns, 3)), `map`, `low`, `high`; to have numbers in the fields,
--- `values` and `write(v, digits)`.
marks.matrix = kind(Matrix)

-- ------------------------------------------------------------------ helpers

--- Quartiles as NumPy's percentile has them, the ends of whiskers (the outermost values within 1.5 times the distance
--- of the quartiles) and what is beyond.
function marks.quartiles(values)
  local sorted = {}
  for _, v in ipairs(values) do
    if scale.linear.at(v) then sorted[#sorted + 1] = v end
  end
  if #sorted == 0 then return {fliers = {}} end
  table.sort(sorted)
  local function quantile(q)
    local at = 1 + q * (#sorted - 1)
    local i = floor(at)
    local upper = sorted[min(i + 1, #sorted)]
    return sorted[i] + (at - i) * (upper - sorted[i])
  end
  local box = {q1 = quantile(0.25), median = quantile(0.5), q3 = quantile(0.75), fliers = {}}
  local reach = 1.5 * (box.q3 - box.q1)
  for _, v in ipairs(sorted) do
    if v < box.q1 - reach or v > box.q3 + reach then box.fliers[#box.fliers + 1] = v
    else
      box.low = box.low or v
      box.high = v
    end
  end
  return box
end

return marks
