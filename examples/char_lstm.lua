-- An LSTM that learns to write plays from Shakespeare's, a character at a time, in two minutes.
-- Run:  ./bootstrap run examples/char_lstm.lua [--epochs N] [--seed N] [--threads N] [--hidden N] [--characters N]
--         [--text N]
--   epoch 1  held-out loss 1.763 nats a character
--   epoch 2  held-out loss 1.628 nats a character
--   All any Pareward, my whose will I thread me,
--   As man we proved that is the hoped of afterets rene!
--   For if I that so fareword grant this care to come
--   …
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local parser = nl.argparse.ArgumentParser {description = "An LSTM that learns to write plays from Shakespeare's."}
parser:add_argument("--epochs", {default = 2, help = "times to go through the plays"})
parser:add_argument("--seed", {default = 0, help = "of the random numbers"})
parser:add_argument("--threads", {default = 2, help = "to compute on"})
parser:add_argument("--hidden", {default = 256, help = "width of the LSTM"})
parser:add_argument("--characters", {default = 400, help = "how many to write in the end"})
parser:add_argument("--text", {type = "integer", help = "how many characters of the plays to read (all)"})
local options = parser:parse_args()
nl.set_num_threads(options.threads)
nl.manual_seed(options.seed)

local streams, length, hidden = 64, 64, options.hidden

-- The text, its characters numbered from 1 in the order of their codes.
local function read_text()
  local folder = arg[0]:match "^(.*)/[^/]*$" or "."
  local file <close> = assert(io.open(folder .. "/data/tinyshakespeare.txt", "rb"))
  local codes = nl.frombuffer(file:read(options.text or "a"), nl.uint8):to(nl.int64)
  local alphabet, numbers = nl.unique(codes, {return_inverse = true})
  return alphabet:tolist(), numbers
end

--- A text as streams that are read side by side: one a row.
local function in_streams(text)
  local n = #text // streams
  return text[{{1, n * streams}}]:view(streams, n)
end

local alphabet, numbers = read_text()
local train, test = in_streams(numbers[{{1, #numbers * 9 // 10}}]), in_streams(numbers[{{#numbers * 9 // 10 + 1}}])

local Writer = nn.class("Writer")

function Writer:init()
  self.embedding = nn.Embedding(#alphabet, 64)
  self.lstm = nn.LSTM(64, hidden, {batch_first = true})
  self.head = nn.Linear(hidden, #alphabet)
end

--- Scores of what follows each character, and the state to go on with.
function Writer:forward(x, state)
  local y, after = self.lstm(self.embedding(x), state)
  return self.head(y), after
end

local net = Writer()

--- The loss on each piece of a text in turn, with the state that the piece before it left.
local function losses(text)
  local first, state = 1, nil
  return function()
    if first + length > text:size(2) then return nil end
    local scores, after = net(text[{{}, {first, first + length - 1}}], state)
    state = {after[1]:detach(), after[2]:detach()} -- gradients stay within the piece
    local loss = F.cross_entropy(scores:flatten(1, 2), text[{{}, {first + 1, first + length}}]:flatten())
    first = first + length
    return loss
  end
end

local function evaluate()
  local _ <close> = nl.no_grad()
  local total, n = 0, 0
  for loss in losses(test) do total, n = total + loss:item(), n + 1 end
  return total / n
end

local optimizer = optim.Adam(net:parameters(), {lr = 4e-3})
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and writes with what has been learned
for epoch = 1, options.epochs do
  local progress <close> = nl.progress(losses(train), {total = (train:size(2) - 1) // length, desc = "epoch " .. epoch})
  for loss in progress do
    optimizer:zero_grad()
    loss:backward()
    nn.utils.clip_grad_norm_(net:parameters(), 1)
    optimizer:step()
    progress:set("loss", loss)
    if ctrl_c:asked() then break end
  end
  progress:close()
  print(("epoch %d  held-out loss %.3f nats a character"):format(epoch, evaluate()))
  if ctrl_c:asked() then break end
end
ctrl_c:close()

local function write(n)
  local _ <close> = nl.no_grad()
  local character, state = 1, nil -- a new line
  for _ = 1, n do
    local scores
    scores, state = net(nl.tensor {{character}}, state)
    character = nl.multinomial(F.softmax(scores[{1, -1}] / 0.8, 1), 1):item()
    io.write(string.char(alphabet[character]))
  end
  print()
end

write(options.characters)
