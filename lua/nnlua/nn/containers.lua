-- Modules that hold modules: Sequential, ModuleList, ModuleDict.
--
-- Their names count from 0, as PyTorch's do, so that states move across; their indices count from 1.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local container_index = require "nnlua.nn.container_index"
local repr = require "nnlua.nn.repr"
local Module = require "nnlua.nn.module"
local unordered = require "nnlua.nn.unordered"

local MODULE = core.MODULE
local raise = core.raise
local place_of, places_of = container_index.place_of, container_index.places_of

local containers = {}

-- ----------------------------------------------------------------- children

local function names_of(module)
  return core.slot_names(module, MODULE)
end

local function get(module, name)
  return core.attributes(module)[name]
end

--- Takes all children off and puts a list of {name, module} in their place; names are optional.
local function refill(module, entries)
  for _, name in ipairs(names_of(module)) do
    module:unregister(name)
  end
  for i, entry in ipairs(entries) do
    core.set_raw(module, entry.name or tostring(i - 1), entry.module, MODULE)
  end
end

local function entries_of(module)
  local entries = {}
  for i, name in ipairs(names_of(module)) do
    entries[i] = {name = name, module = get(module, name)}
  end
  return entries
end

local function without_names(entries)
  for _, entry in ipairs(entries) do
    entry.name = nil
  end
  return entries
end

local function checked(module, value)
  if value ~= nil and not core.is_module(value) then
    raise(("%s: a module was expected, got %s"):format(core.class_name(module), core.describe(value)))
  end
  return value
end

--- A list of modules: a table, a container or an iterator such as net:children().
local function list_of(module, values)
  local list = {}
  if type(values) == "function" then
    for value in values do
      list[#list + 1] = checked(module, value)
    end
  elseif type(values) == "table" and not getmetatable(values)
      or core.is_module(values) and values._is_list then
    for i = 1, #values do
      list[i] = checked(module, values[i])
    end
  else
    raise(("%s: a list of modules was expected, got %s"):format(core.class_name(module), core.describe(values)))
  end
  return list
end

-- ---------------------------------------------------- what lists have in common

local List = core.class("nn.List", Module)
List._is_list = true

function List:_get_item(index)
  if type(index) == "table" then
    return self:_slice(index)
  end
  local n = core.child_count(self)
  if index == n + 1 then
    return nil -- where ipairs stops
  end
  return core.child(self, place_of(self, index, n))
end

local parse_slice = args.parser("slice", {{"first", "integer?"}, {"last", "integer?"}, {"step", "integer?"}})

--- A container of the same class with the modules from one index to another, both included: `net:slice(1, -2)` is all
--- but the last, as is `net[{1, -2}]`.
---     > nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU()):slice(1, -2)
---     Sequential(
---       (0): ReLU()
---       (1): Tanh()
---     )
---@param first? integer
---@param last? integer
---@param step? integer
function List:slice(...)
  local first, last, step = parse_slice(...)
  return self:_slice {first or 1, last or -1, step}
end

