-- What a Trainer checks: its options, the loaders that it is given, and the losses that it gets.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local checks = {}

local raise = core.raise

local function refuse(name, wanted, value)
  raise(("Trainer: %s must be %s, not %s"):format(name, wanted, core.describe(value)))
end

--- Whether a value is an object, and no class, with all of some methods.
local function has(value, ...)
  if type(value) ~= "table" or rawget(value, "__index") == value then return false end
  for _, method in ipairs {...} do
    if not args.is_callable(value[method]) then return false end
  end
  return true
end

local function check_metrics(metrics)
  for name, metric in pairs(metrics) do
    if type(name) ~= "string" then
      raise "Trainer: metrics must have names, as in {accuracy = nl.metrics.Accuracy()}"
    elseif not has(metric, "update", "compute", "reset") then
      refuse("metrics." .. name, "a metric, as nl.metrics.Accuracy()", metric)
    end
  end
end

local events = {on_fit_begin = true, on_epoch_begin = true, on_batch_end = true, on_epoch_end = true, on_fit_end = true}

--- Raises if a callback has a method for what never happens.
local function check_events(i, methods)
  for name in next, methods do
    if type(name) == "string" and name:find "^on_" and not events[name] then
      local nearest = require "nnlua.prompt.similar".nearest(name, events)
      raise(("Trainer: callbacks[%d] has %s, which is called by nobody; %sthere are on_fit_begin, on_epoch_begin, "
        .. "on_batch_end, on_epoch_end, on_fit_end"):format(i, name,
        nearest and ("did you mean %s? "):format(nearest) or ""))
    end
  end
end

local function check_callbacks(list)
  if type(list) ~= "table" or getmetatable(list) ~= nil or #list == 0 and next(list) ~= nil then
    refuse("callbacks", "a list, as {nl.callbacks.TerminateOnNaN()}", list)
  end
  for i, callback in ipairs(list) do
    if not has(callback) then refuse(("callbacks[%d]"):format(i), "a callback: a table with methods", callback) end
    check_events(i, callback)
    local meta = getmetatable(callback)
    if meta and type(meta.__index) == "table" then check_events(i, meta.__index) end
  end
end

--- Raises unless a trainer's options are what their names say.
function checks.options(t)
  if not class.is_a(t.optimizer, nl.optim.Optimizer) then
    refuse("optimizer", "one of nl.optim", t.optimizer)
  elseif not t.loss and not t.training_step then
    raise "Trainer: give loss, a function of output and target, or training_step, which returns a loss"
  elseif t.scheduler_interval ~= "epoch" and t.scheduler_interval ~= "step" then
    raise(("Trainer: scheduler_interval must be 'epoch' or 'step', not '%s'"):format(t.scheduler_interval))
  elseif (t.max_epochs or 0) < 0 or (t.max_steps or 0) < 0 then
    raise "Trainer: max_epochs and max_steps must be from 0 on; with max_steps alone epochs have no end"
  elseif t.gradient_clip_val and not (t.gradient_clip_val > 0) then
    raise(("Trainer: gradient_clip_val must be above 0, not %s"):format(core.format("%g", t.gradient_clip_val)))
  elseif t.accumulate_grad_batches < 1 or (t.checkpoint_every or 1) < 1 then
    raise "Trainer: accumulate_grad_batches and checkpoint_every must be from 1 on"
  elseif t.checkpoint_every and not t.folder then
    raise "Trainer: checkpoint_every needs a folder to save to"
  elseif t.mode and t.mode ~= "min" and t.mode ~= "max" then
    raise(("Trainer: mode must be 'min' or 'max', not '%s'"):format(t.mode))
  elseif t.scheduler ~= nil and not has(t.scheduler, "step") then
    refuse("scheduler", "one of nl.optim.lr_scheduler", t.scheduler)
  elseif t.scaler ~= nil and not has(t.scaler, "scale", "unscale_", "step", "update") then
    refuse("scaler", "one such as nl.amp.GradScaler()", t.scaler)
  end
  check_metrics(t.metrics or {})
  if t.callbacks ~= nil then check_callbacks(t.callbacks) end
end

--- Raises unless a value is what batches can be taken from.
function checks.loader(name, argument, loader)
  if has(loader, "iter") then return end
  raise(("%s: %s must be a DataLoader, or have its method iter, not %s"):format(name, argument, core.describe(loader)))
end

--- Raises unless the first batch of a loop is one; true.
function checks.first_batch(name, batch)
  if batch == nil then raise(name .. ": the loader gives no batches") end
  return true
end

--- Raises unless a value says what fit is to go on from.
function checks.resume(resume)
  if resume == nil or type(resume) == "boolean" or type(resume) == "string" then return end
  raise("fit: resume must be true, false or a path, not " .. core.describe(resume))
end

--- Raises unless a loss is a tensor of one element.
function checks.loss(loss, giver)
  if core.is_tensor(loss) and loss:numel() == 1 then return end
  raise(("Trainer: %s must give a tensor of one element, the loss, not %s"):format(giver,
    core.is_tensor(loss) and "one of shape " .. tostring(loss.shape) or core.describe(loss)))
end

return checks
