-- Transforms made of others, one after the other or side by side, and one of shapes.

local class = require "nnlua.class"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local transform = require "nnlua.distributions.transforms.transform"
local utils = require "nnlua.distributions.utils"

local combined = {}

local raise, sum_rightmost, part = core.raise, utils._sum_rightmost, utils._part
local define, start = transform.define, transform.start

local function copied(list)
  return table.move(list, 1, #list, 1, {})
end

-- Checks a list of transforms and gives it with their caches of a size, if that isn't 0.
local function checked_list(name, list, cache_size)
  local own = {}
  for i, one in ipairs(list) do
    transform.check(name, one)
    own[i] = cache_size ~= 0 and one:with_cache(cache_size) or one
  end
  return own
end

local function all_bijective(list)
  for _, one in ipairs(list) do
    if not one.bijective then return false end
  end
  return true
end

-- ---------------------------------------------------------------- compose

--- Transforms one after the other: `ComposeTransform({first, second})`.
---     > D = nl.distributions
---     > t = D.ComposeTransform {D.ExpTransform(), D.AffineTransform(1, 2)}
---     > t(nl.tensor(0.0)), t.inv(nl.tensor(3.0))
---     tensor(3.)	tensor(0.)
---@class ComposeTransform: Transform
---@field parts table
local ComposeTransform, parse_compose = define("ComposeTransform", {{"parts", "list"}})
combined.ComposeTransform = ComposeTransform

function ComposeTransform:init(...)
  local parts, cache_size = parse_compose(...)
  start(self, cache_size)
  self.parts = checked_list(self.__name, parts, cache_size)
  self.bijective = all_bijective(self.parts)
end

-- A constraint of at least so many dimensions an event.
local function widened(constraint, event_dim)
  if event_dim <= constraint.event_dim then return constraint end
  return constraints.independent(constraint, event_dim - constraint.event_dim)
end

function ComposeTransform.get:domain()
  local parts = self.parts
  if #parts == 0 then return constraints.real end
  local event_dim = parts[#parts].codomain.event_dim
  for i = #parts, 1, -1 do
    local domain = parts[i].domain
    event_dim = math.max(event_dim + domain.event_dim - parts[i].codomain.event_dim, domain.event_dim)
  end
  return widened(parts[1].domain, event_dim)
end

function ComposeTransform.get:codomain()
  local parts = self.parts
  if #parts == 0 then return constraints.real end
  local event_dim = parts[1].domain.event_dim
  for _, one in ipairs(parts) do
    event_dim = math.max(event_dim + one.codomain.event_dim - one.domain.event_dim, one.codomain.event_dim)
  end
  return widened(parts[#parts].codomain, event_dim)
end

function ComposeTransform.lazy:sign()
  local sign = 1
  for _, one in ipairs(self.parts) do sign = sign * one.sign end
  return sign
end

function ComposeTransform.lazy:inv()
  local parts = {}
  for i = #self.parts, 1, -1 do parts[#parts + 1] = self.parts[i].inv end
  local inv = ComposeTransform(parts)
  inv.inv = self
  return inv
end

function ComposeTransform:_copy(cache_size)
  return ComposeTransform(self.parts, cache_size)
end

function ComposeTransform:__call(x)
  for _, one in ipairs(self.parts) do x = one(x) end
  return x
end

function ComposeTransform:log_abs_det_jacobian(x, y)
  local parts = self.parts
  if #parts == 0 then return nl.zeros_like(x) end
  local event_dim, total = self.domain.event_dim, nil
  for i, one in ipairs(parts) do
    local next_x = i == #parts and y or one(x)
    local term = sum_rightmost(one:log_abs_det_jacobian(x, next_x), event_dim - one.domain.event_dim)
    total = total and total + term or term
    event_dim = event_dim + one.codomain.event_dim - one.domain.event_dim
    x = next_x
  end
  return total
end

function ComposeTransform:forward_shape(shape)
  for _, one in ipairs(self.parts) do shape = one:forward_shape(shape) end
  return shape
end

function ComposeTransform:inverse_shape(shape)
  for i = #self.parts, 1, -1 do shape = self.parts[i]:inverse_shape(shape) end
  return shape
end

function ComposeTransform.__eq(a, b)
  if not (class.is_a(a, ComposeTransform) and class.is_a(b, ComposeTransform)) or #a.parts ~= #b.parts then
    return false
  end
  for i, one in ipairs(a.parts) do
    if one ~= b.parts[i] then return false end
  end
  return true
end

function ComposeTransform:__tostring()
  local texts = {}
  for i, one in ipairs(self.parts) do texts[i] = tostring(one) end
  return ("ComposeTransform(\n    %s\n)"):format(table.concat(texts, ",\n    "))
end

--- What leaves everything as it is.
combined.identity_transform = ComposeTransform {}

-- ------------------------------------------------------------ independent

--- Another transform whose last dimensions are one event: the log_abs_det_jacobian is summed over them.
---     > t = nl.distributions.IndependentTransform(nl.distributions.ExpTransform(), 1)
---     > t:log_abs_det_jacobian(nl.tensor({1.0, 2.0}), nil)
---     tensor(3.)
---@class IndependentTransform: Transform
---@field base_transform Transform
local IndependentTransform, parse_independent = define("IndependentTransform", {
  {"base_transform", "any"}, {"reinterpreted_batch_ndims", "integer"},
})
combined.IndependentTransform = IndependentTransform

function IndependentTransform:init(...)
  local base, ndims, cache_size = parse_independent(...)
  transform.check(self.__name, base)
  start(self, cache_size)
  self.base_transform, self.reinterpreted_batch_ndims = base:with_cache(cache_size), ndims
  self.bijective = base.bijective
end

function IndependentTransform:_copy(cache_size)
  return IndependentTransform(self.base_transform, self.reinterpreted_batch_ndims, cache_size)
end

for _, name in ipairs {"domain", "codomain"} do
  IndependentTransform.get[name] = function(self)
    return constraints.independent(self.base_transform[name], self.reinterpreted_batch_ndims)
  end
end

function IndependentTransform.get:sign() return self.base_transform.sign end

local function check_dims(self, value, constraint)
  if value.ndim < constraint.event_dim then
    raise(("%s: %d dimensions and more were expected, not the shape %s"):format(
      self.__name, constraint.event_dim, value.shape))
  end
end

function IndependentTransform:_call(x)
  check_dims(self, x, self.domain)
  return self.base_transform(x)
end

function IndependentTransform:_inverse(y)
  check_dims(self, y, self.codomain)
  return self.base_transform.inv(y)
end

function IndependentTransform:log_abs_det_jacobian(x, y)
  return sum_rightmost(self.base_transform:log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)
end

function IndependentTransform:forward_shape(shape)
  return self.base_transform:forward_shape(shape)
end

function IndependentTransform:inverse_shape(shape)
  return self.base_transform:inverse_shape(shape)
end

function IndependentTransform:__tostring()
  return ("IndependentTransform(%s, %d)"):format(tostring(self.base_transform), self.reinterpreted_batch_ndims)
end

-- ---------------------------------------------------------------- reshape

--- The last dimensions from one shape to another one of as many elements: `ReshapeTransform(in_shape, out_shape)`.
---     > nl.distributions.ReshapeTransform({4}, {2, 2})(nl.zeros(3, 4)).shape
---     [3, 2, 2]
---@class ReshapeTransform: Transform
local ReshapeTransform, parse_reshape = define("ReshapeTransform", {{"in_shape", "any"}, {"out_shape", "any"}})
combined.ReshapeTransform = ReshapeTransform

ReshapeTransform.bijective = true

function ReshapeTransform:init(...)
  local in_shape, out_shape, cache_size = parse_reshape(...)
  start(self, cache_size)
  self.in_shape = utils._shape(self.__name, "in_shape", in_shape)
  self.out_shape = utils._shape(self.__name, "out_shape", out_shape)
  if self.in_shape:numel() ~= self.out_shape:numel() then
    raise(("%s: in_shape %s and out_shape %s have not as many elements"):format(
      self.__name, self.in_shape, self.out_shape))
  end
end

function ReshapeTransform:_copy(cache_size)
  return ReshapeTransform(self.in_shape, self.out_shape, cache_size)
end

function ReshapeTransform.get:domain() return constraints.independent(constraints.real, #self.in_shape) end
function ReshapeTransform.get:codomain() return constraints.independent(constraints.real, #self.out_shape) end

-- A shape whose last dimensions are `from`, with `to` in their place.
local function replaced(self, shape, from, to)
  local kept = #shape - #from
  if kept < 0 or part(shape, kept + 1) ~= from then
    raise(("%s: a shape ending in %s was expected, not %s"):format(self.__name, from, nl.Size(copied(shape))))
  end
  return utils._joined(part(shape, 1, kept), to)
end

function ReshapeTransform:_call(x)
  return x:reshape(replaced(self, x.shape, self.in_shape, self.out_shape))
end

function ReshapeTransform:_inverse(y)
  return y:reshape(replaced(self, y.shape, self.out_shape, self.in_shape))
end

function ReshapeTransform:log_abs_det_jacobian(x)
  return x:new_zeros(part(x.shape, 1, x.ndim - #self.in_shape))
end

function ReshapeTransform:forward_shape(shape)
  return replaced(self, shape, self.in_shape, self.out_shape)
end

function ReshapeTransform:inverse_shape(shape)
  return replaced(self, shape, self.out_shape, self.in_shape)
end

-- ---------------------------------------------------------- cat and stack

local function check_size(self, x, size)
  if x:size(self.dim) ~= size then
    raise(("%s: dimension %d must have the size %d, not %d"):format(self.__name, self.dim, size, x:size(self.dim)))
  end
end

local function field_of_each(list, name)
  local own = {}
  for i, one in ipairs(list) do own[i] = one[name] end
  return own
end

--- Transforms of parts side by side along a dimension: `CatTransform(tseq, dim = 1, lengths)`; lengths are 1 if they
--- are not given.
---     > D = nl.distributions
---     > D.CatTransform({D.ExpTransform(), D.identity_transform}, 1, {1, 2})(nl.tensor({0.0, 5.0, 6.0}))
---     tensor([1., 5., 6.])
---@class CatTransform: Transform
local CatTransform, parse_cat = define("CatTransform", {{"tseq", "list"}, {"dim", "integer", 1}, {"lengths", "list?"}})
combined.CatTransform = CatTransform

function CatTransform:init(...)
  local tseq, dim, lengths, cache_size = parse_cat(...)
  start(self, cache_size)
  self.transforms, self.dim, self.lengths = checked_list(self.__name, tseq, cache_size), dim, copied(lengths or {})
  for i = 1, lengths and 0 or #tseq do self.lengths[i] = 1 end
  if #self.lengths ~= #tseq then
    raise(("%s: there are %d transforms, but %d lengths"):format(self.__name, #tseq, #self.lengths))
  end
  self.bijective, self.length = all_bijective(self.transforms), 0
  for _, length in ipairs(self.lengths) do self.length = self.length + length end
end

function CatTransform:_copy(cache_size)
  return CatTransform(self.transforms, self.dim, self.lengths, cache_size)
end

function CatTransform.lazy:event_dim()
  return math.max(table.unpack(field_of_each(self.transforms, "event_dim")))
end

for _, name in ipairs {"domain", "codomain"} do
  CatTransform.get[name] = function(self)
    return constraints.cat(field_of_each(self.transforms, name), self.dim, self.lengths)
  end
end

-- f(transform, its part of each of the tensors), as a list
local function of_parts(self, f, ...)
  local tensors, results, first = {...}, {}, 1
  for _, x in ipairs(tensors) do check_size(self, x, self.length) end
  for i, one in ipairs(self.transforms) do
    local parts = {}
    for k, x in ipairs(tensors) do parts[k] = x:narrow(self.dim, first, self.lengths[i]) end
    results[i] = f(one, table.unpack(parts))
    first = first + self.lengths[i]
  end
  return results
end

function CatTransform:_call(x)
  return nl.cat(of_parts(self, function(one, part_of_x) return one(part_of_x) end, x), self.dim)
end

function CatTransform:_inverse(y)
  return nl.cat(of_parts(self, function(one, part_of_y) return one.inv(part_of_y) end, y), self.dim)
end

function CatTransform:log_abs_det_jacobian(x, y)
  local terms = of_parts(self, function(one, part_of_x, part_of_y)
    return sum_rightmost(one:log_abs_det_jacobian(part_of_x, part_of_y), self.event_dim - one.event_dim)
  end, x, y)
  local dim = (self.dim > 0 and self.dim - 1 - x.ndim or self.dim) + self.event_dim
  if dim < 0 then return nl.cat(terms, dim) end
  local sum = terms[1]
  for i = 2, #terms do sum = sum + terms[i] end
  return sum
end

--- Transforms of slices along a dimension: `StackTransform(tseq, dim = 1)`.
---     > D = nl.distributions
---     > D.StackTransform({D.ExpTransform(), D.identity_transform})(nl.tensor({0.0, 5.0}))
---     tensor([1., 5.])
---@class StackTransform: Transform
local StackTransform, parse_stack = define("StackTransform", {{"tseq", "list"}, {"dim", "integer", 1}})
combined.StackTransform = StackTransform

function StackTransform:init(...)
  local tseq, dim, cache_size = parse_stack(...)
  start(self, cache_size)
  self.transforms, self.dim = checked_list(self.__name, tseq, cache_size), dim
  self.bijective = all_bijective(self.transforms)
end

function StackTransform:_copy(cache_size)
  return StackTransform(self.transforms, self.dim, cache_size)
end

for _, name in ipairs {"domain", "codomain"} do
  StackTransform.get[name] = function(self)
    return constraints.stack(field_of_each(self.transforms, name), self.dim)
  end
end

local function of_slices(self, f, ...)
  local tensors, results = {...}, {}
  for _, x in ipairs(tensors) do check_size(self, x, #self.transforms) end
  for i, one in ipairs(self.transforms) do
    local slices = {}
    for k, x in ipairs(tensors) do slices[k] = x:select(self.dim, i) end
    results[i] = f(one, table.unpack(slices))
  end
  return nl.stack(results, self.dim)
end

function StackTransform:_call(x)
  return of_slices(self, function(one, slice) return one(slice) end, x)
end

function StackTransform:_inverse(y)
  return of_slices(self, function(one, slice) return one.inv(slice) end, y)
end

function StackTransform:log_abs_det_jacobian(x, y)
  return of_slices(self, function(one, ...) return one:log_abs_det_jacobian(...) end, x, y)
end

return combined
