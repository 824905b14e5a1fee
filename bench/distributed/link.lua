-- Latency and bandwidth between two processes, and of sums over all: what scaling.lua reckons with.
--   nnlua run -n 2 bench/distributed/link.lua
--   bench/distributed/hosts.sh run 3 --rate 1gbit -- nnlua run -n 3 bench/distributed/link.lua
local nl = require "nnlua"
local dist = nl.distributed
local system = require "nnlua.system"

dist.init_process_group()
local rank, n = dist.get_rank(), dist.get_world_size()

--- The median seconds of a call at rank 0.
local function seconds(rounds, f)
  local times = {}
  f()
  for i = 1, rounds do
    dist.barrier()
    local start = system.clock()
    f()
    times[i] = system.clock() - start
  end
  table.sort(times)
  return times[(rounds + 1) // 2]
end

for _, size in ipairs {1, 1 << 10, 1 << 18, 1 << 22} do
  local x = nl.ones(size)
  local rounds = size > 1e5 and 7 or 101
  local there_and_back = n > 1 and seconds(rounds, function()
    if rank == 0 then
      dist.send(x, 1)
      dist.recv(x, 1)
    elseif rank == 1 then
      dist.recv(x, 0)
      dist.send(x, 0)
    end
  end)
  local sum = seconds(rounds, function() dist.all_reduce(x) end)
  if rank == 0 then
    print(("%9d bytes: a message %10.1f us, %7.3f GB/s; a sum over %d %10.1f us"):format(4 * size,
      there_and_back and 5e5 * there_and_back or 0, there_and_back and 8e-9 * size / there_and_back or 0, n, 1e6 * sum))
  end
end
