-- Which transform maps the real numbers to a constraint.

local args = require "nnlua.args"
local class = require "nnlua.class"
local combined = require "nnlua.distributions.transforms.combined"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local vectors = require "nnlua.distributions.transforms.vectors"

local constraint_registry = {}

local raise = core.raise

--- A table of functions that make a transform of a constraint: `registry:register(constraint, f)`, then
--- `registry(constraint)`.
---     > registry = nl.distributions.ConstraintRegistry()
---     > D = nl.distributions
---     > f = registry:register(D.constraints.real, function() return D.ExpTransform() end)
---     > registry(D.constraints.real)
---     ExpTransform()
---@class ConstraintRegistry
local ConstraintRegistry = class.new "distributions.ConstraintRegistry"
constraint_registry.ConstraintRegistry = ConstraintRegistry

function ConstraintRegistry:init()
  self._registry = {}
end

--- Says which transform is made of a constraint of a class: `factory` takes the constraint. A constraint stands for its
--- class. Without a factory the result is a function that takes one, else the factory.
---@param constraint table
---@param factory? function
function ConstraintRegistry:register(constraint, factory)
  local of_class = class.is_a(constraint, constraints.Constraint) and getmetatable(constraint) or constraint
  if type(of_class) ~= "table" or type(of_class.check) ~= "function" then
    raise("register: a constraint or a class of them was expected, not " .. core.describe(constraint))
  end
  if factory == nil then return function(f) return self:register(constraint, f) end end
  if not args.is_callable(factory) then
    raise("register: the factory must be a function of a constraint, not " .. core.describe(factory))
  end
  self._registry[of_class] = factory
  return factory
end

function ConstraintRegistry:__call(constraint)
  if not class.is_a(constraint, constraints.Constraint) then
    raise("a constraint was expected, not " .. core.describe(constraint))
  end
  local factory = self._registry[getmetatable(constraint)]
  if not factory then raise("there is no transform to the constraint " .. tostring(constraint)) end
  return factory(constraint)
end

guard.classes {ConstraintRegistry}

local biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()

--- A bijection from real numbers to a constraint: `biject_to(constraint)`.
---     > nl.distributions.biject_to(nl.distributions.constraints.unit_interval)
---     SigmoidTransform()
constraint_registry.biject_to = biject_to

--- A transform from real numbers to a constraint, which need not be a bijection: better for optimizers.
---     > nl.distributions.transform_to(nl.distributions.constraints.simplex)
---     SoftmaxTransform()
constraint_registry.transform_to = transform_to

local function register(constraint, factory, is_transform_alone)
  if not is_transform_alone then biject_to:register(constraint, factory) end
  transform_to:register(constraint, factory)
end

local function after_exp(bound, scale)
  return combined.ComposeTransform {pointwise.ExpTransform(), pointwise.AffineTransform(bound, scale)}
end

local function to_interval(constraint)
  local low, high = constraint.lower_bound, constraint.upper_bound
  if low == 0 and high == 1 then return pointwise.SigmoidTransform() end
  return combined.ComposeTransform {pointwise.SigmoidTransform(), pointwise.AffineTransform(low, high - low)}
end

register(constraints.real, function() return combined.identity_transform end)
for _, bounded in ipairs {constraints.greater_than, constraints.greater_than_eq} do
  register(bounded, function(constraint) return after_exp(constraint.lower_bound, 1) end)
end
register(constraints.less_than, function(constraint) return after_exp(constraint.upper_bound, -1) end)
register(constraints.interval, to_interval)
register(constraints.half_open_interval, to_interval)
biject_to:register(constraints.simplex, function() return vectors.StickBreakingTransform() end)
transform_to:register(constraints.simplex, function() return vectors.SoftmaxTransform() end)
register(constraints.corr_cholesky, function() return vectors.CorrCholeskyTransform() end)
register(constraints.lower_cholesky, function() return vectors.LowerCholeskyTransform() end, true)
register(constraints.positive_definite, function() return vectors.PositiveDefiniteTransform() end, true)
register(constraints.positive_semidefinite, function() return vectors.PositiveDefiniteTransform() end, true)

for _, registry in ipairs {biject_to, transform_to} do
  local function of_each(constraint)
    local own = {}
    for i, one in ipairs(constraint.cseq) do own[i] = registry(one) end
    return own
  end
  registry:register(constraints.independent, function(constraint)
    return combined.IndependentTransform(registry(constraint.base_constraint), constraint.reinterpreted_batch_ndims)
  end)
  registry:register(constraints.cat, function(constraint)
    return combined.CatTransform(of_each(constraint), constraint.dim, constraint.lengths)
  end)
  registry:register(constraints.stack, function(constraint)
    return combined.StackTransform(of_each(constraint), constraint.dim)
  end)
end

return constraint_registry
