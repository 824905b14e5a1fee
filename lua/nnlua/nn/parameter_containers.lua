-- Modules that hold parameters: ParameterList, ParameterDict. Tensors become parameters;
-- other values are kept as they are.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local container_index = require "nnlua.nn.container_index"
local unordered = require "nnlua.nn.unordered"

local raise = core.raise

local parse_slice = args.parser("slice", {{"first", "integer?"}, {"last", "integer?"}, {"step", "integer?"}})

local containers = {}

--- A value as it is kept: a tensor that is no parameter yet as one over the same storage.
local function kept(value)
  if core.is_tensor(value) and not core.is_parameter(value) then
    return core.parameter(value)
  end
  return value
end

local function never_called(self)
  raise(("%s has no forward: it only holds parameters"):format(core.class_name(self)))
end

--- What is printed of an entry.
local function entry_text(name, value)
  if not core.is_tensor(value) then
    return ("  (%s): Object of type: %s"):format(name, core.is_module(value) and core.class_name(value) or type(value))
  end
  local sizes = {}
  for i = 1, value.ndim do sizes[i] = value:size(i) end
  return ("  (%s): %s containing: [%s of size %s]"):format(name, core.is_parameter(value) and "Parameter" or "Tensor",
    tostring(value.dtype), table.concat(sizes, "x"))
end

-- ------------------------------------------------------------- ParameterList

--- A list of parameters: `list[1]`, `#list`, `for i, p in ipairs(list)`. `nn.ParameterList({a, b})`.
---     > weights = nn.ParameterList {nl.zeros(2), nl.zeros(3)}
---     > #weights, weights[2].shape
---     2	[3]
---@class ParameterList: Module
local ParameterList = core.class("nn.ParameterList", Module)
ParameterList._size = 0
ParameterList.forward = never_called

function ParameterList:init(values)
  if values ~= nil then
    self:extend(values)
  end
end

function ParameterList:__len()
  return self._size
end

--- A ParameterList of the entries from one index to another, both included: `list:slice(1, -2)` is all but the last.
---     > #nn.ParameterList({nl.zeros(2), nl.zeros(3), nl.zeros(4)}):slice(1, -2)
---     2
---@param first? integer
---@param last? integer
---@param step? integer
function ParameterList:slice(...)
  local first, last, step = parse_slice(...)
  return self:_get_item {first or 1, last or -1, step}
end

function ParameterList:_get_item(index)
  if type(index) ~= "table" then
    if index == self._size + 1 then
      return nil -- where ipairs stops
    end
    return self[tostring(container_index.place_of(self, index, self._size) - 1)]
  end
  local part = ParameterList()
  for _, i in ipairs(container_index.places_of(index, self._size)) do
    part:append(self[i])
  end
  return part
end

function ParameterList:_set_item(index, value)
  if index == self._size + 1 then
    return self:append(value)
  end
  self[tostring(container_index.place_of(self, index, self._size) - 1)] = kept(value)
end

--- Goes through indices and values.
function ParameterList:__pairs()
  return ipairs(self)
end

--- Appends a value. Returns the list.
---     > #nn.ParameterList({nl.zeros(2)}):append(nl.zeros(3))
---     2
function ParameterList:append(value)
  core.check_self(self, "append")
  if value == nil then
    raise "ParameterList: nil can't be an entry"
  end
  self[tostring(self._size)] = kept(value)
  self._size = self._size + 1
  return self
end

--- Appends the values of a table, another ParameterList or an iterator. Returns the list.
---     > #nn.ParameterList({nl.zeros(2)}):extend {nl.zeros(3), nl.zeros(4)}
---     3
function ParameterList:extend(values)
  if type(values) == "function" then
    for value in values do self:append(value) end
  elseif type(values) == "table" and not getmetatable(values)
      or core.is_module(values) and values:is_a(ParameterList) then
    for i = 1, #values do self:append(values[i]) end
  else
    raise(("ParameterList: a list of parameters was expected, got %s"):format(core.describe(values)))
  end
  return self
end

--- A new list with the entries of both.
function ParameterList:__add(other)
  return ParameterList():extend(self):extend(other)
end

function ParameterList:extra_repr()
  local lines = {}
  for i, value in ipairs(self) do lines[i] = entry_text(i - 1, value) end
  return table.concat(lines, "\n")
end

containers.ParameterList = ParameterList

-- ------------------------------------------------------------- ParameterDict

--- Parameters by name, in order: `dict.name`, `dict["name"]`, `for name, p in pairs(dict)`. They are given as a list of
--- pairs, which keeps the order; a table of names has none, so its entries come in alphabetical order.
---     > weights = nn.ParameterDict {{"right", nl.zeros(3)}, {"left", nl.zeros(2)}}
---     > weights.left.requires_grad
---     true
---@class ParameterDict: Module
local ParameterDict = core.class("nn.ParameterDict", Module)
ParameterDict._strict_names = true
ParameterDict.forward = never_called

function ParameterDict:init(values)
  self._names = {}
  if values ~= nil then
    self:update(values)
  end
end

local function place_of_name(self, name)
  core.check_self(self, "contains")
  for i, own in ipairs(self._names) do
    if own == name then return i end
  end
end

--- Whether there is an entry of a name.
---     > nn.ParameterDict({a = nl.zeros(2)}):contains "b"
---     false
function ParameterDict:contains(name)
  return place_of_name(self, name) ~= nil
end

