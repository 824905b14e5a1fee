-- Linear layers, and the one that does nothing.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local lazy = require "nnlua.nn.lazy"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local linear = {}

local raise = core.raise

-- Gives a layer its weight, of the shape, whose first is that of the bias, if it has one, and draws both.
local function make_parameters(layer, shape, has_bias, device, dtype)
  local kind = (device or dtype) and {device = device, dtype = dtype}
  layer.weight = core.parameter(nl.empty(shape, kind))
  core.register_parameter(layer, "bias", has_bias and core.parameter(nl.empty(shape[1], kind)) or nil)
  layer:reset_parameters()
end

--- y = x Wᵀ + b. `nn.Linear(in_features, out_features, bias = true)`; weight has shape [out_features, in_features].
--- Shapes: input (*, in_features), result (*, out_features)
---     > nn.Linear(20, 30)(nl.randn(128, 20)).shape
---     [128, 30]
---@class Linear: Module
---@field weight Tensor
---@field bias? Tensor
local Linear = core.class("nn.Linear", Module)

local parse = args.parser("nn.Linear", {
  {"in_features", "integer"}, {"out_features", "integer"}, {"bias", "boolean", true}, {"device", "any?"},
  {"dtype", "any?"},
})

function Linear:init(...)
  local inputs, outputs, bias, device, dtype = parse(...)
  self.in_features, self.out_features = inputs, outputs
  make_parameters(self, {outputs, inputs}, bias, device, dtype)
end

--- Draws weight and bias anew.
---     > layer = nn.Linear(4, 2)
---     > layer:reset_parameters()
---     > layer.weight:abs():max():item() <= 1 / math.sqrt(4)
---     true
function Linear:reset_parameters()
  init.kaiming_uniform_(self.weight, math.sqrt(5))
  if self.bias then
    local bound = self.in_features > 0 and 1 / math.sqrt(self.in_features) or 0
    init.uniform_(self.bias, -bound, bound)
  end
end

Linear.forward = core.linear_forward

function Linear:extra_repr()
  return ("in_features=%d, out_features=%d, bias=%s"):format(
    self.in_features, self.out_features, repr.value(self.bias ~= nil))
end

linear.Linear = Linear

--- Each result the sum of x1[i] * weight[i, j] * x2[j], + bias. `nn.Bilinear(in1_features, in2_features, out_features,
--- bias = true)`; weight has shape [out_features, in1_features, in2_features].
--- Shapes: inputs (*, in1_features) and (*, in2_features), result (*, out_features)
---     > nn.Bilinear(20, 30, 40)(nl.randn(128, 20), nl.randn(128, 30)).shape
---     [128, 40]
---@class Bilinear: Module
---@field weight Tensor
---@field bias? Tensor
local Bilinear = core.class("nn.Bilinear", Module)

local parse_bilinear = args.parser("nn.Bilinear", {
  {"in1_features", "integer"}, {"in2_features", "integer"}, {"out_features", "integer"}, {"bias", "boolean", true},
  {"device", "any?"}, {"dtype", "any?"},
})

function Bilinear:init(...)
  local first, second, outputs, bias, device, dtype = parse_bilinear(...)
  if first < 1 then raise("nn.Bilinear: in1_features must be at least 1, not " .. first) end
  self.in1_features, self.in2_features, self.out_features = first, second, outputs
  make_parameters(self, {outputs, first, second}, bias, device, dtype)
end

--- Draws weight and bias anew.
---     > layer = nn.Bilinear(2, 3, 4)
---     > layer:reset_parameters()
---     > layer.weight:abs():max():item() <= 1 / math.sqrt(2)
---     true
function Bilinear:reset_parameters()
  local bound = 1 / math.sqrt(self.in1_features)
  init.uniform_(self.weight, -bound, bound)
  if self.bias then init.uniform_(self.bias, -bound, bound) end
end

function Bilinear:forward(x1, x2)
  return nl.F.bilinear(x1, x2, self.weight, self.bias)
end

function Bilinear:extra_repr()
  return ("in1_features=%d, in2_features=%d, out_features=%d, bias=%s"):format(self.in1_features, self.in2_features,
    self.out_features, repr.value(self.bias ~= nil))
end

linear.Bilinear = Bilinear

--- A Linear that learns in_features from its first input, and is a plain nn.Linear from then on.
--- `nn.LazyLinear(out_features, bias = true)`. Its forward alone does not: call the module.
--- Shapes: as Linear
---     > nn.LazyLinear(3)(nl.randn(2, 5)).shape
---     [2, 3]
---@class LazyLinear: Linear
local LazyLinear = lazy.class("nn.LazyLinear", Linear)

local parse_lazy = args.parser("nn.LazyLinear", {
  {"out_features", "integer"}, {"bias", "boolean", true}, {"device", "any?"}, {"dtype", "any?"},
})

function LazyLinear:init(...)
  local outputs, bias, device, dtype = parse_lazy(...)
  self.in_features, self.out_features = 0, outputs
  lazy.add_parameters(self, bias, device, dtype)
  lazy.prepare(self)
end

function LazyLinear:initialize_parameters(input)
  if type(input) == "table" then input = input.input end
  if not core.is_tensor(input) then
    raise(("LazyLinear: the input must be a tensor, not %s"):format(core.describe(input)))
  end
  if self:has_uninitialized_params() then
    self:_materialize(input:size(-1))
  else
    self.in_features = self.weight:size(2) -- it has been loaded
  end
end

--- Gives the parameters their shapes and values.
function LazyLinear:_materialize(inputs)
  self.in_features = inputs
  if lazy.is_lazy(self.weight) then
    self.weight:materialize(self.out_features, inputs)
  end
  if lazy.is_lazy(self.bias) then
    self.bias:materialize(self.out_features)
  end
  self:reset_parameters()
end

linear.LazyLinear = LazyLinear

--- Gives its input back, whatever it was made with.
--- Shapes: input (*), result the same
---     > nn.Identity()(nl.tensor({1.0}))
---     tensor([1.])
---@class Identity: Module
local Identity = core.class("nn.Identity", Module)

function Identity:forward(...)
  return ...
end

linear.Identity = Identity

return linear
