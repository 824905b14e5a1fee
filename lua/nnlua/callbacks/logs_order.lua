-- The order in which the logs of an epoch are told.

local logs_order = {}

local places = {epoch = 1, step = 2, loss = 3, val_loss = 5, lr = 7}

--- Names and what they are sorted by: epoch, step, loss, metrics, those of the validation, learning rate.
local function place(name)
  return places[name] or name:find "^val_" and 6 or 4
end

--- The names of logs in their order.
function logs_order.names(logs)
  local names = {}
  for name in pairs(logs) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    local p, q = place(a), place(b)
    return p < q or p == q and a < b
  end)
  return names
end

--- Those that are values, without epoch and step.
function logs_order.values(logs)
  local values = {}
  for _, name in ipairs(logs_order.names(logs)) do
    if name ~= "epoch" and name ~= "step" then values[#values + 1] = name end
  end
  return values
end

return logs_order
