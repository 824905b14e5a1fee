-- What was perhaps meant: for names that are not there.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local fields = require "nnlua.prompt.fields"
local similar = require "nnlua.prompt.similar"

local hints = {}

local function known_names(locals)
  local names = {}
  for name in next, _G do names[name] = true end
  for name in pairs(locals) do names[name] = true end
  return names
end

local function did_you_mean(name, names)
  local nearest = similar.nearest(name, names)
  return nearest and ("did you mean '%s'?"):format(nearest)
end

--- For a line that is no more than a name, or a field of one, whose value is nil.
function hints.of_nil(text, locals)
  local name, field = text:match "^%s*=?%s*([%a_][%w_]*)%.?([%w_]*)%s*;?%s*$"
  if not name then return nil end
  if field ~= "" then
    local owner = locals[name] and chunk.get(locals, name)
    if owner == nil then owner = rawget(_G, name) end
    return owner ~= nil and did_you_mean(field, fields.names(owner))
  end
  if locals[name] then return nil end
  return did_you_mean(name, known_names(locals))
end

--- For a field or method that is nil: where the library has that name, or one that is nearly it.
local function in_library(name)
  local catalogue = require "nnlua.help.catalogue"
  local names = {}
  for _, entry in ipairs(catalogue.all()) do
    if entry.short == name then return ("there is %s"):format(entry.name) end
    names[entry.short] = true
  end
  local nearest = similar.nearest(name, names)
  return nearest and ("did you mean %s?"):format(catalogue.find(nearest).name)
end

--- An error's text; where Lua says that what is called is nil, with the name that was perhaps meant. `locals` are the
--- session's.
function hints.with_suggestion(message, locals)
  local first, rest = message:match "^([^\n]*)(.*)$"
  local kind, name = first:match "attempt to call a nil value %((%a+) '([%a_][%w_]*)'%)"
  if not kind then kind, name = first:match "a nil value %((global) '([%a_][%w_]*)'%)" end
  local suggestion
  if kind == "global" then suggestion = did_you_mean(name, known_names(locals))
  elseif kind then suggestion = in_library(name) end
  return suggestion and first .. "; " .. suggestion .. rest or message
end

return hints
