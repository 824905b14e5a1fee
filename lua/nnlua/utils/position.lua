-- How far a loop over a DataLoader is, so that another process can go on with it.
--
-- A loop notes the states of the generators that its order is drawn from, before it draws, and counts the batches that
-- it gave. Whoever goes on begins the same loop from those states and passes over as many batches; then the generators
-- are again as they were when the position was taken.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local position = {}

local raise = core.raise

--- The generators that a loader, its sampler and its batch sampler were given, by what has them.
local function generators_of(loader)
  local found = {}
  for _, name in ipairs {"loader", "sampler", "batch_sampler"} do
    local owner = name == "loader" and loader or loader[name]
    found[name] = type(owner) == "table" and owner.generator or nil
  end
  return found
end

local function states_of(loader)
  local states = {}
  for name, generator in pairs(generators_of(loader)) do states[name] = generator:get_state() end
  return states
end

local function set_states(loader, states)
  for name, generator in pairs(generators_of(loader)) do generator:set_state(states[name]) end
end

--- Begins a loop: `begin(at)` makes it, passes over `at.batches` batches, and adds to that number from then on; at the
--- end it sets `at.ended`. Gives what `begin` gives.
function position.loop(loader, begin)
  local from = loader._resumed
  loader._resumed = nil
  if not from then
    loader._position = {batches = 0, ended = false, random = nl.get_rng_state(), generators = states_of(loader)}
    return begin(loader._position)
  end
  local random, states = nl.get_rng_state(), states_of(loader)
  local _ <close> = setmetatable({}, {__close = function()
    nl.set_rng_state(random)
    set_states(loader, states)
  end})
  nl.set_rng_state(from.random)
  set_states(loader, from.generators)
  loader._position = {batches = from.batches, ended = false, random = from.random, generators = from.generators}
  return begin(loader._position)
end

--- Calls a function of the next batch, or of its places, as often as a loop has given one already.
function position.pass_over(loader, at, step)
  for i = 1, at.batches do
    if step() == nil then
      raise(("%s: the position that was loaded is after %d batches, but there are only %d"):format(loader.__name,
        at.batches, i - 1))
    end
  end
end

--- Where the loop is that began last, as a table that can be saved.
function position.state(loader)
  local at = loader._resumed or loader._position or {batches = 0, ended = true}
  return {batches = at.batches, ended = at.ended, random = at.random, generators = at.generators,
    now = states_of(loader)}
end

--- Checks what state_dict gave and has the next loop go on from there.
function position.load(loader, state)
  local function refuse(what)
    raise(("load_state_dict: %s: it must be what state_dict() of a %s gave"):format(what, loader.__name))
  end
  if type(state) ~= "table" or not args.whole(state.batches) or type(state.now) ~= "table" then
    refuse("the state is " .. core.describe(state))
  end
  for name in pairs(generators_of(loader)) do
    if type(state.now[name]) ~= "string" then refuse "it has no state of the loader's generator" end
  end
  if not state.ended and (type(state.random) ~= "string" or type(state.generators) ~= "table") then
    refuse "it lacks the states that the loop began with"
  end
  set_states(loader, state.now)
  loader._resumed = not state.ended and state or nil
  loader._position = nil
end

return position
