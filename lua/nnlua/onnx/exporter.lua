-- A program's steps as nodes of ONNX's graphs: names of values, constants, casts.

local class = require "nnlua.class"
local nl = require "nnlua"
local nn_core = require "nnlua.nn.core"
local types = require "nnlua.onnx.types"
local writer = require "nnlua.onnx.writer"

local raise = nn_core.raise

--- What the functions of rows get. `contents` are the program's; one for a body has the one outside as `outer`.
local Exporter = class.new "OnnxExporter"

function Exporter:init(contents, options, outer)
  self.contents, self.options, self.outer = contents, options, outer
  self.names = {}
  self.pairs = {} -- complex values that are pairs of real numbers in the graph
  self.parts = {} -- the names of a sequence's tensors, of sequences that stand in the graph as these
  self.sums = {} -- values of a program read from a file that are known to be int32
  self.nodes, self.initializers = {}, {}
  self.shared = outer and outer.shared or {taken = {}, count = 0, constants = {}, own = false, opset = 0}
  self.root = outer and outer.root or self
end

--- A name that no value has yet.
function Exporter:fresh(stem)
  local taken, name = self.shared.taken, stem
  if not stem or stem == "" then stem = "v" end
  while not name or name == "" or taken[name] do
    self.shared.count = self.shared.count + 1
    name = stem .. "_" .. self.shared.count
  end
  taken[name] = true
  return name
end

--- Says that the file wants an operator set, or a later one.
function Exporter:since(opset) self.shared.opset = math.max(self.shared.opset, opset) end

-- -------------------------------------------------------------------- nodes

--- An AttributeProto of a Lua value: {i =} and the like say what is meant; numbers, texts and lists of whole numbers
--- are taken as they are.
local function attribute(name, value)
  local fields = {name = name}
  if math.type(value) == "integer" then
    fields.i, fields.type = value, 2
  elseif type(value) == "number" then
    fields.f, fields.type = value, 1
  elseif type(value) == "boolean" then
    fields.i, fields.type = value and 1 or 0, 2
  elseif type(value) == "string" then
    fields.s, fields.type = value, 3
  elseif nn_core.is_tensor(value) then
    fields.t, fields.type = types.tensor("", value), 4
  elseif value.graph then
    fields.g, fields.type = value.graph, 5
  elseif value.floats then
    fields.floats, fields.type = value.floats, 6
  elseif value.texts then
    fields.strings, fields.type = value.texts, 8
  else
    fields.ints, fields.type = value, 7
  end
  return writer.message("attribute", fields)
end

