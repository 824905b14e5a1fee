-- nn.utils: what one does to modules from outside.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local on_demand = require "nnlua.on_demand"
local parameter_list = require "nnlua.nn.parameter_list"

--- nn.utils; `nn.utils.rnn` packs and pads sequences, `nn.utils.parametrize` and `nn.utils.parametrizations` have
--- weights that are computed, `nn.utils.prune` has weights with a mask.
local utils = {rnn = require "nnlua.nn.utils.rnn"}

local format, raise = core.format, core.raise

local function check_is_on_meta(module)
  for name, parameter in module:named_parameters() do
    if not parameter.is_meta then
      raise(("skip_init: %s has made '%s' on the device '%s': its init must make parameters on the device that it gets"
        .. " in its table of named arguments"):format(core.class_name(module), name, parameter.device))
    end
  end
end

--- Makes a module whose parameters are not filled: `nn.utils.skip_init(nn.Linear, 10, 5, {bias = false})`. The class
--- must take a `device`, as it is built on the meta device and then given memory.
---     > nn.utils.skip_init(nn.Linear, 2, 3).weight.shape
---     [3, 2]
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

-- ---------------------------------------------------------------- gradients

local function list_of(name, parameters)
  local list = parameter_list(name, parameters)
  for _, p in ipairs(list) do
    if not core.is_tensor(p) then
      raise(("%s: a parameter is a tensor, not %s"):format(name, core.describe(p)))
    end
  end
  return list
end

