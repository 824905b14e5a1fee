-- What containers with names make of a plain table of names, which has no order.

local core = require "nnlua.nn.core"

local unordered = {}

local warned = {}

--- The names of a table in alphabetical order. The first time that there are several it is told, with the list of pairs
--- that would keep an order; `class` is the container's name.
function unordered.names(class, values)
  local names = {}
  for name in next, values do
    if type(name) ~= "string" then
      core.raise(("%s: a name is a string, not %s"):format(class, core.describe(name)))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  if #names > 1 and not warned[class] then
    warned[class] = true
    io.stderr:write(core.user_line(), ("warning: nn.%s: a table of names has no order, so its entries come in "
      .. "alphabetical order; a list of pairs keeps its own: nn.%s {{%q, …}, {%q, …}}\n"):format(
      class, class, names[1], names[2]))
  end
  return names
end

return unordered
