-- Normalization layers: batch, instance, group, layer and root mean square.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local lazy = require "nnlua.nn.lazy"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local raise = core.raise
local F = nl.F

local normalization = {}

local function kind_of(device, dtype)
  return (device or dtype) and {device = device, dtype = dtype} or nil
end

--- Gives a module a parameter of a shape, or an empty slot.
local function add_parameter(self, name, shape, wanted, kind)
  if wanted then
    self[name] = core.parameter(nl.empty(shape, kind))
  else
    core.register_parameter(self, name, nil)
  end
end

--- Weights of 1 and biases of 0, where there are any.
---     > layer = nn.GroupNorm(1, 2)
---     > layer.weight.data:fill_(5);
---     > layer:reset_parameters()
---     > layer.weight.data, nn.LayerNorm(2).bias.data
---     tensor([1., 1.])	tensor([0., 0.])
local function reset_affine(self)
  if self.weight then init.ones_(self.weight) end
  if self.bias then init.zeros_(self.bias) end
end

-- ---------------------------------------------------------- batch and instance

--- What batch and instance norms share.
---@class NormBase: Module
local NormBase = core.class("nn.NormBase", Module)
NormBase._version = 2

function NormBase:_setup(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)
  local kind = kind_of(device, dtype)
  self.num_features, self.eps, self.momentum = num_features, eps, momentum
  self.affine, self.track_running_stats = affine, track_running_stats
  add_parameter(self, "weight", {num_features}, affine, kind)
  add_parameter(self, "bias", {num_features}, affine and bias, kind)
  if track_running_stats then
    core.register_buffer(self, "running_mean", nl.zeros({num_features}, kind))
    core.register_buffer(self, "running_var", nl.ones({num_features}, kind))
    core.register_buffer(self, "num_batches_tracked", nl.zeros({}, {dtype = nl.int64, device = device}))
  else
    core.register_buffer(self, "running_mean", nil)
    core.register_buffer(self, "running_var", nil)
    core.register_buffer(self, "num_batches_tracked", nil)
  end
  self:reset_parameters()
end

--- Mean 0, variance 1, no batches seen.
function NormBase:reset_running_stats()
  if self.track_running_stats then
    self.running_mean:zero_()
    self.running_var:fill_(1)
    self.num_batches_tracked:zero_()
  end
end

--- Weights of 1, biases of 0, and new running statistics.
function NormBase:reset_parameters()
  self:reset_running_stats()
  reset_affine(self)
end

--- States from before version 2 lack the count of batches.
function NormBase:_load_from_state_dict(dict, prefix, metadata, report)
  local key = prefix .. "num_batches_tracked"
  if self.track_running_stats and (metadata.version or 1) < 2 and dict[key] == nil then
    dict[key] = self.num_batches_tracked or nl.tensor(0)
  end
  return NormBase.super._load_from_state_dict(self, dict, prefix, metadata, report)
end

function NormBase:extra_repr()
  return ("%d, eps=%s, momentum=%s, affine=%s, bias=%s, track_running_stats=%s"):format(self.num_features,
    repr.value(self.eps), repr.value(self.momentum), repr.value(self.affine), repr.value(self.bias ~= nil),
    repr.value(self.track_running_stats))
end

local function check_dims(self, x, least, most)
  if not core.is_tensor(x) then
    raise(("%s: the input must be a tensor, not %s"):format(self:_get_name(), core.describe(x)))
  elseif x.ndim < least or x.ndim > most then
    raise(("%s: the input must have %s dimensions, not %d"):format(self:_get_name(),
      least == most and least or least .. " or " .. most, x.ndim))
  end
end

local function check_features(self, x, dim)
  if x:size(dim) ~= self.num_features then
    raise(("%s: the input has %d channels, and %d are wanted"):format(self:_get_name(), x:size(dim), self.num_features))
  end
end

