-- nl.Trainer: the loop around a model, over public parts: loaders, optimizers, metrics, checkpoints, callbacks.

local args = require "nnlua.args"
local batches = require "nnlua.trainer.batches"
local callbacks = require "nnlua.callbacks"
local checks = require "nnlua.trainer.checks"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local kept_modes = require "nnlua.nn.kept_modes"
local monitored = require "nnlua.callbacks.monitored"
local nl = require "nnlua"
local saving = require "nnlua.trainer.saving"

local raise = core.raise

--- Trains a model: epochs, validation, metrics, checkpoints, early stopping, logs.
--- `Trainer(model, {optimizer = …, loss = nn.CrossEntropyLoss(), max_epochs = 10, …})`, then
--- `trainer:fit(loader, val_loader, {resume = true})`. A batch's last value is the target, the others go to the model;
--- `training_step(model, ...)`, an option or a method of the model, gets all and returns loss, output, target instead.
---
--- How long: max_epochs (1), max_steps, early_stopping (epochs without a better value, or options of
--- nl.callbacks.EarlyStopping). How: scheduler, scheduler_interval ("epoch" or "step"), accumulate_grad_batches,
--- gradient_clip_val (a norm), autocast (true or a dtype), scaler (of nl.amp). What is told: metrics (by name; those of
--- the validation begin with val_), callbacks, progress (false: nothing is printed).
---
--- With a folder: last.ckpt after each epoch, every checkpoint_every steps and on Ctrl-C; best.ckpt, by monitor
--- ("val_loss", or "loss" without validation) and mode ("min", "max"); log.csv; events for TensorBoard
--- (tensorboard = false: none). extra is a table of what else is saved with the run and put back, as generators.
---     > x = nl.randn(64, 2)
---     > loader = nl.utils.data.DataLoader(nl.utils.data.TensorDataset(x, x:sum(2, true)), {batch_size = 8})
---     > net = nn.Linear(2, 1)
---     > trainer = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.1}), loss = nn.MSELoss(),
---     >>   max_epochs = 20, progress = false})
---     > history = trainer:fit(loader)
---     > #history, history[20].loss < 1e-3
---     20	true
---@class Trainer
---@field history table[]
local Trainer = class.new "Trainer"

saving(Trainer)

local options = {
  {"model", "module"}, {"optimizer", "any"}, {"loss", "function?"}, {"metrics", "table?"}, {"max_epochs", "integer?"},
  {"max_steps", "integer?"}, {"scheduler", "any?"}, {"scheduler_interval", "string", "epoch"},
  {"accumulate_grad_batches", "integer", 1}, {"gradient_clip_val", "number?"}, {"autocast", "any?"},
  {"scaler", "any?"}, {"early_stopping", "any?"}, {"monitor", "string?"}, {"mode", "string?"}, {"folder", "string?"},
  {"checkpoint_every", "integer?"}, {"tensorboard", "boolean", true}, {"callbacks", "any?"},
  {"progress", "boolean", true}, {"training_step", "function?"}, {"extra", "any?"},
}
local parse = args.parser("Trainer", options)

function Trainer:init(...)
  for i, value in pairs {parse(...)} do self[options[i][1]] = value end
  self.training_step = self.training_step or self.model.training_step
  checks.options(self)
  self._given = {monitor = self.monitor, mode = self.mode}
  self.max_epochs = self.max_epochs or self.max_steps and math.maxinteger or 1
  if self.folder then nl.utils.make_folder(self.folder) end
  self.metrics = self.metrics or {}
  self.val_metrics = nl.nn.deepcopy(self.metrics)
  self.mean_loss, self.val_loss = nl.metrics.Mean(), nl.metrics.Mean()
  self.callbacks = callbacks._of(self)
  self:_start()
end

function Trainer:_start()
  self.epoch, self.step, self.batch, self.in_epoch = 0, 0, 0, false
  self.history, self.best, self.should_stop, self.first_rates = {}, nil, false, nil
end

function Trainer:_call(event, ...)
  for _, callback in ipairs(self.callbacks) do
    if callback[event] then callback[event](callback, self, ...) end
  end
end

--- Loss, output and target of a batch.
function Trainer:_forward(batch)
  if self.training_step then return self.training_step(self.model, table.unpack(batch, 1, batch.n)) end
  if batch.n < 2 then raise "fit: a batch has one value: give training_step, which knows what to do with it" end
  self._example = self._example or batch -- report shows the model's layers on it
  local output = self.model(table.unpack(batch, 1, batch.n - 1))
  return self.loss(output, batch[batch.n]), output, batch[batch.n]
end

