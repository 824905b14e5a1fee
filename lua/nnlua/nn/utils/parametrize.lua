-- nn.utils.parametrize: parameters and buffers that are computed from others whenever they are read.
--
-- A module with such tensors is one of a class made for it, "Parametrized…", whose instances compute those fields. The
-- tensors that they are computed from stand in `module.parametrizations`, as PyTorch's do, so that states move across.

local args = require "nnlua.args"
local containers = require "nnlua.nn.containers"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local nl = require "nnlua"

--- Parameters that are computed from others: `register_parametrization(module, "weight", how)`.
local parametrize = {}

local attributes, is_tensor, kind, raise = core.attributes, core.is_tensor, core.kind, core.raise
local ModuleDict, ModuleList = containers.ModuleDict, containers.ModuleList

local function register_tensor(module, name, tensor)
  if core.is_parameter(tensor) then
    core.register_parameter(module, name, tensor)
  else
    core.register_buffer(module, name, tensor)
  end
end

--- Makes a tensor be another one and stay the same object, so that optimizers which have it go on.
local function become(tensor, value)
  if tensor ~= value then tensor.data = value:detach() end
end

--- What a right_inverse gave, as a list of tensors, and whether it was one tensor.
local function tensors_of(name, ...)
  local first = ...
  local is_one = select("#", ...) == 1 and is_tensor(first)
  local list = type(first) == "table" and getmetatable(first) == nil and first or {...}
  if #list == 0 then raise(("%s: right_inverse must return a tensor, or several"):format(name)) end
  for i, value in ipairs(list) do
    if not is_tensor(value) then
      raise(("%s: right_inverse must return tensors; value %d is %s"):format(name, i, core.describe(value)))
    end
  end
  return list, is_one
end

--- Raises unless a computed tensor has the dtype and the shape of the one that it stands for.
local function check_like(what, value, like)
  if not is_tensor(value) then
    raise(("register_parametrization: %s must return a tensor, not %s"):format(what, core.describe(value)))
  elseif value.dtype ~= like.dtype then
    raise(("register_parametrization: %s may not change the dtype, from %s to %s; {unsafe = true} allows it"):format(
      what, like.dtype, value.dtype))
  elseif not core.same_shape(value, like) then
    raise(("register_parametrization: %s may not change the shape, from %s to %s; {unsafe = true} allows it"):format(
      what, like.shape, value.shape))
  end
end

-- --------------------------------------------------------- ParametrizationList

--- What `module.parametrizations[name]` is: the parametrizations of one tensor, in the order in which they run, and the
--- tensor that they start from, `original`, or several: `original0`, `original1`… `register_parametrization` makes it.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
---     > net.parametrizations.weight
---     ParametrizationList(
---       (0): _WeightNorm()
---     )
---@class ParametrizationList: ModuleList
local ParametrizationList = core.class("nn.utils.parametrize.ParametrizationList", ModuleList)
parametrize.ParametrizationList = ParametrizationList

local function set_originals(self, original, values)
  for i, value in ipairs(values) do
    value = value:detach()
    if core.is_parameter(original) then
      value = core.parameter(value, original.requires_grad)
    else
      value:requires_grad_(original.requires_grad)
    end
    register_tensor(self, "original" .. i - 1, value)
  end
end

local parse_list = args.parser("nn.utils.parametrize.ParametrizationList", {
  {"modules", "list"}, {"original", "tensor"}, {"unsafe", "boolean", false},
})

function ParametrizationList:init(...)
  local modules, original, unsafe = parse_list(...)
  if #modules == 0 then raise "ParametrizationList: there must be at least one module" end
  ModuleList.init(self, modules)
  self.unsafe = unsafe
  local before, values, is_tensor_alone = original:detach(), {original}, true
  for i = #self, 1, -1 do
    if self[i].right_inverse then
      values, is_tensor_alone = tensors_of("register_parametrization",
        nl.no_grad(self[i].right_inverse, self[i], table.unpack(values)))
    end
  end
  self.is_tensor, self.ntensors = is_tensor_alone, #values
  if not is_tensor_alone then
    set_originals(self, original, values)
  elseif values[1].dtype ~= original.dtype then
    raise(("register_parametrization: right_inverse may not change the dtype, from %s to %s"):format(
      original.dtype, values[1].dtype))
  else
    become(original, values[1])
    register_tensor(self, "original", original)
  end
  if not unsafe then check_like("a parametrization", self(), before) end
