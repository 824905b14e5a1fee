-- A training step in several processes, each with its own batch; step.py is PyTorch's, over gloo.
--   nnlua run -n 2 bench/distributed/step.lua
--   torchrun --nproc-per-node 2 bench/distributed/step.py
-- What all of this host's processes send over its network in a step is told too; processes of one host share memory
-- unless OMPI_MCA_btl=tcp,self. In a namespace nothing else is counted: unshare -n sh -c 'ip link set lo up; exec …'.
package.path = arg[0]:match "^(.*)/distributed/" .. "/?.lua;" .. package.path
local models = require "models"
local nl = require "nnlua"
local nn, F, optim, dist = nl.nn, nl.F, nl.optim, nl.distributed
local system = require "nnlua.system"

dist.init_process_group()
local rank = dist.get_rank()
nl.manual_seed(rank)

--- Bytes that this host's network interfaces have sent.
local function sent()
  local sum = 0
  for line in io.lines "/proc/net/dev" do
    sum = sum + (tonumber(line:match(":" .. ("%s*%d+"):rep(8) .. "%s+(%d+)")) or 0)
  end
  return sum
end

local function measure(name, net, x, y, loss_of)
  net = nn.parallel.DistributedDataParallel(net)
  local opt = optim.SGD(net:parameters(), {lr = 0.001})
  local function step()
    opt:zero_grad()
    loss_of(net(x), y):backward()
    opt:step()
  end
  for _ = 1, 3 do step() end
  dist.barrier()
  local times, bytes, before = {}, 0, sent()
  for i = 1, 15 do
    dist.barrier()
    local start = system.clock()
    step()
    times[i] = system.clock() - start
  end
  dist.barrier()
  local over_network = (sent() - before) / #times
  table.sort(times)
  for p in net:parameters() do bytes = bytes + p:numel() * p:element_size() end
  local last, begun = 0, math.huge
  for _, t in ipairs(net.buckets:times()) do begun, last = math.min(begun, t[1]), math.max(last, t[2]) end
  if rank == 0 then
    print(("%-25s %9.2f ms   %6.2f MB of gradients in %d parts, on their way for %.2f ms; %.2f MB sent"):format(name,
      1000 * times[8], bytes / 1e6, #net.buckets.list, 1000 * (last - begun), over_network / 1e6))
  end
end

local function text() return nl.randint(1, models.CLASSES + 1, {16, models.LENGTH}) end

measure("MLP b128", models.mlp(), nl.randn(128, 784), nl.randint(1, 11, {128}), F.cross_entropy)
measure("LeNet-5 b64", models.lenet(), nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64}), F.cross_entropy)
measure("GPT 4 x 128, 128 long b16", models.GPT(), text(), text(), function(result, labels)
  return F.cross_entropy(result:flatten(1, 2), labels:flatten())
end)
measure("ResNet-18, 64 x 64 b8", models.resnet18(), nl.randn(8, 3, 64, 64), nl.randint(1, 1001, {8}), F.cross_entropy)
