-- Tables of tensors, nested as one likes: what functions that are transformed take and give.

local core = require "nnlua.nn.core"

local tree = {}

local is_tensor, raise = core.is_tensor, core.raise

local function comes_before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return ta == "number" end
  return (ta == "number" or ta == "string") and a < b or tostring(a) < tostring(b)
end

--- The keys of a table in an order that doesn't change: numbers, then texts.
function tree.keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, comes_before)
  return keys
end

--- The same tables with change(leaf, place) for each value that is no table.
function tree.map(value, change, place)
  if type(value) ~= "table" or getmetatable(value) and not getmetatable(value).__pairs then
    return change(value, place)
  end
  local changed = {}
  for _, key in ipairs(tree.keys(value)) do
    changed[key] = tree.map(value[key], change, ("%s[%s]"):format(place or "", core.format("%s", key)))
  end
  return changed
end

--- The tensors in tables, in the keys' order; anything else among them is an error that names who wanted them.
function tree.tensors(value, who)
  local found = {}
  tree.map(value, function(leaf, place)
    if not is_tensor(leaf) then
      raise(("%s: a tensor was expected%s, got %s"):format(who, place and " at " .. place or "", core.describe(leaf)))
    end
    found[#found + 1] = leaf
  end)
  return found
end

--- The sizes of one tensor, then those of another.
function tree.joined_shape(a, b)
  local shape = {}
  for i = 1, a.ndim do shape[i] = a:size(i) end
  for i = 1, b.ndim do shape[#shape + 1] = b:size(i) end
  return shape
end

return tree
