-- nn.utils: what one does to modules from outside.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"

local utils = {}

local raise = core.raise

local function check_is_on_meta(module)
  for name, parameter in module:named_parameters() do
    if parameter.device ~= "meta" then
      raise(("skip_init: %s has made '%s' on the device '%s': its init must make parameters on the device that it gets"
        .. " in its table of named arguments"):format(core.class_name(module), name, parameter.device))
    end
  end
end

--- Makes a module whose parameters are not filled: `nn.utils.skip_init(nn.Linear, 10, 5, {bias = false})`. The class
--- must take a `device`, as it is built on the meta device and then given memory.
---@param class table
---@return Module
function utils.skip_init(class, ...)
  if not core.is_class(class) then
    raise(("skip_init: a class of modules was expected, got %s"):format(core.describe(class)))
  end
  local values = table.pack(...)
  local named, device = {}, "cpu"
  if args.is_named("skip_init", values[values.n]) then
    for name, value in pairs(values[values.n]) do
      named[name] = value
    end
    values.n = values.n - 1
    device = named.device or device
  end
  named.device = "meta"
  values[values.n + 1] = named
  local module = class(table.unpack(values, 1, values.n + 1))
  check_is_on_meta(module)
  return module:to_empty {device = device}
end

return utils