end

--- The tensors that the others are computed from, as a list.
local function originals(self)
  if self.is_tensor then return {self.original} end
  local list = {}
  for i = 1, self.ntensors do list[i] = self["original" .. i - 1] end
  return list
end

function ParametrizationList:forward()
  local x = self[1](table.unpack(originals(self)))
  for i = 2, #self do x = self[i](x) end
  return x
end

--- Sets the original tensors so that the computed one becomes `value`: what `module.weight = value` does.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
---     > net.weight = nl.tensor({{3.0, 4.0}})
---     > net.parametrizations.weight.original0
---     Parameter containing:
---     tensor([[5.]], requires_grad=True)
function ParametrizationList:right_inverse(value)
  if not is_tensor(value) then raise("right_inverse: a tensor was expected, not " .. core.describe(value)) end
  local values = {value}
  for i = #self, 1, -1 do
    if not self[i].right_inverse then
      raise(("right_inverse: %s has no right_inverse, so the tensor can't be set"):format(core.class_name(self[i])))
    end
    values = tensors_of("right_inverse", nl.no_grad(self[i].right_inverse, self[i], table.unpack(values)))
  end
  local list = originals(self)
  if #values ~= #list then
    raise(("right_inverse: %d tensors were expected, not %d"):format(#list, #values))
  end
  for i, tensor in ipairs(list) do
    if tensor.dtype ~= values[i].dtype then
      raise(("right_inverse: tensor %d has the dtype %s, its original %s"):format(i, values[i].dtype, tensor.dtype))
    end
  end
  for i, tensor in ipairs(list) do become(tensor, values[i]) end
end

guard.classes {ParametrizationList}

-- ---------------------------------------------------------------------- cache

-- By coroutine: how many `cached` are open in it, and the values so far, by module and name.
local caches = setmetatable({}, {__mode = "k"})

local function leave(scope)
  local cache = caches[scope.thread]
  cache.depth = cache.depth - 1
  if cache.depth == 0 then caches[scope.thread] = nil end
end

local scope_meta = {__close = leave, __name = "nnlua.parametrize.cached"}

--- Computes each parametrized tensor at most once until the end of a block (`local _ <close> = parametrize.cached()`)
--- or of a function, whose results it returns: `parametrize.cached(f, ...)`. For layers that read a weight many times.
---     > net = nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))
---     > nn.utils.parametrize.cached(function() return net.weight == net.weight end), net.weight == net.weight
---     true	false
---@param f? function
function parametrize.cached(f, ...)
  if f ~= nil and not args.is_callable(f) then
    raise("cached: a function was expected, not " .. core.describe(f))
  end
  local thread = coroutine.running()
  caches[thread] = caches[thread] or {depth = 0, values = setmetatable({}, {__mode = "k"})}
  caches[thread].depth = caches[thread].depth + 1
  local scope = setmetatable({thread = thread}, scope_meta)
  if f == nil then return scope end
  local _ <close> = scope
  return f(...)
end

local function computed(module, name, list)
  local cache = caches[coroutine.running()]
  if not cache then return list() end
  local values = cache.values[module] or {}
  cache.values[module] = values
  values[name] = values[name] or list()
  return values[name]
end

-- -------------------------------------------------------------------- classes

--- The ModuleDict of a module's parametrizations, or nil.
local function dict_of(module)
  local dict = attributes(module).parametrizations
  return core.is_module(dict) and dict:is_a(ModuleDict) and dict or nil
end

--- The ParametrizationList of a name, or nil.
local function list_of(module, name)
  local dict = dict_of(module)
  return dict and kind(dict, name) == "module" and attributes(dict)[name] or nil
