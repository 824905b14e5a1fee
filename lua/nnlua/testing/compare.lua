-- What differs between two tensors, numbers, or nested tables of them, as a text. PyTorch's torch.testing.assert_close
-- decides what is close.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local numbers = require "nnlua.testing.numbers"
local tolerance = require "nnlua.testing.tolerance"

local format = core.format

local is_tensor = core.is_tensor

local SHOWN = 24 -- elements of tensors that a report shows whole
local DEEPEST = 100 -- tables within tables

local function is_narrow(t)
  return t.dtype ~= nl.float64 and t.dtype ~= nl.complex128
end

-- ------------------------------------------------------------ single values

local function within(words, least)
  return least.exact and words or words .. (" (up to %s allowed)"):format(numbers.text(least.allowed))
end

local function relative(distance, expected)
  return distance / math.abs(expected)
end

local function compare_numbers(a, b, options)
  if a == b or options.equal_nan and a ~= a and b ~= b then return end
  local rtol, atol = tolerance(a, b, options)
  local distance = math.abs(a - b)
  if distance < math.huge and distance <= atol + rtol * math.abs(b) then return end
  local exact = rtol == 0 and atol == 0
  return table.concat({
    ("numbers are not %s: actual %s, expected %s"):format(exact and "equal" or "close", numbers.text(a),
      numbers.text(b)),
    within("absolute difference: " .. numbers.rough(distance), {exact = exact, allowed = atol}),
    within("relative difference: " .. numbers.rough(relative(distance, b)), {exact = exact, allowed = rtol}),
  }, "\n")
end

-- ------------------------------------------------------------------ tensors

local function stride_text(t)
  return "[" .. table.concat({t:stride():unpack()}, ", ") .. "]"
end

--- What is wrong before any element is looked at.
local function compare_attributes(a, b, options)
  if a.shape ~= b.shape then
    return ("shapes differ: actual %s, expected %s"):format(a.shape, b.shape)
  elseif options.check_stride and stride_text(a) ~= stride_text(b) then
    return ("strides differ: actual %s, expected %s"):format(stride_text(a), stride_text(b))
  elseif a.device ~= b.device then
    return ("devices differ: actual %s, expected %s"):format(a.device, b.device)
  elseif options.check_dtype and a.dtype ~= b.dtype then
    return ("dtypes differ: actual %s, expected %s"):format(a.dtype, b.dtype)
  end
end

local function widest(a, b)
  if a:is_complex() or b:is_complex() then return nl.complex128 end
  if a:is_floating_point() or b:is_floating_point() then return nl.float64 end
  return nl.int64
end

--- The index of an element from its place in row-major order, both from 1.
local function index_text(shape, place)
  local index, rest = {}, place - 1
  for dim = #shape, 1, -1 do
    index[dim] = rest % shape[dim] + 1
    rest = rest // shape[dim]
  end
  return "[" .. table.concat(index, ", ") .. "]"
end

--- An element of a flat tensor.
local function element_text(flat, place)
  local element = flat[place]
  if element:is_complex() then
    local re, im = element:item()
    local sign = (im < 0 or 1 / im == -math.huge) and "" or "+"
    return numbers.text(re, is_narrow(flat)) .. sign .. numbers.text(im, is_narrow(flat)) .. "i"
  end
  local value = element:item()
  return type(value) == "number" and numbers.text(value, is_narrow(flat)) or format("%s", value)
end

--- One line: the greatest of some distances, where it is, and both values there.
local function greatest_line(kind, distances, values, limit)
  local distance, place = distances:max(1)
  place = place:item()
  local words = ("greatest %s difference: %s"):format(kind, numbers.rough(distance:item()))
  if #values.shape > 0 then words = words .. " at " .. index_text(values.shape, place) end
  return ("%s: actual %s, expected %s"):format(within(words, limit),
    element_text(values.actual, place), element_text(values.expected, place))
end

local function indented(t)
  return (tostring(t):gsub("\n", "\n          "))
end

local function report_tensors(a, b, wide_a, wide_b, mismatches, rtol, atol)
  local count, all = mismatches:sum():item(), mismatches:numel()
  local exact = rtol == 0 and atol == 0
  local apart = (wide_a - wide_b):abs():to(nl.float64):reshape(-1)
  local ratio = apart / wide_b:abs():to(nl.float64):reshape(-1)
  local matches = mismatches:logical_not():reshape(-1)
  local values = {shape = a.shape, actual = a:reshape(-1), expected = b:reshape(-1)}
  local lines = {
    format("tensors are not %s: %d of %d elements differ (%.1f%%)", exact and "equal" or "close", count, all,
      100 * count / all),
    greatest_line("absolute", apart:masked_fill(matches, 0), values, {exact = exact, allowed = atol}),
    greatest_line("relative", ratio:masked_fill(matches, 0), values, {exact = exact, allowed = rtol}),
  }
  if all <= SHOWN then
    table.insert(lines, "actual:   " .. indented(a))
    table.insert(lines, "expected: " .. indented(b))
  else
    local dtype = a.dtype == b.dtype and tostring(a.dtype) or ("%s against %s"):format(a.dtype, b.dtype)
    table.insert(lines, ("shape %s, %s"):format(a.shape, (dtype:gsub("nnlua%.", ""))))
  end
  return table.concat(lines, "\n")
