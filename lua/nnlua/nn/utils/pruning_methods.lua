-- The classes of nn.utils.prune: each says which elements of a tensor its mask lets through, and is itself the hook
-- that multiplies a parameter by its mask before each forward.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local hooks = require "nnlua.nn.hooks"
local nl = require "nnlua"
local norms = require "nnlua.nn.utils.norm_except_dim"

local methods = {}

local raise = core.raise

--- What all ways of pruning come from. A class of one's own has a PRUNING_TYPE, "unstructured" (it sees the elements
--- that are left, as a vector), "structured" (it sees the entries of `self.dim` that are left) or "global" (all), and
--- compute_mask(t, default_mask):
---
---     > Negative = nn.utils.prune.class "Negative"
---     > Negative.PRUNING_TYPE = "unstructured"
---     > function Negative:compute_mask(t, default_mask) return default_mask * t:ge(0) end
---     > Negative():prune(nl.tensor({1.0, -2.0, 3.0})):sum()
---     tensor(4.)
---@class BasePruningMethod
local Base = class.new "nn.utils.prune.BasePruningMethod"
methods.BasePruningMethod = Base

function Base:init() end -- luacheck: no self

--- The hook: called before forward.
function Base:__call(module)
  module[self._tensor_name] = self:apply_mask(module)
end

--- The mask for a tensor, where one before let `default_mask` through. Each class has its own.
function Base:compute_mask()
  raise(("compute_mask: %s has none of its own"):format(getmetatable(self).__name))
end

--- The product of a module's original parameter and its mask.
---     > net = nn.Linear(2, 1)
---     > hook = nn.utils.prune.L1Unstructured:apply(net, "weight", 1)
---     > nl.equal(hook:apply_mask(net), net.weight)
---     true
function Base:apply_mask(module)
  local name = self._tensor_name
  local original = name and core.is_module(module) and module[name .. "_orig"]
  if not original then raise "apply_mask: the method has not been applied to this module" end
  return module[name .. "_mask"]:to(original.dtype) * original
end

--- Raises unless a tensor has come, and a mask of its shape.
local function check_operands(t, default_mask)
  if not core.is_tensor(t) or not core.is_tensor(default_mask) or not core.same_shape(t, default_mask) then
    raise(("compute_mask: a tensor and a mask of its shape were expected, not %s and %s"):format(core.describe(t),
      core.describe(default_mask)))
  end
end

local function check_scores(name, scores, t)
  if scores and not core.same_shape(scores, t) then
    raise(("%s: importance_scores has the shape %s, the tensor %s"):format(name, scores.shape, t.shape))
  end
  return scores or t
end

local parse_prune = args.parser("prune", {
  {"t", "tensor"}, {"default_mask", "tensor?"}, {"importance_scores", "tensor?"},
})

--- A tensor times the mask that is computed for it, or for importance_scores.
function Base:prune(...)
  local t, default_mask, scores = parse_prune(...)
  return t * self:compute_mask(check_scores("prune", scores, t), default_mask or nl.ones_like(t))
end

--- Makes a module's parameter what it is now, pruned, and takes the mask off; the hook stays.
---     > net = nn.Linear(4, 1)
---     > hook = nn.utils.prune.L1Unstructured:apply(net, "weight", 3)
---     > hook:remove(net)
---     > net.weight:count_nonzero(), net.weight_mask
---     tensor(1)	nil
function Base:remove(module)
  local weight, name = self:apply_mask(module), self._tensor_name
  local original = module[name .. "_orig"]
  original.data = weight:detach()
  for _, field in ipairs {name, name .. "_orig", name .. "_mask"} do module:unregister(field) end
  module[name] = original
end

--- Prunes a parameter of a module by a new instance of the class: `L1Unstructured:apply(module, "weight", 0.5)`. What
--- follows the name goes to the class, but for `importance_scores` in a last table. Returns the hook.
---     > net = nn.Linear(4, 1)
---     > hook = nn.utils.prune.L1Unstructured:apply(net, "weight", 3)
---     > net.weight:count_nonzero()
---     tensor(1)
function Base:apply(module, name, ...)
  if not methods.is_class(self) then
    raise "apply: it is called on a class: nn.utils.prune.L1Unstructured:apply(module, name, …)"
  elseif not core.is_module(module) or type(name) ~= "string" then
    raise(("apply: a module and a name were expected, not %s and %s"):format(core.describe(module),
      core.describe(name)))
  end
  local values = table.pack(...)
  local options, scores = {}, nil
  if args.is_named("apply", values[values.n]) then
    for key, value in pairs(values[values.n]) do options[key] = value end
    scores, options.importance_scores = options.importance_scores, nil
    values[values.n] = next(options) and options or nil
  end
  return methods.install("apply", self(table.unpack(values, 1, values.n)), module, name, scores)
