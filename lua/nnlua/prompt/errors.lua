-- Errors as the prompt shows them: what went wrong, where, and the lines of code that the places name.

local _ENV = require "nnlua.prompt.environment"()

local pretty = require "nnlua.prompt.pretty"
local source = require "nnlua.prompt.source"

local errors = {}

local PLAIN, RED, DIM = "\27[0m", "\27[31m", "\27[2m"

--- The line of code at a place: of an entry, or of a file that can be read; without its indent. nil for an entry that
--- stands right above.
local function code_at(entries, where, number)
  if entries:is_in_sight(where) then return nil end
  local line = entries:line(where, number) or source.line(where, number)
  line = line and line:match "^%s*(.-)%s*$"
  return line ~= "" and line or nil
end

--- Whether a traceback tells no more than that a line was typed.
local function says_nothing(traceback)
  for line in traceback:gmatch "\n\t([^\n]*)" do
    if not line:find "^%[C%]" and not line:find "^entry %d+:%d+: in main chunk$" then return false end
  end
  return true
end

--- The lines of a traceback, each with its code below, of each place once; that of the first place stands above.
local function with_code(traceback, entries, add, first_place)
  local seen = {[first_place or ""] = true}
  for line in traceback:gmatch "\n([^\n]*)" do
    add(line)
    local place, where, number = line:match "^\t((.-):(%d+)): in "
    local code = place and not seen[place] and code_at(entries, where, math.tointeger(number))
    if code then add("\t    " .. code, DIM) end
    seen[place or ""] = true
  end
end

--- An error's text, with a traceback or without.
function errors.text(message, entries, colours)
  local text, traceback = message:match "^(.*)\nstack traceback:(.-)$"
  if not text or says_nothing(traceback) then text, traceback = text or message, nil end
  local lines = {}
  local function add(line, code)
    line = pretty.visible(line, true)
    lines[#lines + 1] = colours and code and code .. line .. PLAIN or line
  end
  local first, rest = text:match "^([^\n]*)(.*)$"
  add(first, RED)
  local place, where, number = first:match "^(([^:]+):(%d+)): "
  local code = where and code_at(entries, where, math.tointeger(number))
  if rest ~= "" then add(rest:sub(2)) end
  if code then add("    " .. code, DIM) end
  if traceback then
    add "stack traceback:"
    with_code(traceback, entries, add, place)
  end
  return table.concat(lines, "\n")
end

return errors
