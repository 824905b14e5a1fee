-- Activations and dropout.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local activation = {}

local F = nl.F
local relu = nl.relu

--- max(x, 0). `nn.ReLU(inplace = false)`.
---@class ReLU: Module
local ReLU = core.class("nn.ReLU", Module)

local parse_relu = args.parser("nn.ReLU", {{"inplace", "boolean", false}})

function ReLU:init(...)
  self.inplace = parse_relu(...)
end

function ReLU:forward(x)
  if self.inplace then
    return x:relu_()
  end
  return relu(x)
end

function ReLU:extra_repr()
  return self.inplace and "inplace=True" or ""
end

activation.ReLU = ReLU

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
