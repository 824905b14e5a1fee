-- nnlua's side of the comparison of whole training steps. The cases of nets.py, line by line; see run.lua, which runs
-- each in a process of its own, so that its memory is its own.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local models = dofile(here .. "/models.lua")
local CLASSES <const>, LENGTH <const> = models.CLASSES, models.LENGTH
local mlp, lenet, blocks, GPT, resnet18 = models.mlp, models.lenet, models.blocks, models.GPT, models.resnet18

--- A step of a net made by `make`, whose loss `loss(net)` gives.
local function training(name, make, optimizer, options, loss)
  measure(name, function()
    local net = make()
    local opt = optim[optimizer](net:parameters(), options)
    local of = loss(net)
    return function()
      opt:zero_grad()
      of():backward()
      opt:step()
    end
  end)
end

--- The loss of a classifier of inputs of a shape.
local function classes_of(shape, classes)
  return function(net)
    local x, target = nl.randn(shape), nl.randint(1, classes + 1, {shape[1]})
    return function() return F.cross_entropy(net(x), target) end
  end
end

-- -------------------------------------------------------------- small nets

training("MLP 784-512-512-10 b128, SGD", mlp, "SGD", {lr = 0.01}, classes_of({128, 784}, 10))
training("MLP 784-512-512-10 b128, Adam", mlp, "Adam", {lr = 0.001}, classes_of({128, 784}, 10))

training("LeNet-5 b64, SGD", lenet, "SGD", {lr = 0.01}, classes_of({64, 1, 28, 28}, 10))

measure("LeNet-5 b64, forward", function()
  local net, x = lenet(), nl.randn(64, 1, 28, 28)
  return function() nl.no_grad(net, x) end
end)

local VAE = nn.class "VAE"

function VAE:init()
  self.inner, self.mean, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
  self.outer, self.back = nn.Linear(20, 400), nn.Linear(400, 784)
end

function VAE:forward(x)
  local h = F.relu(self.inner(x))
  local mean, logvar = self.mean(h), self.logvar(h)
  local z = mean + nl.randn_like(mean) * (logvar * 0.5):exp()
  return nl.sigmoid(self.back(F.relu(self.outer(z)))), mean, logvar
end

training("VAE 784-400-20 b128, Adam", VAE, "Adam", {lr = 0.001}, function(net)
  local x = nl.rand(128, 784)
  return function()
    local y, mean, logvar = net(x)
    local kl = (1 + logvar - mean:square() - logvar:exp()):sum() * -0.5
    return F.binary_cross_entropy(y, x, {reduction = "sum"}) + kl
  end
end)

local ActorCritic = nn.class "ActorCritic"

function ActorCritic:init()
  self.body, self.actor, self.critic = nn.Linear(4, 128), nn.Linear(128, 2), nn.Linear(128, 1)
end

function ActorCritic:forward(x)
  local h = F.relu(self.body(x))
  return F.softmax(self.actor(h), -1), self.critic(h)
end

training("actor-critic 4-128-2, episode of 20, Adam", ActorCritic, "Adam", {lr = 0.03}, function(net)
  local states = nl.randn(20, 4)
  return function()
    local losses = {}
    for t = 1, 20 do
      local probability, value = net(states[t])
      local action = nl.multinomial(probability, 1)
      local log = probability[action:item()]:log()
      local advantage = 1 - value:item()
      losses[2 * t - 1], losses[2 * t] = -log * advantage, F.smooth_l1_loss(value, nl.ones(1))
    end
    local total = losses[1]
    for i = 2, #losses do total = total + losses[i]:sum() end
    return total
  end
end)

-- --------------------------------------------------------------- sequences

--- The loss of a net that gives classes for each place of whole numbers of shape {a, b}.
local function characters(a, b)
  return function(net)
    local x, target = nl.randint(1, CLASSES + 1, {a, b}), nl.randint(1, CLASSES + 1, {a * b})
    return function() return F.cross_entropy(net(x):flatten(1, 2), target) end
  end
