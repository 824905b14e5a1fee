-- What schedulers of learning rates share: counting epochs, setting rates, state dicts.
--
-- The formulas follow PyTorch's: get_lr goes from the last rate to the next one, so that schedulers can be combined;
-- _get_closed_form_lr, where there is one, gives the rate of any epoch. Epochs are quantities: the first one is 0.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local deepcopy = require "nnlua.nn.copy"
local nl = require "nnlua"
local Optimizer = require "nnlua.optim.optimizer".Optimizer

local base = {}

local raise = core.raise

--- What a scheduler changes the learning rates of. For its own `init` a class calls `Parent.init(self, optimizer,
--- last_epoch)` when its fields are set: that takes the first step.
---     > Halving = optim.lr_scheduler.class("Halving", optim.lr_scheduler.LRScheduler)
---     > function Halving:get_lr() return self:scaled(self.last_epoch > 0 and 0.5 or 1) end
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > schedule = Halving(optimizer)
---     > optimizer:step()
---     > schedule:step()
---     > schedule:get_last_lr()[1]
---     0.05
---@class LRScheduler
---@field last_epoch integer
---@field base_lrs number[]
local LRScheduler = class.new("optim.lr_scheduler.LRScheduler")
base.LRScheduler = LRScheduler

--- A new class of schedulers with a method get_lr, which gives a list of the groups' next rates:
---
---     > Halving = optim.lr_scheduler.class("Halving")
---     > function Halving:get_lr() return self:scaled(self.last_epoch > 0 and 0.5 or 1) end
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > schedule = Halving(optimizer)
---     > optimizer:step()
---     > schedule:step()
---     > schedule:get_last_lr()[1]
---     0.05
function base.class(name, parent)
  return class.new(name, parent or LRScheduler)
end

--- A class of nnlua's own, and the function that takes its arguments apart.
function base.define(name, spec)
  local full = "optim.lr_scheduler." .. name
  table.insert(spec, 1, {"optimizer", "any"})
  table.insert(spec, {"last_epoch", "integer", -1})
  return class.new(full, LRScheduler), args.parser(full, spec)
end

--- Checks that a value is an optimizer.
function base.check_optimizer(name, optimizer)
  if not class.is_a(optimizer, Optimizer) then
    raise(("%s: an optimizer was expected, not %s"):format(name, core.describe(optimizer)))
  end
end

