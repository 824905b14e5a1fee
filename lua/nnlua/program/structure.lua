-- What a network takes and gives, as a list of tensors and the form that they stand in: tables within tables, numbers
-- and texts among them.

local nn_core = require "nnlua.nn.core"

local raise, is_tensor = nn_core.raise, nn_core.is_tensor

local structure = {}

local MOST_NESTED = 20

--- The keys of a table in an order that is always the same: a list's, then names.
local function keys_of(t)
  local keys = {}
  for key in next, t do
    local kind = math.type(key) or type(key)
    if kind ~= "integer" and kind ~= "string" then
      raise(("trace: a table among arguments or results has the key %s: only names and positions can be kept"):format(
        tostring(key)))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) == "number" end
    return a < b
  end)
  return keys
end

local function flatten(value, name, leaves, depth)
  if is_tensor(value) then
    leaves[#leaves + 1] = {name = name, tensor = value}
    return {leaf = #leaves}
  elseif type(value) ~= "table" then
    return {constant = value}
  elseif depth > MOST_NESTED then
    raise "trace: the tables among arguments or results are nested too deep, or contain themselves"
  end
  local items = {}
  for i, key in ipairs(keys_of(value)) do
    items[i] = {key, flatten(value[key], name .. "." .. key, leaves, depth + 1)}
  end
  return {items = items, meta = getmetatable(value)}
end

--- The form of a value; its tensors are added to `leaves`, a list of {name =, tensor =}.
function structure.form(value, name, leaves)
  return flatten(value, name, leaves, 1)
end

--- Whether a form is a tensor and nothing else.
function structure.is_plain(form)
  return form.leaf ~= nil
end

--- Puts the tensors of a value of that form into a list; `name` is for errors.
function structure.fill(form, value, name, tensors)
  if form.leaf then
    if not is_tensor(value) then
      raise(("argument '%s': a tensor is expected, got %s"):format(name, nn_core.describe(value)))
    end
    tensors[form.leaf] = value
  elseif not form.items then
    if value ~= form.constant then
      raise(("argument '%s' is %s, and was %s when the program was traced: trace it again for that"):format(
        name, tostring(value), tostring(form.constant)))
    end
  elseif type(value) ~= "table" then
    raise(("argument '%s': a table is expected, got %s"):format(name, nn_core.describe(value)))
  else
    for _, item in ipairs(form.items) do
      structure.fill(item[2], value[item[1]], name .. "." .. item[1], tensors)
    end
  end
end

--- A value of a form, with tensors from a list.
function structure.build(form, tensors)
  if form.leaf then return tensors[form.leaf] end
  if not form.items then return form.constant end
  local value = {}
  for _, item in ipairs(form.items) do value[item[1]] = structure.build(item[2], tensors) end
  return setmetatable(value, form.meta)
end

return structure
