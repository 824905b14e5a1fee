-- Metrics of classes: which were right, and of which class. Labels count from 1.

local args = require "nnlua.args"
local base = require "nnlua.metrics.base"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local classification = {}

local raise = core.raise

-- -------------------------------------------------------------------- labels

local function is_floating(x)
  return x.dtype.is_floating_point
end

--- Scores (N, C, …) as (N', C): classes last, all else one dimension.
local function rows_of(scores)
  return scores:movedim(2, -1):reshape(-1, scores:size(2))
end

--- Raises unless labels are from 1 to a number of classes, if that is known.
local function check_labels(self, name, labels, classes)
  if labels:numel() == 0 then return end
  local low, high = labels:min():item(), labels:max():item()
  if low < 1 or classes and high > classes then
    raise(("%s: %s has the label %d; labels count from 1%s%s"):format(self.__name, name, low < 1 and low or high,
      classes and " to " .. classes or "", low < 1 and " (add 1 to labels that count from 0)" or ""))
  end
end

-- Up to so many classes are counted for labels alone: a label beyond is more likely a mistake.
local MOST_CLASSES = 1 << 20

--- How many classes there are, by the scores, the option or the greatest label.
local function classes_of(self, scores, predicted, target)
  local known = self.num_classes or scores and scores:size(2)
  if scores and self.num_classes and scores:size(2) ~= self.num_classes then
    raise(("%s: input has %d scores for each item, but num_classes is %d"):format(self.__name, scores:size(2), known))
  end
  check_labels(self, "target", target, known)
  check_labels(self, "input", predicted, known)
  local function greatest(labels) return labels:numel() > 0 and labels:max():item() or 0 end
  local classes = math.max(self.state.classes, known or 0, greatest(predicted), greatest(target))
  if not known and classes > MOST_CLASSES then
    raise(("%s: there is a label %d: give num_classes, if there are so many classes"):format(self.__name, classes))
  end
  return classes
end

--- Raises if batches before were of the other kind: of one score for each item, or of classes.
local function check_kind(self, is_binary)
  if self.state.classes == 0 or self.state.binary == is_binary then return end
  raise(("%s: input has %s, but batches before had %s; reset() forgets them"):format(self.__name,
    is_binary and "one score for each item" or "scores for each class, or labels",
    is_binary and "scores for each class, or labels" or "one score for each item"))
end

local function check_target(self, scores, input, target)
  if is_floating(target) or target.dtype == nl.bool then
    raise(("%s: target must be labels, whole numbers from 1, not %s"):format(self.__name, target.dtype))
  end
  local wanted = input.shape
  if scores then
    wanted = {input:size(1)}
    for i = 3, input.ndim do wanted[i - 1] = input:size(i) end
    wanted = nl.zeros(wanted, {device = "meta"}).shape
  end
  if target.shape ~= wanted then
    raise(("%s: input has shape %s, so target must have shape %s, not %s"):format(self.__name, input.shape, wanted,
      target.shape))
  end
end

--- Truth values of a binary target: booleans, or 0 and 1 as the binary losses take them; as labels 1 and 2.
local function binary_labels(self, target)
  if target.dtype ~= nl.bool then
    local wrong = target:ne(0):logical_and(target:ne(1))
    if wrong:any():item() then
      raise(("%s: target must be 0 and 1, or booleans, where input is one score for each item"):format(self.__name))
    end
    target = target:ne(0)
  end
  return target:long() + 1
end

--- What a batch says: predicted labels and true ones, one dimension each, how many classes there are now, whether they
--- are two by one score for each item, and the scores by rows if there are any. The state is left to the caller.
local function labels_of(self, input, target)
  input, target = base.tensor(self, "input", input), base.tensor(self, "target", target)
  if is_floating(input) and core.same_shape(input, target) then -- one score for each item: two classes
    if self.num_classes and self.num_classes ~= 2 then
      raise(("%s: input has one score for each item, but there are more than two classes"):format(self.__name))
    end
    check_kind(self, true)
    return (input:gt(self.threshold):long() + 1):flatten(), binary_labels(self, target):flatten(), 2, true
  end
  local scores = is_floating(input) and input.ndim >= 2 and input
  check_target(self, scores, input, target)
  check_kind(self, false)
  if scores and scores:size(2) == 0 then
    raise(("%s: input has scores for no class: its shape is %s"):format(self.__name, input.shape))
  end
  local rows = scores and rows_of(scores)
  local predicted, truth = rows and rows:argmax(-1) or input:long():flatten(), target:long():flatten()
  local kept = truth:ne(self.ignore_index)
  if not kept:all():item() then
    predicted, truth, rows = predicted[kept], truth[kept], rows and rows[kept]
  end
  return predicted, truth, classes_of(self, scores, predicted, truth), false, rows
end

--- How often each label from 1 to n stands there.
local function counts(labels, n)
  return labels:bincount({minlength = n})
end

--- Counts of a state with zeros for classes that have come since.
local function grown(tensor, n)
  if tensor:size(1) >= n then return tensor end
  local larger = nl.zeros(n, {dtype = tensor.dtype})
  larger:narrow(1, 1, tensor:size(1)):copy_(tensor)
  return larger
end

-- ------------------------------------------------------------------- averages

local averages = {micro = true, macro = true, weighted = true, none = true}

local function check_average(self, average)
  if average == nil then return "none" end
  if not averages[average] then
    raise(("%s: average must be 'micro', 'macro', 'weighted' or 'none', not '%s'"):format(self.__name, average))
  end
  return average
end

--- Values by class, where nothing was counted 0, as one: the mean of those classes that are there, or weighted by how
--- often each is right.
local function averaged(average, values, present, support)
  values = values:nan_to_num(0.0)
  if average == "none" then return values:float() end
  local weights = (average == "macro" and present or support):double()
  local total = weights:sum():item()
  return base.share((values * weights):sum():item(), total)
end

-- What counts by class: tp (predicted and true), predicted, support (true).
local Counted = base.class "metrics.Counted"

local function parser_of(name)
  return args.parser(name, {
    {"average", "string?", "micro"}, {"num_classes", "integer?"}, {"threshold", "number", 0.5},
    {"ignore_index", "integer", -100},
  })
end

function Counted:_setup(average, num_classes, threshold, ignore_index)
  self.num_classes, self.threshold, self.ignore_index = num_classes, threshold, ignore_index
  self.average = check_average(self, average)
  if num_classes and num_classes < 2 then
    raise(("%s: num_classes must be from 2 on, not %d"):format(self.__name, num_classes))
  end
  self:reset()
end

function Counted:empty() -- luacheck: no self
  local function zeros() return nl.zeros(0, {dtype = nl.int64}) end
  return {classes = 0, binary = false, tp = zeros(), predicted = zeros(), support = zeros()}
end

--- Counts a batch: scores (N, C, …) of which the largest is predicted, or labels (N, …), with target (N, …) of labels
--- from 1; or one score for each item, predicted where it is greater than the threshold, with target 0 and 1 or
--- booleans.
---@param input Tensor
---@param target Tensor
function Counted:update(input, target)
  local predicted, truth, n, is_binary = labels_of(self, input, target)
  local state = self.state
  state.classes, state.binary = n, is_binary
  local function add(name, labels) state[name] = grown(state[name], n) + counts(labels, n) end
  add("tp", truth[predicted:eq(truth)])
  add("predicted", predicted)
  add("support", truth)
  return self
end

--- The value of parts over wholes by class; of two classes the second's, where there is one score for each item.
function Counted:_ratio(part, whole)
  local state = self.state
  if state.classes == 0 then return self.average == "none" and nl.zeros(0) or nl.nan end
  if state.binary and self.average == "micro" then
    return whole[2]:item() ~= 0 and part[2]:item() / whole[2]:item() or 0.0
  elseif self.average == "micro" then
    return base.share(part:sum():item(), whole:sum():item())
  end
  local present = (state.predicted + state.support):gt(0)
  return averaged(self.average, part:double() / whole:double(), present, state.support)
end

-- ------------------------------------------------------------------- accuracy

--- The share of what was right: `Accuracy({average = "micro", top_k = 1, num_classes = nil, threshold = 0.5,
--- ignore_index = -100})`. With top_k = k an item is right if fewer than k classes have a greater score than the right
--- one. average = "macro" is the mean over the classes that occur in targets, "none" a tensor of one value for each
--- class. Input is scores (N, C, …), labels (N, …), or one score for each item, which says yes where it is greater than
--- threshold (0 for logits).
---     > scores = nl.tensor {{0.1, 0.9}, {0.8, 0.2}, {0.3, 0.7}}
---     > nl.metrics.Accuracy():update(scores, nl.tensor {2, 1, 1}):compute()
---     0.66666666666667
---@class Accuracy: Metric
local Accuracy = base.class("metrics.Accuracy", Counted)

local parse_accuracy = args.parser(Accuracy.__name, {
  {"average", "string?", "micro"}, {"top_k", "integer", 1}, {"num_classes", "integer?"}, {"threshold", "number", 0.5},
  {"ignore_index", "integer", -100},
})

function Accuracy:init(...)
  local average, top_k, num_classes, threshold, ignore_index = parse_accuracy(...)
  if top_k < 1 then raise(("%s: top_k must be from 1 on, not %d"):format(self.__name, top_k)) end
  self.top_k = top_k
  self:_setup(average, num_classes, threshold, ignore_index)
end

function Accuracy:empty() -- luacheck: no self
  local function zeros() return nl.zeros(0, {dtype = nl.int64}) end
  return {classes = 0, binary = false, right = zeros(), support = zeros()}
end

--- Which rows are right: fewer than k scores are greater than the true one's; never where that is nan.
local function right_in(rows, truth, k)
  local own = rows:gather(2, truth:unsqueeze(2))
  return rows:le(own):logical_not():sum(2):lt(k)
end

--- Counts a batch; see the class.
---@param input Tensor
---@param target Tensor
function Accuracy:update(input, target)
  local predicted, truth, classes, is_binary, rows = labels_of(self, input, target)
  if self.top_k > 1 and not rows then
    raise(("%s: top_k = %d needs scores for all classes"):format(self.__name, self.top_k))
  end
  local right = self.top_k > 1 and right_in(rows, truth, self.top_k) or predicted:eq(truth)
  local state = self.state
  state.classes, state.binary = classes, is_binary
  local function add(name, labels)
    if self.average == "micro" then
      state[name] = grown(state[name], 1) + labels:numel()
    else
      state[name] = grown(state[name], classes) + counts(labels, classes)
    end
  end
  add("right", truth[right])
  add("support", truth)
  return self
end

function Accuracy:compute()
  local state = self.state
  if self.average == "micro" or state.classes == 0 then
    if self.average == "none" then return nl.zeros(0) end
    return base.share(state.right:sum():item(), state.support:sum():item())
  end
  return averaged(self.average, state.right:double() / state.support:double(), state.support:gt(0), state.support)
end

--- The share of items whose right class is among the k greatest scores: Accuracy with top_k = k.
--- `TopKAccuracy(k = 5)`.
---     > scores = nl.tensor {{0.1, 0.5, 0.4}, {0.7, 0.2, 0.1}}
---     > nl.metrics.TopKAccuracy(2):update(scores, nl.tensor {3, 3}):compute()
---     0.5
---@class TopKAccuracy: Accuracy
local TopKAccuracy = base.class("metrics.TopKAccuracy", Accuracy)

local parse_top_k = args.parser(TopKAccuracy.__name, {{"k", "integer", 5}, {"ignore_index", "integer", -100}})

function TopKAccuracy:init(...)
  local k, ignore_index = parse_top_k(...)
  Accuracy.init(self, {top_k = k, ignore_index = ignore_index})
end

-- -------------------------------------------------- precision, recall, F1

local function define(name)
  local new = base.class("metrics." .. name, Counted)
  classification[name] = new
  return new, parser_of(new.__name)
end

--- The share of what was predicted as a class that is of it: `Precision({average = "micro", num_classes = nil,
--- threshold = 0.5, ignore_index = -100})`. "micro" counts all classes together, "macro" is the mean of the classes
--- that occur, in targets or predictions, "weighted" weighs them by how often they occur in targets, "none" is a tensor
--- of one value for each class. A class that was never predicted has 0. With one score for each item it is that of the
--- class yes.
---     > metric = nl.metrics.Precision {average = "macro"}
---     > metric:update(nl.tensor {1, 1, 2, 2}, nl.tensor {1, 2, 2, 2}):compute()
---     0.75
---@class Precision: Metric
local Precision, parse_precision = define "Precision"

function Precision:init(...) self:_setup(parse_precision(...)) end

function Precision:compute() return self:_ratio(self.state.tp, self.state.predicted) end

--- The share of a class that was predicted as it: `Recall({average = "micro", num_classes = nil, threshold = 0.5,
--- ignore_index = -100})`, with the averages of Precision.
---     > metric = nl.metrics.Recall {average = "none"}
---     > metric:update(nl.tensor {1, 1, 2, 2}, nl.tensor {1, 2, 2, 2}):compute()
---     tensor([1.0000, 0.6667])
---@class Recall: Metric
local Recall, parse_recall = define "Recall"

function Recall:init(...) self:_setup(parse_recall(...)) end

function Recall:compute() return self:_ratio(self.state.tp, self.state.support) end

--- The harmonic mean of precision and recall: `F1Score({average = "micro", num_classes = nil, threshold = 0.5,
--- ignore_index = -100})`, with the averages of Precision.
---     > metric = nl.metrics.F1Score {average = "macro"}
---     > metric:update(nl.tensor {1, 1, 2, 2}, nl.tensor {1, 2, 2, 2}):compute()
---     0.73333333333333
---@class F1Score: Metric
local F1Score, parse_f1 = define "F1Score"

function F1Score:init(...) self:_setup(parse_f1(...)) end

function F1Score:compute()
  local state = self.state
  return self:_ratio(state.tp * 2, state.predicted + state.support)
end

-- ------------------------------------------------------------------ confusion

--- How often items of one class (rows) were predicted as another (columns): a tensor of int64.
--- `ConfusionMatrix({num_classes = nil, normalize = nil, threshold = 0.5, ignore_index = -100})`; normalize = "true"
--- divides by the rows' sums, "pred" by the columns', "all" by the sum of all.
---     > metric = nl.metrics.ConfusionMatrix()
---     > metric:update(nl.tensor {1, 1, 2, 2}, nl.tensor {1, 2, 2, 2}):compute()
---     tensor([[1, 0],
---             [1, 2]])
---@class ConfusionMatrix: Metric
local ConfusionMatrix = base.class("metrics.ConfusionMatrix", Counted)

local parse_confusion = args.parser(ConfusionMatrix.__name, {
  {"num_classes", "integer?"}, {"normalize", "string?"}, {"threshold", "number", 0.5},
  {"ignore_index", "integer", -100},
})

-- The most classes of a matrix: it would have 32 GB.
local MOST_SIDE = 1 << 16

local normalized = {
  ["true"] = function(m) return m / m:sum(2, true) end, pred = function(m) return m / m:sum(1, true) end,
  all = function(m) return m / m:sum() end,
}

function ConfusionMatrix:init(...)
  local num_classes, normalize, threshold, ignore_index = parse_confusion(...)
  if normalize and not normalized[normalize] then
    raise(("%s: normalize must be 'true', 'pred' or 'all', not '%s'"):format(self.__name, normalize))
  end
  self.normalize = normalize
  self:_setup("none", num_classes, threshold, ignore_index)
end

function ConfusionMatrix:empty() -- luacheck: no self
  return {classes = 0, binary = false, counts = nl.zeros(0, 0, {dtype = nl.int64})}
end

--- Counts a batch; input and target as those of Precision.
---@param input Tensor
---@param target Tensor
function ConfusionMatrix:update(input, target)
  local predicted, truth, n, is_binary = labels_of(self, input, target)
  if n > MOST_SIDE then
    raise(("%s: a matrix of %d classes has too many elements: there may be %d"):format(self.__name, n, MOST_SIDE))
  end
  local state = self.state
  local pairs_of = counts((truth - 1) * n + predicted, n * n):view(n, n)
  local before = state.counts:size(1)
  pairs_of:narrow(1, 1, before):narrow(2, 1, before):add_(state.counts)
  state.classes, state.binary, state.counts = n, is_binary, pairs_of
  return self
end

function ConfusionMatrix:compute()
  local matrix = self.state.counts:clone()
  if not self.normalize then return matrix end
  return normalized[self.normalize](matrix:double()):nan_to_num(0.0):float()
end

classification.Accuracy, classification.TopKAccuracy = Accuracy, TopKAccuracy
classification.ConfusionMatrix = ConfusionMatrix

return classification