--- The loss of a batch, which is counted, as are the metrics.
function Trainer:_count(batch, mean_loss, metrics)
  local dtype = self.autocast == true and nl.bfloat16 or self.autocast
  local _ <close> = dtype and nl.autocast("cpu", {dtype = dtype}) or nil
  local loss, output, target = self:_forward(batch)
  checks.loss(loss, self.training_step and "training_step" or "loss")
  mean_loss:update(loss:detach(), core.is_tensor(batch[1]) and batch[1].ndim > 0 and #batch[1] or 1)
  for _, metric in pairs(output ~= nil and metrics or {}) do metric:update(output, target) end
  return loss
end

--- Has the optimizer step with the gradients that have come together.
function Trainer:_optimize()
  local optimizer, scaler = self.optimizer, self.scaler
  if scaler then scaler:unscale_(optimizer) end
  if self.gradient_clip_val then nl.nn.utils.clip_grad_norm_(self.model:parameters(), self.gradient_clip_val) end
  if scaler then scaler:step(optimizer) else optimizer:step() end
  if scaler then scaler:update() end
  optimizer:zero_grad()
end

--- A step of the optimizer, which is counted, and of a schedule by steps.
function Trainer:_update()
  self:_optimize()
  self.step = self.step + 1
  if self.scheduler and self.scheduler_interval == "step" then self.scheduler:step() end
end

--- The loss and the metrics so far, by name.
---     > trainer = nl.Trainer(nn.ReLU(), {optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1}), loss = nn.MSELoss()})
---     > trainer:logs().loss -- of no batch yet
---     nan
function Trainer:logs()
  local logs = {loss = self.mean_loss:compute()}
  for name, metric in pairs(self.metrics) do logs[name] = metric:compute() end
  return logs
end

--- Calls a function of each batch while the model evaluates, without gradients.
function Trainer:_evaluate(name, loader, f)
  local next_batch, closing = batches(name, loader)
  local _ <close> = closing
  local _ <close> = nl.no_grad()
  local _ <close> = kept_modes(self.model)
  self.model:eval()
  for batch in next_batch do f(batch) end
end

--- The loss and the metrics of a loader, by names that begin with val_; the model is as it was.
---     > trainer = nl.Trainer(nn.Identity(), {optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1}), loss = nn.MSELoss()})
---     > data = nl.utils.data
---     > loader = data.DataLoader(data.TensorDataset(nl.zeros(4, 1), nl.full({4, 1}, 3.0)))
---     > trainer:validate(loader).val_loss
---     9.0
---@param loader DataLoader
---@return table
function Trainer:validate(loader)
  checks.loader("validate", "loader", loader)
  self.val_loss:reset()
  for _, metric in pairs(self.val_metrics) do metric:reset() end
  self:_evaluate("validate", loader, function(batch) self:_count(batch, self.val_loss, self.val_metrics) end)
  local logs = {val_loss = self.val_loss:compute()}
  for name, metric in pairs(self.val_metrics) do logs["val_" .. name] = metric:compute() end
  return logs
end

