-- Training in several processes equals training in one with the whole batch; tests/spec/distributed_spec.lua runs it.
local nl = require "nnlua"
local nn, F, optim, dist = nl.nn, nl.F, nl.optim, nl.distributed

dist.init_process_group {timeout = 60}
local rank, n = dist.get_rank(), dist.get_world_size()
local generator = nl.Generator():manual_seed(1)

local function near(a, b, bound, what)
  local difference = (a:detach():double() - b:detach():double()):abs():max():item()
  assert(difference <= bound, ("rank %d: %s: they differ by %g"):format(rank, what, difference))
end

local function part(x)
  local k = x:size(1) // n
  return x:narrow(1, rank * k + 1, k)
end

local function batch(...)
  local x = nl.randn({4 * n, ...}, {generator = generator})
  return x, nl.randint(1, 6, {4 * n}, {generator = generator})
end

local function compare(a, b, bound, what)
  local own = b:state_dict()
  for name, tensor in pairs(a:state_dict()) do near(tensor, own[name], bound, what .. ": " .. name) end
end

local function perceptron()
  return nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
end

local function train(net, parallel, steps, options, make, options_of_optimizer)
  local first = (options.optimizer or optim.SGD)(net:parameters(), options_of_optimizer)
  local second = make(parallel:parameters())
  for _ = 1, steps do
    local x, y = batch(table.unpack(options.shape))
    first:zero_grad()
    F.cross_entropy(net(x), y):backward()
    first:step()
    second:zero_grad()
    F.cross_entropy(parallel(part(x)), part(y)):backward()
    second:step()
  end
  return first, second
end

