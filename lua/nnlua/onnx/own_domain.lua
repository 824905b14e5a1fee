-- Rows that ONNX has nothing for, as nodes of the domain "nnlua": the operator is the row's name, tensors are inputs in
-- the order of the row's arguments, `_tensors` tells which argument takes how many, and the rest are attributes.

local core = require "nnlua.program.core"
local nl = require "nnlua"
local nn_core = require "nnlua.nn.core"
local system = require "nnlua.system"
local types = require "nnlua.onnx.types"

local own_domain = {}

--- A constant argument as an attribute, and what is put behind its name to tell its kind.
local function attribute_of(value)
  if math.type(value) == "integer" then return value, "" end
  if type(value) == "number" then return nl.tensor(value, {dtype = nl.float64}), "" end
  if type(value) == "boolean" then return nl.tensor(value), "" end
  if type(value) == "string" then return value, "" end
  if type(value) == "table" then
    if type(value[1]) == "table" then return nl.tensor(value), "" end
    local is_real = false
    for _, v in ipairs(value) do is_real = is_real or math.type(v) == "float" end
    if is_real then return nl.tensor(value, {dtype = nl.float64}), "" end
    local list = {}
    for i, v in ipairs(value) do list[i] = v == nn_core.none and math.mininteger or v end
    return list, ""
  end
  local number = types.number(value)
  if number then return number, ":dtype" end
  return nil
end

--- Writes a step's row; gives the names of its results.
function own_domain.write(e, step)
  local inputs, attributes, tensors = {}, {}, {}
  for _, argument in ipairs(step.arguments) do
    local name = argument.name
    local number = argument.kind == "operand" and argument.value and e.contents.values[argument.value]
    if number and number.is_number then
      attributes[name] = attribute_of(number.tensor:item())
    elseif argument.values or argument.value ~= nil then
      local ids = argument.values or {argument.value}
      table.insert(tensors, name .. (argument.values and ":" .. #ids or ""))
      for _, id in ipairs(ids) do table.insert(inputs, id and e:plain(id) or "") end
    elseif argument.given and argument.constant ~= nil then
      local value, suffix = attribute_of(argument.constant)
      if value ~= nil then attributes[name .. suffix] = value end
    end
  end
  if #step.bindings > 0 then
    nn_core.raise(("onnx.export: the row '%s' has sizes that follow from the inputs', which ONNX can't express"):format(
      step.row))
  end
  while inputs[#inputs] == "" do inputs[#inputs] = nil end
  attributes._tensors = {texts = tensors}
  if step.in_place then attributes._in_place = 1 end
  if e.contents.values[step.results[1]].is_sequence then attributes._sequence = 1 end
  e.shared.own = true
  return e:add(step.row, inputs, attributes, #step.results, "nnlua")
end

--- An attribute as the argument that it was.
local function argument_of(node, name)
  local fields = node.attributes[name]
  if fields.t then
    local tensor = node:tensor(name)
    if tensor.ndim == 0 then return tensor:item() end
    return tensor:tolist()
  end
  if fields.ints then
    local list = {}
    for i, v in ipairs(fields.ints) do list[i] = v == math.mininteger and nn_core.none or v end
    return list
  end
  local number = node:int(name)
  if number == nil then return node:text(name) or {} end
  return number
end

--- Builds the row of a node.
function own_domain.read(b, node)
  local arguments, next_input = {}, 1
  for _, text in ipairs(node:texts "_tensors" or {}) do
    local name, count = text:match "^([^:]+):?(%d*)$"
    if not name then node:fail("'%s' tells no argument", text) end
    if count == "" then
      arguments[name] = node.inputs[next_input]
      next_input = next_input + 1
    else
      local n, list = tonumber(count), {}
      if n > node.n then node:fail "it lacks inputs" end
      for i = 1, n do list[i] = node.inputs[next_input + i - 1] or nn_core.none end
      arguments[name], next_input = list, next_input + n
    end
  end
  for name in pairs(node.attributes) do
    local dtype = name:match "^(.*):dtype$"
    if dtype then
      local _, ours = system.wire_type(node:int(name, 0))
      arguments[dtype] = ours
    elseif name:sub(1, 1) ~= "_" then
      arguments[name] = argument_of(node, name)
    end
  end
  local results = table.pack((node:flag "_in_place" and b.call_ or b.call)(b, node.op_type, arguments))
  if core.is_sequence(results[1]) and not node:flag "_sequence" then
    local list = results[1]
    for i = 1, #node.output do results[i] = b:item(list, i) end
  end
  return table.unpack(results)
end

return own_domain
