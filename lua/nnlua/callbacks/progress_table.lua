-- The logs of epochs as a table: on a terminal one whose last line tells how far the epoch is.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local duration = require "nnlua.utils.duration"
local logs_order = require "nnlua.callbacks.logs_order"
local system = require "nnlua.system"

--- Shows a training as a table, a line for each epoch: `ProgressTable({out = io.stdout, interval = 0.1})`. On a
--- terminal the last line is that of the epoch that is running, drawn anew every interval seconds; elsewhere, and where
--- the terminal is too narrow for the table, each epoch is a line of names and values. nl.Trainer has one unless
--- progress = false.
---     > shown = nl.callbacks.ProgressTable {out = nl.io.BytesIO()}
---     > shown:on_epoch_end({epoch = 3}, {epoch = 3, loss = 0.25, val_loss = 0.5})
---     > shown.out:getvalue()
---     epoch 3: loss 0.2500, val_loss 0.5000
---@class ProgressTable
local ProgressTable = class.new "callbacks.ProgressTable"

local parse = args.parser(ProgressTable.__name, {{"out", "any?"}, {"interval", "number", 0.1}})

function ProgressTable:init(...)
  self.out, self.interval = parse(...)
  self._live = self.out == nil and system.is_terminal(1)
  self.out = self.out or io.stdout
end

-- ------------------------------------------------------------------ values

local function value_text(value)
  if core.is_tensor(value) then return "…" end
  if math.type(value) ~= "float" then return tostring(value) end
  local size = math.abs(value)
  if value ~= value or size == math.huge or size == 0 or size >= 1e-3 and size < 1e4 then
    return core.format("%.4f", value)
  end
  return core.format("%.2e", value)
end

-- ------------------------------------------------------------------- lines

--- The columns of the table: of the epoch, of each name, of the time.
local function columns_of(trainer)
  local logs = trainer:logs()
  if trainer.val_loader then
    for name in pairs(trainer:logs()) do logs["val_" .. name] = 0 end
  end
  logs.lr = trainer.optimizer.param_groups[1].lr
  local columns = {{name = "epoch", width = 5}}
  for i, name in ipairs(logs_order.values(logs)) do columns[i + 1] = {name = name, width = math.max(#name, 8)} end
  columns[#columns + 1] = {name = "time", width = 6}
  return columns
end

--- A row of the table; of an epoch that is running it ends with the last value that there is.
local function row(columns, values, is_running)
  local parts, last = {}, #columns
  if is_running then
    while last > 1 and values[columns[last].name] == nil do last = last - 1 end
  end
  for i = 1, last do
    local text = values[columns[i].name] or ""
    parts[i] = (" "):rep(columns[i].width - utf8.len(text)) .. text
  end
  return table.concat(parts, "  ")
end

local function texts_of(logs)
  local texts = {}
  for name, value in pairs(logs) do texts[name] = value_text(value) end
  return texts
end

--- "epoch 3: loss 0.2500, val_loss 0.5000"; on more lines where it is wider than a terminal.
local function plain_line(logs, time, width)
  local names, lines, text = logs_order.values(logs), {}, ("epoch %d:"):format(logs.epoch)
  local function add(part)
    if width and utf8.len(text) + 1 + utf8.len(part) >= width then
      lines[#lines + 1], text = text, " "
    end
    text = text .. " " .. part
  end
  for i, name in ipairs(names) do add(name .. " " .. value_text(logs[name]) .. (i < #names and "," or "")) end
  if time then add(("(%s)"):format(time)) end
  lines[#lines + 1] = text
  return table.concat(lines, "\n")
end

--- A text, and behind it those parts that the terminal has room for, the first ones first.
local function with_parts(text, parts)
  for _, part in ipairs(parts) do
    local longer = text .. "  " .. part
    if utf8.len(longer) >= system.terminal_width(1) then break end
    text = longer
  end
  return text
end

--- Puts a text in the place of the line that is drawn.
function ProgressTable:_draw(text, is_whole)
  local cut = not is_whole and utf8.offset(text, system.terminal_width(1))
  if cut then text = text:sub(1, cut - 1) end
  self.out:write("\r", (text:gsub("\n", "\27[K\n")), "\27[K", is_whole and "\n" or "")
  self.out:flush()
end

--- How far the epoch is, in parts: share, what else is told, time left, steps a second.
local function place_parts(trainer, begun, from, told)
  local spent, done = system.clock() - begun, trainer.batch - from
  local known, total = pcall(function() return #trainer.loader end)
  local rate = done / math.max(spent, 1e-9)
  local share = known and ("%3d %%"):format(100 * trainer.batch // math.max(total, 1)) or tostring(trainer.batch)
  local parts = {share, told}
  if known and rate > 0 then parts[#parts + 1] = duration((total - trainer.batch) / rate) .. " left" end
  parts[#parts + 1] = rate >= 1 and core.format("%.1f/s", rate) or core.format("%.1f s each", 1 / rate)
  return parts
end

-- ------------------------------------------------------------------ events

function ProgressTable:on_fit_begin(trainer)
  self._begun, self._from, self._drawn, self._columns = system.clock(), trainer.batch, 0, nil
  if trainer.step > 0 then
    self.out:write(("goes on in epoch %d, after step %d\n"):format(trainer.epoch + (trainer.in_epoch and 0 or 1),
      trainer.step))
  end
end

function ProgressTable:on_epoch_begin()
  self._begun, self._from = system.clock(), 0
end

--- Whether the table fits the terminal; its head is written before the first row.
function ProgressTable:_fits(trainer)
  self._columns = self._columns or columns_of(trainer)
  local head = {}
  for _, column in ipairs(self._columns) do head[column.name] = column.name end
  local line = row(self._columns, head)
  if #line >= system.terminal_width(1) then return false end
  if not self._headed then self:_draw(line, true) end
  self._headed = true
  return true
end

function ProgressTable:on_batch_end(trainer)
  local now = system.clock()
  if not self._live or now - self._drawn < self.interval then return end
  self._drawn = now
  local logs = trainer:logs()
  logs.epoch = trainer.epoch
  if self:_fits(trainer) then
    self:_draw(with_parts(row(self._columns, texts_of(logs), true), place_parts(trainer, self._begun, self._from)))
  else
    local parts = place_parts(trainer, self._begun, self._from, "loss " .. value_text(logs.loss))
    self:_draw(with_parts("epoch " .. trainer.epoch, parts))
  end
end

function ProgressTable:on_epoch_end(trainer, logs)
  local time = self._begun and duration(system.clock() - self._begun)
  if self._live and self:_fits(trainer) then
    local texts = texts_of(logs)
    texts.time = time
    local is_best = trainer.best and trainer.best.epoch == trainer.epoch and trainer.val_loader
    self:_draw(row(self._columns, texts) .. (is_best and " *" or ""), true)
  elseif self._live then
    self:_draw(plain_line(logs, time, system.terminal_width(1)), true)
  else
    self.out:write(plain_line(logs, time), "\n")
    if self.out.flush then self.out:flush() end
  end
end

function ProgressTable:on_fit_end()
  if self._live then self:_draw("", false) end
end

return ProgressTable
