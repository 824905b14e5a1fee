-- Tables whose fields stand in files that are read when one of their names is first asked for: who needs two layers
-- doesn't wait for all of them.

local on_demand = {}

-- For a table: `sources`, by name the module that has it; `unguarded`, a set of modules whose classes have no guards
-- yet; `guard`, which puts them there.
local tables = setmetatable({}, {__mode = "k"})

local function read_module(t, module)
  local self, found = tables[t], require(module)
  for name, source in next, self.sources do
    if source == module and rawget(t, name) == nil then
      rawset(t, name, found[name] or module:match "[^.]+$" == name and found or nil)
    end
  end
  for one in next, self.unguarded do -- modules read each other
    if package.loaded[one] then
      self.guard(package.loaded[one])
      self.unguarded[one] = nil
    end
  end
end

local function index(t, name)
  local module = tables[t].sources[name]
  if not module then return nil end
  read_module(t, module)
  return rawget(t, name)
end

local function all_pairs(t)
  for name, module in next, tables[t].sources do
    if rawget(t, name) == nil then read_module(t, module) end
  end
  return next, t, nil
end

--- The names of a table's fields on demand, each with its module; nil if it is no such table.
function on_demand.names(t)
  return tables[t] and tables[t].sources
end

--- Gives a table fields: `modules` has, for the name of each module, those of the fields that it has, parted by
--- spaces; one that the module lacks and that has the last part of its name is the module itself. `guard` is called
--- with what a module returned, once it is read. pairs reads all of them.
function on_demand.fields(t, guard, modules)
  local sources, unguarded = {}, {}
  for module, list in pairs(modules) do
    unguarded[module] = true
    for name in list:gmatch "%S+" do sources[name] = module end
  end
  tables[t] = {sources = sources, unguarded = unguarded, guard = guard}
  return setmetatable(t, {__index = index, __pairs = all_pairs})
end

return on_demand
