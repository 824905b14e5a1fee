-- The prompt's commands for what was entered: looking at it, editing it, writing it to a file.

local _ENV = require "nnlua.prompt.environment"()

local files = require "nnlua.prompt.commands.files"
local state_file = require "nnlua.state_file"

local past = {}

local MOST_BYTES = 1 << 24 -- of an edited entry

--- An entry with its number in front; further lines stand below its first.
local function numbered(number, text)
  return ("%5s  %s"):format(number, (text:gsub("\n", "\n       ")))
end

--- Lists what was entered in this session or, of all sessions, what has a text in it.
local function show_history(session, wanted)
  local lines = {}
  if wanted ~= "" then
    local texts = session.history and session.history.entries or session.entries.texts
    for i = 1, #texts - 1 do -- the last one is this command
      if texts[i]:find(wanted, 1, true) then lines[#lines + 1] = numbered("-", texts[i]) end
    end
    if #lines == 0 then return session:note "no entry has that in it" end
  else
    local entries = session.entries
    for number = 1, entries.count do
      if entries.texts[number] then lines[#lines + 1] = numbered(number, entries.texts[number]) end
    end
  end
  session:show(table.concat(lines, "\n"))
end

--- The entry that a command means: that of a number, or the newest one that is no command.
local function entry_of(session, text)
  local entries = session.entries
  if text ~= "" then return entries.texts[math.tointeger(text)] end
  for number = entries.count, 1, -1 do
    local entry = entries.texts[number]
    if entry and not entry:find "^%s*[:!?]" then return entry end
  end
  return ""
end

local function edit(session, text)
  local entry = entry_of(session, text)
  if not entry then return session:report(("there is no entry %s; :history lists them"):format(text)) end
  local path = os.tmpname()
  local lua_path = path .. ".lua" -- for the editor's colours
  local written = state_file.replace(lua_path, entry .. "\n")
  local edited = written and files.open_editor(session, lua_path) and state_file.read(lua_path, MOST_BYTES)
  os.remove(path)
  os.remove(lua_path)
  edited = edited and edited:gsub("%s+$", "")
  if not edited or edited == "" then return end
  if session.history then session.history:add(edited) end
  session:echo(edited)
  session:run(edited)
end

--- The numbers that a text such as "1-3 7" means; nil and what is wrong with it.
local function numbers_of(text, count)
  local numbers = {}
  for word in text:gmatch "%S+" do
    local first, last = word:match "^(%d+)%-(%d+)$"
    first, last = math.tointeger(first or word), math.tointeger(last or word)
    if not first or not last or first < 1 or last > count then
      return nil, (":save takes numbers of entries, 1 to %d, such as 1-3 7; not '%s'"):format(count, word)
    end
    for number = first, last do numbers[#numbers + 1] = number end
  end
  return numbers
end

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

--- The texts of entries that a file of Lua may have: of those that were not chosen only what ran through.
local function texts_of(entries, numbers)
  local texts, is_chosen = {}, #numbers > 0
  for i = 1, is_chosen and #numbers or entries.count - 1 do
    local number = is_chosen and numbers[i] or i
    local text = entries.texts[number]
    local is_special = text and (text:find "^%s*[:!?=]" or text:find "^[%w_.:]+%?%??%s*$")
    local is_lua = text and not is_special and load(text, "=entry", "t")
    if is_lua and (is_chosen or not entries.failed[number]) then texts[#texts + 1] = text end
  end
  return texts
end

local function save(session, text)
  local path, rest = text:match "^(%S+)%s*(.*)$"
  if not path then return session:report ":save needs the name of a file, and which entries, such as 1-3 7" end
  local numbers, problem = numbers_of(rest, session.entries.count)
  if not numbers then return session:report(problem) end
  path = files.expanded(path)
  if exists(path) then return session:report(("there is a file %s already; !rm %s removes it"):format(path, path)) end
  local texts = texts_of(session.entries, numbers)
  local file, message = io.open(path, "w")
  if not file then return session:report(message) end
  for _, one in ipairs(texts) do file:write(one, "\n") end
  file:close()
  session:note(("%d entries are in %s; expressions, commands and what failed are left out"):format(#texts, path))
end

--- Adds the commands.
function past.add_to(command)
  command("history", ":history text", "lists what was entered; with a text what has it, of earlier sessions, too",
    show_history)
  command("edit", ":edit number", "opens an entry in $EDITOR, and runs it; without a number the last one", edit)
  command("save", ":save file 1-3 7", "writes entries to a file; without numbers all that ran through", save)
end

return past
