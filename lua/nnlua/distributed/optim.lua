-- Optimizers whose state is shared out over processes.

local class = require "nnlua.class"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local Optimizer = require "nnlua.optim.optimizer".Optimizer
local objects = require "nnlua.distributed.objects"

local optim = {}

local raise = core.raise

--- An optimizer of which each process has a part: the state of its share of the parameters, which it steps, and sends
--- to the others. `optimizer_class` is one of nl.optim's, named arguments are its options; `params` may be groups with
--- options of their own.
---     > net = nn.Linear(2, 1)
---     > opt = dist.optim.ZeroRedundancyOptimizer(net:parameters(), optim.SGD, {lr = 0.5})
---     > net(nl.zeros(1, 2)):sum():backward()
---     > before = net.bias.data:clone()
---     > opt:step()
---     > before - net.bias.data
---     tensor([0.5000])
---@class ZeroRedundancyOptimizer
local Zero = class.new("distributed.optim.ZeroRedundancyOptimizer", Optimizer)
optim.ZeroRedundancyOptimizer = Zero

--- Places of a group's parameters by rank: the largest first, each to the rank that has least, of which `sizes` tells.
local function partition(params, sizes)
  local order, shares = {}, {}
  for i in ipairs(params) do order[i] = i end
  table.sort(order, function(a, b)
    local x, y = params[a]:numel(), params[b]:numel()
    return x > y or x == y and a < b
  end)
  for r in ipairs(sizes) do shares[r] = {} end
  for _, i in ipairs(order) do
    local least = 1
    for r = 2, #sizes do
      if sizes[r] < sizes[least] then least = r end
    end
    table.insert(shares[least], i)
    sizes[least] = sizes[least] + params[i]:numel()
  end
  return shares
end

--- Options of one list of groups to another's, for schedules change those that users see.
local function copy_options(from, to)
  for g, group in ipairs(from) do
    for key, value in pairs(group) do
      if key ~= "params" and key ~= "param_names" and tostring(key):sub(1, 1) ~= "_" then to[g][key] = value end
    end
  end
end

--- A group with this rank's share of the parameters of one.
local function own_group(group, share)
  local own = {}
  for key, value in pairs(group) do own[key] = value end
  own.params, own.param_names = {}, group.param_names and {}
  for k, i in ipairs(share) do
    own.params[k] = group.params[i]
    if own.param_names then own.param_names[k] = group.param_names[i] end
  end
  return own
end

function Zero:init(params, optimizer_class, options)
  local what, own_options = "ZeroRedundancyOptimizer", {}
  for key, value in pairs(options or {}) do
    if key ~= "process_group" then own_options[key] = value end
  end
  self.group = membership.group(what, options and options.process_group)
  if not self.group then raise(what .. ": this process is not in the group") end
  if type(optimizer_class) ~= "table" or not rawget(optimizer_class, "__index") then
    raise(what .. ": optimizer_class is a class of nl.optim, such as optim.Adam")
  end
  self.shares, self.sizes = {}, {} -- by group and rank: places of parameters; by rank: how many elements it has
  for r = 1, self.group:size() do self.sizes[r] = 0 end
  Zero.super.init(self, params, own_options)
  local own = {}
  for g, group in ipairs(self.param_groups) do own[g] = own_group(group, self:_own_share(g)) end
  self.optim = optimizer_class(own, own_options)
  self.state = self.optim.state
  copy_options(self.optim.param_groups, self.param_groups)
end

function Zero:_own_share(g)
  return self.shares[g][self.group:rank() + 1]
end

--- Adds a group `{params = …, lr = …}`, whose parameters are shared out as well. All ranks call it.
---     > opt = dist.optim.ZeroRedundancyOptimizer({nl.ones(2)}, optim.SGD, {lr = 0.1})
---     > opt:add_param_group {params = {nl.ones(3)}, lr = 0.01}
---     > opt.param_groups[2].lr
---     0.01
---@param group table
function Zero:add_param_group(group)
  Zero.super.add_param_group(self, group)
  local g = #self.param_groups
  self.shares[g] = partition(self.param_groups[g].params, self.sizes)
  if not self.optim then return end
  self.optim:add_param_group(own_group(self.param_groups[g], self:_own_share(g)))
  copy_options({self.optim.param_groups[g]}, {self.param_groups[g]})
end

--- Steps the own share and receives the others'.
function Zero:_step(closure)
  copy_options(self.param_groups, self.optim.param_groups)
  local results, works = table.pack(self.optim:step(closure)), {}
  copy_options(self.optim.param_groups, self.param_groups)
  for g, group in ipairs(self.param_groups) do
    for r, share in ipairs(self.shares[g]) do
      for _, i in ipairs(share) do
        local work = collectives.broadcast(group.params[i], {group = self.group, group_src = r - 1, async_op = true})
        table.insert(works, work)
      end
    end
  end
  for _, work in ipairs(works) do work:wait() end
  return table.unpack(results, 1, results.n)
end

--- Brings the state of all shares to rank `to` of the group, where state_dict() may be called then. All ranks call it.
---     > opt = dist.optim.ZeroRedundancyOptimizer({nl.ones(2)}, optim.SGD, {lr = 0.1})
---     > opt:consolidate_state_dict(0)
---     > dist.get_rank() > 0 or opt:state_dict().param_groups[1].lr == 0.1
---     true
---@param to? integer
function Zero:consolidate_state_dict(to)
  to = to or 0
  copy_options(self.param_groups, self.optim.param_groups)
  local parts = self.group:rank() == to and {} or nil
  objects.gather_object(self.optim:state_dict().state, parts, self.group.ranks[to + 1], self.group)
  self.whole = parts and {}
  for r, state in ipairs(parts or {}) do
    local number = 0
    for g, group in ipairs(self.param_groups) do
      for _, i in ipairs(self.shares[g][r]) do
        self.whole[group.params[i]] = state[number]
        number = number + 1
      end
    end
  end
end

function Zero:_get_state(group, i)
  return self.whole[group.params[i]]
end

--- The whole state, as the optimizer has it that isn't shared out: after consolidate_state_dict, at its rank.
---@return table
function Zero:state_dict()
  if not self.whole then
    raise "ZeroRedundancyOptimizer: call consolidate_state_dict(rank) at all ranks, and state_dict at that one"
  end
  return Zero.super.state_dict(self)
end

--- Only the own share's state is kept.
function Zero:_set_state(group, i, values)
  for g, one in ipairs(self.param_groups) do
    for k, place in ipairs(one == group and self:_own_share(g) or {}) do
      if place == i then self.optim:_set_state(self.optim.param_groups[g], k, values) end
    end
  end
end

--- Takes this rank's share of a whole state, which all ranks give.
---     > opt = dist.optim.ZeroRedundancyOptimizer({nl.ones(2)}, optim.SGD, {lr = 0.1})
---     > opt:load_state_dict(optim.SGD({nl.ones(2)}, {lr = 0.5}):state_dict())
---     > opt.param_groups[1].lr
---     0.5
---@param dict table
function Zero:load_state_dict(dict)
  Zero.super.load_state_dict(self, dict)
  copy_options(self.param_groups, self.optim.param_groups)
end

return optim
