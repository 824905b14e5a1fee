-- A GRU that forecasts a series with a day, a week and a trend in it, a week ahead, and how sure it is.
-- Run:  ./bootstrap run examples/forecast.lua [--steps N] [--seed N] [--save FILE]
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local parser = nl.argparse.ArgumentParser {description = "A recurrent net that forecasts a time series."}
parser:add_argument("--steps", {default = 300, help = "steps of training"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--save", {metavar = "FILE", help = "write the plot there, as PNG or SVG"})
local options = parser:parse_args()

-- What a town might use of electricity, every three hours of a year: days, weeks, a season, chance.
local DAY <const>, AHEAD <const>, PAST <const> = 8, 56, 112
local times = nl.arange(365 * DAY) + 0.0
nl.manual_seed(options.seed)
local series = (times * (2 * math.pi / DAY)):sin() + 0.5 * (times * (2 * math.pi / (7 * DAY))):sin()
  + 0.3 * (times * (2 * math.pi / (365 * DAY))):cos() + nl.randn(#times) * 0.15
local train_end = #series - AHEAD

local Forecaster = nn.class "Forecaster"

function Forecaster:init(hidden)
  self.gru = nn.GRU(1, hidden, {batch_first = true})
  self.head = nn.Linear(hidden, 2 * AHEAD)
end

--- Means and logarithms of deviations of what follows rows of the past, both [rows, AHEAD].
function Forecaster:forward(past)
  local _, state = self.gru(past:unsqueeze(3))
  return self.head(state[-1]):chunk(2, 2)
end

local net = Forecaster(64)
local optimizer = optim.Adam(net:parameters(), {lr = 0.003})
local losses = {}
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
local progress = nl.progress(options.steps, {desc = "training"})
for step in progress do
  local firsts = nl.randint(1, train_end - PAST - AHEAD + 2, {32}):tolist()
  local rows = {}
  for i, first in ipairs(firsts) do rows[i] = series[{{first, first + PAST + AHEAD - 1}}] end
  local batch = nl.stack(rows, 1)
  local mean, log_deviation = net(batch[{{}, {1, PAST}}])
  local loss = F.gaussian_nll_loss(mean, batch[{{}, {PAST + 1}}], (2 * log_deviation):exp())
  optimizer:zero_grad()
  loss:backward()
  nn.utils.clip_grad_norm_(net:parameters(), 1)
  optimizer:step()
  losses[step] = loss:item()
  progress:set("loss", loss)
  if ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()

local past = series[{{train_end - PAST + 1, train_end}}]
local mean, log_deviation = nl.no_grad(net, past:unsqueeze(1))
local expected, deviation, truth = mean[1], log_deviation[1]:exp(), series[{{train_end + 1}}]
local within = (truth - expected):abs():lt(2 * deviation):float():mean():item()
local naive = (truth - series[{{train_end - AHEAD + 1, train_end}}]):abs():mean():item() -- last week again
print(("mean error %.3f (last week again: %.3f); %.0f %% lie within two deviations"):format(
  (truth - expected):abs():mean():item(), naive, 100 * within))

local days = (nl.arange(PAST + AHEAD) + 1.0 - PAST) / DAY
local ahead = days[{{PAST + 1}}]
local figure = nl.plot.line(days, nl.cat({past, truth}), {
  label = "what was", title = "a week ahead", xlabel = "days from now", ylabel = "use"})
figure:line(ahead, expected, {label = "forecast", color = "C1"})
figure:line(ahead, expected + 2 * deviation, {label = "two deviations", color = "C2"})
figure:line(ahead, expected - 2 * deviation, {color = "C2"})
print(figure)
print(nl.plot.curves({loss = losses}, {smooth = 0.9, xlabel = "step"}))
if options.save then figure:save(options.save) end
