-- The source text of functions and classes written in Lua.

local _ENV = require "nnlua.prompt.environment"()

local core = require "nnlua.nn.core"
local state_file = require "nnlua.state_file"
local system = require "nnlua.system"

local source = {}

local function text_of_file(name)
  local file = io.open(name, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local LONGEST = 1 << 22 -- bytes of a file that is looked into for a line

--- A line of a file by its number, as errors name it; nil if there is none.
function source.line(name, number)
  local text = system.source(name) or state_file.read(name, LONGEST)
  if not text or #text == LONGEST then return nil end
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number - 1
    if number == 0 then return line end
  end
end

--- The lines of a Lua function, with the comment above it; or nil and why there are none.
local function of_function(f)
  local info = debug.getinfo(core.unguarded(f), "S")
  if info.what == "C" then return nil, "that function is written in C" end
  local name = info.source:match "^@(.*)$"
  local text = name and (system.source(name) or text_of_file(name))
  if not text then return nil, ("the source is not at hand: %s"):format(info.short_src) end
  local lines, first = {}, info.linedefined
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  while lines[first - 1] and lines[first - 1]:find "^%s*%-%-" do first = first - 1 end
  return table.concat(lines, "\n", first, math.min(info.lastlinedefined, #lines))
end

--- The class that a value is, or that it is an instance of; nil if that is none.
local function class_of(value)
  if core.is_module(value) then return core.class_of(value) end
  if core.is_class(value) then return value end
  local meta = debug.getmetatable(value)
  if type(value) == "table" and rawget(value, "__name") then return value end
  return type(meta) == "table" and rawget(meta, "__index") == meta and meta or nil
end

--- The functions that a class itself has, in the order that they are written in: `{name, function, line}`.
local function functions_of(class)
  local list, parent = {}, class.super or {}
  for name, f in next, class do
    if type(name) == "string" and type(f) == "function" and f ~= parent[name] then
      local info = debug.getinfo(core.unguarded(f), "S")
      list[#list + 1] = {name, f, info.what == "C" and math.huge or info.linedefined}
    end
  end
  table.sort(list, function(a, b) return a[3] < b[3] or a[3] == b[3] and a[1] < b[1] end)
  return list
end

--- The functions of a class that are written in Lua; the names of those that aren't.
local function of_class(class)
  local texts, problem = {}, "that class has no functions of its own"
  for _, one in ipairs(functions_of(class)) do
    local text, why = of_function(one[2])
    texts[#texts + 1] = text or ("-- %s: %s"):format(one[1], why)
  end
  if #texts == 0 then return nil, problem end
  return table.concat(texts, "\n\n")
end

--- The source of a function with the comment above it, or of a class or an instance of one: that of its functions; or
--- nil and why there is none.
function source.of(value)
  local meta = debug.getmetatable(value)
  local called = type(value) == "table" and type(meta) == "table" and rawget(meta, "__call")
  local class = class_of(value)
  if type(value) == "function" then return of_function(value) end
  if class then return of_class(class) end
  if type(called) == "function" then return of_function(called) end
  return nil, ("a function or a class is expected, not a %s"):format(type(value))
end

return source
