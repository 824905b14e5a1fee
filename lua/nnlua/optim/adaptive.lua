-- Optimizers that scale each element's step by its gradients so far.

local core = require "nnlua.nn.core"
local fused = require "nnlua.optim.fused"
local nl = require "nnlua"

local format = core.format

local not_negative = fused.not_negative

--- Adagrad (Duchi et al., 2011). `optim.Adagrad(params, {lr = 0.01, lr_decay = 0, weight_decay = 0,
--- initial_accumulator_value = 0, eps = 1e-10, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Adagrad({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class Adagrad: Optimizer
local Adagrad = fused.class("Adagrad", {
  {"lr", "rate", 1e-2}, {"lr_decay", "number", 0.0}, {"weight_decay", "number", 0.0},
  {"initial_accumulator_value", "number", 0.0}, {"eps", "number", 1e-10},
}, function(name, group)
  not_negative(name, group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
end)

local check_group = Adagrad._check_group

--- The sums are there before the first step, as PyTorch's are; those of a complex parameter are of each part.
function Adagrad:_check_group(group)
  check_group(self, group)
  local initial = group.initial_accumulator_value
  for i, p in ipairs(group.params) do
    if not core.is_uninitialized(p) then
      local sum = nl.full_like(p:detach(), p:is_complex() and nl.complex(initial, initial) or initial)
      self:_set_state(group, i, {step = nl.tensor(0.0), sum = sum})
    end
  end
end

--- RMSprop (Hinton's lecture 6). `optim.RMSprop(params, {lr = 0.01, alpha = 0.99, eps = 1e-8, weight_decay = 0,
--- momentum = 0, centered = false, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.RMSprop({w}, {lr = 0.01})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class RMSprop: Optimizer
local RMSprop = fused.class("RMSprop", {
  {"lr", "rate", 1e-2}, {"alpha", "number", 0.99}, {"eps", "number", 1e-8}, {"weight_decay", "number", 0.0},
  {"momentum", "number", 0.0}, {"centered", "boolean", false}, {"capturable", "boolean?"}, {"foreach", "boolean?"},
}, function(name, group)
  not_negative(name, group, "lr", "alpha", "eps", "weight_decay", "momentum")
end)

--- Adadelta (Zeiler, 2012).
--- `optim.Adadelta(params, {lr = 1, rho = 0.9, eps = 1e-6, weight_decay = 0, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Adadelta({w}, {lr = 1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9968])
---@class Adadelta: Optimizer
local Adadelta = fused.class("Adadelta", {
  {"lr", "rate", 1.0}, {"rho", "number", 0.9}, {"eps", "number", 1e-6}, {"weight_decay", "number", 0.0},
}, function(name, group)
  not_negative(name, group, "lr", "rho", "eps", "weight_decay")
  if group.rho > 1 then
    core.raise(format("%s: rho must be a number from 0 to 1, not %s", name, group.rho))
  end
end)

local function are_etas(minus, plus)
  return minus > 0 and minus < 1 and plus > 1
end

local function is_range(least, most)
  return least >= 0 and most >= least
end

--- Resilient backpropagation (Riedmiller and Braun, 1993), which looks at the gradient's sign only.
--- `optim.Rprop(params, {lr = 0.01, etas = {0.5, 1.2}, step_sizes = {1e-6, 50}, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Rprop({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class Rprop: Optimizer
local Rprop = fused.class("Rprop", {
  {"lr", "rate", 1e-2}, {"etas", "list", {0.5, 1.2}}, {"step_sizes", "list", {1e-6, 50.0}},
}, function(name, group)
  not_negative(name, group, "lr")
  fused.pair(name, group, "etas", are_etas, "one number between 0 and 1 and one above 1")
  fused.pair(name, group, "step_sizes", is_range, "the least and the most")
end)

return {Adagrad = Adagrad, RMSprop = RMSprop, Adadelta = Adadelta, Rprop = Rprop}
