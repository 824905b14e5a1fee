-- What was entered in this session, by numbers: errors name an entry by its own, and commands find it by that.

local _ENV = require "nnlua.prompt.environment"()

local Entries = {}
Entries.__index = Entries

local MOST = 10000 -- entries that are kept

--- No entries yet. `count` is the number of the newest one, `texts` has them by their numbers, `failed` those that
--- ended in an error.
function Entries.new()
  return setmetatable({count = 0, texts = {}, failed = {}}, Entries)
end

--- Adds an entry.
function Entries:add(text)
  self.count = self.count + 1
  self.texts[self.count] = text
  self.texts[self.count - MOST], self.failed[self.count - MOST] = nil, nil
end

--- What the newest entry is called as a chunk, in the form that load takes.
function Entries:chunk_name()
  return "=entry " .. self.count
end

--- The line of an entry that a place in a message names, such as "entry 3" and 1; nil if that is none.
function Entries:line(where, number)
  local text = self.texts[math.tointeger(where:match "^entry (%d+)$")]
  if not text then return nil end
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number - 1
    if number == 0 then return line end
  end
end

--- Whether a place is in the newest entry, and that has one line: it stands right above then.
function Entries:is_in_sight(where)
  return where == "entry " .. self.count and not self.texts[self.count]:find "\n"
end

return Entries
