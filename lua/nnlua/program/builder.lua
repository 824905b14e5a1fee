-- Builders of programs: step by step, as files are read.

local class = require "nnlua.class"
local core = require "nnlua.program.core"
local nn_core = require "nnlua.nn.core"

local raise = nn_core.raise

--- Makes a program step by step. A *value* stands for what will be there when the program runs: an input, a parameter,
--- a result. Rows are called by the names of the op table; arguments are as everywhere in Lua, counted from 1, with
--- values in the place of tensors.
---     > b = nl.program.builder()
---     > x, w = b:input "x", b:parameter("weight", nl.ones(1, 2))
---     > b:output("y", b:call("linear", {x, w, nl.none}))
---     > b:build()(nl.tensor {{3.0, 4.0}}):tolist()[1][1]
---     7.0
---@class Builder
local Builder = class.new "Builder"

--- `outer` is the builder that a body's is inside of.
---     > b = nl.program.builder()
---     > b:output("y", b:call("neg", {b:input "x"}))
---     > b:build()(nl.tensor {1, 2})
---     tensor([-1, -2])
function Builder:init(outer)
  self.core = core.new_builder(outer and outer.core)
  self.outer = outer
  self.slots = {}
end

--- What may be told of a value; files tell of some that they are optional.
local told = {dtype = true, shape = true, sequence = true, optional = true}

local function check_told(what, known)
  for key in pairs(known) do
    if not told[key] then raise(("%s: there is no option '%s'"):format(what, tostring(key))) end
  end
end

--- An input, and what is known of it: `dtype`; `shape`, a table of sizes, names of sizes ("N", the same everywhere it
--- stands) and false where a size isn't known; `sequence = true` for a list of tensors. Nothing need be known.
---     > b = nl.program.builder()
---     > x = b:input("x", {shape = {"N", 3}})
---     > b:output("y", b:call("sum", {x, dim = 2}))
---     > p = b:build()
---     > p.inputs[1].name, p.inputs[1].shape[1]
---     x	N
function Builder:input(name, known)
  known = known or {}
  if type(name) ~= "string" or type(known) ~= "table" then
    raise "input: a name is expected, and then a table such as {dtype = nl.float32, shape = {'N', 3}}"
  end
  check_told("input", known)
  return core.input(self.core, name, known.dtype, known.shape, known.sequence)
end

--- The value of a tensor that is a parameter or buffer of the program, under its name in state dicts.
local function add_slot(self, kind, name, tensor)
  if type(name) ~= "string" or name == "" then raise(kind .. ": a name is expected first") end
  if self.outer then raise(kind .. ": a body takes its parameters from the builder outside") end
  if kind == "parameter" and nn_core.is_tensor(tensor) and not nn_core.is_parameter(tensor) then
    tensor = nn_core.parameter(tensor)
  end
  local value = core.tensor(self.core, kind, name, tensor)
  table.insert(self.slots, {kind = kind, name = name, tensor = tensor})
  return value
end

--- A parameter, under its name in state dicts: "conv.weight".
---     > b = nl.program.builder()
---     > w = b:parameter("layer.weight", nl.ones(2, 2))
---     > b:output("y", b:call("mul", {w, 3}))
---     > b:build().layer.weight
---     Parameter containing:
---     tensor([[1., 1.],
---             [1., 1.]], requires_grad=True)
function Builder:parameter(name, tensor)
  return add_slot(self, "parameter", name, tensor)
end

--- A buffer: state that is no parameter.
---     > b = nl.program.builder()
---     > b:output("y", b:call("add", {b:input "x", b:buffer("shift", nl.tensor {10})}))
---     > b:build()(nl.tensor {1, 2})
---     tensor([11, 12])
function Builder:buffer(name, tensor)
  return add_slot(self, "buffer", name, tensor)
end

