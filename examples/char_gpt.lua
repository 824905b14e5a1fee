-- A small GPT that learns to write plays from Shakespeare's, a character at a time.
-- Run:  ./bootstrap run examples/char_gpt.lua [--steps N] [--batch N] [--seed N] [--threads N]
--         [--characters N] [--text N] [--prompt TEXT] [--temperature T] [--top-k K] [--top-p P] [--weights FILE]
-- On two cores with other work to do it took twenty minutes, ten to the 1.6 of step 2500:
--   step   500  held-out loss 2.140 nats a character
--   …
--   step  5000  held-out loss 1.492 nats a character
--   And my lord, could I defide your continue
--   To Warwick's the proveried heart Clifford,
--   And the prosperpers of suffer'd the seament.
--
--   CAMILLO:
--   That she fetter this death comes to his eyes.
--   …
-- PyTorch's losses for the same seed (tests/reference/char_gpt.py) differ by 0.001 at most up to step 3500.
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local parser = nl.argparse.ArgumentParser {description = "A small GPT that learns to write plays from Shakespeare's."}
parser:add_argument("--steps", {default = 5000, help = "steps of training"})
parser:add_argument("--batch", {default = 16, help = "pieces of text in a step"})
parser:add_argument("--seed", {default = 0, help = "of the random numbers"})
parser:add_argument("--threads", {default = 2, help = "to compute on"})
parser:add_argument("--characters", {default = 500, help = "how many to write in the end"})
parser:add_argument("--text", {type = "integer", help = "how many characters of the plays to read (all)"})
parser:add_argument("--prompt", {default = "\n", help = "what the text begins with (a new line)"})
parser:add_argument("--temperature", {default = 0.8, help = "below 1: more of what is likely; 0: nothing else"})
parser:add_argument("--top-k", {type = "integer", help = "draw from the K most likely characters only"})
parser:add_argument("--top-p", {type = "number", help = "draw from the likeliest that make up this share, from 0 to 1"})
parser:add_argument("--weights", {metavar = "FILE", help = "read the trained net there, or write it there first"})
local options = parser:parse_args()
if options.steps < 2 then parser:error "--steps must be from 2 on" end
if options.prompt == "" then parser:error "--prompt must have a character" end
if not (options.temperature >= 1e-3 or options.temperature == 0) then
  parser:error "--temperature must be 0, or from 0.001 on"
end
if options.top_k and options.top_k < 1 then parser:error "--top-k must be from 1 on" end
if options.top_p and not (options.top_p > 0 and options.top_p <= 1) then
  parser:error "--top-p must be above 0, and at most 1"
end
nl.set_num_threads(options.threads)
nl.manual_seed(options.seed)

local context, width, heads, depth, every = 128, 128, 4, 4, 500

-- The text, its characters numbered from 1 in the order of their codes; the last tenth is held out.

local function read_text()
  local folder = arg[0]:match "^(.*)/[^/]*$" or "."
  local file <close> = assert(io.open(folder .. "/data/tinyshakespeare.txt", "rb"))
  local codes = nl.frombuffer(file:read(options.text or "a"), nl.uint8):to(nl.int64)
  local alphabet, numbers = nl.unique(codes, {return_inverse = true})
  return alphabet:tolist(), numbers
end

