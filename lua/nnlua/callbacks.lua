-- nl.callbacks: what a Trainer calls as it goes on. A callback is a table with any of these methods, which get the
-- trainer: on_fit_begin, on_epoch_begin, on_batch_end, on_epoch_end (and the epoch's logs), on_fit_end, which is called
-- of a run that fails, too. One that has state_dict and load_state_dict is saved with the run.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local logs_order = require "nnlua.callbacks.logs_order"
local monitored = require "nnlua.callbacks.monitored"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"
local table_of_epochs = require "nnlua.callbacks.progress_table"

--- Callbacks of nl.Trainer: `nl.Trainer(net, {callbacks = {nl.callbacks.EarlyStopping {patience = 5}}, …})`. One of
--- your own is a table: `{on_epoch_end = function(self, trainer, logs) print(logs.loss) end}`.
local callbacks = {ProgressTable = table_of_epochs}

local raise = core.raise

-- ------------------------------------------------------------ EarlyStopping

--- Stops a training that gets no better: `EarlyStopping({patience = 3, monitor = nil, mode = nil, min_delta = 0})`,
--- after so many epochs without a value that is better by more than min_delta. monitor and mode are the trainer's, if
--- nothing else is said.
---     > stop = nl.callbacks.EarlyStopping {patience = 2, monitor = "loss", mode = "min"}
---     > trainer = {should_stop = false}
---     > for _, loss in ipairs {3, 2, 2, 2} do stop:on_epoch_end(trainer, {loss = loss}) end
---     > trainer.should_stop
---     true
---@class EarlyStopping
local EarlyStopping = class.new "callbacks.EarlyStopping"

local parse_stopping = args.parser(EarlyStopping.__name, {
  {"patience", "integer", 3}, {"monitor", "string?"}, {"mode", "string?"}, {"min_delta", "number", 0},
})

function EarlyStopping:init(...)
  self.patience, self.monitor, self.mode, self.min_delta = parse_stopping(...)
  if self.mode and self.mode ~= "min" and self.mode ~= "max" then
    raise(("%s: mode must be 'min' or 'max', not '%s'"):format(self.__name, self.mode))
  end
  if self.patience < 1 or not (self.min_delta >= 0) then
    raise(("%s: patience must be from 1 on and min_delta from 0, not %d and %s"):format(self.__name, self.patience,
      core.format("%g", self.min_delta)))
  end
  self.wait, self.best = 0, nil
end

function EarlyStopping:on_epoch_end(trainer, logs)
  local value = monitored(self.__name, self.monitor or trainer.monitor, logs)
  local best, is_max = self.best or nl.nan, (self.mode or trainer.mode) == "max"
  local gain = is_max and value - best or best - value
  if best ~= best and value == value or gain > self.min_delta then
    self.best, self.wait = value, 0
  else
    self.wait = self.wait + 1
  end
  if self.wait >= self.patience then trainer.should_stop = true end
end

--- How long it has waited, and for what.
---     > stop = nl.callbacks.EarlyStopping {monitor = "loss"}
---     > for _, loss in ipairs {1, 2} do stop:on_epoch_end({}, {loss = loss}) end
---     > stop:state_dict().best, stop:state_dict().wait
---     1	1
function EarlyStopping:state_dict()
  return {wait = self.wait, best = self.best}
end

--- Goes on from what state_dict gave.
---     > stop = nl.callbacks.EarlyStopping {patience = 5}
---     > stop:load_state_dict {best = 0.5, wait = 3}
---     > stop.wait
---     3
---@param state_dict table
function EarlyStopping:load_state_dict(state_dict)
  self.wait, self.best = state_dict.wait, state_dict.best
end

-- ----------------------------------------------------------- TerminateOnNaN

--- Stops a training whose loss is no number any more, with an error that names the step.
---     > nl.callbacks.TerminateOnNaN().__name
---     callbacks.TerminateOnNaN
---@class TerminateOnNaN
local TerminateOnNaN = class.new "callbacks.TerminateOnNaN"

function TerminateOnNaN:init() end

function TerminateOnNaN:on_batch_end(trainer)
  local loss = trainer.mean_loss:compute()
  if loss ~= loss or loss == math.huge or loss == -math.huge then
    raise(("%s: the loss is %s after step %d of epoch %d"):format(self.__name, loss ~= loss and "nan" or tostring(loss),
      trainer.step, trainer.epoch))
  end
end

-- ---------------------------------------------------------------- CSVLogger

--- Writes a line for each epoch to a file of comma-separated values: `CSVLogger(path)`. It is written anew from the
--- trainer's history, so a run that goes on leaves no line twice.
---     > path = os.tmpname()
---     > nl.callbacks.CSVLogger(path):on_epoch_end({history = {{epoch = 1, loss = 0.5}}})
---     > io.open(path):read("l", "l")
---     epoch,loss	1,0.5
---@class CSVLogger
local CSVLogger = class.new "callbacks.CSVLogger"

local parse_csv = args.parser(CSVLogger.__name, {{"path", "string"}})

function CSVLogger:init(...) self.path = parse_csv(...) end

--- A value as a field.
local function field(value)
  return math.type(value) == "float" and repr.shortest(value) or tostring(value)
end

function CSVLogger:on_epoch_end(trainer)
  local names = logs_order.names(trainer.history[1])
  local lines = {table.concat(names, ",")}
  for _, logs in ipairs(trainer.history) do
    local fields = {}
    for i, name in ipairs(names) do fields[i] = logs[name] ~= nil and field(logs[name]) or "" end
    lines[#lines + 1] = table.concat(fields, ",")
  end
  require "nnlua.system".write_bytes(self.__name, self.path, table.concat(lines, "\n") .. "\n")
end

-- -------------------------------------------------------------- TensorBoard

--- Writes the logs of each epoch as scalars for TensorBoard: `TensorBoard(folder)`; what is told of training and
--- validation stands in one group, as "loss/train" and "loss/val".
---     > nl.callbacks.TensorBoard(os.tmpname()).__name
---     callbacks.TensorBoard
---@class TensorBoard
local TensorBoard = class.new "callbacks.TensorBoard"

local parse_board = args.parser(TensorBoard.__name, {{"folder", "string"}})

function TensorBoard:init(...) self.folder = parse_board(...) end

function TensorBoard:on_fit_begin(trainer)
  local purge = trainer.step > 0 and trainer.step + 1 or nil -- what a run that was killed wrote beyond
  self.writer = nl.utils.tensorboard.SummaryWriter(self.folder, nil, purge)
end

function TensorBoard:on_epoch_end(trainer, logs)
  for _, name in ipairs(logs_order.names(logs)) do
    local value = logs[name]
    if type(value) == "number" and name ~= "step" then
      local tag = name:gsub("^val_(.*)$", "%1/val")
      if logs["val_" .. name] ~= nil then tag = name .. "/train" end
      self.writer:add_scalar(tag, value, trainer.step)
    end
  end
  self.writer:flush()
end

function TensorBoard:on_fit_end()
  if self.writer then self.writer:close() end
end

-- -------------------------------------------------------------- for Trainer

--- The callbacks that a trainer's options stand for, behind the user's.
function callbacks._of(trainer)
  local list = table.move(trainer.callbacks or {}, 1, #(trainer.callbacks or {}), 1, {})
  local patience, folder = trainer.early_stopping, trainer.folder
  if patience then list[#list + 1] = EarlyStopping(patience) end
  if folder then list[#list + 1] = CSVLogger(folder .. "/log.csv") end
  if folder and trainer.tensorboard then list[#list + 1] = TensorBoard(folder) end
  if trainer.progress then list[#list + 1] = callbacks.ProgressTable() end
  return list
end

--- Whether more or less of a value is better, by its name.
function callbacks._mode_of(name)
  for _, word in ipairs {"loss", "error", "perplexity"} do
    if name:lower():find(word) then return "min" end
  end
  return "max"
end

--- The rates of an optimizer's groups.
function callbacks._rates_of(optimizer)
  local rates = {}
  for i, group in ipairs(optimizer.param_groups) do
    rates[i] = core.is_tensor(group.lr) and group.lr:item() or group.lr
  end
  return rates
end

--- What ends a trainer's callbacks where it is closed. If the run fails, that is what is told, not what fails in them
--- for it.
function callbacks._ending(trainer)
  return setmetatable({}, {__close = function(_, problem)
    if problem == nil then return trainer:_call "on_fit_end" end
    for _, callback in ipairs(trainer.callbacks) do
      if callback.on_fit_end then pcall(callback.on_fit_end, callback, trainer) end
    end
  end})
end

callbacks.EarlyStopping, callbacks.TerminateOnNaN = EarlyStopping, TerminateOnNaN
callbacks.CSVLogger, callbacks.TensorBoard = CSVLogger, TensorBoard

guard.classes(callbacks)

return callbacks
