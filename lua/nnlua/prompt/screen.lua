-- Draws the text that is being edited, with its prompts and what stands below it, and the cursor in its place. Where a
-- line is too wide the terminal breaks it, so that it joins the pieces again when the window grows; where that is
-- follows from the widths of characters.

local _ENV = require "nnlua.prompt.environment"()

local Buffer = require "nnlua.prompt.buffer"
local highlight = require "nnlua.prompt.highlight"
local terminal = require "nnlua.terminal"

local Screen = {}
Screen.__index = Screen

local concat, insert = table.concat, table.insert
local character = Buffer.character

local CLEAR_LINE, CLEAR_BELOW, PLAIN = "\27[K", "\27[J", "\27[0m"

-- Of what is suggested: a grey that can be read on black and on white where there are 256 colours, else what the theme
-- has for it.
local has_256_colours = (os.getenv "TERM" or ""):find "256" or (os.getenv "COLORTERM" or "") ~= ""
local GREY = has_256_colours and "38;5;244" or "90"

function Screen.new(colours)
  return setmetatable({colours = colours, cursor_row = 0}, Screen)
end

-- ----------------------------------------------------------------- layout

--- The columns of a text of one line.
local function width_of(text)
  local sum, at = 0, 1
  while at <= #text do
    local width, after = character(text, at)
    sum, at = sum + width, after
  end
  return sum
end

--- Rows are being filled: `pieces` and `width` of the last one are what it has so far.
local function new_rows(columns)
  return {columns = columns, {pieces = {}, width = 0}}
end

local function break_row(rows, is_wrapped)
  insert(rows, {pieces = {}, width = 0, is_wrapped = is_wrapped, code = is_wrapped and rows[#rows].code})
end

local function add(rows, text, width, code)
  local row = rows[#rows]
  if row.width + width > rows.columns then
    break_row(rows, true)
    row = rows[#rows]
  end
  if code ~= row.code then
    insert(row.pieces, PLAIN .. (code and "\27[" .. code .. "m" or ""))
    row.code = code
  end
  insert(row.pieces, text)
  row.width = row.width + width
end

--- Adds a text, whose lines after the first are broken as they are; each character may have a colour.
local function add_text(rows, text, code)
  local at = 1
  while at <= #text do
    local width, after = character(text, at)
    if text:byte(at) == 10 then break_row(rows)
    else add(rows, text:sub(at, after - 1), width, code) end
    at = after
  end
end

--- What is shown for the character at a position: a tab as blanks, other control characters as nothing.
local function shown(text, at, after)
  local first = text:byte(at)
  if first == 9 then return "    " end
  return first >= 32 and first ~= 127 and text:sub(at, after - 1) or ""
end

--- Adds the edited text; returns the row, from 1, and the column of the cursor.
local function add_edited(rows, view, stretches)
  local text, at, stretch = view.text, 1, 1
  local cursor_row, cursor_column
  add_text(rows, view.prompt, view.prompt_code)
  while true do
    if at == view.cursor then
      if rows[#rows].width >= rows.columns then
        break_row(rows, true)
        insert(rows[#rows].pieces, " \r") -- the terminal breaks a full line when something follows
      end
      cursor_row, cursor_column = #rows, rows[#rows].width
    end
    if at > #text then break end
    local width, after = character(text, at)
    while stretches[stretch] and stretches[stretch].to < at do stretch = stretch + 1 end
    local colour = stretches[stretch]
    if text:byte(at) == 10 then
      break_row(rows)
      add_text(rows, view.continuation, view.prompt_code)
    else
      add(rows, shown(text, at, after), width, colour and colour.from <= at and colour.code or nil)
    end
    at = after
  end
  local first, further = (view.suggested or ""):match "^([^\n]*)(.*)$"
  add_text(rows, first .. (further ~= "" and " …" or ""), GREY)
  return cursor_row, cursor_column
end

--- The rows' text, colours off at the end of each line.
local function text_of(rows, first, last)
  local output = {}
  for i = first, last do
    local row, following = rows[i], rows[i + 1]
    if i > first and not row.is_wrapped then insert(output, "\r\n") end
    insert(output, concat(row.pieces))
    local goes_on = i < last and following.is_wrapped
    if row.code and not goes_on then insert(output, PLAIN) end
  end
  return concat(output)
end

--- The rows that fit, around the cursor's.
local function window(rows, cursor_row, height)
  if #rows <= height then return 1, #rows end
  local first = math.max(1, math.min(cursor_row - height // 2, #rows - height + 1))
  return first, first + height - 1
end

-- ---------------------------------------------------------------- drawing

--- What brings the cursor to the first column of the first row that was drawn.
local function to_top(self)
  return (self.cursor_row > 0 and ("\27[%dA"):format(self.cursor_row) or "") .. "\r"
end

--- The rows of a view, and the row and column of the cursor.
local function lay_out(self, view, columns)
  local rows = new_rows(columns)
  local stretches = self.colours and highlight.stretches(view.text, view.cursor) or {}
  view.prompt_code = self.colours and "1" or nil
  local cursor_row, cursor_column = add_edited(rows, view, stretches)
  for _, line in ipairs(view.below or {}) do
    break_row(rows)
    add_text(rows, line.text, self.colours and line.code or nil)
  end
  return rows, cursor_row, cursor_column
end

--- Shows a view: `prompt`, `continuation`, `text`, `cursor` (a byte position), `suggested` (behind the text, in grey),
--- `below` (a list of lines: text and colour).
function Screen:draw(view)
  local columns, height = terminal.size()
  local rows, cursor_row, cursor_column = lay_out(self, view, columns)
  local first, last = window(rows, cursor_row, height)
  local output = {"\27[?25l", to_top(self), CLEAR_BELOW, text_of(rows, first, last)}
  if last > cursor_row then insert(output, ("\27[%dA"):format(last - cursor_row)) end
  insert(output, "\r" .. (cursor_column > 0 and ("\27[%dC"):format(cursor_column) or "") .. "\27[?25h")
  self.view, self.cursor_row = view, cursor_row - first
  terminal.write(concat(output))
end

--- After the window has got another size: the terminal has broken the lines of the last view anew.
function Screen:resized()
  if not self.view then return end
  local columns, height = terminal.size()
  local rows, cursor_row = lay_out(self, self.view, columns)
  local first = window(rows, cursor_row, height)
  self.cursor_row = cursor_row - first
end

--- Begins below of what is there: at the start of a line, also where the program's output did not end one.
function Screen:begin()
  local columns = terminal.size()
  self.cursor_row, self.view = 0, nil
  terminal.write("\27[7m%\27[0m" .. (" "):rep(columns - 1) .. "\r" .. CLEAR_LINE)
end

--- Leaves the text as it stands, with a mark behind it, and goes to the line below.
function Screen:finish(view, mark)
  view.below, view.cursor = nil, #view.text + 1
  self:draw(view)
  terminal.write((mark or "") .. "\r\n" .. CLEAR_BELOW)
end

--- Clears all; the next drawing is at the top.
function Screen:clear()
  self.cursor_row = 0
  terminal.write "\27[H\27[2J"
end

Screen.width_of = width_of

return Screen