--- A constant: a tensor whose elements never change. Tensors among the arguments of a call are constants, too.
---     > b = nl.program.builder()
---     > b:output("y", b:call("mul", {b:input "x", b:constant(nl.tensor(3))}))
---     > b:build()(nl.tensor {1, 2})
---     tensor([3, 6])
function Builder:constant(tensor)
  return core.tensor(self.core, "constant", nil, tensor)
end

--- Names what the following steps are made from, such as a node of a file; errors then tell it. nil: nothing.
---     > b = nl.program.builder()
---     > b:at "node 7"
---     > b:output("y", b:call("sum", {b:input "x", 3}))
---     > done, why = pcall(b:build(), nl.ones(2)) -- has no dimension 3
---     > why:find "node 7" ~= nil
---     true
function Builder:at(name)
  core.at(self.core, name)
end

--- Calls a row by its name in the op table, those included that only other ops call. `arguments` has them in order and
--- by name; `nl.none` stands for an absent one. Gives the values of its results; of a row with a list of results one
--- value, a sequence (see item).
---     > b = nl.program.builder()
---     > x = b:input "x"
---     > values, positions = b:call("max_dim", {x, dim = 1})
---     > b:output("positions", positions)
---     > b:build()(nl.tensor {3, 9, 4})
---     tensor(2)
function Builder:call(row, arguments)
  return core.call(self.core, row, arguments)
end

--- The in-place form of a row, which changes its first tensor. Gives the value of that after the change.
---     > b = nl.program.builder()
---     > x = b:input "x"
---     > b:output("y", b:call_("add", {x, 1}))
---     > b:build()(nl.tensor {1, 2})
---     tensor([2, 3])
function Builder:call_(row, arguments)
  return core.call(self.core, row, arguments, true)
end

-- --------------------------------------------------------------- sequences

--- A sequence of the values of a list.
---     > b = nl.program.builder()
---     > x = b:input "x"
---     > list = b:sequence {x, b:call("neg", {x})}
---     > b:output("all", b:call("cat", {list}))
---     > b:build()(nl.tensor {1, 2})
---     tensor([ 1,  2, -1, -2])
function Builder:sequence(list)
  return core.sequence(self.core, list)
end

--- The tensor at a position of a sequence: a number from 1, or from the end, or a value, an integer tensor from 0.
---     > b = nl.program.builder()
---     > b:output("last", b:item(b:sequence {b:input "x", b:input "y"}, -1))
---     > b:build()(nl.tensor(1), nl.tensor(2))
---     tensor(2)
function Builder:item(sequence, position)
  return core.sequence_step(self.core, "item", sequence, position)
end

--- The sequence with one more tensor, at its end or before a position (a value, from 0).
---     > b = nl.program.builder()
---     > list = b:insert(b:sequence {b:input "x"}, b:input "y")
---     > b:output("all", b:call("cat", {list}))
---     > b:build()(nl.tensor {1}, nl.tensor {2})
---     tensor([1, 2])
function Builder:insert(sequence, tensor, position)
  return core.sequence_step(self.core, "insert", sequence, tensor, position)
end

--- The sequence without its last tensor, or without the one at a position (a value, from 0).
---     > b = nl.program.builder()
---     > list = b:erase(b:sequence {b:input "x", b:input "y"})
---     > b:output("all", b:call("cat", {list}))
---     > b:build()(nl.tensor {1}, nl.tensor {2})
---     tensor([1])
function Builder:erase(sequence, position)
  return core.sequence_step(self.core, "erase", sequence, position)
end

--- How many tensors a sequence has: the value of an int64 tensor.
---     > b = nl.program.builder()
---     > b:output("n", b:length(b:sequence {b:input "x", b:input "y"}))
---     > b:build()(nl.tensor {1}, nl.tensor {2})
---     tensor(2)
function Builder:length(sequence)
  return core.sequence_step(self.core, "length", sequence)
end

-- ----------------------------------------------------------- control flow

--- Runs a function on a builder for a body; what it returns are the body's outputs, from the first one on.
local function fill_body(body, outputs)
  for i = 1, outputs.n do core.output(body.core, nil, outputs[i]) end
  return outputs.n
