-- Every class of optimizers and of schedules that nnlua.optim has, and samples of each, for the specs that loop over
-- them.
--
-- A sample of an optimizer is a table of options; in its other fields:
--   steps = n           after how many steps a quadratic is at most a hundredth of what it was (200 unless given)
--   decays = true       an element changes without a gradient, too
-- A sample of a schedule is a function that makes one for an optimizer. A class that is not as most are says how:
--   closure = true      a step looks at the loss more than once
--   one_group = true    there can't be a second group
--   metric = true       a schedule's step takes a metric
--   matrices = true     parameters are matrices
--   real = true         no parameter may be complex
--   inner = true        a schedule is made of schedules
local nl = require "nnlua"
local args = require "nnlua.args"

local optim = nl.optim

local optimizers = {}

local S = optim.lr_scheduler

optimizers.samples = {
  SGD = {
    {lr = 0.05}, {lr = 0.02, momentum = 0.9, nesterov = true},
    {lr = 0.02, momentum = 0.5, dampening = 0.5, weight_decay = 0.001, decays = true},
  },
  ASGD = {{lr = 0.05, lambd = 0.0}, {lr = 0.05, t0 = 2, alpha = 0.5, weight_decay = 0.001, decays = true}},
  Adam = {
    {lr = 0.2}, {lr = 0.2, betas = {0.8, 0.9}, amsgrad = true},
    {lr = 0.2, weight_decay = 0.001, decoupled_weight_decay = true, decays = true},
  },
  AdamW = {{lr = 0.2, decays = true}, {lr = 0.2, weight_decay = 0.0, amsgrad = true}},
  NAdam = {{lr = 0.2}, {lr = 0.2, momentum_decay = 0.01, weight_decay = 0.001, decays = true}},
  RAdam = {{lr = 0.2}, {lr = 0.2, weight_decay = 0.001, decoupled_weight_decay = true, decays = true}},
  Adamax = {{lr = 0.2}, {lr = 0.2, betas = {0.8, 0.9}, weight_decay = 0.001, decays = true}},
  Adagrad = {
    {lr = 1.0}, {lr = 1.0, lr_decay = 0.001, initial_accumulator_value = 0.1, weight_decay = 0.001, decays = true},
  },
  RMSprop = {
    {lr = 0.02}, {lr = 0.01, momentum = 0.5, centered = true},
    {lr = 0.02, alpha = 0.9, weight_decay = 0.001, decays = true},
  },
  Adadelta = {{lr = 5.0}, {lr = 5.0, rho = 0.8, weight_decay = 0.001, decays = true}},
  Rprop = {{lr = 0.05}, {lr = 0.05, etas = {0.4, 1.3}, step_sizes = {1e-8, 1.0}}},
  Adafactor = {real = true,
    {lr = 0.1}, {lr = 0.05, beta2_decay = -0.5, d = 2.0, weight_decay = 0.001, decays = true},
  },
  Muon = {real = true, matrices = true,
    {lr = 0.02, weight_decay = 0.0, decays = true}, {lr = 0.02, weight_decay = 0.0, decays = true, nesterov = false},
  },
  LBFGS = {
    closure = true, one_group = true,
    {lr = 0.5, max_iter = 4, steps = 10}, {history_size = 2, max_iter = 5, line_search_fn = "strong_wolfe", steps = 10},
  },
}

