-- Indices and ranges of containers: from 1, or from the end where they are negative.

local core = require "nnlua.nn.core"

local raise = core.raise

local container_index = {}

local function out_of_range(module, index, n)
  raise(("%s: index %s is out of range, there are %d entries%s"):format(
    core.class_name(module), index, n, index == 0 and ", counted from 1" or ""))
end

--- An index from 1 or from -1 as a place from 1.
function container_index.place_of(module, index, n)
  local i = math.tointeger(index)
  if not i then
    raise(("%s: an index is an integer, not %s"):format(core.class_name(module), core.describe(index)))
  elseif i < -n or i > n or i == 0 then
    out_of_range(module, index, n)
  end
  return i < 0 and i + n + 1 or i
end

local function end_of_range(value, n, default)
  if value == nil then
    return default
  end
  local place = math.tointeger(value)
  if not place then
    raise(("a range is {first, last, step}, all integers, but %s is in it"):format(core.describe(value)))
  end
  return place < 0 and place + n + 1 or place
end

--- The places of a range {first, last, step}, both ends included and cut off at the borders.
function container_index.places_of(range, n)
  local step = end_of_range(range[3], -1, 1) -- as it is
  if step == 0 then raise "the step of a range is not 0" end
  local first = end_of_range(range[1], n, step > 0 and 1 or n)
  local last = end_of_range(range[2], n, step > 0 and n or 1)
  local list = {}
  for i = math.max(first, step > 0 and 1 or first), last, step do
    if i >= 1 and i <= n then
      list[#list + 1] = i
    end
  end
  return list
end

return container_index
