--- nnlua as the cases name it: functions, methods and constants by their paths.
--- What nnlua does not have raises a `Missing`, which makes a case be skipped.

local nl = require "nnlua"

local api = {nl = nl}

local Missing = {}
Missing.__index = Missing
function Missing:__tostring()
  return "nnlua has no " .. self.name
end

--- Stops a case because nnlua does not have something.
function api.raise_missing(name)
  error(setmetatable({name = name}, Missing))
end

--- The name of what an error says is missing, or nil for any other error.
function api.missing_name(err)
  return getmetatable(err) == Missing and err.name or nil
end

local function remembering(find)
  local known = {}
  return function(name)
    if known[name] == nil then
      known[name] = find(name)
    end
    return known[name]
  end
end

--- What stands under a path such as "nn.functional.relu".
api.lookup = remembering(function(path)
  local found = nl
  for name in path:gmatch("[^.]+") do
    found = found[name]
    if found == nil then
      api.raise_missing("nl." .. path)
    end
  end
  return found
end)

local a_matrix = nl.tensor({{1.0, 2.0}, {3.0, 4.0}})

local function member(name)
  return a_matrix[name]
end

--- Makes sure that tensors have a method or a field; to read one that they have not raises.
api.require_member = remembering(function(name)
  if not pcall(member, name) then
    api.raise_missing("x:" .. name)
  end
  return true
end)

local tensor_metatable = getmetatable(a_matrix)

--- Makes sure that tensors have an operator, by the name of its metamethod without `__`.
function api.require_operator(name)
  if type(tensor_metatable) == "table" and not tensor_metatable["__" .. name] then
    api.raise_missing("operator " .. name)
  end
end

--- Whether a value is a tensor, which `nl.Size` and dtypes, userdata too, are not.
function api.is_tensor(value)
  return type(value) == "userdata" and getmetatable(value) == tensor_metatable
end

return api
