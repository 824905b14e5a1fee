-- Samples of the rows of src/ops/nn/in_nl.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real, positive, positions = inputs.real, inputs.positive, inputs.positions

local function signs(...) return nl.tensor({...}, {dtype = nl.float64}) end

return {
  nl_batch_norm = function()
    return {
      {real(4, 2, 3), real(2), real(2), nil, nil, true, 0.1, 1e-5, n = 8},
      {real(3, 2), real(2), real(2), real(2), positive(2), false, 0.1, 1e-5, fixed = {4, 5}},
    }
  end,
  nl_instance_norm = function()
    return {{real(2, 3, 4), real(3), real(3), nil, nil, true, 0.1, 1e-5, n = 8}}
  end,
  nl_embedding = function() return {{real(4, 3), positions({2, 2}, 3, 1, 3, 2)}} end,
  nl_binary_cross_entropy_with_logits = function() return {{real(2, 3), positive(2, 3), positive(3), positive(3)}} end,
  nl_cosine_embedding_loss = function() return {{real(2, 3), real(2, 3), signs(1, -1), -0.5, fixed = {3}}} end,
  nl_hinge_embedding_loss = function() return {{real(4), signs(1, -1, 1, -1), fixed = {2}}} end,
  nl_kl_div = function() return {{real(2, 3), positive(2, 3)}, {real(2, 3), real(2, 3), "sum", true}} end,
  nl_margin_ranking_loss = function() return {{real(4), real(4), signs(1, -1, 1, -1), 0.1, fixed = {3}}} end,
  nl_poisson_nll_loss = function() return {{real(2, 3), positive(2, 3), true, false, 1e-8}} end,
  nl_triplet_margin_loss = function() return {{real(2, 3), real(2, 3), real(2, 3), 5}} end,
}