end

local Recurrent = nn.class "Recurrent"

function Recurrent:init(layer)
  self.embedding, self.layer, self.head = nn.Embedding(CLASSES, 64), layer(64, 128), nn.Linear(128, CLASSES)
end

function Recurrent:forward(x)
  return self.head((self.layer(self.embedding(x))))
end

for _, kind in ipairs {"LSTM", "GRU"} do
  training(kind .. " 64-128, 64 steps b32, Adam", function() return Recurrent(nn[kind]) end, "Adam", {lr = 0.001},
    characters(64, 32))
end

training("GPT 4 x 128, 128 long b16, Adam", GPT, "Adam", {lr = 0.001}, characters(16, LENGTH))

local ViT = nn.class "ViT"

function ViT:init()
  self.patches = nn.Conv2d(3, 192, 16, {stride = 16})
  self.class = nn.Parameter(nl.zeros(1, 1, 192))
  self.positions = nn.Parameter(nl.randn(1, 197, 192) * 0.02)
  self.blocks = blocks(12, 192, 3, false)
  self.norm, self.head = nn.LayerNorm(192), nn.Linear(192, 1000)
end

function ViT:forward(x)
  x = self.patches(x):flatten(3):transpose(2, 3)
  x = nl.cat({self.class:expand(x:size(1), -1, -1), x}, 2) + self.positions
  return self.head(self.norm(self.blocks(x))[{{}, 1}])
end

training("ViT 12 x 192, 224x224 b8, Adam", ViT, "Adam", {lr = 0.001}, classes_of({8, 3, 224, 224}, 1000))

-- ---------------------------------------------------------------- pictures

training("ResNet-18 64x64 b8, SGD", resnet18, "SGD", {lr = 0.1, momentum = 0.9}, classes_of({8, 3, 64, 64}, 1000))
training("ResNet-18 224x224 b8, SGD", resnet18, "SGD", {lr = 0.1, momentum = 0.9}, classes_of({8, 3, 224, 224}, 1000))

local function down(a, b, norm)
  local conv = nn.Conv2d(a, b, 4, {stride = 2, padding = 1, bias = false})
  return nn.Sequential(conv, norm and nn.BatchNorm2d(b) or nn.Identity(), nn.LeakyReLU(0.2))
end

local function up(a, b, stride, padding)
  local conv = nn.ConvTranspose2d(a, b, 4, {stride = stride, padding = padding, bias = false})
  return nn.Sequential(conv, nn.BatchNorm2d(b), nn.ReLU())
end

measure("DCGAN 64 x 64, 64x64 b16, Adam", function()
  local judge = nn.Sequential(down(3, 64), down(64, 128, true), down(128, 256, true), down(256, 512, true),
    nn.Conv2d(512, 1, 4, {bias = false}), nn.Sigmoid(), nn.Flatten(1))
  local maker = nn.Sequential(up(100, 512, 1, 0), up(512, 256, 2, 1), up(256, 128, 2, 1), up(128, 64, 2, 1),
    nn.ConvTranspose2d(64, 3, 4, {stride = 2, padding = 1, bias = false}), nn.Tanh())
  local of_judge = optim.Adam(judge:parameters(), {lr = 0.0002, betas = {0.5, 0.999}})
  local of_maker = optim.Adam(maker:parameters(), {lr = 0.0002, betas = {0.5, 0.999}})
  local real, ones, zeros = nl.randn(16, 3, 64, 64), nl.ones(16), nl.zeros(16)
  return function()
    of_judge:zero_grad()
    F.binary_cross_entropy(judge(real), ones):backward()
    local made = maker(nl.randn(16, 100, 1, 1))
    F.binary_cross_entropy(judge(made:detach()), zeros):backward()
    of_judge:step()
    of_maker:zero_grad()
    F.binary_cross_entropy(judge(made), ones):backward()
    of_maker:step()
  end
end)

