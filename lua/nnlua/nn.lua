-- nnlua.nn: modules, containers, layers, losses.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

--- Neural networks: `nn.Linear`, `nn.Sequential`, `nn.class` and the like.
local nn = {
  functional = nl.F,
  init = require "nnlua.nn.initializers",
  utils = require "nnlua.nn.utils",
}

local Module = require "nnlua.nn.module"
nn.Module = Module

require "nnlua.nn.repr".install(Module)
require "nnlua.nn.module_to".install(Module)
require "nnlua.nn.state_dict".install(Module)
require "nnlua.nn.hooks".install(Module, nn)

--- A new class of modules: `nn.class("Net")`, or `nn.class("Net", nn.Linear)` to start from another one.
---     > Net = nn.class "Net"
---     > function Net:init(hidden) self.fc = nn.Linear(4, hidden) end
---     > function Net:forward(x) return nl.relu(self.fc(x)) end
---     > Net(3)(nl.randn(2, 4)).shape
---     [2, 3]
---@param name string
---@param parent? table
function nn.class(name, parent)
  return core.class(name, parent or Module)
end

--- Whether a value is a module.
---     > nn.is_module(nn.ReLU()), nn.is_module(3)
---     true	false
nn.is_module = core.is_module

--- The class of a module.
---     > nn.class_of(nn.ReLU()) == nn.ReLU
---     true
nn.class_of = core.class_of

--- A tensor that a module registers as its parameter when it is assigned: over the same storage as the one given.
---     > nn.Parameter(nl.zeros(2)).requires_grad
---     true
---@param data? Tensor
---@param requires_grad? boolean
nn.Parameter = core.parameter

local lazy = require "nnlua.nn.lazy"
nn.UninitializedParameter = lazy.UninitializedParameter
--- Whether a value is a parameter or buffer whose shape is not known yet.
---     > nn.is_lazy(nn.LazyLinear(3).weight)
---     true
---@param value any
nn.is_lazy = lazy.is_lazy

--- A tensor that a module registers as a buffer when it is assigned: `self.mean = nn.Buffer(nl.zeros(3))`.
---     > net = nn.Module()
---     > net.mean = nn.Buffer(nl.zeros(2))
---     > net:state_dict().mean
---     tensor([0., 0.])
---@param data Tensor
---@param persistent? boolean
nn.Buffer = core.buffer

--- A copy of a module, tensor or table with all that it holds; shared parts stay shared.
---     > net = nn.Linear(2, 2)
---     > copy = nn.deepcopy(net)
---     > nl.equal(copy.weight, net.weight), copy.weight == net.weight
---     true	false
nn.deepcopy = require "nnlua.nn.copy"

--- A copy of the module with all that it holds.
function Module:deepcopy()
  return nn.deepcopy(self)
end

local parts = {
  "containers",
  "parameter_containers",
  "linear",
  "activation",
  "dropout",
  "embedding",
  "normalization",
  "rnn",
  "attention",
  "transformer",
  "conv",
  "pooling",
  "padding",
  "shape",
  "loss",
  "distance",
}

for _, name in ipairs(parts) do
  for class_name, class in pairs(require("nnlua.nn." .. name)) do
    nn[class_name] = class
  end
end

require "nnlua.guard".classes(nn)

return nn
