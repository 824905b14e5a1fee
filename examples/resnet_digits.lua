-- A small ResNet that reads digits, trained by nl.Trainer: a table while it runs, checkpoints, a confusion matrix.
-- Run:  ./bootstrap run examples/resnet_digits.lua [--epochs N] [--folder FOLDER] [--resume]
local nl = require "nnlua"
local nn, F, optim, data = nl.nn, nl.F, nl.optim, nl.utils.data

local parser = nl.argparse.ArgumentParser {description = "A residual net for handwritten digits."}
parser:add_argument("--epochs", {default = 8, help = "times to go through the digits"})
parser:add_argument("--folder", {metavar = "FOLDER", help = "keep checkpoints and a log there"})
parser:add_argument("--resume", {action = "store_true", help = "go on where the run in the folder was left"})
parser:add_argument("--save", {metavar = "FILE", help = "write the confusion matrix there, as PNG or SVG"})
local options = parser:parse_args()

local Residual = nn.class "Residual"

function Residual:init(from, to, stride)
  self.conv1 = nn.Conv2d(from, to, 3, {stride = stride, padding = 1, bias = false})
  self.norm1 = nn.BatchNorm2d(to)
  self.conv2 = nn.Conv2d(to, to, 3, {padding = 1, bias = false})
  self.norm2 = nn.BatchNorm2d(to)
  if stride > 1 then self.down = nn.Conv2d(from, to, 1, {stride = stride, bias = false}) end
end

function Residual:forward(x)
  local y = F.relu(self.norm1(self.conv1(x)))
  y = self.norm2(self.conv2(y))
  return F.relu(y + (self.down and self.down(x) or x))
end

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local all = data.read_csv(folder .. "/data/digits.csv.gz")
nl.manual_seed(0)
local order = nl.randperm(#all)
local pixels, labels = all[{{}, {1, 64}}][order]:view(-1, 1, 8, 8) / 16, all[{{}, 65}][order]:long() + 1
local held_out = #all // 5

local function loader(first, last, shuffle)
  local set = data.TensorDataset(pixels[{{first, last}}], labels[{{first, last}}])
  return data.DataLoader(set, {batch_size = 64, shuffle = shuffle})
end

local net = nn.Sequential(
  nn.Conv2d(1, 16, 3, {padding = 1, bias = false}), nn.BatchNorm2d(16), nn.ReLU(),
  Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2),
  nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
local optimizer = optim.AdamW(net:parameters(), {lr = 0.003})
local ctrl_c = nl.utils.interrupts(not options.folder) -- Ctrl-C ends the training; with a folder, fit also saves
local trainer = nl.Trainer(net, {
  optimizer = optimizer, loss = nn.CrossEntropyLoss(), metrics = {accuracy = nl.metrics.Accuracy()},
  scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs),
  max_epochs = options.epochs, folder = options.folder,
  callbacks = {{on_epoch_end = function(_, self) self.should_stop = self.should_stop or ctrl_c:asked() end}},
})
trainer:fit(loader(held_out + 1, #all, true), loader(1, held_out, false), {resume = options.resume})
ctrl_c:close()

net:eval()
local test_x, test_y = pixels[{{1, held_out}}], labels[{{1, held_out}}]
local guesses = nl.no_grad(net, test_x):argmax(2)
print(("%d of %d held-out digits right"):format(guesses:eq(test_y):sum():item(), held_out))
local names = {}
for digit = 0, 9 do names[digit + 1] = tostring(digit) end
local figure = nl.plot.confusion(test_y, guesses, {labels = names})
print(figure)
if options.save then figure:save(options.save) end