do -- several buckets; parameters start as rank 0's
  nl.manual_seed(rank)
  local parallel = nn.parallel.DistributedDataParallel(perceptron(), {bucket_cap_mb = 0.01})
  local net = perceptron()
  net:load_state_dict(parallel.module:state_dict())
  local options = {lr = 0.1, momentum = 0.9}
  train(net, parallel, 50, {shape = {20}}, function(params) return optim.SGD(params, options) end, options)
  compare(net, parallel.module, 1e-5, "DistributedDataParallel")
  assert(#parallel.buckets.list > 1)
  assert(parallel:state_dict()["module.0.weight"])
end

do -- gradients as views of the buckets, added up over two backwards
  nl.manual_seed(2)
  local net = perceptron()
  local parallel = nn.parallel.DistributedDataParallel(net:deepcopy(), {gradient_as_bucket_view = true})
  local x, y = batch(20)
  for _ = 1, 2 do
    net:zero_grad()
    parallel:zero_grad()
    for _ = 1, 2 do F.cross_entropy(net(x), y):backward() end
    parallel:no_sync(function() F.cross_entropy(parallel(part(x)), part(y)):backward() end)
    F.cross_entropy(parallel(part(x)), part(y)):backward()
  end
  for name, p in net:named_parameters() do
    near(p.grad, parallel.module:get_parameter(name).grad, 1e-6, "no_sync: " .. name)
  end
end

do -- batch norm over all ranks, and an optimizer whose state is shared out
  nl.manual_seed(3)
  local function convolution()
    return nn.Sequential(nn.Conv2d(3, 8, 3, {bias = false}), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(2),
      nn.Linear(8 * 36, 5))
  end
  local net = convolution()
  local converted = nn.SyncBatchNorm.convert_sync_batchnorm(net:deepcopy())
  assert(converted[2]:is_a(nn.SyncBatchNorm))
  local parallel = nn.parallel.DistributedDataParallel(converted)
  local options = {lr = 0.01}
  local whole, shared = train(net, parallel, 20, {shape = {3, 8, 8}, optimizer = optim.Adam}, function(params)
    return dist.optim.ZeroRedundancyOptimizer(params, optim.Adam, options)
  end, options)
  compare(net, converted, 1e-5, "SyncBatchNorm, ZeroRedundancyOptimizer")
  optim.lr_scheduler.StepLR(shared, 100)
  shared:consolidate_state_dict(0)
  local states = {rank == 0 and shared:state_dict() or nil}
  dist.broadcast_object_list(states, 0)
  for i, state in pairs(whole:state_dict().state) do
    near(state.exp_avg, states[1].state[i].exp_avg, 1e-6, "state of parameter " .. i)
  end
  shared:load_state_dict(states[1])
  local x, y = batch(3, 8, 8)
  whole:zero_grad()
  shared:zero_grad()
  F.cross_entropy(net(x), y):backward()
  F.cross_entropy(parallel(part(x)), part(y)):backward()
  whole:step()
  shared:step()
  compare(net, converted, 1e-5, "after load_state_dict")
end

do -- groups of parameters with options of their own, shared out; one comes later
  nl.manual_seed(6)
  local net = perceptron()
  local parallel = nn.parallel.DistributedDataParallel(net:deepcopy())
  local function make(module, class, ...)
    local opt = class({
      {params = module[1]:parameters(), lr = 0.02}, {params = {module[3].weight}, weight_decay = 0.1},
    }, ...)
    opt:add_param_group {params = {module[3].bias}, betas = {0.5, 0.9}}
    return opt
  end
  local whole = make(net, optim.Adam, {lr = 0.01})
  local shared = make(parallel.module, dist.optim.ZeroRedundancyOptimizer, optim.Adam, {lr = 0.01})
  local schedules = {optim.lr_scheduler.ExponentialLR(whole, 0.9), optim.lr_scheduler.ExponentialLR(shared, 0.9)}
  local function steps(k)
    for _ = 1, k do
      local x, y = batch(20)
      whole:zero_grad()
      shared:zero_grad()
      F.cross_entropy(net(x), y):backward()
      F.cross_entropy(parallel(part(x)), part(y)):backward()
      whole:step()
      shared:step()
      for _, schedule in ipairs(schedules) do schedule:step() end
    end
    compare(net, parallel.module, 1e-5, "groups")
  end
  steps(5)
  for _, opt in ipairs {whole, shared} do
    local module = opt == whole and net or parallel.module
    opt:add_param_group {params = module[5]:parameters(), lr = 0.03, initial_lr = 0.03}
    table.insert(schedules[opt == whole and 1 or 2].base_lrs, 0.03)
  end
  steps(5)
  assert(not pcall(shared.add_param_group, shared, {params = {net[1].weight, net[1].weight}}))
  local last = n - 1
  shared:consolidate_state_dict(last)
  assert(rank == last or not pcall(shared.state_dict, shared))
  local dicts, expected = {rank == last and shared:state_dict() or nil}, whole:state_dict()
  dist.broadcast_object_list(dicts, last)
  for g, group in ipairs(expected.param_groups) do
    local own = dicts[1].param_groups[g]
    for key, value in pairs(group) do
      if type(value) == "table" then
        for i, one in ipairs(value) do assert(own[key][i] == one, key) end
      else
        assert(own[key] == value, key)
      end
    end
    for _, i in ipairs(group.params) do
      for _, name in ipairs {"step", "exp_avg", "exp_avg_sq"} do
        near(expected.state[i][name], dicts[1].state[i][name], 1e-5, name .. " of parameter " .. i)
      end
    end
  end
  shared:load_state_dict(expected)
  steps(3)
end

-- Parameters that a loss doesn't depend on.
local Branches = nn.class "Branches"
function Branches:init()
  self.always, self.sometimes, self.never = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
end
function Branches:forward(x, both)
  return both and self.always(x) + self.sometimes(x) or self.always(x)
end

do
  local parallel = nn.parallel.DistributedDataParallel(Branches())
  parallel(nl.ones(1, 2)):sum():backward()
  local good, why = pcall(function() return parallel(nl.ones(1, 2)) end)
  assert(not good and why:find("never.weight", 1, true) and why:find("sometimes.bias", 1, true), why)
  for _, option in ipairs {"find_unused_parameters", "static_graph"} do
    parallel = nn.parallel.DistributedDataParallel(Branches(), {[option] = true})
    for _ = 1, 2 do
      parallel:zero_grad()
      parallel(nl.ones(1, 2), option == "static_graph" or rank == 0):sum():backward()
      local module = parallel.module
      assert(nl.equal(module.always.weight.grad, nl.ones(2, 2)) and module.never.weight.grad == nil)
      near(module.sometimes.bias.grad, nl.full({2}, option == "static_graph" and 1 or 1 / n), 1e-7, option)
    end
  end
end

do -- a forward without gradients between a forward and its backward; steps in scopes; weights of other strides
  local net = nn.parallel.DistributedDataParallel(nn.Linear(2, 1, {bias = false}))
  local y = net(nl.full({1, 2}, rank + 1.0))
  nl.no_grad(net, nl.ones(1, 2))
  y:sum():backward()
  near(net.module.weight.grad, nl.full({1, 2}, (n + 1) / 2), 1e-6, "a look in between")
  assert(not pcall(nn.deepcopy, net))
  local opt = optim.SGD(net:parameters(), {lr = 0.1})
  for _ = 1, 4 do
    nl.scope(function()
      opt:zero_grad()
      net(nl.full({1, 2}, rank + 1.0)):sum():backward()
      opt:step()
    end)
  end
  local conv = nn.Conv2d(3, 4, 3)
  conv.weight.data = conv.weight.data:contiguous {memory_format = nl.channels_last}
  local before = conv.weight:detach():clone()
  nn.parallel.DistributedDataParallel(conv)
  if rank == 0 then near(before, conv.weight, 0, "rank 0's weights") end
end

do -- batch norm of halves with many elements, and where a rank has none
  local x = nl.randn({2, 2, 200, 200}, {generator = generator})
  local plain, parallel = nn.BatchNorm2d(2), nn.SyncBatchNorm(2)
  near(plain(x), parallel(x:half()), 2e-2, "halves")
  local some = nl.randn({6, 2}, {generator = generator})
  near(nn.BatchNorm1d(2)(some), nn.SyncBatchNorm(2)(rank == 0 and some or some:narrow(1, 1, 0)):sum() * 0
    + nn.BatchNorm1d(2)(some), 1e-6, "an empty batch")
end

do -- each rank draws its own part of the data
  local data = {}
  for i = 1, 4 * n + 1 do data[i] = i end
  local sampler = nl.utils.data.DistributedSampler(data)
  sampler:set_epoch(3)
  local own = {}
  for i in sampler:iter() do table.insert(own, i) end
  local all, seen = {}, {}
  dist.all_gather_object(all, own)
  for _, list in ipairs(all) do
    assert(#list == #own)
    for _, i in ipairs(list) do seen[i] = true end
  end
  for i = 1, #data do assert(seen[i]) end
end

do -- layers that are shared out
  if 12 % n == 0 then
    nl.manual_seed(3)
    local first, second = nn.Linear(8, 12), nn.Linear(12, 8)
    nl.manual_seed(3)
    local column = nn.parallel.ColumnParallelLinear(8, 12, {gather_output = false})
    local row = nn.parallel.RowParallelLinear(12, 8, {input_is_parallel = true})
    local x = nl.randn({5, 8}, {generator = generator})
    local a, b = x:clone():requires_grad_(), x:clone():requires_grad_()
    local y, z = second(F.gelu(first(a))), row(F.gelu(column(b)))
    near(y, z, 1e-6, "tensor parallel")
    y:pow(2):sum():backward()
    z:pow(2):sum():backward()
    near(a.grad, b.grad, 1e-5, "its gradient")
    local k = 12 // n
    near(first.weight.grad:narrow(1, rank * k + 1, k), column.weight.grad, 1e-5, "of the columns")
    near(second.weight.grad:narrow(2, rank * k + 1, k), row.weight.grad, 1e-5, "of the rows")
    local whole = nn.utils.clip_grad_norm_({first.weight, first.bias, second.weight, second.bias}, 1)
    local shares = {column.weight, column.bias, row.weight}
    near(whole, dist.clip_grad_norm_(shares, 1, {replicated = {row.bias}}), 1e-5, "the norm")
    near(second.bias.grad, row.bias.grad, 1e-6, "clipped")
    nl.manual_seed(4)
    local plain = nn.Linear(12, 12)
    nl.manual_seed(4)
    near(plain(nl.ones(2, 12)), nn.parallel.ColumnParallelLinear(12, 12)(nl.ones(2, 12)), 1e-6, "gathered")
    nl.manual_seed(4)
    near(plain(nl.ones(2, 12)), nn.parallel.RowParallelLinear(12, 12)(nl.ones(2, 12)), 1e-6, "split")
  end
end

do -- a net in stages
  nl.manual_seed(5)
  local whole = nn.Sequential()
  for i = 1, n do whole[i] = nn.Sequential(nn.Linear(6, 6), nn.Tanh()) end
  local own = whole[rank + 1]:deepcopy()
  local pipe = nn.parallel.Pipeline(own, {chunks = 4})
  local x, y = nl.randn({9, 6}, {generator = generator}), nl.randn({9, 6}, {generator = generator})
  local loss = F.mse_loss(whole(x), y)
  loss:backward()
  local is_last = rank == n - 1
  local own_loss = pipe:train_step(rank == 0 and x or nil, is_last and y or nil, F.mse_loss)
  if is_last then near(loss, own_loss, 1e-6, "loss of a pipeline") else assert(own_loss == nil) end
  near(whole[rank + 1][1].weight.grad, own[1].weight.grad, 1e-6, "gradient of a pipeline")
  local result = nl.no_grad(pipe, rank == 0 and x or nil)
  if is_last then near(result, whole(x), 1e-6, "result of a pipeline") end
end

dist.destroy_process_group()
if rank == 0 then print "all is well" end
