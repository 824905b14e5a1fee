-- The value of an epoch's logs by which it is judged.

local core = require "nnlua.nn.core"

local raise = core.raise

--- The number of that name in logs; `who` asks for it. A tensor of one element is one, too.
return function(who, name, logs)
  local value = logs[name]
  if value == nil then raise(("%s: there is no '%s' to monitor"):format(who, name)) end
  if core.is_tensor(value) and value:numel() == 1 then value = value:item() end
  if type(value) == "number" then return value end
  raise(("%s: '%s' can't be monitored: it must be one number, not %s"):format(who, name,
    core.is_tensor(value) and "a tensor of shape " .. tostring(value.shape) or core.describe(value)))
end
