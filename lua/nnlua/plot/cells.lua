-- A list of what is drawn (axes.lua) as lines of a terminal: braille dots, blocks, lines of boxes, letters. A cell has
-- 2 x 4 dots; pictures have two pixels in one.

local nl = require "nnlua"
local sgr = require "nnlua.plot.sgr"
local terminal_text = require "nnlua.utils.terminal_text"

local floor, max, min, abs = math.floor, math.max, math.min, math.abs
local char, concat = utf8.char, table.concat

local cells = {}

-- ------------------------------------------------------------------- canvas

-- Of the cell at row r and column c (from 0) number r * columns + c has: `dots` (bits of its braille sign), `rules`
-- (bits of the directions that a line leaves in), `glyphs` (a text), `colours` and `backs`, `series`.
local function new_canvas(columns, rows, colour_count, has_several)
  return {columns = columns, rows = rows, count = colour_count, has_several = has_several, dots = {}, rules = {},
    glyphs = {}, colours = {}, backs = {}, series = {}, heavy = {}}
end

local function index_of(canvas, column, row)
  if column < 0 or column >= canvas.columns or row < 0 or row >= canvas.rows then return nil end
  return row * canvas.columns + column
end

-- Bits of a braille sign by (y % 4) * 2 + x % 2.
local dot_bits = {[0] = 0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80}

