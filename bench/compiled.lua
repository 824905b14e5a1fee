-- Networks as they are and compiled, forward and in whole training steps, in turns within one process, call by call, on
-- one thread: prints the medians and their ratio, which other work on the machine moves less than it moves times.
--   nnlua bench/compiled.lua [PATTERN]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local models = dofile(here .. "/models.lua")
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local SECONDS <const> = 4

local function tokens(...) return nl.randint(1, models.CLASSES + 1, {...}) end
local function small() return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2)) end

--- Calls of a net without gradients, as it is and compiled.
local function forward(make, x)
  local net = make():eval()
  local fast = nl.compile(net)
  return function() nl.no_grad(net, x) end, function() nl.no_grad(fast, x) end
end

--- Training steps of two nets, one of which is compiled.
local function steps(make, optimizer, x, target)
  local function step_of(compile)
    local net = make()
    local opt = nl.optim[optimizer](net:parameters(), {lr = 0.001})
    local step = compile(function(input, labels)
      opt:zero_grad()
      local scores = net(input)
      F.cross_entropy(scores:reshape(-1, scores:size(-1)), labels):backward()
      opt:step()
    end)
    return function() step(x, target) end
  end
  return step_of(function(step) return step end), step_of(nl.compile)
end

local cases = {
  {"MLP 10-5-2 b3", forward, small, nl.randn(3, 10)},
  {"MLP 784-512-512-10 b128", forward, models.mlp, nl.randn(128, 784)},
  {"LeNet-5 b64", forward, models.lenet, nl.randn(64, 1, 28, 28)},
  {"GPT 4 x 128, 128 long b1", forward, models.GPT, tokens(1, models.LENGTH)},
  {"GPT 4 x 128, 128 long b16", forward, models.GPT, tokens(16, models.LENGTH)},
  {"ResNet-18 64x64 b1", forward, models.resnet18, nl.randn(1, 3, 64, 64)},
  {"ResNet-18 64x64 b8", forward, models.resnet18, nl.randn(8, 3, 64, 64)},
  {"MLP 10-5-2 b3, step, SGD", steps, small, "SGD", nl.randn(3, 10), nl.randint(1, 3, {3})},
  {"MLP 10-5-2 b3, step, Adam", steps, small, "Adam", nl.randn(3, 10), nl.randint(1, 3, {3})},
  {"MLP 784-512-512-10 b128, step, SGD", steps, models.mlp, "SGD", nl.randn(128, 784), nl.randint(1, 11, {128})},
  {"LeNet-5 b64, step, Adam", steps, models.lenet, "Adam", nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64})},
  {"GPT 4 x 128, 128 long b1, step, AdamW", steps, models.GPT, "AdamW", tokens(1, models.LENGTH),
    tokens(models.LENGTH)},
  {"ResNet-18 64x64 b8, step, SGD", steps, models.resnet18, "SGD", nl.randn(8, 3, 64, 64), nl.randint(1, 1001, {8})},
}

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

--- The seconds of a call of f, of some calls where one is too short for the clock.
local function time(f, calls)
  local begin = os.clock()
  for _ = 1, calls do f() end
  return (os.clock() - begin) / calls
end

nl.set_num_threads(1)
for _, case in ipairs(cases) do
  if case[1]:find(arg[1] or "") then
    local net, fast = case[2](table.unpack(case, 3))
    local plain, compiled = {}, {}
    time(fast, 3)
    local calls = math.ceil(2e-4 / time(net, 3))
    local begin = os.clock()
    repeat
      table.insert(plain, time(net, calls))
      table.insert(compiled, time(fast, calls))
    until os.clock() - begin > SECONDS
    local p, c = median(plain), median(compiled)
    print(("%-38s %10.1f us %10.1f us %6.2fx"):format(case[1], p * 1e6, c * 1e6, p / c))
  end
end
