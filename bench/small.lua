-- nnlua's side of the comparison: small ops, modules and training steps. The cases of small.py, line by line; see
-- run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

--- Measures a function that needs nothing made.
local function case(name, f) measure(name, function() return f end) end

local x, y, w = nl.randn(3, 10), nl.randn(3, 10), nl.randn(10, 5)
local xg = nl.randn(3, 10, {requires_grad = true})
local row, mask = nl.randn(10), x:gt(0)
case("add 3x10", function() return x + y end)
case("mul by number 3x10", function() return x * 1.5 end)
case("relu 3x10", function() return nl.relu(x) end)
case("mm 3x10 10x5", function() return nl.mm(x, w) end)
case("sum 3x10", function() return x:sum() end)
case("transpose 3x10", function() return x:t() end)
case("x[2] 3x10", function() return x[2] end)
case("x[{2, 3}] 3x10", function() return x[{2, 3}] end)
case("cat of four rows", function() return nl.cat({row, row, row, row}, 1) end)
case("stack of four rows", function() return nl.stack({row, row, row, row}, 1) end)
case("where 3x10", function() return nl.where(mask, x, y) end)
case("item", function() return row[1]:item() end)
case("add 3x10, recorded", function() return xg + y end)
case("mm 3x10 10x5, recorded", function() return nl.mm(xg, w) end)
case("(x*x).sum backward", function()
  xg.grad = nil
  ;(xg * xg):sum():backward()
end)

local function hooked(name, hooks)
  measure(name, function()
    local fc = nn.Linear(10, 5)
    if hooks >= 1 then fc:register_forward_hook(function() end) end
    if hooks >= 3 then
      fc:register_forward_hook(function() end)
      fc:register_forward_pre_hook(function() end)
    end
    return function() return fc(x) end
  end)
end

hooked("Linear(10,5)(x), 0 hooks", 0)
hooked("Linear(10,5)(x), 1 hook", 1)
hooked("Linear(10,5)(x), 3 hooks", 3)

local function training(name, sizes, batch, optimizer, lr)
  measure(name, function()
    local layers = {}
    for i = 1, #sizes - 1 do
      layers[#layers + 1] = nn.Linear(sizes[i], sizes[i + 1])
      if i < #sizes - 1 then layers[#layers + 1] = nn.ReLU() end
    end
    local net = nn.Sequential(table.unpack(layers))
    local opt = optim[optimizer](net:parameters(), {lr = lr})
    local input, target = nl.randn(batch, sizes[1]), nl.randint(1, sizes[#sizes] + 1, {batch})
    return function()
      opt:zero_grad()
      F.cross_entropy(net(input), target):backward()
      opt:step()
    end
  end)
end

training("step 10-5-2, batch 3, SGD", {10, 5, 2}, 3, "SGD", 0.01)
training("step 10-5-2, batch 3, Adam", {10, 5, 2}, 3, "Adam", 0.001)
training("step 64-128-128-8, batch 32, Adam", {64, 128, 128, 8}, 32, "Adam", 0.001)

-- The optimizer's part alone.
local function stepping(name, sizes)
  measure(name, function()
    local net = nn.Sequential(nn.Linear(sizes[1], sizes[2]), nn.Linear(sizes[2], sizes[3]))
    local opt = optim.Adam(net:parameters())
    net(nl.randn(3, sizes[1])):sum():backward()
    return function() opt:step() end
  end)
end

stepping("Adam.step of 10-5-2", {10, 5, 2})
stepping("Adam.step of 784-512-512", {784, 512, 512})

measure("DataLoader, a batch of 64 of 10", function()
  local data = nl.utils.data
  local set = data.TensorDataset(nl.randn(6400, 10), nl.randn(6400))
  local loader = data.DataLoader(set, {batch_size = 64, shuffle = true})
  local batches
  return function()
    batches = batches or loader:iter()
    if not batches() then batches = nil end
  end
end)
