-- What is plotted, as lists of floats: of tensors, lists, lists of lists, tables of names.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local data = {}

local raise = core.raise
local NAN = 0 / 0

--- A tensor's elements as floats, nested as it is.
local function elements(name, what, x)
  if x.dtype.is_complex then raise(("%s: %s is complex: plot its abs(), real or imag"):format(name, what)) end
  if x.is_meta then raise(("%s: %s is on the meta device and has no elements"):format(name, what)) end
  return x:detach():to(nl.float64):tolist()
end

--- A number of what may stand in a list: numbers, booleans, tensors of one element, nl.none for none.
local function number(value)
  if type(value) == "number" then return value + 0.0 end
  if type(value) == "boolean" then return value and 1.0 or 0.0 end
  if value == nl.none then return NAN end
  if core.is_tensor(value) and value:numel() == 1 and not value.dtype.is_complex and not value.is_meta then
    return value:to(nl.float64):item()
  end
end

local function is_list(value)
  return type(value) == "table" and getmetatable(value) == nil and (#value > 0 or next(value) == nil)
end

--- A tensor of at most one dimension, or a list of numbers, as a new list of floats.
function data.numbers(name, what, value)
  if core.is_tensor(value) then
    if value.ndim > 1 then
      raise(("%s: %s has shape %s: one dimension is wanted"):format(name, what, value.shape))
    end
    local list = elements(name, what, value)
    return type(list) == "table" and list or {list}
  elseif core.is_size(value) then
    value = value:totable()
  elseif not is_list(value) then
    raise(("%s: %s must be a tensor or a list of numbers, not %s"):format(name, what, core.describe(value)))
  end
  local list = {}
  for i = 1, #value do
    list[i] = number(value[i])
    if not list[i] then
      raise(("%s: %s[%d] must be a number, not %s"):format(name, what, i, core.describe(value[i])))
    end
  end
  return list
end

--- Whether a table is a mapping of names: a label each.
function data.is_mapping(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or next(value) == nil then return false end
  for key in next, value do
    if type(key) ~= "string" then return false end
  end
  return true
end

local function columns_of(name, what, x)
  if x.ndim > 2 then
    raise(("%s: %s has shape %s: (n), or (n, series) for several, is wanted"):format(name, what, x.shape))
  end
  local columns = {}
  for i, list in ipairs(elements(name, what, x:t())) do columns[i] = {values = list} end
  return columns
end

--- The order of names: numbers in them go by their value, so that "layer 10" stands behind "layer 9".
function data.before(a, b)
  local function padded(name)
    return (name:gsub("%d+", function(digits) return ("0"):rep(20 - #digits) .. digits end))
  end
  local one, other = padded(a), padded(b)
  if one == other then return a < b end
  return one < other
end

--- Several series: a list of `{values, label}`. One of what data.numbers takes, the columns of a matrix, each entry of
--- a list, each name of a table, in order of the names.
function data.series(name, what, value)
  if core.is_tensor(value) and value.ndim > 1 then return columns_of(name, what, value) end
  local list = {}
  if data.is_mapping(value) then
    local names = {}
    for key in next, value do names[#names + 1] = key end
    table.sort(names, data.before)
    for i, key in ipairs(names) do list[i] = {values = data.numbers(name, key, value[key]), label = key} end
    return list
  end
  if is_list(value) and value[1] ~= nil and not number(value[1]) then
    for i = 1, #value do list[i] = {values = data.numbers(name, ("%s[%d]"):format(what, i), value[i])} end
    return list
  end
  return {{values = data.numbers(name, what, value)}}
end

--- Texts: one, or a list of them; numbers are taken too.
function data.texts(name, what, value)
  if value == nil then return {} end
  if core.is_tensor(value) then value = data.numbers(name, what, value) end
  local list = {}
  for i, one in ipairs(type(value) == "table" and value or {value}) do
    if type(one) ~= "string" and type(one) ~= "number" then
      raise(("%s: %s must be texts, not %s"):format(name, what, core.describe(one)))
    end
    list[i] = type(one) == "string" and one or core.format("%.14g", one)
  end
  return list
end

-- -------------------------------------------------------------- decimation

local COLUMNS = 2000 -- of what is drawn at most
local MOST = 8 * COLUMNS

--- Every so many points of a line that goes to and fro, so that columns save nothing.
local function every(x, y)
  local stride = (#y + MOST - 1) // MOST
  local u, v = {}, {}
  for i = 1, #y, stride do
    u[#u + 1], v[#v + 1] = x[i], y[i]
  end
  return u, v
end

--- A line of fewer points that looks alike: of those that follow each other in a column, the first and last ones, the
--- lowest and the highest. `at` puts x on its scale.
function data.thinned(x, y, at)
  local n = #y
  if n <= 4 * COLUMNS then return x, y end
  local low, high = math.huge, -math.huge
  local place = {}
  for i = 1, n do
    local v = at(x[i]) or NAN
    place[i] = v
    if v < low then low = v end
    if v > high then high = v end
  end
  local factor = high > low and COLUMNS / (high - low) or 0
  local u, v = {}, {}
  local function keep(i) u[#u + 1], v[#v + 1] = x[i], y[i] end
  local i = 1
  while i <= n do
    local column = (place[i] - low) * factor // 1
    local first, lowest, highest = i, i, i
    while i < n and (place[i + 1] - low) * factor // 1 == column do
      i = i + 1
      local value = y[i]
      if value < y[lowest] or y[lowest] ~= y[lowest] then lowest = i end
      if value > y[highest] or y[highest] ~= y[highest] then highest = i end
    end
    local inner, outer = math.min(lowest, highest), math.max(lowest, highest)
    keep(first)
    if inner > first then keep(inner) end
    if outer > inner and outer < i then keep(outer) end
    if i > first then keep(i) end
    i = i + 1
  end
  if #v > MOST then return every(u, v) end
  return u, v
end

return data
