-- Activations and dropout.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local activation = {}

local F = nl.F

--- max(x, 0). `nn.ReLU(inplace = false)`.
---@class ReLU: Module
local ReLU = core.class("nn.ReLU", Module)

local parse_relu = args.parser("nn.ReLU", {{"inplace", "boolean", false}})

function ReLU:init(...)
  self.inplace = parse_relu(...)
end

ReLU.forward = core.relu_forward

function ReLU:extra_repr()
  return self.inplace and "inplace=True" or ""
end

activation.ReLU = ReLU

local function without_arguments(name)
  local class, parse = core.class(name, Module), args.parser(name, {})
  function class:init(...) -- luacheck: no self
    parse(...)
  end
  return class
end

--- The hyperbolic tangent. `nn.Tanh()`.
---@class Tanh: Module
local Tanh = without_arguments "nn.Tanh"

Tanh.forward = core.tanh_forward

activation.Tanh = Tanh

--- 1 / (1 + exp(-x)). `nn.Sigmoid()`.
---@class Sigmoid: Module
local Sigmoid = without_arguments "nn.Sigmoid"

Sigmoid.forward = core.sigmoid_forward

activation.Sigmoid = Sigmoid

--- Sets elements to zero with probability p while training, and scales the others up. `nn.Dropout(p = 0.5)`.
---@class Dropout: Module
local Dropout = core.class("nn.Dropout", Module)

local parse_dropout = args.parser("nn.Dropout", {{"p", "number", 0.5}, {"inplace", "boolean", false}})

function Dropout:init(...)
  self.p, self.inplace = parse_dropout(...)
  if self.p < 0 or self.p > 1 then
    core.raise(("nn.Dropout: p is a probability, not %s"):format(self.p))
  end
end

function Dropout:forward(x)
  return F.dropout(x, self.p, self.training, self.inplace)
end

function Dropout:extra_repr()
  return ("p=%s, inplace=%s"):format(repr.value(self.p), repr.value(self.inplace))
end

activation.Dropout = Dropout

return activation
