-- Fresh pages an operation, once a loop is steady: loops of one size, of all sizes in turn, and training steps of nets.
--   build/release/nnlua bench/faults.lua [NAME]
-- prints for each case the page faults of one round, its time, and the process's peak so far. With a NAME, only cases
-- whose name has it: peaks are then those of that case. Sizes of 1e7 elements take 320 MB.
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim
nl.set_num_threads(1)
nl.manual_seed(0)

local only = arg[1] or ""

local function minor_faults()
  for line in io.lines "/proc/self/stat" do
    return tonumber((line:gsub("^.*%) ", ""):match("^" .. ("%S+ "):rep(7) .. "(%d+)")))
  end
end

local function peak()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s*(%d+)"
    if kb then return tonumber(kb) / 1024 end
  end
end

--- Runs rounds to get steady, then counts the faults of a third as many.
local function case(name, rounds, make)
  if not name:find(only, 1, true) then return end
  local round = make()
  for _ = 1, 3 * rounds do round() end
  local faults, start = minor_faults(), os.clock()
  for _ = 1, 3 * rounds do round() end
  local seconds = os.clock() - start
  print(("%-44s %9.2f faults %12.1f us %8.1f MB"):format(name, (minor_faults() - faults) / rounds,
    seconds / rounds * 1e6, peak()))
end

local sizes = {{"1e4", 10000, 20000}, {"1e5", 100000, 3000}, {"1e6", 1000000, 300}, {"1e7", 10000000, 30}}

for _, size in ipairs(sizes) do
  case("add " .. size[1], size[3], function()
    local x, y = nl.randn(size[2]), nl.randn(size[2])
    return function() return x + y end
  end)
end

for last = 3, 4 do
  local label = last == 3 and "1e4, 1e5, 1e6" or "1e4, 1e5, 1e6, 1e7"
  local function operands()
    local xs = {}
    for i = 1, last do xs[i] = nl.randn(sizes[i][2]) end
    return xs
  end
  case("add " .. label .. ", one of each", 60, function()
    local xs = operands()
    return function() for i = 1, last do local _ = xs[i] + xs[i] end end
  end)
  case("add " .. label .. ", 3e6 elements of each", 30, function()
    local xs = operands()
    return function()
      for i = 1, last do
        for _ = 1, math.max(1, 3000000 // sizes[i][2]) do local _ = xs[i] + xs[i] end
        xs[1]:sum()
      end
    end
  end)
end

-- -------------------------------------------------------------------- nets

local function step(name, rounds, make, optimizer)
  case(name, rounds, function()
    local net, input, target = make()
    local opt = optim[optimizer](net:parameters(), {lr = 0.001})
    return function()
      opt:zero_grad()
      F.cross_entropy(net(input):reshape(#target, -1), target):backward()
      opt:step()
    end
  end)
end

local function mlp(...)
  local widths, net = {...}, nn.Sequential()
  for i = 1, #widths - 1 do
    net:append(nn.Linear(widths[i], widths[i + 1]))
    if i < #widths - 1 then net:append(nn.ReLU()) end
  end
  return net
end

step("MLP 784-512-512-10, batch 128, Adam", 100, function()
  return mlp(784, 512, 512, 10), nl.randn(128, 784), nl.randint(1, 11, {128})
end, "Adam")
step("MLP 64-128-128-8, batch 32, Adam", 2000, function()
  return mlp(64, 128, 128, 8), nl.randn(32, 64), nl.randint(1, 9, {32})
end, "Adam")
step("LeNet-5, batch 64, SGD", 60, function()
  local net = nn.Sequential(nn.Conv2d(1, 6, 5, {padding = 2}), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5),
    nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
    nn.Linear(84, 10))
  return net, nl.randn(64, 1, 28, 28), nl.randint(1, 11, {64})
end, "SGD")

local CharLSTM = nn.class "CharLSTM"

function CharLSTM:init()
  self.embedding, self.lstm, self.head = nn.Embedding(65, 64), nn.LSTM(64, 128), nn.Linear(128, 65)
end

function CharLSTM:forward(x) return self.head((self.lstm(self.embedding(x)))) end

step("LSTM 64-128, 64 steps, batch 32, Adam", 30, function()
  return CharLSTM(), nl.randint(1, 66, {64, 32}), nl.randint(1, 66, {64 * 32})
end, "Adam")

local WIDTH <const>, HEADS <const>, LENGTH <const> = 128, 4, 128
local Block = nn.class "Block"

function Block:init()
  self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
  self.attention_in, self.attention_out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
  self.inner, self.outer = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
end

function Block:forward(x)
  local batch, length = x:size(1), x:size(2)
  local parts = self.attention_in(self.norm1(x)):split(WIDTH, 3, {as_table = true})
  for i, part in ipairs(parts) do parts[i] = part:reshape(batch, length, HEADS, WIDTH // HEADS):transpose(2, 3) end
  local heads = F.scaled_dot_product_attention(parts[1], parts[2], parts[3], {is_causal = true})
  x = x + self.attention_out(heads:transpose(2, 3):reshape(batch, length, WIDTH))
  return x + self.outer(F.gelu(self.inner(self.norm2(x))))
end

local GPT = nn.class "GPT"

function GPT:init()
  self.tokens, self.positions = nn.Embedding(65, WIDTH), nn.Embedding(LENGTH, WIDTH)
  self.blocks = nn.Sequential(Block(), Block(), Block(), Block())
  self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 65, {bias = false})
end

function GPT:forward(x)
  return self.head(self.norm(self.blocks(self.tokens(x) + self.positions(nl.arange(1, LENGTH + 1)))))
end

step("GPT 4 blocks, 128 wide, 128 long, batch 16", 8, function()
  return GPT(), nl.randint(1, 66, {16, LENGTH}), nl.randint(1, 66, {16 * LENGTH})
end, "Adam")

local Residual = nn.class "Residual"

function Residual:init(from, to, stride)
  self.body = nn.Sequential(nn.Conv2d(from, to, 3, {stride = stride, padding = 1, bias = false}), nn.BatchNorm2d(to),
    nn.ReLU(), nn.Conv2d(to, to, 3, {padding = 1, bias = false}), nn.BatchNorm2d(to))
  if stride ~= 1 then
    self.shortcut = nn.Sequential(nn.Conv2d(from, to, 1, {stride = stride, bias = false}), nn.BatchNorm2d(to))
  end
end

function Residual:forward(x) return nl.relu(self.body(x) + (self.shortcut and self.shortcut(x) or x)) end

local function resnet18()
  local net = nn.Sequential(nn.Conv2d(3, 64, 7, {stride = 2, padding = 3, bias = false}), nn.BatchNorm2d(64), nn.ReLU(),
    nn.MaxPool2d(3, {stride = 2, padding = 1}))
  for i, from in ipairs {64, 64, 128, 256} do
    local to = i == 1 and 64 or 2 * from
    net:append(Residual(from, to, i == 1 and 1 or 2))
    net:append(Residual(to, to, 1))
  end
  net:append(nn.AdaptiveAvgPool2d(1))
  net:append(nn.Flatten())
  net:append(nn.Linear(512, 1000))
  return net
end

for _, side in ipairs {64, 224} do
  step(("ResNet-18, batch 8, %dx%d, SGD"):format(side, side), side == 64 and 6 or 3, function()
    return resnet18(), nl.randn(8, 3, side, side), nl.randint(1, 1001, {8})
  end, "SGD")
end
