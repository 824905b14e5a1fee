-- Hooks: their lists, their handles, and a module's call where some need care (src/nn/hooked_call.c has the others).
--
-- A list of hooks is never changed, only replaced: a loop that runs over one sees what there was when it started.
-- [1..n] are the functions, `ids` their handles' numbers, `always` tells which run after errors too.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local backward_hooks = require "nnlua.nn.backward_hooks"

local hooks_of, none = core.hooks, core.none

local hooks = {}

local PRE, POST, BACKWARD_PRE, BACKWARD = core.HOOK_PRE, core.HOOK_POST, core.HOOK_BACKWARD_PRE, core.HOOK_BACKWARD

local no_hooks = {ids = {}, always = {}}
local global = {}

-- ---------------------------------------------------------------- handles

--- What registering a hook gives: `handle:remove()`, or `local handle <close> = …`. It keeps nothing alive.
---@class RemovableHandle
local Handle = {__name = "nnlua.Handle", __mode = "v"}
Handle.__index = Handle

local next_id = 0

local function copy_list(list)
  return {
    ids = table.move(list.ids, 1, #list.ids, 1, {}),
    always = table.move(list.always, 1, #list, 1, {}),
    table.unpack(list),
  }
end

--- Whether a call with the hook at a position of a list needs care: it runs in the backward, or after errors too.
local function needs_care(kind, list, position)
  return kind == BACKWARD or kind == BACKWARD_PRE or list.always[position]
end

local function tables_of(module)
  if module then
    return hooks_of(module, true)
  end
  return global
end

local function without(list, position)
  local copy = copy_list(list)
  local n = #copy
  table.remove(copy, position)
  table.remove(copy.ids, position)
  table.move(copy.always, position + 1, n + 1, position)
  return copy
end

--- The place of a value in a list.
local function find(list, value)
  for i = 1, #list do
    if list[i] == value then
      return i
    end
  end
end

--- Tells the core of a hook more or less, if its kind is one that calls of modules look for: others are named by texts.
local function count(module, sign, kind, list, position)
  if type(kind) ~= "string" then core.count_hooks(module, sign, needs_care(kind, list, position)) end
end

local function remove(module, lists, kind, position)
  local list = lists[kind]
  local rest = without(list, position)
  lists[kind] = #rest > 0 and rest or nil
  count(module, -1, kind, list, position)
end

--- Takes the hook away. Doing it again, or when the module is gone, does nothing.
function Handle:remove()
  local module = self.module
  if not module and not self.is_global then
    return
  end
  local lists = module and hooks_of(module) or global
  local position = lists and find((lists[self.kind] or no_hooks).ids, self.id)
  if position then
    remove(module, lists, self.kind, position)
  end
end

function Handle:__close()
  self:remove()
end

--- Registers a hook of a kind; options are `prepend` and `always_call`.
local function register(name, module, kind, hook, options)
  if not args.is_callable(hook) then
    core.raise(("%s: a hook is a function, not %s"):format(name, core.describe(hook)))
  elseif options ~= nil and type(options) ~= "table" then
    core.raise(("%s: a hook's options are {prepend = true, always_call = true}, not %s"):format(
      name, core.describe(options)))
  end
  options = options or {}
  args.check_names(name, options, {"prepend", "always_call"})
  next_id = next_id + 1
  local lists = tables_of(module)
  local list = copy_list(lists[kind] or no_hooks)
  local place = options.prepend and 1 or #list + 1
  table.move(list.always, place, #list, place + 1)
  list.always[place] = options.always_call or false
  table.insert(list, place, hook)
  table.insert(list.ids, place, next_id)
  lists[kind] = list
  count(module, 1, kind, list, place)
  return setmetatable({module = module, is_global = not module, kind = kind, id = next_id}, Handle)
end

-- ----------------------------------------------------------- return values

local function without_none(values)
  for i = 1, values.n do
    if values[i] == none then
      values[i] = nil
    end
  end
  return values
end

--- What a hook returned as a list, or nil if it was nothing or nil alone.
local function returned(...)
  local n = select("#", ...)
  if n == 0 or n == 1 and (...) == nil then
    return nil
  end
  return without_none {n = n, ...}
end

local unpack = table.unpack

local function copy_of(values)
  return {n = values.n, unpack(values, 1, values.n)}
end

-- -------------------------------------------------------- calls with care

--- The lists of a kind that a module has to run now: global hooks first.
local function lists_of(module, kind)
  local own = hooks_of(module)
  return global[kind] or no_hooks, own and own[kind] or no_hooks
end

--- The global list of a kind (1) or the module's (2), as it is now.
local function current_list(module, which, kind)
  return (select(which, lists_of(module, kind)))
end

local function has_backward(own)
  return own[BACKWARD] or own[BACKWARD_PRE] or global[BACKWARD] or global[BACKWARD_PRE]
end

--- Notes the hooks of backward that this call starts with; `own` is the module's table of lists.
local function enter_border(module, own)
  return backward_hooks.enter(module, {global[BACKWARD_PRE] or no_hooks, own[BACKWARD_PRE] or no_hooks},
    {global[BACKWARD] or no_hooks, own[BACKWARD] or no_hooks}, current_list)
end

-- What a call has come to, so that always_call hooks that have not started can run after an error.
-- It is closed while the error passes: value and traceback stay as they are.
local Rescue = {}
Rescue.__index = Rescue

local function warn_of(err)
  warn("nnlua: an always_call hook failed after an error: ", tostring(err))
end

--- The always_call hooks of both lists that have not started, as functions.
function Rescue:waiting()
  local waiting = {}
  local first, second = lists_of(self.module, POST)
  for _, list in ipairs {first, second} do
    for i, hook in ipairs(list) do
      if list.always[i] and not self.started[list.ids[i]] then
        table.insert(waiting, hook)
      end
    end
  end
  return waiting
end

function Rescue:__close(err)
  if self.finished or err == nil then
    return
  end
  local result = self.result or {n = 1}
  for _, hook in ipairs(self:waiting()) do
    local outcome = table.pack(pcall(hook, self.module, self.args, unpack(result, 1, result.n)))
    if outcome[1] then
      result = returned(unpack(outcome, 2, outcome.n)) or result
    else
      warn_of(outcome[2])
    end
  end
end

--- Runs a list of forward hooks and keeps note of it.
function Rescue:run_post(list)
  for i = 1, #list do
    self.started[list.ids[i]] = true
    local result = self.result
    self.result = returned(list[i](self.module, self.args, unpack(result, 1, result.n))) or result
  end
end

function Rescue:run_pre(list)
  for i = 1, #list do
    local values = returned(list[i](self.module, self.args))
    if values then
      self.replaced, self.args = values, copy_of(values)
    end
  end
end

local function careful_call(module, own, forward, ...)
  own = own or {}
  local call <close> = setmetatable({
    module = module, args = {n = select("#", ...), ...}, started = {}, replaced = {n = select("#", ...), ...},
  }, Rescue)
  local backward = has_backward(own) and enter_border(module, own)
  local first, second = global[PRE] or no_hooks, own[PRE] or no_hooks
  call:run_pre(first)
  call:run_pre(second)
  if backward then
    call.replaced = backward:wrap(call.replaced)
    call.args = copy_of(call.replaced)
  end
  call.result = table.pack(forward(module, unpack(call.replaced, 1, call.replaced.n)))
  first, second = lists_of(module, POST)
  call:run_post(first)
  call:run_post(second)
  call.finished = true
  if backward then
    return backward:leave(unpack(call.result, 1, call.result.n))
  end
  return unpack(call.result, 1, call.result.n)
end

core.set_hooks(careful_call, global)

-- ------------------------------------------------------------- registering

--- Adds the methods that register hooks to Module, and the functions that register global ones to nn.
function hooks.install(Module, nn)
  --- Before forward: `hook(module, args)`, args being a table with `n`. What it returns, all of it, replaces the
  --- arguments; nothing or nil keeps them. Options: prepend.
  ---     > net = nn.ReLU()
  ---     > handle = net:register_forward_pre_hook(function(m, args) return -args[1] end)
  ---     > net(nl.tensor({-1.0, 2.0}))
  ---     tensor([1., 0.])
  function Module:register_forward_pre_hook(hook, options)
    return register("register_forward_pre_hook", self, PRE, hook, options)
  end

  --- After forward: `hook(module, args, ...)` with every result. What it returns replaces all results (one value in
  --- place of two drops the second); nothing or nil keeps them. Options: prepend, and always_call, to run after
  --- an error too.
  ---     > net = nn.ReLU()
  ---     > handle = net:register_forward_hook(function(m, args, output) return output * 10 end)
  ---     > net(nl.tensor({-1.0, 2.0}))
  ---     tensor([ 0., 20.])
  function Module:register_forward_hook(hook, options)
    return register("register_forward_hook", self, POST, hook, options)
  end

  --- Before the backward of the module: `hook(module, grad_output)`. What it returns replaces the gradients of the
  --- results, as many as there are. Options: prepend.
  ---     > net, x = nn.ReLU(), nl.ones(1, {requires_grad = true})
  ---     > handle = net:register_full_backward_pre_hook(function(m, grad_output) return grad_output[1] * 2 end)
  ---     > net(x):sum():backward()
  ---     > x.grad
  ---     tensor([2.])
  function Module:register_full_backward_pre_hook(hook, options)
    return register("register_full_backward_pre_hook", self, BACKWARD_PRE, hook, options)
  end

  --- After the backward of the module: `hook(module, grad_input, grad_output)`. What it returns replaces the
  --- gradients of the arguments, as many as there are. Options: prepend.
  ---     > net, x = nn.ReLU(), nl.ones(1, {requires_grad = true})
  ---     > handle = net:register_full_backward_hook(function(m, grad_input, grad_output) print(grad_output[1]) end)
  ---     > net(x):sum():backward()
  ---     tensor([1.])
  function Module:register_full_backward_hook(hook, options)
    return register("register_full_backward_hook", self, BACKWARD, hook, options)
  end

  --- Calls a function before the forward of every module: see register_forward_pre_hook.
  ---     > handle = nn.register_module_forward_pre_hook(function(m, args) print(m:class_name()) end)
  ---     > nn.ReLU()(nl.ones(1))
  ---     ReLU
  ---     tensor([1.])
  ---     > handle:remove()
  function nn.register_module_forward_pre_hook(hook)
    return register("register_module_forward_pre_hook", nil, PRE, hook)
  end

  --- Calls a function after the forward of every module: see register_forward_hook.
  ---     > handle = nn.register_module_forward_hook(function(m, args, output) return output * 10 end)
  ---     > nn.ReLU()(nl.ones(1))
  ---     tensor([10.])
  ---     > handle:remove()
  function nn.register_module_forward_hook(hook, options)
    return register("register_module_forward_hook", nil, POST, hook, options)
  end

  --- Calls a function before the gradients of every module are worked out: see register_full_backward_pre_hook.
  ---     > handle = nn.register_module_full_backward_pre_hook(function(m, grad_output) print(grad_output[1]) end)
  ---     > nn.ReLU()(nl.ones(1, {requires_grad = true})):sum():backward()
  ---     tensor([1.])
  ---     > handle:remove()
  function nn.register_module_full_backward_pre_hook(hook)
    return register("register_module_full_backward_pre_hook", nil, BACKWARD_PRE, hook)
  end

  --- Calls a function with the gradients of every module: see register_full_backward_hook.
  ---     > handle = nn.register_module_full_backward_hook(function(m, grad_input) print(grad_input[1]) end)
  ---     > nn.ReLU()(nl.ones(1, {requires_grad = true})):sum():backward()
  ---     tensor([1.])
  ---     > handle:remove()
  function nn.register_module_full_backward_hook(hook)
    return register("register_module_full_backward_hook", nil, BACKWARD, hook)
  end
end

-- ---------------------------------------------------------- registrations

local REGISTRATION = {parameter = "parameter registration", buffer = "buffer registration",
  module = "module registration"}

local function is_parameter(value) return core.is_parameter(value) or core.is_uninitialized(value) end

local fits = {parameter = is_parameter, buffer = core.is_tensor, module = core.is_module}

--- What the hooks of registrations make of a value that a module registers: those of parameters see none that is nil.
local function registered(kind, module, name, value)
  if kind == "parameter" and value == nil then return nil end
  for _, hook in ipairs(global[REGISTRATION[kind]] or no_hooks) do
    local other = hook(module, name, value)
    if other ~= nil and not fits[kind](other) then
      core.raise(("register_module_%s_registration_hook: the hook must return a %s or nothing, not %s"):format(kind,
        kind == "buffer" and "tensor" or kind, core.describe(other)))
    end
    if other ~= nil then value = other end
  end
  return value
end

--- Adds to nn the functions that register hooks of what modules register.
function hooks.install_registration(nn)
  local function add(kind, hook)
    local handle = register("register_module_" .. kind .. "_registration_hook", nil, REGISTRATION[kind], hook)
    core.set_registration_hooks(registered)
    return handle
  end

  --- Calls `hook(module, name, parameter)` for each parameter that a module registers, by assignment too. What it
  --- returns, if anything, is registered instead.
  ---     > handle = nn.register_module_parameter_registration_hook(function(m, name) print(name) end)
  ---     > net = nn.Linear(2, 1)
  ---     weight
  ---     bias
  ---     > handle:remove()
  function nn.register_module_parameter_registration_hook(hook) return add("parameter", hook) end

  --- Calls `hook(module, name, tensor)` for each buffer that a module registers; see
  --- register_module_parameter_registration_hook.
  ---     > handle = nn.register_module_buffer_registration_hook(function(m, name) print(name) end)
  ---     > nn.Module():register_buffer("mean", nl.zeros(2))
  ---     mean
  ---     > handle:remove()
  function nn.register_module_buffer_registration_hook(hook) return add("buffer", hook) end

  --- Calls `hook(module, name, child)` for each child that a module registers; see
  --- register_module_parameter_registration_hook.
  ---     > handle = nn.register_module_module_registration_hook(function(m, name, child) print(name, child) end)
  ---     > net = nn.Sequential(nn.ReLU())
  ---     0	ReLU()
  ---     > handle:remove()
  function nn.register_module_module_registration_hook(hook) return add("module", hook) end
end

--- Registers a hook of a kind that calls don't look for, named by a text.
function hooks.register_of(kind, module, hook)
  return register(kind, module, kind, hook)
end

--- Calls a module's hooks of such a kind; what one returns is an error, as in PyTorch, unless it may return anything.
function hooks.call_of(kind, module, takes_results, ...)
  local lists = hooks_of(module)
  for _, hook in ipairs(lists and lists[kind] or no_hooks) do
    if hook(module, ...) ~= nil and not takes_results then
      core.raise(("%s: the hook must return nothing"):format(kind))
    end
  end
end

--- Whether a module has hooks of such a kind.
function hooks.has_of(kind, module)
  local lists = hooks_of(module)
  return lists ~= nil and lists[kind] ~= nil
end

--- Takes a module's hook away by the function that it is: copies of a module share it.
function hooks.unregister(module, kind, hook)
  local lists = hooks_of(module)
  local position = lists and find(lists[kind] or no_hooks, hook)
  if position then
    remove(module, lists, kind, position)
  end
end

local function count_global(kind, list, sign)
  for i = 1, #list do count(nil, sign, kind, list, i) end
end

--- The lists of global hooks as they are now, for restore_global.
function hooks.global_lists()
  local lists = {}
  for kind, list in pairs(global) do lists[kind] = list end
  return lists
end

--- Makes the global hooks those that there were.
function hooks.restore_global(lists)
  for kind, list in pairs(hooks.global_lists()) do
    count_global(kind, list, -1)
    global[kind] = nil
  end
  for kind, list in pairs(lists) do
    count_global(kind, list, 1)
    global[kind] = list
  end
end

--- Gives a module the hooks of another one (the lists are shared, as they never change).
function hooks.copy(from, to)
  local lists = hooks_of(from)
  if lists then
    local copy = hooks_of(to, true)
    for kind, list in pairs(lists) do
      copy[kind] = list
      for i = 1, #list do count(to, 1, kind, list, i) end
    end
  end
end

return hooks
