-- What functions of parameters take: an iterator such as net:parameters(), a tensor, a list of both.

local core = require "nnlua.nn.core"

--- Whether a value is a name and a parameter in a list.
local function is_named(value)
  return type(value) == "table" and getmetatable(value) == nil and type(value[1]) == "string" and value[2] ~= nil
end

--- The parameters as a new list; what else a list holds (an optimizer's groups, mistakes) stays as it is. `name` stands
--- in errors. Where parameters come with names, as from net:named_parameters(), these are a second list.
return function(name, parameters)
  local list, names, named = {}, {}, 0
  local function note(first, second)
    if type(first) == "string" and second ~= nil then
      named = named + 1
      list[#list + 1], names[#list + 1] = second, first
    else
      list[#list + 1] = first
    end
  end
  local function add(value)
    if type(value) == "function" then
      for first, second in value do note(first, second) end
    elseif is_named(value) then
      note(value[1], value[2])
    else
      note(value)
    end
  end
  if type(parameters) == "function" or core.is_tensor(parameters) then
    add(parameters)
  elseif type(parameters) == "table" then
    for _, value in ipairs(parameters) do add(value) end
  else
    core.raise(("%s: parameters are an iterator such as net:parameters(), or a list, not %s"):format(name,
      core.describe(parameters)))
  end
  if named > 0 and named < #list then
    core.raise(("%s: %d of %d parameters have names: give all of them one, or none"):format(name, named, #list))
  end
  return list, named > 0 and names or nil
end
