-- The base of all distributions: shapes, checks of parameters and of values, draws, expanding, printing.

local args = require "nnlua.args"
local class = require "nnlua.class"
local constraints = require "nnlua.distributions.constraints"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"
local utils = require "nnlua.distributions.utils"

local distribution = {}

local raise, joined = core.raise, utils._joined

--- nnlua's own classes, each with its short name.
distribution.names = {}

-- ---------------------------------------------------------------- classes

-- A field of an object: one of its own, a method, or what a function in its class's `get` or `lazy` gives; the latter
-- is kept. Kept values are computed with gradients, since they may be asked for under no_grad first.
local function field(self, key)
  local own = getmetatable(self)
  local value = own[key]
  if value ~= nil then return value end
  local lazy = own.lazy[key]
  if not lazy then
    local get = own.get[key]
    return get and get(self)
  end
  value = nl.enable_grad(lazy, self)
  rawset(self, key, value)
  return value
end

local function with_fields(new, parent)
  new.__index = field
  new.get = setmetatable({}, {__index = parent and parent.get})
  new.lazy = setmetatable({}, {__index = parent and parent.lazy})
  return new
end

--- A new class of what has fields that are computed.
function distribution.new_class(name, parent)
  return with_fields(class.new(name, parent), parent)
end

-- ----------------------------------------------------------- Distribution

--- What all distributions have. Shapes: a draw has sample_shape, then batch_shape (independent distributions side by
--- side), then event_shape (what one draw of one of them is). A class of one's own defines `rsample` or `sample`, and
--- `log_prob`; what it says of itself as a field, `function Mine.get:mean()`.
---     > d = nl.distributions.Normal(nl.zeros(3), 1)
---     > d.batch_shape, d.event_shape, d:sample({2}).shape
---     [3]	[]	[2, 3]
---@class Distribution
---@field batch_shape userdata
---@field event_shape userdata
---@field mean Tensor
---@field mode Tensor
---@field variance Tensor
---@field stddev Tensor
---@field support table a constraint
---@field arg_constraints table<string, table> a constraint for each parameter
---@field has_rsample boolean whether draws have gradients
---@field has_enumerate_support boolean
local Distribution = distribution.new_class "distributions.Distribution"
distribution.Distribution = Distribution

Distribution.has_rsample, Distribution.has_enumerate_support, Distribution._validate_args = false, false, true

--- A new class of distributions; `parent` is Distribution by default.
---     > Coin = nl.distributions.class("Coin")
---     > function Coin:init() Coin.super.init(self) end
---     > function Coin.get:mean() return nl.tensor(0.5) end
---     > Coin().mean
---     tensor(0.5000)
---@param name string
---@param parent? table
function distribution.class(name, parent)
  if parent ~= nil and not (type(parent) == "table" and rawget(parent, "get")) then
    raise("class: the second argument is a class of distributions to start from, not " .. core.describe(parent))
  end
  return distribution.new_class(name, parent or Distribution)
end

--- One of nnlua's own, and the function that takes its constructor's arguments apart; `validate_args` is the last.
function distribution.define(name, parent, spec)
  local full = "distributions." .. name
  local new = distribution.new_class(full, parent)
  distribution.names[new], new._order = name, {}
  for i, entry in ipairs(spec) do new._order[i] = entry[1] end
  table.insert(spec, {"validate_args", "boolean?"})
  return new, args.parser(full, spec)
end

-- ----------------------------------------------------- checks of arguments

--- The names of a distribution's parameters in order.
local function parameter_names(self)
  if self._order then return self._order end
  local names = {}
  for name in next, self.arg_constraints or {} do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Whether a value is not there yet and would have to be computed from another parameter.
local function is_lazy(self, name)
  return rawget(self, name) == nil and getmetatable(self).lazy[name] ~= nil
end

local function check_parameters(self)
  local given = self.arg_constraints
  for _, name in ipairs(parameter_names(self)) do
    local constraint = given and given[name]
    if constraint and not constraints.is_dependent(constraint) and not is_lazy(self, name) then
      local value = self[name]
      if not constraint:check(value):all():item() then
        raise(("%s: %s must be %s, but it holds %s"):format(self.__name, name, constraint:_words(), tostring(value)))
      end
    end
  end
end

--- Begins a distribution whose parameters are set already: shapes (nl.Size or lists), and the checks of the parameters
--- unless validate_args is false.
function distribution.start(self, batch_shape, event_shape, validate_args)
  self._batch_shape, self._event_shape = joined(batch_shape or {}), joined(event_shape or {})
  if validate_args ~= nil then self._validate_args = validate_args end
  if self._validate_args then check_parameters(self) end
end

