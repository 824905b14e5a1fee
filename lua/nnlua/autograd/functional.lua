-- nl.autograd.functional: derivatives of functions, by graphs.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local func = require "nnlua.func"
local nl = require "nnlua"
local tree = require "nnlua.func.tree"

local functional = {}

local is_tensor, raise = core.is_tensor, core.raise

-- ------------------------------------------------------------------- preparing

--- Inputs as a list, and whether they were one.
local function listed(value, who, what)
  if is_tensor(value) then return {value}, false end
  if type(value) ~= "table" then
    raise(("%s: %s must be a tensor or a list of tensors, not %s"):format(who, what, core.describe(value)))
  end
  for i, x in ipairs(value) do
    if not is_tensor(x) then raise(("%s: %s: %d is %s, not a tensor"):format(who, what, i, core.describe(x))) end
  end
  return value, true
end

--- Fresh tensors that gradients are asked for, part of the given ones' graphs if what is computed will be.
local function prepared(inputs, create_graph)
  local list = {}
  for i, x in ipairs(inputs) do
    list[i] = create_graph and x.requires_grad and x:view_as(x) or x:detach():requires_grad_()
  end
  return list
end

local function outputs_of(f, inputs, who)
  local results = table.pack(f(table.unpack(inputs)))
  local value = results.n > 1 and table.move(results, 1, results.n, 1, {}) or results[1]
  return listed(value, who, "what the function gives")
end

local function like(list, was_list)
  return was_list and list or list[1]
end

local function finished(list, create_graph)
  if create_graph then return list end
  local plain = {}
  for i, x in ipairs(list) do plain[i] = x:detach() end
  return plain
end

