-- Optimizers whose steps are made of ops.

local core = require "nnlua.nn.core"
local fused = require "nnlua.optim.fused"
local nl = require "nnlua"

local composed = {}

local raise = core.raise

--- Raises unless a parameter's gradient can be taken for a step.
local function check_gradient(name, p)
  local grad = core.is_tensor(p) and p.grad
  if not core.is_tensor(p) and not core.is_uninitialized(p) then
    raise(("%s: a parameter is no tensor but %s"):format(name, core.describe(p)))
  elseif not grad then
    return
  elseif not p:is_floating_point() then
    raise(("%s: a parameter is %s; only real floating point ones can be optimized"):format(name, p.dtype))
  elseif grad.dtype ~= p.dtype or grad.shape ~= p.shape then
    raise(("%s: a parameter is %s of shape %s and its gradient %s of shape %s"):format(
      name, p.dtype, p.shape, grad.dtype, grad.shape))
  end
end

--- Steps each parameter of a group that has a gradient by a function of it, its gradient, its state, an empty table at
--- first, and the group. All gradients are looked at before the first parameter is changed.
local function step_each(self, group, step)
  local name, states = self.__name, self.state
  if type(states) ~= "table" then
    raise(("%s: its field state must be a table, not %s"):format(name, core.describe(states)))
  end
  for _, p in ipairs(group.params) do check_gradient(name, p) end
  for _, p in ipairs(group.params) do
    local grad = p.grad
    if grad and grad:numel() > 0 then
      local state = rawget(states, p) or {}
      step(name, p, grad, state, group)
      states[p] = nl._keep(state)
    end
  end
end

--- A state of a parameter that is a tensor in its dtype and of the shape of `new`, which is taken where there is none.
function composed.state_of(name, p, state, key, new)
  local t = state[key]
  if t == nil then return new end
  if not core.is_tensor(t) or t.dtype ~= new.dtype then
    raise(("%s: a parameter is %s, but its state's %s is %s"):format(name, p.dtype, key, core.describe(t)))
  elseif t.shape ~= new.shape then
    raise(("%s: a parameter is of shape %s and its state's %s of shape %s, not %s"):format(name, p.shape, key, t.shape,
      new.shape))
  end
  return t
end

--- A new class of optimizers whose steps are made of ops. `own` are all arguments besides the parameters; `check`
--- looks at a group's options, and is called before each step too.
---@param name string "Muon"
---@param own table[] as for args.parser
---@param check fun(name: string, group: table)
---@param step fun(name: string, p: Tensor, grad: Tensor, state: table, group: table) the step of one parameter
function composed.class(name, own, check, step)
  local class = fused.define(name, {{"params", "any"}, table.unpack(own)}, check)
  function class:update(group)
    check(self.__name, group)
    step_each(self, group, step)
  end
  return class
end

return composed
