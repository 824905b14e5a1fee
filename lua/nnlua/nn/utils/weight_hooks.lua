-- The old forms of nn.utils.weight_norm and spectral_norm: a hook computes the weight before each forward. The new ones
-- are those of nn.utils.parametrizations.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local hooks = require "nnlua.nn.hooks"
local nl = require "nnlua"
local norms = require "nnlua.nn.utils.norm_except_dim"
local singular = require "nnlua.nn.utils.singular_vectors"

local weight_hooks = {}

local raise = core.raise

--- The hook of a class that computes a tensor of a module, or nil.
local function hook_of(module, kind, name)
  local lists = core.hooks(module)
  for _, hook in ipairs(lists and lists[core.HOOK_PRE] or {}) do
    if class.is_a(hook, kind) and hook.name == name then return hook end
  end
end

--- The parameter that a hook is to compute.
local function parameter_of(function_name, module, kind, name)
  local parameter = module[name]
  if hook_of(module, kind, name) then
    raise(("%s: '%s' has a hook of this function already"):format(function_name, name))
  elseif core.kind(module, name) ~= "parameter" or parameter == nil then
    raise(("%s: %s has no parameter '%s'"):format(function_name, core.class_name(module), name))
  elseif core.is_uninitialized(parameter) then
    raise(("%s: '%s' has no shape yet: the first call of %s gives it one"):format(function_name, name,
      core.class_name(module)))
  end
  return parameter
end

--- Takes a hook and its tensors off and puts the weight that it computes in their place.
local function remove(function_name, kind, module, name)
  local hook = hook_of(module, kind, name)
  if not hook then
    raise(("%s: %s has no such hook for '%s'"):format(function_name, core.class_name(module), name))
  end
  local weight = hook:compute_weight(module, false):detach()
  hooks.unregister(module, core.HOOK_PRE, hook)
  module:unregister(name)
  for _, suffix in ipairs(hook.suffixes) do module:unregister(name .. suffix) end
  module[name] = core.parameter(weight)
  return module
end

-- ---------------------------------------------------------------- weight_norm

local WeightNorm = class.new "nn.utils.WeightNorm"
WeightNorm.suffixes = {"_g", "_v"}

function WeightNorm:init(name, dim)
  self.name, self.dim = name, dim
end

function WeightNorm:compute_weight(module)
  return norms.scaled(module[self.name .. "_v"], module[self.name .. "_g"], self.dim)
end

function WeightNorm:__call(module)
  module[self.name] = self:compute_weight(module)
end

local parse_weight = args.parser("weight_norm", {
  {"module", "module"}, {"name", "string", "weight"}, {"dim", "integer?", 1},
})

--- The old form of nn.utils.parametrizations.weight_norm: the parameters are `weight_g` and `weight_v`, and the weight
--- is computed before each forward. Returns the module.
---     > net = nn.utils.weight_norm(nn.Linear(20, 40))
---     > net.weight_g.shape, net.weight_v.shape
---     [40, 1]	[40, 20]
function weight_hooks.weight_norm(...)
  local module, name, dim = parse_weight(...)
  local weight = parameter_of("weight_norm", module, WeightNorm, name)
  local hook = WeightNorm(name, norms.kept_dim("weight_norm", weight, dim))
  module:unregister(name)
  module:register_parameter(name .. "_g", core.parameter(norms.norm_except_dim(weight, hook.dim):detach()))
  module:register_parameter(name .. "_v", core.parameter(weight:detach()))
  hook(module)
  module:register_forward_pre_hook(hook)
  return module
end

local parse_remove_weight = args.parser("remove_weight_norm", {{"module", "module"}, {"name", "string", "weight"}})

--- Takes nn.utils.weight_norm off; the weight stays as it is, a Parameter. Returns the module.
---     > net = nn.utils.remove_weight_norm(nn.utils.weight_norm(nn.Linear(2, 1)))
---     > for name in net:named_parameters() do print(name) end
---     bias
---     weight
function weight_hooks.remove_weight_norm(...)
  return remove("remove_weight_norm", WeightNorm, parse_remove_weight(...))
end

-- -------------------------------------------------------------- spectral_norm

local SpectralNorm = class.new "nn.utils.SpectralNorm"
SpectralNorm.suffixes = {"_u", "_v", "_orig"}

function SpectralNorm:init(name, n_power_iterations, dim, eps)
  self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps
end

--- Brings the two vectors nearer to the first singular ones, in place: v first, then u.
function SpectralNorm:_iterate(matrix, u, v)
  local _ <close> = nl.no_grad()
  for _ = 1, self.n_power_iterations do
    v:copy_(singular.normalized(nl.mv(matrix.T, u), self.eps))
    u:copy_(singular.normalized(nl.mv(matrix, v), self.eps))
  end
end

function SpectralNorm:compute_weight(module, iterates)
  local weight, u, v = module[self.name .. "_orig"], module[self.name .. "_u"], module[self.name .. "_v"]
  local matrix = singular.as_matrix(weight, self.dim)
  if iterates then
    self:_iterate(matrix, u, v)
    u, v = u:clone(), v:clone() -- the backward of this call may come after the next one has changed them
  end
  return weight / nl.dot(u, nl.mv(matrix, v))
end

function SpectralNorm:__call(module)
  module[self.name] = self:compute_weight(module, module.training)
end

local parse_spectral = args.parser("spectral_norm", singular.arguments)

--- The old form of nn.utils.parametrizations.spectral_norm: the parameter is `weight_orig`, with the buffers `weight_u`
--- and `weight_v`, and the weight is computed before each forward. Returns the module.
---     > net = nn.utils.spectral_norm(nn.Linear(20, 40))
---     > net.weight_orig.shape, net.weight_u.shape
---     [40, 20]	[40]
function weight_hooks.spectral_norm(...)
  local module, name, iterations, eps, dim = parse_spectral(...)
  local weight = parameter_of("spectral_norm", module, SpectralNorm, name)
  dim = singular.checked("spectral_norm", module, weight, iterations, dim)
  if weight.ndim < 2 then raise "spectral_norm: the parameter must have at least 2 dimensions" end
  local u, v = singular.drawn(singular.as_matrix(weight:detach(), dim), eps)
  local hook = SpectralNorm(name, iterations, dim, eps)
  module:unregister(name)
  module:register_parameter(name .. "_orig", weight)
  module[name] = weight:detach()
  module:register_buffer(name .. "_u", u)
  module:register_buffer(name .. "_v", v)
  module:register_forward_pre_hook(hook)
  return module
end

local parse_remove_spectral = args.parser("remove_spectral_norm", {{"module", "module"}, {"name", "string", "weight"}})

--- Takes nn.utils.spectral_norm off; the weight stays as it is, a Parameter. Returns the module.
---     > net = nn.utils.remove_spectral_norm(nn.utils.spectral_norm(nn.Linear(2, 1)))
---     > for name in pairs(net:state_dict()) do print(name) end
---     bias
---     weight
function weight_hooks.remove_spectral_norm(...)
  return remove("remove_spectral_norm", SpectralNorm, parse_remove_spectral(...))
end

return weight_hooks
