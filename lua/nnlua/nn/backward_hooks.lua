-- The border of a module with backward hooks: aliases of its arguments and results, whose nodes in the graph run them.
--
-- The node of the arguments has the number that was next when the call began, so the engine, which runs the highest
-- first, comes to it after all that was made inside; it runs even if no argument wants a gradient.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local is_tensor, none, raise = core.is_tensor, core.none, core.raise
local unpack = table.unpack

local Border = {}
Border.__index = Border

-- ------------------------------------------------------------------- hooks

local function is_registered(list, id)
  for _, other in ipairs(list.ids) do
    if other == id then
      return true
    end
  end
  return false
end

--- The hooks of a list from when the module was called that have not been removed since.
local function remaining(list, now)
  if list == now then
    return list
  end
  local rest = {}
  for i, id in ipairs(list.ids) do
    if is_registered(now, id) then
      rest[#rest + 1] = list[i]
    end
  end
  return rest
end

local function check_slot(what, value, i, wanted)
  if value ~= none and value ~= nil and not is_tensor(value) then
    raise(("%s: gradient %d is %s; a tensor, nl.none or nothing was expected%s"):format(
      what, i, core.describe(value), type(value) == "table" and " (several gradients are several values)" or ""))
  elseif is_tensor(value) and wanted and not wanted[i] then
    raise(("%s: gradient %d can't be set, as argument %d of the module wants none"):format(what, i, i))
  end
end

--- What a hook returned as a table like the one it replaces, or nil if it returned nothing or nil alone.
local function replacement(what, gradients, wanted, ...)
  local n = select("#", ...)
  if n == 0 or n == 1 and (...) == nil then
    return nil
  elseif n ~= gradients.n then
    raise(("%s: it returned %d gradients, but there are %d"):format(what, n, gradients.n))
  end
  local values = {n = n, ...}
  for i = 1, n do
    check_slot(what, values[i], i, wanted)
    if values[i] == nil then
      values[i] = none
    end
  end
  return values
end

-- ---------------------------------------------------------------- gradients

--- Hands the gradients of the results to the backward-pre hooks.
function Border:on_outputs(gradients)
  local replaced
  for which = 1, 2 do
    for _, hook in ipairs(remaining(self.pre[which], self.current(self.module, which, core.HOOK_BACKWARD_PRE))) do
      replaced = replacement("a full backward pre-hook", gradients, nil, hook(self.module, gradients)) or replaced
      gradients = replaced or gradients
    end
  end
  self.grad_output = gradients
  return replaced
end

--- Hands the gradients of the arguments to the backward hooks, but not where they came past the results.
function Border:on_inputs(gradients)
  local grad_output, replaced = self.grad_output, nil
  self.grad_output = nil
  if not grad_output then
    return nil
  end
  for which = 1, 2 do
    for _, hook in ipairs(remaining(self.post[which], self.current(self.module, which, core.HOOK_BACKWARD))) do
      replaced = replacement("a full backward hook", gradients, self.wanted,
        hook(self.module, gradients, grad_output)) or replaced
      gradients = replaced or gradients
    end
  end
  return replaced
end

-- ------------------------------------------------------------------ results

local function names_in_order(t)
  local names = {}
  for key in next, t do
    if math.type(key) ~= "integer" or key < 1 or key > #t then
      names[#names + 1] = key
    end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local flatten

local function flatten_table(t, flat, seen)
  if seen[t] or getmetatable(t) then
    return
  end
  seen[t] = true
  for i = 1, #t do
    flatten(t[i], flat, seen)
  end
  for _, name in ipairs(names_in_order(t)) do
    flatten(t[name], flat, seen)
  end
end

--- Appends the tensors in a value, lists in order, then fields by name.
function flatten(value, flat, seen)
  if is_tensor(value) then
    flat.n = flat.n + 1
    flat[flat.n] = value
  elseif type(value) == "table" then
    flatten_table(value, flat, seen)
  end
end

--- A value with its tensors replaced, in tables of its own where they are in tables.
local function rebuild(value, aliases, done)
  if is_tensor(value) then
    return aliases[value]
  elseif type(value) ~= "table" or getmetatable(value) then
    return value
  elseif done[value] then
    return done[value]
  end
  local copy = {}
  done[value] = copy
  for key, item in next, value do
    copy[key] = rebuild(item, aliases, done)
  end
  return copy
end

--- The results as one list: one place for each that is no table, and one for each tensor in those that are.
local function all_of(values)
  local flat, seen = {n = 0}, {}
  for i = 1, values.n do
    if type(values[i]) == "table" then
      flatten(values[i], flat, seen)
    else
      flat.n = flat.n + 1
      flat[flat.n] = values[i]
    end
  end
  return flat
end

-- ------------------------------------------------------------------- border

local function wants(value)
  return is_tensor(value) and value.requires_grad
end

--- Puts aliases in the place of arguments.
function Border:wrap(args)
  self.wanted = {}
  for i = 1, args.n do
    self.wanted[i] = wants(args[i])
  end
  local aliases
  aliases, self.entry = nl.autograd._border(args, function(gradients)
    return self:on_inputs(gradients)
  end, self.sequence)
  return aliases
end

--- Puts aliases in the place of results.
function Border:leave(...)
  if not self.entry then
    return ...
  end
  local values = {n = select("#", ...), ...}
  local flat = all_of(values)
  local wrapped = nl.autograd._border(flat, function(gradients)
    return self:on_outputs(gradients)
  end, nil, self.entry)
  local aliases, done = {}, {}
  for i = 1, flat.n do
    if is_tensor(flat[i]) then
      aliases[flat[i]] = wrapped[i]
    end
  end
  for i = 1, values.n do
    values[i] = rebuild(values[i], aliases, done)
  end
  return unpack(values, 1, values.n)
end

local backward_hooks = {}

--- Begins the call of a module that has backward hooks: lists of global and of own ones. `current` gives the lists that
--- there are when gradients arrive.
function backward_hooks.enter(module, pre, post, current)
  return setmetatable({
    module = module, pre = pre, post = post, current = current, sequence = nl.autograd._reserve_sequence(),
  }, Border)
end

return backward_hooks
