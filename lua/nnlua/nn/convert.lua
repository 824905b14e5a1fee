-- Moving a module to another dtype: its parameters stay the same objects, its buffers are replaced.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local PARAMETER, BUFFERS = core.PARAMETER, core.BUFFER | core.TRANSIENT
local FLOATING, COMPLEX = 2, 3

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

local function wanted_dtype(value)
  if core.is_tensor(value) then
    return value.dtype
  elseif type(value) == "table" then
    return value.dtype
  elseif core.category(value) then
    return value
  end
end

local devices = {cpu = true, meta = true}

local function check_target(value, dtype)
  if value == nil or dtype or type(value) == "table" or core.is_tensor(value) then
    return
  elseif type(value) == "string" then
    if not devices[value] then
      core.raise(("to: the device '%s' is not known; there are cpu and meta"):format(value))
    end
  else
    core.raise(("to: a dtype, a device or a tensor was expected, got %s"):format(core.describe(value)))
  end
end

--- Adds the conversions to Module.
function convert.install(Module)
  --- Applies a function of tensors to all parameters and buffers. Returns the module.
  function Module:_apply(conversion)
    return nl.no_grad(convert_all, self, conversion)
  end

  --- Moves the module to a dtype (only its floating and complex tensors change), in place. Returns it.
  --- Takes a dtype, a device, a tensor to be like, or {dtype = …, device = …}.
  function Module:to(...)
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      local dtype = wanted_dtype(value)
      check_target(value, dtype)
      if dtype and core.category(dtype) < FLOATING then
        core.raise("to: a module takes floating and complex dtypes only, not " .. tostring(dtype))
      elseif dtype then
        self:_apply(to_dtype(dtype, FLOATING, COMPLEX))
      end
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

  --- Everything is on the CPU already.
  function Module:cpu()
    return self
  end
end

return convert