end

local function compare_tensors(a, b, options)
  local wrong = compare_attributes(a, b, options)
  if wrong or a.is_meta then return wrong end
  a, b = a:detach(), b:detach()
  local rtol, atol = tolerance(a, b, options)
  local dtype = widest(a, b)
  local wide_a, wide_b = a:to(dtype), b:to(dtype)
  local matches = nl.isclose(wide_a, wide_b, {rtol = rtol, atol = atol, equal_nan = options.equal_nan})
  if matches:all():item() then return end
  return report_tensors(a, b, wide_a, wide_b, matches:logical_not(), rtol, atol)
end

-- ----------------------------------------------------------- nested tables

local function field_path(path, key)
  if math.type(key) == "integer" then return ("%s[%d]"):format(path, key) end
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return path .. "." .. key end
  return ("%s[%s]"):format(path, type(key) == "string" and ("%q"):format(key) or format("%s", key))
end

--- Keys in an order that is the same each time: numbers, then the rest by their texts.
local function sorted_keys(t, other)
  local keys = {}
  for key in pairs(t) do table.insert(keys, key) end
  for key in pairs(other) do
    if t[key] == nil then table.insert(keys, key) end
  end
  table.sort(keys, function(x, y)
    if type(x) == "number" and type(y) == "number" then return x < y end
    if type(x) ~= type(y) then return type(x) == "number" or type(y) ~= "number" and type(x) < type(y) end
    return tostring(x) < tostring(y)
  end)
  return keys
end

local function kind_of(value)
  if is_tensor(value) then return ("a tensor of shape %s"):format(value.shape) end
  if type(value) == "string" then return ("the string %q"):format(value) end
  if type(value) == "number" then return "the number " .. numbers.text(value) end
  if type(value) == "nil" or type(value) == "boolean" then return tostring(value) end
  return core.describe(value)
end

local compare_values

local function compare_tables(a, b, options, path, found)
  if #path.open >= DEEPEST then core.raise(path.name .. ": tables are nested too deeply, or in a circle") end
  table.insert(path.open, a)
  for _, key in ipairs(sorted_keys(a, b)) do
    local place = field_path(path.at, key)
    local before = path.at
    path.at = place
    if a[key] == nil then
      table.insert(found, {at = place, text = ("missing: expected %s"):format(kind_of(b[key]))})
    elseif b[key] == nil then
      table.insert(found, {at = place, text = ("not expected: actual %s"):format(kind_of(a[key]))})
    else
      compare_values(a[key], b[key], options, path, found)
    end
    path.at = before
  end
  table.remove(path.open)
end

local function compare_others(a, b)
  if a == b then return end
  return ("values differ: actual %s, expected %s"):format(kind_of(a), kind_of(b))
end

local function compare_kinds(a, b)
  local hint = ""
  if is_tensor(a) and (type(b) == "number" or type(b) == "table") then
    hint = type(b) == "number" and " (compare x:item(), or with nl.tensor(number))"
      or " (compare with nl.tensor(table))"
  end
  return ("actual %s, expected %s%s"):format(kind_of(a), kind_of(b), hint)
end

function compare_values(a, b, options, path, found)
  local text
  if is_tensor(a) and is_tensor(b) then
    text = compare_tensors(a, b, options)
  elseif type(a) == "number" and type(b) == "number" then
    text = compare_numbers(a, b, options)
  elseif type(a) == "table" and type(b) == "table" then
    return compare_tables(a, b, options, path, found)
  elseif is_tensor(a) or is_tensor(b) or type(a) ~= type(b) then
    text = compare_kinds(a, b)
  else
    text = compare_others(a, b)
  end
  if text then table.insert(found, {at = path.at, text = text}) end
end

-- ------------------------------------------------------------------- report

--- All differences in one text: the first in full, of the others where they are and what.
local function report(found)
  local first = found[1]
  local lines = {(first.at ~= "" and ("at %s: "):format(first.at) or "") .. first.text}
  for i = 2, math.min(#found, 8) do
    table.insert(lines, ("also at %s: %s"):format(found[i].at, found[i].text:match "^[^\n]*"))
  end
  if #found > 8 then table.insert(lines, ("and at %d more places"):format(#found - 8)) end
  return table.concat(lines, "\n")
end

--- What differs, as a text, or nil. `options` has rtol and atol (both or neither), equal_nan, check_dtype and
--- check_stride.
---@param name string the function to name in errors
local function compare(name, actual, expected, options)
  local found, path = {}, {name = name, at = "", open = {}}
  nl.no_grad(compare_values, actual, expected, options, path, found)
  return #found > 0 and report(found) or nil
end

return compare
