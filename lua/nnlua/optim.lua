-- nnlua.optim: optimizers.

local optimizer = require "nnlua.optim.optimizer"

return {
  Optimizer = optimizer.Optimizer,
  class = optimizer.class,
  SGD = require "nnlua.optim.sgd",
}