local parse = args.parser("distributions.Distribution", {
  {"batch_shape", "any", {}}, {"event_shape", "any", {}}, {"validate_args", "boolean?"},
})

function Distribution:init(...)
  local batch_shape, event_shape, validate_args = parse(...)
  batch_shape = utils._shape("distributions.Distribution", "batch_shape", batch_shape)
  event_shape = utils._shape("distributions.Distribution", "event_shape", event_shape)
  distribution.start(self, batch_shape, event_shape, validate_args)
end

--- Whether distributions that are made from now on check their parameters and values, which is so by default.
---     > nl.distributions.Distribution.set_default_validate_args(true)
---@param value boolean
function Distribution.set_default_validate_args(value)
  if type(value) ~= "boolean" then
    raise("set_default_validate_args: true or false was expected, not " .. core.describe(value))
  end
  Distribution._validate_args = value
end

--- Broadcasts parameters with each other and sets them as fields, in the order of the constructor's.
function distribution.set_broadcast(self, ...)
  local values = {utils.broadcast_all(...)}
  for i, value in ipairs(values) do self[getmetatable(self)._order[i]] = value end
end

--- A class of nnlua's own whose parameters are all numbers or tensors that are broadcast with each other.
function distribution.define_broadcast(name, parent, spec)
  local count = #spec
  local new, parse_new = distribution.define(name, parent, spec)
  function new:init(...)
    local values = {parse_new(...)}
    distribution.set_broadcast(self, table.unpack(values, 1, count))
    distribution.start(self, self[new._order[1]].shape, nil, values[count + 1])
  end
  new._expanded = new._order
  return new
end

-- ------------------------------------------------------- checks of values