function List:_set_item(index, module)
  local names = names_of(self)
  if index == #names + 1 then
    self:append(module)
  else
    checked(self, module)
    self[names[place_of(self, index, #names)]] = module
  end
end

function List:__len()
  return core.child_count(self)
end

--- Goes through indices and modules.
function List:__pairs()
  return ipairs(self)
end

--- Appends a module under the next free number. Returns the container.
function List:append(module)
  checked(self, module)
  local number = core.child_count(self)
  while core.kind(self, tostring(number)) do
    number = number + 1
  end
  core.register_module(self, tostring(number), module)
  return self
end

--- Appends the modules of a list, another container or an iterator. Returns the container.
function List:extend(modules)
  for _, module in ipairs(list_of(self, modules)) do
    self:append(module)
  end
  return self
end

--- Puts a module before the one at an index (one past the last appends). Returns the container.
function List:insert(index, module)
  checked(self, module)
  local entries = entries_of(self)
  local n = #entries
  for i, entry in ipairs(entries) do
    if entry.name ~= tostring(i - 1) then
      raise(("%s: insert moves numbers, but a child is called '%s'"):format(core.class_name(self), entry.name))
    end
  end
  local place = index == n + 1 and index or place_of(self, index, n)
  table.insert(entries, place, {module = module})
  core.register_module(self, tostring(n), module) -- which checks that it may be a child
  refill(self, without_names(entries))
  return self
end

--- Deletes the module at an index, or those of a range {first, last}; the others are numbered anew.
function List:delete(index)
  local entries = entries_of(self)
  local places = type(index) == "table" and places_of(index, #entries) or {place_of(self, index, #entries)}
  table.sort(places)
  for i = #places, 1, -1 do
    table.remove(entries, places[i])
  end
  refill(self, without_names(entries))
end

--- Deletes the module at an index (the last one by default) and returns it.
function List:pop(index)
  index = index or -1
  local module = self[place_of(self, index, core.child_count(self))]
  self:delete(index)
  return module
end

--- A new container of the same class with the modules of both.
function List:__add(other)
  if not (core.is_module(self) and core.is_module(other) and other._is_list) then
    raise(("%s can't be joined to %s"):format(core.describe(other), core.describe(self)))
  end
  local sum = core.new(core.class_of(self))
  return sum:extend(self):extend(other)
end

-- --------------------------------------------------------------- Sequential

--- Calls its children one after the other, each on what the one before returned.
--- Children have numbers, or names, as pairs in a table.
---     > net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
---     > net(nl.randn(5, 4)).shape, #net
---     [5, 2]	3
---     > nn.Sequential({{"fc", nn.Linear(2, 3)}, {"act", nn.ReLU()}}).fc.out_features
---     3
---@class Sequential: Module
local Sequential = core.class("nn.Sequential", List)
Sequential.forward = core.sequential_forward

local function add_pairs(self, list)
  for _, pair in ipairs(list) do
    if type(pair) ~= "table" or #pair ~= 2 then
      raise(core.class_name(self) .. ": modules are given one by one, as in nn.Sequential(a, b), or with names " ..
        "as a list of pairs: {{\"fc\", a}, …}")
    end
    self:register_module(pair[1], checked(self, pair[2]))
  end
end

function Sequential:init(...)
  local first = ...
  if select("#", ...) == 1 and type(first) == "table" then
    if #first == 0 and next(first) ~= nil then
      raise "Sequential: a table of names has no order; give a list of pairs: {{\"fc\", module}, …}"
    end
    return add_pairs(self, first)
  end
  for i = 1, select("#", ...) do
    self:register_module(tostring(i - 1), checked(self, (select(i, ...))))
  end
end

function Sequential:_slice(range)
  local entries, part = entries_of(self), core.new(core.class_of(self))
  for _, i in ipairs(places_of(range, #entries)) do
    core.register_module(part, entries[i].name, entries[i].module)
  end
  return part
end

--- The same modules several times over.
function Sequential:__mul(factor)
  if not core.is_module(self) then
    self, factor = factor, self
  end
  local times = args.whole(factor)
  if not times then
    raise(("Sequential: it can be multiplied by an integer only, not by %s"):format(core.describe(factor)))
  end
  args.check_layers("Sequential", "the factor", times, 1)
  local product = core.new(core.class_of(self))
  for _ = 1, times do
    product:extend(self)
  end
  return product
end

containers.Sequential = Sequential

-- --------------------------------------------------------------- ModuleList

--- A list of modules, without a forward.
---     > layers = nn.ModuleList {nn.Linear(2, 3), nn.Linear(3, 4)}
---     > #layers, layers[2].out_features
---     2	4
---@class ModuleList: Module
local ModuleList = core.class("nn.ModuleList", List)

function ModuleList:init(modules)
  if modules ~= nil then
    self:extend(modules)
  end
end

function ModuleList:_slice(range)
  local part, n = core.new(core.class_of(self)), core.child_count(self)
  for _, i in ipairs(places_of(range, n)) do
    part:append(core.child(self, i))
  end
  return part
end

ModuleList._render = repr.render_list

containers.ModuleList = ModuleList

-- --------------------------------------------------------------- ModuleDict

--- Modules by name, in order: `dict.name` or `dict["name"]`, `for name, module in pairs(dict)`. They are given as a
--- list of pairs, which keeps the order; a table of names has none, so its modules come in alphabetical order.
---     > layers = nn.ModuleDict {{"relu", nn.ReLU()}, {"act", nn.Tanh()}}
---     > layers.relu(nl.tensor({-1.0, 2.0}))
---     tensor([0., 2.])
---     > for name in pairs(layers) do print(name) end
---     relu
---     act
---@class ModuleDict: Module
local ModuleDict = core.class("nn.ModuleDict", Module)
ModuleDict._strict_names = true

function ModuleDict:init(modules)
  if modules ~= nil then
    self:update(modules)
  end
end

--- Adds modules from a list of pairs, another ModuleDict, or a table of names, which come in alphabetical order.
---     > layers = nn.ModuleDict {act = nn.ReLU()}
---     > layers:update {act = nn.Tanh()}
---     > layers.act
---     Tanh()
function ModuleDict:update(modules)
  if core.is_module(modules) and modules:is_a(ModuleDict) then
    for name, module in pairs(modules) do
      self:register_module(name, module)
    end
  elseif type(modules) ~= "table" then
    raise(("ModuleDict: a table of modules was expected, got %s"):format(core.describe(modules)))
  elseif #modules > 0 then
    add_pairs(self, modules)
  else
    for _, name in ipairs(unordered.names("ModuleDict", modules)) do
      self:register_module(name, checked(self, modules[name]))
    end
  end
end

--- Whether there is a module of a name.
---     > nn.ModuleDict({act = nn.ReLU()}):contains "act"
---     true
function ModuleDict:contains(name)
  return core.kind(self, name) == "module"
end

--- Removes a module and returns it.
---     > layers = nn.ModuleDict {act = nn.ReLU()}
---     > layers:pop "act"
---     ReLU()
function ModuleDict:pop(name)
  if not self:contains(name) then
    raise(("ModuleDict: there is no module '%s'"):format(tostring(name)))
  end
  local module = get(self, name)
  self:unregister(name)
  return module
end

--- Removes all modules.
---     > layers = nn.ModuleDict {act = nn.ReLU()}
---     > layers:clear()
---     > #layers
---     0
function ModuleDict:clear()
  refill(self, {})
end

function ModuleDict:__len()
  return core.child_count(self)
end

local function entry_iterator(self, make)
  local names, i = names_of(self), 0
  return function()
    i = i + 1
    local name = names[i]
    if name then
      return make(name, get(self, name))
    end
  end
end

--- Goes through names and modules.
---     > for name, layer in nn.ModuleDict({act = nn.ReLU()}):items() do print(name, layer) end
---     act	ReLU()
function ModuleDict:items()
  return entry_iterator(self, function(name, module) return name, module end)
end

ModuleDict.__pairs = ModuleDict.items

--- Goes through the names.
---     > for name in nn.ModuleDict({act = nn.ReLU()}):keys() do print(name) end
---     act
function ModuleDict:keys()
  return entry_iterator(self, function(name) return name end)
end

--- Goes through the modules.
---     > for layer in nn.ModuleDict({act = nn.ReLU()}):values() do print(layer) end
---     ReLU()
function ModuleDict:values()
  return entry_iterator(self, function(_, module) return module end)
end

containers.ModuleDict = ModuleDict

return containers
