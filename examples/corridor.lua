-- An actor-critic learns to walk along a corridor: a policy draws steps from a Categorical, a critic values places.
-- Run:  ./bootstrap run examples/corridor.lua [--walks N] [--seed N]
local nl = require "nnlua"
local nn, F, optim, distributions = nl.nn, nl.nn.functional, nl.optim, nl.distributions

local parser = nl.argparse.ArgumentParser {description = "An actor-critic learns to walk along a corridor."}
parser:add_argument("--walks", {default = 300, help = "how many to learn from"})
parser:add_argument("--seed", {default = 0, help = "of the random numbers"})
local options = parser:parse_args()
local places, most_steps, walks = 8, 40, options.walks

nl.manual_seed(options.seed)

local Agent = nn.class "Agent"

function Agent:init()
  self.body = nn.Linear(places, 32)
  self.policy = nn.Linear(32, 2) -- step 1 goes back, step 2 goes on
  self.critic = nn.Linear(32, 1)
end

function Agent:forward(state)
  local hidden = F.relu(self.body(state))
  return distributions.Categorical {logits = self.policy(hidden)}, self.critic(hidden):squeeze(-1)
end

local agent = Agent()
local optimizer = optim.Adam(agent:parameters(), {lr = 0.01})
local states = nl.eye(places)

-- From the first place to the last one, each step at a cost of 0.1: a list of log-probabilities, values and entropies.
local function walk()
  local place, steps = 1, {}
  while place < places and #steps < most_steps do
    local policy, value = agent(states[place])
    local step = policy:sample()
    steps[#steps + 1] = {log_prob = policy:log_prob(step), value = value, entropy = policy:entropy()}
    place = math.max(1, place + (step:item() == 2 and 1 or -1))
  end
  return steps, place == places
end

local function loss_of(steps, arrived)
  local total, reward = 0, arrived and 1 or 0
  for i = #steps, 1, -1 do
    local step = steps[i]
    reward = reward - 0.1
    local advantage = reward - step.value
    total = total - step.log_prob * advantage:detach() + advantage ^ 2 - 0.01 * step.entropy
  end
  return total / #steps
end

local recent, lengths = 0, {}
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
local progress = nl.progress(walks)
for i in progress do
  local steps, arrived = walk()
  optimizer:zero_grad()
  loss_of(steps, arrived):backward()
  optimizer:step()
  recent, lengths[i] = recent + #steps, #steps
  if i % 100 == 0 then
    progress:print(("walks %d to %d: %.1f steps on average, %d are the least"):format(i - 99, i, recent / 100,
      places - 1))
    recent = 0
  end
  if ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()

nl.plot.curves({steps = lengths}, {smooth = 0.9, title = "steps of a walk", xlabel = "walk", ylabel = "steps"}):show()