end

--- A new way of pruning: `nn.utils.prune.class("Mine")`, or with a class to start from.
---     > Mine = nn.utils.prune.class("Mine", nn.utils.prune.L1Unstructured)
---     > Mine(1):prune(nl.tensor({3.0, 1.0}))
---     tensor([3., 0.])
---@param name string
---@param parent? table
function methods.class(name, parent)
  return class.new(name, parent or Base)
end

--- Whether a value is a class of ways of pruning.
function methods.is_class(value)
  while type(value) == "table" do
    if value == Base then return true end
    value = rawget(value, "super")
  end
  return false
end

-- --------------------------------------------------------------- how many

local function checked_amount(name, amount)
  if amount < 0 or math.type(amount) == "float" and not (amount <= 1) then
    raise(("%s: amount is a count, or a float from 0 to 1, not %s"):format(name, core.format("%s", amount)))
  end
  return amount
end

--- x rounded to the nearest integer, halves to the even one, as Python does.
local function rounded(x)
  local below = math.floor(x)
  local rest = x - below
  return (rest > 0.5 or rest == 0.5 and below % 2 == 1) and below + 1 or below
end

--- How many of `size` are to be pruned.
local function count_of(name, amount, size)
  local count = math.type(amount) == "float" and rounded(amount * size) or amount
  if count > size then raise(("%s: amount is %d, but only %d are left"):format(name, count, size)) end
  return count
end

local parse_amount = {
  RandomUnstructured = args.parser("RandomUnstructured", {{"amount", "number"}}),
  L1Unstructured = args.parser("L1Unstructured", {{"amount", "number"}}),
}

-- ------------------------------------------------------------------ elements

--- A mask that lets through what default_mask does, without the elements at some positions of the flat tensor.
local function without(default_mask, positions)
  return default_mask:reshape(-1):clone():index_fill_(1, positions, 0):reshape(default_mask.shape)
end

--- Lets all through.
---     > nn.utils.prune.Identity():prune(nl.tensor({1.0, 2.0}))
---     tensor([1., 2.])
---@class Identity: BasePruningMethod
local Identity = methods.class "nn.utils.prune.Identity"
Identity.PRUNING_TYPE = "unstructured"
methods.Identity = Identity

function Identity:compute_mask(_, default_mask) -- luacheck: no self
  return default_mask
end

--- Prunes elements at random; an integer amount is how many, a float what part.
---     > nn.utils.prune.RandomUnstructured(0.5):prune(nl.ones(4)):sum()
---     tensor(2.)
---@class RandomUnstructured: BasePruningMethod
local RandomUnstructured = methods.class "nn.utils.prune.RandomUnstructured"
RandomUnstructured.PRUNING_TYPE = "unstructured"
methods.RandomUnstructured = RandomUnstructured

function RandomUnstructured:init(...)
  self.amount = checked_amount("RandomUnstructured", parse_amount.RandomUnstructured(...))
end

function RandomUnstructured:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  local count = count_of("RandomUnstructured", self.amount, t:numel())
  if count == 0 then return default_mask:clone() end
  local _, positions = nl.rand_like(t):reshape(-1):topk(count)
  return without(default_mask, positions)
end

--- Prunes the elements of the least absolute values; an integer amount is how many, a float what part.
---     > nn.utils.prune.L1Unstructured(1):prune(nl.tensor({3.0, 1.0}))
---     tensor([3., 0.])
---@class L1Unstructured: BasePruningMethod
local L1Unstructured = methods.class "nn.utils.prune.L1Unstructured"
L1Unstructured.PRUNING_TYPE = "unstructured"
methods.L1Unstructured = L1Unstructured

function L1Unstructured:init(...)
  self.amount = checked_amount("L1Unstructured", parse_amount.L1Unstructured(...))
end

function L1Unstructured:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  local count = count_of("L1Unstructured", self.amount, t:numel())
  if count == 0 then return default_mask:clone() end
  local _, positions = t:abs():reshape(-1):topk(count, 1, false)
  return without(default_mask, positions)
end

-- ------------------------------------------------------ entries of a dimension

--- The dimension that a structured method prunes, from 1 on.
local function pruned_dim(name, t, dim)
  if t.ndim < 2 then
    raise(("%s: a tensor of at least 2 dimensions was expected, not of the shape %s"):format(name, t.shape))
  end
  return norms.checked_dim(name, t, dim)
end

--- A mask that lets through, of what default_mask does, the entries of a dimension at some positions.
local function with_entries(default_mask, t, dim, positions)
  return nl.zeros_like(t):index_fill_(dim, positions, 1) * default_mask:to(t.dtype)
