-- Stochastic gradient descent, plain and averaged.

local core = require "nnlua.nn.core"
local fused = require "nnlua.optim.fused"

local not_negative = fused.not_negative

--- Stochastic gradient descent with momentum. `optim.SGD(params, {lr = 0.001, momentum = 0, dampening = 0,
--- weight_decay = 0, nesterov = false, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.SGD({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w:item()
---     0.69999998807907
---@class SGD: Optimizer
local SGD = fused.class("SGD", {
  {"lr", "rate", 1e-3}, {"momentum", "number", 0.0}, {"dampening", "number", 0.0}, {"weight_decay", "number", 0.0},
  {"nesterov", "boolean", false}, {"maximize", "boolean", false},
}, function(name, group)
  not_negative(name, group, "lr", "momentum", "weight_decay")
  if group.nesterov and (group.momentum <= 0 or group.dampening ~= 0) then
    core.raise(name .. ": nesterov needs a momentum, and a dampening of 0")
  end
end)

--- Averaged stochastic gradient descent (Polyak and Juditsky, 1992): `state[p].ax` is the average. `optim.ASGD(params,
--- {lr = 0.01, lambd = 1e-4, alpha = 0.75, t0 = 1e6, weight_decay = 0, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.ASGD({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.7000])
---@class ASGD: Optimizer
local ASGD = fused.class("ASGD", {
  {"lr", "rate", 1e-2}, {"lambd", "number", 1e-4}, {"alpha", "number", 0.75}, {"t0", "number", 1e6},
  {"weight_decay", "number", 0.0}, {"foreach", "boolean?"}, {"maximize", "boolean", false},
}, function(name, group)
  not_negative(name, group, "lr", "weight_decay")
end)

return {SGD = SGD, ASGD = ASGD}
