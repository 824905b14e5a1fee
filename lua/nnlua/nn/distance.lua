-- Distances of vectors, and the losses made of elements and distances, as modules.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local reduction_of = require "nnlua.nn.reduction"

local distance = {}

local F = nl.F
local format, raise = core.format, core.raise

--- The settings of most losses: those given, and then the reduction after the old flags of PyTorch's.
local function with_reduction(spec)
  local all = table.move(spec, 1, #spec, 1, {})
  return table.move({{"size_average", "boolean?"}, {"reduce", "boolean?"}, {"reduction", "string", "mean"}}, 1, 3,
    #spec + 1, all)
end

local is_old_flag = {size_average = true, reduce = true}

--- A class of losses with the settings of a spec, which become attributes, but for the old flags of PyTorch's; tensors
--- among them become buffers. `call(self, ...)` is its forward; own_reduction is one that only this class has.
local function define(name, spec, call, own_reduction)
  local class, parse = core.class("nn." .. name, Module), args.parser("nn." .. name, spec)
  function class:init(...)
    local values, by_name = table.pack(parse(...)), {}
    for i, setting in ipairs(spec) do
      local key = setting[1]
      by_name[key] = values[i]
      if setting[2] == "tensor?" then
        core.register_buffer(self, key, values[i])
      elseif not is_old_flag[key] then
        self[key] = values[i]
      end
    end
    if self.reduction ~= own_reduction then
      self.reduction = reduction_of("nn." .. name, by_name.size_average, by_name.reduce, by_name.reduction)
    end
  end
  class.forward = call
  distance[name] = class
  return class
end

-- ---------------------------------------------------------------- distances

--- The p-norm of the differences of vectors along the last dimension. `nn.PairwiseDistance(p = 2, eps = 1e-6,
--- keepdim = false)`.
--- Shapes: x1 and x2 (N, D) or (D); result (N) or ()
---     > nn.PairwiseDistance()(nl.tensor({{0.0, 0.0}}), nl.tensor({{3.0, 4.0}}))
---     tensor([5.0000])
---@class PairwiseDistance: Module
local PairwiseDistance = core.class("nn.PairwiseDistance", Module)

local parse_distance = args.parser("nn.PairwiseDistance", {
  {"p", "number", 2.0}, {"eps", "number", 1e-6}, {"keepdim", "boolean", false},
})

function PairwiseDistance:init(...)
  self.norm, self.eps, self.keepdim = parse_distance(...)
end

function PairwiseDistance:forward(x1, x2)
  return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
end

distance.PairwiseDistance = PairwiseDistance

--- The cosines of the angles of vectors along dim. `nn.CosineSimilarity(dim = 2, eps = 1e-8)`.
--- Shapes: x1 and x2 (*), broadcast; result without dim
---     > nn.CosineSimilarity()(nl.tensor({{3.0, 4.0}}), nl.tensor({{4.0, 3.0}}))
---     tensor([0.9600])
---@class CosineSimilarity: Module
local CosineSimilarity = core.class("nn.CosineSimilarity", Module)

local parse_cosine = args.parser("nn.CosineSimilarity", {{"dim", "integer", 2}, {"eps", "number", 1e-8}})

function CosineSimilarity:init(...)
  self.dim, self.eps = parse_cosine(...)
end

function CosineSimilarity:forward(x1, x2)
  return F.cosine_similarity(x1, x2, self.dim, self.eps)
end

distance.CosineSimilarity = CosineSimilarity

-- ------------------------------------------------------------------- losses

--- The mean distance of elements. `nn.L1Loss({reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.L1Loss()(nl.tensor({1.0, 5.0}), nl.tensor({2.0, 2.0}))
---     tensor(2.)
---@class L1Loss: Module
define("L1Loss", with_reduction {}, function(self, input, target)
  return F.l1_loss(input, target, {reduction = self.reduction})
end)

--- The mean distance, squared where it is below beta. `nn.SmoothL1Loss({reduction = "mean", beta = 1})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.SmoothL1Loss()(nl.tensor({0.0, 3.0}), nl.tensor({0.5, 0.0}))
---     tensor(1.3125)
---@class SmoothL1Loss: Module
define("SmoothL1Loss", {
  {"size_average", "boolean?"}, {"reduce", "boolean?"}, {"reduction", "string", "mean"}, {"beta", "number", 1.0},
}, function(self, input, target)
  return F.smooth_l1_loss(input, target, {reduction = self.reduction, beta = self.beta})
end)

--- Half the mean squared distance, but a multiple of the distance where that is above delta.
--- `nn.HuberLoss(reduction = "mean", delta = 1)`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.HuberLoss()(nl.tensor({0.0, 3.0}), nl.tensor({0.5, 0.0}))
---     tensor(1.3125)
---@class HuberLoss: Module
define("HuberLoss", {{"reduction", "string", "mean"}, {"delta", "number", 1.0}}, function(self, input, target)
  return F.huber_loss(input, target, self.reduction, self.delta)
end)

--- The cross entropy of probabilities and targets between 0 and 1. `nn.BCELoss(weight, {reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.BCELoss()(nl.tensor({0.5, 0.9}), nl.tensor({1.0, 1.0}))
---     tensor(0.3993)
---@class BCELoss: Module
define("BCELoss", with_reduction {{"weight", "tensor?"}}, function(self, input, target)
  return F.binary_cross_entropy(input, target, self.weight, {reduction = self.reduction})
end)

--- The cross entropy of sigmoid(input) and targets between 0 and 1, computed without the sigmoid.
--- `nn.BCEWithLogitsLoss(weight, {reduction = "mean", pos_weight})`; pos_weight multiplies the loss of positives.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.BCEWithLogitsLoss()(nl.tensor({0.0, 2.0}), nl.tensor({1.0, 1.0}))
---     tensor(0.4100)
---@class BCEWithLogitsLoss: Module
define("BCEWithLogitsLoss", {
  {"weight", "tensor?"}, {"size_average", "boolean?"}, {"reduce", "boolean?"}, {"reduction", "string", "mean"},
  {"pos_weight", "tensor?"},
}, function(self, input, target)
  return F.binary_cross_entropy_with_logits(input, target, self.weight,
    {reduction = self.reduction, pos_weight = self.pos_weight})
end)

--- The divergence of log-probabilities from target probabilities. `nn.KLDivLoss({reduction = "mean", log_target =
--- false})`; the mathematical mean over a batch is the reduction "batchmean".
--- Shapes: input (*) of log-probabilities and target (*); result (), with reduction "none" the same
---     > nn.KLDivLoss({reduction = "sum"})(nl.tensor({0.5, 0.5}):log(), nl.tensor({0.25, 0.75}))
---     tensor(0.1308)
---@class KLDivLoss: Module
define("KLDivLoss", {
  {"size_average", "boolean?"}, {"reduce", "boolean?"}, {"reduction", "string", "mean"},
  {"log_target", "boolean", false},
}, function(self, input, target)
  return F.kl_div(input, target, {reduction = self.reduction, log_target = self.log_target})
end, "batchmean")

--- How unlikely targets are under Poisson distributions of the rates e^input (or input).
--- `nn.PoissonNLLLoss({log_input = true, full = false, eps = 1e-8, reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.PoissonNLLLoss()(nl.tensor({0.0, 1.0}), nl.tensor({1.0, 2.0}))
---     tensor(0.8591)
---@class PoissonNLLLoss: Module
define("PoissonNLLLoss", {
  {"log_input", "boolean", true}, {"full", "boolean", false}, {"size_average", "boolean?"}, {"eps", "number", 1e-8},
  {"reduce", "boolean?"}, {"reduction", "string", "mean"},
}, function(self, log_input, target)
  return F.poisson_nll_loss(log_input, target, self.log_input, self.full, {eps = self.eps, reduction = self.reduction})
end)

--- How unlikely targets are under normal distributions of means and variances: `loss(input, target, var)`.
--- `nn.GaussianNLLLoss({full = false, eps = 1e-6, reduction = "mean"})`.
--- Shapes: input, target and var (*), broadcast; result (), with reduction "none" the same
---     > nn.GaussianNLLLoss()(nl.tensor({1.0}), nl.tensor({2.0}), nl.tensor({1.0}))
---     tensor(0.5000)
---@class GaussianNLLLoss: Module
define("GaussianNLLLoss", {
  {"full", "boolean", false}, {"eps", "number", 1e-6}, {"reduction", "string", "mean"},
}, function(self, input, target, var)
  return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
end)

--- input where the target is 1, and how far it is below margin where it is -1.
--- `nn.HingeEmbeddingLoss(margin = 1, {reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.HingeEmbeddingLoss()(nl.tensor({0.5, 0.5}), nl.tensor({1, -1}))
---     tensor(0.5000)
---@class HingeEmbeddingLoss: Module
define("HingeEmbeddingLoss", with_reduction {{"margin", "number", 1.0}}, function(self, input, target)
  return F.hinge_embedding_loss(input, target, self.margin, {reduction = self.reduction})
end)

--- How far input1 is from being larger (target 1) or smaller (target -1) than input2 by margin.
--- `nn.MarginRankingLoss(margin = 0, {reduction = "mean"})`.
--- Shapes: input1, input2 and target (N) or (), target of 1 and -1; result (), with reduction "none" (N)
---     > nn.MarginRankingLoss()(nl.tensor({1.0}), nl.tensor({3.0}), nl.tensor({1}))
---     tensor(2.)
---@class MarginRankingLoss: Module
define("MarginRankingLoss", with_reduction {{"margin", "number", 0.0}}, function(self, input1, input2, target)
  return F.margin_ranking_loss(input1, input2, target, self.margin, {reduction = self.reduction})
end)

--- 1 - cosine of pairs of vectors where the target is 1, and what it has over margin where it is -1.
--- `nn.CosineEmbeddingLoss(margin = 0, {reduction = "mean"})`.
--- Shapes: input1 and input2 (N, D) or (D), target (N) or () of 1 and -1; result (), with reduction "none" (N)
---     > nn.CosineEmbeddingLoss()(nl.tensor({{1.0, 0.0}}), nl.tensor({{0.0, 1.0}}), nl.tensor({1}))
---     tensor(1.)
---@class CosineEmbeddingLoss: Module
define("CosineEmbeddingLoss", with_reduction {{"margin", "number", 0.0}}, function(self, input1, input2, target)
  return F.cosine_embedding_loss(input1, input2, target, self.margin, {reduction = self.reduction})
end)

--- log(1 + e^(-target input)), for targets of 1 and -1. `nn.SoftMarginLoss({reduction = "mean"})`.
--- Shapes: input and target (*); result (), with reduction "none" the same
---     > nn.SoftMarginLoss()(nl.tensor({0.0, 2.0}), nl.tensor({1.0, -1.0}))
---     tensor(1.4100)
---@class SoftMarginLoss: Module
define("SoftMarginLoss", with_reduction {}, function(self, input, target)
  return F.soft_margin_loss(input, target, {reduction = self.reduction})
end)

--- The cross entropy of the sigmoids of all classes' scores, averaged over classes.
--- `nn.MultiLabelSoftMarginLoss(weight, {reduction = "mean"})`.
--- Shapes: input and target (N, C) or (C); result (), with reduction "none" (N) or ()
---     > nn.MultiLabelSoftMarginLoss()(nl.tensor({{0.0, 2.0}}), nl.tensor({{1.0, 0.0}}))
---     tensor(1.4100)
---@class MultiLabelSoftMarginLoss: Module
define("MultiLabelSoftMarginLoss", with_reduction {{"weight", "tensor?"}}, function(self, input, target)
  return F.multilabel_soft_margin_loss(input, target, self.weight, {reduction = self.reduction})
end)

--- How far the scores of all target classes are from being above the others' by 1. Targets are rows of classes from 1
--- on, ended by -1. `nn.MultiLabelMarginLoss({reduction = "mean"})`.
--- Shapes: input (N, C) or (C), target as input: classes from 1 on, then -1; result (), with reduction "none" (N) or
--- ()
---     > nn.MultiLabelMarginLoss()(nl.tensor({0.1, 0.2, 0.4, 0.8}), nl.tensor({4, 1, -1, 2}))
---     tensor(0.8500)
---@class MultiLabelMarginLoss: Module
define("MultiLabelMarginLoss", with_reduction {}, function(self, input, target)
  return F.multilabel_margin_loss(input, target, {reduction = self.reduction})
end)

--- How far the target's score is from being above all others' by margin, to the power p. Targets are classes from 1 on.
--- `nn.MultiMarginLoss(p = 1, margin = 1, weight, {reduction = "mean"})`.
--- Shapes: input (N, C) or (C), target (N) or () of classes from 1 on; result (), with reduction "none" (N)
---     > nn.MultiMarginLoss()(nl.tensor({0.1, 0.2, 0.4}), nl.tensor(3))
---     tensor(0.5000)
---@class MultiMarginLoss: Module
define("MultiMarginLoss", with_reduction {{"p", "integer", 1}, {"margin", "number", 1.0}, {"weight", "tensor?"}},
  function(self, input, target)
    return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, {reduction = self.reduction})
  end)

--- How far anchors are from being nearer to positives than to negatives by margin: `loss(anchor, positive, negative)`.
--- `nn.TripletMarginLoss(margin = 1, p = 2, {eps = 1e-6, swap = false, reduction = "mean"})`.
--- Shapes: anchor, positive and negative (N, D) or (D); result (), with reduction "none" (N)
---     > nn.TripletMarginLoss()(nl.tensor({{0.0}}), nl.tensor({{1.0}}), nl.tensor({{3.0}}))
---     tensor(0.)
---@class TripletMarginLoss: Module
define("TripletMarginLoss", with_reduction {{"margin", "number", 1.0}, {"p", "number", 2.0}, {"eps", "number", 1e-6},
  {"swap", "boolean", false}}, function(self, anchor, positive, negative)
  return F.triplet_margin_loss(anchor, positive, negative,
    {margin = self.margin, p = self.p, eps = self.eps, swap = self.swap, reduction = self.reduction})
end)

local parse_triplet = args.parser("triplet_margin_with_distance_loss", {
  {"anchor", "tensor"}, {"positive", "tensor"}, {"negative", "tensor"}, {"distance_function", "any?"},
  {"margin", "number", 1.0}, {"swap", "boolean", false}, {"reduction", "string", "mean"},
})

--- As triplet_margin_loss, with a distance of one's own: a function of two tensors, by default pairwise_distance.
---     > anchor, positive, negative = nl.tensor({{0.0}}), nl.tensor({{1.0}}), nl.tensor({{1.5}})
---     > distance = function(x, y) return (x - y):abs():sum(2) end
---     > F.triplet_margin_with_distance_loss(anchor, positive, negative, {distance_function = distance})
---     tensor(0.5000)
function F.triplet_margin_with_distance_loss(...)
  local anchor, positive, negative, f, margin, swap, reduction = parse_triplet(...)
  if margin <= 0 then raise(format("triplet_margin_with_distance_loss: margin must be positive, not %g", margin)) end
  f = f or F.pairwise_distance
  local near, far = f(anchor, positive), f(anchor, negative)
  if swap then far = nl.minimum(far, f(positive, negative)) end
  local losses = F.relu(near - far + margin)
  reduction = reduction_of("triplet_margin_with_distance_loss", nil, nil, reduction)
  return reduction == "mean" and losses:mean() or reduction == "sum" and losses:sum() or losses
end

--- As nn.TripletMarginLoss, with a distance of one's own. `nn.TripletMarginWithDistanceLoss({distance_function,
--- margin = 1, swap = false, reduction = "mean"})`.
--- Shapes: anchor, positive and negative as the distance takes them; result (), with reduction "none" as the distance
---     > nn.TripletMarginWithDistanceLoss()(nl.tensor({{0.0}}), nl.tensor({{1.0}}), nl.tensor({{1.5}}))
---     tensor(0.5000)
---@class TripletMarginWithDistanceLoss: Module
local TripletMarginWithDistanceLoss = core.class("nn.TripletMarginWithDistanceLoss", Module)

local parse_with_distance = args.parser("nn.TripletMarginWithDistanceLoss", {
  {"distance_function", "any?"}, {"margin", "number", 1.0}, {"swap", "boolean", false}, {"reduction", "string", "mean"},
})

function TripletMarginWithDistanceLoss:init(...)
  local f, margin, swap, reduction = parse_with_distance(...)
  if f ~= nil and type(f) ~= "function" and not core.is_module(f) then
    raise(("nn.TripletMarginWithDistanceLoss: distance_function is a function or a module, not %s"):format(
      core.describe(f)))
  end
  self.distance_function, self.margin, self.swap = f or PairwiseDistance(), margin, swap
  self.reduction = reduction_of("nn.TripletMarginWithDistanceLoss", nil, nil, reduction)
end

function TripletMarginWithDistanceLoss:forward(anchor, positive, negative)
  return F.triplet_margin_with_distance_loss(anchor, positive, negative, {distance_function = self.distance_function,
    margin = self.margin, swap = self.swap, reduction = self.reduction})
end

distance.TripletMarginWithDistanceLoss = TripletMarginWithDistanceLoss

--- How likely sequences of labels are under log-probabilities [steps, batch, classes], however they stretch over the
--- steps: `loss(log_probs, targets, input_lengths, target_lengths)`. `nn.CTCLoss(blank = 1, {reduction = "mean",
--- zero_infinity = false})`; blank is the class that stands for no label.
--- Shapes: log_probs (T, N, C), targets (N, S) or (sum of lengths) of classes counted from 1, input_lengths and
--- target_lengths (N); result (), with reduction "none" (N)
---     > nn.CTCLoss()(nl.zeros(2, 1, 2):log_softmax(3), nl.tensor({{2}}), nl.tensor({2}), nl.tensor({1}))
---     tensor(0.2877)
---@class CTCLoss: Module
define("CTCLoss", {
  {"blank", "integer", 1}, {"reduction", "string", "mean"}, {"zero_infinity", "boolean", false},
}, function(self, log_probs, targets, input_lengths, target_lengths)
  return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity)
end)

return distance
