-- Schedulers along waves: cosines, triangles, one cycle.

local args = require "nnlua.args"
local base = require "nnlua.optim.lr_scheduler.base"
local core = require "nnlua.nn.core"

local format = core.format

local cycle = {}

local LRScheduler, raise = base.LRScheduler, core.raise
local cos, pi = math.cos, math.pi

-- ---------------------------------------------------------------- cosines

--- Down to eta_min along half a cosine (Loshchilov and Hutter, 2016).
--- `CosineAnnealingLR(optimizer, T_max, eta_min = 0)`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 2)
---     > for epoch = 1, 3 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.80
---     0.40
---     0.00
---@class CosineAnnealingLR: LRScheduler
local CosineAnnealingLR, parse_cosine = base.define("CosineAnnealingLR", {
  {"T_max", "number"}, {"eta_min", "number", 0.0},
})

function CosineAnnealingLR:init(...)
  local optimizer, most, least, last_epoch = parse_cosine(...)
  if not (most > 0) then raise(format("%s: T_max must be above 0, not %s", self.__name, most)) end
  self.T_max, self.eta_min = most, least
  LRScheduler.init(self, optimizer, last_epoch)
end

--- Each group's rate as a function of its rate now and, with_first, of its first one.
local function each_rate(self, f, with_first)
  local first, rates = with_first and self:_first_rates() or {}, {}
  for i, group in ipairs(self.optimizer.param_groups) do rates[i] = f(group.lr, first[i]) end
  return rates
end

function CosineAnnealingLR:get_lr()
  base.warn_of_get_lr(self)
  local epoch, most, least = self.last_epoch, self.T_max, self.eta_min
  if self._is_initial then
    return self:scaled(1)
  elseif self._step_count == 1 and epoch > 0 then
    return self:_get_closed_form_lr()
  elseif (epoch - 1 - most) % (2 * most) == 0 then
    return each_rate(self, function(rate, first) return rate + (first - least) * (1 - cos(pi / most)) / 2 end, true)
  end
  return each_rate(self, function(rate)
    return (1 + cos(pi * epoch / most)) / (1 + cos(pi * (epoch - 1) / most)) * (rate - least) + least
  end)
end

function CosineAnnealingLR:_get_closed_form_lr()
  local least = self.eta_min
  return each_rate(self, function(_, first)
    return least + (first - least) * (1 + cos(pi * self.last_epoch / self.T_max)) / 2
  end, true)
end

cycle.CosineAnnealingLR = CosineAnnealingLR

--- The same again and again, each time T_mult as long.
--- `CosineAnnealingWarmRestarts(optimizer, T_0, T_mult = 1, eta_min = 0)`; step takes fractions of epochs too.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2)
---     > for epoch = 1, 3 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.80
---     0.40
---     0.80
---@class CosineAnnealingWarmRestarts: LRScheduler
local WarmRestarts, parse_restarts = base.define("CosineAnnealingWarmRestarts", {
  {"T_0", "integer"}, {"T_mult", "integer", 1}, {"eta_min", "number", 0.0},
})

function WarmRestarts:init(...)
  local optimizer, first, factor, least, last_epoch = parse_restarts(...)
  if first < 1 or factor < 1 then
    raise(("%s: T_0 and T_mult must be from 1 on, not %d and %d"):format(self.__name, first, factor))
  end
  self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = first, first, factor, least, last_epoch
  LRScheduler.init(self, optimizer, last_epoch)
end

function WarmRestarts:get_lr()
  base.warn_of_get_lr(self)
  local least = self.eta_min
  return each_rate(self, function(_, first)
    return least + (first - least) * (1 + cos(pi * self.T_cur / self.T_i)) / 2
  end, true)
end

