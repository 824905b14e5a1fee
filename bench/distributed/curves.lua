-- Training curves of several processes beside that of one with the whole batch, from the same seed: the largest
-- difference over some steps, which each rank tells of itself. ResNet-18 trains in float64 unless told otherwise: batch
-- norms over few elements multiply the last bits of float32 until the curves part, as they do between two machines.
--   nnlua run -n 4 bench/distributed/curves.lua [gpt|resnet] [steps] [float32|float64]
-- One process compares with a net whose first weights differ in their last bits: that is what rounding alone does.
package.path = arg[0]:match "^(.*)/distributed/" .. "/?.lua;" .. package.path
local models = require "models"
local nl = require "nnlua"
local nn, F, optim, dist = nl.nn, nl.F, nl.optim, nl.distributed

dist.init_process_group {timeout = 120}
local rank, n = dist.get_rank(), dist.get_world_size()
local kind, steps = arg[1] or "gpt", math.tointeger(arg[2] or 50)
local dtype = nl[arg[3] or (kind == "resnet" and "float64" or "float32")]
nl.set_default_dtype(dtype)
local generator = nl.Generator():manual_seed(1)

--- Of a batch, which 2, 3, 4 and 6 ranks share out.
local ROWS <const> = 12

local made = {
  gpt = {
    net = models.GPT,
    batch = function()
      local text = nl.randint(1, models.CLASSES + 1, {ROWS, models.LENGTH + 1}, {generator = generator})
      return text:narrow(2, 1, models.LENGTH), text:narrow(2, 2, models.LENGTH)
    end,
    loss = function(result, labels) return F.cross_entropy(result:flatten(1, 2), labels:flatten()) end,
  },
  resnet = {
    net = models.resnet18,
    batch = function()
      return nl.randn({ROWS, 3, 32, 32}, {generator = generator}), nl.randint(1, 11, {ROWS}, {generator = generator})
    end,
    loss = F.cross_entropy,
  },
}

local one = made[kind]
nl.manual_seed(0)
local whole = one.net()
local part = nn.parallel.DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(whole:deepcopy()))
if n == 1 then
  for p in part:parameters() do nl.no_grad(p.mul_, p, 1 + nl.finfo(dtype).eps) break end
end
local first = optim.SGD(whole:parameters(), {lr = 0.01, momentum = 0.9})
local second = optim.SGD(part:parameters(), {lr = 0.01, momentum = 0.9})

local function step(net, optimizer, x, y)
  optimizer:zero_grad()
  local loss = one.loss(net(x), y)
  loss:backward()
  optimizer:step()
  return loss:detach()
end

local rows, worst = ROWS // n, 0
for i = 1, steps do
  local x, y = one.batch()
  local expected = step(whole, first, x, y):item()
  local loss = step(part, second, x:narrow(1, rank * rows + 1, rows), y:narrow(1, rank * rows + 1, rows))
  dist.all_reduce(loss, "avg")
  worst = math.max(worst, math.abs(loss:item() - expected) / expected)
  if rank == 0 and (i == 1 or i % 10 == 0) then print(("step %3d  %.6f  %.6f"):format(i, expected, loss:item())) end
end
print(("%s, %s, %d steps: largest difference of the loss %.2g of it"):format(kind, dtype, steps, worst))
assert(worst < 1e-5 or n == 1)
