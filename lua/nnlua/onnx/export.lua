-- nl.onnx.export: a program as a file of ONNX.

local Exporter = require "nnlua.onnx.exporter"
local Program = require "nnlua.program.module"
local args = require "nnlua.args"
local check_writes = require "nnlua.onnx.writes"
local claims = require "nnlua.onnx.claims"
local complex_rows = require "nnlua.onnx.rows.complex"
local core = require "nnlua.program.core"
local nl = require "nnlua"
local nn_core = require "nnlua.nn.core"
local opened = require "nnlua.onnx.opened"
local own = require "nnlua.onnx.own_domain"
local rows = require "nnlua.onnx.rows"
local types = require "nnlua.onnx.types"
local writer = require "nnlua.onnx.writer"

local raise = nn_core.raise

local OPSET, IR_VERSION = 20, 9

-- ---------------------------------------------------------------- arguments

--- What a row's function sees of a step: its arguments by name, tensors as names in the graph (false: absent), lists as
--- lists of names, all else as in Lua; and `at`, the number of each value.
local function arguments_of(e, step)
  local bound, seen = {}, {}
  local a = {at = {}, step = step, seen = seen}
  a.bound = setmetatable({}, {__index = function(_, name)
    seen[name] = true
    return bound[name]
  end})
  for i, argument in ipairs(step.arguments) do
    local name = argument.name
    if argument.values then
      a[name] = {}
      a.at[name] = argument.values
      for k, id in ipairs(argument.values) do a[name][k] = id and e.names[id] end
    elseif argument.value ~= nil then
      a[name], a.at[name] = argument.value and e.names[argument.value], argument.value
    else
      a[name] = argument.constant
    end
    for _, binding in ipairs(step.bindings) do
      if binding.argument == i then
        bound[name] = bound[name] or {}
        bound[name][binding.element or 0] = binding.size
      end
    end
  end
  return a
end

-- -------------------------------------------------------------------- steps

local add_steps, name_tensors, express_opened

--- Names a step's results; as pairs, its complex ones are pairs.
local function bind_results(e, step, results, as_pairs)
  for i, id in ipairs(step.results) do
    e.names[id] = results[i]
    e.pairs[id] = as_pairs and e:is_complex(id) or nil
  end
end

--- Whether a step has complex numbers, which ONNX's operators take as pairs alone; and whether all that it reads are
--- pairs in the graph.
local function is_complex(e, step)
  local complex, paired = false, true
  for _, list in ipairs {step.operands, step.results} do
    for _, id in ipairs(list) do
      if e:is_complex(id) then
        complex = true
        if list == step.operands then paired = paired and e.pairs[id] end
      end
    end
  end
  return complex, paired
end

--- Whether a row's function looked at all that follows from sizes: what it didn't it took for constants.
local function saw_bindings(a, step)
  for _, binding in ipairs(step.bindings) do
    if not a.seen[step.arguments[binding.argument].name] then return false end
  end
  return true
end

--- The results of what a row's function makes of it, or nil.
local function express_alone(e, step, row)
  local a, mark, nodes = arguments_of(e, step), e:mark(), #e.nodes
  local results = table.pack(row(e, a, step))
  if results[1] == nil or saw_bindings(a, step) then return results end
  e:forget(mark)
  for i = #e.nodes, nodes + 1, -1 do e.nodes[i] = nil end
  if e.root == e then e.symbols = nil end -- their nodes may have been among these
end

--- A row as nodes of ONNX's own: those that its function makes of it, or of what it is composed of. Gives whether there
--- are any.
local function express(e, step)
  local complex, paired = is_complex(e, step)
  local row = not complex and rows[step.row] or complex and paired and complex_rows[step.row]
  local results = row and express_alone(e, step, row)
  if not results or results[1] == nil then results = express_opened(e, step) end
  if results then bind_results(e, step, results, true) end
  return results ~= nil
end

