-- nl.autograd.forward_ad: tangents that go along with tensors.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local grads = require "nnlua.func.grad"
local transforms = require "nnlua.func.core"

local forward_ad = {}

local raise = core.raise
local levels = {} -- the open ones, outermost first

local function leave(level)
  if not level.transform then return end
  if levels[#levels] ~= level then raise("dual_level: an inner level is still open") end
  levels[#levels] = nil
  transforms.close(level.transform)
  level.transform = nil
end

--- Opens a level: while it is open tensors may have tangents. It is closed at the end of a block, or by
--- exit_dual_level().
---
---     > ad = nl.autograd.forward_ad
---     > level = ad.dual_level() -- in a block: local _ <close> = ad.dual_level()
---     > x = ad.make_dual(nl.tensor(3.0), nl.tensor(1.0))
---     > ad.unpack_dual(x * x)
---     tensor(9.)	tensor(6.)
---     > ad.exit_dual_level()
function forward_ad.dual_level()
  local level = setmetatable({transform = transforms.open_tangent()}, {__name = "nnlua.dual_level", __close = leave})
  levels[#levels + 1] = level
  return level
end

--- Opens a level that exit_dual_level closes.
---     > ad = nl.autograd.forward_ad
---     > ad.enter_dual_level();
---     > ad.unpack_dual(ad.make_dual(nl.tensor(3.0), nl.tensor(1.0)):exp():log())
---     tensor(3.)	tensor(1.)
---     > ad.exit_dual_level()
function forward_ad.enter_dual_level()
  return forward_ad.dual_level()
end

--- Closes the level that was opened last.
---     > ad = nl.autograd.forward_ad
---     > ad.enter_dual_level();
---     > ad.exit_dual_level()
---     > (pcall(ad.exit_dual_level))
---     false
function forward_ad.exit_dual_level()
  if #levels == 0 then raise("exit_dual_level: no level is open") end
  leave(levels[#levels])
end

local function innermost(who)
  local level = levels[#levels]
  if not level then raise(who .. ": no dual level is open: local _ <close> = nl.autograd.forward_ad.dual_level()") end
  return level.transform
end

local parse_make = args.parser("autograd.forward_ad.make_dual", {{"tensor", "tensor"}, {"tangent", "tensor"}})

--- A tensor that has a tangent, of its shape and dtype, at the innermost level.
---     > ad = nl.autograd.forward_ad
---     > ad.enter_dual_level();
---     > ad.unpack_dual(ad.make_dual(nl.tensor({2.0, 3.0}), nl.tensor({1.0, 0.0})):square())
---     tensor([4., 9.])	tensor([4., 0.])
---     > ad.exit_dual_level()
function forward_ad.make_dual(...)
  local tensor, tangent = parse_make(...)
  grads.check_tangent(tensor, tangent, "make_dual")
  return transforms.dual(innermost "make_dual", tensor, tangent)
end

local parse_unpack = args.parser("autograd.forward_ad.unpack_dual", {{"tensor", "tensor"}})

--- A tensor without its tangent, and this; alone if it has none.
---     > ad = nl.autograd.forward_ad
---     > ad.enter_dual_level();
---     > ad.unpack_dual(ad.make_dual(nl.tensor(2.0), nl.tensor(1.0)) * 5)
---     tensor(10.)	tensor(5.)
---     > ad.unpack_dual(nl.tensor(2.0))
---     tensor(2.)
---     > ad.exit_dual_level()
function forward_ad.unpack_dual(...)
  return transforms.undual(innermost "unpack_dual", (parse_unpack(...)))
end

return forward_ad
