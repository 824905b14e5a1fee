-- Networks that several sets of measurements have; models.py has PyTorch's.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local CLASSES <const>, LENGTH <const> = 65, 128

local function mlp()
  return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
end

local function lenet()
  return nn.Sequential(
    nn.Conv2d(1, 6, 5, {padding = 2}), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
end

local Block = nn.class "Block"

function Block:init(width, heads, is_causal)
  self.heads, self.is_causal = heads, is_causal
  self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
  self.attention_in, self.attention_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
  self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
end

function Block:forward(x)
  local batch, length, width = x:size(1), x:size(2), x:size(3)
  local parts = self.attention_in(self.norm1(x)):split(width, 3, {as_table = true})
  for i, part in ipairs(parts) do
    parts[i] = part:reshape(batch, length, self.heads, width // self.heads):transpose(2, 3)
  end
  local attended = F.scaled_dot_product_attention(parts[1], parts[2], parts[3], {is_causal = self.is_causal})
  x = x + self.attention_out(attended:transpose(2, 3):reshape(batch, length, width))
  return x + self.outer(F.gelu(self.inner(self.norm2(x))))
end

local function blocks(depth, ...)
  local list = {}
  for i = 1, depth do list[i] = Block(...) end
  return nn.Sequential(table.unpack(list))
end

local GPT = nn.class "GPT"

function GPT:init()
  self.tokens, self.positions = nn.Embedding(CLASSES, 128), nn.Embedding(LENGTH, 128)
  self.blocks = blocks(4, 128, 4, true)
  self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, CLASSES, {bias = false})
end

function GPT:forward(x)
  x = self.tokens(x) + self.positions(nl.arange(1, LENGTH + 1))
  return self.head(self.norm(self.blocks(x)))
end

local Residual = nn.class "Residual"

function Residual:init(planes_in, planes, stride)
  self.conv1 = nn.Conv2d(planes_in, planes, 3, {stride = stride, padding = 1, bias = false})
  self.conv2 = nn.Conv2d(planes, planes, 3, {padding = 1, bias = false})
  self.bn1, self.bn2 = nn.BatchNorm2d(planes), nn.BatchNorm2d(planes)
  if stride ~= 1 then
    self.down = nn.Sequential(nn.Conv2d(planes_in, planes, 1, {stride = stride, bias = false}), nn.BatchNorm2d(planes))
  end
end

function Residual:forward(x)
  local y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
  return F.relu(y + (self.down and self.down(x) or x))
end

local function resnet18()
  return nn.Sequential(
    nn.Conv2d(3, 64, 7, {stride = 2, padding = 3, bias = false}), nn.BatchNorm2d(64), nn.ReLU(),
    nn.MaxPool2d(3, {stride = 2, padding = 1}),
    Residual(64, 64, 1), Residual(64, 64, 1), Residual(64, 128, 2), Residual(128, 128, 1),
    Residual(128, 256, 2), Residual(256, 256, 1), Residual(256, 512, 2), Residual(512, 512, 1),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))
end

return {
  CLASSES = CLASSES, LENGTH = LENGTH, mlp = mlp, lenet = lenet, blocks = blocks, GPT = GPT, resnet18 = resnet18,
}
