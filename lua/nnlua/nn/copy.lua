-- Deep copies of modules, tensors and tables: shared parts stay shared among the copies.

local core = require "nnlua.nn.core"
local hooks = require "nnlua.nn.hooks"
local lazy = require "nnlua.nn.lazy"

local PARAMETER, BUFFER, MODULE, TRANSIENT = core.PARAMETER, core.BUFFER, core.MODULE, core.TRANSIENT

local copy_value

--- A leaf's copy; gradients are left behind, as PyTorch leaves those of Parameters.
local function copy_tensor(t)
  if t.grad_fn then
    core.raise "deepcopy: a tensor that is a result of recorded operations can't be copied; detach it first"
  end
  local clone = t:detach():clone()
  if core.is_parameter(t) then
    return core.parameter(clone, t.requires_grad)
  end
  return t.requires_grad and clone:requires_grad_() or clone
end

local function copy_slots(module, copy, memo)
  local own = core.attributes(module)
  for _, kind in ipairs {PARAMETER, BUFFER, TRANSIENT, MODULE} do
    for _, name in ipairs(core.slot_names(module, kind)) do
      core.set_raw(copy, name, copy_value(own[name], memo), kind)
    end
  end
end

local function copy_module(module, memo)
  local copy = core.new(core.class_of(module))
  memo[module] = copy
  copy_slots(module, copy, memo)
  for name, value in next, core.attributes(module) do
    if not core.kind(module, name) then
      core.set_raw(copy, name, copy_value(value, memo), 0)
    end
  end
  hooks.copy(module, copy)
  return copy
end

--- A table's copy. One whose metatable has `__deepcopy(t, copy_value, memo)` makes its own.
local function copy_table(t, memo)
  local meta = getmetatable(t)
  if type(meta) == "table" and meta.__deepcopy then
    memo[t] = meta.__deepcopy(t, copy_value, memo)
    return memo[t]
  end
  local copy = {}
  memo[t] = copy
  for key, value in next, t do
    copy[copy_value(key, memo)] = copy_value(value, memo)
  end
  return setmetatable(copy, meta)
end

--- Whether a table is shared rather than copied: classes, and what hides its metatable.
local function is_shared(t)
  local meta = getmetatable(t)
  return core.is_class(t) or meta ~= nil and type(meta) ~= "table"
end

function copy_value(value, memo)
  if value == nil or memo[value] ~= nil then
    return value ~= nil and memo[value] or nil
  elseif core.is_module(value) then
    return copy_module(value, memo)
  elseif core.is_tensor(value) then
    memo[value] = copy_tensor(value)
    return memo[value]
  elseif lazy.is_lazy(value) then
    memo[value] = lazy.copy(value)
    return memo[value]
  elseif type(value) == "table" and not is_shared(value) then
    return copy_table(value, memo)
  elseif type(value) == "userdata" and (getmetatable(value) or {}).__deepcopy then -- a program
    memo[value] = getmetatable(value).__deepcopy(value, copy_value, memo)
    return memo[value]
  end
  return value
end

--- A copy of a module, tensor or table with all that it holds. Functions are shared.
---     > net = nn.Linear(2, 1)
---     > other = nn.deepcopy(net)
---     > nl.equal(other.weight, net.weight), other.weight == net.weight
---     true	false
return function(value)
  return copy_value(value, {})
end
