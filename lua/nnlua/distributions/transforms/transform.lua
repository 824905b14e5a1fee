-- What transforms share: calling, inverses, caching; and transforms made of others.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"

local transform = {}

local raise = core.raise

-- --------------------------------------------------------------- the base

--- A map of values that has a log_abs_det_jacobian: `y = t(x)`, `x = t.inv(y)`. With `cache_size = 1` the last pair is
--- kept, so that the inverse of a result is the very tensor that it came from. A class of one's own
--- (`transforms.class(name)`) has the methods `_call(x)`, `_inverse(y)` and `log_abs_det_jacobian(x, y)`, and fields:
--- `domain`, `codomain` (constraints), `bijective` (false by default) and `sign` (1 if it rises, -1 if it falls).
---     > t = nl.distributions.ExpTransform()
---     > t(nl.tensor(0.0)), t.inv(nl.tensor(1.0))
---     tensor(1.)	tensor(0.)
---@class Transform
---@field inv Transform
---@field domain table a constraint
---@field codomain table a constraint
---@field bijective boolean
---@field sign integer
---@field event_dim integer
local Transform = distribution.new_class "distributions.Transform"
transform.Transform = Transform

Transform.bijective, Transform._cache_size = false, 0

local function check_cache_size(name, cache_size)
  if cache_size ~= 0 and cache_size ~= 1 then
    raise(("%s: cache_size must be 0 or 1, not %d"):format(name, cache_size))
  end
  return cache_size
end

local parse = args.parser("distributions.Transform", {{"cache_size", "integer", 0}})

function Transform:init(...)
  self._cache_size = check_cache_size(self.__name, (parse(...)))
end

--- A class of nnlua's own, and the function that takes its arguments apart; cache_size is the last.
function transform.define(name, spec, parent)
  local full = "distributions." .. name
  table.insert(spec, {"cache_size", "integer", 0})
  return distribution.new_class(full, parent or Transform), args.parser(full, spec)
end

--- Sets cache_size.
function transform.start(self, cache_size)
  self._cache_size = check_cache_size(self.__name, cache_size)
end

--- Raises unless a value is a transform.
function transform.check(name, value)
  if not class.is_a(value, Transform) then
    raise(("%s: a transform was expected, not %s"):format(name, core.describe(value)))
  end
end

function Transform:__call(x)
  if self._cache_size == 0 then return self:_call(x) end
  if not rawequal(x, self._cached_x) then
    local y = self:_call(x)
    self._cached_x, self._cached_y = x, y
  end
  return self._cached_y
end

-- What the inverse calls.
function Transform:_inv_call(y)
  if self._cache_size == 0 then return self:_inverse(y) end
  if not rawequal(y, self._cached_y) then
    local x = self:_inverse(y)
    self._cached_x, self._cached_y = x, y
  end
  return self._cached_x
end

function Transform:_call()
  raise(self.__name .. " has no method _call(x)")
end

function Transform:_inverse()
  raise(self.__name .. " has no inverse")
end

--- The logarithm of |dy/dx| for each event.
---     > t, x = nl.distributions.ExpTransform(), nl.tensor(2.0)
---     > t:log_abs_det_jacobian(x, t(x))
---     tensor(2.)
---@param x Tensor
---@param y Tensor
---@return Tensor
function Transform:log_abs_det_jacobian()
  raise(self.__name .. " has no log_abs_det_jacobian")
end

function Transform.get:sign()
  raise(self.__name .. " has no sign")
end

function Transform.get:event_dim()
  if self.domain.event_dim == self.codomain.event_dim then return self.domain.event_dim end
  raise(("%s has no event_dim: its domain and its codomain have each their own"):format(self.__name))
end

--- The same transform with another size of its cache: 0 or 1.
---     > t, x = nl.distributions.ExpTransform():with_cache(1), nl.tensor(2.0)
---     > t.inv(t(x)) == x
---     true
---@param cache_size? integer
function Transform:with_cache(cache_size)
  cache_size = cache_size or 1
  if self._cache_size == cache_size then return self end
  return self:_copy(cache_size)
end

-- The same with another cache_size; a class whose constructor takes more defines its own.
function Transform:_copy(cache_size)
  if getmetatable(self).init ~= Transform.init then raise(self.__name .. " has no with_cache") end
  return getmetatable(self) {cache_size = cache_size}
end

--- The shape that an input of a shape gives.
---     > nl.distributions.StickBreakingTransform():forward_shape({2, 3})
---     [2, 4]
---@param shape integer[]
function Transform:forward_shape(shape)
  return shape
end

--- The shape of the input that a result of a shape is of.
---     > nl.distributions.StickBreakingTransform():inverse_shape({2, 4})
---     [2, 3]
---@param shape integer[]
function Transform:inverse_shape(shape)
  return shape
end

function Transform:__tostring()
  return self.__name:match "[^.]+$" .. "()"
end

--- A new class of transforms.
---     > Twice = nl.distributions.transforms.class("Twice")
---     > function Twice:_call(x) return 2 * x end
---     > Twice()(nl.tensor(3))
---     tensor(6)
---@param name string
---@param parent? table
function transform.class(name, parent)
  if parent ~= nil and not (type(parent) == "table" and rawget(parent, "get") and parent.forward_shape) then
    raise("class: the second argument is a class of transforms to start from, not " .. core.describe(parent))
  end
  return distribution.new_class(name, parent or Transform)
end

-- ---------------------------------------------------------------- inverse

local Inverse = distribution.new_class("distributions.InverseTransform", Transform)

function Transform.get:inv()
  local inv = setmetatable({_inv = self, bijective = self.bijective}, Inverse)
  rawset(self, "inv", inv)
  return inv
end

function Inverse:init()
  raise("distributions.InverseTransform: the inverse of a transform is its field inv")
end

function Inverse.get:inv() return self._inv end
function Inverse.get:domain() return self._inv.codomain end
function Inverse.get:codomain() return self._inv.domain end
function Inverse.get:sign() return self._inv.sign end
function Inverse.get:event_dim() return self._inv.event_dim end

function Inverse:__call(y)
  return self._inv:_inv_call(y)
end

function Inverse:_inv_call(x)
  return self._inv(x)
end

function Inverse:with_cache(cache_size)
  return self._inv:with_cache(cache_size).inv
end

function Inverse:log_abs_det_jacobian(x, y)
  return -self._inv:log_abs_det_jacobian(y, x)
end

function Inverse:forward_shape(shape)
  return self._inv:inverse_shape(shape)
end

function Inverse:inverse_shape(shape)
  return self._inv:forward_shape(shape)
end

function Inverse.__eq(a, b)
  return class.is_a(a, Inverse) and class.is_a(b, Inverse) and a._inv == b._inv
end

function Inverse:__tostring()
  return ("InverseTransform(%s)"):format(tostring(self._inv))
end

return transform