--- Sets an entry; a new name goes to the end. Returns the value as it is kept.
---     > weights = nn.ParameterDict()
---     > weights:set("a", nl.zeros(2)).requires_grad
---     true
function ParameterDict:set(name, value)
  if type(name) ~= "string" then
    raise(("ParameterDict: a name is a string, not %s"):format(core.describe(name)))
  elseif value == nil then
    raise(("ParameterDict: '%s' is nil; pop takes an entry away"):format(name))
  end
  if not self:contains(name) then
    if self[name] ~= nil then
      raise(("ParameterDict: '%s' is a method or field of it already"):format(name))
    end
    self._names = table.move(self._names, 1, #self._names, 1, {})
    table.insert(self._names, name)
  end
  self[name] = kept(value)
  return self[name]
end

--- The entry of a name, or a default (nil).
---     > nn.ParameterDict({a = nl.zeros(2)}):get("b", "none")
---     none
function ParameterDict:get(name, default)
  if self:contains(name) then
    return self[name]
  end
  return default
end

--- The entry of a name, which is the default from now on if there was none.
---     > weights = nn.ParameterDict()
---     > weights:setdefault("a", nl.zeros(2)).shape, weights.a.shape
---     [2]	[2]
function ParameterDict:setdefault(name, default)
  if self:contains(name) then
    return self[name]
  end
  return self:set(name, default)
end

--- Removes an entry and returns it.
---     > weights = nn.ParameterDict {a = nl.zeros(2)}
---     > weights:pop("a").shape, #weights
---     [2]	0
function ParameterDict:pop(name)
  local place = place_of_name(self, name)
  if not place then
    raise(("ParameterDict: there is no entry '%s'"):format(tostring(name)))
  end
  local value = self[name]
  self._names = table.move(self._names, 1, #self._names, 1, {})
  table.remove(self._names, place)
  self:unregister(name)
  return value
end

--- Removes the last entry and returns its name and value.
---     > name, p = nn.ParameterDict({{"a", nl.zeros(2)}, {"b", nl.zeros(3)}}):popitem()
---     > name, p.shape
---     b	[3]
function ParameterDict:popitem()
  local name = self._names[#self._names]
  if not name then
    raise "ParameterDict: it is empty"
  end
  return name, self:pop(name)
end

--- Removes all entries.
---     > weights = nn.ParameterDict {a = nl.zeros(2)}
---     > weights:clear()
---     > #weights
---     0
function ParameterDict:clear()
  while #self._names > 0 do self:popitem() end
end

--- Sets entries from a list of pairs, another ParameterDict, or a table of names, in alphabetical order.
---     > weights = nn.ParameterDict {a = nl.zeros(2)}
---     > weights:update {a = nl.zeros(3)};
---     > weights.a.shape
---     [3]
function ParameterDict:update(values)
  if core.is_module(values) and values:is_a(ParameterDict) then
    for name, value in pairs(values) do self:set(name, value) end
  elseif type(values) ~= "table" then
    raise(("ParameterDict: a table of parameters was expected, got %s"):format(core.describe(values)))
  elseif #values > 0 then
    for _, pair in ipairs(values) do
      if type(pair) ~= "table" or #pair ~= 2 then
        raise "ParameterDict: names are given as a list of pairs: {{\"a\", x}, …}"
      end
      self:set(pair[1], pair[2])
    end
  else
    for _, name in ipairs(unordered.names("ParameterDict", values)) do self:set(name, values[name]) end
  end
  return self
end

--- A new dictionary of the same entries.
---     > weights = nn.ParameterDict {a = nl.zeros(2)}
---     > weights:copy().a == weights.a
---     true
function ParameterDict:copy()
  return ParameterDict():update(self)
end

--- A new dictionary in which each of the names has the same default.
---     > nn.ParameterDict():fromkeys({"a", "b"}, nl.zeros(2)).b.shape
---     [2]
function ParameterDict:fromkeys(names, default) -- luacheck: no self
  if type(names) ~= "table" then
    raise(("ParameterDict: fromkeys takes a list of names, not %s"):format(core.describe(names)))
  end
  local dict = ParameterDict()
  for _, name in ipairs(names) do dict:set(name, default) end
  return dict
end

--- A new dictionary with the entries of both; where both have a name, the second's.
function ParameterDict:__bor(other)
  return self:copy():update(other)
end

function ParameterDict:__len()
  return #self._names
end

local function entry_iterator(self, make)
  local names, i = self._names, 0
  return function()
    i = i + 1
    if names[i] then
      return make(names[i], self[names[i]])
    end
  end
end

--- Goes through names and values.
---     > for name, p in nn.ParameterDict({a = nl.zeros(2)}):items() do print(name, p.shape) end
---     a	[2]
function ParameterDict:items()
  return entry_iterator(self, function(name, value) return name, value end)
end

ParameterDict.__pairs = ParameterDict.items

--- Goes through the names.
---     > for name in nn.ParameterDict({a = nl.zeros(2)}):keys() do print(name) end
---     a
function ParameterDict:keys()
  return entry_iterator(self, function(name) return name end)
end

--- Goes through the values.
---     > for p in nn.ParameterDict({a = nl.zeros(2)}):values() do print(p.shape) end
---     [2]
function ParameterDict:values()
  return entry_iterator(self, function(_, value) return value end)
end

function ParameterDict:extra_repr()
  local lines = {}
  for name, value in pairs(self) do lines[#lines + 1] = entry_text(name, value) end
  return table.concat(lines, "\n")
end

containers.ParameterDict = ParameterDict

return containers
