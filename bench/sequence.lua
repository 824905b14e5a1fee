-- nnlua's side of the comparison for sequences: attention, and training steps of an LSTM and of a stack of GPT blocks.
-- The cases of sequence.py, line by line; see compare.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local measure = dofile(here .. "/measure.lua")
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local CLASSES <const>, WIDTH <const>, HEADS <const>, LENGTH <const> = 65, 128, 4, 128

-- --------------------------------------------------------------- attention

local packed = nl.randn({16, LENGTH, 3 * WIDTH}, {requires_grad = true})

local function attend()
  local parts = packed:split(WIDTH, 3, {as_table = true})
  for i, part in ipairs(parts) do parts[i] = part:reshape(16, LENGTH, HEADS, WIDTH // HEADS):transpose(2, 3) end
  return F.scaled_dot_product_attention(parts[1], parts[2], parts[3], {is_causal = true})
end

measure("causal attention 16x4x128x32", 10, function() nl.no_grad(attend) end)
measure("causal attention 16x4x128x32, backward", 5, function()
  packed.grad = nil
  attend():sum():backward()
end)

-- ------------------------------------------------------------------- steps

local function training(name, n, net, inputs, targets)
  local optimizer = optim.Adam(net:parameters(), {lr = 0.001})
  measure(name, n, function()
    optimizer:zero_grad()
    F.cross_entropy(net(inputs):flatten(1, 2), targets):backward()
    optimizer:step()
  end)
end

local CharLSTM = nn.class "CharLSTM"

function CharLSTM:init()
  self.embedding = nn.Embedding(CLASSES, 64)
  self.lstm = nn.LSTM(64, 128)
  self.head = nn.Linear(128, CLASSES)
end

function CharLSTM:forward(x)
  return self.head((self.lstm(self.embedding(x))))
end

training("LSTM step, 128 wide, 64 steps, batch 32", 5, CharLSTM(), nl.randint(1, CLASSES + 1, {64, 32}),
  nl.randint(1, CLASSES + 1, {64 * 32}))

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
  self.tokens, self.positions = nn.Embedding(CLASSES, WIDTH), nn.Embedding(LENGTH, WIDTH)
  self.blocks = nn.Sequential(Block(), Block(), Block(), Block())
  self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES, {bias = false})
end

function GPT:forward(x)
  x = self.tokens(x) + self.positions(nl.arange(1, LENGTH + 1))
  return self.head(self.norm(self.blocks(x)))
end

training("GPT step, 4 blocks, 128 wide, 128 long, batch 16", 2, GPT(), nl.randint(1, CLASSES + 1, {16, LENGTH}),
  nl.randint(1, CLASSES + 1, {16 * LENGTH}))
