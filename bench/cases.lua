-- nnlua's side of the comparison: small ops, modules and training steps. See compare.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, optim = nl.nn, nl.optim

local x, y = nl.randn(3, 10), nl.randn(3, 10)
measure("add 3x10", 20000, function() return x + y end)
measure("mul by number 3x10", 20000, function() return x * 1.5 end)
measure("relu 3x10", 20000, function() return nl.relu(x) end)
local w = nl.randn(10, 5)
measure("mm 3x10 10x5", 20000, function() return nl.mm(x, w) end)
measure("sum 3x10", 20000, function() return x:sum() end)
measure("transpose 3x10", 20000, function() return x:t() end)

local xg = nl.randn(3, 10, {requires_grad = true})
measure("add 3x10, recorded", 20000, function() return xg + y end)
measure("mm 3x10 10x5, recorded", 20000, function() return nl.mm(xg, w) end)
measure("(x*x).sum backward", 10000, function()
  xg.grad = nil
  ;(xg * xg):sum():backward()
end)

local fc = nn.Linear(10, 5)
measure("Linear(10,5)(x), 0 hooks", 20000, function() return fc(x) end)
local handle = fc:register_forward_hook(function() end)
measure("Linear(10,5)(x), 1 hook", 20000, function() return fc(x) end)
local more = {fc:register_forward_hook(function() end), fc:register_forward_pre_hook(function() end)}
measure("Linear(10,5)(x), 3 hooks", 20000, function() return fc(x) end)
handle:remove(); more[1]:remove(); more[2]:remove()

local function training(name, n, sizes, batch, optimizer, lr)
  local layers = {}
  for i = 1, #sizes - 1 do
    layers[#layers + 1] = nn.Linear(sizes[i], sizes[i + 1])
    if i < #sizes - 1 then layers[#layers + 1] = nn.ReLU() end
  end
  local net = nn.Sequential(table.unpack(layers))
  local opt = optim[optimizer](net:parameters(), {lr = lr})
  local input, target = nl.randn(batch, sizes[1]), nl.randint(1, sizes[#sizes] + 1, {batch})
  measure(name, n, function()
    opt:zero_grad()
    local loss = nn.functional.cross_entropy(net(input), target)
    loss:backward()
    opt:step()
  end)
end
training("step 10-5-2, batch 3", 5000, {10, 5, 2}, 3, "SGD", 0.01)
training("step 784-512-512-10, batch 128", 20, {784, 512, 512, 10}, 128, "SGD", 0.01)
training("step 10-5-2, batch 3, Adam", 5000, {10, 5, 2}, 3, "Adam", 0.001)
training("step 784-512-512-10, batch 128, Adam", 20, {784, 512, 512, 10}, 128, "Adam", 0.001)

-- The optimizer's part alone.
local function stepping(name, n, sizes)
  local net = nn.Sequential(nn.Linear(sizes[1], sizes[2]), nn.Linear(sizes[2], sizes[3]))
  local opt = optim.Adam(net:parameters())
  net(nl.randn(3, sizes[1])):sum():backward()
  measure(name, n, function() opt:step() end)
end
stepping("Adam.step of 10-5-2", 20000, {10, 5, 2})
stepping("Adam.step of 784-512-512", 50, {784, 512, 512})
