-- nnlua.optim: optimizers, and schedules of their learning rates.

local optimizer = require "nnlua.optim.optimizer"

--- Optimizers: `optim.Adam(net:parameters(), {lr = 0.001})`, then `zero_grad`, `backward`, `step`.
local optim = {
  Optimizer = optimizer.Optimizer,
  class = optimizer.class,
  lr_scheduler = require "nnlua.optim.lr_scheduler",
}

for _, name in ipairs {"sgd", "adam", "adaptive", "lbfgs"} do
  for class_name, class in pairs(require("nnlua.optim." .. name)) do
    optim[class_name] = class
  end
end

require "nnlua.guard".classes(optim, {
  except = {"step", "zero_grad"}, levelled = {"_get_state", "_set_state"},
})

return optim
