-- Programs recorded from networks.

local args = require "nnlua.args"
local core = require "nnlua.program.core"
local nl = require "nnlua"
local nn_core = require "nnlua.nn.core"
local Program = require "nnlua.program.module"
local structure = require "nnlua.program.structure"

local raise = nn_core.raise

--- The names of a network's arguments: those of its forward function, where Lua knows them.
local function argument_names(network, n)
  local f = nn_core.unguarded(nn_core.is_module(network) and network.forward or network)
  local names, known, at = {}, type(f) == "function" and debug.getinfo(f, "S").what ~= "C", 1
  if known and nn_core.is_module(network) then at = 2 end
  for i = 1, n do
    local name = known and debug.getlocal(f, at)
    known = name and name ~= "..."
    names[i] = known and name or (n == 1 and "input" or "input" .. i)
    at = at + 1
  end
  return names
end

--- Tells a trace the parameters and buffers of a network; gives the program's slots.
local function tell_slots(trace, network)
  local slots = {}
  if not nn_core.is_module(network) then return slots end
  local saved = network:state_dict()
  local function add(kind, name, tensor)
    if not nn_core.is_tensor(tensor) then
      raise(("trace: '%s' has no shape yet: call the network once before"):format(name))
    end
    core.trace_border(trace, kind, name, tensor)
    slots[#slots + 1] = {kind = kind, name = name, tensor = tensor, transient = kind == "buffer" and saved[name] == nil}
  end
  for name, tensor in network:named_parameters() do add("parameter", name, tensor) end
  for name, tensor in network:named_buffers() do add("buffer", name, tensor) end
  return slots
end

--- Whether the examples are forms, on the meta device: all of them or none.
local function are_forms(leaves)
  local count = 0
  for _, leaf in ipairs(leaves) do count = count + (leaf.tensor.is_meta and 1 or 0) end
  if count > 0 and count < #leaves then raise "trace: either all examples are on the meta device or none" end
  return count > 0
end

--- The examples as inputs of their own, though one tensor may stand in several places.
local function told_apart(leaves, forms_only)
  local seen = {}
  for _, leaf in ipairs(leaves) do
    local t = leaf.tensor
    if forms_only then
      leaf.tensor = core.trace_form(t)
    elseif seen[t] then
      leaf.tensor = t:detach()
      if t.requires_grad then leaf.tensor:requires_grad_() end
    end
    seen[t] = true
  end
end

--- Runs a network on examples, recording; gives the program's parts.
local function record(network, examples)
  local names, leaves = argument_names(network, examples.n), {}
  local arguments, results = {}, {}
  for i = 1, examples.n do arguments[i] = structure.form(examples[i], names[i], leaves) end
  local forms_only = are_forms(leaves)
  local trace = core.trace_open(forms_only)
  told_apart(leaves, forms_only)
  local slots, inputs = tell_slots(trace, network), {}
  for i, leaf in ipairs(leaves) do
    core.trace_border(trace, "input", leaf.name, leaf.tensor)
    inputs[i] = leaf.tensor
  end
  local given = {}
  for i = 1, examples.n do given[i] = structure.build(arguments[i], inputs) end
  local outputs
  do
    local _ <close> = setmetatable({}, {__close = function() core.trace_end(trace) end})
    core.trace_begin(trace)
    outputs = table.pack(network(table.unpack(given, 1, examples.n)))
  end
  leaves = {}
  for i = 1, outputs.n do
    results[i] = structure.form(outputs[i], outputs.n == 1 and "output" or "output" .. i, leaves)
  end
  for _, leaf in ipairs(leaves) do core.trace_border(trace, "output", leaf.name, leaf.tensor) end
  local tensors = {}
  for i, slot in ipairs(slots) do tensors[i] = slot.tensor end
  return {
    data = core.trace_finish(trace, tensors), slots = slots, arguments = arguments, names = names, results = results,
    training = nn_core.is_module(network) and network.training,
  }
end

-- ------------------------------------------------------------ sizes by name

--- The sizes that have names: a list of {name =, places = a list of {leaf = number of the input, dim =}}.
local function named_sizes(dynamic, names)
  local sizes, by_name, numbers = {}, {}, {}
  for i, name in ipairs(names) do numbers[name] = i end
  for key, dims in next, dynamic do
    local input = numbers[key] or math.type(key) == "integer" and names[key] and key
    if not input or type(dims) ~= "table" then
      raise(("trace: dynamic is a table of inputs, as {%s = {'N', false}}, and has '%s'"):format(names[1] or "x", key))
    end
    for dim, name in next, dims do
      if type(name) == "string" then
        if not by_name[name] then
          by_name[name] = {name = name, places = {}}
          sizes[#sizes + 1] = by_name[name]
        end
        table.insert(by_name[name].places, {leaf = input, dim = dim})
      elseif name then
        raise "trace: dynamic has for each dimension of an input a name of its size, or false"
      end
    end
  end
  table.sort(sizes, function(a, b) return a.name < b.name end)
  return sizes
end

--- An example of another size: its elements along a dimension over and over.
local function stretched(t, dim, factor)
  local n = t:size(dim)
  local longer = nl.no_grad(t.index_select, t, dim, nl.arange(n * factor, {device = t.device}) % n + 1)
  return t.requires_grad and longer:requires_grad_() or longer
end

--- Examples in which sizes are multiples of what they were.
local function at_other_sizes(examples, sizes, factors)
  local forms, leaves, tensors = {}, {}, {}
  for i = 1, examples.n do forms[i] = structure.form(examples[i], "", leaves) end
  for i, leaf in ipairs(leaves) do tensors[i] = leaf.tensor end
  for i, size in ipairs(sizes) do
    for _, place in ipairs(size.places) do
      local t = tensors[place.leaf]
      if math.type(place.dim) ~= "integer" or place.dim < 1 or place.dim > t:dim() then
        raise(("trace: dynamic names dimension %s of an input that has %d"):format(place.dim, t:dim()))
      elseif t:size(place.dim) == 0 then
        raise "trace: an example of a size that has a name must not be empty"
      end
      if factors[i] > 1 then tensors[place.leaf] = stretched(t, place.dim, factors[i]) end
    end
  end
  local changed = {n = examples.n}
  for i = 1, examples.n do changed[i] = structure.build(forms[i], tensors) end
  return changed
end

--- Calls f and then puts the buffers of a network and the random numbers back to what they were.
local function without_traces(network, f)
  local state, buffers = nl.get_rng_state(), {}
  if nn_core.is_module(network) then
    for _, buffer in network:named_buffers() do buffers[buffer] = buffer:clone() end
  end
  local _ <close> = setmetatable({}, {__close = function()
    nl.set_rng_state(state)
    nl.no_grad(function()
      for buffer, before in pairs(buffers) do buffer:copy_(before) end
    end)
  end})
  f()
end

--- Gives a program sizes by name, by traces at several sizes.
local function generalize(network, examples, dynamic, parts)
  local names, symbols, traces = {}, {}, {}
  for i, input in ipairs((core.borders(parts.data))) do names[i] = input.name end
  local sizes = named_sizes(dynamic, names)
  without_traces(network, function()
    for i = 1, #sizes + 1 do
      local factors = {}
      for k = 1, #sizes do factors[k] = i > #sizes and 3 or i == k and 2 or 1 end
      traces[i] = record(network, at_other_sizes(examples, sizes, factors)).data
    end
  end)
  for i, size in ipairs(sizes) do symbols[i] = size.name end
  core.generalize(parts.data, traces, symbols)
end

--- A last table that has options and nothing else.
local function take_options(examples)
  local last = examples[examples.n]
  if type(last) ~= "table" or getmetatable(last) or next(last) ~= "dynamic" or next(last, "dynamic") ~= nil then
    return {}
  end
  examples.n = examples.n - 1
  return last
end

--- Records what a network, or a function of tensors, does with examples of its inputs, and gives that as a program.
--- The network is run once, for real. See docs/programs.md for what can't be recorded.
---     > net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
---     > x = nl.randn(3, 2)
---     > p = nl.program.trace(net, x)
---     > nl.equal(p(x), net(x))
---     true
--- With examples on the meta device nothing is worked out, however large the network: of tensors the network gets only
--- their dtypes and sizes. It must draw no random numbers then, and change nothing in place.
---     > p = nl.program.trace(net, nl.empty(3, 2, {device = "meta"}))
---     > nl.equal(p(x), net(x))
---     true
--- The program takes inputs of the examples' sizes. `{dynamic = {x = {"N"}}}` behind the examples gives sizes names:
--- the first one of the input `x` may be any then. For that the network is run at some other sizes, too.
---     > flat = function(x) return x:reshape(x:size(1) * 2) end
---     > p = nl.program.trace(flat, nl.zeros(3, 2), {dynamic = {x = {"N"}}})
---     > p(nl.zeros(5, 2)).shape
---     [10]
---@param network Module|function
---@return Program
local function trace(network, ...)
  if not args.is_callable(network) then
    raise(("trace: a network or a function is expected first, got %s"):format(nn_core.describe(network)))
  end
  local examples = table.pack(...)
  local options = take_options(examples)
  local parts = record(network, examples)
  if options.dynamic then generalize(network, examples, options.dynamic, parts) end
  return Program(parts)
end

return trace