--- Where in which cycle an epoch is.
local function locate(self, epoch)
  if epoch < self.T_0 then
    self.T_i, self.T_cur = self.T_0, epoch
  elseif self.T_mult == 1 then
    self.T_cur = epoch % self.T_0
  else
    local n = math.floor(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
    self.T_cur = epoch - self.T_0 * (self.T_mult ^ n - 1) / (self.T_mult - 1)
    self.T_i = self.T_0 * self.T_mult ^ n
  end
end

function WarmRestarts:step(epoch)
  if epoch ~= nil and type(epoch) ~= "number" then
    raise(("%s: step takes an epoch, a number, or nothing, not %s"):format(self.__name, core.describe(epoch)))
  end
  if epoch == nil and self.last_epoch < 0 then epoch = 0 end
  if epoch == nil then
    epoch = self.last_epoch + 1
    self.T_cur = self.T_cur + 1
    if self.T_cur >= self.T_i then
      self.T_cur, self.T_i = self.T_cur % self.T_i, self.T_i * self.T_mult
    end
  elseif epoch < 0 then
    raise(format("%s: an epoch must be from 0 on, not %s", self.__name, epoch))
  else
    locate(self, epoch)
  end
  self.last_epoch = math.floor(epoch)
  self:_set_rates(self:_rates_of(self.get_lr))
end

cycle.CosineAnnealingWarmRestarts = WarmRestarts

-- --------------------------------------------------------------- momentum

--- Sets a group's momentum, or its first beta.
local function set_momentum(group, value)
  if group.betas then
    group.betas = {value, table.unpack(group.betas, 2)}
  else
    group.momentum = value
  end
end

local function check_momentum(self, optimizer)
  if optimizer.defaults.momentum == nil and optimizer.defaults.betas == nil then
    raise(("%s: %s has no momentum to cycle: give cycle_momentum = false"):format(self.__name, optimizer.__name))
  end
end

-- -------------------------------------------------------------- triangles

-- How high the peaks are, of the number of the cycle (from 1) or of the epoch.
local scales = {
  triangular = function() return 1 end,
  triangular2 = function(_, x) return 1 / 2 ^ (x - 1) end,
  exp_range = function(self, x) return self.gamma ^ x end,
}

--- Up and down between two rates (Smith, 2015), the momentum the other way. `CyclicLR(optimizer, base_lr, max_lr,
--- {step_size_up = 2000, step_size_down = step_size_up, mode = "triangular" (or "triangular2", "exp_range"), gamma = 1,
--- scale_fn = nil, scale_mode = "cycle" (or "iterations"), cycle_momentum = true, base_momentum = 0.8,
--- max_momentum = 0.9})`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.1, momentum = 0.9})
---     > scheduler = optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, {step_size_up = 2})
---     > for batch = 1, 3 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.10
---     0.30
---     0.50
---@class CyclicLR: LRScheduler
local CyclicLR, parse_cyclic = base.define("CyclicLR", {
  {"base_lr", "any"}, {"max_lr", "any"}, {"step_size_up", "number", 2000}, {"step_size_down", "number?"},
  {"mode", "string", "triangular"}, {"gamma", "number", 1.0}, {"scale_fn", "any?"}, {"scale_mode", "string", "cycle"},
  {"cycle_momentum", "boolean", true}, {"base_momentum", "any?"}, {"max_momentum", "any?"},
})

function CyclicLR:init(...)
  local optimizer, low, high, up, down, mode, gamma, scale, scale_mode, momentum, low_m, high_m, last_epoch =
    parse_cyclic(...)
  base.check_optimizer(self.__name, optimizer)
  if not scale and not scales[mode] then
    raise(("%s: mode is 'triangular', 'triangular2' or 'exp_range', not '%s'"):format(self.__name, mode))
  end
  self.total_size = up + (down or up)
  self.step_ratio = up / self.total_size
  self.mode, self.gamma, self.cycle_momentum = mode, gamma, momentum
  if scale and not args.is_callable(scale) then
    raise(("%s: scale_fn must be a function, not %s"):format(self.__name, core.describe(scale)))
  end
  self._scale_fn_custom = scale
  self.scale_mode = scale and scale_mode or mode == "exp_range" and "iterations" or "cycle"
  local lows = base.numbers(self, optimizer, "base_lr", low)
  self.max_lrs = base.numbers(self, optimizer, "max_lr", high)
  if momentum then
    check_momentum(self, optimizer)
    self.base_momentums = base.numbers(self, optimizer, "base_momentum", low_m or 0.8)
    self.max_momentums = base.numbers(self, optimizer, "max_momentum", high_m or 0.9)
  end
  if last_epoch == -1 then
    for i, group in ipairs(optimizer.param_groups) do base.set_rate(group, lows[i]) end
  end
  LRScheduler.init(self, optimizer, last_epoch)
  self.base_lrs = lows
end

CyclicLR._functions = {_scale_fn_custom = "one"}

--- How high the peaks are by the mode, of the number of the cycle or of the epoch.
function CyclicLR:_mode_scale(x)
  local scale = scales[self.mode]
  base.check_function(self, "mode", scale)
  return scale(self, x)
end

--- The same by the function that was given, or else the mode's.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.1, momentum = 0.9})
---     > optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, {mode = "triangular2"}):scale_fn(3) -- in the third cycle
---     0.25
function CyclicLR:scale_fn(x)
  local custom = self._scale_fn_custom
  if custom == nil then return self:_mode_scale(x) end
  base.check_function(self, "_scale_fn_custom", custom)
  local scale = custom(x)
  if type(scale) ~= "number" then
    raise(("%s: scale_fn must give a number, not %s"):format(self.__name, core.describe(scale)))
  end
  return scale
end

--- How high the wave is where the epoch is, and what its scale is a function of.
function CyclicLR:_place()
  local number = math.floor(1 + self.last_epoch / self.total_size)
  local x = 1 + self.last_epoch / self.total_size - number
  local height = x <= self.step_ratio and x / self.step_ratio or (x - 1) / (self.step_ratio - 1)
  return height, self.scale_mode == "cycle" and number or self.last_epoch
end

--- The rates at a height; sets the momenta too.
function CyclicLR:_rates_at(height)
  local first, rates = self:_first_rates(), {}
  for i, group in ipairs(self.optimizer.param_groups) do
    rates[i] = first[i] + (self.max_lrs[i] - first[i]) * height
    if self.cycle_momentum then
      set_momentum(group, self.max_momentums[i] - (self.max_momentums[i] - self.base_momentums[i]) * height)
    end
  end
  return rates
