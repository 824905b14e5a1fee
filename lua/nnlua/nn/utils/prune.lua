-- nn.utils.prune: parameters of which some elements are held at 0 by a mask.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local hooks = require "nnlua.nn.hooks"
local methods = require "nnlua.nn.utils.pruning_methods"
local nl = require "nnlua"

--- Pruning: `nn.utils.prune.l1_unstructured(net, "weight", 0.3)`.
local prune = {
  class = methods.class, BasePruningMethod = methods.BasePruningMethod, PruningContainer = methods.PruningContainer,
  Identity = methods.Identity, RandomUnstructured = methods.RandomUnstructured,
  L1Unstructured = methods.L1Unstructured, RandomStructured = methods.RandomStructured,
  LnStructured = methods.LnStructured, CustomFromMask = methods.CustomFromMask,
}

local raise = core.raise

local parse_identity = args.parser("identity", {{"module", "module"}, {"name", "string"}})

--- Gives a parameter a mask that lets all of it through. As with all functions here, the parameter then is
--- `weight_orig`, the mask the buffer `weight_mask`, and `weight` their product, computed before each forward. Returns
--- the module.
---     > net = nn.utils.prune.identity(nn.Linear(2, 1), "weight")
---     > net.weight_mask
---     tensor([[1., 1.]])
function prune.identity(...)
  local module, name = parse_identity(...)
  methods.install("identity", methods.Identity(), module, name)
  return module
end

local parse_random = args.parser("random_unstructured", {
  {"module", "module"}, {"name", "string"}, {"amount", "number"},
})

--- Prunes elements at random: an integer amount is how many, a float what part of those that are left. Returns the
--- module.
---     > net = nn.utils.prune.random_unstructured(nn.Linear(5, 2), "weight", 3)
---     > net.weight_mask:sum()
---     tensor(7.)
function prune.random_unstructured(...)
  local module, name, amount = parse_random(...)
  methods.install("random_unstructured", methods.RandomUnstructured(amount), module, name)
  return module
end

local parse_l1 = args.parser("l1_unstructured", {
  {"module", "module"}, {"name", "string"}, {"amount", "number"}, {"importance_scores", "tensor?"},
})

--- Prunes the elements of the least absolute values, or of the least scores: an integer amount is how many, a float
--- what part of those that are left. Returns the module.
---     > net = nn.Linear(4, 1)
---     > nl.no_grad(net.weight.copy_, net.weight, nl.tensor({{1.0, -4.0, 2.0, -3.0}}));
---     > nn.utils.prune.l1_unstructured(net, "weight", 0.5).weight_mask
---     tensor([[0., 1., 0., 1.]])
function prune.l1_unstructured(...)
  local module, name, amount, scores = parse_l1(...)
  methods.install("l1_unstructured", methods.L1Unstructured(amount), module, name, scores)
  return module
end

local parse_random_structured = args.parser("random_structured", {
  {"module", "module"}, {"name", "string"}, {"amount", "number"}, {"dim", "integer"},
})

--- Prunes whole entries of a dimension at random: rows with dim = 1. Returns the module.
---     > net = nn.utils.prune.random_structured(nn.Linear(5, 4), "weight", {amount = 3, dim = 1})
---     > net.weight_mask:sum()
---     tensor(5.)
function prune.random_structured(...)
  local module, name, amount, dim = parse_random_structured(...)
  methods.install("random_structured", methods.RandomStructured(amount, dim), module, name)
  return module
end

local parse_ln = args.parser("ln_structured", {
  {"module", "module"}, {"name", "string"}, {"amount", "number"}, {"n", "any"}, {"dim", "integer"},
  {"importance_scores", "tensor?"},
})

--- Prunes the entries of a dimension that have the least norms; n is that of the norm, a number, "fro" or "nuc".
--- Returns the module.
---     > net = nn.Linear(2, 2)
---     > nl.no_grad(net.weight.copy_, net.weight, nl.tensor({{3.0, 1.0}, {2.0, 2.5}}));
---     > nn.utils.prune.ln_structured(net, "weight", {amount = 1, n = 1, dim = 1}).weight_mask
---     tensor([[0., 0.],
---             [1., 1.]])
function prune.ln_structured(...)
  local module, name, amount, n, dim, scores = parse_ln(...)
  methods.install("ln_structured", methods.LnStructured(amount, n, dim), module, name, scores)
  return module
end

local parse_custom = args.parser("custom_from_mask", {{"module", "module"}, {"name", "string"}, {"mask", "tensor"}})

