-- nl.distributed: several processes, on one machine or many, over MPI. Ranks count from 0, as everywhere else.

local guard = require "nnlua.guard"
local membership = require "nnlua.distributed.membership"
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

guard.classes {Work, membership.ProcessGroup}

return distributed