end

local parse_random = args.parser("RandomStructured", {{"amount", "number"}, {"dim", "integer", -1}})

--- Prunes entries of a dimension at random; an integer amount is how many, a float what part.
---     > nn.utils.prune.RandomStructured({amount = 1, dim = 1}):prune(nl.ones(3, 2)):sum()
---     tensor(4.)
---@class RandomStructured: BasePruningMethod
local RandomStructured = methods.class "nn.utils.prune.RandomStructured"
RandomStructured.PRUNING_TYPE = "structured"
methods.RandomStructured = RandomStructured

function RandomStructured:init(...)
  local amount, dim = parse_random(...)
  self.amount, self.dim = checked_amount("RandomStructured", amount), dim
end

function RandomStructured:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  local dim = pruned_dim("RandomStructured", t, self.dim)
  local count = count_of("RandomStructured", self.amount, t:size(dim))
  if count == 0 then return default_mask end
  local chances = nl.rand(t:size(dim))
  local kept = chances:gt((chances:kthvalue(count)))
  return with_entries(default_mask, t, dim, kept:nonzero():reshape(-1))
end

local parse_ln = args.parser("LnStructured", {{"amount", "number"}, {"n", "any"}, {"dim", "integer", -1}})

--- Prunes the entries of a dimension that have the least norms: `LnStructured(amount, n, dim = -1)`; n is a number,
--- "fro" or "nuc".
---     > nn.utils.prune.LnStructured(1, 2, 1):prune(nl.tensor({{1.0, 1.0}, {2.0, 2.0}}))
---     tensor([[0., 0.],
---             [2., 2.]])
---@class LnStructured: BasePruningMethod
local LnStructured = methods.class "nn.utils.prune.LnStructured"
LnStructured.PRUNING_TYPE = "structured"
methods.LnStructured = LnStructured

function LnStructured:init(...)
  local amount, n, dim = parse_ln(...)
  if type(n) ~= "number" and n ~= "fro" and n ~= "nuc" then
    raise(('LnStructured: n is a number, "fro" or "nuc", not %s'):format(core.describe(n)))
  end
  self.amount, self.n, self.dim = checked_amount("LnStructured", amount), n, dim
end

