-- Items to batches.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local collate = {}

local raise = core.raise

local function is_list(value)
  return #value > 0 or next(value) == nil
end

local default_collate

--- The values of a key in each item.
local function column(items, key, where)
  local values = {}
  for i, item in ipairs(items) do
    values[i] = item[key]
    if values[i] == nil then
      raise(("default_collate: %s has no [%s], but item 1 has"):format(where:format(i), core.format("%s", key)))
    end
  end
  return values
end

local function collate_tables(items, where)
  local first, batch = items[1], {}
  for i, item in ipairs(items) do
    if type(item) == "table" and is_list(item) and is_list(first) and #item ~= #first then
      raise(("default_collate: %s has %d values, but item 1 has %d: lists of a batch are of one length"):format(
        where:format(i), #item, #first))
    end
  end
  for key in pairs(first) do
    local inner = ("%s[%s]"):format(where, core.format("%s", key):gsub("%%", "%%%%"))
    batch[key] = default_collate(column(items, key, where), inner)
  end
  return batch
end

local function check_alike(items, kind, where)
  for i, item in ipairs(items) do
    local is = core.is_tensor(item) and "tensor" or type(item)
    if is ~= kind then
      raise(("default_collate: %s is %s, but item 1 is a %s"):format(where:format(i), core.describe(item), kind))
    end
  end
end

local function numbers_of(items)
  local all_integers = true
  for _, item in ipairs(items) do
    all_integers = all_integers and math.type(item) == "integer"
  end
  return nl.tensor(items, {dtype = all_integers and nl.int64 or nl.float64})
end

--- One batch of a list of items: tensors are stacked, numbers become a tensor (int64 of integers, else float64, as in
--- PyTorch), so do booleans; strings stay a list; tables are collated value by value.
---@param items any[]
function default_collate(items, where)
  where = where or "item %d"
  if type(items) ~= "table" or #items == 0 then
    raise(("default_collate: a list of items was expected, not %s"):format(core.describe(items)))
  end
  local first = items[1]
  local kind = core.is_tensor(first) and "tensor" or type(first)
  check_alike(items, kind, where)
  if kind == "tensor" then
    return nl.stack(items, 1)
  elseif kind == "number" then
    return numbers_of(items)
  elseif kind == "boolean" then
    return nl.tensor(items)
  elseif kind == "string" then
    return table.move(items, 1, #items, 1, {})
  elseif kind == "table" then
    return collate_tables(items, where)
  end
  raise(("default_collate: %s is %s; a batch is made of tensors, numbers, booleans, strings and tables of them"):format(
    where:format(1), core.describe(first)))
end

--- default_collate for users, who give items only.
---     > nl.utils.data.default_collate {1, 2, 3}
---     tensor([1, 2, 3])
function collate.default_collate(items)
  return default_collate(items)
end

--- What a loader without batches makes of an item: tensors, numbers and strings as they are, in tables of its own.
---     > nl.utils.data.default_convert({nl.ones(2), name = "a"})[1]
---     tensor([1., 1.])
---@param data any
function collate.default_convert(data)
  if type(data) ~= "table" or getmetatable(data) ~= nil then return data end
  local copy = {}
  for key, value in pairs(data) do copy[key] = collate.default_convert(value) end
  return copy
end

return collate
