-- Samples of the rows of src/ops/nn/placed_pool.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

--- Where the windows of a sample lie, so that each call gives the same.
local function placed(channels, dims)
  local numbers = {0.743, 0.363, 0.228, 0.559, 0.18, 0.9}
  local flat = {table.unpack(numbers, 1, channels * dims)}
  return nl.tensor(flat, {dtype = nl.float64}):reshape(1, channels, dims)
end

return {
  max_unpool1d = function()
    return {
      {real(1, 2, 2), nl.tensor({{{2, 3}, {1, 4}}}), 2},
      {real(1, 2), nl.tensor({{1, 5}}), 3, {stride = 2, output_size = {6}}},
    }
  end,
  max_unpool2d = function() return {{real(1, 1, 2), nl.tensor({{{2, 7}}}), 2}} end,
  max_unpool3d = function() return {{real(1, 1, 1, 2), nl.tensor({{{{2, 7}}}}), 2}} end,
  fractional_max_pool2d = function()
    return {
      {real(1, 2, 5, 6), 2, {output_size = 3, _random_samples = placed(2, 2), return_indices = true}},
      {real(1, 6, 5), {2, 1}, {output_ratio = 0.5, _random_samples = placed(1, 2)}},
    }
  end,
  fractional_max_pool3d = function()
    return {{real(1, 1, 4, 5, 4), 2, {output_size = {2, 3, 1}, _random_samples = placed(1, 3)}}}
  end,
  fractional_max_pool2d_with_indices = function()
    return {{real(1, 2, 5, 6), 2, {output_size = 3, _random_samples = placed(2, 2)}}}
  end,
  fractional_max_pool3d_with_indices = function()
    return {{real(1, 1, 4, 5, 4), 2, {output_size = {2, 3, 1}, _random_samples = placed(1, 3)}}}
  end,
}
