-- Looking for an entry of the history by a part of it: Ctrl-R.

local _ENV = require "nnlua.prompt.environment"()

local Search = {}
Search.__index = Search

--- A search that starts from the newest entry. What was in the buffer comes back when it is given up.
function Search.new(buffer, history)
  return setmetatable({
    buffer = buffer, history = history, query = "", place = #history.entries + 1, text = buffer.text,
    cursor = buffer.cursor, failed = false,
  }, Search)
end

local function look(self, from, step)
  local place, at = self.history:find(from, self.query, step)
  self.failed = place == nil
  if not place then return end
  self.place = place
  self.buffer.text, self.buffer.cursor = self.history.entries[place], at
end

--- The next match towards older entries, or newer ones.
function Search:step(step)
  if self.query ~= "" then look(self, self.place + step, step) end
end

function Search:add(text)
  self.query = self.query .. text
  look(self, math.min(self.place, #self.history.entries), -1)
end

function Search:erase()
  local last = utf8.offset(self.query, -1)
  self.query = last and self.query:sub(1, last - 1) or ""
  if self.query ~= "" then look(self, #self.history.entries, -1) end
end

function Search:give_up()
  self.buffer.text, self.buffer.cursor = self.text, self.cursor
end

function Search:line()
  return {text = (self.failed and "no such entry: " or "search: ") .. self.query, code = "2"}
end

return Search
