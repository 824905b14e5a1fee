-- What a terminal sends as keys: characters, control keys, sequences, pasted text.

local _ENV = require "nnlua.prompt.environment"()

local keys = {}

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local control = {
  [8] = "backspace", [9] = "tab", [10] = "enter", [13] = "enter", [27] = "escape", [31] = "ctrl-_", [127] = "backspace",
}

local finals = {A = "up", B = "down", C = "right", D = "left", H = "home", F = "end", Z = "shift-tab"}
local tildes = {["1"] = "home", ["3"] = "delete", ["4"] = "end", ["5"] = "page-up", ["6"] = "page-down", ["7"] = "home",
  ["8"] = "end"}
local modifiers = {["2"] = "shift-", ["3"] = "alt-", ["5"] = "ctrl-", ["6"] = "ctrl-", ["7"] = "ctrl-"}

local PASTE, PASTE_END = "\27[200~", "\27[201~"

--- The key of a complete control sequence `ESC [ parameters final`.
local function sequence_key(parameters, final)
  local first, modifier = match(parameters, "^(%d*);?(%d*)")
  local name = final == "~" and tildes[first] or finals[final]
  if not name then return "unknown" end
  return (modifiers[modifier] or "") .. name
end

--- The length of the UTF-8 character that a byte opens; nil if it opens none.
local function character_length(first)
  if first < 0x80 then return 1 end
  if first >= 0xC2 and first < 0xE0 then return 2 end
  if first >= 0xE0 and first < 0xF0 then return 3 end
  if first >= 0xF0 and first < 0xF5 then return 4 end
end

local function take_character(text, is_all)
  local length = character_length(byte(text))
  if not length or is_all and #text < length then return {key = "unknown"}, 1 end
  if #text < length then return nil, 0 end
  local character = sub(text, 1, length)
  if not utf8.len(character) then return {key = "unknown"}, 1 end
  return {key = "character", text = character}, length
end

--- A paste whose end got lost is given up by Ctrl-C.
local function take_paste(text, is_all)
  local from, last = find(text, PASTE_END, 1, true)
  if not from and is_all and byte(text, -1) == 3 then return {key = "ctrl-c"}, #text end
  if not from then return nil, 0 end
  local pasted = sub(text, #PASTE + 1, from - 1):gsub("\r\n?", "\n"):gsub("[\0-\8\11-\31\127]", "")
  return {key = "paste", text = pasted}, last
end

--- The key at the beginning of a text and how many bytes it takes: none if more must come.
local function take(text, is_all)
  local first = byte(text)
  if first == 27 then
    if #text == 1 then return is_all and {key = "escape"} or nil, is_all and 1 or 0 end
    if sub(text, 1, #PASTE) == PASTE then return take_paste(text, is_all) end
    local parameters, final, last = match(text, "^\27%[([0-?]*)[ -/]*([@-~])()")
    if final then return {key = sequence_key(parameters, final)}, last - 1 end
    final = match(text, "^\27O(.)")
    if final then return {key = finals[final] or "unknown"}, 3 end
    if not is_all and find(text, "^\27[%[O][0-?]*$") then return nil, 0 end
    local key, length = take(sub(text, 2), is_all)
    if not key then return nil, 0 end
    local name = key.key == "character" and key.text or key.key
    return {key = "alt-" .. name}, length + 1
  end
  if control[first] then return {key = control[first]}, 1 end
  if first < 32 then return {key = "ctrl-" .. string.char(first + 96)}, 1 end
  return take_character(text, is_all)
end

--- A function that takes bytes and gives the list of the keys that are complete, and whether something is left; with
--- true behind the bytes, that nothing follows at once. A key is `{key = name}`: "character" and "paste" have a text.
function keys.reader()
  local rest = ""
  return function(bytes, is_all)
    rest = rest .. bytes
    local list = {}
    while rest ~= "" do
      local key, length = take(rest, is_all)
      if length == 0 then break end
      list[#list + 1] = key
      rest = sub(rest, length + 1)
    end
    return list, rest ~= ""
  end
end

return keys
