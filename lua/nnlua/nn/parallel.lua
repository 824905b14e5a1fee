-- nn.parallel: modules that several processes train together.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

--- Modules for several processes; see nl.distributed.
return on_demand.fields({}, guard.classes, {
  ["nnlua.nn.parallel.data_parallel"] = "DistributedDataParallel",
  ["nnlua.nn.parallel.tensor_parallel"] = "ColumnParallelLinear RowParallelLinear",
  ["nnlua.nn.parallel.pipeline"] = "Pipeline",
})
