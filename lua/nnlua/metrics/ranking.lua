-- Metrics of order: how well scores part one class from the others.

local args = require "nnlua.args"
local base = require "nnlua.metrics.base"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local ranking = {}

local raise = core.raise

--- The area under the ROC curve: how likely an item of the class has a greater score than one that isn't, ties counting
--- half. `AUROC({average = "macro"})`. Input is one score for each item (N) with target 0 and 1 or booleans, or scores
--- (N, C) with labels from 1, each class against the rest: "macro" is their mean, "weighted" one by how often they
--- occur, "none" a tensor. A class of which there is none, or nothing else, has nan and is left out of the mean. Scores
--- are kept until reset.
---     > scores, target = nl.tensor {0.1, 0.4, 0.35, 0.8}, nl.tensor {0, 0, 1, 1}
---     > nl.metrics.AUROC():update(scores, target):compute()
---     0.75
---@class AUROC: Metric
local AUROC = base.class "metrics.AUROC"

local parse = args.parser(AUROC.__name, {{"average", "string?", "macro"}})

function AUROC:init(...)
  local average = parse(...) or "none"
  if average ~= "macro" and average ~= "weighted" and average ~= "none" then
    raise(("%s: average must be 'macro', 'weighted' or 'none', not '%s'"):format(self.__name, average))
  end
  self.average = average
  self:reset()
end

function AUROC:empty() return {scores = {}, targets = {}} end -- luacheck: no self

--- Keeps a batch: scores (N) with target 0 and 1 or booleans, or (N, C) with labels from 1.
---@param input Tensor
---@param target Tensor
function AUROC:update(input, target)
  input, target = base.tensor(self, "input", input), base.tensor(self, "target", target)
  if input.ndim < 1 or input.ndim > 2 or target.ndim ~= 1 or input:size(1) ~= target:size(1) then
    raise(("%s: input must be (N) or (N, C) and target (N), not of shapes %s and %s"):format(self.__name, input.shape,
      target.shape))
  end
  local first = self.state.scores[1]
  if first and (first.ndim ~= input.ndim or first.ndim == 2 and first:size(2) ~= input:size(2)) then
    raise(("%s: input has shape %s, but that of a batch before had %s"):format(self.__name, input.shape, first.shape))
  end
  local classes = input.ndim == 2 and input:size(2)
  local low, high = classes and 1 or 0, classes or 1
  local labels = target:double()
  if labels:lt(low):logical_or(labels:gt(high)):logical_or(labels:ne(labels:floor())):any():item() then
    raise(("%s: target must be %s"):format(self.__name, classes and ("labels from 1 to %d"):format(classes)
      or "0 and 1, or booleans"))
  end
  table.insert(self.state.scores, input:double():clone()) -- of doubles, double() gives the caller's own
  table.insert(self.state.targets, labels:clone())
  return self
end

--- Goes on from what state_dict gave.
---     > before = nl.metrics.AUROC():update(nl.tensor {0.1, 0.8}, nl.tensor {0, 1})
---     > after = nl.metrics.AUROC()
---     > after:load_state_dict(before:state_dict())
---     > after:compute()
---     1.0
---@param state_dict table
function AUROC:load_state_dict(state_dict)
  local before = self.state
  AUROC.super.load_state_dict(self, state_dict)
  local scores, targets = self.state.scores, self.state.targets
  local fits = #scores == #targets
  for i = 1, #scores do fits = fits and core.is_tensor(scores[i]) and core.is_tensor(targets[i]) end
  if fits then return end
  self.state = before
  raise(("load_state_dict: what state_dict() of a %s gave is wanted: a target for each tensor of scores"):format(
    self.__name))
end

--- The area for scores and truth values, by the mean rank of those that are true among all (Mann and Whitney's U).
local function area(scores, is_true)
  local n, positive = scores:size(1), is_true:sum():item()
  if positive == 0 or positive == n or scores:isnan():any():item() then return nl.nan end
  local sorted = scores:sort()
  local below, up_to = nl.searchsorted(sorted, scores) - 1, nl.searchsorted(sorted, scores, {right = true}) - 1
  local ranks = (below + up_to + 1):double() / 2
  local sum = ranks[is_true]:sum():item()
  return (sum - positive * (positive + 1) / 2) / (positive * (n - positive))
end

function AUROC:compute()
  if #self.state.scores == 0 then return self.average == "none" and nl.zeros(0) or nl.nan end
  local scores, target = nl.cat(self.state.scores, 1), nl.cat(self.state.targets, 1)
  if scores.ndim == 1 then return area(scores, target:eq(1)) end
  local areas, weights, total, sum = {}, {}, 0, 0
  for c = 1, scores:size(2) do
    local is_class = target:eq(c)
    areas[c] = area(scores:select(2, c), is_class)
    weights[c] = self.average == "weighted" and is_class:sum():item() or 1
    if areas[c] == areas[c] then total, sum = total + weights[c], sum + weights[c] * areas[c] end
  end
  return self.average == "none" and nl.tensor(areas) or base.share(sum, total)
end

ranking.AUROC = AUROC

return ranking
