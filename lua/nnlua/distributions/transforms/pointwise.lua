-- Transforms element by element.

local class = require "nnlua.class"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local nl = require "nnlua"
local transform = require "nnlua.distributions.transforms.transform"
local utils = require "nnlua.distributions.utils"

local pointwise = {}

local F = nl.F

-- A class without parameters: each object of it is equal to each.
local function define_plain(name, domain, codomain, sign)
  local new = transform.define(name, {})
  new.domain, new.codomain, new.sign, new.bijective = domain, codomain, sign, sign ~= nil
  function new.__eq(a, b) return class.is_a(a, new) and class.is_a(b, new) end
  pointwise[name] = new
  return new
end

--- y = |x|; as the inverse y itself is taken.
---     > nl.distributions.AbsTransform()(nl.tensor(-2.0))
---     tensor(2.)
---@class AbsTransform: Transform
local AbsTransform = define_plain("AbsTransform", constraints.real, constraints.positive)

function AbsTransform:_call(x) return x:abs() end
function AbsTransform:_inverse(y) return y end

--- y = e^x.
---     > nl.distributions.ExpTransform()(nl.tensor(0.0))
---     tensor(1.)
---@class ExpTransform: Transform
local ExpTransform = define_plain("ExpTransform", constraints.real, constraints.positive, 1)

function ExpTransform:_call(x) return x:exp() end
function ExpTransform:_inverse(y) return y:log() end
function ExpTransform:log_abs_det_jacobian(x) return x end

--- y = 1 / (1 + e^-x), kept inside of 0 and 1.
---     > nl.distributions.SigmoidTransform()(nl.tensor(0.0))
---     tensor(0.5000)
---@class SigmoidTransform: Transform
local SigmoidTransform = define_plain("SigmoidTransform", constraints.real, constraints.unit_interval, 1)

function SigmoidTransform:_call(x) return utils._clipped_sigmoid(x) end

function SigmoidTransform:_inverse(y)
  y = utils._clipped(y)
  return y:log() - (-y):log1p()
end

function SigmoidTransform:log_abs_det_jacobian(x)
  return -F.softplus(-x) - F.softplus(x)
end

--- y = log(1 + e^x).
---     > nl.distributions.SoftplusTransform()(nl.tensor(0.0))
---     tensor(0.6931)
---@class SoftplusTransform: Transform
local SoftplusTransform = define_plain("SoftplusTransform", constraints.real, constraints.positive, 1)

function SoftplusTransform:_call(x) return F.softplus(x) end
function SoftplusTransform:_inverse(y) return (-y):expm1():neg():log() + y end
function SoftplusTransform:log_abs_det_jacobian(x) return -F.softplus(-x) end

--- y = tanh(x), as SigmoidTransform and an AffineTransform, but exact. A y of 1 has no finite x: use cache_size = 1.
---     > nl.distributions.TanhTransform()(nl.tensor(0.0))
---     tensor(0.)
---@class TanhTransform: Transform
local TanhTransform = define_plain("TanhTransform", constraints.real, constraints.interval(-1.0, 1.0), 1)

function TanhTransform:_call(x) return x:tanh() end
function TanhTransform:_inverse(y) return nl.atanh(y) end

function TanhTransform:log_abs_det_jacobian(x)
  return 2 * (math.log(2) - x - F.softplus(-2 * x))
end

-- ----------------------------------------------------------------- affine

