-- A U-Net that finds discs among squares and noise: for each point of a picture, whether it lies on a disc.
-- Run:  ./bootstrap run examples/unet.lua [--steps N] [--seed N] [--save FILE]
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local parser = nl.argparse.ArgumentParser {description = "A U-Net that marks the discs in noisy pictures."}
parser:add_argument("--steps", {default = 200, help = "steps of training, each with 8 new pictures"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--save", {metavar = "FILE", help = "write the last picture there, as PNG or SVG"})
local options = parser:parse_args()

local SIDE <const>, BATCH <const> = 32, 8

local function block(from, to)
  return nn.Sequential(nn.Conv2d(from, to, 3, {padding = 1}), nn.BatchNorm2d(to), nn.ReLU(),
    nn.Conv2d(to, to, 3, {padding = 1}), nn.BatchNorm2d(to), nn.ReLU())
end

local UNet = nn.class "UNet"

function UNet:init(width)
  self.down1, self.down2, self.bottom = block(1, width), block(width, 2 * width), block(2 * width, 4 * width)
  self.widen2, self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, {stride = 2}), block(4 * width, 2 * width)
  self.widen1, self.up1 = nn.ConvTranspose2d(2 * width, width, 2, {stride = 2}), block(2 * width, width)
  self.last = nn.Conv2d(width, 1, 1)
end

function UNet:forward(x)
  local fine = self.down1(x)
  local coarse = self.down2(F.max_pool2d(fine, 2))
  local deep = self.bottom(F.max_pool2d(coarse, 2))
  deep = self.up2(nl.cat({self.widen2(deep), coarse}, 2))
  return self.last(self.up1(nl.cat({self.widen1(deep), fine}, 2)))
end

local places = nl.arange(SIDE) + 0.5
local rows, columns = places:view(1, SIDE, 1), places:view(1, 1, SIDE)

--- Shapes of one kind, two in each picture: their points, as 0 and 1, [pictures, side, side].
local function shapes(distance)
  local mask = nl.zeros(BATCH, SIDE, SIDE)
  for _ = 1, 2 do
    local y, x = nl.rand(BATCH, 1, 1) * SIDE, nl.rand(BATCH, 1, 1) * SIDE
    local radius = nl.rand(BATCH, 1, 1) * 4 + 3
    mask = nl.maximum(mask, distance(rows - y, columns - x):lt(radius):float())
  end
  return mask
end

--- Pictures and their discs, both [pictures, 1, side, side].
local function draw()
  local discs = shapes(function(dy, dx) return (dy ^ 2 + dx ^ 2):sqrt() end)
  local squares = shapes(function(dy, dx) return nl.maximum(dy:abs(), dx:abs()) end)
  local picture = nl.maximum(discs, squares) * 0.6 + nl.randn(BATCH, SIDE, SIDE) * 0.15 + 0.2
  return picture:unsqueeze(2), discs:unsqueeze(2)
end

nl.manual_seed(options.seed)
local net = UNet(16)
local optimizer = optim.Adam(net:parameters(), {lr = 0.003})
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
local progress = nl.progress(options.steps, {desc = "training"})
for _ in progress do
  local pictures, discs = draw()
  local loss = F.binary_cross_entropy_with_logits(net(pictures), discs)
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  progress:set("loss", loss)
  if ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()

net:eval()
local pictures, discs = draw()
local found = nl.no_grad(net, pictures):sigmoid():gt(0.5):float()
local both, either = (found * discs):sum():item(), nl.maximum(found, discs):sum():item()
print(("of what is or was taken for a disc, %.1f %% is both"):format(100 * both / math.max(either, 1)))
local shown = nl.cat({pictures[{{1, 4}}]:clamp(0, 1), discs[{{1, 4}}], found[{{1, 4}}]}, 1)
local figure = nl.plot.image(shown, {nrow = 4, title = "pictures, their discs, what the net finds"})
print(figure)
if options.save then figure:save(options.save) end
