-- Looks for a learning rate, as L. N. Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3:
-- a short training whose rate grows from step to step tells from where on the loss falls, and where it goes up again.

local args = require "nnlua.args"
local batches = require "nnlua.trainer.batches"
local checks = require "nnlua.trainer.checks"
local core = require "nnlua.nn.core"
local kept_modes = require "nnlua.nn.kept_modes"
local kept_state = require "nnlua.trainer.kept_state"
local nl = require "nnlua"

local raise = core.raise

local SMOOTHING <const> = 0.98 -- how much of the average of losses is kept from step to step
local TOO_HIGH <const> = 4 -- times the least smoothed loss: there it ends
local ROUNDING <const> = 1e-7 -- of a loss in float32: what falls by less doesn't fall
local FIRST <const> = 10 -- the step from which on the average is of enough to be the least

local parse = args.parser("lr_find", {
  {"loader", "table"}, {"min_lr", "number", 1e-6}, {"max_lr", "number", 1}, {"steps", "integer", 100},
})

--- Raises if a module gets its parameters at its first call: that couldn't be put back.
local function check_not_lazy(model)
  for name, module in model:named_modules() do
    if core.class_of(module)._becomes then
      raise(("lr_find: %s has no parameters before its first call, which couldn't be put back: call the model with a "
        .. "batch first"):format(name == "" and "the model" or "the model's " .. name))
    end
  end
end

--- Calls a function of batches, in loops over a loader, until it gives true.
local function each_batch(loader, f)
  local is_done
  repeat
    local next_batch, closing = batches("lr_find", loader)
    local _ <close> = closing
    for batch in next_batch do
      is_done = f(batch)
      if is_done then break end
    end
  until is_done
end

--- Whether a loss has gone up too far above the least. Where that is below zero, its size, or how far it has fallen,
--- stands for it.
local function is_too_high(loss, least, first)
  local size = least > 0 and least or math.max(-least, first - least)
  return loss > least + (TOO_HIGH - 1) * size
end

--- Trains while the rate of the first group grows; the others keep their share of it. Gives rates, losses, smoothed
--- losses.
local function try_rates(trainer, loader, rates)
  local groups, shares = trainer.optimizer.param_groups, {}
  for i, group in ipairs(groups) do shares[i] = groups[1].lr > 0 and group.lr / groups[1].lr or 1 end
  local tried, losses, smoothed, average, least = {}, {}, {}, 0, math.huge
  if not trainer.model.training then trainer.model:train() end -- as fit: layers may be frozen by eval()
  each_batch(loader, function(batch)
    local i = #losses + 1
    for k, group in ipairs(groups) do group.lr = rates[i] * shares[k] end
    local loss = trainer:_count(batch, nl.metrics.Mean(), {})
    local value = loss:item()
    if value ~= value or math.abs(value) == math.huge then return true end
    (trainer.scaler and trainer.scaler:scale(loss) or loss):backward()
    trainer:_optimize()
    average = SMOOTHING * average + (1 - SMOOTHING) * value
    tried[i], losses[i], smoothed[i] = rates[i], value, average / (1 - SMOOTHING ^ i)
    if i >= FIRST then least = math.min(least, smoothed[i]) end
    return i == #rates or is_too_high(smoothed[i], least, smoothed[1])
  end)
  return tried, losses, smoothed
end

--- The rate in the middle of the way down: of the longest list of steps whose smoothed losses fall, where it is half
--- through, as fastai's valley; nil if the loss never falls.
local function valley(rates, smoothed)
  local lengths, deepest = {}, 1 -- of the longest such list that ends with a step
  local fallen = {} -- what is less than a step's loss
  for i = 1, #smoothed do
    lengths[i], fallen[i] = 1, smoothed[i] - ROUNDING * math.abs(smoothed[i])
    for j = 1, i - 1 do
      if smoothed[i] < fallen[j] then lengths[i] = math.max(lengths[i], lengths[j] + 1) end
    end
    if lengths[i] > lengths[deepest] then deepest = i end
  end
  return lengths[deepest] > 1 and rates[deepest - lengths[deepest] // 2] or nil
end

--- The limits of a plot: the way down, and as much above it; where it goes up in the end it leaves the plot.
local function limits_of(smoothed)
  local least, highest = 1, smoothed[1]
  for i, value in ipairs(smoothed) do
    if value < smoothed[least] then least = i end
  end
  for i = 1, least do highest = math.max(highest, smoothed[i]) end
  local margin = 0.2 * (highest - smoothed[least])
  return highest > smoothed[least] and {smoothed[least] - margin, highest + margin} or nil
end

local function figure_of(rates, losses, smoothed, suggestion)
  local figure = nl.plot.line(rates, losses, {xscale = "log", label = "loss", alpha = 0.4, xlabel = "learning rate",
    ylim = limits_of(smoothed)})
  figure:line(rates, smoothed, {label = "smoothed"})
  for i, rate in ipairs(rates) do
    if rate == suggestion then figure:scatter({rate}, {smoothed[i]}, {label = core.format("lr %.2g", rate), s = 60}) end
  end
  return figure
end

return function(trainer, ...)
  local loader, min_lr, max_lr, steps = parse(...)
  checks.loader("lr_find", "loader", loader)
  if not (min_lr > 0 and min_lr < max_lr and max_lr < math.huge) then
    raise "lr_find: min_lr must be above 0, and max_lr above that"
  elseif steps < 2 then
    raise "lr_find: steps must be from 2 on"
  end
  check_not_lazy(trainer.model)
  local rates = {}
  for i = 1, steps do rates[i] = min_lr * (max_lr / min_lr) ^ ((i - 1) / (steps - 1)) end
  local _ <close> = kept_modes(trainer.model)
  local _ <close> = kept_state(trainer, loader)
  local tried, losses, smoothed = try_rates(trainer, loader, rates)
  if #losses < 2 then raise "lr_find: the loss is no number from the start: is min_lr too high?" end
  local suggestion = valley(tried, smoothed)
  return {lr = tried, loss = losses, smoothed = smoothed, suggestion = suggestion,
    figure = figure_of(tried, losses, smoothed, suggestion)}
end
