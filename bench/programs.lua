-- nnlua's side of the comparison of networks that run as they are and compiled: forward without gradients, and whole
-- training steps. The cases of programs.py, line by line; see run.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local models = dofile(here .. "/models.lua")
local nl = require "nnlua"
local nn = nl.nn

--- A case of a function that `make` returns with its argument, and one of the same compiled.
local function both(name, make)
  measure(name, function()
    local f, x = make()
    return function() return nl.no_grad(f, x) end
  end)
  measure(name .. ", compiled", function()
    local f, x = make()
    local fast = nl.compile(f)
    return function() return nl.no_grad(fast, x) end
  end)
end

for _, n in ipairs {1000, 1000000} do
  both(("chain of 7 rows, %d"):format(n), function()
    return function(x) return nl.tanh(x * 2 + 1) * nl.sigmoid(x) - x * x end, nl.randn(n)
  end)
end

both("MLP 10-5-2 b3, forward", function()
  return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2)):eval(), nl.randn(3, 10)
end)
both("MLP 784-512-512-10 b128, forward", function() return models.mlp():eval(), nl.randn(128, 784) end)
both("LeNet-5 b64, forward", function() return models.lenet():eval(), nl.randn(64, 1, 28, 28) end)
both("GPT 4 x 128, 128 long b16, forward", function()
  return models.GPT():eval(), nl.randint(1, models.CLASSES + 1, {16, models.LENGTH})
end)
both("GPT 4 x 128, 128 long b1, forward", function()
  return models.GPT():eval(), nl.randint(1, models.CLASSES + 1, {1, models.LENGTH})
end)
both("ResNet-18 64x64 b8, forward", function() return models.resnet18():eval(), nl.randn(8, 3, 64, 64) end)
both("ResNet-18 64x64 b1, forward", function() return models.resnet18():eval(), nl.randn(1, 3, 64, 64) end)

--- The same of whole training steps: `make` gives a net, the name of an optimizer and a batch.
local function steps(name, make)
  local function made(compiled)
    return function()
      local net, optimizer, x, y = make()
      local opt = nl.optim[optimizer](net:parameters(), {lr = 0.001})
      local function step(input, target)
        opt:zero_grad()
        local scores = net(input)
        local loss = nl.F.cross_entropy(scores:reshape(-1, scores:size(-1)), target)
        loss:backward()
        opt:step()
        return loss
      end
      if compiled then step = nl.compile(step) end
      return function() return step(x, y) end
    end
  end
  measure(name, made(false))
  measure(name .. ", compiled", made(true))
end

for _, optimizer in ipairs {"SGD", "Adam"} do
  steps("MLP 10-5-2 b3, step, " .. optimizer, function()
    local net = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2))
    return net, optimizer, nl.randn(3, 10), nl.randint(1, 3, {3})
  end)
end
steps("MLP 784-512-512-10 b128, step, SGD", function()
  return models.mlp(), "SGD", nl.randn(128, 784), nl.randint(1, 11, {128})
end)
steps("LeNet-5 b64, step, Adam", function()
  return models.lenet(), "Adam", nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64})
end)
steps("GPT 4 x 128, 128 long b1, step, AdamW", function()
  return models.GPT(), "AdamW", nl.randint(1, models.CLASSES + 1, {1, models.LENGTH}),
    nl.randint(1, models.CLASSES + 1, {models.LENGTH})
end)
steps("ResNet-18 64x64 b8, step, SGD", function()
  return models.resnet18(), "SGD", nl.randn(8, 3, 64, 64), nl.randint(1, 1001, {8})
end)
