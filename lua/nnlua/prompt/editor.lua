-- The line editor: keys change a buffer, the screen shows it.

local _ENV = require "nnlua.prompt.environment"()

local Buffer = require "nnlua.prompt.buffer"
local Menu = require "nnlua.prompt.menu"
local Screen = require "nnlua.prompt.screen"
local Search = require "nnlua.prompt.search"
local indent = require "nnlua.prompt.indent"
local keys = require "nnlua.prompt.keys"
local terminal = require "nnlua.terminal"

local Editor = {}
Editor.__index = Editor

local ESCAPE_SECONDS = 0.05 -- a lone Escape is one that nothing follows for so long

--- An editor. Options: `history` (of nnlua.prompt.history), `prompt` (a function that gives the first and the
--- continuation prompt), `is_complete` (of a text: whether Enter runs it), `complete` (of a text and a cursor: where
--- the word begins and what may stand there), `hint` (likewise: a line to show below, or nil), `colours`; with them
--- what the history suggests stands in grey behind the text.
function Editor.new(options)
  return setmetatable({
    history = options.history, prompt = options.prompt, is_complete = options.is_complete, complete = options.complete,
    hint = options.hint, suggests = options.colours, screen = Screen.new(options.colours), reader = keys.reader(),
    waiting = {}, cut = "",
  }, Editor)
end

-- ---------------------------------------------------------------- editing

--- Inserts a line break, and the blanks that the block asks for.
local function break_line(self)
  local buffer = self.buffer
  buffer:insert("\n" .. indent.after(buffer.text:sub(1, buffer.cursor - 1)))
end

--- A word that closes a block moves to the block's column once it is complete.
local function move_closing_word(self)
  local buffer = self.buffer
  local blanks = indent.of_closing(buffer.text:sub(1, buffer.cursor - 1))
  if not blanks then return end
  local from, before = buffer:line()
  local word = before:match "%S+$"
  if blanks .. word ~= before then buffer:replace(from, buffer.cursor, blanks .. word, "typed") end
end

--- Goes through the entries that begin with what was typed before the first step.
local function through_history(self, direction)
  local buffer = self.buffer
  if not self.place or self.shown ~= buffer.text then
    self.place, self.typed = #self.history.entries + 1, buffer.text
  end
  local place, text = self.history[direction](self.history, self.place, self.typed)
  if not place and direction == "after" and self.place <= #self.history.entries then
    place, text = #self.history.entries + 1, self.typed
  end
  if not place then return end
  self.place, self.shown = place, text
  buffer:set(text)
end

