-- Linear layers whose weights are bytes.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local quantized = {}

local raise = core.raise

--- y = x (weight * scales)ᵀ + b, where weight is of int8 and scales has a number for each of its rows: a quarter of a
--- Linear's memory, and of its time where few rows of x meet a large weight. Made of a trained Linear by `from_float`;
--- `nn.quantized.dynamic.Linear(in_features, out_features, bias_ = true)` has zeros, for a state dict to be loaded. All
--- it holds are buffers, which aren't trained; gradients reach x. x is of float32 or a half, and stays as it is: only
--- weights are rounded.
--- Shapes: input (*, in_features), result (*, out_features)
---     > nn.quantized.dynamic.Linear(20, 30)(nl.randn(128, 20)).shape
---     [128, 30]
---@class QuantizedLinear: Module
---@field weight Tensor
---@field scales Tensor
---@field bias? Tensor
local Linear = core.class("nn.quantized.dynamic.Linear", Module)

local parse = args.parser("nn.quantized.dynamic.Linear", {
  {"in_features", "integer"}, {"out_features", "integer"}, {"bias_", "boolean", true},
})

function Linear:init(...)
  local inputs, outputs, bias = parse(...)
  self.in_features, self.out_features = inputs, outputs
  core.register_buffer(self, "weight", nl.zeros(outputs, inputs, {dtype = nl.int8}))
  core.register_buffer(self, "scales", nl.ones(outputs, {dtype = nl.float32}))
  core.register_buffer(self, "bias", bias and nl.zeros(outputs) or nil)
end

local parse_float = args.parser("nn.quantized.dynamic.Linear.from_float", {{"mod", "module"}})

--- The layer of an nn.Linear: each row of its weight in steps of a 127th of the row's largest number.
---     > layer = nn.Linear(2, 1, {bias = false})
---     > layer.weight.data = nl.tensor({{1.0, -0.5}})
---     > quantized = nn.quantized.dynamic.Linear.from_float(layer)
---     > quantized.weight
---     tensor([[127, -64]], dtype=nnlua.int8)
---     > quantized(nl.tensor({{1.0, 1.0}}))
---     tensor([[0.4961]])
---@param mod Linear
---@return QuantizedLinear
function Linear.from_float(...)
  local layer = parse_float(...)
  if not layer:is_a(require "nnlua.nn.linear".Linear) then
    raise(("nn.quantized.dynamic.Linear.from_float: an nn.Linear is wanted, got %s"):format(core.class_name(layer)))
  end
  local made = Linear(layer.in_features, layer.out_features, layer.bias ~= nil)
  local weight = layer.weight:detach():float()
  local largest = layer.in_features > 0 and weight:abs():amax(2) or nl.zeros(layer.out_features)
  made.scales = nl.where(largest:eq(0), 1.0, largest / 127)
  made.weight = (weight / made.scales:unsqueeze(2)):round():to(nl.int8)
  if layer.bias then made.bias = layer.bias:detach():clone() end
  return made
end

function Linear:forward(x)
  local y = nl._weight_int8pack_mm(x, self.weight, self.scales)
  return self.bias and y + self.bias or y
end

function Linear:extra_repr()
  return ("in_features=%d, out_features=%d, bias=%s"):format(
    self.in_features, self.out_features, repr.value(self.bias ~= nil))
end

quantized.Linear = Linear

return quantized
