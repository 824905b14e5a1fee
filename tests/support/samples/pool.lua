-- Samples of the rows of src/ops/nn/pool.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local real = inputs.real

local function one_dimension(own)
  return function()
    local list = {{real(2, 2, 6), 2}, {real(2, 7), 3, 2, 1}}
    for _, sample in ipairs(own()) do table.insert(list, sample) end
    return list
  end
end

local function two_dimensions(own)
  return function()
    local list = {{real(1, 2, 4, 6), 2}, {real(2, 5, 4), {3, 2}, {2, 1}, {1, 0}}}
    for _, sample in ipairs(own()) do table.insert(list, sample) end
    return list
  end
end

local function three_dimensions(own)
  return function()
    local list = {{real(1, 2, 2, 4, 3), 2}, {real(1, 3, 4, 2), {2, 3, 1}, {1, 2, 1}, {1, 0, 0}}}
    for _, sample in ipairs(own()) do table.insert(list, sample) end
    return list
  end
end

local function none() return {} end

return {
  max_pool3d = three_dimensions(function()
    return {{real(1, 3, 4, 3), 2, {dilation = {1, 2, 1}, padding = {0, 1, 0}, return_indices = true}}}
  end),
  max_pool3d_with_indices = three_dimensions(none),
  avg_pool3d = three_dimensions(function()
    return {{real(1, 2, 3, 3), 2, {padding = 1, ceil_mode = true, count_include_pad = false}}}
  end),
  adaptive_max_pool3d = function() return {{real(1, 3, 4, 3), {2, 3, 2}}, {real(1, 2, 3, 2, 2), 2, true}} end,
  adaptive_avg_pool3d = function() return {{real(1, 2, 4, 2, 3), 2}, {real(1, 3, 4, 3), {2, 3, 2}}} end,
  lp_pool1d = function() return {{real(1, 2, 6):abs(), 2, 2}, {real(2, 5):abs(), 3, 2, {stride = 1}}} end,
  lp_pool2d = function() return {{real(1, 4, 6):abs(), 2, 2}, {real(1, 2, 4, 3):abs(), 1.5, {2, 3}, {stride = 1}}} end,
  lp_pool3d = function() return {{real(1, 2, 4, 2):abs(), 2, 2}} end,
  max_pool1d = one_dimension(function()
    return {{real(2, 9), 2, {stride = 3, dilation = 2, ceil_mode = true, return_indices = true}}}
  end),
  max_pool1d_with_indices = one_dimension(none),
  max_pool2d = two_dimensions(function()
    return {{real(1, 6, 5), 2, {dilation = {2, 1}, padding = {0, 1}, ceil_mode = true, return_indices = true}}}
  end),
  max_pool2d_with_indices = two_dimensions(none),
  avg_pool1d = one_dimension(function()
    return {{real(1, 2, 6), 3, {padding = 1, ceil_mode = true, count_include_pad = false}}}
  end),
  avg_pool2d = two_dimensions(function()
    return {{real(2, 4, 5), 2, {padding = 1, ceil_mode = true, divisor_override = 3}}}
  end),
  adaptive_max_pool1d = function() return {{real(2, 3, 5), 2}, {real(2, 5), 3, true}} end,
  adaptive_max_pool2d = function() return {{real(1, 2, 5, 4), {2, 3}}, {real(2, 4, 4), 2, true}} end,
  adaptive_avg_pool1d = function() return {{real(2, 3, 6), 2}, {real(2, 5), 3}} end,
  adaptive_avg_pool2d = function() return {{real(1, 2, 5, 4), {2, 3}}, {real(2, 4, 4), 2}} end,
  adaptive_max_pool1d_with_indices = function() return {{real(2, 3, 5), 2}} end,
  adaptive_max_pool2d_with_indices = function() return {{real(2, 5, 4), {2, 3}}} end,
  adaptive_max_pool3d_with_indices = function() return {{real(1, 3, 4, 3), 2}} end,
}
