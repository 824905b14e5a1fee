-- Schedulers that go down, or up, by factors.

local args = require "nnlua.args"
local base = require "nnlua.optim.lr_scheduler.base"
local core = require "nnlua.nn.core"

local format = core.format

local decay = {}

local LRScheduler = base.LRScheduler

-- -------------------------------------------------------------- functions

--- The functions of LambdaLR and MultiplicativeLR: one for all groups, or a list.
local function keep_functions(self, optimizer, functions)
  base.check_optimizer(self.__name, optimizer)
  self.lr_lambdas = base.per_group(self, optimizer, "lr_lambda", functions)
  for i, f in ipairs(self.lr_lambdas) do
    if not args.is_callable(f) then
      core.raise(("%s: lr_lambda[%d] must be a function, not %s"):format(self.__name, i, core.describe(f)))
    end
  end
end

--- What the first n functions give for the epoch.
local function factors_of(self, n)
  local functions, factors = self.lr_lambdas, {}
  for i = 1, n do
    local f = type(functions) == "table" and functions[i]
    base.check_function(self, "lr_lambdas", f)
    factors[i] = f(self.last_epoch)
    if type(factors[i]) ~= "number" then
      core.raise(("%s: lr_lambda must give a number, not %s"):format(self.__name, core.describe(factors[i])))
    end
  end
  return factors
end

--- The first rates times a function of the epoch. `LambdaLR(optimizer, lr_lambda)`; a list has one for each group.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.LambdaLR(optimizer, function(epoch) return 0.5 ^ epoch end)
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.4
---     0.2
---@class LambdaLR: LRScheduler
local LambdaLR, parse_lambda = base.define("LambdaLR", {{"lr_lambda", "any"}})

function LambdaLR:init(...)
  local optimizer, functions, last_epoch = parse_lambda(...)
  keep_functions(self, optimizer, functions)
  LRScheduler.init(self, optimizer, last_epoch)
end

function LambdaLR:_rates_at(factors)
  local rates = {}
  for i, rate in ipairs(self:_first_rates()) do rates[i] = rate * factors[i] end
  return rates
end

LambdaLR._functions = {lr_lambdas = "list"}

