-- Ends as its argument says, or waits for a rank that has; tests/spec/distributed_spec.lua runs it.
local nl = require "nnlua"
local dist = nl.distributed

dist.init_process_group {timeout = 60, sign_of_life = 3}
local rank = dist.get_rank()
local impatient = dist.new_group {timeout = 2}
dist.barrier()
if rank == 1 then
  if arg[1] == "error" then error "this rank fails" end
  if arg[1] == "status" then
    assert(io.read(1) == nil) -- the input is rank 0's
    os.exit(3)
  end
  if arg[1] == "killed" then os.execute "kill -9 $PPID" end
  if arg[1] == "stopped" then os.execute "kill -STOP $PPID" end
  if arg[1] == "unlike" then nl.nn.parallel.DistributedDataParallel(nl.nn.Linear(2, 3)) end
  if arg[1] == "late" or arg[1] == "late for a barrier" then os.execute "sleep 20" end
  if arg[1] == "endless" then
    print "begun"
    while true do end
  end
end
if arg[1] == "unlike" then nl.nn.parallel.DistributedDataParallel(nl.nn.Linear(2, 2)) end
if arg[1] == "late" then dist.barrier(impatient) end
if arg[1] == "late for a barrier" then dist.monitored_barrier {timeout = 1} end
dist.barrier()
