-- Axes: from marks and options to what is drawn, for a medium of some size whose letters have some size. All media draw
-- the same list: lines, rules (straight, along an axis), ticks, dots, rects, texts and pictures.
--
-- A medium has `width` and `height` in its units, `line` (the height of a line of text), `gap` (between text and what
-- it belongs to), `tick` (the length of a mark), `text_width(text, size)`, and `is_cells` where a letter has its place
-- in a grid of cells, 2 units wide and 4 high. Colours are {r, g, b}, or roles of the theme: "text", "frame", "grid".

local pen = require "nnlua.plot.pen"
local scale = require "nnlua.plot.scale"

local axes = {}

local max, min, floor, ceil, huge = math.max, math.min, math.floor, math.ceil, math.huge
local MORE_ROOM = 26 -- what "and 12 more" takes in a legend, with the space around it

-- ------------------------------------------------------------------- limits

--- Collects where values lie along one axis.
local function new_bounds(scale_of)
  return {scale = scale_of, low = huge, high = -huge}
end

--- Makes room for a value.
function axes.include(bounds, v)
  local place = bounds.scale.at(v)
  if not place then return end
  if place < bounds.low then bounds.low = place end
  if place > bounds.high then bounds.high = place end
end

--- The ends of an axis: of what its marks need and what the user wants.
local function limits_of(bounds, wanted, margin)
  local low, high = bounds.low, bounds.high
  local is_empty = low > high
  if is_empty then low, high = bounds.scale.at(1), bounds.scale.at(10) end
  low, high = bounds.scale.apart(low, high)
  local by = (high - low) * margin
  if not (bounds.floor and low >= bounds.floor) then low = low - by end
  if not (bounds.ceiling and high <= bounds.ceiling) then high = high + by end
  if wanted[1] then low = bounds.scale.at(wanted[1]) end
  if wanted[2] then high = bounds.scale.at(wanted[2]) end
  return low, high, is_empty
end

-- ------------------------------------------------------------------- layout

local function widest(medium, ticks)
  local width = 0
  for _, tick in ipairs(ticks) do width = max(width, tick.text and medium.text_width(tick.text) or 0) end
  return width
end

