-- nnlua.optim: optimizers, and schedules of their learning rates.

local guard = require "nnlua.guard"
local hooks = require "nnlua.optim.hooks"
local on_demand = require "nnlua.on_demand"
local optimizer = require "nnlua.optim.optimizer"
local raise = require "nnlua.nn.core".raise

--- Optimizers: `optim.Adam(net:parameters(), {lr = 0.001})`, then `zero_grad`, `backward`, `step`.
local optim = {
  Optimizer = optimizer.Optimizer,
  class = optimizer.class,
  lr_scheduler = require "nnlua.optim.lr_scheduler",
}

--- Not there: gradients are never sparse. An embedding's gradient is a dense tensor, so optim.Adam steps it, or
--- optim.SGD, which leaves rows without a gradient alone where it has no momentum and no weight decay.
---     > (select(2, pcall(optim.SparseAdam)):match "optim%..*")
---     optim.SparseAdam: gradients are never sparse here; use optim.Adam, or optim.SGD for embeddings
function optim.SparseAdam()
  raise "optim.SparseAdam: gradients are never sparse here; use optim.Adam, or optim.SGD for embeddings"
end

--- Calls `hook(optimizer, arguments)` before each step of every optimizer, as Optimizer:register_step_pre_hook does for
--- one. Gives a handle: `handle:remove()`.
---     > handle = optim.register_optimizer_step_pre_hook(function(optimizer) print(optimizer.__name) end)
---     > optim.SGD({nl.ones(1, {requires_grad = true})}, {lr = 0.1}):step()
---     optim.SGD
---     > handle:remove()
function optim.register_optimizer_step_pre_hook(hook)
  return hooks.register(hooks.every, "step_pre", hook)
end

--- Calls `hook(optimizer, arguments)` after each step of every optimizer. Gives a handle.
---     > steps = 0
---     > handle = optim.register_optimizer_step_post_hook(function() steps = steps + 1 end)
---     > optim.SGD({nl.ones(1, {requires_grad = true})}, {lr = 0.1}):step()
---     > handle:remove()
---     > steps
---     1
function optim.register_optimizer_step_post_hook(hook)
  return hooks.register(hooks.every, "step_post", hook)
end

local function guard_classes(classes)
  guard.classes(classes, {except = {"step", "zero_grad"}, levelled = {"_get_state", "_set_state"}})
end

guard_classes {optim.Optimizer}

return on_demand.fields(optim, guard_classes, {
  ["nnlua.optim.sgd"] = "ASGD SGD",
  ["nnlua.optim.adam"] = "Adam AdamW Adamax NAdam RAdam",
  ["nnlua.optim.adaptive"] = "Adadelta Adagrad RMSprop Rprop",
  ["nnlua.optim.lbfgs"] = "LBFGS",
  ["nnlua.optim.matrix"] = "Adafactor Muon",
  ["nnlua.optim.swa_utils"] = "swa_utils",
  ["nnlua.optim.functional"] = "functional",
  ["nnlua.optim.swap"] = "swap_in_optimizer_params_and_state",
})
