-- Graphs of ONNX as steps of a builder: names are bound to values, nodes become what their operators' entries say.

local Node = require "nnlua.onnx.node"
local in_bytes = require "nnlua.onnx.in_bytes"
local nn_core = require "nnlua.nn.core"
local system = require "nnlua.system"

local graph = {}

local most_depth = 64 -- of graphs and functions in each other
local most_dims = 16 -- of a tensor
local most_inputs = 100000 -- of a node: they are the arguments of one call, which Lua has less than a million of

-- -------------------------------------------------------------------- scopes

--- A scope within another: names of values, and what is known of their data types. In a body of a branch or loop it
--- has the body's builder.
local function inner(scope, builder)
  local depth = scope.depth + 1
  if depth > most_depth then scope.file:fail("graphs and functions lie more than %d deep in each other", most_depth) end
  return {
    file = scope.file, model = scope.model, builder = builder or scope.builder, opsets = scope.opsets,
    attributes = scope.attributes, depth = depth,
    values = setmetatable({}, {__index = scope.values}), types = setmetatable({}, {__index = scope.types}),
  }
end

--- A function's scope, which sees nothing of the one that it is called in.
local function apart(scope, opsets, attributes)
  local made = inner(scope)
  made.values, made.types, made.opsets, made.attributes = {}, {}, opsets, attributes
  return made
end

--- The value of a name.
local function value_of(scope, name, node)
  local value = scope.values[name]
  if value == nil then node:fail("its input '%s' is made by no node", name) end
  return value
end

-- ------------------------------------------------------------------- opsets

--- The versions of operator sets that a model or function imports, by domain.
function graph.opsets(file, list)
  local opsets = {}
  for opset in file:each("opset", list) do
    local domain = opset.domain or ""
    opsets[domain == "ai.onnx" and "" or domain] = opset.version or 1
  end
  return opsets
end

-- -------------------------------------------------------------------- nodes

local operators -- of each domain, loaded when first needed

local function operator_of(domain, op)
  operators = operators or require "nnlua.onnx.operators"
  local of_domain = operators[domain]
  return of_domain and of_domain[op]
end

--- Binds what a node gives to the names of its outputs.
local function bind_outputs(scope, names, results)
  local values = scope.values
  for i = 1, #names do
    if names[i] ~= "" then values[names[i]] = results[i] or nn_core.none end
  end
end

--- A call of one of the model's functions: its nodes, with its inputs bound.
local function call_function(scope, node, fields)
  local file = scope.file
  local given = setmetatable({}, {__index = node.attributes})
  for attribute in file:each("attribute", fields.attribute_proto) do
    local name = attribute.name or ""
    if node.attributes[name] == nil then given[name] = attribute end
  end
  local made = apart(scope, graph.opsets(file, fields.opset_import), given)
  for i, name in ipairs(fields.input or {}) do made.values[name] = node.inputs[i] or nn_core.none end
  graph.add_nodes(made, fields.node)
  local results = {}
  for i, name in ipairs(fields.output or {}) do results[i] = value_of(made, name, node) end
  bind_outputs(scope, node.output, results)
end

--- Binds a node's inputs to their values.
local function bind_inputs(scope, node)
  if node.n > most_inputs then node:fail("it has %d inputs, more than %d", node.n, most_inputs) end
  local names, inputs = node.input, node.inputs
  for i = 1, node.n do
    if names[i] ~= "" then
      local value = value_of(scope, names[i], node)
      if value ~= nn_core.none then inputs[i] = value end
    end
  end
end

--- The function of the model that a node calls, if it does.
local function function_of(model, node)
  if not next(model.functions) then return nil end
  return model.functions[node.domain .. ":" .. node.op_type .. ":" .. (node.overload or "")]
end

--- One node.
local function add_node(scope, fields)
  local file, model, builder = scope.file, scope.model, scope.builder
  local node = Node.of(fields, scope)
  model.steps = model.steps + 1
  if model.steps > file.size then node:fail "its functions make more nodes than the file has bytes" end
  bind_inputs(scope, node)
  local called = function_of(model, node)
  if called then return call_function(scope, node, file:message("func", called[1], called[2])) end
  local entry = operator_of(node.domain, node.op_type)
  if not entry then
    node:fail("the operator %s is not there (docs/onnx.md has a list of those that are)",
      node.domain == "" and node.op_type or node.domain .. "." .. node.op_type)
  end
  builder:at(node.name)
  bind_outputs(scope, node.output, {entry(builder, node, table.unpack(node.inputs, 1, node.n))})
end

--- The first input of a node that isn't there yet, looking on from where it was looked last time.
local function missing_input(scope, fields)
  local names = fields.input
  for i = fields.looked_at or 1, names and #names or 0 do
    if names[i] ~= "" and not in_bytes.has(scope, names[i]) then
      fields.looked_at = i
      return names[i]
    end
  end
end

--- Adds a node, and then those that have waited for what it gives; one that lacks an input waits, in lists by its name.
local function add_or_wait(scope, waiting, fields)
  local ready = {fields}
  while ready[1] do
    local one = table.remove(ready)
    local missing = missing_input(scope, one)
    if missing then
      waiting[missing] = waiting[missing] or {}
      table.insert(waiting[missing], one)
    else
      local node = in_bytes.node_for(scope, one, add_node)
      if node then add_node(scope, node) end
      for _, name in ipairs(next(waiting) and one.output or {}) do
        for _, other in ipairs(waiting[name] or {}) do table.insert(ready, other) end
        waiting[name] = nil
      end
    end
  end
end

