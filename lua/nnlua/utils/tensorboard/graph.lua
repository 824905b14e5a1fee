-- A model as TensorBoard's graph: a node for each step of its program, within the modules whose parameters it uses.

local core = require "nnlua.program.core"
local message = require "nnlua.utils.tensorboard.message"
local nl = require "nnlua"

--- "fc/weight" of "fc.weight".
local function path_of(name)
  return (name:gsub("%.", "/"))
end

local function shape_attribute(shape)
  local dims = {}
  for i, size in ipairs(shape) do dims[i] = message("dim", {size = math.tointeger(size) or -1}) end
  local list = message("attribute_list", {shape = {message("shape", {dim = dims})}})
  return message("attribute", {key = "_output_shapes", value = message("attribute_value", {list = list})})
end

local function text_attribute(text)
  return message("attribute", {key = "attr", value = message("attribute_value", {s = text})})
end

--- A node: its name, what it is, the names of what it takes, and attributes.
local function node(name, op, input, shape, text)
  local attributes = {}
  if text then attributes[1] = text_attribute(text) end
  if shape then attributes[#attributes + 1] = shape_attribute(shape) end
  return message("node", {name = name, op = op, input = input, attr = attributes})
end

--- The places of the values that a step takes, but for plain numbers.
local function operands_of(contents, step)
  if step.kind ~= "row" then return step.operands or {} end
  local ids = {}
  for _, argument in ipairs(step.arguments) do
    for _, id in ipairs(argument.values or {argument.value}) do
      if id and not contents.values[id].is_number then ids[#ids + 1] = id end
    end
  end
  return ids
end

--- The constants of a step as a text: "stride = {1, 1}".
local function settings_text(contents, step)
  local texts = {}
  for _, argument in ipairs(step.arguments or {}) do
    local value = argument.value and contents.values[argument.value]
    local constant = argument.constant
    if value and value.is_number then constant = value.tensor:item() end
    if (argument.given or value) and constant ~= nil then
      texts[#texts + 1] = argument.name .. " = " .. nl.repr(constant)
    end
  end
  return #texts > 0 and table.concat(texts, ", ") or nil
end

--- Where a step belongs: the module of the first parameter it takes.
local function scope_of(contents, ids)
  for _, id in ipairs(ids) do
    local value = contents.values[id]
    local module = (value.kind == "parameter" or value.kind == "buffer") and value.name and value.name:match "^(.*)%."
    if module then return path_of(module) .. "/" end
  end
  return ""
end

--- The message of a model's graph, for inputs that its forward takes.
return function(model, ...)
  local program = nl.program.trace(model, ...)
  local contents = core.contents(program.data)
  local names, nodes, used = {}, {}, {}
  local function fresh(name)
    used[name] = (used[name] or 0) + 1
    return used[name] > 1 and ("%s_%d"):format(name, used[name]) or name
  end
  local function add(name, op, input, shape, text) nodes[#nodes + 1] = node(name, op, input, shape, text) end
  for id, value in ipairs(contents.values) do
    if value.kind ~= "result" and not value.is_number then
      local is_input = value.kind == "input"
      names[id] = fresh(is_input and "input/" .. value.name or value.name and path_of(value.name) or "constant")
      add(names[id], is_input and "IO Node" or value.kind, {}, value.shape)
    end
  end
  for _, step in ipairs(contents.steps) do
    local ids, input = operands_of(contents, step), {}
    for i, id in ipairs(ids) do input[i] = names[id] end
    local what = step.name or step.kind
    local name = fresh(scope_of(contents, ids) .. what)
    add(name, what, input, contents.values[step.results[1]].shape, settings_text(contents, step))
    for _, id in ipairs(step.results) do names[id] = name end
  end
  for _, output in ipairs(contents.outputs) do
    if output.value then
      local value = contents.values[output.value]
      add(fresh("output/" .. (output.name or "output")), "IO Node", {names[output.value]}, value.shape)
    end
  end
  return message("graph", {node = nodes, versions = message("versions", {producer = 22})})
end
