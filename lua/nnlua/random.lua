-- nl.random: the default generator, under the names of PyTorch's torch.random.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local random = {
  manual_seed = nl.manual_seed, seed = nl.seed, initial_seed = nl.initial_seed, get_rng_state = nl.get_rng_state,
  set_rng_state = nl.set_rng_state, default_generator = nl.default_generator,
}

--- Runs a function, or the rest of a block, after which random numbers go on as if it hadn't been: those that are drawn
--- in it are the same numbers that follow. Options before the function: `{enabled = false}` to do nothing.
---     > nl.manual_seed(0)
---     > nl.equal(nl.random.fork_rng(function() return nl.rand(2) end), nl.rand(2))
---     true
---@param f? function without one: to the end of the block, as the value of a `<close>` variable
---@param ... any
---@return any ...
function random.fork_rng(f, ...)
  if type(f) == "table" and not args.is_callable(f) then
    args.check_names("fork_rng", f, {"enabled", "devices"})
    local enabled, first = f.enabled ~= false, (...)
    if first == nil then return enabled and random.fork_rng() or setmetatable({}, {__close = function() end}) end
    if enabled then return random.fork_rng(...) end
    return first(select(2, ...))
  end
  if f ~= nil and not args.is_callable(f) then
    core.raise("fork_rng: a function is wanted, not " .. core.describe(f))
  end
  local state = nl.get_rng_state()
  local token = setmetatable({}, {__close = function() nl.set_rng_state(state) end})
  if f == nil then return token end
  local _ <close> = token
  return f(...)
end

return random
