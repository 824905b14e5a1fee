-- What fields and methods a value has, and what stands in them, without running the user's code: `__index` functions of
-- scripts are never called, nnlua's own are looked through.

local _ENV = require "nnlua.prompt.environment"()

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local on_demand = require "nnlua.on_demand"
local parts = require "nnlua.parts"

local fields = {}

local rawget, next, type = rawget, next, type
local metatable_of, upvalue_of = debug.getmetatable, debug.getupvalue

--- The table that an `__index` looks in: itself, or what a function of nnlua's core holds.
local function table_of(index)
  if type(index) ~= "function" then return index end
  local info = debug.getinfo(index, "S")
  return info.what == "C" and select(2, upvalue_of(index, 1)) or nil
end

--- The tables that reading a value's fields goes through, in order.
local function tables_behind(value)
  local list, seen = {}, {}
  local function add(t)
    while type(t) == "table" and not seen[t] do
      seen[t] = true
      list[#list + 1] = t
      local meta = metatable_of(t)
      t = meta and rawget(meta, "__index")
    end
  end
  if type(value) == "table" then
    add(value)
  elseif core.is_module(value) then
    add(core.attributes(value))
    add(core.class_of(value))
  else
    local meta = metatable_of(value)
    add(meta and table_of(rawget(meta, "__index")))
  end
  return list
end

--- The names that follow `value.` or, if only functions are wanted, `value:`, as a set.
function fields.names(value, only_functions)
  local names = {}
  for _, t in ipairs(tables_behind(value)) do
    for key, held in next, t do
      if type(key) == "string" and (not only_functions or type(held) == "function") then names[key] = true end
    end
  end
  if value == nl then
    for _, part in ipairs(parts) do names[part] = true end
  end
  if not only_functions then
    for name in next, on_demand.names(value) or {} do names[name] = true end
  end
  return names
end

--- What stands in a field, or nil: also where only running code could tell.
function fields.get(value, name)
  local is_ours = value == nl or on_demand.names(value)
  if is_ours or core.is_tensor(value) and type(fields.raw(value, name)) == "userdata" then return value[name] end
  return fields.raw(value, name)
end

--- The same from the tables alone; a tensor's property is a light userdata there.
function fields.raw(value, name)
  for _, t in ipairs(tables_behind(value)) do
    local held = rawget(t, name)
    if held ~= nil then return held end
  end
end

return fields
