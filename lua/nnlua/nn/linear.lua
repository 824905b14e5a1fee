-- Linear layers, and the one that does nothing.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local linear = {}

--- y = x Wᵀ + b. `nn.Linear(in_features, out_features, bias = true)`; weight has shape [out_features, in_features].
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
  local kind = (device or dtype) and {device = device, dtype = dtype}
  self.in_features, self.out_features = inputs, outputs
  self.weight = core.parameter(nl.empty(outputs, inputs, kind))
  if bias then
    self.bias = core.parameter(nl.empty(outputs, kind))
  else
    core.register_parameter(self, "bias", nil)
  end
  self:reset_parameters()
end

--- Draws weight and bias anew.
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

--- Gives its input back, whatever it was made with.
---@class Identity: Module
local Identity = core.class("nn.Identity", Module)

function Identity:forward(...)
  return ...
end

linear.Identity = Identity

return linear