end

local function parametrized_class(base)
  local class = core.class("nn.utils.parametrize.Parametrized" .. core.class_name(base), base)
  local index, newindex
  index, newindex = core.set_access(class, function(module, name)
    local list = list_of(module, name)
    if list then return computed(module, name, list) end
    return index(module, name)
  end, function(module, name, value)
    local list = list_of(module, name)
    if list then return list:right_inverse(value) end
    newindex(module, name, value)
  end)

  for _, method in ipairs {"register_parameter", "register_buffer", "register_module", "add_module"} do
    class[method] = function(module, name, ...)
      if list_of(module, name) then
        raise(("%s: '%s' is already an attribute of %s"):format(method, name, core.class_name(module)))
      end
      return base[method](module, name, ...)
    end
  end

  --- Lets the parametrizations rename what older programs saved.
  function class:_load_from_state_dict(dict, prefix, ...)
    for name, list in pairs(dict_of(self)) do
      for _, parametrization in ipairs(list) do
        if parametrization._rename_saved then parametrization:_rename_saved(dict, prefix, name) end
      end
    end
    return base._load_from_state_dict(self, dict, prefix, ...)
  end

  return class
end

-- The class for the modules of a class, made once.
local classes = setmetatable({}, {__mode = "k"})

local function start(module)
  local base = core.class_of(module)
  classes[base] = classes[base] or parametrized_class(base)
  core.set_class(module, classes[base])
  module.parametrizations = ModuleDict()
end

-- ---------------------------------------------------------------- registering

--- Raises unless a further parametrization keeps dtype and shape, forward and back.
local function check_further(module, name, parametrization)
  local y = module[name]
  local x = parametrization(y)
  check_like("a parametrization", x, y)
  if parametrization.right_inverse then
    check_like("right_inverse", nl.no_grad(parametrization.right_inverse, parametrization, x), y)
  end
end

local function register_first(module, name, parametrization, unsafe)
  local slot, original = kind(module, name), module[name]
  if slot ~= "parameter" and slot ~= "buffer" or original == nil then
    raise(("register_parametrization: %s has no parameter or buffer '%s'"):format(core.class_name(module), name))
  elseif not is_tensor(original) then
    raise(("register_parametrization: '%s' has no shape yet: the first call of %s gives it one"):format(name,
      core.class_name(module)))
  end
  local list = ParametrizationList({parametrization}, original, unsafe)
  module:unregister(name)
  if not parametrize.is_parametrized(module) then start(module) end
  core.register_module(module.parametrizations, name, list)
end

local parse_register = args.parser("register_parametrization", {
  {"module", "module"}, {"tensor_name", "string"}, {"parametrization", "module"}, {"unsafe", "boolean", false},
})

--- Makes a parameter or buffer of a module be computed by another module, from a tensor which then is the parameter:
--- `module.parametrizations.weight.original`. A further one takes what the one before gives. If the parametrization has
--- a method `right_inverse`, assigning to `module.weight` works, and the first one's says what the original is: one
--- tensor, or several (`original0`, `original1`…), which are then the arguments of its forward. With unsafe it may
--- change dtype and shape. Returns the module.
---     > Symmetric = nn.class "Symmetric"
---     > function Symmetric:forward(x) return x:triu() + x:triu(1).T end
---     > net = nn.Linear(3, 3)
---     > nn.utils.parametrize.register_parametrization(net, "weight", Symmetric());
---     > nl.equal(net.weight, net.weight.T)
---     true
---     > for name in net:named_parameters() do print(name) end
---     bias
---     parametrizations.weight.original
function parametrize.register_parametrization(...)
  local module, name, parametrization, unsafe = parse_register(...)
  parametrization:train(module.training)
  local list = list_of(module, name)
  if not list then
    register_first(module, name, parametrization, unsafe)
    return module
  end
  if not unsafe then check_further(module, name, parametrization) end
  list:append(parametrization)
  list.unsafe = list.unsafe or unsafe
  return module
