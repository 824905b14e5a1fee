-- The base of all optimizers: parameter groups, gradients, state dicts. A subclass adds the step.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local hooks = require "nnlua.optim.hooks"
local parameter_list = require "nnlua.nn.parameter_list"
local nl = require "nnlua"

local raise, zero_groups, checked_groups = core.raise, core.zero_groups, core.groups_of
local step_group, step_groups = core.step, core.step_groups

local optimizer = {}

-- ---------------------------------------------------------------- classes

--- A new class of optimizers, by default one of Optimizer itself:
---
---     > Signs = optim.class("Signs")
---     > function Signs:init(params, lr) Signs.super.init(self, params, {lr = lr}) end
---     > function Signs:update(group)
---     >>   for _, p in ipairs(group.params) do
---     >>     if p.grad then p:add_(p.grad:sign(), {alpha = -group.lr}) end
---     >>   end
---     >> end
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > (w * 3):sum():backward()
---     > Signs({w}, 0.25):step()
---     > w.data
---     tensor([0.7500])
function optimizer.class(name, parent)
  return class.new(name, parent or optimizer.Optimizer)
end

--- What all optimizers share.
---     > Descent = optim.class("Descent", optim.Optimizer)
---     > function Descent:init(params, lr) optim.Optimizer.init(self, params, {lr = lr}) end
---     > function Descent:update(group)
---     >>   for _, p in ipairs(group.params) do p:sub_(p.grad * group.lr) end
---     >> end
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > (w * 3):sum():backward()
---     > Descent({w}, 0.25):step()
---     > w.data
---     tensor([0.2500])
---@class Optimizer
---@field param_groups table[]
---@field state table<Tensor, table>
---@field defaults table
local Optimizer = optimizer.class("optim.Optimizer")
optimizer.Optimizer = Optimizer

-- ----------------------------------------------------------------- groups

local function is_group(value)
  return type(value) == "table" and getmetatable(value) == nil and value.params ~= nil
end

local function check_parameter(name, p)
  if core.is_uninitialized(p) then
    return -- a lazy module's: it is a tensor by the time it has a gradient
  elseif not core.is_tensor(p) then
    raise(("%s: the parameters are tensors, not %s"):format(name, core.describe(p)))
  elseif p.grad_fn and not p.retains_grad then
    raise(name .. ": a tensor that is a result of operations can't be optimized; give leaves")
  end
end

--- Sets the optimizer up. For `init` of subclasses.
---@param params any an iterator, a list of tensors and iterators, or a list of groups `{params = …, lr = …}`
---@param defaults table
function Optimizer:init(params, defaults)
  if type(defaults) ~= "table" then
    raise(("%s: the defaults of the groups are a table, not %s"):format(self.__name, core.describe(defaults)))
  end
  self.defaults, self.param_groups, self._steps = defaults, {}, 0
  self._hooks = false -- none; a step finds that out here, not at the end of the chain of classes
  self.state = self:_new_state()
  if core.is_tensor(params) then
    raise(("%s: a list of parameters was expected, not a single tensor"):format(self.__name))
  end
  local list, names = parameter_list(self.__name, params)
  if #list == 0 then
    raise(self.__name .. ": there are no parameters (an iterator goes through them only once)")
  end
  if not is_group(list[1]) then
    list = {{params = list, param_names = names}}
  end
  for _, group in ipairs(list) do
    self:add_param_group(group)
  end
end

--- The table from parameters to what is kept for each; an empty table is made when one is first asked for.
--- For subclasses that keep it elsewhere, as _get_state and _set_state are.
function Optimizer:_new_state() -- luacheck: no self
  return setmetatable({}, {
    __index = function(state, p)
      state[p] = {}
      return state[p]
    end,
  })
end

local function raise_no_groups(self, method)
  local groups = type(self) == "table" and self.param_groups
  if type(groups) ~= "table" then
    class.check_self(self, Optimizer, method)
    raise(("%s: param_groups is a list of groups, not %s"):format(self.__name, core.describe(groups)))
  end
  for i = 1, #groups do
    local group = groups[i]
    if type(group) ~= "table" or type(group.params) ~= "table" then
      raise(("%s: group %d is no table with a list params"):format(self.__name, i))
    end
  end
end

--- The groups of an optimizer; raises where there are none, as where a method is called with a dot.
local function groups_of(self, method)
  return checked_groups(self) or raise_no_groups(self, method)
end

local function used_parameters(groups)
  local used = {}
  for _, group in ipairs(groups) do
    for _, p in ipairs(group.params) do
      used[p] = true
    end
  end
  return used
end

