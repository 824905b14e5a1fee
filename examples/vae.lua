-- A variational autoencoder that learns to draw digits: it maps them to a plane and back, and makes up new ones.
-- Run:  ./bootstrap run examples/vae.lua [--epochs N] [--seed N] [--save FOLDER]
local nl = require "nnlua"
local nn, F, optim, data = nl.nn, nl.F, nl.optim, nl.utils.data

local parser = nl.argparse.ArgumentParser {description = "A variational autoencoder of handwritten digits."}
parser:add_argument("--epochs", {default = 40, help = "times to go through the digits"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--save", {metavar = "FOLDER", help = "write the two pictures there as PNG files"})
local options = parser:parse_args()

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local all = data.read_csv(folder .. "/data/digits.csv.gz")
local pixels, digits = all[{{}, {1, 64}}] / 16, all[{{}, 65}]:long()

local VAE = nn.class "VAE"

function VAE:init(hidden, latent)
  self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
  self.mean = nn.Linear(hidden, latent)
  self.log_variance = nn.Linear(hidden, latent)
  self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
    nn.Linear(hidden, 64))
end

function VAE:encode(x)
  local h = self.encoder(x)
  return self.mean(h), self.log_variance(h)
end

function VAE:forward(x)
  local mean, log_variance = self:encode(x)
  local z = mean + nl.randn_like(mean) * (log_variance / 2):exp()
  return self.decoder(z), mean, log_variance
end

-- The bits that the picture takes beside the code, and those of the code beside a plain normal distribution.
local function loss_of(net, x)
  local logits, mean, log_variance = net(x)
  local picture = F.binary_cross_entropy_with_logits(logits, x, {reduction = "sum"})
  local code = -0.5 * (1 + log_variance - mean ^ 2 - log_variance:exp()):sum()
  return (picture + code) / #x
end

nl.manual_seed(options.seed)
local net = VAE(256, 2)
local optimizer = optim.Adam(net:parameters(), {lr = 0.002})
local loader = data.DataLoader(data.TensorDataset(pixels), {batch_size = 64, shuffle = true})

local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it has learned
for epoch = 1, options.epochs do
  local mean = nl.metrics.Mean()
  local progress <close> = nl.progress(loader, {desc = "epoch " .. epoch})
  for x in progress do
    local loss = loss_of(net, x)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    mean:update(loss:item(), #x)
    progress:set("loss", loss)
    if ctrl_c:asked() then break end
  end
  progress:close()
  if epoch % 10 == 0 or epoch == options.epochs or ctrl_c:asked() then
    print(("epoch %d  loss %.2f"):format(epoch, mean:compute()))
  end
  if ctrl_c:asked() then break end
end
ctrl_c:close()

-- What lies where in the plane: digits drawn from a grid over it, and where the real ones are.
local drawn, points = nl.no_grad(function()
  local side = 10
  local steps = nl.linspace(-2, 2, side)
  local grid = nl.stack({steps:rep(side), -steps:repeat_interleave(side)}, 2)
  return net.decoder(grid):sigmoid():view(side * side, 1, 8, 8), (net:encode(pixels))
end)
local names = {}
for digit = 0, 9 do names[digit + 1] = tostring(digit) end
local figures = {
  drawn = nl.plot.image(drawn, {nrow = 10, title = "digits that the net makes up"}),
  plane = nl.plot.scatter(points, {c = digits + 1, label = names, title = "where it puts the real ones"}),
}
for _, name in ipairs {"drawn", "plane"} do
  print(figures[name])
  if options.save then figures[name]:save(("%s/vae_%s.png"):format(options.save, name)) end
end
