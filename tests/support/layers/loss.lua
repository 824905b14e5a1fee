-- Samples of the layers of lua/nnlua/nn/loss.lua and distance.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive = inputs.real, inputs.positive

local function classes() return nl.tensor {2, 3} end
local function signs() return nl.tensor({1, -1}, {dtype = nl.float64}) end
local function pairs_of() return {real(2, 3), real(2, 3)} end

return {
  BCELoss = function()
    return {{positive(3), {reduction = "sum"}, inputs = {positive(2, 3), positive(2, 3)}, text = "BCELoss()"}}
  end,
  BCEWithLogitsLoss = function()
    return {{{pos_weight = positive(3)}, inputs = {real(2, 3), positive(2, 3)}, text = "BCEWithLogitsLoss()"}}
  end,
  CTCLoss = function()
    local lengths, target_lengths = nl.tensor {4, 4}, nl.tensor {2, 1}
    return {{{zero_infinity = true}, inputs = {real(4, 2, 3), nl.tensor {{2, 3}, {3, 3}}},
      call = function(loss, x, targets) return loss(x:log_softmax(3), targets, lengths, target_lengths) end,
      text = "CTCLoss()"}}
  end,
  CosineEmbeddingLoss = function()
    return {{0.25, inputs = {real(2, 3), real(2, 3), signs()}, text = "CosineEmbeddingLoss()"}}
  end,
  CosineSimilarity = function() return {{1, 0.5, inputs = pairs_of(), text = "CosineSimilarity()"}} end,
  CrossEntropyLoss = function()
    return {
      {positive(3), {ignore_index = 3, label_smoothing = 0.25}, inputs = {real(2, 3), classes()},
        text = "CrossEntropyLoss()"},
      {inputs = {real(2, 3), positive(2, 3)}, text = "CrossEntropyLoss()"},
    }
  end,
  GaussianNLLLoss = function()
    return {{true, inputs = {real(2, 3), real(2, 3), positive(2, 3)}, text = "GaussianNLLLoss()"}}
  end,
  HingeEmbeddingLoss = function() return {{0.5, inputs = {real(2), signs()}, text = "HingeEmbeddingLoss()"}} end,
  HuberLoss = function() return {{"sum", 0.5, inputs = pairs_of(), text = "HuberLoss()"}} end,
  KLDivLoss = function()
    return {{{reduction = "batchmean"}, inputs = {real(2, 3), positive(2, 3)}, text = "KLDivLoss()"}}
  end,
  L1Loss = function() return {{{reduction = "none"}, inputs = pairs_of(), text = "L1Loss()"}} end,
  MSELoss = function() return {{inputs = pairs_of(), text = "MSELoss()"}} end,
  MarginRankingLoss = function()
    return {{0.5, inputs = {real(2), real(2), signs()}, text = "MarginRankingLoss()"}}
  end,
  MultiLabelMarginLoss = function()
    return {{inputs = {real(2, 3), nl.tensor {{2, -1, 1}, {3, 1, -1}}}, text = "MultiLabelMarginLoss()"}}
  end,
  MultiLabelSoftMarginLoss = function()
    return {{positive(3), inputs = {real(2, 3), positive(2, 3)}, text = "MultiLabelSoftMarginLoss()"}}
  end,
  MultiMarginLoss = function()
    return {{2, 0.5, positive(3), inputs = {real(2, 3), classes()}, text = "MultiMarginLoss()"}}
  end,
  NLLLoss = function()
    return {{positive(3), {ignore_index = 3}, inputs = {real(2, 3), classes()}, text = "NLLLoss()"}}
  end,
  PairwiseDistance = function() return {{3, {keepdim = true}, inputs = pairs_of(), text = "PairwiseDistance()"}} end,
  PoissonNLLLoss = function()
    return {{false, true, inputs = {positive(2, 3), real(2, 3):abs()}, text = "PoissonNLLLoss()"}}
  end,
  SmoothL1Loss = function() return {{{beta = 0.5}, inputs = pairs_of(), text = "SmoothL1Loss()"}} end,
  SoftMarginLoss = function() return {{inputs = {real(2), signs()}, text = "SoftMarginLoss()"}} end,
  TripletMarginLoss = function()
    return {{2, {swap = true}, inputs = {real(2, 3), real(2, 3), real(2, 3)}, text = "TripletMarginLoss()"}}
  end,
  TripletMarginWithDistanceLoss = function()
    return {
      {inputs = {real(2, 3), real(2, 3), real(2, 3)},
        text = "TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)"},
      {function(a, b) return (a - b):abs():sum(-1) end, inputs = {real(2, 3), real(2, 3), real(2, 3)},
        text = "TripletMarginWithDistanceLoss()"},
    }
  end,
}
