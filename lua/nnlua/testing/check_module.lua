-- testing.check_module: what holds for every module, looked at on a copy.

local args = require "nnlua.args"
local compare = require "nnlua.testing.compare"
local core = require "nnlua.nn.core"
local deepcopy = require "nnlua.nn.copy"
local nl = require "nnlua"

local raise = core.raise

local REPEATS = 6 -- calls over which tensors must not pile up

local exactly = {rtol = 0.0, atol = 0.0, equal_nan = true, check_dtype = true}

--- Packs of one value are compared as that value.
local function difference(actual, expected, options)
  if type(actual) == "table" and type(expected) == "table" and actual.n == 1 and expected.n == 1 then
    actual, expected = actual[1], expected[1]
  end
  return compare("check_module", actual, expected, options or exactly)
end

-- ------------------------------------------------------------------ calling

local function call(check, net)
  return table.pack(net(table.unpack(check.inputs, 1, check.inputs.n)))
end

local function call_quietly(check, net)
  return nl.no_grad(call, check, net:eval())
end

--- Every tensor in a value, in tables too.
local function each_tensor(value, visit, seen)
  seen = seen or {}
  if core.is_tensor(value) then
    visit(value)
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for _, item in pairs(value) do each_tensor(item, visit, seen) end
  end
end

--- A backward from all results, with random gradients.
local function backward(results)
  local tensors, seeds = {}, {}
  each_tensor(results, function(t)
    if t.requires_grad then
      table.insert(tensors, t)
      table.insert(seeds, nl.randn_like(t):detach())
    end
  end)
  if #tensors > 0 then nl.autograd.backward(tensors, seeds) end
  return #tensors > 0
end

local function clone(value)
  if core.is_tensor(value) then return value:detach():clone():requires_grad_(value.requires_grad) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = clone(item) end
  return copy
end

--- Changes all that a state dict has, so that loading it back must do something.
local function disturb(net)
  nl.no_grad(function()
    for _, t in pairs(net:state_dict()) do
      if core.is_tensor(t) and t:is_floating_point() then t:add_(1) end
    end
  end)
  return net
end

-- --------------------------------------------------------------- invariants

local function named_tensors(net)
  local list = {}
  for name, t in net:named_parameters() do table.insert(list, {name = name, tensor = t}) end
  for name, t in net:named_buffers() do table.insert(list, {name = name, tensor = t}) end
  return list
end

local function differs(what, actual, expected)
  local text = difference(actual, expected)
  return text and what .. ": " .. text
end

--- The first forward may make parameters (lazy modules) and change buffers: all others start from a copy of what is
--- there then.
local function forward(check)
  check.net = deepcopy(check.given)
  call(check, check.net:train())
  check.original = deepcopy(check.net)
  check.expected = call_quietly(check, check.net)
end

local function deterministic(check)
  return differs("two calls in eval mode give different results", call_quietly(check, check.net), check.expected)
end

local function state_dict(check)
  local copy = disturb(deepcopy(check.net))
  copy:load_state_dict(check.net:state_dict())
  return differs("a copy that loads the state dict gives other results", call_quietly(check, copy), check.expected)
end

local function copies(check)
  local copy = deepcopy(check.net)
  local places, shared = {}, {}
  for _, entry in ipairs(named_tensors(check.net)) do
    if entry.tensor:numel() > 0 then places[entry.tensor:data_ptr()] = true end
  end
  for _, entry in ipairs(named_tensors(copy)) do
    if entry.tensor:numel() > 0 and places[entry.tensor:data_ptr()] then table.insert(shared, entry.name) end
  end
  if #shared > 0 then return "a deepcopy shares memory with its original: " .. table.concat(shared, ", ") end
  return differs("a deepcopy gives other results", call_quietly(check, copy), check.expected)
end

local function is_listed(name, list)
  for _, item in ipairs(list) do
    if item == name then return true end
  end
  return false
end

local function gradients(check)
  local net, without = check.net:train(), {}
  net:zero_grad()
  local has_graph = backward(call(check, net))
  for name, parameter in net:named_parameters() do
    if parameter.requires_grad and not parameter.grad and not is_listed(name, check.unused) then
      table.insert(without, name)
    end
  end
  if #without > 0 then
    return ("no gradient comes to %s (%s)"):format(table.concat(without, ", "),
      has_graph and "name those that are meant to have none: {unused = {...}}" or "no result requires a gradient")
  end
end

local function zero_grad(check)
  local left = {}
  backward(call(check, check.net:train()))
  check.net:zero_grad()
  for name, parameter in check.net:named_parameters() do
    if parameter.grad and parameter.grad:ne(0):any():item() then table.insert(left, name) end
  end
  if #left > 0 then return "zero_grad leaves the gradients of " .. table.concat(left, ", ") end
end

local function modes(check)
  local wrong = {}
  for _, mode in ipairs {true, false} do
    check.net:train(mode)
    for name, module in check.net:named_modules() do
      if module.training ~= mode then
        local what = name == "" and "the module itself" or name
        table.insert(wrong, ("%s after %s()"):format(what, mode and "train" or "eval"))
      end
    end
  end
  if #wrong > 0 then return "train() and eval() do not reach " .. table.concat(wrong, ", ") end
