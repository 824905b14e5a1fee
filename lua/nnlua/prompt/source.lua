-- The source text of functions written in Lua.

local _ENV = require "nnlua.prompt.environment"()

local system = require "nnlua.system"

local source = {}

local function text_of_file(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

--- The lines of a function, with the comment above it; or nil and why there are none.
function source.of(value)
  if type(value) ~= "function" then return nil, ("a function is expected, not a %s"):format(type(value)) end
  local info = debug.getinfo(value, "S")
  if info.what == "C" then return nil, "that function is written in C" end
  local name = info.source:match "^@(.*)$"
  local text = name and (system.source(name) or text_of_file(name))
  if not text then return nil, ("the source is not at hand: %s"):format(info.short_src) end
  local lines, first = {}, info.linedefined
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  while lines[first - 1] and lines[first - 1]:find "^%s*%-%-" do first = first - 1 end
  return table.concat(lines, "\n", first, math.min(info.lastlinedefined, #lines))
end

return source
