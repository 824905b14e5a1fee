-- Lazy modules: their parameters have no shape until the first call shows what comes in.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local hooks = require "nnlua.nn.hooks"
local nl = require "nnlua"

local lazy = {}

local raise, is_uninitialized = core.raise, core.is_uninitialized
local get_field, set_field = core.get_field, core.set_field

-- -------------------------------------------------- uninitialized parameters

local REQUIRES_GRAD, DTYPE, DEVICE = 1, 2, 3
local fields = {requires_grad = REQUIRES_GRAD, dtype = DTYPE, device = DEVICE}

-- What reads as nil, as it does on a leaf without a gradient.
local empty_fields = {grad = true, grad_fn = true, retains_grad = true}

local function refuse(what)
  raise(("%s: the Parameter is uninitialized and has no shape yet; the first call of its module gives it one"):format(
    what))
end

local methods, meta = {}, {__name = "nnlua.UninitializedParameter"}

--- Gives the Parameter a shape, unset elements, and what else a tensor has: from then on it is one.
function methods:materialize(...)
  local sizes = table.pack(...)
  local named = sizes[sizes.n]
  local options = {dtype = get_field(self, DTYPE), device = get_field(self, DEVICE)}
  if args.is_named("materialize", named) then
    sizes[sizes.n] = nil
    args.check_names("materialize", named, {"dtype", "device"})
    options.dtype, options.device = named.dtype or options.dtype, named.device or options.device
  end
  sizes[#sizes + 1] = options
  local data = nl.empty(table.unpack(sizes))
  core.materialize(self, core.parameter(data, get_field(self, REQUIRES_GRAD)))
end

function methods:requires_grad_(flag)
  set_field(self, REQUIRES_GRAD, flag == nil or flag)
  return self
end

function meta:__index(name)
  if fields[name] then
    return get_field(self, fields[name])
  elseif name == "is_leaf" then
    return true
  elseif name == "is_meta" then
    return get_field(self, DEVICE).type == "meta"
  end
  return methods[name] or not empty_fields[name] and refuse(tostring(name)) or nil
end

function meta:__newindex(name, value)
  if name == "requires_grad" then
    self:requires_grad_(value)
  elseif name ~= "grad" or value ~= nil then
    refuse(tostring(name))
  end
end

function meta.__tostring()
  return "<UninitializedParameter>"
end

local operators = {
  add = "+", sub = "-", mul = "*", div = "/", idiv = "//", mod = "%", pow = "^", unm = "-", band = "&", bor = "|",
  bxor = "~", bnot = "~", shl = "<<", shr = ">>", lt = "<", le = "<=", len = "#", call = "()",
}
for event, name in pairs(operators) do
  meta["__" .. event] = function() refuse(name) end
end

local parse = args.parser("nn.UninitializedParameter", {
  {"requires_grad", "boolean", true}, {"device", "any?"}, {"dtype", "any?"},
})

--- A Parameter without a shape, for lazy modules: `p:materialize(sizes)` gives it one, in place. Until then it has only
--- requires_grad, dtype and device, and every operation raises.
---     > p = nn.UninitializedParameter()
---     > p:materialize({2, 3})
---     > p.shape
---     [2, 3]
---@param requires_grad? boolean
---@param device? string
---@param dtype? any
function lazy.UninitializedParameter(...)
  local requires_grad, device, dtype = parse(...)
  local like = nl.empty(0, (device or dtype) and {device = device, dtype = dtype})
  local p = core.uninitialized(meta)
  set_field(p, REQUIRES_GRAD, requires_grad)
  set_field(p, DTYPE, like.dtype)
  set_field(p, DEVICE, like.device)
  return p
end

--- Whether a value is a Parameter that has no shape yet.
lazy.is_lazy = is_uninitialized

--- What an uninitialized Parameter is to be, as an empty tensor.
function lazy.stand_in(p)
  return nl.empty(0, {dtype = p.dtype, device = p.device})
end

--- Makes it be like a tensor in dtype and device.
function lazy.be_like(p, t)
  set_field(p, DTYPE, t.dtype)
  set_field(p, DEVICE, t.device)
end

--- Another one like it.
function lazy.copy(p)
  return lazy.UninitializedParameter(p.requires_grad, p.device, p.dtype)
end

-- ------------------------------------------------------------------ modules

--- Runs before the first call, with its arguments, and not again: the module is one of the class that it becomes.
local function infer(module, arguments)
  nl.no_grad(module.initialize_parameters, module, table.unpack(arguments, 1, arguments.n))
  if module:has_uninitialized_params() then
    raise(("%s: initialize_parameters has left parameters uninitialized"):format(core.class_name(module)))
  end
  hooks.unregister(module, core.HOOK_PRE, infer)
  core.set_class(module, module._becomes)
end

--- A class of modules that come from another class, and become it at their first call. Its init calls
--- `lazy.prepare(self)`; `initialize_parameters(...)` gets the arguments of the first call, gives each uninitialized
--- parameter its shape, and does nothing to those that have been loaded by then.
function lazy.class(name, becomes)
  local class = core.class(name, becomes)
  class._becomes = becomes

  --- Whether a parameter of the module itself has no shape yet.
  ---     > layer = nn.LazyLinear(2)
  ---     > layer:has_uninitialized_params() -- a first call gives them theirs
  ---     true
  function class:has_uninitialized_params()
    for _, parameter_name in ipairs(core.slot_names(self, core.PARAMETER)) do
      if is_uninitialized(self[parameter_name]) then
        return true
      end
    end
    return false
  end

  function class:reset_parameters()
    if not self:has_uninitialized_params() then
      becomes.reset_parameters(self)
    end
  end

  return class
end

--- Gives a module a weight without a shape, and such a bias or none.
function lazy.add_parameters(module, bias, device, dtype)
  module.weight = lazy.UninitializedParameter(true, device, dtype)
  if bias then
    module.bias = lazy.UninitializedParameter(true, device, dtype)
  else
    core.register_parameter(module, "bias", nil)
  end
end

--- Makes a new module wait for its first call.
function lazy.prepare(module)
  module:register_forward_pre_hook(infer)
end

return lazy
