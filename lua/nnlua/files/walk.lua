-- A walk over a value that is being saved: what kinds of values there are, and errors that name where one stands.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local format, raise = core.format, core.raise
local dtype_meta, size_meta = getmetatable(nl.float32), getmetatable(nl.zeros(1).shape)
local device_meta = getmetatable(nl.device "cpu")

-- What is deeper is no data structure, and readers give up, too.
local DEEPEST = 60

local Walk = {}
Walk.__index = Walk

--- A class of walks, which adds methods.
function Walk.class()
  local class = setmetatable({}, Walk)
  class.__index = class
  return class
end

--- Makes a table a walk of a class.
function Walk.new(class, walk)
  walk.path, walk.open = {}, {}
  return setmetatable(walk, class)
end

-- ------------------------------------------------------------------ tables

local function key_order(a, b)
  local x, y = type(a), type(b)
  if x ~= y then
    return x < y
  end
  return x == "boolean" and tostring(a) < tostring(b) or x ~= "boolean" and a < b
end

--- Goes through a plain table in an order of its own: the same table gives the same file.
function Walk.sorted(t)
  local keys = {}
  for key in next, t do
    if type(key) ~= "string" and type(key) ~= "number" and type(key) ~= "boolean" then
      return next, t
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, key_order)
  local i = 0
  return function()
    i = i + 1
    return keys[i], t[keys[i]]
  end
end

local ordered_kinds = {["nnlua.StateDict"] = "state_dict", ["nnlua.OrderedDict"] = "ordered"}

--- "state_dict" or "ordered" of a table that keeps the order of its entries.
function Walk.ordered_kind(t)
  local meta = getmetatable(t)
  return type(meta) == "table" and ordered_kinds[rawget(meta, "__name")] or nil
end

--- Goes through a table, by its own order if it has one.
function Walk.entries(t)
  return (Walk.ordered_kind(t) and pairs or Walk.sorted)(t)
end

--- Whether a table is saved by its entries alone; the options that nl.argparse read are.
local function is_plain(t)
  local meta = getmetatable(t)
  return meta == nil or type(meta) == "table" and rawget(meta, "__name") == "nnlua.Namespace"
end

local function is_list(t)
  local n = 0
  for _ in next, t do n = n + 1 end
  return n == #t and n > 0
end

-- ------------------------------------------------------------------- kinds

--- "value.layers[2]": where in the value the walk stands.
local function path_text(path)
  local parts = {"value"}
  for _, key in ipairs(path) do
    if type(key) == "string" and key:find "^[%a_][%w_]*$" then
      parts[#parts + 1] = "." .. key
    else
      parts[#parts + 1] = ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or format("%s", key))
    end
  end
  return table.concat(parts)
end

function Walk:refuse(what)
  raise(("save: %s %s"):format(path_text(self.path), what))
end

function Walk:check_tensor(t)
  if t.is_meta then
    self:refuse "is on the meta device and has no elements"
  end
end

function Walk:check_key(key)
  local kind = type(key)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    self:refuse(("has a key that is %s: keys are strings, numbers and booleans"):format(core.describe(key)))
  end
end

local function table_kind(walk, t)
  local kind = Walk.ordered_kind(t)
  if not kind and not is_plain(t) then
    walk:refuse(type(t.state_dict) == "function" and "is an object: save its :state_dict()" or
      ("is %s, which has a metatable: only plain tables can be saved"):format(core.describe(t)))
  elseif walk.open[t] then
    walk:refuse "contains itself"
  elseif #walk.path > DEEPEST then
    walk:refuse(("is nested deeper than %d tables"):format(DEEPEST))
  end
  return kind or is_list(t) and "list" or "table"
end

local function userdata_kind(walk, value)
  local meta = getmetatable(value)
  if value == nl.none then
    return "none"
  elseif nl.is_tensor(value) then
    walk:check_tensor(value)
    return "tensor"
  elseif meta == dtype_meta or meta == device_meta or meta == size_meta then
    return meta == dtype_meta and "dtype" or meta == device_meta and "device" or "size"
  elseif nl.nn.is_module(value) then
    walk:refuse "is a module: save its state, net:state_dict()"
  end
  walk:refuse(("is %s, which can't be saved"):format(core.describe(value)))
end

--- What kind of data a value is: boolean, number, string, none, tensor, dtype, device, size; list, table, ordered,
--- state_dict. All else is an error.
function Walk:kind(value)
  local kind = type(value)
  if kind == "boolean" or kind == "number" or kind == "string" then
    return kind
  elseif kind == "table" then
    return table_kind(self, value)
  elseif kind == "userdata" then
    return userdata_kind(self, value)
  end
  self:refuse(kind == "nil" and "is nil" or ("is a %s, which can't be saved"):format(kind))
end

--- "float32" of nl.float32.
function Walk.dtype_name(dtype)
  return tostring(dtype):match "[^.]+$"
end

--- Calls write(self, item) for what stands under a key, and returns what it gives.
function Walk:enter(key, item, write)
  table.insert(self.path, key)
  local result = write(self, item)
  table.remove(self.path)
  return result
end

return Walk
