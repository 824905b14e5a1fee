-- nnlua.optim.swa_utils: averages of a model's parameters along its training (Izmailov et al., 2018), and the schedule
-- for it.

local args = require "nnlua.args"
local base = require "nnlua.optim.lr_scheduler.base"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local nl = require "nnlua"
local nn = require "nnlua.nn"

--- Averages of models: `local averaged = optim.swa_utils.AveragedModel(net)`, and after each epoch
--- `averaged:update_parameters(net)`.
local swa_utils = {}

local format, raise = core.format, core.raise

-- ----------------------------------------------------------------- functions

local function check_decay(name, decay)
  decay = decay == nil and 0.999 or args.only(name, "decay", decay)
  if type(decay) ~= "number" or not (decay >= 0 and decay <= 1) then
    raise(format("%s: decay must be a number from 0 to 1, not %s", name, decay))
  end
  return decay
end

--- Whether a tensor's dtype holds fractions.
local function holds_fractions(t)
  return t:is_floating_point() or t:is_complex()
end

--- A function for AveragedModel's multi_avg_fn: the exponential moving average, decay * average + (1 - decay) * new.
---     > average = {nl.tensor({1.0})}
---     > optim.swa_utils.get_ema_multi_avg_fn(0.75)(average, {nl.tensor({3.0})}, 1)
---     > average[1]
---     tensor([1.5000])
---@param decay? number 0.999 unless given
function swa_utils.get_ema_multi_avg_fn(decay)
  decay = check_decay("get_ema_multi_avg_fn", decay)
  return function(averages, values)
    for i, average in ipairs(averages) do
      if holds_fractions(average) then
        average:lerp_(values[i], 1 - decay)
      else
        average:copy_(average * decay + values[i] * (1 - decay))
      end
    end
  end
end

--- A function for AveragedModel's multi_avg_fn: the mean of all values, as without one.
---     > average = {nl.tensor({1.0})}
---     > optim.swa_utils.get_swa_multi_avg_fn()(average, {nl.tensor({4.0})}, 2)
---     > average[1]
---     tensor([2.])
function swa_utils.get_swa_multi_avg_fn()
  return function(averages, values, count)
    local n = (core.is_tensor(count) and count:item() or count) + 1
    for i, average in ipairs(averages) do
      if holds_fractions(average) then
        average:lerp_(values[i], 1 / n)
      else
        average:copy_(average + (values[i] - average) / n)
      end
    end
  end
end

--- A function for AveragedModel's avg_fn, of one tensor: the exponential moving average.
---     > optim.swa_utils.get_ema_avg_fn(0.75)(nl.tensor({1.0}), nl.tensor({3.0}), 1)
---     tensor([1.5000])
---@param decay? number 0.999 unless given
function swa_utils.get_ema_avg_fn(decay)
  decay = check_decay("get_ema_avg_fn", decay)
  return function(average, value) return decay * average + (1 - decay) * value end
end

--- A function for AveragedModel's avg_fn, of one tensor: the mean of all values.
---     > optim.swa_utils.get_swa_avg_fn()(nl.tensor({1.0}), nl.tensor({4.0}), 2)
---     tensor([2.])
function swa_utils.get_swa_avg_fn()
  return function(average, value, count) return average + (value - average) / (count + 1) end
end

-- -------------------------------------------------------------------- models

--- A copy of a model whose parameters are averages of the model's, as it is each time that update_parameters is called:
--- `AveragedModel(model, {device = nil, avg_fn = nil, multi_avg_fn = nil, use_buffers = false})`. The averages are
--- means unless there is `avg_fn(average, value, n_averaged)`, which gives the next average, or
--- `multi_avg_fn(averages, values, n_averaged)`, which changes lists of tensors of one dtype. Buffers are averaged too
--- with use_buffers, and else copied.
---     > net = nn.Linear(1, 1, false)
---     > averaged = optim.swa_utils.AveragedModel(net)
---     > for epoch = 1, 3 do net.weight.data:fill_(epoch) averaged:update_parameters(net) end
---     > averaged.module.weight:item()
---     2.0
---@class AveragedModel: Module
---@field module Module
---@field n_averaged Tensor
local AveragedModel = nn.class("optim.swa_utils.AveragedModel")