end

--- A branch: `yes(body)` and `no(body)` each build what runs if the condition is true, or not, and return as many
--- values. They may use all values from outside.
---     > b = nl.program.builder()
---     > x = b:input "x"
---     > y = b:branch(b:call("gt", {b:call("sum", {x}), 0}), function(body) return body:call("mul", {x, 2}) end,
---     >>   function(body) return x end)
---     > b:output("y", y)
---     > p = b:build()
---     > p(nl.tensor {1, 2}), p(nl.tensor {-1, -2})
---     tensor([2, 4])	tensor([-1, -2])
function Builder:branch(condition, yes, no)
  local bodies, counts = {Builder(self), Builder(self)}, {}
  for i, f in ipairs {yes, no} do
    counts[i] = fill_body(bodies[i], table.pack(f(bodies[i])))
  end
  if counts[1] ~= counts[2] then
    raise(("branch: one body gives %d values, the other %d"):format(counts[1], counts[2]))
  end
  return core.branch(self.core, condition, bodies[1].core, bodies[2].core, counts[1])
end

--- A loop, for as many rounds as the value `rounds` says (nil: without end), as long as the value `condition` and then
--- what the body says is true (nil: always). `f(body, round, condition, …)` builds the body: it gets the number of the
--- round (from 0), the condition, and a value for each of the list `carried`; it returns whether to go on (a value, or
--- nil), a list of the carried values for the next round, and a list of values to gather. Gives the carried values, and
--- then what was gathered, the rounds along a new first dimension.
---     > b = nl.program.builder()
---     > n = b:input "n"
---     > sum, all = b:loop(n, nil, {nl.tensor(0)}, function(body, round, _, sum)
---     >>   local next_sum = body:call("add", {sum, round})
---     >>   return nil, {next_sum}, {next_sum}
---     >> end)
---     > b:output("sum", sum)
---     > b:output("all", all)
---     > b:build()(nl.tensor(4))
---     tensor(6)	tensor([0, 1, 3, 6])
function Builder:loop(rounds, condition, carried, f)
  local body, inputs = Builder(self), {}
  local round, goes_on = core.input(body.core, "round"), core.input(body.core, "condition")
  for i = 1, #carried do
    inputs[i] = core.input(body.core, "carried " .. i, nil, nil, core.is_sequence(carried[i]))
  end
  local next_condition, next_carried, gathered = f(body, round, goes_on, table.unpack(inputs, 1, #carried))
  gathered = gathered or {}
  if type(next_carried) ~= "table" or type(gathered) ~= "table" or #next_carried ~= #carried then
    raise(("loop: the body returns whether to go on, a list of %d carried values, a list of what is gathered"):format(
      #carried))
  end
  local outputs = {next_condition, n = 1}
  for _, list in ipairs {next_carried, gathered} do
    for _, value in ipairs(list) do
      outputs.n = outputs.n + 1
      outputs[outputs.n] = value
    end
  end
  fill_body(body, outputs)
  return core.loop(self.core, rounds, condition, carried, body.core, outputs.n - 1)
end

-- ------------------------------------------------------------------ the end

--- Makes a value one of the program's outputs. What is known of it may be told, as of an input: `{dtype =, shape =}`.
function Builder:output(name, value, known)
  known = known or {}
  if type(name) ~= "string" or type(known) ~= "table" then
    raise "output: a name is expected, then a value, and then a table such as {dtype = nl.float32, shape = {'N', 3}}"
  end
  check_told("output", known)
  core.output(self.core, name, value, known.dtype, known.shape)
end

--- The program. The builder is done then.
---@return Program
function Builder:build()
  if self.outer then raise "build: a body is built by the branch or loop that it is of" end
  local tensors = {}
  for i, slot in ipairs(self.slots) do tensors[i] = slot.tensor end
  return require "nnlua.program.module" {data = core.build(self.core, tensors), slots = self.slots}
end

return Builder