optimizers.schedules = {
  LambdaLR = {function(o) return S.LambdaLR(o, function(epoch) return 0.9 ^ epoch end) end},
  MultiplicativeLR = {function(o) return S.MultiplicativeLR(o, function(epoch) return 1 - 0.1 / epoch end) end},
  StepLR = {function(o) return S.StepLR(o, 2, 0.5) end},
  MultiStepLR = {function(o) return S.MultiStepLR(o, {2, 3, 6}, 0.5) end},
  ExponentialLR = {function(o) return S.ExponentialLR(o, 0.9) end},
  ConstantLR = {function(o) return S.ConstantLR(o, 0.5, 4) end},
  LinearLR = {function(o) return S.LinearLR(o, 0.25, 0.75, 6) end},
  PolynomialLR = {function(o) return S.PolynomialLR(o, 8, 2.0) end},
  CosineAnnealingLR = {function(o) return S.CosineAnnealingLR(o, 4, 0.01) end},
  CosineAnnealingWarmRestarts = {
    function(o) return S.CosineAnnealingWarmRestarts(o, 3) end,
    function(o) return S.CosineAnnealingWarmRestarts(o, 2, 2, 0.01) end,
  },
  CyclicLR = {
    function(o) return S.CyclicLR(o, 0.1, 1.0, 3) end,
    function(o)
      return S.CyclicLR(o, 0.1, 1.0, {step_size_up = 2, step_size_down = 3, mode = "exp_range", gamma = 0.9})
    end,
  },
  OneCycleLR = {
    function(o) return S.OneCycleLR(o, 1.0, {total_steps = 12}) end,
    function(o)
      return S.OneCycleLR(o, 1.0, {epochs = 4, steps_per_epoch = 3, three_phase = true, anneal_strategy = "linear"})
    end,
  },
  SequentialLR = {inner = true,
    function(o) return S.SequentialLR(o, {S.ConstantLR(o, 0.5, 2), S.ExponentialLR(o, 0.9)}, {4}) end},
  ChainedScheduler = {inner = true,
    function(o) return S.ChainedScheduler {S.LinearLR(o), S.StepLR(o, 3, 0.5)} end},
  SWALR = {
    function(o) return optim.swa_utils.SWALR(o, 0.05, 4) end,
    function(o) return optim.swa_utils.SWALR(o, 0.5, {anneal_epochs = 6, anneal_strategy = "linear"}) end,
  },
  ReduceLROnPlateau = {metric = true,
    function(o) return S.ReduceLROnPlateau(o, "min", {factor = 0.5, patience = 1, cooldown = 1, min_lr = 0.01}) end},
}

--- Whether a value is a class that comes from another.
local function comes_from(value, parent)
  local above = type(value) == "table" and rawget(value, "super")
  while above and above ~= parent do above = rawget(above, "super") end
  return above == parent
end

--- The names of a table's classes that come from one, in order.
local function names_of(place, parent)
  local names = {}
  for name, value in pairs(place) do
    if comes_from(value, parent) then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

--- The names of all optimizers, in order.
function optimizers.names()
  return names_of(optim, optim.Optimizer)
end

--- The names of all schedules, in order.
function optimizers.schedule_names()
  local names = names_of(optim.swa_utils, S.LRScheduler)
  return table.move(names, 1, #names, #names_of(S, S.LRScheduler) + 1, names_of(S, S.LRScheduler))
end

--- The class of a schedule.
function optimizers.schedule(name)
  return S[name] or optim.swa_utils[name]
end

local function find(list, kind, name)
  return list[name] or error(("%s.%s has no sample: give it one in tests/support/optimizers.lua"):format(kind, name), 0)
end

--- The samples of an optimizer.
function optimizers.of(name)
  return find(optimizers.samples, "optim", name)
end

--- The samples of a schedule.
function optimizers.schedules_of(name)
  return find(optimizers.schedules, "optim.lr_scheduler", name)
end

--- Whether the samples of an optimizer or a schedule say that it is not as most are.
function optimizers.has(name, field)
  return (optimizers.samples[name] or optimizers.schedules[name] or {})[field] == true
end

--- Whether the constructor of an optimizer has an argument of a name.
function optimizers.takes(name, argument)
  for _, entry in ipairs(args.specs["optim." .. name] or {}) do
    if entry[1] == argument then return true end
  end
  return false
end

local own_fields = {steps = true, decays = true}

--- The options of a sample, with more of them.
function optimizers.options(sample, more)
  local options = {}
  for key, value in pairs(sample) do
    if not own_fields[key] then options[key] = value end
  end
  for key, value in pairs(more or {}) do options[key] = value end
  return options
end

--- A new optimizer of a class, by its first sample, of one parameter that has a gradient.
function optimizers.ready(name)
  local w = nl.nn.Parameter(nl.ones(2, 2))
  w.grad = nl.ones(2, 2)
  return optim[name]({w}, optimizers.options(optimizers.of(name)[1]))
end

return optimizers