local parse_model = args.parser("optim.swa_utils.AveragedModel", {
  {"model", "module"}, {"device", "any?"}, {"avg_fn", "function?"}, {"multi_avg_fn", "function?"},
  {"use_buffers", "boolean", false},
})

function AveragedModel:init(...)
  local model, device, avg_fn, multi_avg_fn, use_buffers = parse_model(...)
  if avg_fn and multi_avg_fn then
    raise "optim.swa_utils.AveragedModel: give avg_fn or multi_avg_fn, not both"
  end
  self.module = nn.deepcopy(model)
  if device then self.module:to(device) end
  core.register_buffer(self, "n_averaged", nl.zeros({}, {dtype = nl.int64, device = device}))
  self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers
end

function AveragedModel:forward(...)
  return self.module(...)
end

--- The tensors that iterators go through, detached.
local function detached(...)
  local list = {}
  for _, tensors in ipairs {...} do
    for t in tensors do list[#list + 1] = t:detach() end
  end
  return list
end

--- What is averaged of a model.
local function averaged_of(model, with_buffers)
  return detached(model:parameters(), with_buffers and model:buffers() or nil)
end

local function copy_all(to, from)
  for i, t in ipairs(to) do t:copy_(from[i]) end
end

--- Lists of averages and values by dtype and device, in the order in which these come.
local function grouped(averages, values)
  local groups, by_kind = {}, {}
  for i, average in ipairs(averages) do
    local kind = ("%s %s"):format(average.dtype, average.device)
    local group = by_kind[kind]
    if not group then
      group = {averages = {}, values = {}}
      by_kind[kind] = group
      groups[#groups + 1] = group
    end
    table.insert(group.averages, average)
    table.insert(group.values, values[i]:to(average.device))
  end
  return groups
end

local function average_all(self, averages, values)
  if self.avg_fn then
    for i, average in ipairs(averages) do
      average:copy_(self.avg_fn(average, values[i]:to(average.device), self.n_averaged))
    end
    return
  end
  local update = self.multi_avg_fn or swa_utils.get_swa_multi_avg_fn()
  for _, group in ipairs(grouped(averages, values)) do update(group.averages, group.values, self.n_averaged) end
end

--- Takes the parameters of a model, of the same kind, into the averages.
---@param model Module
function AveragedModel:update_parameters(model)
  if not core.is_module(model) then
    raise("update_parameters: a model was expected, not " .. core.describe(model))
  end
  local averages, values = averaged_of(self.module, self.use_buffers), averaged_of(model, self.use_buffers)
  if #averages ~= #values then
    raise(("update_parameters: the model has %d tensors to average, but %d were expected"):format(#values, #averages))
  end
  nl.no_grad(function()
    if self.n_averaged:item() == 0 then copy_all(averages, values) else average_all(self, averages, values) end
    if not self.use_buffers then copy_all(detached(self.module:buffers()), detached(model:buffers())) end
    self.n_averaged:add_(1)
  end)
end

swa_utils.AveragedModel = AveragedModel

-- ---------------------------------------------------------------- batch norms

local function is_batch_norm(module)
  return module:is_a(nn.BatchNorm1d) or module:is_a(nn.BatchNorm2d) or module:is_a(nn.BatchNorm3d)
end

--- A loop over the batches of a loader, or of a list.
local function batches(loader)
  if args.is_callable(loader) then return loader end
  if type(loader) ~= "table" then
    raise("update_bn: a loader or a list of batches was expected, not " .. core.describe(loader))
  end
  local i = 0
  return function()
    i = i + 1
    return loader[i]
  end
end

--- Computes the running statistics of a model's batch norms anew, as means over the batches of a loader, of which the
--- first value is the model's input: what an average of models needs before it is used.
---     > net = nn.BatchNorm1d(1)
---     > optim.swa_utils.update_bn({nl.tensor({{1.0}, {3.0}}), nl.tensor({{5.0}, {7.0}})}, net)
---     > net.running_mean
---     tensor([4.])
---@param loader any
---@param model Module
---@param device? Device
function swa_utils.update_bn(loader, model, device)
  if not core.is_module(model) then raise("update_bn: a model was expected, not " .. core.describe(model)) end
  local momenta = {}
  for module in model:modules() do
    if is_batch_norm(module) then momenta[module] = module.momentum or false end
  end
  if next(momenta) == nil then return end
  local was_training = model.training
  local _ <close> = setmetatable({}, {__close = function() -- whether or not a batch fails
    for module, momentum in pairs(momenta) do module.momentum = momentum or nil end
    model:train(was_training)
  end})
  model:train()
  nl.no_grad(function()
    for module in pairs(momenta) do
      module:reset_running_stats()
      module.momentum = nil
    end
    for input in batches(loader) do
      if type(input) == "table" then input = input[1] end
      model(device and input:to(device) or input)
    end
  end)
end

-- ------------------------------------------------------------------ schedule

local strategies = {
  cos = function(t) return (1 - math.cos(math.pi * t)) / 2 end,
  linear = function(t) return t end,
}

--- Goes from the groups' rates to swa_lr in some epochs, and stays there: the last part of a training whose models are
--- averaged. `SWALR(optimizer, swa_lr, {anneal_epochs = 10, anneal_strategy = "cos" (or "linear")})`.
---     > optimizer = optim.SGD({nl.zeros(1)}, {lr = 0.8})
---     > scheduler = optim.swa_utils.SWALR(optimizer, 0.2, {anneal_epochs = 2, anneal_strategy = "linear"})
---     > for epoch = 1, 4 do print(("%.2f"):format(optimizer.param_groups[1].lr)) optimizer:step() scheduler:step() end
---     0.80
---     0.50
---     0.20
---     0.20
---@class SWALR: LRScheduler
local SWALR = base.class("optim.swa_utils.SWALR")

local parse_swalr = args.parser("optim.swa_utils.SWALR", {
  {"optimizer", "any"}, {"swa_lr", "any"}, {"anneal_epochs", "integer", 10}, {"anneal_strategy", "string", "cos"},
  {"last_epoch", "integer", -1},
})

function SWALR:init(...)
  local optimizer, rate, epochs, strategy, last_epoch = parse_swalr(...)
  base.check_optimizer(self.__name, optimizer)
  local rates = base.numbers(self, optimizer, "swa_lr", rate)
  if not strategies[strategy] then
    raise(("%s: anneal_strategy is 'cos' or 'linear', not '%s'"):format(self.__name, strategy))
  elseif epochs < 0 then
    raise(("%s: anneal_epochs must be from 0 on, not %d"):format(self.__name, epochs))
  end
  for i, group in ipairs(optimizer.param_groups) do group.swa_lr = rates[i] end
  self.anneal_epochs, self._anneal_strategy = epochs, strategy
  base.LRScheduler.init(self, optimizer, last_epoch)
end

--- How far from the first rates to the last ones a step is.
local function share_at(self, step)
  return strategies[self._anneal_strategy](math.max(0, math.min(1, step / math.max(1, self.anneal_epochs))))
end

function SWALR:get_lr()
  base.warn_of_get_lr(self)
  local step = self._step_count - 1
  if self.anneal_epochs == 0 then step = math.max(1, step) end
  local before, now, rates = share_at(self, step - 1), share_at(self, step), {}
  for i, group in ipairs(self.optimizer.param_groups) do
    local last = group.swa_lr
    local first = before == 1 and last or (group.lr - before * last) / (1 - before)
    rates[i] = last * now + first * (1 - now)
  end
  return rates
end

swa_utils.SWALR = SWALR

guard.classes({SWALR}, {levelled = {"get_lr"}})
guard.classes {AveragedModel}

return {swa_utils = swa_utils}
