-- The calls that were going on when an error came up: where they were, and their variables.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"

local frames = {}

local getinfo, getlocal, getupvalue = debug.getinfo, debug.getlocal, debug.getupvalue
local MOST = 60 -- levels of the stack that are looked at

--- The variables of a call as a set of locals: what it has from outside are the very variables, its own are copies.
local function variables_of(level, func)
  local variables = chunk.new_locals()
  for index = 1, math.huge do
    local name = getupvalue(func, index)
    if not name then break end
    if name ~= "_ENV" and not chunk.is_own(name) then variables[name] = {holder = func, index = index} end
  end
  for index = 1, math.huge do
    local name, value = getlocal(level + 1, index)
    if not name then break end
    if name:find "^[%a_]" and not chunk.is_own(name) then chunk.set(variables, name, value) end
  end
  return variables
end

local function what_of(info)
  if info.what == "main" or info.source:find "^=entry " and not info.name then return "main chunk" end
  if info.name then return ("%s '%s'"):format(info.namewhat == "method" and "method" or "function", info.name) end
  return ("function <%s:%d>"):format(info.short_src, info.linedefined)
end

--- The program's own calls on the stack, from the innermost on: `{where, line, what, variables}`.
function frames.on_stack()
  local list = {}
  for level = 2, MOST do
    local info = getinfo(level, "Slnf")
    if not info then break end
    if info.what ~= "C" and info.source:sub(1, 7) ~= "@nnlua/" then
      list[#list + 1] = {where = info.short_src, line = info.currentline, what = what_of(info),
        variables = variables_of(level, core.unguarded(info.func))}
    end
  end
  return list
end

return frames
