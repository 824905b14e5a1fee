-- Tables of text that fit the terminal: columns that there is no room for are left out, and the first one is cut.

local system = require "nnlua.system"
local terminal_text = require "nnlua.utils.terminal_text"

local columns = {}

-- The first column has at least so many columns of the terminal, or this part of them, before others go.
local LEAST_NAME, NAME_PART = 16, 0.36

--- The columns of the terminal that stdout, or else stderr, is; 80 without one.
function columns.width()
  return system.terminal_width(system.is_terminal(1) and 1 or 2)
end

local function length(text)
  return utf8.len(text) or #text
end

--- A text in so many columns: a longer one loses its middle.
local function cut(text, width)
  local n = length(text)
  if n <= width then return text end
  if n ~= utf8.len(text) then return text:sub(1, width) end
  local front = (width - 1) // 2
  local back = width - 1 - front
  return text:sub(1, utf8.offset(text, front + 1) - 1) .. "…" .. text:sub(utf8.offset(text, n - back + 1))
end

--- The same for "net.norm1, nn.LayerNorm": the class gives way first, then the front of the path, as its end is what
--- tells one layer from the next.
local function cut_module(text, width)
  local path, class = text:match "^(.-)(, .*)$"
  if length(text) <= width or not utf8.len(text) or not path then return cut(text, width) end
  local room = width - length(path)
  if room < 0 then return "…" .. path:sub(utf8.offset(path, -(width - 1))) end
  return room > 8 and path .. class:sub(1, utf8.offset(class, room) - 1) .. "…" or path
end

local function padded(text, width, on_left)
  local spaces = (" "):rep(width - length(text))
  return on_left and spaces .. text or text .. spaces
end

--- The widths of the columns, which are as wide as their widest cell.
local function natural_widths(list, rows)
  local widths = {}
  for i, column in ipairs(list) do
    widths[i] = length(column.title)
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], length(row[i] or "")) end
  end
  return widths
end

--- Which columns stay in so many columns of the terminal: those of the lowest `rank` go last.
local function chosen(list, widths, width)
  local least = math.max(LEAST_NAME, math.floor(NAME_PART * width))
  local order, stays, used = {}, {[1] = true}, math.min(widths[1], least)
  for i = 2, #list do order[#order + 1] = i end
  table.sort(order, function(a, b)
    if list[a].rank ~= list[b].rank then return list[a].rank < list[b].rank end
    return a < b
  end)
  for _, i in ipairs(order) do
    used = used + 2 + widths[i]
    if used > width then break end
    stays[i] = true
  end
  return stays
end

--- Rows of cells in which nothing acts on a terminal: names are the user's.
local function cleaned(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row
    if row ~= "-" then
      list[i] = {}
      for k, cell in pairs(row) do list[i][k] = terminal_text.clean(cell) end
    end
  end
  return list
end

--- A table as a text. `list` has a column each: its `title`, its `rank` (the higher, the sooner it is left out), and
--- whether it `is_text`, on the left, or else numbers, or text that `is_module`, a path and a class; `rows` are lists
--- of cells, where "-" alone is a line across.
function columns.text(list, rows, width)
  width, rows = width or columns.width(), cleaned(rows)
  local cells = {}
  for _, row in ipairs(rows) do
    if row ~= "-" then cells[#cells + 1] = row end
  end
  local widths = natural_widths(list, cells)
  local stays, rest = chosen(list, widths, width), 0
  for i = 2, #list do
    if stays[i] then rest = rest + 2 + widths[i] end
  end
  widths[1] = math.max(1, math.min(widths[1], width - rest))
  local rule = ("─"):rep(widths[1] + rest)
  local function line(row)
    local texts = {}
    for i, column in ipairs(list) do
      local cell = stays[i] and (column.is_module and cut_module or cut)(row[i] or "", widths[i])
      if cell then texts[#texts + 1] = padded(cell, widths[i], i > 1 and not column.is_text) end
    end
    return (table.concat(texts, "  "):gsub("%s+$", ""))
  end
  local titles = {}
  for i, column in ipairs(list) do titles[i] = column.title end
  local lines = {line(titles), rule}
  for _, row in ipairs(rows) do lines[#lines + 1] = row == "-" and rule or line(row) end
  return table.concat(lines, "\n")
end

--- Lines "name  value" below each other, the values on the right of the names; in pairs beside each other where there
--- is room for that.
function columns.facts(list, width)
  local widest, texts = 0, {}
  for _, fact in ipairs(list) do widest = math.max(widest, length(fact[1])) end
  for i, fact in ipairs(list) do texts[i] = padded(fact[1], widest) .. "  " .. fact[2] end
  local all = 0
  for _, text in ipairs(texts) do all = math.max(all, length(text)) end
  if 2 * all + 4 > (width or columns.width()) then return table.concat(texts, "\n") end
  local lines, half = {}, (#texts + 1) // 2
  for i = 1, half do
    lines[i] = texts[half + i] and padded(texts[i], all + 4) .. texts[half + i] or texts[i]
  end
  return table.concat(lines, "\n")
end

return columns
