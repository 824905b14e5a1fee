-- An actor-critic that learns to balance a pole on a cart, drawn in the terminal when it has.
-- Run:  ./bootstrap run examples/cartpole.lua [--episodes N] [--seed N] [--show STEPS]
local nl = require "nnlua"
local nn, F, optim, distributions = nl.nn, nl.F, nl.optim, nl.distributions

local parser = nl.argparse.ArgumentParser {description = "An actor-critic balances a pole on a cart."}
parser:add_argument("--episodes", {default = 300, help = "the most episodes to learn from"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--show", {default = 0, help = "steps of the last episode to play in the terminal"})
local options = parser:parse_args()
if options.episodes < 1 then parser:error "--episodes must be 1 or more" end

-- ----------------------------------------------------------------- the cart

-- Barto, Sutton, Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems", 1983: a
-- cart of 1 kg, a pole of 0.1 kg and 1 m, pushed by 10 N to either side fifty times a second.
local GRAVITY <const>, MASS <const>, POLE_MASS <const>, HALF <const>, FORCE <const>, TICK <const> = 9.8, 1.1, 0.1, 0.5,
  10, 0.02
local MOST_STEPS <const> = 500

local function new_cart()
  return (nl.rand(4) * 0.1 - 0.05):tolist() -- place, speed, angle, its speed
end

local function push(cart, to_right)
  local x, v, angle, turn = table.unpack(cart)
  local sin, cos = math.sin(angle), math.cos(angle)
  local pull = ((to_right and FORCE or -FORCE) + POLE_MASS * HALF * turn ^ 2 * sin) / MASS
  local bend = (GRAVITY * sin - cos * pull) / (HALF * (4 / 3 - POLE_MASS * cos ^ 2 / MASS))
  local gain = pull - POLE_MASS * HALF * bend * cos / MASS
  return {x + TICK * v, v + TICK * gain, angle + TICK * turn, turn + TICK * bend}
end

local function has_fallen(cart)
  return math.abs(cart[1]) > 2.4 or math.abs(cart[3]) > math.rad(12)
end

local columns = math.min(60, nl.utils.terminal_width())

--- The cart as lines of text.
local function drawing(cart)
  local lines, middle = {}, math.floor(columns / 2 + cart[1] * columns / 5 + 0.5)
  for height = 6, 1, -1 do
    local column = middle + math.floor(math.sin(cart[3]) * height * columns / 10 + 0.5)
    lines[#lines + 1] = (" "):rep(math.max(column, 0)) .. "|"
  end
  lines[#lines + 1] = (" "):rep(math.max(middle - 3, 0)) .. "[=o=o=]"
  lines[#lines + 1] = ("-"):rep(columns)
  for i, line in ipairs(lines) do lines[i] = line:sub(1, columns) end
  return lines
end

-- ---------------------------------------------------------------- the agent

nl.manual_seed(options.seed)
local Agent = nn.class "Agent"

function Agent:init()
  self.body = nn.Linear(4, 128)
  self.policy = nn.Linear(128, 2) -- 1 pushes to the left, 2 to the right
  self.critic = nn.Linear(128, 1)
end

function Agent:forward(state)
  local hidden = F.relu(self.body(state))
  return self.policy(hidden), self.critic(hidden):squeeze(-1)
end

local agent = Agent()
local optimizer = optim.Adam(agent:parameters(), {lr = 0.01})

--- An episode: what is needed to learn from it, and the carts.
local function play()
  local cart, steps = new_cart(), {carts = {}}
  repeat
    local logits, value = agent(nl.tensor(cart))
    local choice = distributions.Categorical {logits = logits}
    local action = choice:sample()
    steps[#steps + 1] = {log_prob = choice:log_prob(action), value = value}
    steps.carts[#steps] = cart
    cart = push(cart, action:item() == 2)
  until has_fallen(cart) or #steps == MOST_STEPS
  return steps
end

local function learn(steps)
  local returns, sum = {}, 0
  for i = #steps, 1, -1 do
    sum = 1 + 0.99 * sum
    returns[i] = sum
  end
  returns = nl.tensor(returns)
  returns = (returns - returns:mean()) / (returns:std {correction = 0} + 1e-6)
  local log_probs, values = {}, {}
  for i, step in ipairs(steps) do log_probs[i], values[i] = step.log_prob, step.value end
  log_probs, values = nl.stack(log_probs, 1), nl.stack(values, 1)
  local loss = -(log_probs * (returns - values:detach())):sum() + F.smooth_l1_loss(values, returns, {reduction = "sum"})
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
end

local lengths, mean, last = {}, 10, nil
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
local progress = nl.progress(options.episodes, {desc = "episodes"})
for episode in progress do
  last = play()
  learn(last)
  lengths[episode] = #last
  mean = 0.95 * mean + 0.05 * #last
  progress:set("steps", mean)
  if mean > 300 or ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()
print(("after %d episodes the pole stays up for %.0f steps"):format(#lengths, mean))
print(nl.plot.line(nl.tensor(lengths), {title = "steps before the pole falls", xlabel = "episode"}))

for i = 1, math.min(math.max(options.show, 1), #last.carts) do
  if i > 1 then
    local frame_end = os.clock() + TICK
    repeat until os.clock() >= frame_end
    io.write "\27[8A" -- over the frame before
  end
  for _, line in ipairs(drawing(last.carts[i])) do print(options.show > 0 and line .. "\27[K" or line) end
end
