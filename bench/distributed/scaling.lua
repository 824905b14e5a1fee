-- What a training step takes on many machines, reckoned: docs/scaling.md has the model and what it says.
--   nnlua bench/distributed/scaling.lua
package.path = arg[0]:match "^(.*)/distributed/" .. "/?.lua;" .. package.path
local models = require "models"
local nl = require "nnlua"
local F = nl.F
local system = require "nnlua.system"

--- Seconds a message takes before its first byte arrives, and the share of the line's rate that data get.
local links = {
  {name = "1 Gbit/s", rate = 1e9 / 8, latency = 50e-6},
  {name = "10 Gbit/s", rate = 1e10 / 8, latency = 20e-6},
  {name = "100 Gbit/s", rate = 1e11 / 8, latency = 5e-6},
}
local USED <const> = 0.93
--- Of a step, what the backward takes: transfers go on under it.
local BACKWARD <const> = 2 / 3

local machines = {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

--- A sum over n machines of so many bytes: the better of a ring (bandwidth) and a tree there and back (latency).
local function sum_seconds(bytes, n, link)
  local rate = link.rate * USED
  local ring = 2 * (n - 1) * link.latency + 2 * (n - 1) / n * bytes / rate
  local depth = math.ceil(math.log(n, 2))
  local tree = 2 * depth * (link.latency + bytes / rate)
  return math.min(ring, tree)
end

--- A step: what of the sum doesn't fit under the backward comes on top, and the first bucket's part at least.
local function step_seconds(net, n, link)
  local sum = sum_seconds(net.bytes, n, link)
  local last_bucket = sum_seconds(math.min(net.bytes, 1 << 20), n, link)
  return net.seconds + math.max(sum - BACKWARD * net.seconds, last_bucket)
end

local function measured(name, net, x, y, loss_of)
  local opt = nl.optim.SGD(net:parameters(), {lr = 0.001})
  local times, bytes = {}, 0
  for i = 1, 8 do
    local start = system.clock()
    opt:zero_grad()
    loss_of(net(x), y):backward()
    opt:step()
    times[i] = system.clock() - start
  end
  table.sort(times)
  for p in net:parameters() do bytes = bytes + p:numel() * p:element_size() end
  return {name = name, seconds = times[4], bytes = bytes}
end

local function text() return nl.randint(1, models.CLASSES + 1, {16, models.LENGTH}) end

nl.set_num_threads(1)
local nets = {
  measured("MLP b128", models.mlp(), nl.randn(128, 784), nl.randint(1, 11, {128}), F.cross_entropy),
  measured("LeNet-5 b64", models.lenet(), nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64}), F.cross_entropy),
  measured("GPT 4 x 128 b16", models.GPT(), text(), text(), function(result, labels)
    return F.cross_entropy(result:flatten(1, 2), labels:flatten())
  end),
  measured("ResNet-18 64 x 64 b8", models.resnet18(), nl.randn(8, 3, 64, 64), nl.randint(1, 1001, {8}),
    F.cross_entropy),
}

for _, net in ipairs(nets) do
  print(("\n%s: a step %.2f ms on one machine, %.2f MB of gradients; each machine with a batch of its own"):format(
    net.name, 1000 * net.seconds, net.bytes / 1e6))
  print "machines    MB sent      1 Gbit/s        10 Gbit/s       100 Gbit/s  (ms a step, share of n machines)"
  for _, n in ipairs(machines) do
    local line = ("%8d %10.2f"):format(n, 2 * (n - 1) / n * net.bytes / 1e6)
    for _, link in ipairs(links) do
      local seconds = step_seconds(net, n, link)
      line = line .. ("  %8.2f %3.0f %%"):format(1000 * seconds, 100 * net.seconds / seconds)
    end
    print(line)
  end
end