end

local function conversion(check)
  local copy = deepcopy(check.net):to(nl.float64)
  local originals, back = {}, {}
  for i, entry in ipairs(named_tensors(check.net)) do originals[i] = entry.tensor end
  for i, entry in ipairs(named_tensors(copy)) do
    local original = originals[i]
    if original:is_floating_point() then
      if entry.tensor.dtype ~= nl.float64 then
        return ("%s stays %s in to(nl.float64)"):format(entry.name, entry.tensor.dtype)
      end
      back[original.dtype] = true
    end
    local text = difference(entry.tensor, original, {rtol = 0.0, atol = 0.0, equal_nan = true})
    if text then return ("to(nl.float64) changes %s: %s"):format(entry.name, text) end
  end
  local dtype = next(back)
  if not dtype or next(back, dtype) then return end -- none, or several, which one to(dtype) can't bring back
  copy:to(dtype)
  return differs("to(nl.float64) and back gives other results", call_quietly(check, copy), check.expected)
end

local function saving(check)
  local path = os.tmpname()
  local remover <close> = setmetatable({}, {__close = function() os.remove(path) end})
  nl.save(path, check.net:state_dict())
  local copy = disturb(deepcopy(check.net))
  copy:load_state_dict(nl.load(path))
  return differs("what nl.save wrote gives other results when loaded", call_quietly(check, copy), check.expected)
end

local function inputs(check)
  return differs("the inputs are changed", check.inputs, check.copies)
end

local function live_tensors()
  collectgarbage()
  collectgarbage()
  return nl.memory_stats().tensors
end

local function memory(check)
  local net = check.net:train()
  local function step()
    backward(call(check, net))
    net:zero_grad()
  end
  step()
  step()
  local before = live_tensors()
  for _ = 1, REPEATS do step() end
  local more = live_tensors() - before
  if more >= REPEATS then
    return ("%d calls leave %d more tensors alive: something keeps results, or what they were computed from"):format(
      REPEATS, more)
  end
end

local invariants = {
  {"forward", forward}, {"deterministic", deterministic}, {"state_dict", state_dict}, {"deepcopy", copies},
  {"gradients", gradients}, {"zero_grad", zero_grad}, {"train and eval", modes}, {"to", conversion},
  {"save and load", saving}, {"inputs", inputs}, {"memory", memory},
}

-- -------------------------------------------------------------------- report

local function says(check, run)
  if check.original then check.net = deepcopy(check.original) end
  local ok, result = pcall(run, check)
  if not ok then return tostring(result) end
  return result
end

--- What fails, one text each. Where forward does, nothing else can be looked at.
local function failures(check)
  local found = {}
  for _, invariant in ipairs(invariants) do
    local name, run = invariant[1], invariant[2]
    local text = not is_listed(name, check.skip) and says(check, run)
    if text then
      table.insert(found, ("  %s: %s"):format(name, (text:gsub("\n", "\n    "))))
      if name == "forward" then break end
    end
  end
  return found
end

local function as_list(inputs)
  if core.is_tensor(inputs) or type(inputs) ~= "table" then return {inputs, n = 1} end
  return {n = inputs.n or #inputs, table.unpack(inputs, 1, inputs.n or #inputs)}
end

local parse = args.parser("check_module", {
  {"net", "module"}, {"inputs", "any"}, {"unused", "list", {}}, {"skip", "list", {}},
  {"raise_exception", "boolean", true},
})

local function check_names(skip)
  local known = {}
  for _, invariant in ipairs(invariants) do table.insert(known, invariant[1]) end
  for _, name in ipairs(skip) do
    if not is_listed(name, known) then
      raise(("check_module: there is nothing called '%s' to skip; there are: %s"):format(tostring(name),
        table.concat(known, ", ")))
    end
  end
end

--- Looks at what holds for every module: forward works; in eval mode it gives the same results each time; its state
--- dict brings a copy to the same results, through a file of nl.save too; a deepcopy shares no memory; every parameter
--- that requires a gradient gets one, and zero_grad clears it; train() and eval() reach all submodules; to(nl.float64)
--- and back changes no value; inputs stay as they are; repeated steps leave no tensors behind. Raises one error that
--- names each that fails, or returns false and the report if `raise_exception` is false. The module itself stays as it
--- is: a copy is looked at.
--- Options: unused, the names of parameters that get no gradient; skip, names as they stand in the report.
---     > nl.testing.check_module(nn.Linear(2, 3), nl.randn(4, 2))
---     true
---@param net Module
---@param inputs any a tensor, or a list of arguments
---@return boolean
---@return string? report
local function check_module(...)
  local net, given, unused, skip, raise_exception = parse(...)
  check_names(skip)
  local state = nl.get_rng_state()
  local values = as_list(given)
  local check = {given = net, inputs = clone(values), copies = clone(values), unused = unused, skip = skip}
  local found = failures(check)
  nl.set_rng_state(state)
  if #found == 0 then return true end
  local report = ("%s fails %d of %d:\n%s"):format(core.class_name(net), #found, #invariants, table.concat(found, "\n"))
  if raise_exception then raise("check_module: " .. report) end
  return false, report
end

return check_module
