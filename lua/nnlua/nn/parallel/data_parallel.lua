-- DistributedDataParallel: each process trains the same module on a part of the batch.

local args = require "nnlua.args"
local Buckets = require "nnlua.distributed.buckets"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local objects = require "nnlua.distributed.objects"

local data_parallel = {}

local raise = core.raise

--- A module that several processes train together: each has a copy and gives it a part of the batch, and the gradients
--- that the optimizers see are the means over all. Parameters and buffers are rank 0's at the start; sums are on their
--- way while the backward goes on.
--- `nn.parallel.DistributedDataParallel(module, {process_group = nil, bucket_cap_mb = 25, broadcast_buffers = true,
--- find_unused_parameters = false, gradient_as_bucket_view = false, static_graph = false,
--- init_sync = true})`.
---
---     > net = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
---     > net(nl.ones(3, 2)):sum():backward()
---     > net.module.bias.grad
---     tensor([3.])
---
--- A parameter that the loss doesn't depend on is an error of the next step, which names it; with
--- find_unused_parameters each forward looks for those, with static_graph the first one only.
---@class DistributedDataParallel: Module
---@field module Module
local DDP = core.class("nn.parallel.DistributedDataParallel", Module)
data_parallel.DistributedDataParallel = DDP

local parse = args.parser("nn.parallel.DistributedDataParallel", {
  {"module", "module"}, {"process_group", "any?"}, {"bucket_cap_mb", "number", 25},
  {"broadcast_buffers", "boolean", true}, {"find_unused_parameters", "boolean", false},
  {"gradient_as_bucket_view", "boolean", false}, {"static_graph", "boolean", false}, {"init_sync", "boolean", true},
})

--- Raises where another rank has other parameters.
local function check_alike(named, group)
  local own = {}
  for i, one in ipairs(named) do own[i] = ("%s %s %s"):format(one.name, one.tensor.dtype, one.tensor.shape) end
  local first = {own}
  objects.broadcast_object_list(first, group.ranks[1], group)
  for i = 1, math.max(#own, #first[1]) do
    if own[i] ~= first[1][i] then
      raise(("DistributedDataParallel: parameter %d is %s here (rank %d) and %s at rank %d"):format(
        i, own[i] or "missing", membership.get_rank(), first[1][i] or "missing", group.ranks[1]))
    end
  end
end

--- The keys of a table by dtypes in an order that all ranks have.
local function ordered(by_dtype)
  local dtypes = {}
  for dtype in pairs(by_dtype) do table.insert(dtypes, dtype) end
  table.sort(dtypes, function(a, b) return tostring(a) < tostring(b) end)
  return dtypes
end

--- Gives all the tensors of the group's rank 0: those of a dtype in one message, for most are small.
local function broadcast_all(group, tensors)
  local by_dtype = {}
  for _, tensor in tensors do
    by_dtype[tensor.dtype] = by_dtype[tensor.dtype] or {}
    table.insert(by_dtype[tensor.dtype], tensor:detach())
  end
  for _, dtype in ipairs(ordered(by_dtype)) do
    local list, parts, at = by_dtype[dtype], {}, 1
    for i, tensor in ipairs(list) do parts[i] = tensor:reshape(-1) end
    local flat = nl.cat(parts, 1)
    collectives.broadcast(flat, {group = group, group_src = 0})
    for _, tensor in ipairs(group:rank() > 0 and list or {}) do
      tensor:copy_(flat:narrow(1, at, tensor:numel()):view(tensor.shape))
      at = at + tensor:numel()
    end
  end
end

function DDP:init(...)
  local module, given, cap, broadcasts, finds_unused, as_views, is_static, syncs = parse(...)
  local group = membership.group("DistributedDataParallel", given)
  if not group then raise "DistributedDataParallel: this process is not in the group" end
  local named = {}
  for name, parameter in module:named_parameters() do
    if parameter.requires_grad then table.insert(named, {name = name, tensor = parameter}) end
  end
  if #named == 0 then raise "DistributedDataParallel: no parameter of the module wants a gradient" end
  self.module, self.process_group = module, group
  self.broadcast_buffers, self.find_unused_parameters, self.static_graph = broadcasts, finds_unused, is_static
  self.require_backward_grad_sync, self.buffers_differ = true, true
  if syncs then
    check_alike(named, group)
    nl.no_grad(broadcast_all, group, module:named_parameters())
    nl.no_grad(broadcast_all, group, module:named_buffers())
  end
  self.buckets = Buckets.new(named, group, {cap = cap * 2 ^ 20, as_views = as_views})
end

--- Calls found(tensor) for each tensor in a forward's results.
local function each_tensor(value, found)
  if core.is_tensor(value) then
    found(value)
  elseif type(value) == "table" and not getmetatable(value) then
    for _, one in pairs(value) do each_tensor(one, found) end
  end
end

--- The parameters that none of a forward's results depends on, as a set.
local function unused_of(buckets, results)
  local reached, seen, stack = {}, {}, {}
  each_tensor(results, function(t)
    if t.grad_fn then table.insert(stack, t.grad_fn) elseif t.requires_grad then reached[t:data_ptr()] = true end
  end)
  while #stack > 0 do
    local node = table.remove(stack)
    for _, edge in ipairs(node.next_functions) do
      local next_node = edge[1]
      if next_node == nl.none then goto continue end
      if next_node:name() == "AccumulateGrad" then
        reached[next_node.variable:data_ptr()] = true
      elseif not seen[next_node:_sequence_nr()] then
        seen[next_node:_sequence_nr()] = true
        table.insert(stack, next_node)
      end
      ::continue::
    end
  end
  local unused = {}
  for _, p in ipairs(buckets.params) do
    if not reached[p.tensor:data_ptr()] then unused[p] = true end
  end
  return unused
end

function DDP:forward(...)
  local wants_sums = self.require_backward_grad_sync and nl.is_grad_enabled()
  if self.broadcast_buffers and self.buffers_differ then
    nl.no_grad(broadcast_all, self.process_group, self.module:named_buffers())
  end
  self.buffers_differ = wants_sums -- a forward that ends in a step may change them at each rank
  if not self.require_backward_grad_sync then self.buckets:close() end
  if not wants_sums then return self.module(...) end
  if not self.find_unused_parameters and not self.static_graph then
    self.buckets:open()
    return self.module(...)
  end
  local results = table.pack(self.module(...))
  local unused = self.known_unused or unused_of(self.buckets, {table.unpack(results, 1, results.n)})
  if self.static_graph then self.known_unused = unused end
  self.buckets:open(unused)
  return table.unpack(results, 1, results.n)
end

--- Within it gradients are not summed over processes but only added up: for several backwards a step. Calls
--- `f(...)`, or lasts to the end of the block: `local _ <close> = net:no_sync()`.
---     > net = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
---     > net:no_sync(function() net(nl.ones(1, 2)):sum():backward() end)
---     > net(nl.ones(1, 2)):sum():backward() -- the mean of both ranks' sums
---     > net.module.bias.grad
---     tensor([2.])
---@param f? function
function DDP:no_sync(f, ...)
  local before = self.require_backward_grad_sync
  self.require_backward_grad_sync = false
  local closing = setmetatable({}, {__close = function() self.require_backward_grad_sync = before end})
  if not f then return closing end
  local _ <close> = closing
  return f(...)
end

function DDP:extra_repr()
  return ("rank=%d, world_size=%d"):format(self.process_group:rank(), self.process_group:size())
end

return data_parallel
