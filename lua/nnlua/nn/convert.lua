-- Moving a module to another dtype: its parameters stay the same objects, its buffers are replaced.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local PARAMETER, BUFFERS = core.PARAMETER, core.BUFFER | core.TRANSIENT
local FLOATING, COMPLEX = 2, 3

local raise = core.raise

local convert = {}

local function convert_parameter(p, conversion)
  local converted = conversion(p:detach())
  core.adopt(p, converted)
  local grad = p.grad
  if grad then
    core.adopt(grad, conversion(grad:detach()))
  end
end

--- Applies a function of tensors to all parameters and buffers of a module and of those below it.
local function convert_all(root, conversion)
  local done = {}
  for module in root:modules() do
    for _, name in ipairs(core.slot_names(module, PARAMETER)) do
      local p = module[name]
      if p and not done[p] then
        done[p] = true
        convert_parameter(p, conversion)
      end
    end
    for _, name in ipairs(core.slot_names(module, BUFFERS)) do
      local buffer = module[name]
      if buffer then
        done[buffer] = done[buffer] or conversion(buffer)
        module[name] = done[buffer]
      end
    end
  end
  return root
end

--- A conversion to a dtype of the tensors whose category is one of two.
local function to_dtype(dtype, first, second)
  return function(t)
    local category = core.category(t)
    if category == first or category == second then
      return t:to(dtype)
    end
    return t
  end
end

local function to_device(device)
  return function(t)
    return t.device == device and t or t:to(device)
  end
end

local devices = {cpu = true, meta = true}

local function check_device(device)
  if not devices[device] then
    raise(("to: the device '%s' is not known; there are cpu and meta"):format(tostring(device)))
  end
  return device
end

local function check_dtype(dtype)
  local category = core.category(dtype)
  if not category then
    raise(("to: a dtype, a device or a tensor was expected, got %s"):format(core.describe(dtype)))
  elseif category < FLOATING then
    raise("to: a module takes floating and complex dtypes only, not " .. tostring(dtype))
  end
  return dtype
end

-- What named arguments of `to` mean; the last two make no difference here.
local options = {
  dtype = function(target, dtype) target.dtype = check_dtype(dtype) end,
  device = function(target, device) target.device = check_device(device) end,
  non_blocking = function() end,
  memory_format = function() end,
}

local function read_options(target, named)
  for name, value in pairs(named) do
    if not options[name] then
      raise(("to: no argument is called '%s'; there are: device, dtype, memory_format, non_blocking"):format(
        tostring(name)))
    end
    options[name](target, value)
  end
end

--- What dtype and device the arguments of `to` ask for.
local function target_of(...)
  local target = {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if core.is_tensor(value) then
      target.dtype, target.device = check_dtype(value.dtype), value.device
    elseif type(value) == "table" then
      read_options(target, value)
    elseif type(value) == "string" then
      target.device = check_device(value)
    elseif value ~= nil and type(value) ~= "boolean" then
      target.dtype = check_dtype(value)
    end
  end
  return target
end

--- Adds the conversions to Module.
function convert.install(Module)
  --- Applies a function of tensors to all parameters and buffers. Returns the module.
  function Module:_apply(conversion)
    return nl.no_grad(convert_all, self, conversion)
  end

  --- Moves the module to a dtype (only its floating and complex tensors change) and a device, in place. Returns it.
  --- Takes a dtype, a device, a tensor to be like, or {dtype = …, device = …}.
  function Module:to(...)
    local target = target_of(...)
    if target.dtype then
      self:_apply(to_dtype(target.dtype, FLOATING, COMPLEX))
    end
    if target.device then
      self:_apply(to_device(target.device))
    end
    return self
  end

  for method, name in pairs {float = "float32", double = "float64", half = "float16", bfloat16 = "bfloat16"} do
    Module[method] = function(self)
      return self:_apply(to_dtype(nl[name], FLOATING, FLOATING))
    end
  end

  --- Converts everything to a dtype, integer buffers too.
  function Module:type(dtype)
    return self:_apply(function(t) return t:to(dtype) end)
  end

  function Module:cpu()
    return self:to("cpu")
  end
end

return convert