local function norms_of(t, n, dim)
  local others = {}
  for i = 1, t.ndim do
    if i ~= dim then others[#others + 1] = i end
  end
  if n == "nuc" or n == "fro" and #others == 2 then
    return nl.linalg.matrix_norm(t, n, #others == 2 and others or {-2, -1})
  end
  return nl.linalg.vector_norm(t, n == "fro" and 2 or n, others)
end

function LnStructured:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  local dim = pruned_dim("LnStructured", t, self.dim)
  local count = count_of("LnStructured", self.amount, t:size(dim))
  if count == 0 then return default_mask end
  local _, positions = norms_of(t, self.n, dim):topk(t:size(dim) - count)
  return with_entries(default_mask, t, dim, positions)
end

-- ---------------------------------------------------------------- given masks

local parse_custom = args.parser("CustomFromMask", {{"mask", "tensor"}})

--- Prunes the elements at which a mask is 0.
---     > nn.utils.prune.CustomFromMask(nl.tensor({1, 0})):prune(nl.tensor({3.0, 4.0}))
---     tensor([3., 0.])
---@class CustomFromMask: BasePruningMethod
local CustomFromMask = methods.class "nn.utils.prune.CustomFromMask"
CustomFromMask.PRUNING_TYPE = "global"
methods.CustomFromMask = CustomFromMask

function CustomFromMask:init(...)
  self.mask = parse_custom(...)
end

function CustomFromMask:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  if not core.same_shape(default_mask, self.mask) then
    raise(("CustomFromMask: the mask has the shape %s, the tensor %s"):format(self.mask.shape, default_mask.shape))
  end
  return default_mask * self.mask:to(default_mask.dtype)
end

-- --------------------------------------------------------------- several times

--- Several ways of pruning one parameter, one after the other: what its hook is when it has been pruned more than once.
--- `#container` and `container[i]` are they.
---     > net = nn.utils.prune.identity(nn.Linear(2, 1), "weight")
---     > #nn.utils.prune.L1Unstructured:apply(net, "weight", 1)
---     2
---@class PruningContainer: BasePruningMethod
local PruningContainer = methods.class "nn.utils.prune.PruningContainer"
methods.PruningContainer = PruningContainer

function PruningContainer:__index(key)
  if math.type(key) == "integer" then return rawget(self, "_pruning_methods")[key] end
  return PruningContainer[key]
end

function PruningContainer:__len()
  return #self._pruning_methods
end

function PruningContainer:init(...)
  self._pruning_methods = {}
  for _, method in ipairs {...} do
    if class.is_a(method, Base) then self._tensor_name = self._tensor_name or method._tensor_name end
    self:add_pruning_method(method)
  end
end

--- Adds a way of pruning, of the same parameter.
---     > prune = nn.utils.prune
---     > container = prune.PruningContainer(prune.L1Unstructured(1))
---     > container:add_pruning_method(prune.L1Unstructured(2))
---     > #container
---     2
function PruningContainer:add_pruning_method(method)
  if not class.is_a(method, Base) then
    raise(("add_pruning_method: a way of pruning was expected, not %s"):format(core.describe(method)))
  elseif method._tensor_name ~= self._tensor_name then
    raise(("add_pruning_method: the container prunes '%s', the method '%s'"):format(tostring(self._tensor_name),
      tostring(method._tensor_name)))
  end
  table.insert(self._pruning_methods, method)
end

--- The mask of the last method, on what the ones before have left.
---     > container = nn.utils.prune.PruningContainer(nn.utils.prune.L1Unstructured(1))
---     > container:compute_mask(nl.tensor({1.0, 2.0, 3.0}), nl.tensor({1.0, 1.0, 0.0})) -- of the two that are left
---     tensor([0., 1., 0.])
function PruningContainer:compute_mask(t, default_mask)
  check_operands(t, default_mask)
  if #self == 0 then raise "compute_mask: the container has no method" end
  return methods.combined(self[#self], t, default_mask)
end

--- The mask of a method where `mask` lets through what is left.
function methods.combined(method, t, mask)
  local new = mask:to(t.dtype, {copy = true})
  if method.PRUNING_TYPE == "unstructured" then
    local left = mask:eq(1)
    new[left] = method:compute_mask(t[left], mask[left]):to(new.dtype)
  elseif method.PRUNING_TYPE == "structured" then
    local dim, others = norms.checked_dim("prune", t, method.dim), {}
    for i = 1, t.ndim do
      if i ~= dim then others[#others + 1] = i end
    end
    local left = mask:sum(others):ne(0):nonzero():reshape(-1)
    local partial = method:compute_mask(t:index_select(dim, left), mask:index_select(dim, left))
    new:index_copy_(dim, left, partial:to(new.dtype))
  elseif method.PRUNING_TYPE == "global" then
    new = method:compute_mask(t, mask):to(new.dtype)
  else
    raise(('prune: PRUNING_TYPE is "unstructured", "structured" or "global", not %s'):format(
      tostring(method.PRUNING_TYPE)))
  end
  return new
end

-- ------------------------------------------------------------------ installing

--- The hook that prunes a module's parameter of a name, or any; nil if there is none.
function methods.hook_of(module, name)
  local lists = core.hooks(module)
  for _, hook in ipairs(lists and lists[core.HOOK_PRE] or {}) do
    if class.is_a(hook, Base) and (name == nil or hook._tensor_name == name) then return hook end
  end
end

local function check_parameter(function_name, module, name, is_pruned)
  if not is_pruned and core.kind(module, name) ~= "parameter" or not core.is_tensor(module[name]) then
    raise(("%s: %s has no parameter '%s'%s"):format(function_name, core.class_name(module), name,
      core.is_uninitialized(module[name]) and " with a shape: the first call gives it one" or ""))
  end
end

--- The hook for a parameter that has had one: a container of both ways of pruning.
local function joined(old, method)
  local container = class.is_a(old, PruningContainer) and old or PruningContainer(old)
  container:add_pruning_method(method)
  return container
end

--- Prunes a parameter of a module and returns its hook. The module changes only when the mask is known.
function methods.install(function_name, method, module, name, importance_scores)
  local old = methods.hook_of(module, name)
  check_parameter(function_name, module, name, old ~= nil)
  method._tensor_name = name
  local t = module[name]
  local scores = check_scores(function_name, importance_scores, t):detach()
  local mask
  if old then
    mask = methods.combined(method, scores, module[name .. "_mask"]:detach())
    hooks.unregister(module, core.HOOK_PRE, old)
    method = joined(old, method)
  else
    mask = method:compute_mask(scores, nl.ones_like(scores))
    module:unregister(name)
    module:register_parameter(name .. "_orig", t)
  end
  module:register_buffer(name .. "_mask", mask)
  method(module)
  module:register_forward_pre_hook(method)
  return method
end

guard.classes({Identity, RandomUnstructured, L1Unstructured, RandomStructured, LnStructured, CustomFromMask,
  PruningContainer}, {except = {"apply"}})

return methods