function LambdaLR:get_lr()
  base.warn_of_get_lr(self)
  return self:_rates_at(factors_of(self, #self:_first_rates()))
end

decay.LambdaLR = LambdaLR

--- Each rate is the last one times a function of the epoch. `MultiplicativeLR(optimizer, lr_lambda)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.MultiplicativeLR(optimizer, function(epoch) return 0.5 end)
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.4
---     0.2
---@class MultiplicativeLR: LRScheduler
local MultiplicativeLR, parse_multiplicative = base.define("MultiplicativeLR", {{"lr_lambda", "any"}})

function MultiplicativeLR:init(...)
  local optimizer, functions, last_epoch = parse_multiplicative(...)
  keep_functions(self, optimizer, functions)
  LRScheduler.init(self, optimizer, last_epoch)
end

MultiplicativeLR._functions = {lr_lambdas = "list"}

function MultiplicativeLR:_rates_at(factors)
  local rates = {}
  for i, group in ipairs(self.optimizer.param_groups) do rates[i] = group.lr * factors[i] end
  return rates
end

function MultiplicativeLR:get_lr()
  base.warn_of_get_lr(self)
  local n = #self:_first_rates() -- there is a function for each of the first
  if self._is_initial then return self:scaled(1) end
  return self:_rates_at(factors_of(self, n))
end

decay.MultiplicativeLR = MultiplicativeLR

-- ------------------------------------------------------------------ steps

--- Times gamma every step_size epochs. `StepLR(optimizer, step_size, gamma = 0.1)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.8
---     0.4
---@class StepLR: LRScheduler
local StepLR, parse_step = base.define("StepLR", {{"step_size", "integer"}, {"gamma", "number", 0.1}})

function StepLR:init(...)
  local optimizer, step_size, gamma, last_epoch = parse_step(...)
  if step_size < 1 then core.raise(("%s: step_size must be from 1 on, not %d"):format(self.__name, step_size)) end
  self.step_size, self.gamma = step_size, gamma
  LRScheduler.init(self, optimizer, last_epoch)
end

function StepLR:get_lr()
  base.warn_of_get_lr(self)
  return self:scaled(self.last_epoch ~= 0 and self.last_epoch % self.step_size == 0 and self.gamma or 1)
end

function StepLR:_get_closed_form_lr()
  return self:scaled_base(self.gamma ^ (self.last_epoch // self.step_size))
end

decay.StepLR = StepLR

--- Times gamma at each of some epochs. `MultiStepLR(optimizer, milestones, gamma = 0.1)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.MultiStepLR(optimizer, {1, 2}, 0.5)
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.4
---     0.2
---@class MultiStepLR: LRScheduler
local MultiStepLR, parse_multi = base.define("MultiStepLR", {{"milestones", "list"}, {"gamma", "number", 0.1}})

function MultiStepLR:init(...)
  local optimizer, milestones, gamma, last_epoch = parse_multi(...)
  self.milestones, self.gamma = table.move(milestones, 1, #milestones, 1, {}), gamma
  LRScheduler.init(self, optimizer, last_epoch)
end

--- How many milestones fit.
local function count(milestones, fits)
  local n = 0
  for _, milestone in ipairs(milestones) do
    if fits(milestone) then n = n + 1 end
  end
  return n
end

function MultiStepLR:get_lr()
  base.warn_of_get_lr(self)
  return self:scaled(self.gamma ^ count(self.milestones, function(m) return m == self.last_epoch end))
end

function MultiStepLR:_get_closed_form_lr()
  return self:scaled_base(self.gamma ^ count(self.milestones, function(m) return m <= self.last_epoch end))
end

decay.MultiStepLR = MultiStepLR

-- ----------------------------------------------------------------- smooth

--- Times gamma every epoch. `ExponentialLR(optimizer, gamma)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.4
---     0.2
---@class ExponentialLR: LRScheduler
local ExponentialLR, parse_exponential = base.define("ExponentialLR", {{"gamma", "number"}})

function ExponentialLR:init(...)
  local optimizer, gamma, last_epoch = parse_exponential(...)
  self.gamma = gamma
  LRScheduler.init(self, optimizer, last_epoch)
end

function ExponentialLR:get_lr()
  base.warn_of_get_lr(self)
  return self:scaled(self._is_initial and 1 or self.gamma)
end

function ExponentialLR:_get_closed_form_lr()
  return self:scaled_base(self.gamma ^ self.last_epoch)
end

decay.ExponentialLR = ExponentialLR

local function check_factor(self, name, factor, least)
  if not (factor >= least and factor <= 1) or factor == 0 and least > 0 then
    core.raise(format("%s: %s must be a number from 0 to 1, not %s", self.__name, name, factor))
  end
end

--- Times a factor for some epochs. `ConstantLR(optimizer, factor = 1/3, total_iters = 5)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.ConstantLR(optimizer, {factor = 0.5, total_iters = 1})
---     > for epoch = 1, 2 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.4
---     0.8
---@class ConstantLR: LRScheduler
local ConstantLR, parse_constant = base.define("ConstantLR", {
  {"factor", "number", 1 / 3}, {"total_iters", "number", 5},
})

function ConstantLR:init(...)
  local optimizer, factor, total, last_epoch = parse_constant(...)
  check_factor(self, "factor", factor, 0)
  self.factor, self.total_iters = factor, total
  LRScheduler.init(self, optimizer, last_epoch)
end

function ConstantLR:get_lr()
  base.warn_of_get_lr(self)
  if self.last_epoch == 0 then return self:scaled(self.factor) end
  return self:scaled(self.last_epoch == self.total_iters and 1 / self.factor or 1)
end

function ConstantLR:_get_closed_form_lr()
  return self:scaled_base(self.last_epoch >= self.total_iters and 1 or self.factor)
end

decay.ConstantLR = ConstantLR

--- Times a factor that goes from one to another along a line.
--- `LinearLR(optimizer, start_factor = 1/3, end_factor = 1, total_iters = 5)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.LinearLR(optimizer, {start_factor = 0.5, total_iters = 2})
---     > for epoch = 1, 3 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.40
---     0.60
---     0.80
---@class LinearLR: LRScheduler
local LinearLR, parse_linear = base.define("LinearLR", {
  {"start_factor", "number", 1 / 3}, {"end_factor", "number", 1.0}, {"total_iters", "number", 5},
})

function LinearLR:init(...)
  local optimizer, first, last, total, last_epoch = parse_linear(...)
  check_factor(self, "start_factor", first, 1e-300)
  check_factor(self, "end_factor", last, 0)
  self.start_factor, self.end_factor, self.total_iters = first, last, total
  LRScheduler.init(self, optimizer, last_epoch)
end

function LinearLR:get_lr()
  base.warn_of_get_lr(self)
  if self.last_epoch == 0 then return self:scaled(self.start_factor) end
  if self._is_initial or self.last_epoch > self.total_iters then return self:scaled(1) end
  local rise = self.end_factor - self.start_factor
  return self:scaled(1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))
end

function LinearLR:_get_closed_form_lr()
  local share = math.min(self.total_iters, self.last_epoch) / self.total_iters
  return self:scaled_base(self.start_factor + (self.end_factor - self.start_factor) * share)
end

decay.LinearLR = LinearLR

--- Down to zero as a power of the epochs that are left. `PolynomialLR(optimizer, total_iters = 5, power = 1)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.PolynomialLR(optimizer, {total_iters = 2})
---     > for epoch = 1, 3 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.80
---     0.40
---     0.00
---@class PolynomialLR: LRScheduler
local PolynomialLR, parse_polynomial = base.define("PolynomialLR", {
  {"total_iters", "number", 5}, {"power", "number", 1.0},
})

function PolynomialLR:init(...)
  local optimizer, total, power, last_epoch = parse_polynomial(...)
  self.total_iters, self.power = total, power
  LRScheduler.init(self, optimizer, last_epoch)
end

function PolynomialLR:get_lr()
  base.warn_of_get_lr(self)
  local epoch, total = self.last_epoch, self.total_iters
  if self._is_initial or epoch > total then return self:scaled(1) end
  return self:scaled(((1 - epoch / total) / (1 - (epoch - 1) / total)) ^ self.power)
end

function PolynomialLR:_get_closed_form_lr()
  return self:scaled_base((1 - math.min(self.total_iters, self.last_epoch) / self.total_iters) ^ self.power)
end

decay.PolynomialLR = PolynomialLR

return decay
