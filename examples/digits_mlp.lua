-- Trains a small network on 1,797 real handwritten digits and tests it on a fifth that it never saw.
-- Run:  ./bootstrap run examples/digits_mlp.lua [--seed N] [--epochs N] [--losses]
local nl = require "nnlua"
local nn, optim = nl.nn, nl.optim

local parser = nl.argparse.ArgumentParser {description = "A small network that learns to read digits."}
parser:add_argument("--seed", {default = 0, help = "of the training's random numbers"})
parser:add_argument("--epochs", {default = 30, help = "times to go through the digits"})
parser:add_argument("--losses", {action = "store_true", help = "print the loss of each step"})
local options = parser:parse_args()

-- Rows of 64 pixels (0..16) and the digit, compressed.
local function load_digits()
  local folder = arg[0]:match "^(.*)/[^/]*$" or "."
  local all = nl.utils.data.read_csv(folder .. "/data/digits.csv.gz")
  local pixels = all[{{}, {1, 64}}] / 16
  local labels = all[{{}, 65}]:to(nl.int64) + 1 -- classes count from 1
  return pixels, labels
end

local pixels, labels = load_digits()
nl.manual_seed(0)
local order = nl.randperm(#pixels)
local held_out = #pixels // 5
local test, train = order[{{1, held_out}}], order[{{held_out + 1}}]
local test_x, test_y = pixels[test], labels[test]
local train_x, train_y = pixels[train], labels[train]

nl.manual_seed(options.seed)
local net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
local optimizer = optim.SGD(net:parameters(), {lr = 0.1, momentum = 0.9})
local criterion = nn.CrossEntropyLoss()

local batch, step = 64, 0
for epoch = 1, options.epochs do
  local shuffled = nl.randperm(#train_x)
  local total = 0
  for first = 1, #train_x, batch do
    local rows = shuffled[{{first, math.min(first + batch - 1, #train_x)}}]
    local loss = criterion(net(train_x[rows]), train_y[rows])
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    step = step + 1
    total = total + loss:item() * #rows
    if options.losses then print(string.format("step %d loss %.6f", step, loss:item())) end
  end
  if epoch % 10 == 0 then print(string.format("epoch %d  loss %.4f", epoch, total / #train_x)) end
end

local right = nl.no_grad(function() return net(test_x):argmax(2):eq(test_y):sum():item() end)
print(string.format("%d of %d held-out digits right: %.1f %%", right, held_out, 100 * right / held_out))