local function checked_vectors(v, like_what, who, what)
  if v == nil then
    if #like_what ~= 1 or like_what[1]:numel() ~= 1 then
      raise(("%s: v is needed unless %s is a single element"):format(who, what))
    end
    return {nl.ones_like(like_what[1])}
  end
  local vectors = listed(v, who, "v")
  if #vectors ~= #like_what then
    raise(("%s: v has %d tensors, %s %d"):format(who, #vectors, what, #like_what))
  end
  for i, x in ipairs(vectors) do
    if tostring(x.shape) ~= tostring(like_what[i].shape) then
      raise(("%s: v has shape %s for %s of shape %s"):format(who, tostring(x.shape), what,
        tostring(like_what[i].shape)))
    end
  end
  return vectors
end

--- Gradients of outputs at inputs: nil where there are none, or zeros.
local function pulled(outputs, inputs, seeds, create_graph)
  local roots, given = {}, {}
  for i, y in ipairs(outputs) do
    if y.requires_grad then roots[#roots + 1], given[#given + 1] = y, seeds[i] end
  end
  if #roots == 0 then return {n = #inputs} end
  return table.pack(nl.autograd.grad(roots, inputs, given,
    {create_graph = create_graph, retain_graph = true, allow_unused = true}))
end

local function filled(found, inputs, strict, who)
  for i, x in ipairs(inputs) do
    if not found[i] then
      if strict then raise(("%s: what the function gives doesn't depend on input %d"):format(who, i)) end
      found[i] = nl.zeros_like(x)
    end
  end
  return found
end

-- --------------------------------------------------------------------- products

local product = {{"func", "function"}, {"inputs", "any"}, {"v", "any?"}, {"create_graph", "boolean", false},
                 {"strict", "boolean", false}}
local parse_vjp = args.parser("autograd.functional.vjp", product)
local parse_jvp = args.parser("autograd.functional.jvp", product)
local parse_vhp = args.parser("autograd.functional.vhp", product)
local parse_hvp = args.parser("autograd.functional.hvp", product)

--- What `func` gives at `inputs` (a tensor or a list of them), and `v` times its Jacobian there.
---
---     > nl.autograd.functional.vjp(function(x) return x * x end, nl.tensor({1.0, 2.0}), nl.tensor({1.0, 1.0}))
---     tensor([1., 4.])	tensor([2., 4.])
function functional.vjp(...)
  local f, given, v, create_graph, strict = parse_vjp(...)
  local _ <close> = nl.enable_grad()
  local inputs, was_list = listed(given, "vjp", "inputs")
  inputs = prepared(inputs, create_graph)
  local outputs, several = outputs_of(f, inputs, "vjp")
  local seeds = checked_vectors(v, outputs, "vjp", "what the function gives")
  local found = filled(pulled(outputs, inputs, seeds, create_graph), inputs, strict, "vjp")
  return like(finished(outputs, create_graph), several), like(finished(found, create_graph), was_list)
end

--- What `func` gives at `inputs`, and its Jacobian there times `v`: by a backward of the backward.
---
---     > nl.autograd.functional.jvp(function(x) return x * x end, nl.tensor({1.0, 2.0}), nl.tensor({1.0, 1.0}))
---     tensor([1., 4.])	tensor([2., 4.])
function functional.jvp(...)
  local f, given, v, create_graph, strict = parse_jvp(...)
  local _ <close> = nl.enable_grad()
  local inputs = prepared((listed(given, "jvp", "inputs")), create_graph)
  local vectors = checked_vectors(v, inputs, "jvp", "the input")
  local outputs, several = outputs_of(f, inputs, "jvp")
  local seeds = {}
  for i, y in ipairs(outputs) do seeds[i] = nl.ones_like(y):requires_grad_() end
  local back = filled(pulled(outputs, inputs, seeds, true), inputs, strict, "jvp")
  local pushed = filled(pulled(back, seeds, vectors, create_graph), seeds, false, "jvp")
  return like(finished(outputs, create_graph), several), like(finished(pushed, create_graph), several)
end

local function scalar_of(outputs, who)
  if #outputs ~= 1 or outputs[1]:numel() ~= 1 then
    raise(who .. ": the function must give a single element")
  end
  return outputs[1]
end

local function gradient_of(f, inputs, strict, who)
  local y = scalar_of(outputs_of(f, inputs, who), who)
  return y, filled(pulled({y}, inputs, {nl.ones_like(y)}, true), inputs, strict, who)
end

-- What both products with a Hessian begin with: the inputs, the vectors, what f gives, and its gradient.
local function gradient_beside(f, given, v, create_graph, strict, who)
  local inputs, was_list = listed(given, who, "inputs")
  inputs = prepared(inputs, create_graph)
  local vectors = checked_vectors(v, inputs, who, "the input")
  return inputs, was_list, vectors, gradient_of(f, inputs, strict, who)
end

--- What `func`, which gives a single element, gives at `inputs`, and `v` times its Hessian there.
---
---     > nl.autograd.functional.vhp(function(x) return (x ^ 3):sum() end, nl.tensor({1.0, 2.0}), nl.ones(2))
---     tensor(9.)	tensor([ 6., 12.])
function functional.vhp(...)
  local f, given, v, create_graph, strict = parse_vhp(...)
  local _ <close> = nl.enable_grad()
  local inputs, was_list, vectors, y, gradient = gradient_beside(f, given, v, create_graph, strict, "vhp")
  local found = filled(pulled(gradient, inputs, vectors, create_graph), inputs, strict, "vhp")
  return finished({y}, create_graph)[1], like(finished(found, create_graph), was_list)
end

--- What `func`, which gives a single element, gives at `inputs`, and its Hessian there times `v`.
---
---     > nl.autograd.functional.hvp(function(x) return (x ^ 3):sum() end, nl.tensor({1.0, 2.0}), nl.ones(2))
---     tensor(9.)	tensor([ 6., 12.])
function functional.hvp(...)
  local f, given, v, create_graph, strict = parse_hvp(...)
  local _ <close> = nl.enable_grad()
  local inputs, was_list, vectors, y, gradient = gradient_beside(f, given, v, create_graph, strict, "hvp")
  local seeds = {}
  for i, g in ipairs(gradient) do seeds[i] = nl.ones_like(g):requires_grad_() end
  local back = filled(pulled(gradient, inputs, seeds, true), inputs, strict, "hvp")
  local pushed = filled(pulled(back, seeds, vectors, create_graph), seeds, false, "hvp")
  return finished({y}, create_graph)[1], like(finished(pushed, create_graph), was_list)
end

-- --------------------------------------------------------------------- matrices

--- The derivatives of one output by all inputs, one row after the other.
local function rows_of(y, inputs, create_graph, strict)
  local rows = {}
  for k = 1, #inputs do rows[k] = {} end
  local flat = y:reshape(-1)
  for i = 1, flat:numel() do
    local found = pulled({flat[i]}, inputs, {nl.ones_like(flat[i])}, create_graph)
    filled(found, inputs, strict, "jacobian")
    for k = 1, #inputs do rows[k][i] = found[k] end
  end
  local derivatives = {}
  for k, x in ipairs(inputs) do
    derivatives[k] = #rows[k] > 0 and nl.stack(rows[k]):reshape(tree.joined_shape(y, x)) or
      x:new_zeros(tree.joined_shape(y, x))
  end
  return finished(derivatives, create_graph)
end

local parse_jacobian = args.parser("autograd.functional.jacobian", {
  {"func", "function"}, {"inputs", "any"}, {"create_graph", "boolean", false}, {"strict", "boolean", false},
  {"vectorize", "boolean", false}, {"strategy", "string", "reverse-mode"},
})

--- All rows at once, by nl.func.
local function at_once(f, inputs, strategy)
  local argnums = {}
  for i = 1, #inputs do argnums[i] = i end
  local all = strategy == "forward-mode" and func.jacfwd or func.jacrev
  return all(f, argnums)(table.unpack(inputs))
end

--- The derivatives of all that `func` gives by all elements of `inputs`: a tensor of the shape of the result and then
--- the input's; a list for a list of inputs, or of results. With `vectorize` all rows are computed at once.
---
---     > nl.autograd.functional.jacobian(function(x) return x * x end, nl.tensor({1.0, 2.0}))
---     tensor([[2., 0.],
---             [0., 4.]])
function functional.jacobian(...)
  local f, given, create_graph, strict, vectorize, strategy = parse_jacobian(...)
  if strategy ~= "reverse-mode" and strategy ~= "forward-mode" then
    raise('jacobian: strategy must be "reverse-mode" or "forward-mode"')
  end
  if strategy == "forward-mode" and not vectorize then raise("jacobian: forward-mode needs vectorize = true") end
  local _ <close> = nl.enable_grad()
  local inputs, was_list = listed(given, "jacobian", "inputs")
  inputs = prepared(inputs, create_graph)
  if vectorize then
    if strict then raise("jacobian: strict can't be had with vectorize") end
    local all = at_once(f, inputs, strategy)
    if is_tensor(all[1]) then return like(finished(all, create_graph), was_list) end
    local rows = {}
    for i, one in ipairs(all) do rows[i] = like(finished(one, create_graph), was_list) end
    return rows
  end
  local outputs, several = outputs_of(f, inputs, "jacobian")
  local rows = {}
  for i, y in ipairs(outputs) do rows[i] = like(rows_of(y, inputs, create_graph, strict), was_list) end
  return like(rows, several)
end

local parse_hessian = args.parser("autograd.functional.hessian", {
  {"func", "function"}, {"inputs", "any"}, {"create_graph", "boolean", false}, {"strict", "boolean", false},
  {"vectorize", "boolean", false}, {"outer_jacobian_strategy", "string", "reverse-mode"},
})

--- All second derivatives of `func`, which gives a single element; for a list of inputs a list of lists.
---
---     > nl.autograd.functional.hessian(function(x) return (x ^ 3):sum() end, nl.tensor({1.0, 2.0}))
---     tensor([[ 6.,  0.],
---             [ 0., 12.]])
function functional.hessian(...)
  local f, given, create_graph, strict, vectorize, strategy = parse_hessian(...)
  local inputs, was_list = listed(given, "hessian", "inputs")
  local function gradient(...)
    local leaves = {...}
    for i, x in ipairs(leaves) do leaves[i] = x.requires_grad and x or x:requires_grad_() end
    local _, found = gradient_of(f, leaves, strict, "hessian")
    return table.unpack(found, 1, #leaves)
  end
  local options = {create_graph = create_graph, vectorize = vectorize, strategy = strategy}
  local rows = functional.jacobian(gradient, inputs, options)
  if was_list then return #inputs == 1 and {rows} or rows end
  return rows[1]
end

return functional
