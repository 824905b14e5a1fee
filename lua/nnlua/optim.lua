-- nnlua.optim: optimizers, and schedules of their learning rates.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"
local optimizer = require "nnlua.optim.optimizer"

--- Optimizers: `optim.Adam(net:parameters(), {lr = 0.001})`, then `zero_grad`, `backward`, `step`.
local optim = {
  Optimizer = optimizer.Optimizer,
  class = optimizer.class,
  lr_scheduler = require "nnlua.optim.lr_scheduler",
}

local function guard_classes(classes)
  guard.classes(classes, {except = {"step", "zero_grad"}, levelled = {"_get_state", "_set_state"}})
end

guard_classes {optim.Optimizer}

return on_demand.fields(optim, guard_classes, {
  ["nnlua.optim.sgd"] = "ASGD SGD",
  ["nnlua.optim.adam"] = "Adam AdamW Adamax NAdam RAdam",
  ["nnlua.optim.adaptive"] = "Adadelta Adagrad RMSprop Rprop",
  ["nnlua.optim.lbfgs"] = "LBFGS",
})
