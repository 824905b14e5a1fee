-- Samples of the rows of src/ops/reduce/masked.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

local function mask() return nl.tensor {{true, false, true}, {true, true, false}} end

--- With a mask, over all, and without one, along a dimension.
local function reduction() return {{real(2, 3), nil, false, nil, mask(), n = 5}, {real(2, 3), 2, true}} end
local function along() return {{real(2, 3), 2, nil, mask(), n = 4}, {real(2, 3), 1}} end
local function one_dim() return {{real(2, 3), 2, false, nil, mask(), n = 5}, {real(2, 3), 1, true}} end
local function deviation() return {{real(2, 3), 2, true, nil, false, nil, mask(), n = 7}, {real(2, 3), 1, false}} end

return {
  masked_sum = reduction, masked_prod = reduction, masked_mean = reduction, masked_amax = reduction,
  masked_amin = reduction, masked_logsumexp = reduction,
  masked_median = one_dim, masked_argmax = one_dim, masked_argmin = one_dim,
  masked_var = deviation, masked_std = deviation,
  masked_logaddexp = function()
    return {{real(2, 3), real(2, 3), nil, mask(), mask():logical_not(), n = 5}, {real(2, 3), real(3)}}
  end,
  masked_norm = function() return {{real(2, 3), 2, 2, false, nil, mask(), n = 6}, {real(2, 3), 3}} end,
  masked_normalize = function() return {{real(2, 3), 2, 2, 1e-12, nil, mask(), n = 6}, {real(2, 3), 2, 1}} end,
  masked_cumsum = along, masked_cumprod = along, masked_softmax = along, masked_softmin = along,
  masked_log_softmax = function() -- minus infinity has no difference
    return {{real(2, 3), 2, nil, nl.ones(3, {dtype = nl.bool}), n = 4}}
  end,
}