local alphabet, numbers = read_text()
local train, test = numbers[{{1, #numbers * 9 // 10}}], numbers[{{#numbers * 9 // 10 + 1}}]

--- Pieces of a text from random places, and the same shifted by one character: what is to be foretold.
local function pieces(text, n)
  local starts = nl.randint(1, #text - context + 1, {n, 1})
  local places = starts + nl.arange(0, context)
  return text[places], text[places + 1]
end

-- ------------------------------------------------------------------------ model

local Attention = nn.class("Attention")

function Attention:init()
  self.qkv = nn.Linear(width, 3 * width)
  self.out = nn.Linear(width, width)
end

function Attention:forward(x)
  local n, length = x:size(1), x:size(2)
  local qkv = self.qkv(x):view(n, length, 3, heads, width // heads)
  local q, k, v = qkv:permute(3, 1, 4, 2, 5):unbind(1)
  local y = F.scaled_dot_product_attention(q, k, v, {is_causal = true})
  return self.out(y:transpose(2, 3):reshape(n, length, width))
end

local Block = nn.class("Block")

function Block:init()
  self.norm1, self.attention = nn.LayerNorm(width), Attention()
  self.norm2 = nn.LayerNorm(width)
  self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
end

function Block:forward(x)
  x = x + self.attention(self.norm1(x))
  return x + self.mlp(self.norm2(x))
end

local GPT = nn.class("GPT")

function GPT:init()
  self.token = nn.Embedding(#alphabet, width)
  self.place = nn.Embedding(context, width)
  self.blocks = nn.Sequential()
  for _ = 1, depth do self.blocks:append(Block()) end
  self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, #alphabet)
  self:apply(function(m)
    if m:is_a(nn.Linear) or m:is_a(nn.Embedding) then nn.init.normal_(m.weight, 0, 0.02) end
    if m:is_a(nn.Linear) then nn.init.zeros_(m.bias) end
  end)
end

function GPT:forward(x)
  local places = nl.arange(1, x:size(2) + 1)
  return self.head(self.norm(self.blocks(self.token(x) + self.place(places))))
end

local net = GPT()

local function loss_of(x, y)
  return F.cross_entropy(net(x):flatten(1, 2), y:flatten())
end

--- The numbers of a text's characters.
local function numbers_of(text)
  local known, list = {}, {}
  for number, code in ipairs(alphabet) do known[code] = number end
  for i = 1, #text do
    list[i] = known[text:byte(i)] or parser:error(("--prompt: '%s' is not in the plays"):format(text:sub(i, i)))
  end
  return nl.tensor(list):view(1, -1)
end

local beginning = numbers_of(options.prompt)

-- --------------------------------------------------------------------- training

local optimizer = optim.AdamW(net:parameters(), {lr = 1e-3, betas = {0.9, 0.99}, weight_decay = 0.1})
local schedule = optim.lr_scheduler.OneCycleLR(optimizer,
  {max_lr = 2e-3, total_steps = options.steps, pct_start = math.max(0.05, 1.5 / options.steps)}) -- more than a step

local function evaluate()
  local _ <close> = nl.no_grad()
  local total = 0
  for _ = 1, 20 do total = total + loss_of(pieces(test, 4 * options.batch)):item() end
  return total / 20
end

local function train_net()
  local ctrl_c <close> = nl.utils.interrupts() -- Ctrl-C ends the training, and writes with what it has learned
  local progress <close> = nl.progress(options.steps)
  for step in progress do
    local loss = loss_of(pieces(train, options.batch))
    optimizer:zero_grad()
    loss:backward()
    nn.utils.clip_grad_norm_(net:parameters(), 1)
    optimizer:step()
    schedule:step()
    progress:set("loss", loss)
    if step % every == 0 or step == options.steps then
      progress:print(("step %5d  held-out loss %.3f nats a character"):format(step, evaluate()))
    end
    if ctrl_c:asked() then
      progress:print(("interrupted after step %d"):format(step))
      break
    end
  end
end

if options.weights and io.open(options.weights) then
  net:load_state_dict(nl.load(options.weights))
else
  train_net()
  if options.weights then nl.save(options.weights, net:state_dict()) end
end

-- ---------------------------------------------------------------------- writing

--- The next character of those that are scored, by the options.
local function draw(logits)
  if options.temperature == 0 then return logits:argmax(1, {keepdim = true}) end
  local scores = logits / options.temperature
  if options.top_k then
    local highest = scores:topk(math.min(options.top_k, #alphabet))
    scores = scores:masked_fill(scores:lt(highest[-1]), -math.huge)
  end
  if options.top_p then
    local sorted, places = F.softmax(scores, 1):sort(1, true)
    local before = sorted:cumsum(1) - sorted -- the share of those that are likelier
    scores = scores:index_fill(1, places[before:ge(options.top_p)], -math.huge)
  end
  return nl.multinomial(F.softmax(scores, 1), 1)
end

local function write(text, n)
  local _ <close> = nl.no_grad()
  if options.prompt ~= "\n" then io.write(options.prompt) end
  for _ = 1, n do
    local following = draw(net(text[{{}, {-context}}])[{1, -1}])
    io.write(string.char(alphabet[following:item()]))
    text = nl.cat({text, following:view(1, 1)}, 2)
  end
  print()
end

write(beginning, options.characters)
