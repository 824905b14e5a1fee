-- Checks of gradients: what backward gives against differences of what the function gives.

local nl = require "nnlua"
local args = require "nnlua.args"
local core = require "nnlua.nn.core"

local gradcheck = {}

local raise = core.raise

-- --------------------------------------------------------------- components

local function is_inexact(t)
  return t:is_floating_point() or t:is_complex()
end

--- The numbers in a tensor, in row-major order; a complex element is two of them.
local function components(t)
  local values = t:detach():reshape(t:numel()):tolist()
  if not t:is_complex() then return values end
  local list = {}
  for i, value in ipairs(values) do
    list[2 * i - 1], list[2 * i] = value:item()
  end
  return list
end

local function component_count(t)
  return t:is_complex() and 2 * t:numel() or t:numel()
end

--- The element that holds a component, as a 0-dim view.
local function element(t, component)
  local index = t:is_complex() and (component - 1) // 2 or component - 1
  local cell = t:detach()
  for dim = t.ndim, 1, -1 do
    local size = t:size(dim)
    cell = cell:select(dim, index % size + 1)
    index = index // size
  end
  return cell
end

local part_of = {[nl.complex128] = nl.float64, [nl.complex64] = nl.float32}

--- Complex numbers from real ones that lie side by side in the last dimension, of size 2.
local function paired(parts, dtype)
  return parts:view(dtype):squeeze(-1)
end

--- A step along a component: a real number, or an imaginary one for every other component of a complex tensor.
local function step(t, component, size)
  if not t:is_complex() or component % 2 == 1 then return size end
  return paired(nl.tensor({0, size}, {dtype = nl.float64}), nl.complex128)
end

-- ------------------------------------------------------------------ calling

local function pack_tensors(name, ...)
  local results = table.pack(...)
  for i = 1, results.n do
    if not core.is_tensor(results[i]) then
      raise(("%s: result %d of the function is no tensor but %s"):format(name, i, core.describe(results[i])))
    end
  end
  return results
end

local function call(check)
  return pack_tensors(check.name, check.func(table.unpack(check.inputs, 1, check.inputs.n)))
end

--- The places of results that have gradients. If none has, all that could: their derivatives must be zero.
local function differentiable_places(results)
  local wanting, inexact = {}, {}
  for i = 1, results.n do
    if is_inexact(results[i]) then
      table.insert(inexact, i)
      if results[i].requires_grad then table.insert(wanting, i) end
    end
  end
  return #wanting > 0 and wanting or inexact
end

-- ---------------------------------------------------------------- Jacobians

-- A Jacobian is a list of rows, one for each component of the input, of numbers, one for each component of the result.

--- The components of the results; taken at once, since a result may share the input's memory.
local function values_at(check, places)
  local results, values = call(check), {}
  for k, place in ipairs(places) do values[k] = components(results[place]) end
  return values
end

local function numerical_row(check, x, component, places, rows)
  local cell = element(x, component)
  local old = cell:clone()
  local function moved(by)
    nl.no_grad(function() cell:copy_(old + step(x, component, by)) end)
    return values_at(check, places)
  end
  local ok, above, below = pcall(function() return moved(check.eps), moved(-check.eps) end)
  nl.no_grad(function() cell:copy_(old) end)
  if not ok then error(above, 0) end
  for k in ipairs(places) do
    local row = {}
    for i in ipairs(above[k]) do
      row[i] = (above[k][i] - below[k][i]) / (2 * check.eps)
    end
    rows[k][component] = row
  end
end

--- The Jacobian of each result with respect to one input.
local function numerical(check, x, places)
  local rows = {}
  for k in ipairs(places) do rows[k] = {} end
  for component = 1, component_count(x) do
    numerical_row(check, x, component, places, rows)
  end
  return rows
end

local function wrong_gradient(x, gradient)
  if gradient.shape ~= x.shape then
    return ("has shape %s, the input %s"):format(gradient.shape, x.shape)
  elseif gradient.dtype ~= x.dtype then
    return ("has dtype %s, the input %s"):format(gradient.dtype, x.dtype)
  end
end

