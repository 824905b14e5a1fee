-- Gradients of functions: grad, vjp, jvp and what is made of them.

local args = require "nnlua.args"
local batch = require "nnlua.func.core"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local tree = require "nnlua.func.tree"

local grads = {}

local is_tensor, raise = core.is_tensor, core.raise

-- ---------------------------------------------------------------- reverse mode

--- A tensor of the same elements that gradients can be asked for, and that is part of x's graph if x has one.
local function leaf_of(x)
  local leaf = x:view_as(x)
  if not leaf.requires_grad then leaf:requires_grad_() end
  return leaf
end

local function check_inexact(x, who)
  if not (x:is_floating_point() or x:is_complex()) then
    raise(("%s: only floating point and complex tensors have gradients, not %s ones"):format(who, x.dtype))
  end
end

--- The arguments with leaves in the place of the tensors at some of them; these leaves, in order.
local function with_leaves(given, places, who)
  local changed, leaves, connected = table.move(given, 1, given.n, 1, {n = given.n}), {}, false
  for _, i in ipairs(places) do
    local value = given[i]
    if value == nil then raise(("%s: argument %d is wanted, but %d were given"):format(who, i, given.n)) end
    changed[i] = tree.map(value, function(x, place)
      if not is_tensor(x) then
        raise(("%s: argument %d%s is %s, which has no gradient"):format(who, i, place or "", core.describe(x)))
      end
      check_inexact(x, who)
      connected = connected or x.requires_grad or batch.is_stand_in(x)
      leaves[#leaves + 1] = leaf_of(x)
      return leaves[#leaves]
    end)
  end
  return changed, leaves, connected
end

--- Whether gradients of what was computed must be recorded: if more than the leaves wants to be differentiated by. What
--- is behind stand-ins may.
local function is_recorded(connected, outputs, leaves)
  for _, y in ipairs(outputs) do connected = connected or batch.is_stand_in(y) end
  return connected or #batch.other_leaves(outputs, leaves) > 0
end

local function any_wants_gradient(tensors)
  for _, t in ipairs(tensors) do
    if batch.wants_gradient(t) then return true end
  end
  return false
end

--- The gradients of outputs at leaves; zeros where there are none.
local function gradients(outputs, leaves, seeds, recorded, keep)
  local roots, given = {}, {}
  for i, y in ipairs(outputs) do
    if y.requires_grad then
      roots[#roots + 1] = y
      given[#roots] = seeds and seeds[i] or nl.ones_like(y)
    end
  end
  if #roots == 0 then
    local zeros = {}
    for i, x in ipairs(leaves) do zeros[i] = nl.zeros_like(x) end
    return zeros
  end
  return table.pack(nl.autograd.grad(roots, leaves, given,
    {retain_graph = keep or recorded, create_graph = recorded, allow_unused = true, materialize_grads = true}))
end

local function without_history(value, recorded)
  return recorded and value or tree.map(value, function(y) return is_tensor(y) and y:detach() or y end)
end

--- argnums as a list, and whether it was one.
local function places_of(argnums, who)
  local list = type(argnums) == "table" and argnums or {argnums}
  local places = {}
  for i, place in ipairs(list) do
    places[i] = args.whole(place)
    if not places[i] or places[i] < 1 then
      raise(("%s: argnums are numbers of arguments, counted from 1, not %s"):format(who, core.describe(place)))
    end
  end
  if #places == 0 then raise(who .. ": argnums is empty") end
  return places, type(argnums) == "table"
end

--- The gradients in the form of the arguments that they belong to; a list of these if argnums is one.
local function in_form(given, places, listed, found)
  local forms, at = {}, 0
  for k, i in ipairs(places) do
    forms[k] = tree.map(given[i], function()
      at = at + 1
      return found[at]
    end)
  end
  return listed and forms or forms[1]
end

local with_gradients = nl.enable_grad

--- What f gives for arguments with leaves: its results, the leaves and whether what follows is recorded.
local function run(f, given, places, who)
  local outer = nl.is_grad_enabled()
  local changed, leaves, connected = with_leaves(given, places, who)
  local results
  do
    local _ <close> = with_gradients()
    results = table.pack(f(table.unpack(changed, 1, changed.n)))
  end
  return results, leaves, function(outputs) return outer and is_recorded(connected, outputs, leaves) end
end

local function value_of(results, who)
  local y = results[1]
  if not is_tensor(y) then raise(who .. ": the function must give a tensor, not " .. core.describe(y)) end
  if y.ndim ~= 0 then
    raise(("%s: the function must give a tensor without dimensions, not one of shape %s: sum it first"):format(who,
      tostring(y.shape)))
  end
  return y
end

local function grad_and_value_of(who, f, argnums, has_aux)
  local places, listed = places_of(argnums, who)
  return function(...)
    local given = table.pack(...)
    local results, leaves, recorded_of = run(f, given, places, who)
    local y = value_of(results, who)
    local recorded = recorded_of {y}
    local found = gradients({y}, leaves, nil, recorded)
    local aux = has_aux and without_history(results[2], recorded) or nil
    return in_form(given, places, listed, found), without_history(y, recorded), aux
  end
end

local spec = {{"func", "function"}, {"argnums", "any", 1}, {"has_aux", "boolean", false}}
local parse_grad, parse_grad_and_value = args.parser("func.grad", spec), args.parser("func.grad_and_value", spec)

--- A function that gives the gradient of `func`, which gives a tensor without dimensions, at its arguments.
---
--- `argnums` says by which argument, counted from 1; with a table of numbers the result is a table of gradients. For an
--- argument that is a table of tensors the gradient is one alike. With `has_aux` func's second result is the second
--- here.
---
---     > nl.func.grad(function(x) return (x * x):sum() end)(nl.tensor({1.0, 2.0}))
---     tensor([2., 4.])
function grads.grad(...)
  local f, argnums, has_aux = parse_grad(...)
  local both = grad_and_value_of("grad", f, argnums, has_aux)
  return function(...)
    local g, _, aux = both(...)
    if has_aux then return g, aux end
    return g
  end
end

--- As func.grad, but the function gives the gradient and the value (and with `has_aux` what goes with it).
---
---     > nl.func.grad_and_value(function(x) return x ^ 3 end)(nl.tensor(2.0))
---     tensor(12.)	tensor(8.)
function grads.grad_and_value(...)
  local f, argnums, has_aux = parse_grad_and_value(...)
  local both = grad_and_value_of("grad_and_value", f, argnums, has_aux)
  return function(...)
    local g, y, aux = both(...)
    if has_aux then return g, y, aux end
    return g, y
  end
end

--- The results of f at some tensors, and the function that sends gradients of them back.
local function vjp_of(who, f, given, has_aux)
  local places = {}
  for i = 1, given.n do places[i] = i end
  local results, leaves, recorded_of = run(f, given, places, who)
  local form = has_aux and results[1] or results.n > 1 and table.move(results, 1, results.n, 1, {}) or results[1]
  local outputs = tree.tensors(form, who)
  local recorded = recorded_of(outputs)
  local function back(...)
    local seeds = tree.tensors(select("#", ...) > 1 and {...} or (...), who)
    if #seeds ~= #outputs then
      raise(("%s: %d gradients are wanted, one for each result, not %d"):format(who, #outputs, #seeds))
    end
    local again = recorded or nl.is_grad_enabled() and any_wants_gradient(seeds)
    local found = gradients(outputs, leaves, seeds, again, true)
    local forms = in_form(given, places, true, found)
    return table.unpack(forms, 1, given.n)
  end
  if has_aux then return without_history(form, recorded), back, without_history(results[2], recorded) end
  return without_history(form, recorded), back
end

--- What `func` gives at the tensors that follow, and a function from gradients of that to those of the tensors. A last
--- table {has_aux = true} says that func's second result only goes along: it is the third here.
---
---     > y, back = nl.func.vjp(function(x) return x:sin() end, nl.tensor({0.0, 0.0}))
---     > back(nl.tensor({1.0, 2.0}))
---     tensor([1., 2.])
function grads.vjp(f, ...)
  local given, options = args.options("func.vjp", {has_aux = false}, ...)
  if not args.is_callable(f) then raise("vjp: func must be a function, not " .. core.describe(f)) end
  if given.n == 0 then raise("vjp: no tensors were given") end
  return vjp_of("vjp", f, given, options.has_aux)
end

grads.vjp_of, grads.places_of = vjp_of, places_of

-- ---------------------------------------------------------------- forward mode

local function check_tangent(x, along, who)
  if not is_tensor(x) or not is_tensor(along) then
    raise(("%s: primals and tangents are tensors, or tables of them, not %s and %s"):format(who, core.describe(x),
      core.describe(along)))
  end
  check_inexact(x, who)
  if tostring(x.shape) ~= tostring(along.shape) or x.dtype ~= along.dtype then
    raise(("%s: a tangent has its tensor's shape and dtype, %s %s, not %s %s"):format(who, x.dtype, tostring(x.shape),
      along.dtype, tostring(along.shape)))
  end
end

local function jvp_of(who, f, primals, tangents, has_aux)
  local transform <close> = batch.open_tangent()
  local duals, along, at = {}, {}, 0
  tree.map(tangents, function(t) along[#along + 1] = t end)
  for i = 1, #primals do
    duals[i] = tree.map(primals[i], function(x)
      at = at + 1
      check_tangent(x, along[at], who)
      return batch.dual(transform, x, along[at])
    end)
  end
  if at ~= #along then raise(("%s: %d tangents for %d tensors"):format(who, #along, at)) end
  local results = table.pack(f(table.unpack(duals)))
  local form = has_aux and results[1] or results.n > 1 and table.move(results, 1, results.n, 1, {}) or results[1]
  tree.tensors(form, who)
  local values = tree.map(form, function(y) return (batch.undual(transform, y)) end)
  local pushed = tree.map(form, function(y)
    local value, t = batch.undual(transform, y)
    return t or nl.zeros_like(value)
  end)
  if not has_aux then return values, pushed end
  return values, pushed, tree.map(results[2], function(y)
    return is_tensor(y) and (batch.undual(transform, y)) or y
  end)
end

grads.jvp_of, grads.check_tangent = jvp_of, check_tangent

local parse_jvp = args.parser("func.jvp", {
  {"func", "function"}, {"primals", "list"}, {"tangents", "list"}, {"strict", "boolean", false},
  {"has_aux", "boolean", false},
})

--- What `func` gives at `primals`, and its derivative there in the direction of `tangents`: both lists, one entry for
--- each argument. In forward mode: the derivative is computed along with the value.
---
---     > nl.func.jvp(function(x) return x * x end, {nl.tensor(3.0)}, {nl.tensor(1.0)})
---     tensor(9.)	tensor(6.)
function grads.jvp(...)
  local f, primals, tangents, _, has_aux = parse_jvp(...)
  if #primals ~= #tangents then
    raise(("jvp: %d primals and %d tangents; each has one"):format(#primals, #tangents))
  end
  return jvp_of("jvp", f, primals, tangents, has_aux)
end

--- What `func` gives at the tensors that follow, and a function from tangents of these to those of the results.
---
---     > y, push = nl.func.linearize(function(x) return x ^ 2 end, nl.tensor(3.0))
---     > push(nl.tensor(2.0))
---     tensor(12.)
function grads.linearize(f, ...)
  local primals = {...}
  if not args.is_callable(f) then raise("linearize: func must be a function, not " .. core.describe(f)) end
  if #primals == 0 then raise("linearize: no tensors were given") end
  local y = jvp_of("linearize", f, primals, tree.map(primals, function(x) return nl.zeros_like(x) end))
  return y, function(...)
    local _, pushed = jvp_of("linearize", f, primals, {...})
    return pushed
  end
end

return grads
