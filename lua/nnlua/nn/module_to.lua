-- Moving a module to another dtype, device or layout: its parameters stay the same objects, its buffers are replaced.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local lazy = require "nnlua.nn.lazy"
local nl = require "nnlua"
local system = require "nnlua.system"

local PARAMETER, BUFFERS = core.PARAMETER, core.BUFFER | core.TRANSIENT
local FLOATING, COMPLEX = 2, 3

local raise = core.raise

local module_to = {}

local function convert_parameter(p, conversion)
  if lazy.is_lazy(p) then
    return lazy.be_like(p, conversion(lazy.stand_in(p)))
  end
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

local checked_device = system.checked_device
local device_meta = getmetatable(nl.device "cpu")

local function check_dtype(dtype)
  local category = core.category(dtype)
  if not category then
    raise(("to: a dtype, a device or a tensor was expected, got %s"):format(core.describe(dtype)))
  elseif category < FLOATING then
    raise("to: a module takes floating and complex dtypes only, not " .. tostring(dtype))
  end
  return dtype
end

-- ----------------------------------------------------------------- layouts

-- How many dimensions a format is for; contiguous_format is for all.
local dimensions = {contiguous_format = false, channels_last = 4, channels_last_3d = 5}

local function check_format(format)
  if format == nil or dimensions[format] == nil then
    raise(("to: memory_format is nl.contiguous_format, nl.channels_last or nl.channels_last_3d, not %s"):format(
      type(format) == "string" and format or core.describe(format)))
  end
  return format
end

local function to_format(format)
  return function(t)
    return (t.ndim == 4 or t.ndim == 5) and t:to({memory_format = format}) or t
  end
end

-- -------------------------------------------------------------- arguments

-- What named arguments of `to` mean; non_blocking makes no difference here.
local options = {
  dtype = function(target, dtype) target.dtype = check_dtype(dtype) end,
  device = function(target, device) target.device = checked_device("to", device) end,
  non_blocking = function() end,
  memory_format = function(target, format) target.format = check_format(format) end,
}

local function read_options(target, named)
  for name, value in pairs(named) do
    if not options[name] then
      args.refuse("to", name, {"device", "dtype", "memory_format", "non_blocking"})
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
    elseif type(value) == "string" or getmetatable(value) == device_meta then
      target.device = checked_device("to", value)
    elseif value ~= nil and type(value) ~= "boolean" then
      target.dtype = check_dtype(value)
    end
  end
  return target
end

-- ------------------------------------------------------------- conversions

--- Goes through names and tensors: parameters, uninitialized ones too, and buffers.
local function each_tensor(root)
  return core.iterator(core.members(root, PARAMETER | BUFFERS, "", true, true), true)
end

--- Raises before anything has changed if some tensor can't be converted.
local function check_all(root, target)
  for name, t in each_tensor(root) do
    if t.is_meta and target.device and target.device ~= t.device then
      raise(("to: '%s' is on the meta device and has no elements to move; to_empty {device = \"%s\"} gives the module "
        .. "memory"):format(name, target.device))
    end
    local wanted = target.format and dimensions[target.format]
    if wanted and not lazy.is_lazy(t) and t.ndim ~= wanted and (t.ndim == 4 or t.ndim == 5) then
      raise(("to: %s is a layout of %d dimensions, and '%s' has %d"):format(target.format, wanted, name, t.ndim))
    end
  end
end

-- --------------------------------------------------------------- to_empty

local parse_to_empty = args.parser("to_empty", {{"device", "any?"}, {"recurse", "boolean", true}})

local function empty_like(t, device)
  return nl.empty_like(t:detach(), device and {device = device})
end

--- A parameter as it is on another device: a new object, as in PyTorch.
local function moved_parameter(p, device)
  local moved = core.parameter(empty_like(p, device), p.requires_grad)
  if p.grad then
    moved.grad = empty_like(p.grad, device)
  end
  return moved
