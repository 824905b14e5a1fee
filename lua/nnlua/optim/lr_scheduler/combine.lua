-- Schedulers made of schedulers, and the one that looks at a metric.

local args = require "nnlua.args"
local base = require "nnlua.optim.lr_scheduler.base"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"

local format = core.format

local combine = {}

local LRScheduler, raise = base.LRScheduler, core.raise

--- One of a list of schedulers, checked.
local function checked(self, scheduler, i)
  if not class.is_a(scheduler, LRScheduler) then
    raise(("%s: schedulers[%d] must be a scheduler, not %s"):format(self.__name, i, core.describe(scheduler)))
  elseif class.is_a(scheduler, combine.ReduceLROnPlateau) then
    raise(("%s: schedulers[%d] is ReduceLROnPlateau, whose steps take a metric: step it apart"):format(
      self.__name, i))
  end
  return scheduler
end

local function check_schedulers(self, schedulers, optimizer)
  if #schedulers == 0 then raise(self.__name .. ": there are no schedulers") end
  for i, scheduler in ipairs(schedulers) do
    if checked(self, scheduler, i).optimizer ~= (optimizer or schedulers[1].optimizer) then
      raise(("%s: schedulers[%d] is of another optimizer"):format(self.__name, i))
    end
  end
  return table.move(schedulers, 1, #schedulers, 1, {})
end

--- One scheduler after another, changing at milestones.
--- `SequentialLR(optimizer, {first, second, third}, {5, 25})`. With last_epoch it goes on after that epoch.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > S = optim.lr_scheduler
---     > scheduler = S.SequentialLR(optimizer, {S.ConstantLR(optimizer, 0.5, 5), S.ExponentialLR(optimizer, 0.5)}, {1})
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.4
---     0.8
---     0.4
---@class SequentialLR: LRScheduler
local SequentialLR, parse_sequential = base.define("SequentialLR", {{"schedulers", "list"}, {"milestones", "list"}})

--- Takes a scheduler back to before its first step, which it took when it was made.
local function rewind(scheduler)
  for _, inner in ipairs(scheduler._schedulers or {}) do rewind(inner) end
  if scheduler.last_epoch then scheduler.last_epoch = -1 end
end

--- Sets the groups' rates to those that they began with.
local function first_rates(optimizer)
  for _, group in ipairs(optimizer.param_groups) do base.set_rate(group, group.initial_lr) end
end

--- The scheduler of an epoch, and whether it begins there.
local function at_epoch(self, epoch)
  local i, begins = 1, false
  for k, milestone in ipairs(self._milestones) do
    if milestone <= epoch then i, begins = k + 1, milestone == epoch end
  end
  return checked(self, self._schedulers[i], i), begins
end

local function begin(self)
  local scheduler = at_epoch(self, 0)
  scheduler:_initial_step()
  self.last_epoch, self._last_lr = 0, scheduler:get_last_lr()
end

function SequentialLR:init(...)
  local optimizer, schedulers, milestones, last_epoch = parse_sequential(...)
  base.check_optimizer(self.__name, optimizer)
  self._schedulers = check_schedulers(self, schedulers, optimizer)
  if #milestones ~= #schedulers - 1 then
    raise(("%s: %d schedulers need %d milestones between them, not %d"):format(
      self.__name, #schedulers, #schedulers - 1, #milestones))
  end
  self._milestones = table.move(milestones, 1, #milestones, 1, {})
  self.optimizer = optimizer
  self:_update_lr()
  optimizer._steps = math.max(optimizer._steps, last_epoch + 1) -- those that were taken before
  for _ = 0, last_epoch do self:step() end -- to where the schedule would be, had it not been interrupted
end

--- Counts a step: the scheduler that takes it, and whether it begins there.
function SequentialLR:_next()
  self.last_epoch = self.last_epoch + 1
  return at_epoch(self, self.last_epoch)
end

function SequentialLR:step()
  local scheduler, begins = self:_next()
  if begins then scheduler:_update_lr(0) else scheduler:step() end
  self._last_lr = scheduler:get_last_lr()
end

SequentialLR._initial_step = begin

--- Begins again, as where an outer sequence comes to it.
function SequentialLR:_update_lr()
  first_rates(self.optimizer)
  rewind(self)
  begin(self)
end

combine.SequentialLR = SequentialLR

--- Several schedulers that step together. `ChainedScheduler {first, second}`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > S = optim.lr_scheduler
---     > scheduler = S.ChainedScheduler {S.StepLR(optimizer, 2, 0.5), S.ExponentialLR(optimizer, 0.5)}
---     > for epoch = 1, 3 do print(optimizer.param_groups[1].lr) optimizer:step() scheduler:step() end
---     0.8
---     0.4
---     0.1
---@class ChainedScheduler: LRScheduler
local ChainedScheduler = class.new("optim.lr_scheduler.ChainedScheduler", LRScheduler)

local parse_chained = args.parser(ChainedScheduler.__name, {{"schedulers", "list"}, {"optimizer", "any?"}})

function ChainedScheduler:init(...)
  local schedulers, optimizer = parse_chained(...)
  self._schedulers = check_schedulers(self, schedulers, optimizer)
  self.optimizer = schedulers[1].optimizer
  self:_set_rates {}
end

--- The schedulers, checked: they may have been changed.
function ChainedScheduler:_next()
  return check_schedulers(self, self._schedulers)
end

function ChainedScheduler:step()
  for _, scheduler in ipairs(self:_next()) do scheduler:step() end
  self:_set_rates {}
end

function ChainedScheduler:_initial_step()
  for _, scheduler in ipairs(self:_next()) do scheduler:_initial_step() end
  self:_set_rates {}
end

--- Begins again, as where a sequence comes to it.
function ChainedScheduler:_update_lr()
  first_rates(self.optimizer)
  rewind(self)
  self:_initial_step()
end

combine.ChainedScheduler = ChainedScheduler

-- ---------------------------------------------------------------- plateau

--- Times a factor when a metric has stopped getting better: `scheduler:step(metric)`. `ReduceLROnPlateau(optimizer,
--- mode = "min", {factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = "rel" (or "abs"), cooldown = 0,
--- min_lr = 0, eps = 1e-8})`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, {factor = 0.5, patience = 0})
---     > scheduler:step(1.0) scheduler:step(1.0)
---     > optimizer.param_groups[1].lr
---     0.4
---@class ReduceLROnPlateau: LRScheduler
local Plateau = class.new("optim.lr_scheduler.ReduceLROnPlateau", LRScheduler)

local parse_plateau = args.parser(Plateau.__name, {
  {"optimizer", "any"}, {"mode", "string", "min"}, {"factor", "number", 0.1}, {"patience", "integer", 10},
  {"threshold", "number", 1e-4}, {"threshold_mode", "string", "rel"}, {"cooldown", "integer", 0}, {"min_lr", "any?"},
  {"eps", "number", 1e-8},
})

function Plateau:init(...)
  local optimizer, mode, factor, patience, threshold, kind, cooldown, least, eps = parse_plateau(...)
  base.check_optimizer(self.__name, optimizer)
  if factor >= 1 then
    raise(format("%s: factor must be below 1, not %s", self.__name, factor))
  elseif mode ~= "min" and mode ~= "max" then
    raise(("%s: mode is 'min' or 'max', not '%s'"):format(self.__name, mode))
  elseif kind ~= "rel" and kind ~= "abs" then
    raise(("%s: threshold_mode is 'rel' or 'abs', not '%s'"):format(self.__name, kind))
  end
  self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
  self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, kind, cooldown, eps
  self.default_min_lr = type(least or 0) == "number" and (least or 0) or nil
  self.min_lrs = base.numbers(self, optimizer, "min_lr", least or 0)
  self.last_epoch, self.mode_worse = 0, mode == "min" and math.huge or -math.huge
  self:_reset()
  self:_set_rates {}
end

--- Forgets the best metric, and how long it has been so.
function Plateau:_reset()
  self.best, self.cooldown_counter, self.num_bad_epochs = self.mode_worse, 0, 0
end

--- Whether a metric is better than another by the threshold.
function Plateau:_is_better(metric, best)
  local sign = self.mode == "min" and 1 or -1
  local bound = self.threshold_mode == "rel" and best * (1 - sign * self.threshold) or best - sign * self.threshold
  if sign == 1 then return metric < bound end
  return metric > bound
end

--- The bounds of all groups; later ones have that of all, if there is one.
local function least_rates(self)
  local n = #self.optimizer.param_groups
  if #self.min_lrs ~= n and not self.default_min_lr then
    raise(("%s: the optimizer has %d parameter groups, but min_lr is a list of %d: add to scheduler.min_lrs those of "
      .. "the groups that came later"):format(self.__name, n, #self.min_lrs))
  end
  for i = #self.min_lrs + 1, n do self.min_lrs[i] = self.default_min_lr end
  return self.min_lrs
end

local function reduced(self)
  local least, rates = least_rates(self), {}
  for i, group in ipairs(self.optimizer.param_groups) do
    local now = core.is_tensor(group.lr) and group.lr:item() or group.lr
    local rate = math.max(now * self.factor, least[i])
    rates[i] = now - rate > self.eps and rate or now
  end
  return rates
end

--- Looks at the metric of the next epoch, or of a given one: a number, or a tensor of one element.
function Plateau:step(metric, epoch)
  core.tell_deed "a scheduler's step"
  if core.is_tensor(metric) then metric = metric:item() end
  if type(metric) ~= "number" then
    raise(("%s: a step takes the metric, a number, not %s"):format(self.__name, core.describe(metric)))
  end
  if epoch then base.warn_of_epoch(self) end
  self.last_epoch = epoch or self.last_epoch + 1
  if self:_is_better(metric, self.best) then
    self.best, self.num_bad_epochs = metric, 0
  else
    self.num_bad_epochs = self.num_bad_epochs + 1
  end
  if self.cooldown_counter > 0 then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
  end
  local rates = {}
  if self.num_bad_epochs > self.patience then
    rates = reduced(self)
    self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
  end
  self:_set_rates(rates)
end

combine.ReduceLROnPlateau = Plateau

return combine
