-- optim.swap_in_optimizer_params_and_state: an optimizer that works on other parameters for a while.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local optimizer = require "nnlua.optim.optimizer"
local parameter_list = require "nnlua.nn.parameter_list"

local NAME = "swap_in_optimizer_params_and_state"

local function copy(t)
  local new = {}
  for key, value in next, t do new[key] = value end
  return new
end

local function replace(t, fields)
  for key in pairs(copy(t)) do t[key] = nil end
  for key, value in next, fields do t[key] = value end
end

--- Gives the optimizer's groups the options of the state's, the parameters in their order, and the state's tensors.
local function install(self, parameters, dict)
  local first = 0
  for g, group in ipairs(self.param_groups) do
    local saved = dict.param_groups[g]
    local fields = copy(saved)
    fields.params = table.move(parameters, first + 1, first + #saved.params, 1, {})
    first = first + #saved.params
    replace(group, fields)
    self:_check_group(group)
    for i, number in ipairs(saved.params) do
      local values = dict.state[number]
      if values then self:_set_state(group, i, copy(values)) end
    end
  end
end

local swap = {}

--- Lets an optimizer work on other parameters, with the state and the options of a state dict, until what it gives is
--- closed; or while a function runs that follows the three arguments. The state's tensors change in place; everything
--- of the optimizer's own is back afterwards.
---     > w, v = nl.tensor({1.0}, {requires_grad = true}), nl.tensor({5.0}, {requires_grad = true})
---     > optimizer = optim.SGD({w}, {lr = 0.5})
---     > (v * 2):sum():backward()
---     > state = optimizer:state_dict()
---     > optim.swap_in_optimizer_params_and_state(optimizer, {v}, state, function() optimizer:step() end)
---     > w:item(), v:item()
---     1.0	4.0
---@param self Optimizer
---@param parameters any as many as the optimizer has, in the order of its groups
---@param dict table
---@param f? function called with the arguments that follow it
function swap.swap_in_optimizer_params_and_state(self, parameters, dict, f, ...)
  if not class.is_a(self, optimizer.Optimizer) then
    core.raise(("%s: an optimizer is wanted, not %s"):format(NAME, core.describe(self)))
  elseif f ~= nil and not args.is_callable(f) then
    core.raise(("%s: a function is wanted, not %s"):format(NAME, core.describe(f)))
  end
  optimizer.check_fits(self, dict)
  local list, n = parameter_list(NAME, parameters), 0
  for _, group in ipairs(self.param_groups) do n = n + #group.params end
  if #list ~= n then core.raise(("%s: there are %d parameters; the optimizer has %d"):format(NAME, #list, n)) end
  local state, groups = self.state, {}
  for g, group in ipairs(self.param_groups) do groups[g] = copy(group) end
  local function restore()
    for g, group in ipairs(self.param_groups) do replace(group, groups[g]) end
    self.state = state
  end
  self.state = self:_new_state()
  local ok, problem = pcall(install, self, list, dict)
  if not ok then
    restore()
    error(problem, 0)
  end
  local token = setmetatable({}, {__close = restore})
  if f == nil then return token end
  local _ <close> = token
  return f(...)
end

return swap
