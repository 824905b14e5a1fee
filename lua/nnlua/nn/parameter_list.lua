-- What functions of parameters take: an iterator such as net:parameters(), a tensor, a list of both.

local core = require "nnlua.nn.core"

--- The parameters as a new list; what else a list holds (an optimizer's groups, mistakes) stays as it is. `name` stands
--- in errors.
return function(name, parameters)
  local list = {}
  local function add(value)
    if type(value) == "function" then
      for p in value do list[#list + 1] = p end
    else
      list[#list + 1] = value
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
  return list
end