local function complete(self, by)
  local buffer = self.buffer
  if self.menu then
    local chosen = self.menu:step(by)
    return buffer:replace(self.menu.from, buffer.cursor, chosen, "completed")
  end
  local _, before = buffer:line()
  if not before:find "%S" then return buffer:insert "  " end
  local from, found = self.complete(buffer.text, buffer.cursor)
  local candidates = {}
  for _, one in ipairs(found) do
    if not one:find "%c" then candidates[#candidates + 1] = one end -- a file may be called anything
  end
  if #candidates == 0 then return end
  local prefix = Menu.common_prefix(candidates)
  local grows = #prefix > buffer.cursor - from
  if grows then buffer:replace(from, buffer.cursor, prefix, "completed") end
  if #candidates > 1 then self.next_menu = Menu.new(from, candidates) end
end

--- Ends the text: gives it back if it is complete, or breaks the line.
local function enter(self)
  local text = self.buffer.text
  if text:find "%S" and not self.is_complete(text) then return break_line(self) end
  self.result, self.done = text, true
end

local function interrupt(self)
  self.result, self.done, self.mark = false, true, "^C"
end

local function end_of_input(self)
  if self.buffer.text == "" then self.done = true
  else self.buffer:erase_here() end
end

--- What the newest entry of the history that begins with the text has behind it; nil unless the cursor is at the end.
local function suggestion(self)
  local text = self.buffer.text
  if not self.suggests or text == "" or self.buffer.cursor <= #text or self.menu or self.search then return nil end
  local _, entry = self.history:before(#self.history.entries + 1, text, #text + 1)
  return entry and entry:sub(#text + 1)
end

--- A binding that takes the suggestion where there is one, or a part of it, and else does what it always does.
local function or_suggested(name, pattern)
  return function(self)
    local rest = suggestion(self)
    if rest then self.buffer:insert(rest:match(pattern)) else self.buffer[name](self.buffer) end
  end
end

local ALL, WORD = "^.*$", "^[^%w_]*[%w_]*"

local function clear(self) self.screen:clear() end

local function suspend(self)
  self.screen:finish(self:view())
  terminal.suspend()
  self.screen:begin()
end

local function up(self)
  if not self.buffer:up() then through_history(self, "before") end
end

local function down(self)
  if not self.buffer:down() then through_history(self, "after") end
end

local function on_buffer(name)
  return function(self) self.buffer[name](self.buffer) end
end

local bindings = {
  enter = enter, ["alt-enter"] = break_line, ["ctrl-c"] = interrupt, ["ctrl-d"] = end_of_input, ["ctrl-l"] = clear,
  ["ctrl-z"] = suspend, up = up, down = down,
  ["ctrl-p"] = function(self) through_history(self, "before") end,
  ["ctrl-n"] = function(self) through_history(self, "after") end,
  tab = function(self) complete(self, 1) end, ["shift-tab"] = function(self) complete(self, -1) end,
  ["ctrl-r"] = function(self) self.search = Search.new(self.buffer, self.history) end,
  left = on_buffer "left", ["ctrl-b"] = on_buffer "left",
  right = or_suggested("right", ALL), ["ctrl-f"] = or_suggested("right", ALL),
  home = on_buffer "home", ["ctrl-a"] = on_buffer "home",
  ["end"] = or_suggested("to_end", ALL), ["ctrl-e"] = or_suggested("to_end", ALL),
  ["ctrl-left"] = on_buffer "word_left", ["alt-b"] = on_buffer "word_left", ["alt-left"] = on_buffer "word_left",
  ["ctrl-right"] = or_suggested("word_right", WORD), ["alt-f"] = or_suggested("word_right", WORD),
  ["alt-right"] = or_suggested("word_right", WORD),
  backspace = on_buffer "erase_before", delete = on_buffer "erase_here",
  ["ctrl-k"] = on_buffer "cut_to_end", ["ctrl-u"] = on_buffer "cut_to_start", ["ctrl-w"] = on_buffer "cut_word_before",
  ["alt-backspace"] = on_buffer "cut_word_before", ["alt-d"] = on_buffer "cut_word_after",
  ["ctrl-y"] = on_buffer "paste_cut", ["ctrl-t"] = on_buffer "swap", ["ctrl-_"] = on_buffer "undo",
}

--- Keys while a search is on: those that end it do what they always do, with the entry that was found.
local function in_search(self, key)
  local search = self.search
  if key.key == "character" then search:add(key.text)
  elseif key.key == "ctrl-r" then search:step(-1)
  elseif key.key == "ctrl-s" then search:step(1)
  elseif key.key == "backspace" then search:erase()
  elseif key.key == "escape" or key.key == "ctrl-g" or key.key == "ctrl-c" then
    search:give_up()
    self.search = nil
  else
    self.search = nil
    return false
  end
  return true
end

local function press(self, key)
  if self.search and in_search(self, key) then return end
  local keeps_menu = key.key == "tab" or key.key == "shift-tab"
  if self.menu and key.key == "enter" and self.menu.chosen > 0 then
    self.menu = nil
    return
  end
  if not keeps_menu then self.menu = nil end
  if key.key == "character" then
    self.buffer:insert(key.text)
    move_closing_word(self)
  elseif key.key == "paste" then
    self.buffer:insert((key.text:gsub("\n$", "")))
  elseif bindings[key.key] then
    bindings[key.key](self)
  end
  if self.next_menu then self.menu, self.next_menu = self.next_menu, nil end
end

-- ---------------------------------------------------------------- reading

function Editor:view()
  local first, continuation = self.prompt()
  return {prompt = first, continuation = continuation, text = self.buffer.text, cursor = self.buffer.cursor}
end

local function draw(self)
  local view = self:view()
  if self.search then view.below = {self.search:line()}
  elseif self.menu then view.below = self.menu:lines()
  elseif self.hint then
    local hint = self.hint(self.buffer.text, self.buffer.cursor)
    view.below = hint and {{text = hint, code = "2"}}
  end
  view.suggested = suggestion(self)
  self.screen:draw(view)
end

--- Waits for keys; nil at the end of input. None on a resize, or when the process goes on.
local function next_keys(self)
  local bytes, why = terminal.read(self.has_rest and ESCAPE_SECONDS or nil)
  if not bytes and why == "end" then return nil end
  if why == "resize" then
    self.screen:resized()
    return {}
  elseif why == "resume" then
    self.screen:begin()
    return {}
  end
  local list
  list, self.has_rest = self.reader(bytes or "", why == "timeout")
  return list
end

--- Keys that were typed for the next text.
function Editor:feed(list)
  table.move(list, 1, #list, #self.waiting + 1, self.waiting)
end

--- Whether something has been typed already for the next text.
function Editor:is_fed()
  local bytes = terminal.read(0)
  if bytes then self:feed((self.reader(bytes))) end
  return #self.waiting > 0
end

--- Takes the keys that have been typed, one after another, up to one that ends the text.
local function take_keys(self)
  local list = self.waiting
  while #list > 0 and not self.done do press(self, table.remove(list, 1)) end
end

local function edit(self)
  take_keys(self)
  while not self.done do
    draw(self)
    local list = next_keys(self)
    if not list then
      self.done = true
      break
    end
    self:feed(list)
    take_keys(self)
  end
end

--- Whether Ctrl-C was typed right after the text: then it is not to be run at all.
local function is_called_off(self)
  for i, key in ipairs(self.waiting) do
    if key.key == "ctrl-c" then
      self.waiting = table.move(self.waiting, i + 1, #self.waiting, 1, {})
      return true
    end
  end
end

--- Reads a text. nil at the end of input, false after Ctrl-C.
function Editor:read()
  self.buffer = Buffer.new()
  self.buffer.cut = self.cut
  self.result, self.done, self.mark, self.place, self.menu, self.search = nil, false, nil, nil, nil, nil
  io.stdout:flush()
  terminal.raw(true)
  self.screen:begin()
  local ok, message = pcall(edit, self)
  if self.result and is_called_off(self) then interrupt(self) end
  if ok then self.screen:finish(self:view(), self.mark) end
  terminal.raw(false)
  if not ok then error(message, 0) end
  self.cut = self.buffer.cut
  if self.result then self.history:add(self.result) end
  return self.result
end

return Editor