--- The nodes of a graph or function, in order. ONNX Runtime takes those too that stand before what they need, as its
--- converter to float16 writes them.
function graph.add_nodes(scope, list)
  local waiting = {}
  for fields in scope.file:each("node", list, Node.room) do add_or_wait(scope, waiting, fields) end
  local _, lost = next(waiting)
  if lost then
    in_bytes.bring(scope, lost[1].input, add_node)
    add_node(scope, lost[1]) -- names what is missing
  end
end

-- ------------------------------------------------------------- initializers

--- A parameter of the program from an initializer, by its name.
function graph.parameter(builder, name, tensor)
  local path = #name > 1000 and name:sub(1, 1000) or name
  if select(2, path:gsub("%.", "")) > most_depth then path = path:gsub("%.", "_") end
  return builder:parameter(path, nn_core.parameter(tensor, false))
end

--- Floats with dimensions are parameters of the program; whole numbers, and numbers alone, are constants.
local function initializer_value(scope, name, tensor)
  if scope.depth > 1 then return scope.builder:constant(tensor) end
  local is_parameter = tensor.ndim > 0 and tensor:is_floating_point()
  local value = is_parameter and graph.parameter(scope.builder, name, tensor) or scope.builder:constant(tensor)
  scope.model.initializers[value] = {name = name, tensor = tensor}
  return value
end

local function add_initializers(scope, fields)
  local file = scope.file
  local function add(tensor, name, data_type)
    if name == "" then file:fail "an initializer has no name" end
    scope.values[name], scope.types[name] = initializer_value(scope, name, tensor), data_type
  end
  for i = 1, #(fields.initializer or {}), 2 do
    add(file:tensor(fields.initializer[i], fields.initializer[i + 1]))
  end
  for i = 1, #(fields.sparse_initializer or {}), 2 do
    add(file:sparse(fields.sparse_initializer[i], fields.sparse_initializer[i + 1]))
  end
end

-- -------------------------------------------------------------------- inputs

--- The sizes of a TensorShapeProto: integers, names, and false for what isn't known.
local function shape_of(file, list)
  local fields = file:one("shape", list)
  if not fields then return nil end
  local shape = {}
  for dimension in file:each("dimension", fields.dim) do
    local size, name = dimension.dim_value, dimension.dim_param
    if size and size >= 0 then
      table.insert(shape, size)
    else
      -- a name stands for one size; what exporters write for sizes that they don't know ("?") is none
      table.insert(shape, name and name:find "^[%a_]" and name or false)
    end
  end
  return shape
end

--- What is known of a value from its TypeProto: {dtype =, shape =, sequence =, optional =}, and its data type.
local function type_of(file, list, depth)
  local fields = file:one("type", list) or {}
  depth = depth or 0
  if depth > most_depth then file:fail "types lie too deep in each other" end
  local optional = file:one("sequence_type", fields.optional_type)
  local sequence = file:one("sequence_type", fields.sequence_type)
  if optional then
    local known, data_type = type_of(file, optional.elem_type, depth + 1)
    known.optional = true
    return known, data_type
  elseif sequence then
    return {sequence = true}
  end
  local tensor = file:one("tensor_type", fields.tensor_type)
  if not tensor then return {} end
  local data_type = tensor.elem_type or 0
  local _, dtype = system.wire_type(data_type)
  return {dtype = dtype, shape = shape_of(file, tensor.shape)}, data_type
end

--- Declares a graph's inputs; those that initializers give a value aren't asked for.
local function add_inputs(scope, fields)
  local file = scope.file
  for input in file:each("value_info", fields.input) do
    local name = input.name or ""
    if rawget(scope.values, name) == nil then
      local known, data_type = type_of(file, input.type)
      scope.values[name], scope.types[name] = scope.builder:input(name, known), data_type
    end
  end
end

--- What is said of an output, without a shape that no tensor can have.
local function output_type(file, list)
  local known = type_of(file, list)
  local elements = 1.0
  for _, size in ipairs(known.shape or {}) do
    if math.type(size) == "integer" and size > 0 then elements = elements * size end
  end
  if elements >= 0x1p63 or #(known.shape or {}) > most_dims then known.shape = nil end
  return known
end

local function add_outputs(scope, fields)
  local file = scope.file
  for output in file:each("value_info", fields.output) do
    local name = output.name or ""
    in_bytes.bring(scope, {name}, add_node)
    local value = scope.values[name]
    if value == nil or value == nn_core.none then file:fail("the output '%s' is made by no node", name) end
    scope.builder:output(name, value, output_type(file, output.type))
  end
end

--- All of a model's graph.
function graph.add(file, model, builder, opsets, fields)
  local scope = {
    file = file, model = model, builder = builder, opsets = opsets, depth = 1, values = {}, types = {}, aside = {},
  }
  add_initializers(scope, fields)
  add_inputs(scope, fields)
  graph.add_nodes(scope, fields.node)
  add_outputs(scope, fields)
end

--- The graph of an attribute of a node, as steps of a body: its inputs are these values, its outputs are given as a
--- list.
function graph.body(node, fields, builder, inputs)
  local file, scope = node.file, inner(node.scope, builder)
  add_initializers(scope, fields)
  local i = 0
  for input in file:each("value_info", fields.input) do
    i = i + 1
    if inputs[i] == nil then node:fail "its graph wants more inputs than there are" end
    scope.values[input.name or ""] = inputs[i]
  end
  graph.add_nodes(scope, fields.node)
  local outputs = {}
  for output in file:each("value_info", fields.output) do
    table.insert(outputs, value_of(scope, output.name or "", node))
  end
  return outputs
end

return graph
