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

--- The examples as inputs of their own, though one tensor may stand in several places.
local function told_apart(leaves)
  local seen = {}
  for _, leaf in ipairs(leaves) do
    local t = leaf.tensor
    if seen[t] then
      leaf.tensor = t:detach()
      if t.requires_grad then leaf.tensor:requires_grad_() end
    end
    seen[t] = true
  end
end

--- Runs a network on examples, recording; gives the program's parts.
local function record(network, examples)
  local trace, names, leaves = core.trace_open(), argument_names(network, examples.n), {}
  local arguments, results = {}, {}
  for i = 1, examples.n do arguments[i] = structure.form(examples[i], names[i], leaves) end
  told_apart(leaves)
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

--- Records what a network, or a function of tensors, does with examples of its inputs, and gives that as a program.
--- The network is run once, for real. See docs/programs.md for what can't be recorded.
---     > net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
---     > x = nl.randn(3, 2)
---     > p = nl.program.trace(net, x)
---     > nl.equal(p(x), net(x))
---     true
---@param network Module|function
---@return Program
return function(network, ...)
  if not args.is_callable(network) then
    raise(("trace: a network or a function is expected first, got %s"):format(nn_core.describe(network)))
  end
  return Program(record(network, table.pack(...)))
end
