-- Optimizers whose state is shared out over processes.

local class = require "nnlua.class"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local nl = require "nnlua"
local Optimizer = require "nnlua.optim.optimizer".Optimizer
local objects = require "nnlua.distributed.objects"
local parameter_list = require "nnlua.nn.parameter_list"

local optim = {}

local raise = core.raise

--- An optimizer of which each process has a part: the state of its share of the parameters, which it steps, and sends
--- to the others. `optimizer_class` is one of nl.optim's, named arguments are its options.
---     local opt = dist.optim.ZeroRedundancyOptimizer(net:parameters(), optim.Adam, {lr = 0.001})
---@class ZeroRedundancyOptimizer
local Zero = class.new("distributed.optim.ZeroRedundancyOptimizer", Optimizer)
optim.ZeroRedundancyOptimizer = Zero

--- Lists of parameters by rank: the largest first, each to the rank that has least.
local function partition(params, n)
  local order, shares, sizes = {}, {}, {}
  for i in ipairs(params) do order[i] = i end
  table.sort(order, function(a, b)
    local x, y = params[a]:numel(), params[b]:numel()
    return x > y or x == y and a < b
  end)
  for r = 1, n do shares[r], sizes[r] = {}, 0 end
  for _, i in ipairs(order) do
    local least = 1
    for r = 2, n do
      if sizes[r] < sizes[least] then least = r end
    end
    table.insert(shares[least], i)
    sizes[least] = sizes[least] + params[i]:numel()
  end
  return shares
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
  self.params = parameter_list(what, params)
  if #self.params == 0 or not core.is_tensor(self.params[1]) then
    raise(what .. ": a list of parameters was expected; groups of them are not supported")
  end
  self.shares = partition(self.params, self.group:size())
  local own = {}
  for k, i in ipairs(self.shares[self.group:rank() + 1]) do own[k] = self.params[i] end
  self.has_share = #own > 0
  self.optim = optimizer_class(self.has_share and own or {nl.zeros(1)}, own_options)
  self.param_groups = self.optim.param_groups -- schedules change their options
  self.defaults, self.state, self._hooks, self._steps = self.optim.defaults, self.optim.state, false, 0
end

function Zero:add_param_group() -- luacheck: no self
  raise "ZeroRedundancyOptimizer: there is one group of parameters, which can't be added to"
end

--- Steps the own share and receives the others'.
---@param closure? function
function Zero:step(closure)
  local loss = closure and nl.enable_grad(closure) or nil
  if self.has_share then self.optim:step() end
  local works = {}
  for r, share in ipairs(self.shares) do
    for _, i in ipairs(share) do
      local work = collectives.broadcast(self.params[i], {group = self.group, group_src = r - 1, async_op = true})
      table.insert(works, work)
    end
  end
  for _, work in ipairs(works) do work:wait() end
  return loss
end

--- Gradients to nil, or to zeros.
---@param set_to_none? boolean
function Zero:zero_grad(set_to_none)
  for _, p in ipairs(self.params) do
    if set_to_none == false then
      if p.grad then p.grad:detach_():zero_() end
    else
      p.grad = nil
    end
  end
end

--- Brings the state of all shares to rank `to`, where state_dict() may be called then. All ranks call it.
---@param to? integer
function Zero:consolidate_state_dict(to)
  local parts = membership.get_rank() == (to or 0) and {} or nil
  objects.gather_object(self.optim:state_dict(), parts, to or 0, self.group)
  self.parts = parts
end

--- The whole state, as the optimizer has it that isn't shared out: after consolidate_state_dict, at its rank.
---@return table
function Zero:state_dict()
  if not self.parts then
    raise "ZeroRedundancyOptimizer: call consolidate_state_dict(rank) at all ranks, and state_dict at that one"
  end
  local state, group = {}, nil
  for r, part in ipairs(self.parts) do
    if #self.shares[r] > 0 then group = group or part.param_groups[1] end
    for k, i in ipairs(self.shares[r]) do state[i - 1] = part.state[k - 1] end
  end
  local numbers = {}
  for i in ipairs(self.params) do numbers[i] = i - 1 end
  group.params = numbers
  return {state = state, param_groups = {group}}
end

--- Takes this rank's share of a whole state, which all ranks give.
---@param dict table
function Zero:load_state_dict(dict)
  if type(dict) ~= "table" or type(dict.state) ~= "table" or type(dict.param_groups) ~= "table" then
    raise "ZeroRedundancyOptimizer: load_state_dict takes a table with state and param_groups, as state_dict gives it"
  elseif #dict.param_groups ~= 1 or #dict.param_groups[1].params ~= #self.params then
    raise("ZeroRedundancyOptimizer: the state has other groups or parameters than the one of " .. #self.params)
  end
  if not self.has_share then return end
  local state, group, numbers = {}, {}, {}
  for k, i in ipairs(self.shares[self.group:rank() + 1]) do
    state[k - 1], numbers[k] = dict.state[i - 1], k - 1
  end
  for key, value in pairs(dict.param_groups[1]) do group[key] = value end
  group.params = numbers
  self.optim:load_state_dict {state = state, param_groups = {group}}
end

return optim
