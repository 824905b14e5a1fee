-- Pictures in rows: what tensors they are made of, and where each stands.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local pixels = require "nnlua.plot.pixels"

local images = {}

local raise = core.raise
local max, min, floor, ceil = math.max, math.min, math.floor, math.ceil

local NAME = "nl.plot.image"
local MOST = 1000

local function is_planes(n) return n == 1 or n == 3 or n == 4 end

--- The pictures of a tensor: a list of (height, width) and (channels, height, width).
local function parted(x)
  local n = x.ndim
  if x:numel() == 0 or n < 2 or n > 4 or n == 4 and not is_planes(x:size(2)) then
    raise(("%s: x has shape %s: (height, width), (channels, height, width) or (pictures, channels, height, width), "
      .. "of 1, 3 or 4 channels, is wanted"):format(NAME, x.shape))
  end
  if n == 2 or n == 3 and is_planes(x:size(1)) then return {x} end
  return {x:unbind(1)}
end

local function as_tensor(value)
  if core.is_tensor(value) then return value end
  if type(value) == "table" and getmetatable(value) == nil then
    local ok, made = pcall(nl.tensor, value)
    if ok then return made end
  end
  raise(("%s: x must be a tensor or a list of tensors, not %s"):format(NAME, core.describe(value)))
end

local function all_of(value)
  local list = {}
  if type(value) == "table" and getmetatable(value) == nil and core.is_tensor(value[1]) then
    for i = 1, #value do
      local parts = parted(as_tensor(value[i]))
      table.move(parts, 1, #parts, #list + 1, list)
    end
  else
    list = parted(as_tensor(value))
  end
  if #list > MOST then raise(("%s: at most %d pictures are shown, and there are %d"):format(NAME, MOST, #list)) end
  return list
end

--- Least and greatest over all pictures.
local function common_limits(list, vmin, vmax)
  local low, high = math.huge, -math.huge
  for _, x in ipairs(list) do
    local least, greatest = pixels.picture_limits(NAME, pixels.elements(NAME, "x", x), x.dtype, vmin, vmax)
    low, high = min(low, least), max(high, greatest)
  end
  return low, high
end

--- Pixels of all pictures, (height, width, 3) each.
function images.of(value, map, vmin, vmax)
  local list = all_of(value)
  local low, high = common_limits(list, vmin, vmax)
  for i, x in ipairs(list) do
    local elements = pixels.elements(NAME, "x", x)
    if x.ndim == 3 and x:size(1) > 1 then list[i] = pixels.of_planes(elements, low, high)
    else list[i] = pixels.of_matrix(x.ndim == 3 and elements[1] or elements, map, low, high) end
  end
  return list
end

-- ------------------------------------------------------------------- layout

local function largest(list)
  local height, width = 1, 1
  for _, x in ipairs(list) do height, width = max(height, x:size(1)), max(width, x:size(2)) end
  return height, width
end

local function has_titles(self) return #self.images.titles > 0 end

--- How many stand in a row of so many pixels, and how many of them a picture's pixel takes.
local function columns_of(self, room, gap)
  local list = self.images.list
  local _, width = largest(list)
  local columns = min(self.images.nrow or 8, #list)
  local function factor() return (room - gap * (columns - 1)) / columns / width end
  local least = min(1, max(0.5, 24 / width))
  while not self.images.nrow and columns > 1 and factor() < least do columns = columns - 1 end
  return columns, factor()
end

local GAP = 6

--- The size of a picture of so many pixels' width.
function images.size(self, width)
  local list = self.images.list
  local height, own = largest(list)
  local columns, factor = columns_of(self, width - 20, GAP)
  factor = min(factor, 400 / height)
  local rows = ceil(#list / columns)
  local title = (self.title and 26 or 0) + (has_titles(self) and 18 * rows or 0)
  local all = rows * height * factor + (rows - 1) * GAP + 20 + title
  return ceil(max(columns * own * factor + (columns - 1) * GAP + 20, self.title and 320 or 60)), ceil(min(all, 20000))
end

--- Where pictures stand: `left`, `top` of the first one, `step_x`, `step_y` between them, a pixel's `factor`.
local function layout_of(self, medium)
  local list, gap, unit = self.images.list, medium.is_cells and 2 or GAP, medium.is_cells and 2 or 1
  local height, width = largest(list)
  local place = {top = medium.pad + (self.title and medium.title_line or 0)}
  place.title = has_titles(self) and (medium.is_cells and 4 or 18) or 0
  place.columns, place.factor = columns_of(self, (medium.width - 2 * medium.pad) / unit, gap / unit)
  local rows = ceil(#list / place.columns)
  if medium.is_cells then
    if #list == 1 then place.factor = min(place.factor, (medium.height - place.top - place.title) / 2 / height) end
    if place.factor >= 1 then place.factor = floor(place.factor) end
  else
    local room = medium.height - place.top - medium.pad - (rows - 1) * gap - rows * place.title
    place.factor = min(place.factor, room / rows / height)
  end
  place.factor = place.factor * unit
  place.step_x = width * place.factor + gap
  place.step_y = height * place.factor + gap + place.title
  if medium.is_cells then place.step_y = ceil((height * place.factor + place.title) / 4) * 4 end
  place.left = max(medium.pad, (medium.width - place.columns * place.step_x + gap) / 2)
  if medium.is_cells then place.left = #list == 1 and 0 or place.left // 2 * 2 end
  return place
end

--- The rows of cells that pictures take, however high the terminal is.
function images.rows(self, medium)
  local place = layout_of(self, medium)
  return ceil((place.top + ceil(#self.images.list / place.columns) * place.step_y) / 4)
end

--- What is drawn for a medium.
function images.draw(self, medium)
  local place, drawn = layout_of(self, medium), {}
  if self.title then
    drawn[1] = {kind = "text", x = medium.is_cells and 0 or medium.width / 2,
      y = medium.is_cells and 2 or medium.pad + medium.title_line / 2 - 2, text = self.title,
      anchor = medium.is_cells and "start" or "middle", size = medium.title_size, color = "text", is_bold = true}
  end
  for i, x in ipairs(self.images.list) do
    local left = place.left + (i - 1) % place.columns * place.step_x
    local top = place.top + (i - 1) // place.columns * place.step_y
    local title = self.images.titles[i]
    if title then
      table.insert(drawn, {kind = "text", x = left + (medium.is_cells and 0 or x:size(2) * place.factor / 2),
        y = top + place.title / 2, text = title, anchor = medium.is_cells and "start" or "middle", size = medium.size,
        color = "text"})
    end
    table.insert(drawn, {kind = "picture", x = left, y = top + place.title, width = x:size(2) * place.factor,
      height = x:size(1) * place.factor, pixels = x})
  end
  return drawn
end

return images
