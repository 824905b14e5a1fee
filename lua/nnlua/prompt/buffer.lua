-- A text that is being edited: lines, a cursor, what was cut, and the way back.

local _ENV = require "nnlua.prompt.environment"()

local terminal = require "nnlua.terminal"

local Buffer = {}
Buffer.__index = Buffer

local sub, find, match = string.sub, string.find, string.match

local JOINER = 0x200D
local MOST_UNDO = 200

--- A buffer. `text` and `cursor` (a byte position, 1 to #text + 1) are for reading.
function Buffer.new()
  return setmetatable({text = "", cursor = 1, cut = "", past = {}}, Buffer)
end

-- ------------------------------------------------------------------ units

--- The character at a position; nil where a byte is no UTF-8, as in a file's name.
local function codepoint(text, at)
  return utf8.len(text, at, at) and utf8.codepoint(text, at) or nil
end

--- The columns of the character at a position, and where the next one begins. A tab is four blanks.
function Buffer.character(text, at)
  local first = text:byte(at)
  if first < 0x80 then return first == 9 and 4 or first >= 32 and first < 127 and 1 or 0, at + 1 end
  local code = codepoint(text, at)
  if not code then return 1, at + 1 end
  return terminal.width(code), utf8.offset(text, 2, at)
end

--- Where what is seen as one character ends: with marks that stand on it, and what is joined to it.
local function unit_end(text, at)
  local _, next_at = Buffer.character(text, at)
  local joined = false
  while next_at <= #text and text:byte(next_at) >= 0x80 do
    local width, after = Buffer.character(text, next_at)
    if width > 0 and not joined then break end
    joined = codepoint(text, next_at) == JOINER
    next_at = after
  end
  return next_at
end

local function line_start(text, at)
  local newline = sub(text, 1, at - 1):match "^.*()\n"
  return newline and newline + 1 or 1
end

local function line_end(text, at)
  return find(text, "\n", at, true) or #text + 1
end

--- Where the unit before a position begins.
local function unit_start(text, at)
  if sub(text, at - 1, at - 1) == "\n" then return at - 1 end
  local here = line_start(text, at)
  while true do
    local after = unit_end(text, here)
    if after >= at then return here end
    here = after
  end
end

local function columns(text, from, to)
  local sum, at = 0, from
  while at < to do
    local width, after = Buffer.character(text, at)
    sum, at = sum + width, after
  end
  return sum
end

-- ---------------------------------------------------------------- changing

local function remember(self, kind)
  if kind == "typed" and self.last_change == "typed" then return end
  self.last_change = kind
  table.insert(self.past, {text = self.text, cursor = self.cursor})
  if #self.past > MOST_UNDO then table.remove(self.past, 1) end
end

--- Replaces the text from a position up to another.
function Buffer:replace(from, to, text, kind)
  remember(self, kind)
  self.text = sub(self.text, 1, from - 1) .. text .. sub(self.text, to)
  self.cursor = from + #text
end

function Buffer:insert(text)
  self:replace(self.cursor, self.cursor, text, #text <= 4 and text ~= "\n" and "typed" or "inserted")
end

--- Puts another text in the place of all.
function Buffer:set(text, cursor)
  remember(self, "set")
  self.text, self.cursor = text, cursor or #text + 1
end

function Buffer:undo()
  local before = table.remove(self.past)
  if before then self.text, self.cursor = before.text, before.cursor end
  self.last_change = "undo"
end

local function erase(self, from, to)
  if from >= to then return end
  self:replace(from, to, "", "erased")
end

local function cut(self, from, to)
  if from >= to then return end
  self.cut = sub(self.text, from, to - 1)
  erase(self, from, to)
end

function Buffer:erase_before()
  if self.cursor > 1 then erase(self, unit_start(self.text, self.cursor), self.cursor) end
end

function Buffer:erase_here()
  if self.cursor <= #self.text then erase(self, self.cursor, unit_end(self.text, self.cursor)) end
end

--- Cuts to the line's end; at the end the line break.
function Buffer:cut_to_end()
  local to = line_end(self.text, self.cursor)
  cut(self, self.cursor, to == self.cursor and to <= #self.text and to + 1 or to)
end

function Buffer:cut_to_start()
  cut(self, line_start(self.text, self.cursor), self.cursor)
end

function Buffer:cut_word_before()
  cut(self, self:word_start(), self.cursor)
end

function Buffer:cut_word_after()
  cut(self, self.cursor, self:word_end())
end

--- Puts in what was cut last.
function Buffer:paste_cut()
  if self.cut ~= "" then self:replace(self.cursor, self.cursor, self.cut, "pasted") end
end

--- Swaps the characters around the cursor; at a line's end the two before it.
function Buffer:swap()
  local text, at = self.text, self.cursor
  if at == line_end(text, at) and at > line_start(text, at) then at = unit_start(text, at) end
  if at == line_start(text, at) then return end
  local before, after = unit_start(text, at), unit_end(text, at)
  self:replace(before, after, sub(text, at, after - 1) .. sub(text, before, at - 1), "swapped")
end

-- ------------------------------------------------------------------ moving

local function move(self, to)
  self.cursor, self.last_change = to, "moved"
end

function Buffer:left()
  if self.cursor > 1 then move(self, unit_start(self.text, self.cursor)) end
end

function Buffer:right()
  if self.cursor <= #self.text then move(self, unit_end(self.text, self.cursor)) end
end

function Buffer:home() move(self, line_start(self.text, self.cursor)) end
function Buffer:to_end() move(self, line_end(self.text, self.cursor)) end

local WORD, NO_WORD = "[%w_\x80-\xFF]", "[^%w_\x80-\xFF]"

function Buffer:word_start()
  local at = self.cursor -- back byte by byte: a pattern would try each place before a long word again
  while at > 1 and find(self.text, "^" .. NO_WORD, at - 1) do at = at - 1 end
  while at > 1 and find(self.text, "^" .. WORD, at - 1) do at = at - 1 end
  return at
end

function Buffer:word_end()
  return match(self.text, "^" .. NO_WORD .. "*" .. WORD .. "*()", self.cursor)
end

function Buffer:word_left() move(self, self:word_start()) end
function Buffer:word_right() move(self, self:word_end()) end

--- The position in the line that begins at `from` that is so many columns from its start.
local function at_column(text, from, column)
  local at, to, sum = from, line_end(text, from), 0
  while at < to do
    local after = unit_end(text, at)
    sum = sum + columns(text, at, after)
    if sum > column then return at end
    at = after
  end
  return at
end

--- Moves to the line above; false if there is none.
function Buffer:up()
  local from = line_start(self.text, self.cursor)
  if from == 1 then return false end
  move(self, at_column(self.text, line_start(self.text, from - 1), columns(self.text, from, self.cursor)))
  return true
end

function Buffer:down()
  local to = line_end(self.text, self.cursor)
  if to > #self.text then return false end
  move(self, at_column(self.text, to + 1, columns(self.text, line_start(self.text, self.cursor), self.cursor)))
  return true
end

--- The line that the cursor is in: where it begins, and its text up to the cursor.
function Buffer:line()
  local from = line_start(self.text, self.cursor)
  return from, sub(self.text, from, self.cursor - 1)
end

return Buffer
