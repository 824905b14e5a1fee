-- Branches, loops, sequences and optional values.

local graph = require "nnlua.onnx.graph"
local nl = require "nnlua"
local words = require "nnlua.onnx.operators.words"

local flow = {}

--- How many of a message's field there are.
local function count(list)
  return #(list or {}) // 2
end

function flow.If(b, node, condition)
  local function branch(name)
    local fields = node:graph(name)
    return function(body) return table.unpack(graph.body(node, fields, body, {})) end
  end
  return b:branch(condition, branch "then_branch", branch "else_branch")
end

--- The first values of a list, and the rest.
local function parts_of(list, n)
  return table.move(list, 1, n, 1, {}), table.move(list, n + 1, #list, 1, {})
end

function flow.Loop(b, node, rounds, condition)
  local fields = node:graph "body"
  local carried = {table.unpack(node.inputs, 3, node.n)}
  return b:loop(rounds, condition, carried, function(body, round, goes_on, ...)
    local outputs = graph.body(node, fields, body, {round, goes_on, ...})
    local next_condition = table.remove(outputs, 1)
    return next_condition, parts_of(outputs, #carried)
  end)
end

--- The number at a place of a list of an attribute, 0 where there is none.
local function at(list, i)
  return list and list[i] or 0
end

function flow.Scan(b, node)
  if node.version < 9 then node:fail "Scan of operator sets before 9, with batches, is not there" end
  local fields = node:graph "body"
  local nscanned = node:int("num_scan_inputs", 1)
  if nscanned < 1 or nscanned > node.n then
    node:fail("num_scan_inputs is %d, of %d inputs", nscanned, node.n)
  end
  node:want(node.n)
  local carried, scanned = parts_of(node.inputs, node.n - nscanned)
  local axes, directions = node:ints "scan_input_axes", node:ints "scan_input_directions"
  for i = 1, nscanned do
    if at(directions, i) == 1 then scanned[i] = b:call("flip", {scanned[i], {words.dim(at(axes, i))}}) end
  end
  local sizes = b:call("onnx_shape", {scanned[1]})
  local rounds = b:call("onnx_gather", {sizes, nl.tensor(at(axes, 1))})
  local results = {b:loop(rounds, nil, carried, function(body, round, _, ...)
    local inputs = {...}
    for i = 1, nscanned do
      table.insert(inputs, (body:call("onnx_gather", {scanned[i], round, axis = at(axes, i)})))
    end
    return nil, parts_of(graph.body(node, fields, body, inputs), #carried)
  end)}
  local out_axes, out_directions = node:ints "scan_output_axes", node:ints "scan_output_directions"
  for i = 1, #results - #carried do
    local y = results[#carried + i]
    if at(out_directions, i) == 1 then y = b:call("flip", {y, {1}}) end
    if at(out_axes, i) ~= 0 then y = b:call("movedim", {y, {1}, {words.dim(at(out_axes, i))}}) end
    results[#carried + i] = y
  end
  return table.unpack(results)
end

-- ---------------------------------------------------------------- sequences

function flow.SequenceConstruct(b, node) return b:sequence(node.inputs) end
function flow.SequenceEmpty(b) return b:sequence {} end
function flow.SequenceAt(b, _, sequence, position) return b:item(sequence, position) end
function flow.SequenceInsert(b, _, sequence, x, position) return b:insert(sequence, x, position) end
function flow.SequenceErase(b, _, sequence, position) return b:erase(sequence, position) end
function flow.SequenceLength(b, _, sequence) return b:length(sequence) end

function flow.SplitToSequence(b, node, x, split)
  return b:call("onnx_split_to_sequence", {
    x, split = split, axis = node:int("axis", 0), keepdims = node:flag("keepdims", true),
  })
end

function flow.ConcatFromSequence(b, node, sequence)
  return b:call(node:flag "new_axis" and "stack" or "cat", {sequence, dim = words.dim(node:int("axis", 0))})
end

function flow.SequenceMap(b, node, sequence)
  local fields = node:graph "body"
  local empty = {}
  for i = 1, count(fields.output) do empty[i] = b:sequence {} end
  return b:loop(b:length(sequence), nil, empty, function(body, round, _, ...)
    local inputs, collected = {}, {...}
    for i = 1, node.n do
      local input = node.inputs[i]
      inputs[i] = require "nnlua.program.core".is_sequence(input) and body:item(input, round) or input
    end
    local outputs = graph.body(node, fields, body, inputs)
    for i, y in ipairs(outputs) do collected[i] = body:insert(collected[i], y) end
    return nil, collected, {}
  end)
end

-- ----------------------------------------------------------- optional values

function flow.Optional(_, node, x)
  if not x then node:fail "an optional value that is absent is not taken" end
  return x
end

function flow.OptionalGetElement(_, node, x)
  node:want(1)
  return x
end

function flow.OptionalHasElement(b, node, x)
  return b:constant(nl.tensor(x ~= nil))
end

return flow