--- Adds a node; `inputs` are names, false where one is absent; `attributes` a table by name, or nil; gives the names of
--- its n outputs (1).
function Exporter:add(op, inputs, attributes, n, domain)
  local given, outputs, names = {}, {}, {}
  for i, name in ipairs(inputs) do given[i] = name or "" end
  while given[#given] == "" do given[#given] = nil end
  for i = 1, n or 1 do
    outputs[i] = self:fresh(op:lower():sub(1, 12))
  end
  local fields = {op_type = op, input = given, output = outputs, attribute = {}, domain = domain}
  for name in pairs(attributes or {}) do table.insert(names, name) end
  table.sort(names)
  for _, name in ipairs(names) do table.insert(fields.attribute, attribute(name, attributes[name])) end
  fields.name = self:fresh(op)
  table.insert(self.nodes, fields)
  return table.unpack(outputs)
end

--- Whether a value is complex.
function Exporter:is_complex(id)
  local dtype = id and self.contents.values[id].dtype
  return dtype and dtype.is_complex or false
end

--- The name of a value as it is in the program: pairs as complex numbers, by a node of our own domain.
function Exporter:plain(id)
  if not self.pairs[id] then return self.names[id] end
  if self.options.strict then raise "onnx.export: ONNX has no complex numbers: give them by view_as_real" end
  self.shared.own = true
  return (self:add("view_as_complex", {self.names[id]}, {_tensors = {texts = {"input"}}}, 1, "nnlua"))
end

--- Whether steps do nothing with a sequence but take tensors out at places that are known.
local function is_taken_apart(contents, id)
  for _, output in ipairs(contents.outputs) do
    if output.value == id then return false end
  end
  for _, step in ipairs(contents.steps) do
    local is_item = step.kind == "item" and step.position and not step.operands[2]
    for _, operand in ipairs(step.operands) do
      if operand == id and not is_item then return false end
    end
    for _, body in ipairs(step.bodies or {}) do
      for _, given in pairs(body.given) do
        if given == id then return false end
      end
    end
  end
  return true
end

--- What a step that gives a list gives, of the names of its tensors.
function Exporter:list(step, names)
  local id = step.results[1]
  if not self.contents.values[id].is_sequence then return table.unpack(names) end
  if not is_taken_apart(self.contents, id) then return self:add("SequenceConstruct", names) end
  self.parts[id] = names
  return names[1]
end

--- The GraphProto of the nodes.
function Exporter:graph(inputs, outputs)
  local nodes = {}
  for i, fields in ipairs(self.nodes) do nodes[i] = writer.message("node", fields) end
  return writer.message("graph", {
    node = nodes, name = "nnlua", initializer = self.initializers, input = inputs, output = outputs,
  })
end

--- The body of a loop, as an attribute: its inputs are of the dtypes and shapes of `infos`; f(inner, names) adds nodes
--- and gives a list of the names of its outputs. Gives the number of these, too.
function Exporter:body(infos, f)
  local inner, names, inputs, outputs = Exporter(self.contents, self.options, self), {}, {}, {}
  for i, info in ipairs(infos) do
    names[i] = self:fresh "carried"
    inputs[i] = types.value_info(names[i], info)
  end
  for i, name in ipairs(f(inner, names)) do outputs[i] = types.value_info(name) end
  return {graph = inner:graph(inputs, outputs)}, #outputs
end

-- ---------------------------------------------------------------- constants

--- The name of an initializer with a tensor's elements. It stands in the outermost graph.
function Exporter:initializer(tensor, name)
  local root = self.root
  name = self:fresh(name or "constant")
  table.insert(root.initializers, types.tensor(name, tensor))
  return name
end

--- The same for few elements, each kind once.
function Exporter:constant(tensor)
  local key = tostring(tensor.dtype) .. tostring(tensor.shape) .. tensor:contiguous():tobytes()
  local constants = self.shared.constants
  if not constants[key] then
    local name = self:initializer(tensor)
    constants[key] = {name = name, place = #self.root.initializers}
  end
  return constants[key].name
end

--- How many initializers there are; and what leaves out those that came since.
function Exporter:mark() return #self.root.initializers end
function Exporter:forget(mark)
  local initializers, constants = self.root.initializers, self.shared.constants
  for i = #initializers, mark + 1, -1 do initializers[i] = nil end
  for key, constant in pairs(constants) do
    if constant.place > mark then constants[key] = nil end
  end
end

--- A list of whole numbers, one dimension; a number alone.
function Exporter:ints(list) return self:constant(nl.tensor(list, {dtype = nl.int64})) end
function Exporter:number(value, dtype) return self:constant(nl.tensor(value, {dtype = dtype})) end

--- A value as another dtype.
function Exporter:cast(name, from, to)
  if from == to then return name end
  return (self:add("Cast", {name}, {to = types.number(to)}))
end

-- ----------------------------------------------------------- sizes of inputs

--- The size of a name, such as "N", as a tensor of one element: that of an input which has it.
function Exporter:symbol(symbol)
  local root = self.root
  root.symbols = root.symbols or {}
  if root.symbols[symbol] then return root.symbols[symbol] end
  for _, id in ipairs(root.contents.inputs) do
    for d, size in ipairs(root.contents.values[id].shape or {}) do
      if size == symbol then
        local sizes = root:add("Shape", {root.names[id]}, {start = d - 1, ["end"] = d})
        root.symbols[symbol] = sizes
        return sizes
      end
    end
  end
  raise(("onnx.export: the size %s is that of no input"):format(symbol))
end

--- A size such as "(2 * N - 1) / 3" as a tensor of one element.
function Exporter:size(text)
  local terms, divisor = text:match "^%((.*)%) / (%d+)$"
  local sum
  local signed = (terms or text):gsub("^%-", "- ")
  for sign, term in (signed:find "^%-" and signed or "+ " .. signed):gmatch "([-+]) ([^-+]+)" do
    local product
    for factor in term:gmatch "[^%s*]+" do
      local whole = math.tointeger(tonumber(factor))
      local own = whole and self:ints {whole} or self:symbol(factor)
      product = product and self:add("Mul", {product, own}) or own
    end
    if not sum then
      sum = sign == "-" and self:add("Neg", {product}) or product
    else
      sum = self:add(sign == "-" and "Sub" or "Add", {sum, product})
    end
  end
  return divisor and self:add("Div", {sum, self:ints {math.tointeger(tonumber(divisor))}}) or sum
end

return Exporter