--- Without momentum the running statistics are the means of all batches': they move towards this one's by a share that
--- is a tensor, so that a trace may do it.
local function batch_norm_with_averages(self, x)
  local mean, var = nl.zeros_like(self.running_mean), nl.ones_like(self.running_var)
  local y = F.batch_norm(x, mean, var, self.weight, self.bias, true, 1.0, self.eps)
  nl.no_grad(function()
    local share = self.num_batches_tracked:add_(1):to(mean.dtype):reciprocal()
    self.running_mean:lerp_(mean, share)
    self.running_var:lerp_(var, share)
  end)
  return y
end

function NormBase:_batch_norm(x)
  local counts = self.training and self.track_running_stats and self.num_batches_tracked ~= nil
  if counts and not self.momentum then return batch_norm_with_averages(self, x) end
  local own = self.training or self.running_mean == nil
  local tracked = not self.training or self.track_running_stats
  local y = F.batch_norm(x, tracked and self.running_mean or nil, tracked and self.running_var or nil, self.weight,
    self.bias, own, self.momentum or 0.0, self.eps)
  if counts then self.num_batches_tracked:add_(1) end -- a batch that was refused does not count
  return y
end

--- Instance norm of input whose channels are at a dimension; an input without a batch is one sample.
function NormBase:_instance_norm(x, dims)
  check_dims(self, x, dims - 1, dims)
  local single = x.ndim < dims
  check_features(self, x, single and 1 or 2)
  local y = F.instance_norm(single and x:unsqueeze(1) or x, self.running_mean, self.running_var, self.weight, self.bias,
    self.training or not self.track_running_stats, self.momentum or 0.0, self.eps)
  return single and y:squeeze(1) or y
end

local function norm_class(name, affine, tracks, forward)
  local class = core.class(name, NormBase)
  local parse = args.parser(name, {
    {"num_features", "integer"}, {"eps", "number", 1e-05}, {"momentum", "number?", 0.1}, {"affine", "boolean", affine},
    {"track_running_stats", "boolean", tracks}, {"device", "any?"}, {"dtype", "any?"}, {"bias", "boolean", true},
  })
  function class:init(...) self:_setup(parse(...)) end
  class.forward = forward
  return class
end

local function batch_norm(name, least, most)
  return norm_class(name, true, true, function(self, x)
    check_dims(self, x, least, most)
    check_features(self, x, 2)
    return self:_batch_norm(x)
  end)
end

local function instance_norm(name, dims)
  return norm_class(name, false, false, function(self, x) return self:_instance_norm(x, dims) end)
end

--- Batch norm of [N, C] or [N, C, L]. `nn.BatchNorm1d(num_features, eps = 1e-5, momentum = 0.1, affine = true,
--- track_running_stats = true, {bias = true})`; a momentum of nl.none averages over all batches.
--- Shapes: input (N, C) or (N, C, L), result the same
---     > nn.BatchNorm1d(1)(nl.tensor({{1.0}, {3.0}})):detach()
---     tensor([[-1.0000],
---             [ 1.0000]])
---@class BatchNorm1d: Module
normalization.BatchNorm1d = batch_norm("nn.BatchNorm1d", 2, 3)

--- Batch norm of [N, C, H, W]; arguments as of BatchNorm1d.
--- Shapes: input (N, C, H, W), result the same
---     > nn.BatchNorm2d(100)(nl.randn(20, 100, 35, 45)).shape
---     [20, 100, 35, 45]
---@class BatchNorm2d: Module
normalization.BatchNorm2d = batch_norm("nn.BatchNorm2d", 4, 4)

--- Batch norm of [N, C, D, H, W]; arguments as of BatchNorm1d.
--- Shapes: input (N, C, D, H, W), result the same
---     > nn.BatchNorm3d(10)(nl.randn(2, 10, 3, 4, 5)).shape
---     [2, 10, 3, 4, 5]
---@class BatchNorm3d: Module
normalization.BatchNorm3d = batch_norm("nn.BatchNorm3d", 5, 5)

