-- What an `iter` method gives, as a generic `for` would run it: a function, a state, a control and a closing value.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"

local iterator = {}

--- The four values that an object's `iter` method gave, checked.
local function checked(name, object, f, state, control, closing)
  if not args.is_callable(f) then
    core.raise(("%s: iter() of its %s must return a function of the next value, as pairs does, not %s"):format(name,
      object, core.describe(f)))
  end
  return f, state, control, closing
end

--- Starts an object's `iter` method: what the loop runs on. `object` is what the object is called in errors.
function iterator.start(name, object, value)
  if not args.is_callable(value.iter) then
    core.raise(("%s: iter of its %s must be a method, not %s"):format(name, object, core.describe(value.iter)))
  end
  return checked(name, object, value:iter())
end

-- ---------------------------------------------------------------- closing

-- Holds the closing value of a loop within a loop. It is closed when that has ended, or when the outer loop is left; of
-- a loop that can't tell that it was left, by the collector.
local Closing = {}
Closing.__index = Closing

--- Closes a closing value, as the end of a generic `for` would.
function iterator.close(value, err)
  local meta = getmetatable(value)
  if type(meta) == "table" and meta.__close then meta.__close(value, err) end
end

function Closing:close(err)
  local value = self.value
  self.value = nil
  if value ~= nil then iterator.close(value, err) end
end

Closing.__close, Closing.__gc = Closing.close, Closing.close

-- Closes if what it stands beside fails.
local Guard = {__close = function(self, err)
  if err ~= nil then self.closing:close(err) end
end}

--- A step of a loop over what has a closing value, and that value for the loop; both as they are if there is none.
function iterator.closed_by(closing, step)
  if closing == nil then return step end
  local own = setmetatable({value = closing}, Closing)
  local on_error = setmetatable({closing = own}, Guard)
  local function pass(first, ...)
    if first == nil then own:close() end
    return first, ...
  end
  return function()
    local _ <close> = on_error
    return pass(step())
  end, nil, nil, own
end

return iterator