--- Raises unless a group's parameters have names if those of the groups before have.
local function check_names(self, group)
  local names, first = group.param_names, self.param_groups[1]
  if names ~= nil and (type(names) ~= "table" or #names ~= #group.params) then
    raise(("%s: param_names must be a list with a name for each of %d parameters"):format(self.__name, #group.params))
  elseif first and (first.param_names == nil) ~= (names == nil) then
    raise(self.__name .. ": the parameters of all groups have names, or those of none")
  end
end

--- Adds a group `{params = …, lr = …}`; options that it does not have are the optimizer's defaults. Parameters that
--- come with names, as from net:named_parameters(), have them in the group's `param_names`, and so in the state dict.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > optimizer:add_param_group {params = {nl.ones(2)}, lr = 0.01}
---     > optimizer.param_groups[2].lr
---     0.01
function Optimizer:add_param_group(group)
  local groups = groups_of(self, "add_param_group")
  if not is_group(group) then
    raise(("%s: a group is a table with a field params, not %s"):format(self.__name, core.describe(group)))
  end
  if type(self.defaults) ~= "table" then
    raise(("%s: its field defaults must be a table, not %s"):format(self.__name, core.describe(self.defaults)))
  end
  local own = {}
  for key, value in pairs(self.defaults) do
    own[key] = value
  end
  for key, value in pairs(group) do
    own[key] = value
  end
  local names
  own.params, names = parameter_list(self.__name, group.params)
  own.param_names = names or own.param_names
  check_names(self, own)
  local used = used_parameters(groups)
  for _, p in ipairs(own.params) do
    check_parameter(self.__name, p)
    if used[p] then
      raise(self.__name .. ": a parameter is in two groups, or twice in one")
    end
    used[p] = true
  end
  self:_check_group(own)
  table.insert(groups, own)
end

--- Checks the options of a group; for subclasses.
function Optimizer:_check_group() end

-- ------------------------------------------------------------------ steps

local function no_update(self)
  raise(("%s has no method update(group), which a step calls for each group"):format(self.__name))
end

local function update_all(self, update)
  local groups = self.param_groups
  for i = 1, #groups do
    update(self, groups[i])
  end
end

-- An update that is the core's records nothing of itself: it needs no mode around it, and one call does all groups.
local function update_unrecorded(self)
  local update = self.update or no_update
  if update ~= step_group then
    core.tell_deed "an optimizer's step in Lua"
    nl.no_grad(update_all, self, update)
  elseif not step_groups(self) then
    raise_no_groups(self, "step")
  end
end

--- One step without hooks; for subclasses whose steps call the closure more than once.
function Optimizer:_step(closure)
  if closure == nil then
    update_unrecorded(self)
    return
  end
  local results = table.pack(nl.enable_grad(closure))
  update_unrecorded(self)
  return table.unpack(results, 1, results.n)
end

local function step_with_hooks(self, closure)
  core.tell_deed "a hook of an optimizer's step"
  local arguments = {closure}
  for _, owner in ipairs {hooks.every, self} do
    for _, hook in hooks.each(owner, "step_pre") do
      local changed = hook(self, arguments)
      if changed ~= nil then
        if type(changed) ~= "table" then
          raise(("%s: a hook before the step returns nothing or a table of the step's arguments, not %s"):format(
            self.__name, core.describe(changed)))
        end
        arguments = changed
      end
    end
  end
  local results = table.pack(self:_step(arguments[1]))
  for _, owner in ipairs {self, hooks.every} do
    for _, hook in hooks.each(owner, "step_post") do hook(self, arguments) end
  end
  return table.unpack(results, 1, results.n)
end

--- Changes the parameters by their gradients. A closure computes the loss anew first; what it returns is returned.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.SGD({w}, {lr = 0.5})
---     > (w * 2):sum():backward()
---     > optimizer:step()
---     > w:item()
---     0.0
---@param closure? fun(): any
function Optimizer:step(closure)
  if not checked_groups(self) then raise_no_groups(self, "step") end
  if closure ~= nil and not args.is_callable(closure) then
    raise(("%s: step takes a function that computes the loss, not %s"):format(self.__name, core.describe(closure)))
  end
  self._steps = self._steps + 1
  local every = hooks.every
  if (self._hooks and hooks.any(self, "step_pre", "step_post"))
    or (every._hooks and hooks.any(every, "step_pre", "step_post")) then
    return step_with_hooks(self, closure)
  end
  return self:_step(closure)
end

--- Calls `hook(optimizer, arguments)` before each step; a table that it returns replaces the arguments `{closure}`.
--- Gives a handle: `handle:remove()`.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_step_pre_hook(function() print "a step" end)
---     > optimizer:step()
---     a step
---     > handle:remove()
function Optimizer:register_step_pre_hook(hook)
  groups_of(self, "register_step_pre_hook")
  return hooks.register(self, "step_pre", hook)
end

--- Calls `hook(optimizer, arguments)` after each step. Gives a handle.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_step_post_hook(function() print "after a step" end)
---     > optimizer:step()
---     after a step
function Optimizer:register_step_post_hook(hook)
  groups_of(self, "register_step_post_hook")
  return hooks.register(self, "step_post", hook)
end

--- Drops all gradients; with set_to_none = false fills them with zeros instead.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.SGD({w}, {lr = 0.5})
---     > (w * 2):sum():backward()
---     > optimizer:zero_grad()
---     > w.grad
---     nil
function Optimizer:zero_grad(set_to_none)
  if set_to_none ~= nil then set_to_none = args.only("zero_grad", "set_to_none", set_to_none) end
  if not zero_groups(self, set_to_none ~= false) then raise_no_groups(self, "zero_grad") end
end

-- ------------------------------------------------------------ state dicts

--- What is kept for the i-th parameter of a group, or nil.
function Optimizer:_get_state(group, i)
  return rawget(self.state, group.params[i])
end

function Optimizer:_set_state(group, i, values)
  self.state[group.params[i]] = nl._keep(values)
end

--- A copy of an option; tensors are the same ones.
local function copy(value)
  if type(value) ~= "table" or getmetatable(value) then
    return value
  end
  local t = {}
  for key, item in pairs(value) do
    t[key] = copy(item)
  end
  return t
end

--- Whether a key of a group is an option: its parameters and what is the optimizer's own are none.
local function is_option(key)
  return key ~= "params" and not (type(key) == "string" and key:sub(1, 1) == "_")
end

--- State and options as tables: `{state = {[0] = …}, param_groups = {…}}`. Parameters are numbers, counted from 0 as in
--- PyTorch; the tensors are the optimizer's own.
---     > optim.SGD({nl.ones(1)}, {lr = 0.1}):state_dict().param_groups[1].lr
---     0.1
function Optimizer:state_dict()
  groups_of(self, "state_dict")
  for _, hook in hooks.each(self, "state_dict_pre") do
    hook(self)
  end
  local dict, number = {state = {}, param_groups = {}}, 0
  for g, group in ipairs(self.param_groups) do
    local packed = {}
    for key, value in pairs(group) do
      if is_option(key) then
        packed[key] = copy(value)
      end
    end
    packed.params = {}
    for i = 1, #group.params do
      packed.params[i] = number
      dict.state[number] = self:_get_state(group, i)
      number = number + 1
    end
    dict.param_groups[g] = packed
  end
  for _, hook in hooks.each(self, "state_dict_post") do
    dict = hook(self, dict) or dict
  end
  return dict
end

--- Calls `hook(optimizer)` before state_dict() looks at the state. Gives a handle. With
--- prepend = true it comes before the hooks that there are, also in the three methods below.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_state_dict_pre_hook(function() print "its state is asked for" end)
---     > optimizer:state_dict();
---     its state is asked for
function Optimizer:register_state_dict_pre_hook(hook, prepend)
  groups_of(self, "register_state_dict_pre_hook")
  return hooks.register(self, "state_dict_pre", hook, prepend)
end

--- Calls `hook(optimizer, dict)` with what state_dict() made; a table that it returns is given instead. Gives a handle.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_state_dict_post_hook(function(_, dict) dict.note = "mine" end)
---     > optimizer:state_dict().note
---     mine
function Optimizer:register_state_dict_post_hook(hook, prepend)
  groups_of(self, "register_state_dict_post_hook")
  return hooks.register(self, "state_dict_post", hook, prepend)
end

--- Calls `hook(optimizer, dict)` before a state is loaded; a table that it returns is loaded instead. Gives a handle.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_load_state_dict_pre_hook(function(_, dict) print(dict.param_groups[1].lr) end)
---     > optimizer:load_state_dict(optimizer:state_dict())
---     0.1
function Optimizer:register_load_state_dict_pre_hook(hook, prepend)
  groups_of(self, "register_load_state_dict_pre_hook")
  return hooks.register(self, "load_pre", hook, prepend)
end

--- Calls `hook(optimizer)` after a state was loaded. Gives a handle.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > handle = optimizer:register_load_state_dict_post_hook(function() print "loaded" end)
---     > optimizer:load_state_dict(optimizer:state_dict())
---     loaded
function Optimizer:register_load_state_dict_post_hook(hook, prepend)
  groups_of(self, "register_load_state_dict_post_hook")
  return hooks.register(self, "load_post", hook, prepend)
end

--- What is wrong with a value of a state: counts of steps are numbers or tensors.
local function check_state(self, values)
  if values == nil then return end
  local step = type(values) == "table" and values.step
  if type(values) ~= "table" or step ~= nil and type(step) ~= "number" and not core.is_tensor(step) then
    raise(("%s: load_state_dict takes what state_dict gave; a parameter's state is a table, and its step a number, "
      .. "not %s"):format(self.__name, core.describe(type(values) == "table" and step or values)))
  end
end

--- Raises unless a state's groups have as many parameters as the optimizer's, and states fit.
function optimizer.check_fits(self, dict)
  if type(dict) ~= "table" or type(dict.state) ~= "table" or type(dict.param_groups) ~= "table" then
    raise(("%s: load_state_dict takes what state_dict gave, not %s"):format(self.__name, core.describe(dict)))
  elseif #dict.param_groups ~= #self.param_groups then
    raise(("%s: the state has %d parameter groups, the optimizer %d"):format(
      self.__name, #dict.param_groups, #self.param_groups))
  end
  for g, group in ipairs(self.param_groups) do
    local saved = dict.param_groups[g]
    local params = type(saved) == "table" and saved.params
    local n = type(params) == "table" and #params or 0
    if n ~= #group.params then
      raise(("%s: group %d of the state has %d parameters, the optimizer's %d"):format(
        self.__name, g, n, #group.params))
    end
    for i = 1, n do check_state(self, dict.state[params[i]]) end
  end
end

--- A copy of an option from a state; PyTorch's None is none.
local function option(value)
  if value == nl.none then return nil end
  return core.is_tensor(value) and nl._keep(value:detach():clone()) or copy(value)
end

--- A value of a state for a parameter: floating tensors in the parameter's dtype, all of them copies. Counts of steps
--- keep theirs, and are tensors where old files have numbers.
local function fitted(value, p, name)
  if name == "step" then
    return core.is_tensor(value) and value:detach():clone() or nl.tensor(value + 0.0)
  elseif core.is_tensor(value) and core.is_tensor(p) then
    local floating = core.category(value) >= 2 and core.category(p) >= 2 and value.ndim > 0
    return (floating and value:to(p.dtype) or value):detach():clone()
  elseif type(value) == "table" and getmetatable(value) == nil then
    local t = {}
    for key, item in pairs(value) do
      t[key] = fitted(item, p, key)
    end
    return t
  end
  return value
end

--- Takes over a state; groups and their sizes must be the same.
---     > optimizer = optim.SGD({nl.ones(1)}, {lr = 0.1})
---     > optimizer:load_state_dict(optim.SGD({nl.ones(1)}, {lr = 0.5}):state_dict())
---     > optimizer.param_groups[1].lr
---     0.5
function Optimizer:load_state_dict(dict)
  groups_of(self, "load_state_dict")
  for _, hook in hooks.each(self, "load_pre") do
    dict = hook(self, dict) or dict
  end
  optimizer.check_fits(self, dict)
  for g, group in ipairs(self.param_groups) do
    local saved = dict.param_groups[g]
    for i, p in ipairs(group.params) do
      local values = dict.state[saved.params[i]]
      self:_set_state(group, i, values and fitted(values, p) or nil)
    end
    for key, value in pairs(saved) do
      if key ~= "params" then
        group[key] = option(value)
      end
    end
  end
  for _, hook in hooks.each(self, "load_post") do
    hook(self)
  end
end

function Optimizer:__deepcopy()
  raise(self.__name .. ": an optimizer can't be copied; make one for the copied parameters "
    .. "and load state_dict() into it")
end

local function sorted_options(group)
  local names = {}
  for key in pairs(group) do
    if is_option(key) then
      names[#names + 1] = key
    end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local function shown(value) -- lists as they are written
  if type(value) ~= "table" or getmetatable(value) then return core.format("%s", value) end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = shown(item) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function Optimizer:__tostring()
  local lines = {self.__name:match "[^.]*$" .. " ("}
  for g, group in ipairs(self.param_groups) do
    lines[#lines + 1] = "Parameter Group " .. g - 1
    for _, name in ipairs(sorted_options(group)) do
      lines[#lines + 1] = ("    %s: %s"):format(name, shown(group[name]))
    end
    lines[#lines + 1] = ""
  end
  lines[#lines] = ")"
  return table.concat(lines, "\n")
end

return optimizer
