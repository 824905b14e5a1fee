-- utils.checkpoint: less memory for more time. What a part of a network computes on the way is not kept for the
-- backward but computed again. (What saves a run to a file is nl.checkpoint.)

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local transforms = require "nnlua.func.core"
local tree = require "nnlua.func.tree"

local checkpoint = {}

local is_tensor, raise = core.is_tensor, core.raise

-- ------------------------------------------------------------------- running

--- The tensors among values that gradients are wanted of, and a function that gives the values with others there.
local function parted(values)
  local wanted = {}
  local function pick(x)
    if is_tensor(x) and x.requires_grad then wanted[#wanted + 1] = x end
    return x
  end
  for i = 1, values.n do tree.map(values[i], pick) end
  return wanted, function(others)
    local at, changed = 0, {n = values.n}
    for i = 1, values.n do
      changed[i] = tree.map(values[i], function(x)
        if not (is_tensor(x) and x.requires_grad) then return x end
        at = at + 1
        return others[at]
      end)
    end
    return changed
  end
end

--- Tensors that gradients can be asked for at the border of what is computed again: apart from the graph outside, or,
--- where the gradients are to be differentiated, part of it.
local function borders(tensors, connected)
  local list = {}
  for i, x in ipairs(tensors) do list[i] = connected and x:view_as(x) or x:detach():requires_grad_() end
  return list
end

--- The results that gradients can come back from, in order.
local function differentiable(results)
  local list = {}
  for i = 1, results.n do
    tree.map(results[i], function(y)
      if is_tensor(y) and y.requires_grad then list[#list + 1] = y end
    end)
  end
  return list
end

local function run(call, inputs)
  local changed = call.with(inputs)
  return table.pack(call.f(table.unpack(changed, 1, changed.n)))
end

--- Runs the function as in the forward: gradients recorded, with the same random numbers.
local function run_again(call, inputs)
  local _ <close> = nl.enable_grad()
  if not call.rng_state then return run(call, inputs) end
  local now = nl.get_rng_state()
  nl.set_rng_state(call.rng_state)
  local back <close> = setmetatable({}, {__close = function() nl.set_rng_state(now) end})
  return run(call, inputs)
end

-- ---------------------------------------------------------------------- nodes

local Checkpoint = nl.autograd.Function("Checkpoint")

--- `call`: what is to be run again; `n`: how many of the tensors are its inputs, parameters follow; `results`: what it
--- gave, without a graph.
function Checkpoint.forward(ctx, call, n, results, ...)
  ctx.call, ctx.n = call, n
  ctx:save_for_backward(...)
  return table.unpack(results)
end

function Checkpoint.backward(ctx, ...)
  local seeds = table.pack(...)
  local saved, again = ctx.saved_tensors, nl.is_grad_enabled()
  local inputs = borders(table.move(saved, 1, ctx.n, 1, {}), again)
  local outputs = differentiable(run_again(ctx.call, inputs))
  if #outputs ~= seeds.n then
    raise(("checkpoint: run again, the function gave %d results that gradients go through, not %d: it must do the same "
      .. "each time"):format(#outputs, seeds.n))
  end
  table.move(saved, ctx.n + 1, saved.n, #inputs + 1, inputs)
  local grads = table.pack(nl.autograd.grad(outputs, inputs, seeds, {create_graph = again, allow_unused = true}))
  return nil, nil, nil, table.unpack(grads, 1, saved.n)
end

--- The results of the function without a graph, and the parameters that they were computed from.
local function first_run(call, inputs)
  local results, leaves
  nl.scope(function()
    local _ <close> = nl.enable_grad()
    local inner = borders(inputs, false)
    local given = run(call, inner)
    leaves = transforms.other_leaves(differentiable(given), inner)
    results = {n = given.n}
    for i = 1, given.n do
      results[i] = tree.map(given[i], function(y)
        if not is_tensor(y) then return y end
        return {tensor = y:detach(), recorded = y.requires_grad}
      end)
    end
    return results, leaves
  end)
  return results, leaves
end

--- Results as the function gave them, with `made` in the place of those that gradients go through.
local function as_given(results, made)
  local at = 0
  local function restore(value)
    if type(value) ~= "table" then return value end
    if not is_tensor(value.tensor) then
      local changed = {}
      for key, inner in pairs(value) do changed[key] = restore(inner) end
      return changed
    end
    if not value.recorded then return value.tensor end
    at = at + 1
    return made[at]
  end
  local list = {n = results.n}
  for i = 1, results.n do list[i] = restore(results[i]) end
  return table.unpack(list, 1, list.n)
end

local function recorded_of(results)
  local list = {}
  local function collect(value)
    if type(value) ~= "table" then return end
    if is_tensor(value.tensor) then
      if value.recorded then list[#list + 1] = value.tensor end
      return
    end
    for _, key in ipairs(tree.keys(value)) do collect(value[key]) end
  end
  for i = 1, results.n do collect(results[i]) end
  return list
end

local known = {preserve_rng_state = true, use_reentrant = false, early_stop = true}

--- The arguments of the function, and the options in a last table that has nothing but options.
local function with_options(...)
  local values = table.pack(...)
  local last = values[values.n]
  local is_options = args.is_named("checkpoint", last)
  for key in pairs(is_options and last or {}) do is_options = is_options and known[key] ~= nil end
  if not is_options then return values, known end
  values.n = values.n - 1
  local options = {}
  for key, default in pairs(known) do options[key] = default end
  for key, value in pairs(last) do options[key] = value end
  return values, options
end

--- Calls a function whose intermediate results are not kept for the backward, which computes them again. Gradients
--- reach its arguments and the parameters that it uses. A last table may say {preserve_rng_state = false}: then random
--- numbers (dropout) differ when it is run again. `use_reentrant` and `early_stop` are taken for PyTorch's sake.
--- nl.checkpoint is another thing: it saves a run to a file.
---
---     > net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
---     > y = nl.utils.checkpoint.checkpoint(net, nl.ones(3, 2))
---     > y:sum():backward()
---     > net[1].weight.grad.shape
---     [8, 2]
function checkpoint.checkpoint(f, ...)
  local values, options = with_options(...)
  if not args.is_callable(f) then raise("checkpoint: function must be a function, not " .. core.describe(f)) end
  if not nl.is_grad_enabled() then return f(table.unpack(values, 1, values.n)) end
  local inputs, with = parted(values)
  local call = {f = f, with = with, rng_state = options.preserve_rng_state and nl.get_rng_state() or nil}
  local results, leaves = first_run(call, inputs)
  local outputs = recorded_of(results)
  if #outputs == 0 then return as_given(results, {}) end
  local tensors = table.move(inputs, 1, #inputs, 1, {})
  table.move(leaves, 1, #leaves, #inputs + 1, tensors)
  return as_given(results, {Checkpoint.apply(call, #inputs, outputs, table.unpack(tensors))})
end

--- Runs a Sequential, or a list of functions, in so many parts, of which all but the last are computed again in the
--- backward.
---
---     > net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
---     > nl.utils.checkpoint.checkpoint_sequential(net, 2, nl.ones(3, 2)).shape
---     [3, 1]
function checkpoint.checkpoint_sequential(functions, segments, input, options)
  local list = {}
  if core.is_module(functions) then
    for child in functions:children() do list[#list + 1] = child end
  elseif type(functions) == "table" then
    list = functions
  else
    raise("checkpoint_sequential: functions must be a Sequential or a list, not " .. core.describe(functions))
  end
  local parts = args.whole(segments)
  if not parts or parts < 1 or parts > #list then
    raise(("checkpoint_sequential: segments must be from 1 to %d, not %s"):format(#list, core.describe(segments)))
  end
  local function part(first, last)
    return function(x)
      for i = first, last do x = list[i](x) end
      return x
    end
  end
  local size = #list // parts
  for k = 1, parts - 1 do
    input = checkpoint.checkpoint(part((k - 1) * size + 1, k * size), input, options)
  end
  return part((parts - 1) * size + 1, #list)(input)
end

--- The rest of a block, or a call of a function, in a setting that changes nothing here.
local function without_effect(name, f, ...)
  if f ~= nil and not args.is_callable(f) then
    raise(("%s: a function is wanted, not %s"):format(name, core.describe(f)))
  end
  if f then return f(...) end
  return setmetatable({}, {__close = function() end})
end

--- Taken for PyTorch's sake, and changes nothing: what is computed again is always computed to its end.
---     > nl.utils.checkpoint.set_checkpoint_early_stop(false, function() return 1 end)
---     1
---@param enable boolean
---@param f? function without one: to the end of the block, as the value of a `<close>` variable
function checkpoint.set_checkpoint_early_stop(enable, f, ...)
  args.only("set_checkpoint_early_stop", "enable", enable)
  return without_effect("set_checkpoint_early_stop", f, ...)
end

--- Taken for PyTorch's sake, and changes nothing: that a function gave other results the second time is always told.
---     > nl.utils.checkpoint.set_checkpoint_debug_enabled(true, function() return 1 end)
---     1
---@param enabled boolean
---@param f? function without one: to the end of the block, as the value of a `<close>` variable
function checkpoint.set_checkpoint_debug_enabled(enabled, f, ...)
  return without_effect("set_checkpoint_debug_enabled", f, ...)
end

return checkpoint
