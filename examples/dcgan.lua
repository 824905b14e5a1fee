-- A generative adversarial net of convolutions: one net draws digits, another tells them from real ones.
-- Run:  ./bootstrap run examples/dcgan.lua [--epochs N] [--every N] [--seed N] [--save FOLDER]
local nl = require "nnlua"
local nn, F, optim, data = nl.nn, nl.F, nl.optim, nl.utils.data

local parser = nl.argparse.ArgumentParser {description = "Two nets that learn from each other to draw digits."}
parser:add_argument("--epochs", {default = 60, help = "times to go through the digits"})
parser:add_argument("--every", {default = 20, help = "show what is drawn after so many epochs"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--save", {metavar = "FOLDER", help = "write the pictures there, epoch by epoch, as PNG files"})
local options = parser:parse_args()

local CODE <const> = 32

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local pixels = data.read_csv(folder .. "/data/digits.csv.gz")[{{}, {1, 64}}]:view(-1, 1, 8, 8) / 8 - 1 -- from -1 to 1

nl.manual_seed(options.seed)
local generator = nn.Sequential(
  nn.ConvTranspose2d(CODE, 64, 2, {bias = false}), nn.BatchNorm2d(64), nn.ReLU(),                           -- 2 x 2
  nn.ConvTranspose2d(64, 32, 4, {stride = 2, padding = 1, bias = false}), nn.BatchNorm2d(32), nn.ReLU(),    -- 4 x 4
  nn.ConvTranspose2d(32, 1, 4, {stride = 2, padding = 1}), nn.Tanh())                                       -- 8 x 8
local critic = nn.Sequential(
  nn.Conv2d(1, 32, 4, {stride = 2, padding = 1}), nn.LeakyReLU(0.2),
  nn.Conv2d(32, 64, 4, {stride = 2, padding = 1, bias = false}), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
  nn.Conv2d(64, 1, 2), nn.Flatten())

for _, net in ipairs {generator, critic} do
  net:apply(function(module)
    if module:is_a(nn.Conv2d) or module:is_a(nn.ConvTranspose2d) then nn.init.normal_(module.weight, 0, 0.02) end
    if module:is_a(nn.BatchNorm2d) then nn.init.normal_(module.weight, 1, 0.02) end
  end)
end

local adam = {lr = 0.001, betas = {0.5, 0.999}}
local generator_step, critic_step = optim.Adam(generator:parameters(), adam), optim.Adam(critic:parameters(), adam)
local fixed = nl.randn(40, CODE, 1, 1) -- the same codes each time, to see how pictures grow
local loader = data.DataLoader(data.TensorDataset(pixels), {batch_size = 64, shuffle = true, drop_last = true})

-- How far the critic is from taking all of these for real ones, or for drawn ones.
local function taken_for(verdicts, real)
  return F.binary_cross_entropy_with_logits(verdicts, nl.full_like(verdicts, real and 1 or 0))
end

local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
for epoch = 1, options.epochs do
  local critic_loss, generator_loss
  local progress <close> = nl.progress(loader, {desc = "epoch " .. epoch})
  for real in progress do
    local drawn = generator(nl.randn(#real, CODE, 1, 1))
    critic_loss = taken_for(critic(real), true) + taken_for(critic(drawn:detach()), false)
    critic_step:zero_grad()
    critic_loss:backward()
    critic_step:step()
    generator_loss = taken_for(critic(drawn), true)
    generator_step:zero_grad()
    generator_loss:backward()
    generator_step:step()
    progress:set("critic", critic_loss)
    progress:set("generator", generator_loss)
    if ctrl_c:asked() then break end
  end
  progress:close()
  if epoch % options.every == 0 or epoch == options.epochs or ctrl_c:asked() then
    print(("epoch %d  critic %.3f  generator %.3f"):format(epoch, critic_loss:item(), generator_loss:item()))
    local pictures = (nl.no_grad(generator, fixed) + 1) / 2
    local figure = nl.plot.image(pictures, {nrow = 10, title = "epoch " .. epoch})
    print(figure)
    if options.save then figure:save(("%s/dcgan_%03d.png"):format(options.save, epoch)) end
  end
  if ctrl_c:asked() then break end
end
ctrl_c:close()
