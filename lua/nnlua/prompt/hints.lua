-- What was perhaps meant: for names that are not there.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"
local fields = require "nnlua.prompt.fields"
local pretty = require "nnlua.prompt.pretty"
local similar = require "nnlua.prompt.similar"

--- `locals` are the prompt's session locals, where there is a prompt.
local hints = {locals = {}}

local LONGEST = 200 -- bytes of a line that may be a name
local MOST_OWNERS = 1000 -- values that are looked at for a field that isn't there

--- What is nearly a name: a text, and by how many letters it differs; or nil.
local function did_you_mean(name, names)
  local nearest, distance = similar.nearest(name, names)
  return nearest and ("did you mean '%s'?"):format(nearest), distance
end

-- ----------------------------------------------------------- what is in sight

--- What the function that failed sees, a list of `{name, value}`: its local variables, what it has from outside, the
--- prompt's variables, globals. It is the uppermost on the stack that is not nnlua's own.
local function visible()
  local list = {}
  local function add(name, value) list[#list + 1] = {name, value} end
  for level = 1, 50 do
    local info = debug.getinfo(level, "Sf")
    if not info then break end
    if info.what ~= "C" and info.source:sub(1, 7) ~= "@nnlua/" then
      for i = 1, math.huge do
        local name, value = debug.getlocal(level, i)
        if not name then break end
        add(name, value)
      end
      for i = 1, math.huge do
        local name, value = debug.getupvalue(info.func, i)
        if not name then break end
        add(name, value)
      end
      break
    end
  end
  for name in pairs(hints.locals) do add(name, chunk.get(hints.locals, name)) end
  for name, value in next, _G do add(name, value) end
  return list
end

local function visible_names()
  local names = {}
  for _, one in ipairs(visible()) do names[one[1]] = true end
  return names
end

--- The names of the fields of all values in sight, and of those that stand in the modules among them.
local function visible_fields()
  local names, owners, seen = {}, {}, {[_G] = true, [package.loaded] = true}
  local function add(value)
    local has_fields = type(value) == "table" or core.is_module(value)
    if not has_fields or seen[value] or #owners >= MOST_OWNERS then return end
    seen[value] = true
    owners[#owners + 1] = value
    for name in pairs(fields.names(value)) do names[name] = true end
  end
  for _, one in ipairs(visible()) do add(one[2]) end
  local i = 1
  while owners[i] do
    local owner = owners[i]
    for name in pairs(core.is_module(owner) and fields.names(owner) or {}) do add(fields.raw(owner, name)) end
    i = i + 1
  end
  return names
end

-- ------------------------------------------------------------------- hints

--- The value of a name in the session, without running code.
local function value_of(name)
  local value = hints.locals[name] and chunk.get(hints.locals, name)
  if value == nil then value = rawget(_G, name) end
  return value
end

--- For a line that is no more than a name, or fields of one, whose value is nil.
function hints.of_nil(text)
  local name, rest = text:sub(1, LONGEST):match "^%s*=?%s*([%a_][%w_]*)([%w_.]*)%s*;?%s*$"
  if not name or #text > LONGEST then return nil end
  local owner, last = nil, name
  for field in rest:gmatch "%.([%a_][%w_]*)" do
    if owner == nil then owner = value_of(name) else owner = fields.get(owner, last) end
    if owner == nil then return nil end
    last = field
  end
  if owner ~= nil then return (did_you_mean(last, fields.names(owner))) end
  return not hints.locals[name] and (did_you_mean(name, visible_names())) or nil
end

--- For a function or method that is nil: where the library has that name, or one that is nearly it, unless a name that
--- is in sight is nearer.
local function of_called(name, kind)
  local catalogue = require "nnlua.help.catalogue"
  local names = {}
  for _, entry in ipairs(catalogue.all()) do
    if kind == "method" or not entry.name:find(":", 1, true) then -- a field isn't another class's method
      if entry.short == name then return ("there is %s"):format(entry.name) end
      names[entry.short] = true
    end
  end
  local nearest, distance = similar.nearest(name, names)
  local here, distance_here = similar.nearest(name, visible_fields())
  local is_own = here and (kind == "method" or not names[here])
  if is_own and not (nearest and distance < distance_here) then
    return ("did you mean '%s'?"):format(here)
  end
  return nearest and ("did you mean %s?"):format(catalogue.find(nearest).name)
end

--- An error's text; where Lua says that something is nil, with the name that was perhaps meant. To be called on top of
--- the stack that failed.
function hints.with_suggestion(message)
  local first, rest = message:match "^([^\n]*)(.*)$"
  local verb, kind, name = first:match "attempt to (%a+).- a nil value %((%a+) '([%a_][%w_]*)'%)"
  if not kind or first:find("did you mean", 1, true) then return message end
  local suggestion
  if kind == "global" then suggestion = did_you_mean(name, visible_names())
  elseif kind == "field" or kind == "method" then
    suggestion = verb == "call" and of_called(name, kind) or did_you_mean(name, visible_fields())
  end
  return suggestion and first .. "; " .. suggestion .. rest or message
end

--- What is in a table that was raised as an error, to follow the words that say it is one; nothing if it is empty.
function hints.contents(value)
  return next(value) ~= nil and ": " .. pretty.text(value, {depth = 3, items = 20}) or ""
end

return hints
