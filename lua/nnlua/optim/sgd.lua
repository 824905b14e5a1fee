-- Stochastic gradient descent.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local optimizer = require "nnlua.optim.optimizer"

local raise = core.raise

--- Stochastic gradient descent with momentum. `optim.SGD(params, {lr = 0.001, momentum = 0, dampening = 0,
--- weight_decay = 0, nesterov = false, maximize = false})`.
---@class SGD: Optimizer
local SGD = optimizer.class("optim.SGD")

local parse = args.parser("optim.SGD", {
  {"params", "any"}, {"lr", "number", 1e-3}, {"momentum", "number", 0.0}, {"dampening", "number", 0.0},
  {"weight_decay", "number", 0.0}, {"nesterov", "boolean", false}, {"maximize", "boolean", false},
  {"foreach", "boolean?"}, {"differentiable", "boolean", false}, {"fused", "boolean?"},
})

function SGD:init(...)
  local params, lr, momentum, dampening, weight_decay, nesterov, maximize = parse(...)
  SGD.super.init(self, params, {
    lr = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay, nesterov = nesterov,
    maximize = maximize,
  })
end

local function check_not_negative(group, name)
  if type(group[name]) ~= "number" or group[name] < 0 then
    raise(("optim.SGD: %s must be a number from 0 on, not %s"):format(name, tostring(group[name])))
  end
end

function SGD:_check_group(group)
  check_not_negative(group, "lr")
  check_not_negative(group, "momentum")
  check_not_negative(group, "weight_decay")
  if group.nesterov and (group.momentum <= 0 or group.dampening ~= 0) then
    raise "optim.SGD: nesterov needs a momentum, and a dampening of 0"
  end
  group._list = core.step_list(group.params, 1)
end

-- ------------------------------------------------------------------ state

-- Momenta live in the groups' lists, where a step finds them.

local function place_of(self, p)
  for _, group in ipairs(self.param_groups) do
    for i, parameter in ipairs(group.params) do
      if parameter == p then
        return group._list, i
      end
    end
  end
end

function SGD:_new_state()
  return setmetatable({}, {
    __index = function(_, p) return self:_get_state(p) or {} end,
    __newindex = function(_, p, values) self:_set_state(p, values) end,
  })
end

function SGD:_get_state(p)
  local list, i = place_of(self, p)
  local momentum = list and core.step_state(list, i, 1)
  return momentum and {momentum_buffer = momentum}
end

function SGD:_set_state(p, values)
  local list, i = place_of(self, p)
  core.set_step_state(list, i, 1, values and values.momentum_buffer)
end

-- ------------------------------------------------------------------ steps

local step = core.sgd_step

--- One call for all parameters of a group.
SGD.update = optimizer.in_core(function(_, group)
  step(group._list, group.params, group.lr, group.momentum, group.dampening, group.weight_decay, group.nesterov,
    group.maximize)
end)

return SGD
