-- nl.metrics: how good a model is, counted over batches. Each file is read when one of its names is first asked for.

local base = require "nnlua.metrics.base"
local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

--- Metrics: `local accuracy = nl.metrics.Accuracy()`, then `accuracy:update(scores, labels)` for each batch,
--- `accuracy:compute()` for the value of all of them, `accuracy:reset()` before the next pass.
local metrics = {Metric = base.Metric, class = base.class}

local function guard_classes(classes)
  guard.classes(classes, {levelled = {"state_dict", "load_state_dict", "reset"}})
end

guard_classes {metrics.Metric}

return on_demand.fields(metrics, guard_classes, {
  ["nnlua.metrics.classification"] = "Accuracy TopKAccuracy Precision Recall F1Score ConfusionMatrix",
  ["nnlua.metrics.ranking"] = "AUROC",
  ["nnlua.metrics.means"] = "Mean RunningMean MeanSquaredError MeanAbsoluteError Perplexity",
})
