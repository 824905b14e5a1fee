-- Networks forward, as they are and compiled, in turns within one process, call by call, on one thread: prints the
-- medians and their ratio, which other work on the machine moves less than it moves times.
--   nnlua bench/compiled.lua [PATTERN]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local models = dofile(here .. "/models.lua")
local nl = require "nnlua"
local nn = nl.nn

local SECONDS <const> = 4

local function tokens(batch) return nl.randint(1, models.CLASSES + 1, {batch, models.LENGTH}) end
local function small() return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2)) end

local cases = {
  {"MLP 10-5-2 b3", small, nl.randn(3, 10)},
  {"MLP 784-512-512-10 b128", models.mlp, nl.randn(128, 784)},
  {"LeNet-5 b64", models.lenet, nl.randn(64, 1, 28, 28)},
  {"GPT 4 x 128, 128 long b1", models.GPT, tokens(1)},
  {"GPT 4 x 128, 128 long b16", models.GPT, tokens(16)},
  {"ResNet-18 64x64 b1", models.resnet18, nl.randn(1, 3, 64, 64)},
  {"ResNet-18 64x64 b8", models.resnet18, nl.randn(8, 3, 64, 64)},
}

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

--- The seconds of a call of f, of some calls where one is too short for the clock.
local function time(f, x, calls)
  local begin = os.clock()
  for _ = 1, calls do nl.no_grad(f, x) end
  return (os.clock() - begin) / calls
end

nl.set_num_threads(1)
for _, case in ipairs(cases) do
  local name, make, x = table.unpack(case)
  if name:find(arg[1] or "") then
    local net = make():eval()
    local fast, plain, compiled = nl.compile(net), {}, {}
    time(fast, x, 3)
    local calls = math.ceil(2e-4 / time(net, x, 3))
    local begin = os.clock()
    repeat
      table.insert(plain, time(net, x, calls))
      table.insert(compiled, time(fast, x, calls))
    until os.clock() - begin > SECONDS
    local p, c = median(plain), median(compiled)
    print(("%-28s %10.1f us %10.1f us %6.2fx"):format(name, p * 1e6, c * 1e6, p / c))
  end
end
