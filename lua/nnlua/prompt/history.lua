-- What was entered, now and in earlier sessions.

local _ENV = require "nnlua.prompt.environment"()

local state_file = require "nnlua.state_file"

local History = {}
History.__index = History

local MOST, MOST_BYTES = 1000, 1 << 24 -- entries that are kept, and what of a file is read

local escapes = {["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r"}
local unescapes = {["\\"] = "\\", n = "\n", r = "\r"}

--- An entry is a line of the file.
local function encode(text)
  return (text:gsub("[\\\n\r]", escapes)) .. "\n"
end

local function decode(line)
  return (line:gsub("\\(.)", unescapes))
end

--- ~/.local/state/nnlua/history, or where XDG_STATE_HOME says; nil if there is no home.
local function usual_path()
  local folder, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if folder and folder ~= "" then return folder .. "/nnlua/history" end
  return home and home ~= "" and home .. "/.local/state/nnlua/history" or nil
end

--- Adds an entry, which is the newest now and stands only once.
local function put(entries, text)
  for i = #entries, 1, -1 do
    if entries[i] == text then table.remove(entries, i) end
  end
  entries[#entries + 1] = text
  if #entries > MOST then table.remove(entries, 1) end
end

--- The entries of a file, oldest first, of each text the last one; and how many lines it has.
local function load_entries(path)
  local content = path and state_file.read(path, MOST_BYTES)
  if not content then return {}, 0 end
  local lines, seen, entries = {}, {}, {}
  for line in content:gmatch "[^\n]+" do lines[#lines + 1] = line end
  for i = #lines, 1, -1 do
    local text = decode(lines[i])
    if not seen[text] and text ~= "" and utf8.len(text) and #entries < MOST then
      seen[text] = true
      entries[#entries + 1] = text
    end
  end
  local ordered = {}
  for i = #entries, 1, -1 do ordered[#ordered + 1] = entries[i] end
  return ordered, #lines
end

--- The history in a file, the usual one by default. What can't be read or written is left alone.
function History.open(path)
  path = path or usual_path()
  local entries, lines = load_entries(path)
  if lines > 2 * MOST then
    local encoded = {}
    for i, text in ipairs(entries) do encoded[i] = encode(text) end
    state_file.replace(path, table.concat(encoded))
  end
  return setmetatable({path = path, entries = entries}, History)
end

--- Adds what was entered; a blank in front keeps it out of the file.
function History:add(text)
  if not text:find "%S" or self.entries[#self.entries] == text then return end
  put(self.entries, text)
  if self.path and not text:find "^ " then state_file.append(self.path, encode(text)) end
end

--- The nearest entry before a place that begins with a text, and its place; or nil. It has so many bytes at least.
function History:before(place, prefix, least)
  for i = place - 1, 1, -1 do
    local entry = self.entries[i]
    if entry:sub(1, #prefix) == prefix and #entry >= (least or 0) then return i, entry end
  end
end

--- The nearest entry after a place.
function History:after(place, prefix)
  for i = place + 1, #self.entries do
    if self.entries[i]:sub(1, #prefix) == prefix then return i, self.entries[i] end
  end
end

--- The nearest entry at or before a place, or after it if the step is 1, that holds a text; its place and where in it.
function History:find(place, text, step)
  local last = step > 0 and #self.entries or 1
  for i = place, last, step do
    local from = self.entries[i]:find(text, 1, true)
    if from then return i, from end
  end
end

return History