--- Marks of an axis that has a text for each of its places 1, 2, …: every so many, that as many as fit are shown.
local function category_ticks(names, most)
  local stride, ticks = max(1, ceil(#names / max(1, most))), {}
  for i = 1, #names, stride do ticks[#ticks + 1] = {at = i, text = names[i]} end
  return ticks
end

local function y_ticks(self, frame)
  local room = frame.bottom - frame.top
  if self.y_names then return category_ticks(self.y_names, room // frame.medium.line) end
  local most = max(2, floor(room / (frame.medium.line * (frame.medium.is_cells and 2.5 or 2.6))))
  return self.y_scale.ticks(frame.y_low, frame.y_high, most, self.y_is_whole)
end

--- Whether the texts of ticks stand apart.
local function fit(frame, ticks)
  local medium = frame.medium
  local factor, before = (frame.right - frame.left) / (frame.x_high - frame.x_low), -huge
  for _, tick in ipairs(ticks) do
    if tick.text then
      local half, at = medium.text_width(tick.text) / 2, (tick.at - frame.x_low) * factor
      if at - half < before then return false end
      before = at + half + (medium.is_cells and 2 or 8)
    end
  end
  return true
end

--- Texts cut to the room that each has.
local function cut(ticks, medium, room)
  for _, tick in ipairs(ticks) do
    local text = tick.text
    while medium.text_width(text) > room and utf8.len(text) > 1 do
      text = text:sub(1, utf8.offset(text, -1) - 1)
      tick.text = text .. (utf8.len(text) > 1 and "…" or "")
      if medium.text_width(tick.text) <= room then break end
    end
  end
end

local function x_name_ticks(self, frame)
  local n, medium = #self.x_names, frame.medium
  local ticks = category_ticks(self.x_names, n)
  if fit(frame, ticks) then return ticks end
  local room = (frame.right - frame.left) / n
  if not medium.is_cells and room >= medium.line then
    frame.x_is_turned = true
    return ticks
  end
  if medium.is_cells and room >= 8 then
    cut(ticks, medium, room - 2)
    return ticks
  end
  for stride = 2, n do
    ticks = category_ticks(self.x_names, ceil(n / stride))
    if fit(frame, ticks) then break end
  end
  return ticks
end

local function x_ticks(self, frame)
  if self.x_names then return x_name_ticks(self, frame) end
  for most = max(2, floor((frame.right - frame.left) / (frame.medium.is_cells and 13 or 55))), 2, -1 do
    local ticks = self.x_scale.ticks(frame.x_low, frame.x_high, most, self.x_is_whole)
    if fit(frame, ticks) then return ticks end
  end
  return self.x_scale.ticks(frame.x_low, frame.x_high, 1, self.x_is_whole)
end

--- The entries of the legend: marks that have a label, each label once.
local function legend_entries(self)
  local list, seen = {}, {}
  for _, mark in ipairs(self.marks) do
    if mark.label and not seen[mark.label] then
      seen[mark.label] = true
      list[#list + 1] = mark
    end
  end
  return self.legend ~= false and list or {}
end

--- The rows of a legend above the axes, for cells: lists of entries, in a quarter of the height at most, and how many
--- entries there is no room for.
local function legend_rows(medium, entries)
  local rows, width, most = {}, huge, max(1, medium.height // medium.line // 4)
  for i, mark in ipairs(entries) do
    local own = medium.text_width(mark.label) + 10
    local needed = #rows == most and i < #entries and own + MORE_ROOM or own -- in the last row, also for "and 3 more"
    if width + needed > medium.width then
      if #rows == most then return rows, #entries - i + 1 end
      rows[#rows + 1], width = {}, 0
    end
    table.insert(rows[#rows], mark)
    width = width + own
  end
  return rows, 0
end

--- Above and below the axes: title, legend and labels.
local function rooms_across(self, frame)
  local medium = frame.medium
  frame.top, frame.bottom = medium.pad, medium.height - medium.pad
  if self.title then frame.top = frame.top + medium.title_line end
  if medium.is_cells then
    frame.legend_top = frame.top
    frame.legend_rows, frame.legend_left_out = legend_rows(medium, frame.entries)
    frame.top = frame.top + #frame.legend_rows * medium.line
    if self.ylabel then frame.top = frame.top + medium.line end
    frame.bottom = frame.bottom - medium.line -- the axis itself
  end
  if self.xlabel then frame.bottom = frame.bottom - medium.line - medium.gap / 2 end
  frame.bottom = frame.bottom - medium.line - medium.gap - medium.tick
end

--- Beside the axes: labels, the colour bar.
local function rooms_along(self, frame)
  local medium = frame.medium
  frame.y_ticks = y_ticks(self, frame)
  if self.y_names then cut(frame.y_ticks, medium, medium.width / 3) end
  frame.left = medium.pad + widest(medium, frame.y_ticks) + medium.gap + medium.tick
  if medium.is_cells then frame.left = frame.left + 2 -- the axis itself
  elseif self.ylabel then frame.left = frame.left + medium.line + medium.gap / 2 end
  frame.right = medium.width - medium.pad - (medium.is_cells and 0 or 6)
  if self.colour_bar then
    local ticks = scale.linear.ticks(self.colour_bar.low, self.colour_bar.high, medium.is_cells and 3 or 6)
    frame.bar_ticks, frame.bar_right = ticks, frame.right - widest(medium, ticks) - medium.gap - medium.tick
    frame.right = frame.bar_right - (medium.is_cells and 6 or 28)
  end
end

--- Room for texts that are turned: they go down to the left from where their mark is.
local function turned_room(frame, ticks)
  if frame.x_is_turned then frame.bottom = frame.bottom - min(widest(frame.medium, ticks) * 0.64, 90) end
end

--- The axes of whole cells for each bar: those of one width look better than a finer place.
local function whole_columns(self, frame)
  local n = self.matrix and self.matrix.columns or self.x_names and #self.x_names
  if not n or n == 0 or not frame.medium.is_cells then return end
  local columns = (frame.right - frame.left) // 2 // n
  if columns >= (self.matrix and 1 or 3) then frame.right = frame.left + columns * n * 2 end
end

--- A matrix on cells: whole halves of rows for each of its rows.
local function whole_rows(self, frame)
  local n = self.matrix and self.matrix.rows
  if not n or not frame.medium.is_cells then return end
  local halves = (frame.bottom - frame.top) // 2 // n
  if self.matrix.is_annotated and halves >= 2 then halves = halves // 2 * 2 end
  if halves >= 1 then frame.bottom = frame.top + ceil(halves * n / 2) * 4 end
  if halves >= 1 and halves * n % 2 == 1 then frame.y_high = frame.y_high + 1 / halves end
end

local function bounds_of(self)
  local x, y = new_bounds(self.x_scale), new_bounds(self.y_scale)
  for _, mark in ipairs(self.marks) do mark:extent(x, y) end
  if self.x_names then
    axes.include(x, 0.5)
    axes.include(x, #self.x_names + 0.5)
  end
  return x, y
end

--- Where all is: the ends of the axes and of the place that they take.
local function frame_of(self, medium)
  local x, y = bounds_of(self)
  local frame = {medium = medium, entries = legend_entries(self)}
  local x_empty, y_empty
  local is_tight = self.matrix or self.x_names
  frame.x_low, frame.x_high, x_empty = limits_of(x, self.xlim, is_tight and 0 or 0.02)
  frame.y_low, frame.y_high, y_empty = limits_of(y, self.ylim, self.matrix and 0 or 0.05)
  frame.is_empty = x_empty or y_empty
  rooms_across(self, frame)
  rooms_along(self, frame)
  whole_columns(self, frame)
  whole_rows(self, frame)
  if frame.bar_right and medium.is_cells then frame.bar_right = frame.right + 6 end
  frame.right, frame.bottom = max(frame.right, frame.left + 4), max(frame.bottom, frame.top + 4)
  frame.x_ticks = x_ticks(self, frame)
  turned_room(frame, frame.x_ticks)
  if frame.x_is_turned then frame.y_ticks = y_ticks(self, frame) end
  return frame
end

-- ----------------------------------------------------------------- drawing

local function draw_y_axis(self, p, frame)
  local medium, edge = frame.medium, frame.left - (frame.medium.is_cells and 1 or 0)
  for _, tick in ipairs(frame.y_ticks) do
    local y = p:place_y(tick.at)
    if not tick.is_small and self.grid and not medium.is_cells then
      p:rule(frame.left, y, frame.right, y, "grid")
    end
    p:tick(edge, y, "left", medium.tick * (tick.is_small and 0.6 or 1))
    if tick.text then p:text(edge - medium.tick - max(medium.gap, 1), y, tick.text, {anchor = "end"}) end
  end
end

local function draw_x_axis(self, p, frame)
  local medium, edge = frame.medium, frame.bottom + (frame.medium.is_cells and 2 or 0)
  for _, tick in ipairs(frame.x_ticks) do
    local x = p:place_x(tick.at)
    if not tick.is_small and self.grid and not self.x_names and not medium.is_cells then
      p:rule(x, frame.top, x, frame.bottom, "grid")
    end
    p:tick(x, edge, "down", medium.tick * (tick.is_small and 0.6 or 1))
    local below = edge + medium.tick + medium.gap + (medium.is_cells and medium.line or medium.line / 2)
    if tick.text and frame.x_is_turned then
      p:text(x + 3, edge + medium.tick + medium.gap + 2, tick.text, {anchor = "end", angle = -40})
    elseif tick.text then
      local half = medium.text_width(tick.text) / 2
      p:text(max(half, min(x, medium.width - half)), below, tick.text, {anchor = "middle"})
    end
  end
end

local function draw_labels(self, p, frame)
  local medium, middle = frame.medium, (frame.left + frame.right) / 2
  if self.title then
    local y = medium.pad + (medium.is_cells and 2 or medium.title_line / 2 - 2)
    local x = medium.is_cells and medium.width / 2 or middle
    p:text(x, y, self.title, {anchor = "middle", size = medium.title_size, is_bold = true})
  end
  if self.xlabel then
    local y = medium.is_cells and frame.bottom + 2.5 * medium.line or medium.height - medium.pad - medium.line / 2
    p:text(middle, y, self.xlabel, {anchor = "middle"})
  end
  if self.ylabel and medium.is_cells then
    p:text(0, frame.top - 2, self.ylabel, {anchor = "start"})
  elseif self.ylabel then
    p:text(medium.pad + medium.line / 2, (frame.top + frame.bottom) / 2, self.ylabel, {anchor = "middle", angle = -90})
  end
end

local function draw_frame(self, p, frame)
  local left, bottom = frame.left, frame.bottom
  if frame.medium.is_cells then left, bottom = left - 1, bottom + 2 end
  if self.matrix and not frame.medium.is_cells then return end
  p:rule(left, frame.top, left, bottom, "frame")
  p:rule(left, bottom, frame.right - (frame.medium.is_cells and 1 or 0), bottom, "frame")
end

-- ------------------------------------------------------------------- legend

local function draw_legend_rows(p, frame)
  local medium = frame.medium
  for i, row in ipairs(frame.legend_rows) do
    local width = i == #frame.legend_rows and frame.legend_left_out > 0 and MORE_ROOM - 4 or -4
    for _, mark in ipairs(row) do width = width + medium.text_width(mark.label) + 10 end
    local x = max(0, (medium.width - width) // 4 * 2)
    local y = frame.legend_top + (i - 1) * medium.line + medium.line / 2
    for _, mark in ipairs(row) do
      p:sample(mark, x, y, 4)
      p:text(x + 6, y, mark.label, {anchor = "start"})
      x = x + medium.text_width(mark.label) + 10
    end
    if i == #frame.legend_rows and frame.legend_left_out > 0 then
      p:text(x, y, ("and %d more"):format(frame.legend_left_out), {anchor = "start"})
    end
  end
end

--- How many points of lines and dots lie in a rectangle.
local function points_within(list, left, top, right, bottom)
  local n = 0
  for _, one in ipairs(list) do
    local points = (one.kind == "line" or one.kind == "dots") and one.points or {}
    for i = 1, #points, 2 do
      local x, y = points[i], points[i + 1]
      if x >= left and x <= right and y >= top and y <= bottom then n = n + 1 end
    end
    if one.kind == "rect" and one.x < right and one.x + one.width > left and one.y < bottom
      and one.y + one.height > top then n = n + 50 end
  end
  return n
end

--- The corner in which the legend hides least.
local function best_corner(p, frame, width, height)
  local best, least
  local inset = 8
  for _, x in ipairs {frame.right - inset - width, frame.left + inset} do
    for _, y in ipairs {frame.top + inset, frame.bottom - inset - height} do
      local n = points_within(p.list, x, y, x + width, y + height)
      if not least or n < least then best, least = {x, y}, n end
    end
  end
  return best[1], best[2]
end

local function draw_legend_box(p, frame)
  local medium, entries, width = frame.medium, frame.entries, 0
  for _, mark in ipairs(entries) do width = max(width, medium.text_width(mark.label)) end
  width = width + 46
  local height = #entries * (medium.line + 2) + 8
  local x, y = best_corner(p, frame, width, height)
  p:rect(x, y, width, height, "paper", {alpha = 0.85, line = "grid"})
  for i, mark in ipairs(entries) do
    local middle = y + 4 + (i - 0.5) * (medium.line + 2)
    p:sample(mark, x + 8, middle, 22)
    p:text(x + 38, middle, mark.label, {anchor = "start"})
  end
end

local function draw_legend(p, frame)
  if #frame.entries == 0 then return end
  if frame.medium.is_cells then draw_legend_rows(p, frame) else draw_legend_box(p, frame) end
end

local function draw_colour_bar(self, p, frame)
  local bar, medium = self.colour_bar, frame.medium
  local width, right = medium.is_cells and 4 or 14, frame.bar_right
  p:map_strip(right - width, frame.top, width, frame.bottom - frame.top, bar.map)
  for _, tick in ipairs(frame.bar_ticks) do
    local share = bar.high > bar.low and (tick.at - bar.low) / (bar.high - bar.low) or 0.5
    local y = frame.bottom - share * (frame.bottom - frame.top)
    if medium.is_cells then y = min(y, frame.bottom - 1) else p:tick(right, y, "right", medium.tick) end
    p:text(right + medium.tick + medium.gap, y, tick.text, {anchor = "start"})
  end
end

--- What is drawn for a medium: a list, in order.
function axes.draw(self, medium)
  local frame = frame_of(self, medium)
  local p = pen.new(self, frame)
  draw_y_axis(self, p, frame)
  draw_x_axis(self, p, frame)
  for _, mark in ipairs(self.marks) do mark:draw(p) end
  draw_frame(self, p, frame)
  draw_labels(self, p, frame)
  draw_legend(p, frame)
  if self.colour_bar then draw_colour_bar(self, p, frame) end
  if frame.is_empty then
    p:text((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2, "no values to show", {anchor = "middle"})
  end
  return p.list
end

return axes