local function twice(a, b)
  return nn.Sequential(nn.Conv2d(a, b, 3, {padding = 1, bias = false}), nn.BatchNorm2d(b), nn.ReLU(),
    nn.Conv2d(b, b, 3, {padding = 1, bias = false}), nn.BatchNorm2d(b), nn.ReLU())
end

local UNet = nn.class "UNet"

function UNet:init(base)
  self.down1, self.down2, self.down3, self.down4 = twice(3, base), twice(base, 2 * base), twice(2 * base, 4 * base),
    twice(4 * base, 8 * base)
  self.bottom, self.pool = twice(8 * base, 16 * base), nn.MaxPool2d(2)
  for i = 1, 4 do
    local planes = base << (i - 1)
    self["wide" .. i] = nn.ConvTranspose2d(2 * planes, planes, 2, {stride = 2})
    self["up" .. i] = twice(2 * planes, planes)
  end
  self.head = nn.Conv2d(base, 2, 1)
end

function UNet:forward(x)
  local kept = {}
  for i = 1, 4 do
    kept[i] = self["down" .. i](x)
    x = self.pool(kept[i])
  end
  x = self.bottom(x)
  for i = 4, 1, -1 do x = self["up" .. i](nl.cat({kept[i], self["wide" .. i](x)}, 2)) end
  return self.head(x)
end

training("U-Net base 32, 128x128 b4, Adam", function() return UNet(32) end, "Adam", {lr = 0.001}, function(net)
  local x, target = nl.randn(4, 3, 128, 128), nl.randint(1, 3, {4, 128, 128})
  return function() return F.cross_entropy(net(x), target) end
end)

-- ------------------------------------------------------------------ decode

-- A token of a net of GPT-2's size (12 blocks of 768, 12 heads, 50257 tokens), with 128 places in its memory.
local Decoder = nn.class "Decoder"

function Decoder:init()
  local width = 768
  self.tokens, self.positions = nn.Embedding(50257, width), nn.Embedding(1024, width)
  self.blocks = blocks(12, width, 12, true)
  self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 50257, {bias = false})
end

--- One token at a place, given each block's keys and values up to it, {1, 12, places, 64}.
function Decoder:forward(token, place, keys, values)
  local x = self.tokens(token) + self.positions(place)
  for i = 1, #self.blocks do
    local block = self.blocks[i]
    local parts = block.attention_in(block.norm1(x)):view(1, 3, 12, 1, 64)
    local key, value = nl.cat({keys[i], parts[{{}, 2}]}, 3), nl.cat({values[i], parts[{{}, 3}]}, 3)
    local attended = F.scaled_dot_product_attention(parts[{{}, 1}], key, value)
    x = x + block.attention_out(attended:view(1, 768))
    x = x + block.outer(F.gelu(block.inner(block.norm2(x)), "tanh"))
  end
  return self.head(self.norm(x)):argmax(-1)
end

--- Every Linear of a module as one with weights of a byte.
local function quantize(module)
  for name, child in module:named_children() do
    if child:is_a(nn.Linear) then
      module[name] = nn.quantized.dynamic.Linear.from_float(child)
    else
      quantize(child)
    end
  end
end

for _, name in ipairs {"float32", "bfloat16", "int8 weights"} do
  measure("decode a token, GPT-2's size, " .. name, function()
    local dtype = nl[name] or nl.float32
    local net, keys, values = Decoder():to(dtype), {}, {}
    if name == "int8 weights" then quantize(net) end
    for i = 1, 12 do
      keys[i], values[i] = nl.randn({1, 12, 128, 64}):to(dtype), nl.randn({1, 12, 128, 64}):to(dtype)
    end
    local token, place = nl.tensor {7}, nl.tensor {129}
    return function() nl.no_grad(net, token, place, keys, values) end
  end)
end