--- The Jacobians of one result with respect to all inputs, and what is wrong with a gradient's form.
local function analytical(check, result)
  local jacobians = {}
  for i, x in ipairs(check.differentiable) do
    jacobians[i] = {}
    for component = 1, component_count(x) do jacobians[i][component] = {} end
  end
  for at = 1, component_count(result) do
    local gradients = {}
    if result.requires_grad then
      local seed = nl.zeros_like(result):detach()
      element(seed, at):add_(step(result, at, 1))
      gradients = table.pack(nl.autograd.grad({result}, check.differentiable, {seed},
        {retain_graph = true, allow_unused = true}))
    end
    for i, x in ipairs(check.differentiable) do
      local gradient = gradients[i]
      local wrong = gradient and wrong_gradient(x, gradient)
      if wrong then return nil, ("the gradient of input %d %s"):format(check.places[i], wrong) end
      local values = gradient and components(gradient)
      for component = 1, component_count(x) do
        jacobians[i][component][at] = values and values[component] or 0.0
      end
    end
  end
  return jacobians
end

-- --------------------------------------------------------------- comparing

local function near(a, b, atol, rtol)
  return a == b or math.abs(a - b) <= atol + rtol * math.abs(b) or a ~= a and b ~= b
end

local function same(a, b, atol, rtol)
  for i, row in ipairs(b) do
    for j, value in ipairs(row) do
      if not near(a[i][j], value, atol, rtol) then return false end
    end
  end
  return true
end

local function matrix_text(jacobian)
  return tostring(nl.tensor(jacobian, {dtype = nl.float64}))
end

local function mismatch(check, place, i, from_differences, from_backward)
  return ("the Jacobians of result %d with respect to input %d differ (rows: the input's elements)\n" ..
    "numerical: %s\nanalytical: %s"):format(place, check.places[i], matrix_text(from_differences),
    matrix_text(from_backward))
end

--- What is wrong with two runs of the function on the same inputs, or nil.
local function wrong_repetition(check, first, second)
  for i = 1, first.n do
    local a, b = components(first[i]), components(second[i])
    for k in ipairs(a) do
      if type(a[k]) == "number" and not near(a[k], b[k], check.nondet_tol, 0) then
        return ("result %d is not the same when the function is called again on the same inputs"):format(i)
      end
    end
  end
end

local function wrong_jacobians(check, results, places)
  local from_backward = {}
  for k, place in ipairs(places) do
    local jacobians, wrong = analytical(check, results[place])
    if not jacobians then return wrong end
    local again = analytical(check, results[place])
    for i in ipairs(jacobians) do
      if not same(again[i], jacobians[i], check.nondet_tol, 0) then
        return ("the gradient of input %d is not the same when backward runs again"):format(check.places[i])
      end
    end
    from_backward[k] = jacobians
  end
  for i, x in ipairs(check.differentiable) do
    local from_differences = numerical(check, x, places)
    for k, place in ipairs(places) do
      if not same(from_backward[k][i], from_differences[k], check.atol, check.rtol) then
        return mismatch(check, place, i, from_differences[k], from_backward[k][i])
      end
    end
  end
end

-- ---------------------------------------------------------------- the checks

local function check_input(name, place, x)
  for dim = 1, x.ndim do
    if x:stride(dim) == 0 and x:size(dim) > 1 then
      raise(("%s: elements of input %d share a place in memory (expand); clone it"):format(name, place))
    end
  end
  if x.dtype ~= nl.float64 and x.dtype ~= nl.complex128 then
    warn(("%s: input %d is %s; differences need float64 or complex128"):format(name, place, x.dtype))
  end
end

