-- All derivatives of a function's results: jacrev, jacfwd and hessian.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local grads = require "nnlua.func.grad"
local nl = require "nnlua"
local tree = require "nnlua.func.tree"
local vmap = require("nnlua.func.vmap").vmap

local jacobian = {}

local raise = core.raise

--- One tensor of zeros but for a one, for each element of x: a batch of x.numel of x's shape.
local function basis_of(x)
  local n = x:numel()
  local shape = {n}
  for i = 1, x.ndim do shape[i + 1] = x:size(i) end
  return nl.eye(n, {dtype = x.dtype}):reshape(shape)
end

--- f as a function of the arguments at some places, the others as they are given.
local function of_some(f, given, places)
  return function(...)
    local changed = table.move(given, 1, given.n, 1, {})
    for k, i in ipairs(places) do changed[i] = (select(k, ...)) end
    return f(table.unpack(changed, 1, given.n))
  end
end

local function some_of(given, places, who)
  local some = {n = #places}
  for k, i in ipairs(places) do
    if given[i] == nil then raise(("%s: argument %d is wanted, but %d were given"):format(who, i, given.n)) end
    some[k] = given[i]
  end
  return some
end

local function in_form(listed, derivatives)
  return listed and derivatives or derivatives[1]
end

local parse_rev = args.parser("func.jacrev", {
  {"func", "function"}, {"argnums", "any", 1}, {"has_aux", "boolean", false}, {"chunk_size", "integer?"},
})

--- The derivatives of the elements of one result, of all that there are, by the tensors in the arguments.
local function rows_of(results, which, back, some, chunk_size)
  local y = results[which]
  local pull = vmap(function(row)
    local seeds = {}
    for i, other in ipairs(results) do seeds[i] = i == which and row or nl.zeros_like(other) end
    return {back(table.unpack(seeds))}
  end, {chunk_size = chunk_size or nl.none})
  local pulled = pull(basis_of(y))
  local derivatives = {}
  for k = 1, some.n do
    local found, at = tree.tensors(pulled[k], "jacrev"), 0
    derivatives[k] = tree.map(some[k], function(x)
      at = at + 1
      return found[at]:reshape(tree.joined_shape(y, x))
    end)
  end
  return derivatives
end

--- A function that gives all derivatives of the results of `func` by the argument that `argnums` says (counted from
--- 1; a table of numbers gives a table): for a result of shape (a…) and an argument of shape (b…) a tensor of shape
--- (a…, b…). In reverse mode, all rows at once: for functions of many numbers that give few.
---
---     > nl.func.jacrev(function(x) return x * x end)(nl.tensor({1.0, 2.0}))
---     tensor([[2., 0.],
---             [0., 4.]])
function jacobian.jacrev(...)
  local f, argnums, has_aux, chunk_size = parse_rev(...)
  local places, listed = grads.places_of(argnums, "jacrev")
  return function(...)
    local given = table.pack(...)
    local some = some_of(given, places, "jacrev")
    local form, back, aux = grads.vjp_of("jacrev", of_some(f, given, places), some, has_aux)
    local results, at = tree.tensors(form, "jacrev"), 0
    local derivatives = tree.map(form, function()
      at = at + 1
      return in_form(listed, rows_of(results, at, back, some, chunk_size))
    end)
    if has_aux then return derivatives, aux end
    return derivatives
  end
end

local parse_fwd = args.parser("func.jacfwd", {
  {"func", "function"}, {"argnums", "any", 1}, {"has_aux", "boolean", false}, {"randomness", "string", "error"},
  {"chunk_size", "integer?"},
})

--- The derivatives of all results by one tensor of the arguments, along their last dimension; and what goes along.
local function columns_of(f, some, which, options)
  local at
  local function tangents_for(row)
    at = 0
    return tree.map(table.move(some, 1, some.n, 1, {}), function(x)
      at = at + 1
      return at == which and row or nl.zeros_like(x)
    end)
  end
  local x = tree.tensors(table.move(some, 1, some.n, 1, {}), "jacfwd")[which]
  local aux
  local push = vmap(function(row)
    local _, pushed, other = grads.jvp_of("jacfwd", f, table.move(some, 1, some.n, 1, {}), tangents_for(row),
      options.has_aux)
    aux = other
    return pushed
  end, {out_dims = -1, randomness = options.randomness, chunk_size = options.chunk_size or nl.none})
  return push(basis_of(x)), x, aux
end

--- The same as func.jacrev in forward mode: for functions of few numbers that give many.
---
---     > nl.func.jacfwd(function(x) return x * x end)(nl.tensor({1.0, 2.0}))
---     tensor([[2., 0.],
---             [0., 4.]])
function jacobian.jacfwd(...)
  local f, argnums, has_aux, randomness, chunk_size = parse_fwd(...)
  local options = {has_aux = has_aux, randomness = randomness, chunk_size = chunk_size}
  local places, listed = grads.places_of(argnums, "jacfwd")
  return function(...)
    local given = table.pack(...)
    local some = some_of(given, places, "jacfwd")
    local inner = of_some(f, given, places)
    local columns, form, aux = {}, nil, nil
    local inputs = tree.tensors(table.move(some, 1, some.n, 1, {}), "jacfwd")
    for which = 1, #inputs do
      local found, x, other = columns_of(inner, some, which, options)
      form, aux = found, other
      columns[which] = {x = x, list = tree.tensors(found, "jacfwd")}
    end
    local at = 0
    local derivatives = tree.map(form, function()
      at = at + 1
      local n, of_arguments = 0, {}
      for k = 1, some.n do
        of_arguments[k] = tree.map(some[k], function(x)
          n = n + 1
          local y = columns[n].list[at]
          local shape = {}
          for i = 1, y.ndim - 1 do shape[i] = y:size(i) end
          for i = 1, x.ndim do shape[#shape + 1] = x:size(i) end
          return y:reshape(shape)
        end)
      end
      return in_form(listed, of_arguments)
    end)
    if has_aux then return derivatives, aux end
    return derivatives
  end
end

local parse_hessian = args.parser("func.hessian", {{"func", "function"}, {"argnums", "any", 1}})

--- A function that gives all second derivatives of `func`: forward mode over reverse mode.
---
---     > nl.func.hessian(function(x) return (x ^ 3):sum() end)(nl.tensor({1.0, 2.0}))
---     tensor([[ 6.,  0.],
---             [ 0., 12.]])
function jacobian.hessian(...)
  local f, argnums = parse_hessian(...)
  return jacobian.jacfwd(jacobian.jacrev(f, argnums), argnums)
end

return jacobian
