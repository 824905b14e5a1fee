-- The style of one picture for another: an image is changed until its features at one layer are the content's, and how
-- features go together at several layers is the style's (L. Gatys and others, 2016). The layers' weights are random, of
-- several sizes, which does for textures (I. Ustyuzhaninov and others, 2016).
-- Run:  ./bootstrap run examples/style.lua [CONTENT] [STYLE] [--steps N] [--save FILE]
local nl = require "nnlua"
local nn, F, optim, io_ = nl.nn, nl.F, nl.optim, nl.io

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local parser = nl.argparse.ArgumentParser {description = "Paints a picture in the style of another."}
parser:add_argument("content", {nargs = "?", default = folder .. "/data/signs.jpg", help = "the picture"})
parser:add_argument("style", {nargs = "?", help = "a picture with the style; waves of colours without one"})
parser:add_argument("--steps", {default = 150, help = "steps of the optimizer"})
parser:add_argument("--size", {default = 96, help = "points of the shorter side"})
parser:add_argument("--weight", {default = 3.0, help = "of the style beside the content"})
parser:add_argument("--save", {metavar = "FILE", help = "write the result there, as PNG"})
local options = parser:parse_args()

--- A picture as [1, 3, height, width] between 0 and 1.
local function read(path)
  local picture = io_.read_image(path):float() / 255
  if picture:size(1) < 3 then picture = picture[{{1, 1}}]:expand(3, -1, -1) end -- grey, perhaps with alpha
  local height, width = picture:size(2), picture:size(3)
  local scale = options.size / math.min(height, width)
  local size = {math.floor(height * scale + 0.5), math.floor(width * scale + 0.5)}
  return F.interpolate(picture[{{1, 3}}]:unsqueeze(1), {size = size, mode = "bilinear", antialias = true})
end

local function waves(size)
  local y, x = nl.arange(size):view(-1, 1) / 6, nl.arange(size):view(1, -1) / 6
  local rings = (y ^ 2 + x ^ 2):sqrt()
  return nl.stack({(rings + y:sin()):sin(), (x + (y / 2):cos() * 2):sin(), (y + (x / 2):sin() * 2):cos()}, 1)
    :unsqueeze(1) / 2 + 0.5
end

nl.manual_seed(0)
local content = read(options.content)
local style = options.style and read(options.style) or waves(options.size)

-- Filters of several sizes side by side, at two scales.
local Features = nn.class "Features"

function Features:init()
  self.filters = nn.ModuleList {}
  for i, taps in ipairs {3, 5, 9} do self.filters[i] = nn.Conv2d(3, 24, taps, {padding = taps // 2, bias = false}) end
  self:requires_grad_(false)
end

--- A list of what the filters find.
function Features:forward(x)
  local found = {}
  for _ = 1, 2 do
    for _, filter in ipairs(self.filters) do found[#found + 1] = F.relu(filter(x - 0.5)) end
    x = F.avg_pool2d(x, 2)
  end
  return found
end

local function together(f)
  local flat = f:flatten(3)[1]
  return flat:matmul(flat:t()) / flat:size(2)
end

local features = Features()
local wanted_content, wanted_style = features(content), {}
for i, f in ipairs(features(style)) do wanted_style[i] = together(f) end

local image = content:clone():requires_grad_()
local optimizer = optim.Adam({image}, {lr = 0.02})
local losses = {}
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the painting, and shows what it came to
local progress = nl.progress(options.steps, {desc = "painting"})
for step in progress do
  local found = features(image)
  local loss = F.mse_loss(found[1], wanted_content[1])
  for i, f in ipairs(found) do
    loss = loss + options.weight * F.mse_loss(together(f), wanted_style[i]) / wanted_style[i]:square():mean() / #found
  end
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  nl.no_grad(function() image:clamp_(0, 1) end)
  losses[step] = loss:item()
  progress:set("loss", loss)
  if ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()
if #losses > 0 then print(("loss %.4f, then %.4f"):format(losses[1], losses[#losses])) end
print(nl.plot.image(image:detach()[1], {title = "painted anew"}))
if options.save then io_.write_png((image:detach()[1] * 255):round():byte(), options.save) end
