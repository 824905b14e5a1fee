-- nl.onnx.load: a program from a file of ONNX.

local Builder = require "nnlua.program.builder"
local File = require "nnlua.onnx.file"
local args = require "nnlua.args"
local graph = require "nnlua.onnx.graph"
local nn_core = require "nnlua.nn.core"
local system = require "nnlua.system"

local parse = args.parser("onnx.load", {{"path", "any"}})

--- The file of a path, which is mapped, or of what has a method read.
local function open(path)
  local reads = type(path) == "table" and path.read or io.type(path) == "file" and path.read
  if type(path) == "string" then return File(system.open_source(path, true), path, path:match "^.*/" or "./") end
  if not reads then nn_core.raise "onnx.load: a path, or an open file or buffer, is expected" end
  local text = path:read "a"
  if type(text) ~= "string" then nn_core.raise "onnx.load: the buffer's method read gave no string" end
  return File(system.text_source(text, "the buffer"), "the buffer")
end

--- Where the functions of a model stand, by domain, name and overload.
local function functions_of(file, list)
  local functions = {}
  for fields, from, to in file:each("func", list) do
    local domain = fields.domain or ""
    local key = (domain == "ai.onnx" and "" or domain) .. ":" .. (fields.name or "")
    functions[key .. ":" .. (fields.overload or "")] = {from, to}
  end
  return functions
end

--- What a file tells of itself besides: texts by name.
local function metadata_of(file, list)
  local metadata = {}
  for fields in file:each("entry", list) do metadata[fields.key or ""] = fields.value or "" end
  return metadata
end

--- Reads a network from a file of ONNX, or from what has a method read, as a program: a module that is called with the
--- inputs in the graph's order, or with one table of them by name, and gives the outputs in order. What the file says
--- is computed as it says it: positions inside the program and at its borders count from 0. Its weights are parameters
--- that want no gradients until `program:requires_grad_()`. A file's tensors are left where they lie in it, on pages
--- that are read when they are first touched. An operator that isn't there is an error that names it and its node.
--- What the file tells besides (names of classes, say) is in the program's field metadata: texts by name.
---     > path = os.tmpname()
---     > nl.onnx.export(nl.program.trace(nn.Linear(3, 2), nl.ones(1, 3)), path)
---     > net = nl.onnx.load(path)
---     > net.inputs[1].name, table.concat(net.inputs[1].shape, "x"), net(nl.ones(1, 3)).shape
---     input	1x3	[1, 2]
---     > os.remove(path);
---@param path string|table
---@return Program
local function load(...)
  local file = open(parse(...))
  local fields = file:message("model", 0, file.size)
  local graph_fields = file:one("graph", fields.graph)
  if not graph_fields then file:fail "it holds no graph: it is no file of ONNX" end
  local model = {functions = functions_of(file, fields.functions), steps = 0, initializers = {}}
  local builder = Builder()
  graph.add(file, model, builder, graph.opsets(file, fields.opset_import), graph_fields)
  local program = builder:build()
  program.metadata = metadata_of(file, fields.metadata_props)
  return program
end

return {load = load}