end

function CyclicLR:get_lr()
  base.warn_of_get_lr(self)
  local height, x = self:_place()
  return self:_rates_at(height * self:scale_fn(x))
end

cycle.CyclicLR = CyclicLR

-- -------------------------------------------------------------- one cycle

local anneal = {
  cos = function(from, to, share) return to + (from - to) / 2 * (cos(pi * share) + 1) end,
  linear = function(from, to, share) return (to - from) * share + from end,
}

--- Up to max_lr and down again over the whole training, a step a batch (Smith and Topin, 2017), the momentum the other
--- way. `OneCycleLR(optimizer, max_lr, {total_steps = …, or epochs = …, steps_per_epoch = …, pct_start = 0.3,
--- anneal_strategy = "cos" (or "linear"), cycle_momentum = true, base_momentum = 0.85, max_momentum = 0.95,
--- div_factor = 25, final_div_factor = 1e4, three_phase = false})`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.1, momentum = 0.9})
---     > scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 1, {total_steps = 10})
---     > ("%.2f"):format(optimizer.param_groups[1].lr)
---     0.04
---@class OneCycleLR: LRScheduler
local OneCycleLR, parse_one = base.define("OneCycleLR", {
  {"max_lr", "any"}, {"total_steps", "integer?"}, {"epochs", "integer?"}, {"steps_per_epoch", "integer?"},
  {"pct_start", "number", 0.3}, {"anneal_strategy", "string", "cos"}, {"cycle_momentum", "boolean", true},
  {"base_momentum", "any?"}, {"max_momentum", "any?"}, {"div_factor", "number", 25.0},
  {"final_div_factor", "number", 1e4}, {"three_phase", "boolean", false},
})

local function total_of(self, total, epochs, steps)
  if not total and epochs and steps then total = epochs * steps end
  if not total then raise(self.__name .. ": give total_steps, or epochs and steps_per_epoch") end
  if total < 1 then raise(("%s: the steps must be from 1 on, not %d"):format(self.__name, total)) end
  return total
end

--- A phase: the step where it ends, and the names of a group's values that it goes between.
local function phase(last, lr, lr_end, momentum, momentum_end)
  return {end_step = last, start_lr = lr, end_lr = lr_end, start_momentum = momentum, end_momentum = momentum_end}
end

local function phases(total, share, three)
  local up = phase(share * total - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
  if not three then
    return {up, phase(total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")}
  end
  return {
    up,
    phase(2 * share * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
    phase(total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
  }
end

function OneCycleLR:init(...)
  local optimizer, high, total, epochs, steps, share, strategy, momentum, low_m, high_m, divide, divide_end, three,
    last_epoch = parse_one(...)
  base.check_optimizer(self.__name, optimizer)
  if not anneal[strategy] then
    raise(("%s: anneal_strategy is 'cos' or 'linear', not '%s'"):format(self.__name, strategy))
  elseif share < 0 or share > 1 then
    raise(format("%s: pct_start must be a number from 0 to 1, not %s", self.__name, share))
  end
  self.total_steps = total_of(self, total, epochs, steps)
  if share * self.total_steps == 1 or self.total_steps == 1 and share < 1 then
    raise(format("%s: a phase of no steps: pct_start = %s of %d steps is a single one",
      self.__name, share, self.total_steps))
  end
  self._schedule_phases, self._anneal_func_type = phases(self.total_steps, share, three), strategy
  self.cycle_momentum = momentum
  if momentum then check_momentum(self, optimizer) end
  local rates = base.numbers(self, optimizer, "max_lr", high)
  local lows = base.numbers(self, optimizer, "base_momentum", low_m or 0.85)
  local highs = base.numbers(self, optimizer, "max_momentum", high_m or 0.95)
  for i, group in ipairs(last_epoch == -1 and optimizer.param_groups or {}) do
    group.initial_lr, group.max_lr = rates[i] / divide, rates[i]
    group.min_lr = group.initial_lr / divide_end
    if momentum then
      set_momentum(group, highs[i])
      group.max_momentum, group.base_momentum = highs[i], lows[i]
    end
  end
  LRScheduler.init(self, optimizer, last_epoch)
end

--- The phase of a step, and how far in it the step is.
local function place_in(all, step)
  local start = 0
  for i, p in ipairs(all) do
    if step <= p.end_step or i == #all then return p, (step - start) / (p.end_step - start) end
    start = p.end_step
  end
end

function OneCycleLR:get_lr()
  base.warn_of_get_lr(self)
  local step, f = self.last_epoch, anneal[self._anneal_func_type]
  if step > self.total_steps then
    raise(("%s: step %s is beyond the %d steps in all"):format(self.__name, step + 1, self.total_steps))
  end
  self:_first_rates() -- the bounds stand in each group that was there
  local p, share = place_in(self._schedule_phases, step)
  local rates = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    rates[i] = f(group[p.start_lr], group[p.end_lr], share)
    if self.cycle_momentum then set_momentum(group, f(group[p.start_momentum], group[p.end_momentum], share)) end
  end
  return rates
end

cycle.OneCycleLR = OneCycleLR

return cycle
