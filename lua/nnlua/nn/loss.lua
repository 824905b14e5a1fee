-- Losses as modules.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local reduction_of = require "nnlua.nn.reduction"

local loss = {}

local F = nl.F

--- The squared distance of input and target. `nn.MSELoss({reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.MSELoss()(nl.tensor({1.0, 5.0}), nl.tensor({2.0, 2.0}))
---     tensor(5.)
---@class MSELoss: Module
local MSELoss = core.class("nn.MSELoss", Module)

local parse_mse = args.parser("nn.MSELoss", {
  {"size_average", "boolean?"}, {"reduce", "boolean?"}, {"reduction", "string", "mean"},
})

function MSELoss:init(...)
  self.reduction = reduction_of("nn.MSELoss", parse_mse(...))
end

function MSELoss:forward(input, target)
  return F.mse_loss(input, target, nil, nil, self.reduction)
end

loss.MSELoss = MSELoss

--- The negative log likelihood of log-probabilities; targets are classes from 1 on.
--- `nn.NLLLoss(weight, {ignore_index = -100, reduction = "mean"})`.
--- Shapes: input (N, C, *) or (C), target (N, *) or () of classes from 1 on; result (), with reduction "none" (N, *)
---     > nn.NLLLoss()(nl.tensor({{-0.5, -1.0}}), nl.tensor({2}))
---     tensor(1.)
---@class NLLLoss: Module
local NLLLoss = core.class("nn.NLLLoss", Module)

local parse_nll = args.parser("nn.NLLLoss", {
  {"weight", "tensor?"}, {"size_average", "boolean?"}, {"ignore_index", "integer", -100}, {"reduce", "boolean?"},
  {"reduction", "string", "mean"},
})

function NLLLoss:init(...)
  local weight, average, ignore, reduce, reduction = parse_nll(...)
  core.register_buffer(self, "weight", weight)
  self.ignore_index = ignore
  self.reduction = reduction_of("nn.NLLLoss", average, reduce, reduction)
end

function NLLLoss:forward(input, target)
  return F.nll_loss(input, target, self.weight, nil, self.ignore_index, nil, self.reduction)
end

loss.NLLLoss = NLLLoss

--- The cross entropy of unnormalised scores; targets are classes from 1 on, or probabilities.
--- `nn.CrossEntropyLoss(weight, {ignore_index = -100, reduction = "mean", label_smoothing = 0})`.
--- Shapes: input (N, C, *) or (C), target (N, *) or () of classes from 1 on, or probabilities as input; result (),
--- with reduction "none" (N, *)
---     > nn.CrossEntropyLoss()(nl.tensor({{0.0, 2.0}}), nl.tensor({2}))
---     tensor(0.1269)
---@class CrossEntropyLoss: Module
local CrossEntropyLoss = core.class("nn.CrossEntropyLoss", Module)

local parse_cross_entropy = args.parser("nn.CrossEntropyLoss", {
  {"weight", "tensor?"}, {"size_average", "boolean?"}, {"ignore_index", "integer", -100}, {"reduce", "boolean?"},
  {"reduction", "string", "mean"}, {"label_smoothing", "number", 0.0},
})

function CrossEntropyLoss:init(...)
  local weight, average, ignore, reduce, reduction, smoothing = parse_cross_entropy(...)
  core.register_buffer(self, "weight", weight)
  self.ignore_index, self.label_smoothing = ignore, smoothing
  self.reduction = reduction_of("nn.CrossEntropyLoss", average, reduce, reduction)
end

function CrossEntropyLoss:forward(input, target)
  return F.cross_entropy(input, target, self.weight, nil, self.ignore_index, nil, self.reduction,
    self.label_smoothing)
end

loss.CrossEntropyLoss = CrossEntropyLoss

return loss
