-- Distributions of what transforms make of another one's draws.

local class = require "nnlua.class"
local combined = require "nnlua.distributions.transforms.combined"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local independent = require "nnlua.distributions.independent"
local nl = require "nnlua"
local pointwise = require "nnlua.distributions.transforms.pointwise"
local transform = require "nnlua.distributions.transforms.transform"
local utils = require "nnlua.distributions.utils"

local transformed = {}

local part, sum_rightmost = utils._part, utils._sum_rightmost

--- Draws of a distribution put through transforms: `TransformedDistribution(base_distribution, transforms)`, one
--- transform or a list of them.
---     > D = nl.distributions
---     > d = D.TransformedDistribution(D.Normal(0, 1), {D.ExpTransform(), D.AffineTransform(1, 2)})
---     > d:log_prob(nl.tensor(3.0)), d:cdf(nl.tensor(3.0))
---     tensor(-1.6121)	tensor(0.5000)
---@class TransformedDistribution: Distribution
---@field base_dist Distribution
---@field transforms table
local TransformedDistribution, parse = distribution.define("TransformedDistribution", distribution.Distribution, {
  {"base_distribution", "any"}, {"transforms", "any"},
})
transformed.TransformedDistribution = TransformedDistribution

TransformedDistribution.arg_constraints, TransformedDistribution._expanded = {}, {}

-- The distribution that the transforms take: expanded to what they broadcast it to, with events as large as theirs.
local function fitting(self, base, all)
  local shape, events = utils._joined(base.batch_shape, base.event_shape), #base.event_shape
  if #shape < all.domain.event_dim then
    core.raise(("%s: the transforms take events of %d dimensions, but the base distribution draws the shape %s"):format(
      self.__name, all.domain.event_dim, shape))
  end
  local forward_shape = all:forward_shape(shape)
  local expanded = all:inverse_shape(forward_shape)
  if expanded ~= shape then base = base:expand(part(expanded, 1, #expanded - events)) end
  local more = all.domain.event_dim - events
  if more > 0 then base = independent.Independent(base, more) end
  return base, forward_shape, math.max(all.codomain.event_dim, events + all.codomain.event_dim - all.domain.event_dim)
end

--- Begins a distribution of that kind.
function transformed.start(self, base, transforms, validate_args)
  local all = combined.ComposeTransform(transforms)
  local fitted, shape, events = fitting(self, base, all)
  self.base_dist, self.transforms, self.has_rsample = fitted, transforms, fitted.has_rsample
  distribution.start(self, part(shape, 1, #shape - events), part(shape, #shape - events + 1), validate_args)
end

function TransformedDistribution:init(...)
  local base, transforms, validate_args = parse(...)
  if not class.is_a(base, distribution.Distribution) then
    core.raise(("%s: base_distribution must be a distribution, not %s"):format(self.__name, core.describe(base)))
  end
  if class.is_a(transforms, transform.Transform) then transforms = {transforms} end
  if type(transforms) ~= "table" or getmetatable(transforms) then
    core.raise(("%s: transforms must be a transform or a list of them, not %s"):format(
      self.__name, core.describe(transforms)))
  end
  transformed.start(self, base, {table.unpack(transforms)}, validate_args)
end

--- A class of nnlua's own from this one, and the function that takes its arguments apart; `of_base` lists fields that
--- are those of its base_dist.
function transformed.define(name, spec, of_base)
  local new, parse_new = distribution.define(name, TransformedDistribution, spec)
  for _, field in ipairs(of_base) do
    new.get[field] = function(self) return self.base_dist[field] end
  end
  return new, parse_new
end

function TransformedDistribution:_expand(new, batch_shape)
  distribution.Distribution._expand(self, new, batch_shape)
  local shape = utils._joined(batch_shape, self.event_shape)
  for i = #self.transforms, 1, -1 do shape = self.transforms[i]:inverse_shape(shape) end
  new.base_dist = self.base_dist:expand(part(shape, 1, #shape - #self.base_dist.event_shape))
end

function TransformedDistribution.get:support()
  local last = self.transforms[#self.transforms]
  if not last then return self.base_dist.support end
  local support, events = last.codomain, #self.event_shape
  if events > support.event_dim then return constraints.independent(support, events - support.event_dim) end
  return support
end

local function forward(self, x)
  for _, one in ipairs(self.transforms) do x = one(x) end
  return x
end

function TransformedDistribution:_sample(shape, options)
  return forward(self, self.base_dist:sample(shape, options))
end

function TransformedDistribution:_rsample(shape, options)
  return forward(self, self.base_dist:rsample(shape, options))
end

function TransformedDistribution:log_prob(value)
  self:_validate_sample(value)
  local event_dim, result, y = #self.event_shape, nil, value
  for i = #self.transforms, 1, -1 do
    local one = self.transforms[i]
    local x = one.inv(y)
    event_dim = event_dim + one.domain.event_dim - one.codomain.event_dim
    local term = sum_rightmost(one:log_abs_det_jacobian(x, y), event_dim - one.domain.event_dim)
    result = result and result - term or -term
    y = x
  end
  local of_base = sum_rightmost(self.base_dist:log_prob(y), event_dim - #self.base_dist.event_shape)
  return result and result + of_base or of_base
end

-- A probability of a value, or of more than it where the transforms fall.
local function monotone(self, probability)
  local sign = 1
  for _, one in ipairs(self.transforms) do sign = sign * one.sign end
  if not core.is_tensor(sign) and sign == 1 then return probability end
  return sign * (probability - 0.5) + 0.5
end

function TransformedDistribution:cdf(value)
  for i = #self.transforms, 1, -1 do value = self.transforms[i].inv(value) end
  if self._validate_args then self.base_dist:_validate_sample(value) end
  return monotone(self, self.base_dist:cdf(value))
end

function TransformedDistribution:icdf(value)
  return forward(self, self.base_dist:icdf(monotone(self, value)))
end

-- ------------------------------------------------------------- magnitudes

--- Begins a distribution of magnitudes of another one, which is symmetric about 0.
function transformed.start_half(self, base, validate_args)
  transformed.start(self, base, {pointwise.AbsTransform()}, validate_args)
end

--- Gives a class of such distributions what follows from that.
function transformed.give_half_functions(new)
  function new.get:mode() return nl.zeros_like(self.scale) end

  function new:log_prob(value)
    self:_validate_sample(value)
    return (self.base_dist:log_prob(value) + math.log(2)):masked_fill(value:lt(0), -math.huge)
  end

  function new:cdf(value)
    self:_validate_sample(value)
    return 2 * self.base_dist:cdf(value) - 1
  end

  function new:icdf(value)
    return self.base_dist:icdf((value + 1) / 2)
  end

  function new:entropy()
    return self.base_dist:entropy() - math.log(2)
  end
end

return transformed