--- Instance norm of [N, C, L] or [C, L]. `nn.InstanceNorm1d(num_features, eps = 1e-5, momentum = 0.1, affine = false,
--- track_running_stats = false, {bias = true})`; a bias only if affine.
--- Shapes: input (N, C, L) or (C, L), result the same
---     > nn.InstanceNorm1d(1)(nl.tensor({{{1.0, 3.0}}}))
---     tensor([[[-1.0000,  1.0000]]])
---@class InstanceNorm1d: Module
normalization.InstanceNorm1d = instance_norm("nn.InstanceNorm1d", 3)

--- Instance norm of [N, C, H, W] or [C, H, W]; arguments as of InstanceNorm1d.
--- Shapes: input (N, C, H, W) or (C, H, W), result the same
---     > nn.InstanceNorm2d(10)(nl.randn(2, 10, 3, 4)).shape
---     [2, 10, 3, 4]
---@class InstanceNorm2d: Module
normalization.InstanceNorm2d = instance_norm("nn.InstanceNorm2d", 4)

--- Instance norm of [N, C, D, H, W] or [C, D, H, W]; arguments as of InstanceNorm1d.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result the same
---     > nn.InstanceNorm3d(10)(nl.randn(2, 10, 3, 4, 5)).shape
---     [2, 10, 3, 4, 5]
---@class InstanceNorm3d: Module
normalization.InstanceNorm3d = instance_norm("nn.InstanceNorm3d", 5)

-- ------------------------------------------------------------------------ lazy

local lazy_spec = {
  {"eps", "number", 1e-05}, {"momentum", "number?", 0.1}, {"affine", "boolean", true},
  {"track_running_stats", "boolean", true}, {"device", "any?"}, {"dtype", "any?"}, {"bias", "boolean", true},
}