--- What the model gives for all batches of a loader, one behind the other. Of a batch of several values the last, the
--- target, is left out.
---     > trainer = nl.Trainer(nn.ReLU(), {optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1}), loss = nn.MSELoss()})
---     > trainer:predict(nl.utils.data.DataLoader(nl.tensor({-1.0, 2.0})))
---     tensor([0., 2.])
---@param loader DataLoader
function Trainer:predict(loader)
  checks.loader("predict", "loader", loader)
  local outputs = {}
  self:_evaluate("predict", loader, function(batch)
    outputs[#outputs + 1] = self.model(table.unpack(batch, 1, math.max(1, batch.n - 1)))
  end)
  return nl.cat(outputs, 1)
end

--- The batches of an epoch that are left; false if the run is to be left in the midst of them.
function Trainer:_train_batches(ctrl_c)
  local every, pending = self.accumulate_grad_batches, 0
  local next_batch, closing = batches("fit", self.loader, self.batch > 0)
  local _ <close> = closing
  for _ = 1, self.loader.load_state_dict and 0 or self.batch do next_batch() end -- those of before the resumption
  if not self.model.training then self.model:train() end -- of one that trains, layers may be frozen by eval()
  self.optimizer:zero_grad()
  for batch in next_batch do
    local loss = self:_count(batch, self.mean_loss, self.metrics)
    if every > 1 then loss = loss / every end
    if self.scaler then loss = self.scaler:scale(loss) end
    loss:backward()
    self.batch, pending = self.batch + 1, pending + 1
    if pending == every then
      self:_update()
      pending = 0
    end
    self:_call "on_batch_end"
    if pending == 0 then
      local is_due = self.checkpoint_every and self.step % self.checkpoint_every == 0
      local is_last = self.step >= (self.max_steps or math.huge)
      if is_due or ctrl_c:asked() then self:save(self:_path "last") end
      if ctrl_c:asked() then return false end
      if is_last then break end
    end
  end
  if pending > 0 then self:_update() end
  return true
end

--- Ends an epoch: validation, schedule, history, the best so far, checkpoints.
function Trainer:_end_epoch()
  local logs = self:logs()
  for name, value in pairs(self.val_loader and self:validate(self.val_loader) or {}) do logs[name] = value end
  logs.epoch, logs.step, logs.lr = self.epoch, self.step, self.optimizer.param_groups[1].lr
  local value = monitored("fit", self.monitor, logs)
  local schedule = self.scheduler_interval == "epoch" and self.scheduler
  local takes_value = schedule and class.is_a(schedule, nl.optim.lr_scheduler.ReduceLROnPlateau)
  if schedule then schedule:step(takes_value and value or nil) end
  self.history[#self.history + 1], self.in_epoch = logs, false
  local best = self.best and self.best.value or nl.nan
  local is_best = best ~= best and value == value or self.mode == "max" and value > best
    or self.mode == "min" and value < best
  if is_best then self.best = {epoch = self.epoch, step = self.step, value = value} end
  self:_call("on_epoch_end", logs)
  if is_best and self.folder then self:save(self:_path "best") end
  if self.folder then self:save(self:_path "last") end -- who is killed between the two does this epoch's end again
end

local parse_fit = args.parser("fit", {{"loader", "table"}, {"val_loader", "any?"}, {"resume", "any?"}})

--- Trains over a loader, and validates over another one after each epoch. Gives the history: a table of logs for each
--- epoch. resume = true goes on from the folder's last.ckpt, to the bit, or begins if there is none; a path goes on
--- from there. Ctrl-C saves after the step that is running, and leaves; a second one leaves at once. A model that
--- evaluates is set to train; layers of one that trains may be frozen by eval().
---@param loader DataLoader
---@param val_loader? DataLoader
---@param resume? boolean|string
---@return table[]
function Trainer:fit(...)
  local loader, val_loader, resume = parse_fit(...)
  checks.loader("fit", "loader", loader)
  if val_loader ~= nil then checks.loader("fit", "val_loader", val_loader) end
  checks.resume(resume)
  self.loader, self.val_loader = loader, val_loader
  self.monitor = self._given.monitor or val_loader and "val_loss" or "loss"
  self.mode = self._given.mode or callbacks._mode_of(self.monitor)
  self:_start()
  local last <close> = resume == true and io.open(self:_path "last") or nil
  if last or type(resume) == "string" then self:load(last and "last" or resume) end
  self.first_rates = self.first_rates or callbacks._rates_of(self.optimizer) -- for report
  local _ <close> = callbacks._ending(self)
  self:_call "on_fit_begin"
  local ctrl_c <close> = nl.utils.interrupts(self.folder ~= nil)
  while self.in_epoch or self.epoch < self.max_epochs and self.step < (self.max_steps or math.huge)
    and not self.should_stop do
    if not self.in_epoch then
      self.epoch, self.batch, self.in_epoch = self.epoch + 1, 0, true
      self.mean_loss:reset()
      for _, metric in pairs(self.metrics) do metric:reset() end
      self:_call "on_epoch_begin"
    end
    local is_whole = self:_train_batches(ctrl_c)
    if is_whole then self:_end_epoch() end
    if not is_whole or ctrl_c:asked() then
      raise(("interrupted! The run is saved in %s: fit with {resume = true} goes on"):format(self:_path "last"))
    end
  end
  return self.history
end

--- Tries learning rates from min_lr to max_lr, a batch each, the next one larger by a factor, and puts everything back:
--- weights and buffers, gradients, random numbers, states of the optimizer, the schedule and the loader, extra. Gives a
--- table: suggestion, the rate in the middle of the way on which the smoothed loss falls (nil if it never does);
--- figure, a plot; lr, loss, smoothed, the lists behind it. It ends early where the loss has grown to four times its
--- least, or, where that is below zero, by three times its size or its fall. Lazy modules must have been called before.
---     > x = nl.randn(64, 2)
---     > loader = nl.utils.data.DataLoader(nl.utils.data.TensorDataset(x, x:sum(2, true)), {batch_size = 8})
---     > net = nn.Linear(2, 1)
---     > trainer = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.1}), loss = nn.MSELoss()})
---     > found = trainer:lr_find(loader, {max_lr = 10})
---     > found.suggestion > 1e-4 and found.suggestion < 1, trainer.optimizer.param_groups[1].lr
---     true	0.1
---@param loader DataLoader
---@param min_lr? number
---@param max_lr? number
---@param steps? integer
---@return table
function Trainer:lr_find(...)
  return require "nnlua.trainer.lr_find"(self, ...)
end

--- Writes what came of the run as one HTML page: nl.report with all that the trainer knows, title and samples.
---     > trainer = nl.Trainer(nn.ReLU(), {optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1}), loss = nn.MSELoss()})
---     > path = os.tmpname() .. ".html"
---     > trainer:report(path)
---     > io.open(path):read():lower()
---     <!doctype html>
---@param path string
---@param title? string
---@param samples? any[]
---@param summary? Summary
function Trainer:report(...)
  require "nnlua.callbacks.run_report"(self, options, ...)
end

guard.classes {Trainer}
return {Trainer = Trainer}