end

local function empty_parameter(module, name, device)
  local p = module[name]
  if lazy.is_lazy(p) then
    lazy.be_like(p, nl.empty(0, {dtype = p.dtype, device = device or p.device}))
  elseif device and p.device ~= device then
    module[name] = moved_parameter(p, device)
  else
    convert_parameter(p, empty_like)
  end
end

local function empty_all(root, device, recurse)
  for module in recurse and root:modules() or core.iterator({false, root}) do
    for _, name in ipairs(core.slot_names(module, PARAMETER)) do
      if module[name] then
        empty_parameter(module, name, device)
      end
    end
    for _, name in ipairs(core.slot_names(module, BUFFERS)) do
      if module[name] then
        module[name] = empty_like(module[name], device)
      end
    end
  end
  return root
end

--- Adds the conversions to Module.
function module_to.install(Module)
  --- Applies a function of tensors to all parameters and buffers. Returns the module.
  function Module:_apply(conversion)
    return nl.no_grad(convert_all, self, conversion)
  end

  --- Moves the module to a dtype (only its floating and complex tensors change) and a device, in place. Returns it.
  --- Takes a dtype, a device, a tensor to be like, or {dtype = …, device = …, memory_format = nl.channels_last}.
  ---     > nn.Linear(2, 1):to(nl.float64).weight.dtype
  ---     nnlua.float64
  function Module:to(...)
    core.check_self(self, "to")
    local target = target_of(...)
    check_all(self, target)
    if target.dtype then
      self:_apply(to_dtype(target.dtype, FLOATING, COMPLEX))
    end
    if target.device then
      self:_apply(to_device(target.device))
    end
    if target.format then
      self:_apply(to_format(target.format))
    end
    return self
  end

  --- Gives the module memory on a device, with elements that are not set: `net:to_empty {device = "cpu"}` after it was
  --- built on the meta device. Without recurse only its own parameters and buffers. Where the device changes,
  --- parameters become new objects, and those that were shared are no more: tie them again. Returns the module.
  ---     > net = nn.Linear(2, 1, {device = "meta"})
  ---     > net:to_empty({device = "cpu"}).weight.device
  ---     cpu
  function Module:to_empty(...)
    core.check_self(self, "to_empty")
    local first = ...
    if first == nil or args.is_named("to_empty", first) and first.device == nil then
      raise "to_empty: device is missing"
    end
    local device, recurse = parse_to_empty(...)
    return nl.no_grad(empty_all, self, device and checked_device("to_empty", device), recurse)
  end

  for method, name in pairs {float = "float32", double = "float64", half = "float16", bfloat16 = "bfloat16"} do
    Module[method] = function(self)
      core.check_self(self, method)
      return self:_apply(to_dtype(nl[name], FLOATING, FLOATING))
    end
  end

  --- Converts everything to a dtype, integer buffers too.
  ---     > nn.Linear(2, 1):type(nl.float64).weight.dtype
  ---     nnlua.float64
  function Module:type(dtype)
    core.check_self(self, "type")
    if core.is_tensor(dtype) or not core.category(dtype) then
      raise(("type: a dtype was expected, got %s"):format(core.describe(dtype)))
    end
    return self:_apply(function(t) return t:to(dtype) end)
  end

  --- Moves the module to the CPU's memory, where all that have elements are. Returns it.
  ---     > nn.Linear(2, 1):cpu()
  ---     Linear(in_features=2, out_features=1, bias=True)
  function Module:cpu()
    core.check_self(self, "cpu")
    return self:to("cpu")
  end

  --- Raises: all computing is done on the CPU. `net:to(device)` works with every device that there is.
  ---     > (pcall(function() nn.Linear(2, 1):cuda() end))
  ---     false
  function Module:cuda() -- luacheck: no self
    raise "cuda: all computing is done on the CPU: leave it out, or write net:to(device) with nl.device \"cpu\""
  end
end

return module_to
