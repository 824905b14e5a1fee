-- Hooks of optimizers: lists by kind in the optimizer's field _hooks, and their handles.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"

local hooks = {
  every = {__name = "optim", _hooks = false}, -- in the place of an optimizer: the hooks of the steps of all
}

--- What registering a hook gives: `handle:remove()`, or `local handle <close> = …`.
---@class OptimizerHandle
local Handle = {__name = "nnlua.Handle"}
Handle.__index = Handle

--- Takes the hook away. Doing it again does nothing.
function Handle:remove()
  local rest = {} -- a new list: a loop that runs over the old one goes on
  for _, entry in ipairs(self.lists[self.kind] or {}) do
    if entry ~= self.entry then
      rest[#rest + 1] = entry
    elseif self.lists == hooks.every._hooks then
      core.count_step_hooks(-1)
    end
  end
  self.lists[self.kind] = #rest > 0 and rest or nil
end

function Handle:__close()
  self:remove()
end

--- Registers a hook of a kind, behind the others or before them, and gives its handle.
function hooks.register(optimizer, kind, hook, prepend)
  prepend = args.only(optimizer.__name, "prepend", prepend)
  if not args.is_callable(hook) then
    core.raise(("%s: a hook is a function, not %s"):format(optimizer.__name, core.describe(hook)))
  end
  local lists = optimizer._hooks or {}
  optimizer._hooks = lists
  local entry = {hook = hook}
  local old = lists[kind] or {}
  lists[kind] = table.move(old, 1, #old, 1, {})
  table.insert(lists[kind], prepend and 1 or #lists[kind] + 1, entry)
  if optimizer == hooks.every then core.count_step_hooks(1) end
  return setmetatable({lists = lists, kind = kind, entry = entry}, Handle)
end

--- Whether there are hooks of one of two kinds.
function hooks.any(optimizer, kind, other)
  local lists = optimizer._hooks
  return lists and (lists[kind] or lists[other]) ~= nil
end

local function next_hook(list, i)
  i = i + 1
  if list[i] then return i, list[i].hook end
end

--- For a loop over the hooks of a kind: `for _, hook in hooks.each(optimizer, kind) do`.
function hooks.each(optimizer, kind)
  return next_hook, optimizer._hooks and optimizer._hooks[kind] or {}, 0
end

return hooks
