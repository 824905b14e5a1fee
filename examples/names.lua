-- Makes up first names, having read 32,033 real ones: each letter follows from the few before it.
-- Run:  ./bootstrap run examples/names.lua [--seed N] [--epochs N] [--names N]
-- In four seconds, one core:
--   epoch 1  loss 2.410  held out 2.252
--   …
--   epoch 8  loss 1.978  held out 2.031
--   sanusha caitlyn azarius sutghne christa colijaaleel davayah diairaj miko tefostoa milaanshi mirce kyedozen …
local nl = require "nnlua"
local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local parser = nl.argparse.ArgumentParser {description = "A net that learns to make up first names."}
parser:add_argument("--seed", {default = 0, help = "of the random numbers"})
parser:add_argument("--epochs", {default = 8, help = "times to go through the names"})
parser:add_argument("--names", {type = "integer", help = "how many names to read (all)"})
local options = parser:parse_args()

local context = 4   -- how many letters the next one follows from
local letters = 27  -- class 1 stands before and after each name, 2 is a, 27 is z
local function class_of(letter) return letter:byte() - ("a"):byte() + 2 end
local function letter_of(class) return string.char(class - 2 + ("a"):byte()) end

local function read_names()
  local folder = arg[0]:match "^(.*)/[^/]*$" or "."
  local names = {}
  for name in io.lines(folder .. "/data/names.txt") do
    if not options.names or #names < options.names then names[#names + 1] = name end
  end
  return names
end

-- For each letter of the names, and each end: the letters before it, and itself.
local function examples_of(names)
  local before, after = {}, {}
  for _, name in ipairs(names) do
    local classes = {}
    for i = 1, context do classes[i] = 1 end
    for letter in name:gmatch "%l" do classes[#classes + 1] = class_of(letter) end
    classes[#classes + 1] = 1
    for i = context + 1, #classes do
      table.move(classes, i - context, i - 1, #before + 1, before)
      after[#after + 1] = classes[i]
    end
  end
  return data.TensorDataset(nl.tensor(before):view(-1, context), nl.tensor(after))
end

local Net = nn.class("Net")

function Net:init(width, hidden)
  self.embedding = nn.Embedding(letters, width)
  self.hidden = nn.Linear(context * width, hidden)
  self.scores = nn.Linear(hidden, letters)
end

function Net:forward(before)
  local x = self.embedding(before):flatten(2)
  return self.scores(nl.tanh(self.hidden(x)))
end

-- The loss of a letter, on average over a dataset.
local function evaluate(net, dataset)
  local _ <close> = nl.no_grad()
  local total = 0
  for before, after in data.DataLoader(dataset, {batch_size = 4096}) do
    total = total + nn.functional.cross_entropy(net(before), after, {reduction = "sum"}):item()
  end
  return total / #dataset
end

local function train(net, dataset, held_out)
  local loader = data.DataLoader(dataset, {batch_size = 256, shuffle = true})
  local optimizer = optim.AdamW(net:parameters(), {lr = 0.005})
  local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.01, {total_steps = options.epochs * #loader})
  local ctrl_c <close> = nl.utils.interrupts() -- Ctrl-C ends the training, and makes up names by what it came to
  for epoch = 1, options.epochs do
    local progress <close>, total = nl.progress(loader, {desc = "epoch " .. epoch}), 0
    for before, after in progress do
      local loss = nn.functional.cross_entropy(net(before), after)
      optimizer:zero_grad()
      loss:backward()
      optimizer:step()
      scheduler:step()
      total = total + loss:item()
      progress:set("loss", loss)
      if ctrl_c:asked() then break end
    end
    progress:close()
    if ctrl_c:asked() then break end
    print(("epoch %d  loss %.3f  held out %.3f"):format(epoch, total / #loader, evaluate(net, held_out)))
  end
end

-- A name, letter by letter, by the net's probabilities.
local function make_up(net)
  local classes, name = {}, {}
  for i = 1, context do classes[i] = 1 end
  while true do
    local before = nl.tensor {{table.unpack(classes, #classes - context + 1)}}
    local class = nl.softmax(net(before), 2):multinomial(1):item()
    if class == 1 then return table.concat(name) end
    classes[#classes + 1], name[#name + 1] = class, letter_of(class)
  end
end

nl.manual_seed(options.seed)
local names, shuffled = read_names(), {}
for i, place in ipairs(nl.randperm(#names):tolist()) do shuffled[i] = names[place] end
local cut = #names * 9 // 10
local net = Net(16, 200)
train(net, examples_of {table.unpack(shuffled, 1, cut)}, examples_of {table.unpack(shuffled, cut + 1)})

local made = {}
nl.no_grad(function()
  for i = 1, 20 do made[i] = make_up(net) end
end)
print(table.concat(made, " "))
