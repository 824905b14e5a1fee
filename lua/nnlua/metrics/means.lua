-- Metrics that are means: of values, of errors, of logarithms of probabilities.

local args = require "nnlua.args"
local base = require "nnlua.metrics.base"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local means = {}

local raise = core.raise

local function define(name)
  local new = base.class("metrics." .. name)
  means[name] = new
  return new
end

local function sum_of(x)
  return x:double():sum():item()
end

--- A number, or a tensor's elements, as double.
local function elements(self, name, value)
  if type(value) == "number" then return nl.tensor(value, {dtype = nl.float64}) end
  return base.tensor(self, name, value):double()
end

-- ----------------------------------------------------------------------- mean

--- The mean of numbers, or of tensors' elements: `update(value, weight = 1)`, as of losses with the sizes of their
--- batches.
---     > nl.metrics.Mean():update(2.0, 3):update(nl.tensor(6.0)):compute()
---     3.0
---@class Mean: Metric
local Mean = define "Mean"

function Mean:empty() return {sum = 0.0, weight = 0.0} end -- luacheck: no self

--- Adds a number or a tensor's elements, each with its weight: a number, or a tensor that broadcasts.
---@param value number|Tensor
---@param weight? number|Tensor
function Mean:update(value, weight)
  local x, w = nl.broadcast_tensors(elements(self, "value", value),
    elements(self, "weight", weight == nil and 1 or weight))
  local sum, weights = sum_of(x * w), sum_of(w)
  self.state.sum, self.state.weight = self.state.sum + sum, self.state.weight + weights
  return self
end

function Mean:compute() return base.share(self.state.sum, self.state.weight) end

--- The mean of the last values: `RunningMean(window = 100)`, for a loss that is shown while it falls.
---     > mean = nl.metrics.RunningMean(2)
---     > for _, x in ipairs {1, 2, 4} do mean:update(x) end
---     > mean:compute()
---     3.0
---@class RunningMean: Metric
local RunningMean = define "RunningMean"

local parse_window = args.parser(RunningMean.__name, {{"window", "integer", 100}})

function RunningMean:init(...)
  self.window = parse_window(...)
  if self.window < 1 then raise(("%s: window must be from 1 on, not %d"):format(self.__name, self.window)) end
  self:reset()
end

function RunningMean:empty() return {values = {}, next = 1} end -- luacheck: no self

--- Adds a number, or the mean of a tensor.
---@param value number|Tensor
function RunningMean:update(value)
  local state = self.state
  state.values[state.next] = elements(self, "value", value):mean():item()
  state.next = state.next % self.window + 1
  return self
end