local function gradients_of(name, parameters)
  local gradients = {}
  for _, p in ipairs(list_of(name, parameters)) do
    if p.grad then gradients[#gradients + 1] = p.grad end
  end
  return gradients
end

--- The norm of all elements of some tensors together.
local function total_norm(name, tensors, norm_type, error_if_nonfinite)
  if #tensors == 0 then return nl.tensor(0.0) end
  local norms = {}
  for i, t in ipairs(tensors) do norms[i] = t:norm(norm_type) end
  local norm = nl.stack(norms):norm(norm_type)
  local value = error_if_nonfinite and norm:item()
  if value and (value ~= value or value == math.huge) then
    raise(format("%s: the norm of the gradients is %s, so they can't be clipped", name, value))
  end
  return norm
end

--- Scales gradients whose norm together is known so that it is at most max_norm.
local function scale_to(gradients, max_norm, norm)
  local factor = nl.minimum(max_norm / (norm + 1e-6), nl.ones({}, {dtype = norm.dtype}))
  for _, gradient in ipairs(gradients) do gradient:mul_(factor) end
end

local parse_clip_norm = args.parser("clip_grad_norm_", {
  {"parameters", "any"}, {"max_norm", "number"}, {"norm_type", "number", 2.0}, {"error_if_nonfinite", "boolean", false},
  {"foreach", "boolean?"},
})

--- Scales all gradients so that their norm together is at most max_norm, and returns what it was:
--- `clip_grad_norm_(net:parameters(), max_norm, norm_type = 2, error_if_nonfinite = false)`.
---     > w = nl.zeros(2, {requires_grad = true})
---     > w.grad = nl.tensor({3.0, 4.0})
---     > nn.utils.clip_grad_norm_({w}, 1), w.grad
---     tensor(5.)	tensor([0.6000, 0.8000])
function utils.clip_grad_norm_(...)
  local parameters, max_norm, norm_type, error_if_nonfinite = parse_clip_norm(...)
  local gradients = gradients_of("clip_grad_norm_", parameters)
  local _ <close> = nl.no_grad()
  local norm = total_norm("clip_grad_norm_", gradients, norm_type, error_if_nonfinite)
  scale_to(gradients, max_norm, norm)
  return norm
end

local parse_total = args.parser("get_total_norm", {
  {"tensors", "any"}, {"norm_type", "number", 2.0}, {"error_if_nonfinite", "boolean", false}, {"foreach", "boolean?"},
})

--- The norm of all elements of some tensors together, such as gradients; 0 of none.
---     > nn.utils.get_total_norm({nl.tensor({3.0, 4.0}), nl.tensor({12.0})})
---     tensor(13.)
function utils.get_total_norm(...)
  local tensors, norm_type, error_if_nonfinite = parse_total(...)
  local _ <close> = nl.no_grad()
  return total_norm("get_total_norm", list_of("get_total_norm", tensors), norm_type, error_if_nonfinite)
end

local parse_clip_with = args.parser("clip_grads_with_norm_", {
  {"parameters", "any"}, {"max_norm", "number"}, {"total_norm", "tensor"}, {"foreach", "boolean?"},
})

--- As clip_grad_norm_, where the norm of all gradients is known already: what get_total_norm gave.
---     > w = nl.zeros(2, {requires_grad = true})
---     > w.grad = nl.tensor({3.0, 4.0})
---     > nn.utils.clip_grads_with_norm_({w}, 1, nl.tensor(5.0))
---     > w.grad
---     tensor([0.6000, 0.8000])
function utils.clip_grads_with_norm_(...)
  local parameters, max_norm, norm = parse_clip_with(...)
  local _ <close> = nl.no_grad()
  scale_to(gradients_of("clip_grads_with_norm_", parameters), max_norm, norm)
end

local parse_clip_value = args.parser("clip_grad_value_", {
  {"parameters", "any"}, {"clip_value", "number"}, {"foreach", "boolean?"},
})

--- Cuts each element of all gradients to between -clip_value and clip_value.
---     > w = nl.zeros(2, {requires_grad = true})
---     > w.grad = nl.tensor({3.0, -4.0})
---     > nn.utils.clip_grad_value_({w}, 1)
---     > w.grad
---     tensor([ 1., -1.])
function utils.clip_grad_value_(...)
  local parameters, limit = parse_clip_value(...)
  local _ <close> = nl.no_grad()
  for _, gradient in ipairs(gradients_of("clip_grad_value_", parameters)) do gradient:clamp_(-limit, limit) end
end

-- ------------------------------------------------------------------ vectors

--- All parameters one after the other as one vector.
---     > nn.utils.parameters_to_vector(nn.Linear(2, 1):parameters()).shape
---     [3]
function utils.parameters_to_vector(parameters)
  local pieces = {}
  for i, p in ipairs(list_of("parameters_to_vector", parameters)) do pieces[i] = p:reshape(-1) end
  if #pieces == 0 then raise "parameters_to_vector: there are no parameters" end
  return nl.cat(pieces)
end

--- Makes the parameters parts of a vector, in order: views of it, without history.
---     > net = nn.Linear(2, 1)
---     > nn.utils.vector_to_parameters(nl.tensor({1.0, 2.0, 3.0}), net:parameters())
---     > net.bias:item()
---     3.0
function utils.vector_to_parameters(vector, parameters)
  if not core.is_tensor(vector) or vector.ndim ~= 1 then
    raise(("vector_to_parameters: a vector was expected, not %s"):format(core.describe(vector)))
  end
  local list, needed = list_of("vector_to_parameters", parameters), 0
  for _, p in ipairs(list) do needed = needed + p:numel() end
  if needed > #vector then
    raise(("vector_to_parameters: the vector has %d elements, the parameters %d"):format(#vector, needed))
  end
  local first = 1
  for _, p in ipairs(list) do
    p.data = vector:narrow(1, first, p:numel()):view_as(p).data
    first = first + p:numel()
  end
end

return on_demand.fields(utils, function() end, {
  ["nnlua.nn.utils.memory_format"] = "convert_conv2d_weight_memory_format convert_conv3d_weight_memory_format",
  ["nnlua.nn.utils.parametrizations"] = "parametrizations",
  ["nnlua.nn.utils.parametrize"] = "parametrize",
  ["nnlua.nn.utils.prune"] = "prune",
  ["nnlua.nn.utils.stateless"] = "stateless",
  ["nnlua.nn.utils.weight_hooks"] = "remove_spectral_norm remove_weight_norm spectral_norm weight_norm",
  ["nnlua.nn.utils.fusion"] = [[
    fuse_conv_bn_eval fuse_conv_bn_weights fuse_linear_bn_eval fuse_linear_bn_weights]],
})