local function set_dot(canvas, x, y, one)
  local i = index_of(canvas, x // 2, y // 4)
  if not i or canvas.glyphs[i] then return end
  canvas.dots[i] = (canvas.dots[i] or 0) | dot_bits[y % 4 * 2 + x % 2]
  canvas.colours[i], canvas.series[i] = one.color, one.series
end

local function set_glyph(canvas, column, row, text, colour)
  local i = index_of(canvas, column, row)
  if not i then return end
  canvas.glyphs[i], canvas.colours[i] = text, colour
end

-- ------------------------------------------------------------------ drawing

local draw = {}

--- Dots along a segment; of dashed lines every other few are left out.
local function segment(canvas, x, y, u, v, one, done)
  local steps = max(abs(u - x), abs(v - y))
  for k = 0, steps do
    if not one.dash or (done + k) % 6 < 3 then
      local share = steps > 0 and k / steps or 0
      set_dot(canvas, floor(x + (u - x) * share + 0.5), floor(y + (v - y) * share + 0.5), one)
    end
  end
  return done + steps
end

local samples = {line = "──", dots = " •"}

function draw.line(canvas, one)
  local points, done = one.points, 0
  if one.is_sample then
    return cells.sample(canvas, points[1] // 2, points[2] // 4, one)
  end
  for i = 1, #points - 2, 2 do
    local x, y, u, v = table.unpack(points, i, i + 3)
    done = segment(canvas, floor(x), floor(y), floor(u), floor(v), one, done)
  end
end

--- Few dots are drawn as signs, many as dots of braille.
function draw.dots(canvas, one)
  local points = one.points
  if one.is_sample then return cells.sample(canvas, points[1] // 2 - 1, points[2] // 4, one) end
  local is_large = #points <= 300 and one.radius > 2
  for i = 1, #points, 2 do
    local x, y = floor(points[i]), floor(points[i + 1])
    if is_large then
      local at = index_of(canvas, x // 2, y // 4)
      if at then
        set_glyph(canvas, x // 2, y // 4, cells.glyph_of(canvas, one.series) or "•", one.color)
        canvas.series[at] = one.series
      end
    else
      set_dot(canvas, x, y, one)
    end
  end
end

-- What tells series apart where there are no colours.
local signs = {"•", "+", "×", "o", "*", "#", "@", "=", "%", "&"}
local fills = {"█", "▒", "░", "▓"}

function cells.glyph_of(canvas, series)
  if canvas.count > 0 or not canvas.has_several or not series then return nil end
  return signs[(series - 1) % #signs + 1]
end

--- What stands for a line or dots in the legend.
function cells.sample(canvas, column, row, one)
  local sign = cells.glyph_of(canvas, one.series)
  local text = sign and sign .. sign or samples[one.kind]
  if sign and one.kind == "dots" then text = " " .. sign end
  for _, code in utf8.codes(text) do
    set_glyph(canvas, column, row, char(code), one.color)
    column = column + 1
  end
end

local upward = {[0] = " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
local rightward = {[0] = " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"}

local function fill_of(canvas, one)
  if canvas.count > 0 or not canvas.has_several or not one.series then return "█" end
  return fills[(one.series - 1) % #fills + 1]
end

--- Too narrow for cells: as dots.
local function fill_dots(canvas, one)
  for x = floor(one.x + 0.5), max(floor(one.x + 0.5), floor(one.x + one.width + 0.5) - 1) do
    for y = floor(one.y + 0.5), floor(one.y + one.height + 0.5) - 1 do set_dot(canvas, x, y, one) end
  end
end

--- Eighths of a cell that a length along an axis covers of the cell that begins `at`.
local function eighths(from, to, at, size)
  local covered = (min(to, at + size) - max(from, at)) / size
  return max(0, min(8, floor(covered * 8 + 0.5)))
end

--- A part of a cell: what filled it before stays behind it.
local function set_part(canvas, column, row, text, one)
  local i = index_of(canvas, column, row)
  if i and canvas.glyphs[i] == "█" then canvas.backs[i] = canvas.colours[i] end
  set_glyph(canvas, column, row, text, one.color)
end

local function standing(canvas, one, first, last)
  local fill, bottom = fill_of(canvas, one), one.y + one.height
  for row = floor(one.y / 4), floor((bottom - 0.01) / 4) do
    local n = eighths(one.y, bottom, row * 4, 4)
    local text = n == 8 and fill or upward[n]
    if one.grows == "down" and n < 8 then text = n >= 6 and fill or n >= 2 and "▀" or " " end
    if fill ~= "█" and n < 8 then text = n >= 4 and fill or " " end
    for column = first, last do
      if text ~= " " then set_part(canvas, column, row, text, one) end
    end
  end
end

local function lying(canvas, one, first, last)
  local fill, right = fill_of(canvas, one), one.x + one.width
  local top = floor(one.y / 4 + 0.5)
  for row = top, max(top, floor((one.y + one.height) / 4 + 0.5) - 1) do
    for column = first, last do
      local n = eighths(one.x, right, column * 2, 2)
      local text = n == 8 and fill or fill == "█" and rightward[n] or n >= 4 and fill or " "
      if text ~= " " then set_glyph(canvas, column, row, text, one.color) end
    end
  end
end

function draw.rect(canvas, one)
  local first = floor(one.x / 2 + 0.5)
  local last = max(first, floor((one.x + one.width) / 2 + 0.5) - 1)
  if one.grows == "right" then return lying(canvas, one, floor(one.x / 2), floor((one.x + one.width - 0.01) / 2)) end
  if one.width < 2 and fill_of(canvas, one) == "█" then return fill_dots(canvas, one) end
  standing(canvas, one, first, last)
end

-- --------------------------------------------------------------------- rules

local LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
local light = {[0] = " ", "─", "─", "─", "│", "┘", "└", "┴", "│", "┐", "┌", "┬", "│", "┤", "├", "┼"}

local function add_rule(canvas, column, row, bits, one)
  local i = index_of(canvas, column, row)
  if not i then return end
  canvas.rules[i] = (canvas.rules[i] or 0) | bits
  canvas.colours[i], canvas.series[i], canvas.heavy[i] = one.color, one.series, canvas.heavy[i] or one.is_heavy
end

function draw.rule(canvas, one)
  local left, right = floor(min(one.x0, one.x1) / 2), floor(max(one.x0, one.x1) / 2)
  local top, bottom = floor(min(one.y0, one.y1) / 4), floor(max(one.y0, one.y1) / 4)
  for column = left, right do
    for row = top, bottom do
      local bits = 0
      if left < right then bits = (column > left and LEFT or 0) | (column < right and RIGHT or 0) end
      if top < bottom then bits = bits | (row > top and UP or 0) | (row < bottom and DOWN or 0) end
      if left == right and top == bottom then bits = one.y0 == one.y1 and LEFT | RIGHT or UP | DOWN end
      add_rule(canvas, column, row, bits, one)
    end
  end
end

function draw.tick(canvas, one)
  local bits = UP | DOWN | LEFT
  if one.direction == "down" then bits = LEFT | RIGHT | DOWN end
  local i = index_of(canvas, one.x // 2, one.y // 4)
  if i then canvas.rules[i] = (canvas.rules[i] or 0) | bits end
end

-- --------------------------------------------------------- texts and pictures

function draw.text(canvas, one)
  local width = terminal_text.columns(one.text)
  local column = floor(one.x / 2 + 0.5)
  if one.anchor == "end" then column = column - width end
  if one.anchor == "middle" then column = floor(one.x / 2 - width / 2 + 0.5) end
  local row = floor(one.y / 4)
  for _, code in utf8.codes(one.text) do
    local columns = terminal_text.columns_of(code)
    if columns > 0 and column + columns <= canvas.columns then
      set_glyph(canvas, column, row, char(code), one.color)
      if columns == 2 then set_glyph(canvas, column + 1, row, "", one.color) end
      local i = index_of(canvas, column, row)
      if i and one.is_bold then canvas.bold = canvas.bold or {} canvas.bold[i] = true end
    end
    column = column + columns
  end
end

--- A picture's pixels at another size: averaged, or each of them several times.
local function resized(pixels, height, width)
  if pixels:size(1) == height and pixels:size(2) == width then return pixels:contiguous():tobytes() end
  local is_smaller = pixels:size(1) > height or pixels:size(2) > width
  local planes = nl.io.resize(pixels:permute(3, 1, 2):contiguous(), {height, width}, is_smaller and "box" or "nearest")
  return planes:permute(2, 3, 1):contiguous():tobytes()
end

local shades = {[0] = " ", "░", "▒", "▓", "█"}

--- Where there are few colours: signs by lightness.
local function shade(canvas, bytes, width, column, row, height)
  for r = 0, (height + 1) // 2 - 1 do
    for c = 0, width - 1 do
      local sum, n = 0, 0
      for y = 2 * r, min(2 * r + 1, height - 1) do
        local red, green, blue = bytes:byte((y * width + c) * 3 + 1, (y * width + c) * 3 + 3)
        sum, n = sum + (0.299 * red + 0.587 * green + 0.114 * blue) / 255, n + 1
      end
      set_glyph(canvas, column + c, row + r, shades[floor(sum / n * 4 + 0.5)], nil)
    end
  end
end

function draw.picture(canvas, one)
  local column, row = floor(one.x / 2 + 0.5), floor(one.y / 4 + 0.5)
  local width, height = max(1, floor(one.width / 2 + 0.5)), max(1, floor(one.height / 2 + 0.5))
  local bytes = resized(one.pixels, height, width)
  if canvas.count < 256 then return shade(canvas, bytes, width, column, row, height) end
  for y = 0, height - 1 do
    for c = 0, width - 1 do
      local i = index_of(canvas, column + c, row + y // 2)
      if i then
        local colour = {bytes:byte((y * width + c) * 3 + 1, (y * width + c) * 3 + 3)}
        if y % 2 == 0 then canvas.glyphs[i], canvas.colours[i], canvas.backs[i] = "▀", colour, nil
        else canvas.backs[i] = colour end
      end
    end
  end
end

-- -------------------------------------------------------------------- output

local function glyph_at(canvas, i)
  if canvas.glyphs[i] then return canvas.glyphs[i] end
  if canvas.dots[i] then return cells.glyph_of(canvas, canvas.series[i]) or char(0x2800 + canvas.dots[i]) end
  local rule = canvas.rules[i]
  if not rule then return " " end
  return canvas.heavy[i] and (rule & (LEFT | RIGHT) ~= 0) and "━" or light[rule]
end

local function line_of(canvas, row)
  local pieces, style = {}, ""
  local blanks = 0
  for column = 0, canvas.columns - 1 do
    local i = row * canvas.columns + column
    local glyph = glyph_at(canvas, i)
    local wanted = glyph == " " and not canvas.backs[i] and ""
      or sgr.code(canvas.count, canvas.colours[i], canvas.backs[i], canvas.bold and canvas.bold[i])
    if glyph == " " and wanted == "" then
      blanks = blanks + 1
    else
      if style ~= wanted and style ~= "" then pieces[#pieces + 1], style = "\27[0m", "" end
      if blanks > 0 then pieces[#pieces + 1], blanks = (" "):rep(blanks), 0 end
      if style ~= wanted then pieces[#pieces + 1] = wanted end
      pieces[#pieces + 1], style = glyph, wanted
    end
  end
  if style ~= "" then pieces[#pieces + 1] = "\27[0m" end
  return concat(pieces)
end

local function has_several(list)
  local first
  for _, one in ipairs(list) do
    if one.series and first and one.series ~= first then return true end
    first = first or one.series
  end
  return false
end

--- Lines of so many columns for what is drawn; `count` is the number of colours: 0, 16, 256, or 16777216.
function cells.text(list, columns, rows, count)
  local canvas = new_canvas(columns, rows, count, has_several(list))
  for _, one in ipairs(list) do
    local wanted = one.color
    one.color = type(wanted) == "table" and wanted or nil -- roles are the terminal's own colour
    if not (one.kind == "rect" and wanted == "paper") then draw[one.kind](canvas, one) end
    one.color = wanted
  end
  local lines = {}
  for row = 0, rows - 1 do lines[row + 1] = line_of(canvas, row) end
  while #lines > 0 and lines[#lines] == "" do lines[#lines] = nil end
  return concat(lines, "\n")
end

return cells
