-- What a rank starts is no rank, and os.exit(0) leaves the others in peace; tests/spec/distributed_spec.lua runs it.
local nl = require "nnlua"
local dist = nl.distributed

if arg[1] == "child" then
  dist.init_process_group()
  print(dist.get_rank(), dist.get_world_size())
  os.exit(true)
end

local first = -1
while arg[first - 1] do first = first - 1 end

local function started(...)
  local pipe <close> = assert(io.popen(table.concat({"'" .. arg[first] .. "'", ...}, " ") .. " 2>&1"))
  return pipe:read "a"
end

local function check(text, expected)
  assert(text == expected, text)
end

check(started(arg[0], "child"), "0\t1\n")
dist.init_process_group {timeout = 60}
check(started(arg[0], "child"), "0\t1\n")
if dist.get_rank() == 0 then
  check(started("run --mpi", arg[1], "-n 1", arg[0], "child"), "0\t1\n")
  print "all is well"
end
os.exit(0)