--- A list with one value a group: the list that was given, or the value for each.
function base.per_group(self, optimizer, name, value)
  local n = #optimizer.param_groups
  if type(value) == "table" and getmetatable(value) == nil then
    if #value ~= n then
      raise(("%s: %s has %d values, but the optimizer has %d parameter groups"):format(self.__name, name, #value, n))
    end
    return table.move(value, 1, n, 1, {})
  end
  local list = {}
  for i = 1, n do list[i] = value end
  return list
end

--- The same of numbers only.
function base.numbers(self, optimizer, name, value)
  local list = base.per_group(self, optimizer, name, value)
  for _, number in ipairs(list) do
    if type(number) ~= "number" then
      raise(("%s: %s must be a number, or a list of one for each group, not %s"):format(
        self.__name, name, core.describe(number)))
    end
  end
  return list
end

--- Raises unless a value that a field of a scheduler has is a function.
function base.check_function(self, field, f)
  if not args.is_callable(f) then
    raise(("%s: its field %s must give a function, not %s"):format(self.__name, field, core.describe(f)))
  end
end

-- ------------------------------------------------------------------ rates

-- A group's rate may be a tensor, which then stays the same one, filled with each next rate.

--- A rate for a place of its own: a number, or a copy of a tensor.
local function own_rate(rate)
  return core.is_tensor(rate) and nl._keep(rate:detach():clone()) or rate
end

--- Sets a group's rate.
function base.set_rate(group, rate)
  if core.is_tensor(group.lr) then
    nl.no_grad(group.lr.fill_, group.lr, rate)
  else
    group.lr = core.is_tensor(rate) and rate:item() or rate
  end
end

-- ------------------------------------------------------------------ steps

function LRScheduler:init(optimizer, last_epoch)
  base.check_optimizer(self.__name, optimizer)
  if last_epoch ~= nil and not args.whole(last_epoch) then
    raise(("%s: last_epoch must be an integer, not %s"):format(self.__name, core.describe(last_epoch)))
  end
  self.optimizer, self.last_epoch, self.base_lrs = optimizer, args.whole(last_epoch or -1), {}
  for i, group in ipairs(optimizer.param_groups) do
    if self.last_epoch == -1 then
      group.initial_lr = group.initial_lr or own_rate(group.lr)
    elseif not group.initial_lr then
      raise(("%s: group %d has no initial_lr, which going on at last_epoch = %d needs"):format(
        self.__name, i, self.last_epoch))
    end
    self.base_lrs[i] = own_rate(group.initial_lr)
  end
  self:_initial_step()
end

--- The first step, which a scheduler takes when it is made: to epoch 0, or on from last_epoch.
function LRScheduler:_initial_step()
  self._step_count, self._is_initial = 0, true
  self:step()
  self._is_initial = false
end

--- The rates that the groups began with. Raises if there are groups that came later: what goes by these rates can't
--- tell theirs.
function LRScheduler:_first_rates()
  local n = #self.optimizer.param_groups
  if n ~= #self.base_lrs then
    raise(("%s: the optimizer has %d parameter groups, but had %d when the scheduler was made, so that it knows no "
      .. "first rate of the others: make a new scheduler after add_param_group"):format(
      self.__name, n, #self.base_lrs))
  end
  return self.base_lrs
end

--- Sets the groups' rates, and notes them.
function LRScheduler:_set_rates(rates)
  core.tell_deed "a scheduler's step"
  local noted = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    if rates[i] then base.set_rate(group, rates[i]) end
    noted[i] = own_rate(group.lr)
  end
  self._last_lr = noted
end

local function warn_of_order(self)
  if self._step_count == 1 and self.optimizer._steps == 0 then
    warn("nnlua: a scheduler's step() before the optimizer's first step(): the first learning rate is never used")
  end
end

--- Warns of a step to an epoch, which may skip what other schedulers do.
function base.warn_of_epoch(self)
  warn("nnlua: ", self.__name, ": step(epoch) is deprecated: it sets the rates by a formula of the epoch, where there "
    .. "is one, whatever they are; step() goes on from them")
end

--- Warns where get_lr is called by others than a step: it computes the next rates.
function base.warn_of_get_lr(self)
  if not self._get_lr_called_within_step then
    warn("nnlua: ", self.__name, ": get_lr() computes the next rates; get_last_lr() tells those of the last step")
  end
end

--- Counts a step.
function LRScheduler:_count_step()
  warn_of_order(self)
  self._step_count = self._step_count + 1
end

--- The rates that a method gives, within a step.
function LRScheduler:_rates_of(method)
  self._get_lr_called_within_step = true
  local rates = method(self)
  self._get_lr_called_within_step = false
  return rates
end

--- The next epoch, or a given one, is the last one.
function LRScheduler:_go_on(epoch)
  self.last_epoch = epoch or self.last_epoch + 1
end

--- Goes on to the next epoch, or to a given one: sets its rates, and counts no step.
function LRScheduler:_update_lr(epoch)
  self:_go_on(epoch)
  self:_set_rates(self:_rates_of(epoch and self._get_closed_form_lr or self.get_lr))
end

--- Goes on to the next epoch, or to a given one.
---@param epoch? number
function LRScheduler:step(epoch)
  if epoch ~= nil and type(epoch) ~= "number" then
    raise(("%s: step takes an epoch, a number, or nothing, not %s"):format(self.__name, core.describe(epoch)))
  end
  self:_count_step()
  if epoch then base.warn_of_epoch(self) end
  self:_update_lr(epoch)
end

--- The groups' rates as the last step set them.
function LRScheduler:get_last_lr()
  return self._last_lr
end

function LRScheduler:get_lr()
  raise(("%s has no method get_lr, which a step asks for the groups' rates"):format(self.__name))
end

local function check_factor(self, factor)
  if type(factor) ~= "number" then
    raise(("%s: a factor must be a number, not %s"):format(self.__name, core.describe(factor)))
  end
end

--- The groups' rates times a factor.
function LRScheduler:scaled(factor)
  check_factor(self, factor)
  local rates = {}
  for i, group in ipairs(self.optimizer.param_groups) do rates[i] = group.lr * factor end
  return rates
end

--- The rates that the groups began with, times a factor.
---     > scheduler = optim.lr_scheduler.LambdaLR(optim.SGD({nl.ones(1)}, {lr = 0.5}), function() return 2 end)
---     > scheduler:get_last_lr()[1], scheduler:scaled_base(0.5)[1]
---     1.0	0.25
function LRScheduler:scaled_base(factor)
  check_factor(self, factor)
  local rates = {}
  for i, rate in ipairs(self:_first_rates()) do rates[i] = rate * factor end
  return rates
end

-- ------------------------------------------------------------ state dicts

--- What a state dict has of a function: the fields of an object that can be called, nl.none of others.
local function function_state(f)
  if type(f) ~= "table" then return nl.none end
  local fields = {}
  for key, value in next, f do
    if type(value) ~= "function" then fields[key] = deepcopy(value) end
  end
  return fields
end

--- The fields of a scheduler that hold functions, or lists of them, by their names; for subclasses.
LRScheduler._functions = {}

--- What the scheduler keeps but the optimizer, for load_state_dict of one that is made alike. Of functions only those
--- that are objects have a state: their fields.
---     > scheduler = optim.lr_scheduler.StepLR(optim.SGD({nl.ones(1)}, {lr = 0.1}), 2)
---     > scheduler:state_dict().last_epoch
---     0
function LRScheduler:state_dict()
  local dict = {}
  for key, value in pairs(self) do
    if self._functions[key] == "list" then
      dict[key] = {}
      for i, f in ipairs(value) do dict[key][i] = function_state(f) end
    elseif self._functions[key] then
      dict[key] = function_state(value)
    elseif key ~= "optimizer" and key ~= "_schedulers" and type(value) ~= "function" then
      dict[key] = deepcopy(value)
    end
  end
  if self._schedulers then
    dict._schedulers = {}
    for i, scheduler in ipairs(self._schedulers) do dict._schedulers[i] = scheduler:state_dict() end
  end
  return dict
end

local function load_function(f, state)
  if type(f) ~= "table" or type(state) ~= "table" then return end
  for key, value in next, state do f[key] = deepcopy(value) end
end

--- Raises unless a value of a state is like the scheduler's own: of the same type, and so are the entries of lists, of
--- which there are as many; milestones may be others.
local function check_like(self, key, own, value)
  local fits = own == nil or type(own) == type(value)
  if fits and type(own) == "table" then
    fits = key == "milestones" or #own == #value
    for k, item in pairs(value) do
      fits = fits and (own[k] == nil or type(own[k]) == type(item))
    end
  end
  if not fits then
    raise(("%s: load_state_dict: the state's %s is %s, which doesn't fit this scheduler"):format(
      self.__name, tostring(key), core.describe(value)))
  end
end

--- Takes over what state_dict gave.
---     > scheduler = optim.lr_scheduler.StepLR(optim.SGD({nl.ones(1)}, {lr = 0.1}), 2)
---     > scheduler:load_state_dict {last_epoch = 3}
---     > scheduler.last_epoch
---     3
function LRScheduler:load_state_dict(dict)
  if type(dict) ~= "table" then
    raise(("%s: load_state_dict takes what state_dict gave, not %s"):format(self.__name, core.describe(dict)))
  end
  for key, value in pairs(dict) do
    if not self._functions[key] then check_like(self, key, self[key], value) end
  end
  for key, value in pairs(dict) do
    if self._functions[key] == "list" then
      for i, f in ipairs(self[key]) do load_function(f, type(value) == "table" and value[i]) end
    elseif self._functions[key] then
      load_function(self[key], value)
    elseif key ~= "_schedulers" then
      self[key] = deepcopy(value)
    end
  end
  for i, inner in ipairs(self._schedulers and dict._schedulers or {}) do self._schedulers[i]:load_state_dict(inner) end
end

return base