--- The same of a composed row, from the rows that it calls: all of them, or none.
function express_opened(e, step)
  local contents, ids = opened.contents(e, step)
  if not contents or not pcall(check_writes, contents) then return nil end
  local inner, mark, results = Exporter(contents, e.options, e), e:mark(), {}
  for i, id in ipairs(contents.inputs) do inner.names[id], inner.pairs[id] = e.names[ids[i]], e.pairs[ids[i]] end
  name_tensors(inner)
  for _, called in ipairs(contents.steps) do
    if called.kind ~= "row" or not express(inner, called) then
      e:forget(mark)
      return nil
    end
  end
  for i, output in ipairs(contents.outputs) do
    if inner:is_complex(output.value) and not inner.pairs[output.value] then
      e:forget(mark)
      return nil
    end
    results[i] = inner.names[output.value]
  end
  table.move(inner.nodes, 1, #inner.nodes, #e.nodes + 1, e.nodes)
  return results
end

--- A row: nodes of ONNX's own, or one of our domain.
local function add_row(e, step)
  if express(e, step) then return end
  if e.options.strict then
    raise(("onnx.export: ONNX has nothing for the row '%s'%s"):format(step.row,
      step.node and " of node " .. step.node or ""))
  end
  bind_results(e, step, table.pack(own.write(e, step)))
end

--- What the first two inputs of a loop's body are: the round and the condition.
local of_loops <const> = {{dtype = nl.int64, shape = {}}, {dtype = nl.bool, shape = {}}}

--- The graph of a body; values from outside keep their names there. `inputs` are the names of those that it declares.
local function body_graph(e, body, inputs)
  local inner = Exporter(body, e.options, e)
  local infos, outputs = {}, {}
  for i, id in ipairs(body.inputs) do
    local given = inputs and i > #inputs and body.given[i - 2] or not inputs and body.given[i]
    if given then
      inner.names[id] = e:plain(given)
    else
      inner.names[id] = inner:fresh(inputs[i])
      table.insert(infos, types.value_info(inner.names[id], of_loops[i] or body.values[id]))
    end
  end
  add_steps(inner)
  for _, output in ipairs(body.outputs) do
    local name = output.value and inner:plain(output.value) or inner.names[body.inputs[2]]
    local copy = inner:add("Identity", {name})
    table.insert(outputs, types.value_info(copy, output.value and body.values[output.value] or nil))
  end
  return {graph = inner:graph(infos, outputs)}
end

local function names_of(e, ids)
  local names = {}
  for i, id in ipairs(ids) do names[i] = id and e:plain(id) or false end
  return names
end

local steps = {}

steps["if"] = function(e, step)
  return e:add("If", names_of(e, step.operands), {
    then_branch = body_graph(e, step.bodies[1]), else_branch = body_graph(e, step.bodies[2]),
  }, #step.results)
end

function steps.loop(e, step)
  local body, inputs = step.bodies[1], {"round", "condition"}
  for i = 1, step.carried do inputs[i + 2] = "carried" .. i end
  local names = names_of(e, step.operands)
  for i = 1, step.carried do names[i + 2] = e:plain(body.given[i]) end
  return e:add("Loop", names, {body = body_graph(e, body, inputs)}, #step.results)
end

function steps.sequence(e, step)
  if #step.operands == 0 then return e:add("SequenceEmpty", {}) end
  return e:add("SequenceConstruct", names_of(e, step.operands))
end

function steps.item(e, step)
  local parts = e.parts[step.operands[1]]
  if parts then return parts[step.position < 0 and #parts + 1 + step.position or step.position + 1] end
  local names = names_of(e, step.operands)
  return e:add("SequenceAt", {names[1], names[2] or e:ints(step.position)})
end

function steps.insert(e, step) return e:add("SequenceInsert", names_of(e, step.operands)) end
function steps.erase(e, step) return e:add("SequenceErase", names_of(e, step.operands)) end
function steps.length(e, step) return e:add("SequenceLength", names_of(e, step.operands)) end

--- The names of values that are there before the first step: parameters, buffers and constants.
function name_tensors(e)
  for id, value in ipairs(e.contents.values) do
    if value.tensor and not e.names[id] then
      local is_small = value.kind == "constant" and value.tensor:numel() <= 64
      e.names[id] = is_small and e:constant(value.tensor) or e:initializer(value.tensor, value.name)
    end
  end
end

function add_steps(e)
  check_writes(e.contents)
  name_tensors(e)
  for _, step in ipairs(e.contents.steps) do
    if step.kind == "row" then
      add_row(e, step)
    else
      local results = table.pack(steps[step.kind](e, step))
      for i, id in ipairs(step.results) do e.names[id] = results[i] end
    end
  end
end

--- Copies of the outputs, which have the program's names for them.
local function name_outputs(e)
  local infos = {}
  for i, output in ipairs(e.contents.outputs) do
    local id = output.value
    if not id then raise(("onnx.export: output %d is absent"):format(i)) end
    local source, name = e:plain(id), e:fresh(output.name or "output")
    table.insert(e.nodes, {
      op_type = "Identity", name = e:fresh "Identity", input = {source}, output = {name}, attribute = {},
    })
    infos[i] = types.value_info(name, e.contents.values[id])
  end
  return infos
end

--- What a program tells of itself besides, by name, as the file has it.
local function metadata_of(program)
  local keys, entries = {}, {}
  for key in pairs(program.metadata or {}) do table.insert(keys, key) end
  table.sort(keys)
  for i, key in ipairs(keys) do
    entries[i] = writer.message("entry", {key = key, value = tostring(program.metadata[key])})
  end
  return entries
end

--- The ModelProto of a program.
local function model_of(program, options)
  local e = Exporter(claims.checked_contents(program.data), options)
  local inputs = {}
  for i, id in ipairs(e.contents.inputs) do
    local value = e.contents.values[id]
    e.names[id] = e:fresh(value.name)
    inputs[i] = types.value_info(e.names[id], value)
  end
  add_steps(e)
  local outputs = name_outputs(e)
  local opsets = {writer.message("opset", {domain = "", version = math.max(OPSET, e.shared.opset)})}
  if e.shared.own then table.insert(opsets, writer.message("opset", {domain = "nnlua", version = 1})) end
  return writer.message("model", {
    ir_version = IR_VERSION, producer_name = "nnlua", graph = e:graph(inputs, outputs), opset_import = opsets,
    metadata_props = metadata_of(program),
  })
end

-- --------------------------------------------------------------------- file

local parse = args.parser("onnx.export", {
  {"program", "any"}, {"path", "any"}, {"strict", "boolean", false},
})

--- Writes the texts of a message to a path, or to what has a method write.
local function write(message, path)
  if type(path) ~= "string" then
    for _, text in ipairs(message) do path:write(text) end
    return
  end
  local file, problem = io.open(path, "wb")
  if not file then raise(("onnx.export: %s: it can't be written: %s"):format(path, problem)) end
  for _, text in ipairs(message) do file:write(text) end
  if not file:close() then raise(("onnx.export: %s: it can't be written"):format(path)) end
end

--- Writes a program, traced from a network or loaded, to a file of ONNX (or to what has a method write), which ONNX
--- Runtime runs and nl.onnx.load reads back. Positions that enter or leave the program count from 1 as before: the
--- file adds and subtracts 1 where they do. A row that ONNX has nothing for is written as a node of the domain
--- "nnlua", which only nl.onnx.load knows; strict = true refuses it by its name. `program.metadata`, a table of texts
--- by name, is written too.
---     > net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
---     > x = nl.randn(1, 2)
---     > path = os.tmpname()
---     > nl.onnx.export(nl.program.trace(net, x), path)
---     > nl.allclose(nl.onnx.load(path)(x), net(x))
---     true
---@param program Program
---@param path string|table
---@param strict? boolean
local function export(...)
  local program, path, strict = parse(...)
  if not nn_core.is_module(program) or not program:is_a(Program) then
    raise "onnx.export: a program is expected first: nl.program.trace makes one of a network and examples of its inputs"
  end
  local can_write = type(path) == "string" or (type(path) == "table" or io.type(path) == "file") and path.write
  if not can_write then raise "onnx.export: a path, or an open file or buffer, is expected" end
  write(model_of(program, {strict = strict}), path)
end

return {export = export}
