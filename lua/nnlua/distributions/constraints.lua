-- What parameters and values of distributions may be.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local nl = require "nnlua"
local utils = require "nnlua.distributions.utils"

--- Sets of values: `constraint:check(value)` says for each event whether it lies within. Some are objects, as
--- `constraints.positive`, some functions that make one, as `constraints.interval(0, 1)`.
local constraints = {}

local raise = core.raise

-- --------------------------------------------------------------- the base

--- A set of values. A class of one's own (`constraints.class(name)`) defines `check(value)`, which gives true or false
--- for each event, and where they differ from false and 0 the fields `is_discrete` and `event_dim` (how many of the
--- last dimensions are one event).
---     > constraints = nl.distributions.constraints
---     > constraints.positive:check(nl.tensor({-1.0, 1.0}))
---     tensor([False,  True])
---@class Constraint
---@field is_discrete boolean
---@field event_dim integer
local Constraint = class.new "distributions.constraints.Constraint"
constraints.Constraint = Constraint

Constraint.is_discrete, Constraint.event_dim = false, 0

function Constraint:init() end

--- For each event whether it is within.
---@param value Tensor
---@return Tensor
function Constraint:check()
  raise(self.__name .. " has no method check(value)")
end

--- What values must be, for errors.
function Constraint:_words()
  return "within " .. tostring(self)
end

