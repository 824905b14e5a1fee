-- Collectives through which gradients flow: what tensor and pipeline parallel layers are made of.

local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local nl = require "nnlua"

local functional = {}

local AllReduce = nl.autograd.Function "AllReduce"

function AllReduce.forward(ctx, x, group)
  ctx.group = group
  local y = x:clone()
  collectives.all_reduce(y, "sum", group)
  return y
end

function AllReduce.backward(ctx, dy)
  local dx = dy:clone()
  collectives.all_reduce(dx, "sum", ctx.group)
  return dx, nil
end

--- The sum of x over a group; its gradient is the sum of all ranks' gradients.
---     > dist.nn.functional.all_reduce(nl.tensor({1.0, 2.0}))
---     tensor([2., 4.])
---@param x Tensor
---@param group? ProcessGroup
---@return Tensor
function functional.all_reduce(x, group)
  return AllReduce.apply(x, group)
end

local Copy = nl.autograd.Function "CopyToRanks"

function Copy.forward(ctx, x, group)
  ctx.group = group
  return x:view_as(x)
end

Copy.backward = AllReduce.backward

--- x itself, which all ranks have; its gradient is the sum of theirs.
---     > dist.nn.functional.copy(nl.tensor({1.0, 2.0}))
---     tensor([1., 2.])
---@param x Tensor
---@param group? ProcessGroup
---@return Tensor
function functional.copy(x, group)
  return Copy.apply(x, group)
end

local Reduce = nl.autograd.Function "ReduceFromRanks"

Reduce.forward = AllReduce.forward

function Reduce.backward(_, dy)
  return dy, nil
end

--- The sum of x over a group, of which each rank goes on with the same copy: a gradient goes back as it is.
---     > dist.nn.functional.reduce(nl.tensor({1.0, 2.0}))
---     tensor([2., 4.])
---@param x Tensor
---@param group? ProcessGroup
---@return Tensor
function functional.reduce(x, group)
  return Reduce.apply(x, group)
end

local Gather = nl.autograd.Function "GatherFromRanks"

--- The parts of all ranks along the last dimension.
local function joined(x, group, n)
  local parts = nl.empty({n, x:numel()}, {dtype = x.dtype})
  collectives.all_gather_into_tensor(parts, x, group)
  local list = {}
  for i = 1, n do list[i] = parts[i]:view(x.shape) end
  return nl.cat(list, -1)
end

function Gather.forward(ctx, x, group)
  group = membership.group("gather", group) or core.raise "gather: this process is not in the group"
  ctx.group, ctx.width = group, x:size(-1)
  return joined(x, group, group:size())
end

function Gather.backward(ctx, dy)
  return dy:narrow(-1, ctx.group:rank() * ctx.width + 1, ctx.width):contiguous(), nil
end

--- The parts of x that the ranks of a group have, side by side along the last dimension. A gradient goes back in parts.
---     > dist.nn.functional.gather(nl.tensor({1.0, 2.0}))
---     tensor([1., 2., 1., 2.])
---@param x Tensor
---@param group? ProcessGroup
---@return Tensor
function functional.gather(x, group)
  return Gather.apply(x, group)
end

local Split = nl.autograd.Function "SplitToRanks"

function Split.forward(ctx, x, group)
  group = membership.group("split", group) or core.raise "split: this process is not in the group"
  if x:size(-1) % group:size() ~= 0 then
    core.raise(("split: %d columns can't be shared out evenly over %d ranks"):format(x:size(-1), group:size()))
  end
  ctx.group = group
  local width = x:size(-1) // group:size()
  return x:narrow(-1, group:rank() * width + 1, width):contiguous()
end

function Split.backward(ctx, dy)
  return joined(dy:contiguous(), ctx.group, ctx.group:size()), nil
end

--- This rank's part of x, which all ranks have, along the last dimension. A gradient comes together again.
---     > dist.nn.functional.split(nl.tensor({0.0, 1.0})):item() == dist.get_rank()
---     true
---@param x Tensor
---@param group? ProcessGroup
---@return Tensor
function functional.split(x, group)
  return Split.apply(x, group)
end

return functional
