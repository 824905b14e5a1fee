-- nl.distributed: several processes, on one machine or many, over MPI. Ranks count from 0, as everywhere else.

local guard = require "nnlua.guard"
local membership = require "nnlua.distributed.membership"
local on_demand = require "nnlua.on_demand"
local Work = require "nnlua.distributed.work"

--- Several processes that train one net: `nnlua run -n 4 script.lua`.
local distributed = {Work = Work, ProcessGroup = membership.ProcessGroup}

local hidden = {joined = true, group = true, rank_in = true, module_of = true}

local collectives, objects = require "nnlua.distributed.collectives", require "nnlua.distributed.objects"
for _, part in ipairs {membership, collectives, objects} do
  for name, value in pairs(part) do
    if not hidden[name] then distributed[name] = value end
  end
end
distributed.monitored_barrier = require "nnlua.distributed.monitored_barrier"
distributed.clip_grad_norm_ = require "nnlua.distributed.clip"

--- Functions through which gradients flow, for layers that are shared out: `all_reduce`, `copy`, `reduce`, `gather`,
--- `split`.
distributed.nn = {functional = on_demand.fields({}, function() end, {
  ["nnlua.distributed.functional"] = "all_reduce copy gather reduce split",
})}

--- Optimizers whose state is shared out.
distributed.optim = on_demand.fields({}, guard.classes, {
  ["nnlua.distributed.optim"] = "ZeroRedundancyOptimizer",
})

guard.classes {Work, membership.ProcessGroup}

return distributed