--- Prunes the elements at which a mask is 0. Returns the module.
---     > net = nn.utils.prune.custom_from_mask(nn.Linear(3, 1), "bias", nl.tensor({0}))
---     > net.bias:item() == 0
---     true
function prune.custom_from_mask(...)
  local module, name, mask = parse_custom(...)
  methods.install("custom_from_mask", methods.CustomFromMask(mask), module, name)
  return module
end

-- ------------------------------------------------------------ several at once

local function checked_pairs(parameters)
  if type(parameters) ~= "table" or #parameters == 0 then
    raise "global_unstructured: a list of pairs was expected: {{net.fc, \"weight\"}, …}"
  end
  for i, pair in ipairs(parameters) do
    if type(pair) ~= "table" or not core.is_module(pair[1]) or not core.is_tensor(pair[1][pair[2]]) then
      raise(("global_unstructured: entry %d is no pair of a module and the name of its parameter"):format(i))
    end
  end
  return parameters
end

--- One vector of the tensors that a function gives for each module and name.
local function vector(parameters, tensor_of)
  local pieces = {}
  for i, pair in ipairs(parameters) do pieces[i] = tensor_of(pair[1], pair[2]):detach():reshape(-1) end
  return nl.cat(pieces)
end

local parse_global = args.parser("global_unstructured", {
  {"parameters", "any"}, {"pruning_method", "any"}, {"options", "table?"},
})

--- Prunes several parameters as if they were one: `parameters` are pairs of a module and a name, `pruning_method` is
--- L1Unstructured, RandomUnstructured or another class of that kind. The options are those of the class, `amount`, and
--- `importance_scores`, by module and name: `{[net.fc] = {weight = scores}}`.
---     > a, b = nn.Linear(3, 2), nn.Linear(2, 1)
---     > L1 = nn.utils.prune.L1Unstructured
---     > nn.utils.prune.global_unstructured({{a, "weight"}, {b, "weight"}}, L1, {amount = 5})
---     > a.weight_mask:sum() + b.weight_mask:sum()
---     tensor(3.)
function prune.global_unstructured(...)
  local parameters, kind, given = parse_global(...)
  checked_pairs(parameters)
  local options = {}
  for key, value in pairs(given or {}) do options[key] = value end
  local scores = options.importance_scores or {}
  options.importance_scores = nil
  if not methods.is_class(kind) or kind.PRUNING_TYPE ~= "unstructured" then
    raise "global_unstructured: pruning_method is a class such as nn.utils.prune.L1Unstructured, unstructured"
  end
  local masks = methods.combined(kind(options), vector(parameters, function(module, name)
    return scores[module] and scores[module][name] or module[name]
  end), vector(parameters, function(module, name)
    return module[name .. "_mask"] or nl.ones_like(module[name])
  end))
  local first = 1
  for _, pair in ipairs(parameters) do
    local module, name = pair[1], pair[2]
    local size = module[name]:numel()
    prune.custom_from_mask(module, name, masks:narrow(1, first, size):view_as(module[name]))
    first = first + size
  end
end

-- ------------------------------------------------------------------- removing

local parse_remove = args.parser("remove", {{"module", "module"}, {"name", "string"}})

--- Makes pruning final: the parameter itself gets zeros where its mask has, and the mask is gone. Returns the module.
---     > net = nn.utils.prune.random_unstructured(nn.Linear(5, 2), "weight", 3)
---     > nn.utils.prune.remove(net, "weight");
---     > net.weight:eq(0):sum(), net.weight_mask
---     tensor(3)	nil
function prune.remove(...)
  local module, name = parse_remove(...)
  local hook = methods.hook_of(module, name)
  if not hook then raise(("remove: '%s' of %s isn't pruned"):format(name, core.class_name(module))) end
  hook:remove(module)
  hooks.unregister(module, core.HOOK_PRE, hook)
  return module
end

local parse_is = args.parser("is_pruned", {{"module", "module"}})

--- Whether a parameter of the module, or of one below it, is pruned.
---     > net = nn.Sequential(nn.Linear(2, 1))
---     > nn.utils.prune.identity(net[1], "weight");
---     > nn.utils.prune.is_pruned(net), nn.utils.prune.is_pruned(nn.Linear(2, 1))
---     true	false
function prune.is_pruned(...)
  for module in parse_is(...):modules() do
    if methods.hook_of(module) then return true end
  end
  return false
end

return prune