--- The lazy form of a norm. Its weight and bias have no shape until the first call; the running statistics come then,
--- or with a state that is loaded. `dims`: how many dimensions a batch has, where input without one is taken, too.
local function lazy_norm(base, dims)
  local name = "nn.Lazy" .. base
  local class, parse = lazy.class(name, normalization[base]), args.parser(name, lazy_spec)

  function class:init(...)
    local eps, momentum, affine, tracks, device, dtype, bias = parse(...)
    self:_setup(0, eps, momentum, false, false, device, dtype, false)
    self.affine, self.track_running_stats, self._kind = affine, tracks, kind_of(device, dtype)
    if affine then
      self.weight = lazy.UninitializedParameter(true, device, dtype)
      if bias then self.bias = lazy.UninitializedParameter(true, device, dtype) end
    end
    lazy.prepare(self)
  end

  --- Running statistics for so many channels.
  function class:_track(features)
    if not self.track_running_stats or self.running_mean ~= nil then return end
    local kind = self._kind
    self.running_mean, self.running_var = nl.zeros({features}, kind), nl.ones({features}, kind)
    self.num_batches_tracked = nl.zeros({}, {dtype = nl.int64, device = kind and kind.device})
  end

  function class:initialize_parameters(input)
    check_dims(self, input, dims and dims - 1 or 2, dims or 5)
    self.num_features = input:size(dims and input.ndim < dims and 1 or 2)
    self:_track(self.num_features)
    self._kind = nil
    if not self:has_uninitialized_params() then return end
    if lazy.is_lazy(self.weight) then self.weight:materialize(self.num_features) end
    if lazy.is_lazy(self.bias) then self.bias:materialize(self.num_features) end
    self:reset_parameters()
  end

  function class:_load_from_state_dict(dict, prefix, ...)
    local mean = dict[prefix .. "running_mean"]
    if core.is_tensor(mean) and mean.ndim == 1 then self:_track(#mean) end
    return class.super._load_from_state_dict(self, dict, prefix, ...)
  end

  normalization["Lazy" .. base] = class
end

--- BatchNorm1d that learns num_features from its first input: `nn.LazyBatchNorm1d(eps = 1e-5, momentum = 0.1,
--- affine = true, track_running_stats = true, {bias = true})`.
--- Shapes: input (N, C) or (N, C, L), result the same
---     > nn.LazyBatchNorm1d()(nl.randn(4, 3)).shape
---     [4, 3]
---@class LazyBatchNorm1d: BatchNorm1d
lazy_norm("BatchNorm1d")

--- BatchNorm2d that learns num_features from its first input; arguments as of LazyBatchNorm1d.
--- Shapes: input (N, C, H, W), result the same
---     > nn.LazyBatchNorm2d()(nl.randn(2, 3, 4, 5)).shape
---     [2, 3, 4, 5]
---@class LazyBatchNorm2d: BatchNorm2d
lazy_norm("BatchNorm2d")

--- BatchNorm3d that learns num_features from its first input; arguments as of LazyBatchNorm1d.
--- Shapes: input (N, C, D, H, W), result the same
---     > nn.LazyBatchNorm3d()(nl.randn(2, 3, 2, 4, 5)).shape
---     [2, 3, 2, 4, 5]
---@class LazyBatchNorm3d: BatchNorm3d
lazy_norm("BatchNorm3d")

--- InstanceNorm1d that learns num_features from its first input; arguments as of LazyBatchNorm1d.
--- Shapes: input (N, C, L) or (C, L), result the same
---     > nn.LazyInstanceNorm1d()(nl.randn(2, 3, 4)).shape
---     [2, 3, 4]
---@class LazyInstanceNorm1d: InstanceNorm1d
lazy_norm("InstanceNorm1d", 3)

--- InstanceNorm2d that learns num_features from its first input; arguments as of LazyBatchNorm1d.
--- Shapes: input (N, C, H, W) or (C, H, W), result the same
---     > nn.LazyInstanceNorm2d()(nl.randn(2, 3, 4, 5)).shape
---     [2, 3, 4, 5]
---@class LazyInstanceNorm2d: InstanceNorm2d
lazy_norm("InstanceNorm2d", 4)

--- InstanceNorm3d that learns num_features from its first input; arguments as of LazyBatchNorm1d.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result the same
---     > nn.LazyInstanceNorm3d()(nl.randn(2, 3, 2, 4, 5)).shape
---     [2, 3, 2, 4, 5]
---@class LazyInstanceNorm3d: InstanceNorm3d
lazy_norm("InstanceNorm3d", 5)

-- ------------------------------------------------------------- group and layer

--- `nn.GroupNorm(num_groups, num_channels, eps = 1e-5, affine = true, {bias = true})`.
--- Shapes: input (N, C, *), result the same
---     > nn.GroupNorm(3, 6)(nl.randn(20, 6, 10, 10)).shape
---     [20, 6, 10, 10]
---@class GroupNorm: Module
local GroupNorm = core.class("nn.GroupNorm", Module)

local parse_group = args.parser("nn.GroupNorm", {
  {"num_groups", "integer"}, {"num_channels", "integer"}, {"eps", "number", 1e-05}, {"affine", "boolean", true},
  {"device", "any?"}, {"dtype", "any?"}, {"bias", "boolean", true},
})

function GroupNorm:init(...)
  local groups, channels, eps, affine, device, dtype, bias = parse_group(...)
  if groups < 1 or channels % groups ~= 0 then
    raise(("nn.GroupNorm: %d channels can't be divided into %d groups"):format(channels, groups))
  end
  self.num_groups, self.num_channels, self.eps, self.affine = groups, channels, eps, affine
  add_parameter(self, "weight", {channels}, affine, kind_of(device, dtype))
  add_parameter(self, "bias", {channels}, affine and bias, kind_of(device, dtype))
  self:reset_parameters()
end

--- Weights of 1 and biases of 0.
GroupNorm.reset_parameters = reset_affine

function GroupNorm:forward(x)
  return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
end

function GroupNorm:extra_repr()
  return ("%d, %d, eps=%s, affine=%s, bias=%s"):format(self.num_groups, self.num_channels, repr.value(self.eps),
    repr.value(self.affine), repr.value(self.bias ~= nil))
end

normalization.GroupNorm = GroupNorm

local function shape_of(name, shape)
  if args.whole(shape) then return {args.whole(shape)} end
  if not (core.is_size(shape) or type(shape) == "table") or #shape == 0 then
    raise(("%s: normalized_shape is an integer or a list of sizes, not %s"):format(name, core.describe(shape)))
  end
  local list = {}
  for i = 1, #shape do
    list[i] = args.whole(shape[i])
      or raise(("%s: normalized_shape[%d] must be an integer, not %s"):format(name, i, core.describe(shape[i])))
  end
  return list
end

local function shape_text(shape)
  return "(" .. table.concat(shape, ", ") .. (#shape == 1 and ",)" or ")")
end

--- Normalizes the last dimensions together. `nn.LayerNorm(normalized_shape, eps = 1e-5, elementwise_affine = true,
--- bias = true)`.
--- Shapes: input (*, normalized_shape), result the same
---     > nn.LayerNorm(2)(nl.tensor({1.0, 3.0})):detach()
---     tensor([-1.0000,  1.0000])
---@class LayerNorm: Module
local LayerNorm = core.class("nn.LayerNorm", Module)

local parse_layer = args.parser("nn.LayerNorm", {
  {"normalized_shape", "any"}, {"eps", "number", 1e-05}, {"elementwise_affine", "boolean", true},
  {"bias", "boolean", true},
  {"device", "any?"}, {"dtype", "any?"},
})

function LayerNorm:init(...)
  local shape, eps, affine, bias, device, dtype = parse_layer(...)
  self.normalized_shape = shape_of("nn.LayerNorm", shape)
  self.eps, self.elementwise_affine = eps, affine
  add_parameter(self, "weight", self.normalized_shape, affine, kind_of(device, dtype))
  add_parameter(self, "bias", self.normalized_shape, affine and bias, kind_of(device, dtype))
  self:reset_parameters()
end

--- Weights of 1 and biases of 0.
LayerNorm.reset_parameters = reset_affine

function LayerNorm:forward(x)
  return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
end

--- What layer norm and root mean square norm show of themselves.
---     > nn.RMSNorm(2, {eps = 0.5}):extra_repr()
---     (2,), eps=0.5, elementwise_affine=True
local function shape_repr(self)
  return ("%s, eps=%s, elementwise_affine=%s"):format(shape_text(self.normalized_shape), repr.value(self.eps),
    repr.value(self.elementwise_affine))
end

function LayerNorm:extra_repr()
  return ("%s, bias=%s"):format(shape_repr(self), repr.value(self.bias ~= nil))
end

normalization.LayerNorm = LayerNorm

--- Divides the last dimensions by the root of their mean square. `nn.RMSNorm(normalized_shape, eps = nil,
--- elementwise_affine = true)`.
--- Shapes: input (*, normalized_shape), result the same
---     > nn.RMSNorm(2)(nl.tensor({3.0, 4.0})):detach()
---     tensor([0.8485, 1.1314])
---@class RMSNorm: Module
local RMSNorm = core.class("nn.RMSNorm", Module)

local parse_rms = args.parser("nn.RMSNorm", {
  {"normalized_shape", "any"}, {"eps", "number?"}, {"elementwise_affine", "boolean", true}, {"device", "any?"},
  {"dtype", "any?"},
})

function RMSNorm:init(...)
  local shape, eps, affine, device, dtype = parse_rms(...)
  self.normalized_shape = shape_of("nn.RMSNorm", shape)
  self.eps, self.elementwise_affine = eps, affine
  add_parameter(self, "weight", self.normalized_shape, affine, kind_of(device, dtype))
  self:reset_parameters()
end

--- Weights of 1.
RMSNorm.reset_parameters = reset_affine

function RMSNorm:forward(x)
  return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
end

RMSNorm.extra_repr = shape_repr

normalization.RMSNorm = RMSNorm

return normalization
