-- Samples of the rows of src/ops/nn/losses.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive, positions = inputs.real, inputs.positive, inputs.positions

local function signs(...)
  return nl.tensor({...}, {dtype = nl.float64})
end

--- Vectors of different lengths, so that no norm is at a corner.
local function two() return real(2, 3), real(2, 3) end

return {
  mse_loss = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), {reduction = "none"}}} end,
  smooth_l1_loss = function()
    local a, b = two()
    return {{a, b}, {a, b, {beta = 0.6, reduction = "none"}}, {a, b, {reduction = "sum"}}}
  end,
  huber_loss = function()
    local a, b = two()
    return {{a, b}, {a, b, "none", 0.6}}
  end,
  binary_cross_entropy = function()
    return {{positive(2, 3), positive(2, 3)}, {positive(2, 3), positive(2, 3), positive(3), {reduction = "none"}}}
  end,
  binary_cross_entropy_with_logits = function()
    return {
      {real(2, 3), positive(2, 3)},
      {real(2, 3), positive(2, 3), positive(3), {pos_weight = positive(3), reduction = "sum"}},
    }
  end,
  kl_div = function()
    return {
      {real(2, 3), positive(2, 3)}, {real(2, 3), real(2, 3), {log_target = true, reduction = "batchmean"}},
    }
  end,
  poisson_nll_loss = function()
    return {{real(2, 3), positive(2, 3)}, {positive(2, 3), positive(2, 3), false, true}}
  end,
  gaussian_nll_loss = function()
    return {{real(2, 3), real(2, 3), positive(2, 3)}, {real(2, 3), real(2, 3), positive(2), true}}
  end,
  hinge_embedding_loss = function() return {{real(4), signs(1, -1, 1, -1), fixed = {2}}} end,
  margin_ranking_loss = function() return {{real(4), real(4), signs(1, -1, 1, -1), 0.1, fixed = {3}}} end,
  cosine_embedding_loss = function() return {{real(2, 3), real(2, 3), signs(1, -1), -0.5, fixed = {3}}} end,
  multi_margin_loss = function()
    return {{real(2, 3), positions({2}, 3, 1)}, {real(2, 3), positions({2}, 2, 2), 2, 0.7, positive(3)}}
  end,
  multilabel_margin_loss = function() return {{real(2, 3), positions({2, 3}, 3, 1, -1, 2, -1, 1)}} end,
  triplet_margin_loss = function()
    return {{real(2, 3), real(2, 3), real(2, 3), 5}, {real(2, 3), real(2, 3), real(2, 3), 5, 3, {swap = true}}}
  end,
}