--- As it is written: `real`, `interval(0, 1)`.
function Constraint:__tostring()
  local texts = {}
  for _, name in ipairs {"lower_bound", "upper_bound"} do
    if self[name] ~= nil then texts[#texts + 1] = tostring(self[name]) end
  end
  local bounds = #texts > 0 and ("(%s)"):format(table.concat(texts, ", ")) or ""
  return self.__name:match "[^.]+$" .. bounds
end

--- A new class of constraints.
---     > Even = nl.distributions.constraints.class("Even")
---     > function Even:check(value) return value:remainder(2):eq(0) end
---     > Even():check(nl.tensor {1, 2})
---     tensor([False,  True])
---@param name string
---@param parent? table
function constraints.class(name, parent)
  return class.new(name, parent or Constraint)
end

local classes = {Constraint = Constraint}

-- A class of our own: its check, and what values of it are called in errors.
local function define(name, check, words, fields)
  local new = class.new("distributions.constraints." .. name, fields and fields.parent or Constraint)
  for key, value in next, fields or {} do
    if key ~= "parent" then new[key] = value end
  end
  new.check = check
  if type(words) == "string" then
    new._words = function() return words end
  elseif words then
    new._words = words
  end
  classes[name] = new
  return new
end

local function is_constraint(value)
  return class.is_a(value, Constraint)
end

local function check_is_constraint(name, what, value)
  if not is_constraint(value) then
    raise(("%s: %s must be a constraint, not %s"):format(name, what, core.describe(value)))
  end
end

-- -------------------------------------------------------------- dependent

local Dependent = define("dependent", function()
  raise("check: what a dependent constraint holds depends on other values")
end, "what depends on other values")

local parse_dependent = args.parser("distributions.constraints.dependent", {
  {"is_discrete", "boolean?"}, {"event_dim", "integer?"},
})

function Dependent:init(is_discrete, event_dim)
  self.is_discrete, self.event_dim = is_discrete, event_dim
end

function Dependent:__call(...)
  return Dependent(parse_dependent(...))
end

--- What depends on other values, so that it can't be checked: `constraints.dependent({event_dim = 1})` says more of it.
constraints.dependent = Dependent()

--- Whether a constraint is of that kind.
---     > nl.distributions.constraints.is_dependent(nl.distributions.constraints.real)
---     false
---@param constraint table
---@return boolean
function constraints.is_dependent(constraint)
  return class.is_a(constraint, Dependent)
end

-- ---------------------------------------------------- bounds of one number

local function number_text(bound)
  if type(bound) == "number" then return core.format("%g", bound) end
  return core.is_tensor(bound) and bound.ndim == 0 and core.format("%g", bound:item()) or tostring(bound)
end

-- value compared to a bound, a number or a tensor
local function less(bound, value)
  return core.is_tensor(bound) and bound:lt(value) or value:gt(bound)
end

local function less_equal(bound, value)
  return core.is_tensor(bound) and bound:le(value) or value:ge(bound)
end

local function is_whole(value)
  return value:remainder(1):eq(0)
end

--- `{"lower_bound"}` and the like: a class whose objects have bounds, and the function that makes one.
local function define_bounded(name, bounds, check, words, fields)
  local new = define(name, check, words, fields)
  local spec = {}
  for i, bound in ipairs(bounds) do spec[i] = {bound, "numeric"} end
  local parse = args.parser(new.__name, spec)
  function new:init(...)
    local values = {parse(...)}
    for i, bound in ipairs(bounds) do self[bound] = values[i] end
  end
  return new
end

local Real = define("real", function(_, value) return value:eq(value) end, "real numbers")

--- Numbers greater than a bound.
---     > nl.distributions.constraints.greater_than(1):check(nl.tensor({1.0, 2.0}))
---     tensor([False,  True])
---@class greater_than: Constraint
local GreaterThan = define_bounded("greater_than", {"lower_bound"},
  function(self, value) return less(self.lower_bound, value) end,
  function(self) return "greater than " .. number_text(self.lower_bound) end)

--- Numbers from a bound on.
---     > nl.distributions.constraints.greater_than_eq(1):check(nl.tensor({1.0, 2.0}))
---     tensor([True, True])
---@class greater_than_eq: Constraint
local GreaterThanEq = define_bounded("greater_than_eq", {"lower_bound"},
  function(self, value) return less_equal(self.lower_bound, value) end,
  function(self) return "at least " .. number_text(self.lower_bound) end)

--- Numbers less than a bound.
---     > nl.distributions.constraints.less_than(2):check(nl.tensor({1.0, 2.0}))
---     tensor([ True, False])
---@class less_than: Constraint
local LessThan = define_bounded("less_than", {"upper_bound"},
  function(self, value) return value:lt(self.upper_bound) end,
  function(self) return "less than " .. number_text(self.upper_bound) end)

local function from_to(self)
  return ("from %s to %s"):format(number_text(self.lower_bound), number_text(self.upper_bound))
end

local both = {"lower_bound", "upper_bound"}

--- Numbers between two bounds, which belong to them.
---     > nl.distributions.constraints.interval(0, 1):check(nl.tensor({1.0, 2.0}))
---     tensor([ True, False])
---@class interval: Constraint
local Interval = define_bounded("interval", both, function(self, value)
  return less_equal(self.lower_bound, value) & value:le(self.upper_bound)
end, from_to)

--- Numbers between two bounds, of which the lower one belongs to them.
---     > nl.distributions.constraints.half_open_interval(0, 1):check(nl.tensor({0.0, 1.0}))
---     tensor([ True, False])
---@class half_open_interval: Constraint
local HalfOpenInterval = define_bounded("half_open_interval", both, function(self, value)
  return less_equal(self.lower_bound, value) & value:lt(self.upper_bound)
end, function(self)
  return ("at least %s and less than %s"):format(number_text(self.lower_bound), number_text(self.upper_bound))
end)

--- Whole numbers between two bounds, which belong to them.
---     > nl.distributions.constraints.integer_interval(1, 3):check(nl.tensor({0.0, 1.5, 3.0}))
---     tensor([False, False,  True])
---@class integer_interval: Constraint
local IntegerInterval = define_bounded("integer_interval", both, function(self, value)
  return is_whole(value) & less_equal(self.lower_bound, value) & value:le(self.upper_bound)
end, function(self) return "whole numbers " .. from_to(self) end, {is_discrete = true})

local IntegerGreaterThan = define_bounded("integer_greater_than_eq", {"lower_bound"},
  function(self, value) return is_whole(value) & less_equal(self.lower_bound, value) end,
  function(self) return "whole numbers of at least " .. number_text(self.lower_bound) end, {is_discrete = true})

local function is_zero_or_one(value)
  return value:eq(0) | value:eq(1)
end

local Boolean = define("boolean", function(_, value) return is_zero_or_one(value) end, "0 or 1", {is_discrete = true})

-- ---------------------------------------------------------------- vectors

local OneHot = define("one_hot", function(_, value)
  return is_zero_or_one(value):all(-1) & value:sum(-1):eq(1)
end, "vectors of zeros with a single 1", {is_discrete = true, event_dim = 1})

local Simplex = define("simplex", function(_, value)
  return value:ge(0):all(-1) & (value:sum(-1) - 1):abs():lt(1e-6)
end, "vectors of probabilities that add up to 1", {event_dim = 1})

--- Vectors of numbers from 0 on whose sum is at most a bound.
---     > nl.distributions.constraints.multinomial(2):check(nl.tensor {{1, 1}, {1, 2}})
---     tensor([ True, False])
---@class multinomial: Constraint
local Multinomial = define_bounded("multinomial", {"upper_bound"}, function(self, value)
  return value:ge(0):all(-1) & value:sum(-1):le(self.upper_bound)
end, function(self)
  return "vectors of counts that add up to at most " .. number_text(self.upper_bound)
end, {is_discrete = true, event_dim = 1})

-- --------------------------------------------------------------- matrices

local matrix = {event_dim = 2}

local function is_lower(value)
  return value:tril():eq(value):flatten(-2):all(-1)
end

local function is_lower_cholesky(value)
  return is_lower(value) & value:diagonal(0, -2, -1):gt(0):all(-1)
end

local LowerTriangular = define("lower_triangular", function(_, value) return is_lower(value) end,
  "lower triangular matrices", matrix)

local LowerCholesky = define("lower_cholesky", function(_, value) return is_lower_cholesky(value) end,
  "lower triangular matrices with positive diagonals", matrix)

local CorrCholesky = define("corr_cholesky", function(_, value)
  local tolerance = nl.finfo(value.dtype).eps * value.shape[value.ndim] * 10
  local norms = value:detach():norm(2, -1)
  return is_lower_cholesky(value) & (norms - 1):abs():le(tolerance):all(-1)
end, "lower triangular matrices with positive diagonals and rows of length 1", matrix)

local function is_square(value)
  local n = value.ndim
  return nl.full(utils._part(value.shape, 1, n - 2), value.shape[n - 1] == value.shape[n], {dtype = nl.bool})
end

-- What holds of square matrices: of others the answer is that they aren't square.
local function of_square(check)
  return function(_, value)
    local square = is_square(value)
    return square:all():item() and check(value) or square
  end
end

local function is_symmetric(value)
  return nl.isclose(value, value.mT, {atol = 1e-6}):all(-2):all(-1)
end

local function of_symmetric(check)
  return of_square(function(value)
    local symmetric = is_symmetric(value)
    return symmetric:all():item() and check(value) or symmetric
  end)
end

local Square = define("square", function(_, value) return is_square(value) end, "square matrices", matrix)

local Symmetric = define("symmetric", of_square(is_symmetric), "symmetric matrices", {parent = Square})

local PositiveSemidefinite = define("positive_semidefinite", of_symmetric(function(value)
  return nl.linalg.eigvalsh(value):ge(0):all(-1)
end), "positive semidefinite matrices", {parent = Symmetric})

local PositiveDefinite = define("positive_definite", of_symmetric(function(value)
  local _, info = nl.linalg.cholesky_ex(value)
  return info:eq(0)
end), "positive definite matrices", {parent = Symmetric})

-- ------------------------------------------------------------- of others

-- Constraints whose fields depend on those of the ones they are made of.
local function with_fields(new, fields)
  new.__index = function(self, key)
    local get = fields[key]
    if get then return get(self) end
    return new[key]
  end
  return new
end

--- What lies within another constraint in all of its last dimensions: one event.
---     > c = nl.distributions.constraints
---     > c.independent(c.positive, 1):check(nl.tensor({1.0, -1.0}))
---     tensor(False)
---@class independent: Constraint
local Independent = with_fields(define("independent", nil, function(self)
  return ("%s, in all of the last %d dimensions"):format(self.base_constraint:_words(), self.reinterpreted_batch_ndims)
end), {
  is_discrete = function(self) return self.base_constraint.is_discrete end,
  event_dim = function(self) return self.base_constraint.event_dim + self.reinterpreted_batch_ndims end,
})

local parse_independent = args.parser("distributions.constraints.independent", {
  {"base_constraint", "any"}, {"reinterpreted_batch_ndims", "integer"},
})

function Independent:init(...)
  self.base_constraint, self.reinterpreted_batch_ndims = parse_independent(...)
  check_is_constraint("distributions.constraints.independent", "base_constraint", self.base_constraint)
  if self.reinterpreted_batch_ndims < 0 then
    raise("distributions.constraints.independent: reinterpreted_batch_ndims must not be negative")
  end
end

local function raise_too_few(self, value)
  raise(("check: a value of %d dimensions and more was expected, not of shape %s"):format(self.event_dim, value.shape))
end

-- True where all of the last dimensions are.
local function all_of_last(result, count)
  local shape = utils._part(result.shape, 1, result.ndim - count):totable()
  shape[#shape + 1] = -1
  return result:reshape(shape):all(-1)
end

function Independent:check(value)
  local result = self.base_constraint:check(value)
  if result.ndim < self.reinterpreted_batch_ndims then raise_too_few(self, value) end
  return all_of_last(result, self.reinterpreted_batch_ndims)
end

function Independent:__tostring()
  return ("independent(%s, %d)"):format(tostring(self.base_constraint), self.reinterpreted_batch_ndims)
end

--- What draws of a mixture are within: the constraint of its components, all of them.
---     > c = nl.distributions.constraints
---     > c.MixtureSameFamilyConstraint(c.positive):check(nl.tensor({-1.0, 1.0}))
---     tensor([False,  True])
---@class MixtureSameFamilyConstraint: Constraint
local MixtureSameFamilyConstraint = with_fields(define("MixtureSameFamilyConstraint", nil, function(self)
  return self.base_constraint:_words()
end), {
  is_discrete = function(self) return self.base_constraint.is_discrete end,
  event_dim = function(self) return self.base_constraint.event_dim end,
})
constraints.MixtureSameFamilyConstraint = MixtureSameFamilyConstraint

function MixtureSameFamilyConstraint:init(base_constraint)
  check_is_constraint("distributions.constraints.MixtureSameFamilyConstraint", "base_constraint", base_constraint)
  self.base_constraint = base_constraint
end

function MixtureSameFamilyConstraint:check(value)
  local kept = value.ndim - self.event_dim
  if kept < 0 then raise_too_few(self, value) end
  local result = self.base_constraint:check(value:unsqueeze(-1 - self.event_dim))
  return all_of_last(result, result.ndim - kept)
end

function MixtureSameFamilyConstraint:__tostring()
  return ("MixtureSameFamilyConstraint(%s)"):format(tostring(self.base_constraint))
end

-- ------------------------------------------------------------ cat and stack

local function check_list(name, list)
  for i, one in ipairs(list) do check_is_constraint(name, ("cseq[%d]"):format(i), one) end
  return {table.unpack(list)}
end

local function any_discrete(self)
  for _, one in ipairs(self.cseq) do
    if one.is_discrete then return true end
  end
  return false
end

local function most_event_dim(self)
  local most = 0
  for _, one in ipairs(self.cseq) do most = math.max(most, one.event_dim) end
  return most
end

--- Parts side by side along a dimension, each with a constraint of its own; `lengths` are 1 if they are not given.
---     > c = nl.distributions.constraints
---     > c.cat({c.real, c.positive}, 1, {1, 2}):check(nl.tensor({-1.0, -1.0, 1.0}))
---     tensor([ True, False,  True])
---@class cat: Constraint
local Cat = with_fields(define("cat", nil, "each part within its constraint"), {
  is_discrete = any_discrete, event_dim = most_event_dim,
})

local parse_cat = args.parser("distributions.constraints.cat", {
  {"cseq", "list"}, {"dim", "integer", 1}, {"lengths", "list?"},
})

function Cat:init(...)
  self.cseq, self.dim, self.lengths = parse_cat(...)
  self.cseq = check_list("distributions.constraints.cat", self.cseq)
  local lengths = {table.unpack(self.lengths or {})}
  for i = 1, #self.cseq do lengths[i] = self.lengths and lengths[i] or 1 end
  if #lengths ~= #self.cseq then
    raise(("distributions.constraints.cat: there are %d constraints, but %d lengths"):format(#self.cseq, #lengths))
  end
  self.lengths = lengths
end

function Cat:check(value)
  local checks, start = {}, 1
  for i, one in ipairs(self.cseq) do
    checks[i] = one:check(value:narrow(self.dim, start, self.lengths[i]))
    start = start + self.lengths[i]
  end
  return nl.cat(checks, self.dim)
end

--- Slices along a dimension, each with a constraint of its own.
---     > c = nl.distributions.constraints
---     > c.stack({c.real, c.positive}, 1):check(nl.tensor({-1.0, -1.0}))
---     tensor([ True, False])
---@class stack: Constraint
local Stack = with_fields(define("stack", nil, "each part within its constraint"), {
  is_discrete = any_discrete,
  event_dim = function(self)
    local dim = most_event_dim(self)
    return self.dim + dim < 0 and dim + 1 or dim
  end,
})

local parse_stack = args.parser("distributions.constraints.stack", {{"cseq", "list"}, {"dim", "integer", 1}})

function Stack:init(...)
  self.cseq, self.dim = parse_stack(...)
  self.cseq = check_list("distributions.constraints.stack", self.cseq)
end

function Stack:check(value)
  local checks = {}
  for i, one in ipairs(self.cseq) do checks[i] = one:check(value:select(self.dim, i)) end
  return nl.stack(checks, self.dim)
end

-- ------------------------------------------------------------ public names

constraints.independent, constraints.cat, constraints.stack = Independent, Cat, Stack
constraints.boolean, constraints.one_hot = Boolean(), OneHot()
constraints.nonnegative_integer, constraints.positive_integer = IntegerGreaterThan(0), IntegerGreaterThan(1)
constraints.integer_interval, constraints.multinomial = IntegerInterval, Multinomial
constraints.real, constraints.real_vector = Real(), Independent(Real(), 1)
constraints.positive, constraints.nonnegative = GreaterThan(0.0), GreaterThanEq(0.0)
constraints.greater_than, constraints.greater_than_eq, constraints.less_than = GreaterThan, GreaterThanEq, LessThan
constraints.unit_interval = Interval(0.0, 1.0)
constraints.interval, constraints.half_open_interval = Interval, HalfOpenInterval
constraints.simplex = Simplex()
constraints.lower_triangular, constraints.lower_cholesky = LowerTriangular(), LowerCholesky()
constraints.corr_cholesky, constraints.square, constraints.symmetric = CorrCholesky(), Square(), Symmetric()
constraints.positive_semidefinite, constraints.positive_definite = PositiveSemidefinite(), PositiveDefinite()

guard.classes(classes)

return constraints