--- Goes on from what state_dict gave. Of a larger window the last values are taken.
---     > mean = nl.metrics.RunningMean(2)
---     > mean:load_state_dict(nl.metrics.RunningMean(2):update(1):update(2):state_dict())
---     > mean:update(4):compute()
---     3.0
---@param state_dict table
function RunningMean:load_state_dict(state_dict)
  local before = self.state
  RunningMean.super.load_state_dict(self, state_dict)
  local values, n, kept = self.state.values, #self.state.values, {}
  local first = self.state.next > n and 1 or self.state.next -- the oldest
  for _, one in ipairs(values) do
    if type(one) ~= "number" then
      self.state = before
      raise(("load_state_dict: what state_dict() of a %s gave is wanted: values that are numbers, not %s"):format(
        self.__name, core.describe(one)))
    end
  end
  for i = math.max(0, n - self.window), n - 1 do kept[#kept + 1] = values[(first - 1 + i) % n + 1] end
  self.state = {values = kept, next = #kept % self.window + 1}
end

function RunningMean:compute()
  local sum, values = 0, self.state.values
  for _, value in ipairs(values) do sum = sum + value end
  return base.share(sum, #values)
end

-- --------------------------------------------------------------------- errors

--- What both errors count: sums over elements, or weighted by item.
local function add_errors(self, input, target, sample_weight, error_of)
  input, target = base.alike(self, input, target)
  local errors = error_of(input:double() - target:double())
  local weights = nl.ones_like(errors)
  if sample_weight ~= nil then
    local w = base.tensor(self, "sample_weight", sample_weight):double()
    if w.ndim ~= 1 or errors.ndim == 0 or w:size(1) ~= errors:size(1) then
      raise(("%s: sample_weight must have one number for each item, not shape %s"):format(self.__name, w.shape))
    end
    while w.ndim < errors.ndim do w = w:unsqueeze(-1) end
    weights = weights * w
  end
  self.state.sum = self.state.sum + sum_of(errors * weights)
  self.state.weight = self.state.weight + sum_of(weights)
  return self
end

--- The mean of squared errors over all elements: `MeanSquaredError({squared = true})`; squared = false gives its root.
---     > nl.metrics.MeanSquaredError():update(nl.tensor {1.0, 2.0}, nl.tensor {1.0, 4.0}):compute()
---     2.0
---@class MeanSquaredError: Metric
local MeanSquaredError = define "MeanSquaredError"

local parse_squared = args.parser(MeanSquaredError.__name, {{"squared", "boolean", true}})

function MeanSquaredError:init(...)
  self.squared = parse_squared(...)
  self:reset()
end

MeanSquaredError.empty = Mean.empty

--- Adds a batch: two tensors of one shape; sample_weight has one number for each item.
---@param input Tensor
---@param target Tensor
---@param sample_weight? Tensor
function MeanSquaredError:update(input, target, sample_weight)
  return add_errors(self, input, target, sample_weight, function(e) return e * e end)
end

function MeanSquaredError:compute()
  local mean = base.share(self.state.sum, self.state.weight)
  return self.squared and mean or mean ^ 0.5
end

--- The mean of absolute errors over all elements.
---     > nl.metrics.MeanAbsoluteError():update(nl.tensor {1.0, 2.0}, nl.tensor {1.0, 4.0}):compute()
---     1.0
---@class MeanAbsoluteError: Metric
local MeanAbsoluteError = define "MeanAbsoluteError"

MeanAbsoluteError.empty, MeanAbsoluteError.compute = Mean.empty, Mean.compute

--- Adds a batch: two tensors of one shape; sample_weight has one number for each item.
---@param input Tensor
---@param target Tensor
---@param sample_weight? Tensor
function MeanAbsoluteError:update(input, target, sample_weight)
  return add_errors(self, input, target, sample_weight, function(e) return e:abs() end)
end

-- ----------------------------------------------------------------- perplexity

--- How many words a model wavers between: e to the mean of -log p of the right ones. `Perplexity({ignore_index =
--- -100})`, of logits (…, C), words last, and labels (…) from 1.
---     > nl.metrics.Perplexity():update(nl.zeros(2, 3, 10), nl.ones(2, 3, {dtype = nl.int64})):compute()
---     10.0
---@class Perplexity: Metric
local Perplexity = define "Perplexity"

local parse_perplexity = args.parser(Perplexity.__name, {{"ignore_index", "integer", -100}})

function Perplexity:init(...)
  self.ignore_index = parse_perplexity(...)
  self:reset()
end

Perplexity.empty = Mean.empty

--- Adds a batch: logits (…, C) and labels (…).
---@param input Tensor
---@param target Tensor
function Perplexity:update(input, target)
  input, target = base.tensor(self, "input", input), base.tensor(self, "target", target)
  local fits = input.ndim == target.ndim + 1
  for i = 1, target.ndim do fits = fits and input:size(i) == target:size(i) end
  if not fits then
    raise(("%s: input must be (…, C) and target (…), not of shapes %s and %s"):format(self.__name, input.shape,
      target.shape))
  end
  if target.dtype.is_floating_point or target.dtype.is_complex or target.dtype == nl.bool then
    raise(("%s: target must be labels, whole numbers from 1, not %s"):format(self.__name, target.dtype))
  end
  local logits, labels = input:reshape(-1, input:size(-1)):double(), target:reshape(-1):long()
  local n = labels:ne(self.ignore_index):sum():item()
  if n > 0 then
    local loss = nl.F.cross_entropy(logits, labels, {reduction = "sum", ignore_index = self.ignore_index})
    self.state.sum, self.state.weight = self.state.sum + loss:item(), self.state.weight + n
  end
  return self
end

function Perplexity:compute()
  return math.exp(base.share(self.state.sum, self.state.weight))
end

return means
