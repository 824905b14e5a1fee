-- Samples of the layers of lua/nnlua/nn/normalization.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  BatchNorm1d = function()
    return {
      {3, text = "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"},
      {3, {eps = 0.5, momentum = 0.25, affine = false, track_running_stats = false}, inputs = {real(2, 3, 2)},
        text = "BatchNorm1d(3, eps=0.5, momentum=0.25, affine=False, bias=False, track_running_stats=False)"},
    }
  end,
  BatchNorm2d = function()
    return {{3, inputs = {real(2, 3, 1, 2)},
      text = "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"},
      {3, {bias = false}, inputs = {real(2, 3, 1, 2)},
        text = "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"}}
  end,
  BatchNorm3d = function()
    return {{2, inputs = {real(2, 2, 1, 2, 2)},
      text = "BatchNorm3d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  GroupNorm = function()
    return {{2, 4, {eps = 0.5}, inputs = {real(2, 4, 2)}, text = "GroupNorm(2, 4, eps=0.5, affine=True, bias=True)"},
      {2, 4, {bias = false}, inputs = {real(2, 4, 2)}, text = "GroupNorm(2, 4, eps=1e-05, affine=True, bias=False)"}}
  end,
  InstanceNorm1d = function()
    return {{2, inputs = {real(2, 2, 3)},
      text = "InstanceNorm1d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)"}}
  end,
  InstanceNorm2d = function()
    return {{2, {affine = true, track_running_stats = true}, inputs = {real(2, 2, 2, 2)},
      text = "InstanceNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  InstanceNorm3d = function()
    return {{2, {affine = true}, inputs = {real(1, 2, 2, 1, 2)},
      text = "InstanceNorm3d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=False)"},
      {2, {affine = true, bias = false}, inputs = {real(1, 2, 2, 1, 2)},
        text = "InstanceNorm3d(2, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=False)"}}
  end,
  LayerNorm = function()
    return {
      {{2, 3}, inputs = {real(2, 2, 3)}, text = "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=True)"},
      {3, {bias = false}, text = "LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=False)"},
    }
  end,
  RMSNorm = function()
    return {
      {3, text = "RMSNorm((3,), eps=None, elementwise_affine=True)"},
      {{2, 3}, 0.5, false, inputs = {real(2, 2, 3)}, text = "RMSNorm((2, 3), eps=0.5, elementwise_affine=False)"},
    }
  end,
  SyncBatchNorm = function()
    return {{3, {eps = 0.5}, inputs = {real(2, 3, 2)},
      text = "SyncBatchNorm(3, eps=0.5, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyBatchNorm1d = function()
    return {{inputs = {real(2, 3)},
      text = "LazyBatchNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyBatchNorm2d = function()
    return {{inputs = {real(2, 3, 1, 2)},
      text = "LazyBatchNorm2d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyBatchNorm3d = function()
    return {{inputs = {real(2, 2, 1, 2, 2)},
      text = "LazyBatchNorm3d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyInstanceNorm1d = function()
    return {{inputs = {real(2, 2, 3)},
      text = "LazyInstanceNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyInstanceNorm2d = function()
    return {{inputs = {real(2, 2, 1, 3)},
      text = "LazyInstanceNorm2d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
  LazyInstanceNorm3d = function()
    return {{inputs = {real(2, 2, 1, 1, 3)},
      text = "LazyInstanceNorm3d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"}}
  end,
}
