-- Rows that are composed of others, as the steps that they come to: a trace of what one calls.

local Builder = require "nnlua.program.builder"
local core = require "nnlua.program.core"
local nl = require "nnlua"
local nn_core = require "nnlua.nn.core"

local opened = {}

--- Elements to run a row on: such that losses of probabilities, positions and variances take them.
local function example(value)
  for _, size in ipairs(value.shape or {"?"}) do
    if math.type(size) ~= "integer" then return nil end
  end
  if not value.dtype or value.is_sequence then return nil end
  local is_real = value.dtype.is_floating_point or value.dtype.is_complex
  return nl.full(value.shape, is_real and 0.5 or 1, {dtype = value.dtype})
end

--- A program of a step's row alone, examples of its inputs, and the numbers of their values; nil if there are none.
local function alone(e, step)
  local b, arguments, examples, ids = Builder(), {}, {}, {}
  local function input(id, takes_numbers)
    local value = id and e.contents.values[id]
    if not value then return nn_core.none end
    if value.is_number and takes_numbers then return value.tensor:item() end
    local x = value.tensor or example(value)
    if not x then return nil end
    table.insert(examples, x:detach())
    table.insert(ids, id)
    return b:input("x" .. #ids, {dtype = x.dtype, shape = x.shape:totable()})
  end
  for _, argument in ipairs(step.arguments) do
    local name = argument.name
    if argument.values then
      arguments[name] = {}
      for i, id in ipairs(argument.values) do
        arguments[name][i] = input(id)
        if arguments[name][i] == nil then return nil end
      end
    elseif argument.value ~= nil then
      arguments[name] = input(argument.value, argument.kind == "operand")
      if arguments[name] == nil then return nil end
    elseif argument.constant ~= nil then
      arguments[name] = argument.constant
    else
      arguments[name] = nn_core.none
    end
  end
  local results = table.pack(b:call(step.row, arguments))
  if core.is_sequence(results[1]) then
    local list = results[1]
    for i = 1, #step.results do results[i] = b:item(list, i) end
  end
  for i = 1, #step.results do b:output("y" .. i, results[i]) end
  return b:build(), examples, ids
end

--- Leaves out steps that nobody reads the results of, such as those of checks.
local function without_dead(contents)
  local read, steps = {}, {}
  for _, output in ipairs(contents.outputs) do read[output.value] = true end
  for i = #contents.steps, 1, -1 do
    local step, lives = contents.steps[i], contents.steps[i].in_place
    for _, id in ipairs(step.results) do lives = lives or read[id] end
    if lives then
      table.insert(steps, 1, step)
      for _, id in ipairs(step.operands) do read[id] = true end
    end
  end
  contents.steps = steps
  return contents
end

--- What a step's row comes to: the contents of a program, and for each of its inputs the number of the value that it
--- is; nil if the row isn't composed, or its way depends on elements or on sizes that aren't known.
function opened.contents(e, step)
  if #step.bindings > 0 or step.in_place or e.contents.values[step.results[1]].is_sequence then return nil end
  local program, examples, ids = alone(e, step)
  if not program then return nil end
  local trace = core.trace_open()
  for i, x in ipairs(examples) do core.trace_border(trace, "input", "x" .. i, x) end
  local function record()
    local outputs = table.pack(core.run(program.data, table.unpack(examples)))
    core.trace_end(trace)
    for i = 1, outputs.n do core.trace_border(trace, "output", "y" .. i, outputs[i]) end
  end
  local _ <close> = nl.no_grad()
  local drawn = nl.get_rng_state()
  if not core.trace_begin(trace, step.row) then return nil end
  local well = pcall(record) -- the row may want elements that are no examples
  core.trace_end(trace)
  nl.set_rng_state(drawn)
  if not well then return nil end
  return without_dead(core.contents(core.trace_finish(trace, {}))), ids
end

return opened