local function broadcast_shape(shape, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if core.is_tensor(value) then shape = nl.broadcast_shapes(shape, value.shape) end
  end
  return shape
end

-- Whether two numbers or tensors are equal everywhere.
local function equal(a, b)
  if type(a) == "number" and type(b) == "number" then return a == b end
  if type(a) == "number" then a, b = b, a end
  return a:eq(b):all():item()
end

--- y = loc + scale x; the last event_dim dimensions are one event.
---     > nl.distributions.AffineTransform(1, 2)(nl.tensor(3.0))
---     tensor(7.)
---@class AffineTransform: Transform
local AffineTransform, parse_affine = transform.define("AffineTransform", {
  {"loc", "numeric"}, {"scale", "numeric"}, {"event_dim", "integer", 0},
})
pointwise.AffineTransform = AffineTransform

AffineTransform.bijective = true

function AffineTransform:init(...)
  local loc, scale, event_dim, cache_size = parse_affine(...)
  transform.start(self, cache_size)
  self.loc, self.scale, self.event_dim = loc, scale, event_dim
end

function AffineTransform:_copy(cache_size)
  return AffineTransform(self.loc, self.scale, self.event_dim, cache_size)
end

local function real_events(self)
  return self.event_dim == 0 and constraints.real or constraints.independent(constraints.real, self.event_dim)
end

AffineTransform.get.domain, AffineTransform.get.codomain = real_events, real_events

function AffineTransform.get:sign()
  if core.is_tensor(self.scale) then return self.scale:sign() end
  return self.scale > 0 and 1 or self.scale < 0 and -1 or 0
end

function AffineTransform:_call(x) return self.loc + self.scale * x end
function AffineTransform:_inverse(y) return (y - self.loc) / self.scale end

function AffineTransform:log_abs_det_jacobian(x)
  local result, shape, events = nil, x.shape, self.event_dim
  if core.is_tensor(self.scale) then result = nl.abs(self.scale):log()
  else result = nl.full_like(x, math.log(math.abs(self.scale))) end
  if events > 0 then
    result, shape = utils._sum_rightmost(result, events), utils._part(shape, 1, #shape - events)
  end
  return result:expand(shape)
end

function AffineTransform:forward_shape(shape)
  return broadcast_shape(shape, self.loc, self.scale)
end

AffineTransform.inverse_shape = AffineTransform.forward_shape

function AffineTransform.__eq(a, b)
  return class.is_a(a, AffineTransform) and class.is_a(b, AffineTransform) and equal(a.loc, b.loc)
    and equal(a.scale, b.scale)
end

--- y = x^exponent of positive x.
---     > nl.distributions.PowerTransform(2)(nl.tensor(3.0))
---     tensor(9.)
---@class PowerTransform: Transform
local PowerTransform, parse_power = transform.define("PowerTransform", {{"exponent", "numeric"}})
pointwise.PowerTransform = PowerTransform

PowerTransform.domain, PowerTransform.codomain, PowerTransform.bijective =
  constraints.positive, constraints.positive, true

function PowerTransform:init(...)
  local exponent, cache_size = parse_power(...)
  transform.start(self, cache_size)
  self.exponent = utils.broadcast_all(exponent)
end

function PowerTransform:_copy(cache_size)
  return PowerTransform(self.exponent, cache_size)
end

function PowerTransform.lazy:sign() return self.exponent:sign() end
function PowerTransform:_call(x) return x ^ self.exponent end
function PowerTransform:_inverse(y) return y ^ (1 / self.exponent) end

function PowerTransform:log_abs_det_jacobian(x, y)
  return (self.exponent * y / x):abs():log()
end

function PowerTransform:forward_shape(shape)
  return broadcast_shape(shape, self.exponent)
end

PowerTransform.inverse_shape = PowerTransform.forward_shape

function PowerTransform.__eq(a, b)
  return class.is_a(a, PowerTransform) and class.is_a(b, PowerTransform) and equal(a.exponent, b.exponent)
end

--- y = the cumulative distribution function of a distribution at x: uniform numbers of its draws.
---     > nl.distributions.CumulativeDistributionTransform(nl.distributions.Normal(0, 1))(nl.tensor(0.0))
---     tensor(0.5000)
---@class CumulativeDistributionTransform: Transform
local CumulativeDistributionTransform, parse_cumulative = transform.define("CumulativeDistributionTransform", {
  {"distribution", "any"},
})
pointwise.CumulativeDistributionTransform = CumulativeDistributionTransform

CumulativeDistributionTransform.bijective, CumulativeDistributionTransform.codomain =
  true, constraints.unit_interval
CumulativeDistributionTransform.sign = 1

function CumulativeDistributionTransform:init(...)
  local given, cache_size = parse_cumulative(...)
  if not class.is_a(given, distribution.Distribution) then
    core.raise(("%s: a distribution was expected, not %s"):format(self.__name, core.describe(given)))
  end
  transform.start(self, cache_size)
  self.distribution = given
end

function CumulativeDistributionTransform:_copy(cache_size)
  return CumulativeDistributionTransform(self.distribution, cache_size)
end

function CumulativeDistributionTransform.get:domain() return self.distribution.support end
function CumulativeDistributionTransform:_call(x) return self.distribution:cdf(x) end
function CumulativeDistributionTransform:_inverse(y) return self.distribution:icdf(y) end

function CumulativeDistributionTransform:log_abs_det_jacobian(x)
  return self.distribution:log_prob(x)
end

return pointwise
