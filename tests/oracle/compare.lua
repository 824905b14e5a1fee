--- Comparing what nnlua gives with what the files have on record.

local api = require "oracle.api"
local json = require "oracle.json"
local values = require "oracle.values"

local nl = api.nl

local compare = {}

-- ------------------------------------------------------------------ elements

--- The places of an element, counted from 1, by its number in row-major order.
local function place_of(number, shape)
  local places, rest = {}, number - 1
  for d = #shape, 1, -1 do
    places[d] = rest % shape[d] + 1
    rest = rest // shape[d]
  end
  return "[" .. table.concat(places, ", ") .. "]"
end

local function as_float32(number)
  return (string.unpack("f", string.pack("f", number)))
end

--- Recorded float32 numbers are short decimal forms, exact only after rounding.
local ROUNDED = {float32 = as_float32, complex64 = as_float32}

local IS_EXACT = {int8 = true, int16 = true, int32 = true, int64 = true, uint8 = true, bool = true}

--- How far a number is off, or nil if it is within its tolerance; size is that of its element.
local function error_of(got, recorded, size, rtol, atol)
  if got == recorded or (got ~= got and recorded ~= recorded) then
    return nil
  end
  local off = math.abs(got - recorded)
  if off <= atol + rtol * size and recorded - recorded == 0 then
    return nil
  end
  return off == off and off or math.huge
end

--- The magnitude of the element that number i belongs to. A complex one has two numbers, and export.py's tolerances
--- are of its magnitude: where one part cancels, it has the rounding error of the other.
local function size_of(data, i, per_element)
  local size = math.abs(data[i])
  if per_element == 2 then
    local other = data[i % 2 == 1 and i + 1 or i - 1]
    if type(other) == "number" then
      return math.sqrt(size * size + other * other)
    end
  end
  return size
end