local function check_shape(self, value)
  local expected = joined(self.batch_shape, self.event_shape)
  local events = #self.event_shape
  for i = 1, math.min(#expected, value.ndim) do
    local wanted, got = expected[#expected + 1 - i], value.shape[value.ndim + 1 - i]
    if got ~= wanted and (i <= events or got ~= 1 and wanted ~= 1) then
      raise(("%s: a value of shape %s doesn't fit the batch_shape %s and the event_shape %s"):format(
        self.__name, value.shape, self.batch_shape, self.event_shape))
    end
  end
  if value.ndim < events then
    raise(("%s: a value of shape %s has no event of shape %s"):format(self.__name, value.shape, self.event_shape))
  end
end

--- Raises unless a value is a tensor that fits the distribution's shapes and lies within its support; does nothing if
--- validate_args is false.
function Distribution:_validate_sample(value)
  if not core.is_tensor(value) then
    raise(("%s: the value must be a tensor, not %s"):format(self.__name, core.describe(value)))
  end
  if not self._validate_args then return end
  check_shape(self, value)
  local support = self.support
  if support and not support:check(value):all():item() then
    raise(("%s: values must be %s, but there is %s"):format(self.__name, support:_words(), tostring(value)))
  end
end

-- ------------------------------------------------------------------ draws

--- The shape of draws: sample_shape, batch_shape, event_shape.
function Distribution:_extended_shape(sample_shape)
  return joined(sample_shape or {}, self._batch_shape, self._event_shape)
end

--- Takes apart what draws are called with: a shape, and a generator among the named options.
local function draw_arguments(self, method, ...)
  local caller = ("%s:%s"):format(self.__name, method)
  local shape, options = utils._shape(caller, "sample_shape", ...)
  args.check_names(caller, options, {"sample_shape", "generator"})
  return shape, options.generator and {generator = options.generator}
end

--- Draws without gradients, one or a whole shape of them: `d:sample()`, `d:sample({2, 3})`, `d:sample(2, 3)`; the
--- option `generator` says which generator the numbers are of.
---     > nl.distributions.Normal(0, 1):sample({2})
---     tensor([ 1.5410, -0.2934])
---@param sample_shape? integer[]
---@return Tensor
function Distribution:sample(...)
  local shape, options = draw_arguments(self, "sample", ...)
  return nl.no_grad(self._sample, self, shape, options)
end

--- Draws with gradients of the parameters (reparameterized); there where has_rsample is true.
---     > scale = nl.tensor(2.0, {requires_grad = true})
---     > nl.distributions.Normal(0, scale):rsample().requires_grad
---     true
---@param sample_shape? integer[]
---@return Tensor
function Distribution:rsample(...)
  local shape, options = draw_arguments(self, "rsample", ...)
  return self:_rsample(shape, options)
end

--- What draws: `shape` is the sample_shape, an nl.Size, `options` nil or a table with the generator.
function Distribution:_sample(shape, options)
  if getmetatable(self).rsample == Distribution.rsample then return self:_rsample(shape, options) end
  return self:rsample(shape, options)
end

function Distribution:_rsample()
  raise(("%s has no rsample: its draws have no gradients; sample draws"):format(self.__name))
end

-- ------------------------------------------- what distributions may not have

local function missing(self, what)
  raise(("%s has no %s"):format(self.__name, what))
end

for _, name in ipairs {"log_prob", "cdf", "icdf", "entropy", "enumerate_support"} do
  Distribution[name] = function(self) missing(self, name) end
end

for _, name in ipairs {"mean", "mode", "variance"} do
  Distribution.get[name] = function(self) missing(self, name) end
end

function Distribution.get:stddev()
  return self.variance:sqrt()
end

function Distribution.get:batch_shape()
  return self._batch_shape
end

function Distribution.get:event_shape()
  return self._event_shape
end

--- The exponential of the entropy.
---     > nl.distributions.Categorical({probs = nl.ones(4)}):perplexity()
---     tensor(4.)
---@return Tensor
function Distribution:perplexity()
  return nl.exp(self:entropy())
end

-- -------------------------------------------------------------- expanding

-- A field of n batch dimensions with others: a tensor, or a distribution.
local function expanded(value, n, batch_shape)
  if core.is_tensor(value) then return value:expand(joined(batch_shape, utils._part(value.shape, n + 1))) end
  return value:expand(joined(batch_shape, utils._part(value.batch_shape, n + 1)))
end

--- Sets in a copy what depends on the batch's shape: the fields that the class lists in `_expanded`.
function Distribution:_expand(new, batch_shape)
  for _, name in ipairs(self._expanded or parameter_names(self)) do
    local value = rawget(self, name)
    if value ~= nil then new[name] = expanded(value, #self._batch_shape, batch_shape) end
  end
end

--- The same distribution, its batch expanded to another shape; no memory is copied.
---     > nl.distributions.Normal(0, 1):expand({2, 3}).batch_shape
---     [2, 3]
---@param batch_shape integer[]
function Distribution:expand(...)
  local caller = self.__name .. ":expand"
  local batch_shape, options = utils._shape(caller, "batch_shape", ...)
  args.check_names(caller, options, {"batch_shape"})
  local new, lazy = setmetatable({}, getmetatable(self)), getmetatable(self).lazy
  for key, value in next, self do
    if not lazy[key] then new[key] = value end
  end
  new._batch_shape = batch_shape
  self:_expand(new, batch_shape)
  return new
end

-- --------------------------------------------------------------- printing

local function value_text(value)
  if value.ndim == 0 then return repr.value(value:item()) end
  return tostring(value:numel() == 1 and value or value.shape)
end

--- The parameters that have a constraint and are there: others are not yet worked out of them, or no parameters.
function Distribution:__tostring()
  local texts, constraints = {}, self.arg_constraints
  for _, name in ipairs(self._printed or parameter_names(self)) do
    local value = rawget(self, name)
    if value ~= nil and constraints[name] then texts[#texts + 1] = name .. ": " .. value_text(value) end
  end
  return ("%s(%s)"):format(self.__name:match "[^.]+$", table.concat(texts, ", "))
end

-- ------------------------------------------------------- ExponentialFamily

--- Distributions of the form e^(t(x) · a - F(a) + k(x)). A class of one's own has the fields `_natural_params` (a list,
--- a) and `_mean_carrier_measure` (the mean of k) and a method `_log_normalizer` (F); entropy and kl_divergence follow.
---     > nl.distributions.ExponentialFamily.entropy(nl.distributions.Normal(0, 1)):detach()
---     tensor(1.4189)
---@class ExponentialFamily: Distribution
local ExponentialFamily = distribution.new_class("distributions.ExponentialFamily", Distribution)
distribution.ExponentialFamily = ExponentialFamily
distribution.names[ExponentialFamily] = "ExponentialFamily"

--- The natural parameters as leaves, the log normalizer of them, and its gradients.
function distribution.differentiated_normalizer(self)
  local natural = {}
  for i, one in ipairs(self._natural_params) do natural[i] = one:detach():requires_grad_() end
  local normalizer = self:_log_normalizer(table.unpack(natural))
  local gradients = nl.autograd.grad(normalizer:sum(), natural, {create_graph = true, as_table = true})
  return normalizer, natural, gradients
end

--- The entropy, by the derivative of the log normalizer.
---@return Tensor
function ExponentialFamily:entropy()
  if not self._mean_carrier_measure then missing(self, "entropy") end
  local result, natural, gradients = distribution.differentiated_normalizer(self)
  result = result - self._mean_carrier_measure
  for i, one in ipairs(natural) do
    local term = one * gradients[i]
    result = result - utils._sum_rightmost(term, term.ndim - #self._batch_shape)
  end
  return result
end

return distribution
