--- Calls in the forms that the files write them in, and their gradients.

local api = require "oracle.api"
local json = require "oracle.json"
local values = require "oracle.values"

local calls = {}

-- --------------------------------------------------------------------- forms

local OPERATORS = {
  add = function(a, b) return a + b end, sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end, div = function(a, b) return a / b end,
  idiv = function(a, b) return a // b end, mod = function(a, b) return a % b end,
  pow = function(a, b) return a ^ b end, unm = function(a) return -a end,
  band = function(a, b) return a & b end, bor = function(a, b) return a | b end,
  bxor = function(a, b) return a ~ b end, bnot = function(a) return ~a end,
  shl = function(a, b) return a << b end, shr = function(a, b) return a >> b end,
}

local function get(x, index)
  return x[index]
end

--- `x[index] = value` on a copy of x, which is no leaf.
local function set(x, index, value)
  local changed = x:clone()
  changed[index] = value
  return changed
end

local function method(name)
  return function(x, ...)
    return x[name](x, ...)
  end
end

local function property(name)
  return function(x)
    return x[name]
  end
end

local function build(form)
  local kind, name = form:match("^(%a+)[.:](.*)$")
  if form == "get" then
    return get
  elseif form == "set" then
    return set
  elseif kind == "op" then
    api.require_operator(name)
    return OPERATORS[name]
  elseif kind == "nl" then
    return api.lookup(name)
  end
  api.require_member(name)
  return form:sub(2, 2) == ":" and method(name) or property(name)
end

local known = {}

--- The function that a form stands for; raises if nnlua has none.
function calls.target(form)
  known[form] = known[form] or build(form)
  return known[form]
end

function calls.is_in_place(form)
  return form:sub(-1) == "_"
end

--- Runs a form and gives its results packed. What changes in place gets a copy that is no leaf.
function calls.run(form, args)
  local target = calls.target(form)
  local first = args[1]
  if calls.is_in_place(form) and api.is_tensor(first) and first.requires_grad then
    args = table.move(args, 2, args.n, 2, {first:clone(), n = args.n})
  end
  return table.pack(target(values.unpack(args)))
end

--- Several results, whether they came one by one or as one table.
function calls.as_list(packed)
  local only = packed[1]
  if packed.n == 1 and type(only) == "table" then
    return {n = #only, table.unpack(only)}
  end
  return packed
end

-- ----------------------------------------------------------------- gradients

--- Those of a call's tensors that require a gradient.
function calls.differentiable(collector)
  local inputs = {}
  for _, tensor in ipairs(collector.tensors) do
    if tensor.requires_grad then
      table.insert(inputs, tensor)
    end
  end
  return inputs
end

--- Appends the results that are recorded as tensors, however deep in tables they are.
local function collect_outputs(got, recorded, outputs)
  if type(recorded) ~= "table" or recorded == json.null then
    return
  elseif recorded.tensor then
    outputs.n = outputs.n + 1
    outputs[outputs.n] = got
  elseif recorded[1] ~= nil then
    for i, inner in ipairs(recorded) do
      collect_outputs(got[i], inner, outputs)
    end
  end
end

--- The results that have cotangents, and these.
local function with_cotangents(results, case, needs_grad)
  local outputs, used, cotangents = {n = 0}, {}, {}
  collect_outputs(results, case.out, outputs)
  for i, encoded in ipairs(case.cotangents) do
    if encoded ~= json.null then
      local cotangent = values.tensor(encoded)
      table.insert(used, outputs[i])
      table.insert(cotangents, needs_grad and cotangent:requires_grad_() or cotangent)
    end
  end
  return used, cotangents
end

local function grad(outputs, inputs, cotangents, options)
  options.allow_unused = true
  return table.pack(api.lookup("autograd.grad")(outputs, inputs, cotangents, options))
end

--- The gradients of a call's results by its inputs, packed, with nil where none arrives.
--- They can be differentiated again if the case has `second`; then the cotangents come too.
function calls.gradients(results, inputs, case)
  local again = case.second ~= nil
  local outputs, cotangents = with_cotangents(results, case, again)
  return grad(outputs, inputs, cotangents, {create_graph = again}), cotangents
end

--- A number that grows with the square of a gradient: its elements' absolute values squared.
local function squares(gradient)
  if gradient.dtype == api.nl.complex64 or gradient.dtype == api.nl.complex128 then
    return gradient:abs():square():sum()
  end
  return (gradient * gradient):sum()
end

--- Gradients of the sum of squares of gradients, by the inputs and then the cotangents.
function calls.second_gradients(gradients, inputs, cotangents)
  local total
  for i = 1, gradients.n do
    local gradient = gradients[i]
    if gradient and gradient.requires_grad then
      total = total and total + squares(gradient) or squares(gradient)
    end
  end
  if not total then
    error("no gradient can be differentiated again", 0)
  end
  local variables = table.move(cotangents, 1, #cotangents, #inputs + 1, {table.unpack(inputs)})
  return grad({total}, variables, nil, {})
end

return calls