--- What is wrong with the elements of a tensor, or nil.
local function elements_differ(got, recorded, rtol, atol)
  local flat, data = values.elements(got), recorded.data
  if #flat ~= #data then
    return ("%d numbers in tolist(), not %d"):format(#flat, #data)
  end
  local rounded = ROUNDED[recorded.tensor]
  local per_element = #data // math.max(got:numel(), 1)
  local count, worst, worst_at = 0, -1, nil
  for i = 1, #data do
    local g, r = flat[i], data[i]
    if g ~= r then
      local special = values.SPECIAL[r]
      local size = special and math.huge or size_of(data, i, per_element)
      r = special or r
      local off = error_of(g, rounded and rounded(r) or r, size, rtol, atol)
      if off then
        count = count + 1
        if off > worst then
          worst, worst_at = off, i
        end
      end
    end
  end
  if count == 0 then
    return nil
  end
  return ("%d of %d elements differ, at most by %.3g: %s instead of %s at %s"):format(
    count, got:numel(), worst, flat[worst_at], data[worst_at],
    place_of((worst_at - 1) // per_element + 1, recorded.shape))
end

--- A shape as text, whether a table or what nnlua has for one.
local function shape_text(shape)
  local sizes = {}
  for d = 1, #shape do
    sizes[d] = shape[d]
  end
  return "[" .. table.concat(sizes, ", ") .. "]"
end

--- A value as a message names it.
local function named(value)
  return api.is_tensor(value) and "a tensor of shape " .. shape_text(value.shape)
    or tostring(value)
end

--- What is wrong with a tensor, or nil.
function compare.tensor(got, recorded, rtol, atol)
  if not api.is_tensor(got) then
    return named(got) .. " instead of a tensor"
  end
  local dtype = api.lookup(recorded.tensor)
  if got.dtype ~= dtype then
    return ("%s instead of %s"):format(got.dtype, dtype)
  end
  local shape, wanted = shape_text(got.shape), shape_text(recorded.shape)
  if shape ~= wanted then
    return ("shape %s instead of %s"):format(shape, wanted)
  end
  if recorded.data == json.null then
    return nil
  end
  if IS_EXACT[recorded.tensor] then
    rtol, atol = 0, 0
  end
  return elements_differ(got, recorded, rtol, atol)
end

-- -------------------------------------------------------------- other values

local function plain_differs(got, recorded)
  local same = got == recorded and math.type(got) == math.type(recorded)
    or got ~= got and recorded ~= recorded
  return not same and ("%s instead of %s"):format(named(got), recorded) or nil
end

--- How many values a list has; what `table.pack` made says so itself.
local function length(list)
  return type(list) == "table" and list.n or #list
end

--- Calls `found(what, where)` for whatever differs, part by part.
local function walk(got, recorded, tolerance, where, found)
  local what
  if recorded == json.null then
    what = got ~= nil and got ~= nl.none and named(got) .. " instead of nil"
  elseif type(recorded) ~= "table" then
    what = plain_differs(got, recorded)
  elseif recorded.tensor then
    what = compare.tensor(got, recorded, tolerance.rtol, tolerance.atol)
  elseif recorded[1] == nil and next(recorded) ~= nil then
    what = plain_differs(got, values.decode(recorded))
  elseif type(got) ~= "table" and type(got) ~= "userdata" then
    what = named(got) .. " instead of a list"
  elseif length(got) ~= #recorded then
    what = ("%d values instead of %d"):format(length(got), #recorded)
  else
    for i, inner in ipairs(recorded) do
      walk(got[i], inner, tolerance, where .. " " .. i, found)
    end
  end
  if what then
    found(what, where)
  end
end

--- Compares a value with a recorded one and notes in `wrong` what differs.
function compare.value(got, recorded, tolerance, where, wrong)
  walk(got, recorded, tolerance, where, function(what, place)
    table.insert(wrong, place .. ": " .. what)
  end)
end

--- A tensor's strides along the dimensions that have more than one element, where alone they mean anything: the
--- recorded ones, or those of a contiguous tensor where none are on record.
local function strides_text(shape, stride)
  local shown, dense = {}, 1
  for d = #shape, 1, -1 do
    if shape[d] > 1 then
      table.insert(shown, 1, stride and stride[d] or dense)
    end
    dense = dense * shape[d]
  end
  return "[" .. table.concat(shown, ", ") .. "]"
end

--- Compares the order in memory of results, whose values and shapes hold, with that on record.
function compare.layout(got, recorded, where, wrong)
  if type(recorded) ~= "table" or recorded == json.null then
    return
  elseif not recorded.tensor then
    for i, inner in ipairs(recorded) do
      compare.layout(got[i], inner, where .. " " .. i, wrong)
    end
  elseif recorded.data ~= json.null and #recorded.data > 0 then
    local stride = strides_text(recorded.shape, got:stride())
    local wanted = strides_text(recorded.shape, recorded.stride)
    if stride ~= wanted then
      table.insert(wrong, ("%s: strides %s instead of %s"):format(where, stride, wanted))
    end
  end
end

--- The tolerances of a case, or of its part "grad" or "second".
function compare.tolerance(case, part)
  local prefix = part and part .. "_" or ""
  return {rtol = case[prefix .. "rtol"] or case.rtol or 0,
          atol = case[prefix .. "atol"] or case.atol or 0}
end

--- Numbers by hand: `got` and `recorded` are Lua tables, nested alike.
function compare.numbers(got, recorded, tolerance, where, wrong)
  for i = 1, #recorded do
    local g, r = got[i], recorded[i]
    if type(r) == "table" then
      compare.numbers(g, r, tolerance, where .. " " .. i, wrong)
    elseif g == nil or error_of(g, r, math.abs(r), tolerance.rtol, tolerance.atol) then
      table.insert(wrong, ("%s %d: %s instead of %s"):format(where, i, g, r))
    end
  end
end

return compare