local function as_list(value)
  if core.is_tensor(value) or type(value) ~= "table" then return {value, n = 1} end
  return {n = value.n or #value, table.unpack(value, 1, value.n or #value)}
end

--- Finds the inputs whose gradients are checked.
local function prepare(check)
  check.differentiable, check.places = {}, {}
  for i = 1, check.inputs.n do
    local x = check.inputs[i]
    if core.is_tensor(x) and x.requires_grad then
      check_input(check.name, i, x)
      table.insert(check.differentiable, x)
      table.insert(check.places, i)
    end
  end
  if #check.differentiable == 0 then
    raise(("%s: at least one input must be a tensor that requires a gradient"):format(check.name))
  end
end

local function run(check)
  prepare(check)
  local results = call(check)
  local wrong = wrong_repetition(check, results, call(check))
    or wrong_jacobians(check, results, differentiable_places(results))
  if not wrong then return true end
  if check.raise_exception then raise(check.name .. ": " .. wrong) end
  return false
end

local tolerances = {
  {"eps", "number", 1e-6}, {"atol", "number", 1e-5}, {"rtol", "number", 1e-3}, {"raise_exception", "boolean", true},
  {"nondet_tol", "number", 0.0},
}
local function check_function(name, func)
  if not args.is_callable(func) then
    core.raise(("%s: func must be a function, not %s"):format(name, core.describe(func)))
  end
end

local parse = args.parser("gradcheck", {{"func", "any"}, {"inputs", "any"}, table.unpack(tolerances)})
local parse_second = args.parser("gradgradcheck",
  {{"func", "any"}, {"inputs", "any"}, {"grad_outputs", "any?"}, table.unpack(tolerances)})

--- Compares the gradients that backward gives with differences of results, element by element.
--- Raises with both Jacobians where they differ, or returns false if `raise_exception` is false.
---     > nl.autograd.gradcheck(nl.tanh, nl.randn(3, {dtype = nl.float64, requires_grad = true}))
---     true
---@param func fun(...): Tensor
---@param inputs Tensor|any[] the arguments; those that require a gradient are checked, in float64
---@return boolean
function gradcheck.gradcheck(...)
  local func, inputs, eps, atol, rtol, raise_exception, nondet_tol = parse(...)
  check_function("gradcheck", func)
  return run {
    name = "gradcheck", func = func, inputs = as_list(inputs), eps = eps, atol = atol, rtol = rtol,
    raise_exception = raise_exception, nondet_tol = nondet_tol,
  }
end

local function random_like(t)
  local part = part_of[t.dtype]
  if not part then return nl.randn(t.shape, {dtype = t.dtype}) end
  local size = {t.shape:unpack()}
  table.insert(size, 2)
  return paired(nl.randn(size, {dtype = part}), t.dtype)
end

--- Random gradients for the results that have one.
local function random_seeds(results)
  local seeds = {}
  for _, place in ipairs(differentiable_places(results)) do
    local result = results[place]
    if result.requires_grad then
      table.insert(seeds, random_like(result):requires_grad_())
    end
  end
  return seeds
end

--- The function whose results are the first gradients of `check.func`, of its inputs and of the seeds.
local function gradient_function(check, seed_count)
  local func, n = check.func, check.inputs.n
  return function(...)
    local values = table.pack(...)
    local results = pack_tensors(check.name, func(table.unpack(values, 1, n)))
    local outputs, wanted = {}, {}
    for _, place in ipairs(differentiable_places(results)) do table.insert(outputs, results[place]) end
    for _, place in ipairs(check.places) do table.insert(wanted, values[place]) end
    local seeds = {table.unpack(values, n + 1, n + seed_count)}
    local gradients = table.pack(nl.autograd.grad(outputs, wanted, seeds, {create_graph = true, allow_unused = true}))
    local used = {}
    for i = 1, #wanted do
      if gradients[i] then table.insert(used, gradients[i]) end
    end
    return table.unpack(used)
  end
end

--- The same for second gradients: checks those of the first gradients, whose seeds are random unless given.
---     > nl.autograd.gradgradcheck(nl.tanh, nl.randn(3, {dtype = nl.float64, requires_grad = true}))
---     true
---@param func fun(...): Tensor
---@param inputs Tensor|any[]
---@param grad_outputs Tensor|Tensor[]|nil
---@return boolean
function gradcheck.gradgradcheck(...)
  local func, inputs, grad_outputs, eps, atol, rtol, raise_exception, nondet_tol = parse_second(...)
  check_function("gradgradcheck", func)
  local check = {
    name = "gradgradcheck", func = func, inputs = as_list(inputs), eps = eps, atol = atol, rtol = rtol,
    raise_exception = raise_exception, nondet_tol = nondet_tol,
  }
  prepare(check)
  local seeds = grad_outputs and as_list(grad_outputs) or random_seeds(call(check))
  if #seeds == 0 then return true end -- no result has a gradient: nor have gradients
  check.func = gradient_function(check, #seeds)
  for _, seed in ipairs(seeds) do
    check.inputs.n = check.inputs.n + 1
    check.inputs[check.inputs.n] = seed
  end
  return run(check)
end

return gradcheck
