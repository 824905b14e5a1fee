-- Batch norm over the batches of several processes.

local args = require "nnlua.args"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local nl = require "nnlua"
local normalization = require "nnlua.nn.normalization"

local sync_batch_norm = {}

local F, raise = nl.F, core.raise

--- All dimensions but the channels', and how many elements a channel has.
local function others(x)
  local dims = {1}
  for d = 3, x.ndim do table.insert(dims, d) end
  return dims, x:numel() // x:size(2)
end

local function along_channels(values, x)
  local shape = {1, x:size(2)}
  for d = 3, x.ndim do shape[d] = 1 end
  return values:view(shape)
end

--- Mean and variance of all ranks' elements together, and their number: from each rank's mean, sum of squares about it,
--- and number (T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm", 1979).
local function moments(x, group)
  local dims, n = others(x)
  local variance, mean = nl.var_mean(x, dims, {correction = 0})
  if n == 0 then variance, mean = variance:zero_(), mean:zero_() end
  local own = nl.cat({mean, variance * n, nl.full({1}, n, {dtype = mean.dtype})}, 1)
  local all = nl.empty({group:size(), own:numel()}, {dtype = own.dtype})
  collectives.all_gather_into_tensor(all, own, group)
  local c = x:size(2)
  local means, squares, counts = all:narrow(2, 1, c), all:narrow(2, c + 1, c), all:narrow(2, 2 * c + 1, 1)
  local total = counts:sum()
  mean = (means * counts):sum(1) / total
  variance = (squares + counts * (means - mean) ^ 2):sum(1) / total
  return {mean = mean, variance = variance, total = total}
end

local SyncBatchNormFunction = nl.autograd.Function "SyncBatchNorm"

function SyncBatchNormFunction.forward(ctx, x, weight, bias, of)
  ctx.of, ctx.has_weight = of, weight ~= nil
  ctx:save_for_backward(x, weight)
  return F.batch_norm(x, of.mean, of.variance, weight, bias, false, 0.0, of.eps)
end

function SyncBatchNormFunction.backward(ctx, dy)
  local x, weight = ctx.saved_tensors[1], ctx.saved_tensors[2]
  local of = ctx.of
  local dims = others(x)
  local c, scale = x:size(2), (of.variance + of.eps):rsqrt()
  local centred = x - along_channels(of.mean, x)
  local sum_dy, sum_dy_x = dy:sum(dims), (dy * centred):sum(dims)
  local dweight, dbias = sum_dy_x * scale, sum_dy
  local sums = nl.cat({sum_dy, sum_dy_x}, 1)
  collectives.all_reduce(sums, {group = of.group})
  local mean_dy, mean_dy_x = sums:narrow(1, 1, c) / of.total, sums:narrow(1, c + 1, c) / of.total
  local dx = dy - along_channels(mean_dy, x) - centred * along_channels(scale ^ 2 * mean_dy_x, x)
  dx = dx * along_channels(ctx.has_weight and scale * weight or scale, x)
  return dx, ctx.has_weight and dweight or nil, ctx.has_weight and dbias or nil, nil
end

--- Batch norm whose means and variances are those of all processes' batches together.
--- `nn.SyncBatchNorm(num_features, eps = 1e-5, momentum = 0.1, affine = true, track_running_stats = true,
--- {process_group = nil})`. `nn.SyncBatchNorm.convert_sync_batchnorm(net)` puts it in the place of all BatchNorms.
--- Shapes: input (N, C, *), result the same
---     > nn.SyncBatchNorm(3):eval()(nl.zeros(2, 3, 4)).shape
---     [2, 3, 4]
---@class SyncBatchNorm: Module
local SyncBatchNorm = core.class("nn.SyncBatchNorm", normalization.BatchNorm1d.super)
sync_batch_norm.SyncBatchNorm = SyncBatchNorm

local parse = args.parser("nn.SyncBatchNorm", {
  {"num_features", "integer"}, {"eps", "number", 1e-05}, {"momentum", "number?", 0.1}, {"affine", "boolean", true},
  {"track_running_stats", "boolean", true}, {"process_group", "any?"}, {"device", "any?"}, {"dtype", "any?"},
})

function SyncBatchNorm:init(...)
  local n, eps, momentum, affine, tracks, group, device, dtype = parse(...)
  self:_setup(n, eps, momentum, affine, tracks, device, dtype, true)
  self.process_group = group
end

--- The running statistics move towards those of this batch; the variance is that of a sample.
function SyncBatchNorm:_move(of)
  if not (self.track_running_stats and self.num_batches_tracked) then return end
  self.num_batches_tracked:add_(1)
  local momentum = self.momentum or 1 / self.num_batches_tracked:item()
  local n = of.total:item()
  self.running_mean:mul_(1 - momentum):add_(of.mean, {alpha = momentum})
  self.running_var:mul_(1 - momentum):add_(of.variance * (n / math.max(n - 1, 1)), {alpha = momentum})
end

function SyncBatchNorm:forward(x)
  if not core.is_tensor(x) or x.ndim < 2 or x:size(2) ~= self.num_features then
    raise(("SyncBatchNorm: the input must be a tensor of 2 or more dimensions with %d channels"):format(
      self.num_features))
  end
  local group = self.training and membership.is_initialized() and membership.group("SyncBatchNorm", self.process_group)
  if not group or group:size() == 1 then return self:_batch_norm(x) end
  local is_half = x.dtype == nl.float16 or x.dtype == nl.bfloat16
  local wide = is_half and x:float() or x -- counts and sums of squares are beyond halves
  local of = nl.no_grad(moments, wide, group)
  of.eps, of.group = self.eps, group
  if self.training then nl.no_grad(self._move, self, of) end
  local weight, bias = self.weight, self.bias
  if is_half then weight, bias = weight and weight:float(), bias and bias:float() end
  return SyncBatchNormFunction.apply(wide, weight, bias, of):to(x.dtype)
end

--- One that is synchronised already too: it gets the group that is asked for.
local function is_batch_norm(module)
  if module:is_a(SyncBatchNorm) then return true end
  for _, name in ipairs {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"} do
    if module:is_a(normalization[name]) then return true end
  end
  return false
end

local function converted(module, group)
  local new = SyncBatchNorm(module.num_features, module.eps, module.momentum or nl.none, module.affine,
                            module.track_running_stats, group)
  for _, name in ipairs {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"} do
    if new[name] and module[name] then new[name] = module[name] end
  end
  return new:train(module.training)
end

local function convert(module, group)
  if is_batch_norm(module) then return converted(module, group) end
  for name, child in module:named_children() do
    local new = convert(child, group)
    if new ~= child then module[tonumber(name) and math.tointeger(name) + 1 or name] = new end
  end
  return module
end

local parse_convert = args.parser("convert_sync_batchnorm", {{"module", "module"}, {"process_group", "any?"}})

--- The module with a SyncBatchNorm in the place of each BatchNorm, with the same parameters and buffers.
---     > net = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm1d(2)))
---     > net[1]:is_a(nn.SyncBatchNorm)
---     true
---@param module Module
---@param process_group? ProcessGroup
---@return Module
function SyncBatchNorm.convert_sync_batchnorm(...)
  return convert(parse_convert(...))
end

return sync_batch_norm