end

local parse_is = args.parser("is_parametrized", {{"module", "module"}, {"tensor_name", "string?"}})

--- Whether a module has parametrized tensors; with a name, whether that tensor is one.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
---     > nn.utils.parametrize.is_parametrized(net), nn.utils.parametrize.is_parametrized(net, "bias")
---     true	false
function parametrize.is_parametrized(...)
  local module, name = parse_is(...)
  if name then return list_of(module, name) ~= nil end
  local dict = dict_of(module)
  return dict ~= nil and #dict > 0
end

--- What the tensor is when its parametrizations are gone.
local function remaining(module, name, list, leave_parametrized)
  if not list.is_tensor then
    local value = module[name]
    return value.requires_grad and core.parameter(value:detach()) or value
  end
  if leave_parametrized then become(list.original, nl.no_grad(function() return module[name] end)) end
  return list.original
end

local parse_remove = args.parser("remove_parametrizations", {
  {"module", "module"}, {"tensor_name", "string"}, {"leave_parametrized", "boolean", true},
})

--- Takes the parametrizations of a tensor off. It keeps the value that they compute, or, with leave_parametrized =
--- false, that of the original. Returns the module.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
---     > nn.utils.parametrize.remove_parametrizations(net, "weight")
---     Linear(in_features=2, out_features=1, bias=True)
function parametrize.remove_parametrizations(...)
  local module, name, leave_parametrized = parse_remove(...)
  local list = list_of(module, name)
  if not list then
    raise(("remove_parametrizations: %s has no parametrization of '%s'"):format(core.class_name(module), name))
  elseif not leave_parametrized and not list.is_tensor then
    raise(("remove_parametrizations: '%s' is computed from several tensors, so there is no original to leave"):format(
      name))
  end
  local tensor = remaining(module, name, list, leave_parametrized)
  module.parametrizations:pop(name)
  if not parametrize.is_parametrized(module) then
    module:unregister "parametrizations"
    core.set_class(module, core.class_of(module).super)
  end
  register_tensor(module, name, tensor)
  return module
end

local parse_type = args.parser("type_before_parametrizations", {{"module", "module"}})

--- The class that a module had before it was parametrized; its class if it isn't.
---     > net = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
---     > nn.utils.parametrize.type_before_parametrizations(net) == nn.Linear
---     true
function parametrize.type_before_parametrizations(...)
  local module = parse_type(...)
  local class = core.class_of(module)
  return parametrize.is_parametrized(module) and class.super or class
end

local function transfer(from, to, name)
  local list = list_of(from, name)
  if not list then
    raise(("transfer_parametrizations_and_params: %s has no parametrization of '%s'"):format(core.class_name(from),
      name))
  end
  if to[name] == nil then to[name] = core.parameter(from[name]:detach()) end
  for _, parametrization in ipairs(list) do
    parametrize.register_parametrization(to, name, parametrization)
  end
  local target = list_of(to, name)
  for _, original in ipairs(core.slot_names(list, core.PARAMETER | core.BUFFER)) do
    target[original] = list[original]
  end
end

local parse_transfer = args.parser("transfer_parametrizations_and_params", {
  {"from_module", "module"}, {"to_module", "module"}, {"tensor_name", "string?"},
})

--- Gives a module the parametrizations of another one, and the tensors that they start from: all, or those of one
--- tensor. Parameters that it lacks are made. Returns to_module.
---     > a, b = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1)), nn.Linear(2, 1)
---     > nn.utils.parametrize.transfer_parametrizations_and_params(a, b);
---     > nl.equal(a.weight, b.weight)
---     true
function parametrize.transfer_parametrizations_and_params(...)
  local from, to, only = parse_transfer(...)
  if not parametrize.is_parametrized(from) then return to end
  local names = {only}
  if not only then
    for name in pairs(from.parametrizations) do names[#names + 1] = name end
  end
  for _, name in ipairs(names) do transfer(from, to, name) end
  return to
end

return parametrize
