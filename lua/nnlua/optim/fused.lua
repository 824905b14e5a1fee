-- Optimizers whose step is one call of the core, which also keeps their state.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local optimizer = require "nnlua.optim.optimizer"

local fused = {}

local format, raise = core.format, core.raise

-- ------------------------------------------------------------------ state

-- What is kept for a parameter lives in its group's list, where a step finds it. `optimizer.state` looks like a table
-- from parameters to tables of it; a table read from it is a copy that holds the same tensors.

local function place_of(self, p)
  for _, group in ipairs(self.param_groups) do
    for i, parameter in ipairs(group.params) do
      if parameter == p then
        return group, i
      end
    end
  end
end

local function next_state(self)
  local groups, g, i = self.param_groups, 1, 0
  return function()
    while groups[g] do
      i = i + 1
      if i > #groups[g].params then
        g, i = g + 1, 0
      else
        local values = self:_get_state(groups[g], i)
        if values then return groups[g].params[i], values end
      end
    end
  end
end

local function new_state(self)
  return setmetatable({}, {
    __index = function(_, p)
      local group, i = place_of(self, p)
      return group and self:_get_state(group, i) or {}
    end,
    __newindex = function(_, p, values)
      local group, i = place_of(self, p)
      if not group then
        raise(self.__name .. ": a state was set for a tensor that is none of the parameters")
      end
      self:_set_state(group, i, values)
    end,
    __pairs = function() return next_state(self) end,
  })
end

local function get_state(_, group, i)
  return core.step_state(group._list, i)
end

local function set_state(_, group, i, values)
  core.set_step_state(group._list, i, values)
end

-- ---------------------------------------------------------------- classes

-- Arguments that PyTorch has for its several implementations. There is one here, which no graph is recorded of.
local implementation = {
  {"foreach", "boolean?"}, {"maximize", "boolean", false}, {"capturable", "boolean?"},
  {"differentiable", "boolean", false}, {"fused", "boolean?"},
}
local is_implementation = {foreach = true, capturable = true, differentiable = true, fused = true}

--- The spec of a class's arguments: its own, with the common ones where it doesn't place them itself.
local function whole_spec(own)
  local spec, given = {{"params", "any"}}, {}
  for _, entry in ipairs(own) do
    spec[#spec + 1] = entry
    given[entry[1]] = true
  end
  for _, entry in ipairs(implementation) do
    if not given[entry[1]] then spec[#spec + 1] = entry end
  end
  return spec
end

--- The options of a group by name, from the values of a call in the spec's order.
local function options_of(name, spec, values)
  local options, given = {}, {}
  for i = 2, #spec do
    local key, value = spec[i][1], values[i]
    if key == "differentiable" and value then
      raise(name .. ": steps are not recorded: there is no differentiable = true")
    elseif not is_implementation[key] then
      options[key] = type(value) == "table" and table.move(value, 1, #value, 1, {}) or nl._keep(value)
    end
    given[key] = value
  end
  if given.foreach and given.fused then raise(name .. ": give foreach = true or fused = true, not both") end
  return options
end

--- A new class of optimizers with a parser of its constructor's arguments; `check` looks at a group's options.
function fused.define(name, spec, check)
  local class = optimizer.class("optim." .. name)
  local parse = args.parser(class.__name, spec)

  function class:init(...)
    local values = table.pack(parse(...))
    optimizer.Optimizer.init(self, values[1], options_of(self.__name, spec, values))
  end

  function class:_check_group(group)
    check(self.__name, group)
  end

  return class
end

--- A new class of optimizers whose step is in the core, by a rule of src/ops/optim/rules.c. `own` are its arguments
--- besides the parameters: all options that the rule names, with their defaults; `check` looks at a group's options.
---@param name string "Adam", as the core knows it
---@param own table[] as for args.parser
---@param check fun(name: string, group: table)
function fused.class(name, own, check)
  local class = fused.define(name, whole_spec(own), function(full, group)
    check(full, group)
    group._list = core.step_list(group.params, name)
  end)
  class.update = core.step -- of one group: reads its options by the names that the rule has for them
  class._new_state, class._get_state, class._set_state = new_state, get_state, set_state
  return class
end

-- ------------------------------------------------------------------ checks

--- The number that an option is: a learning rate may be a tensor of one element.
function fused.number_of(value)
  return core.is_tensor(value) and value:numel() == 1 and value:item() or value
end

--- Checks that options of a group are numbers from 0 on.
function fused.not_negative(name, group, ...)
  for _, option in ipairs {...} do
    local value = option == "lr" and fused.number_of(group.lr) or group[option]
    if type(value) ~= "number" or not (value >= 0) then
      raise(format("%s: %s must be a number from 0 on, not %s", name, option, value))
    end
  end
end

--- Checks that an option of a group is a list of two numbers, and each within its bounds.
function fused.pair(name, group, option, fits, what)
  local pair = group[option]
  if type(pair) ~= "table" or #pair ~= 2 or type(pair[1]) ~= "number" or type(pair[2]) ~= "number" then
    raise(("%s: %s must be a list of two numbers, not %s"):format(name, option, core.describe(pair)))
  elseif not fits(pair[1], pair[2]) then
    raise(format("%s: %s must be %s, not {%s, %s}", name, option, what, pair[1], pair[2]))
  end
end

local function are_betas(a, b)
  return a >= 0 and a < 1 and b >= 0 and b < 1
end

--- Checks the option betas of a group.
function fused.betas(name, group)
  fused.pair(name, group, "betas", are_betas, "two numbers from 0 up to, but not including, 1")
end

return fused
