-- Scales of axes: where values lie on them, which values are marked, and how those are written.

local core = require "nnlua.nn.core"

local format = core.format
local floor, ceil, huge = math.floor, math.ceil, math.huge
local LARGEST = 1e300 -- what is beyond counts as infinite: differences stay finite

local function log10(v) return math.log(v, 10) end

-- ------------------------------------------------------------------ numbers

local superscripts = {["-"] = "⁻", ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴", ["5"] = "⁵",
  ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹"}

local function power_text(exponent)
  return "10" .. ("%d"):format(exponent):gsub(".", superscripts)
end

--- A number on its own, as in a matrix or beside a bar, with 3 digits or as many as are given: of 2 one is behind the
--- point; for 1 numbers up to a thousand are rounded to whole ones, which are no longer than "8e1".
local function short_text(v, digits)
  if v ~= v then return "nan" end
  if v == huge or v == -huge then return v > 0 and "inf" or "-inf" end
  local size, text = math.abs(v), nil
  if v == floor(v) and size < 1e6 then text = ("%d"):format(v)
  elseif digits == 2 and size < 100 then text = format("%.1f", v)
  elseif digits == 1 and size >= 1 and size < 1000 then text = format("%.0f", v)
  else text = format(("%%.%dg"):format(digits or 3), v) end
  return (text:gsub("e([-+])0*(%d)", function(sign, digit) return "e" .. (sign == "-" and "-" or "") .. digit end))
end

--- Texts of numbers that are `step` apart, all with as many digits.
local function texts(values, step)
  local largest = 0
  for _, v in ipairs(values) do largest = math.max(largest, math.abs(v)) end
  if largest == 0 then largest = 1 end
  local digit = floor(log10(step) + 1e-9)       -- the place of the last digit that is wanted
  local exponent = floor(log10(largest) + 1e-9) -- and of the first one
  local list = {}
  local is_plain = exponent < 7 and digit > -5 or exponent - digit > 6
  for i, v in ipairs(values) do
    if v == 0 then v = 0.0 end
    if is_plain then
      list[i] = format(("%%.%df"):format(math.min(math.max(0, -digit), 20)), v)
    elseif v == 0 then
      list[i] = "0"
    else
      list[i] = format(("%%.%dfe%d"):format(math.max(0, exponent - digit), exponent), v / 10.0 ^ exponent)
    end
  end
  return list
end

-- ------------------------------------------------------------------- linear

local linear = {name = "linear"}

--- Where a value lies; nil for what lies nowhere.
function linear.at(v)
  if v >= -LARGEST and v <= LARGEST then return v end
end

--- Limits that aren't the same: around one value.
function linear.apart(low, high)
  if high - low > 1e-300 and high - low > 1e-13 * math.max(math.abs(low), math.abs(high)) then return low, high end
  local by = math.abs(low) > 1e-290 and math.abs(low) * 0.05 or 0.5
  return low - by, high + by
end

--- Values to mark between limits, at most about `most`: a list of `{at, text}`. `whole` wants integers alone.
function linear.ticks(low, high, most, whole)
  if not (high > low) then return {{at = low, text = short_text(low)}} end
  local raw = (high - low) / math.max(1, most)
  local unit, step = 10.0 ^ floor(log10(raw)), nil
  for _, m in ipairs {1, 2, 5, 10} do
    if m * unit >= raw * 0.999 then
      step = m * unit
      break
    end
  end
  if whole then step = math.max(1, step) end
  local values = {}
  for i = ceil(low / step - 1e-6), floor(high / step + 1e-6) do values[#values + 1] = i * step end
  local labels, ticks = texts(values, step), {}
  for i, v in ipairs(values) do ticks[i] = {at = v, text = labels[i]} end
  return ticks
end

-- ---------------------------------------------------------------------- log

local logarithmic = {name = "log"}

function logarithmic.at(v)
  if v > 0 and v <= LARGEST then return log10(v) end
end

function logarithmic.apart(low, high)
  if high - low > 1e-9 then return low, high end
  return low - 0.5, high + 0.5
end

local function within_decades(low, high, most)
  for _, mantissas in ipairs {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 5}, {1, 3}} do
    local values = {}
    for e = floor(low), floor(high) do
      for _, m in ipairs(mantissas) do
        local place = e + log10(m)
        if place >= low - 1e-9 and place <= high + 1e-9 then values[#values + 1] = {place = place, v = m * 10.0 ^ e} end
      end
    end
    if #values >= 2 and #values <= math.max(most, 2) then return values end
  end
end

--- Where the smaller marks are that have no text: the multiples of each power of ten.
local function small_ticks(ticks, low, high)
  for e = floor(low), floor(high) do
    for m = 2, 9 do
      local place = e + log10(m)
      if place >= low and place <= high then ticks[#ticks + 1] = {at = place, is_small = true} end
    end
  end
  return ticks
end

local function decades(low, high, most)
  local first, last, ticks, stride = ceil(low - 1e-9), floor(high + 1e-9), {}, nil
  for _, n in ipairs {1, 2, 3, 5, 10, 20, 50, 100, 200, 500} do
    if not stride and (last - first + 1) / n <= math.max(2, most) then stride = n end
  end
  local is_plain = first >= -3 and last <= 4
  for e = ceil(first / stride) * stride, last, stride do
    ticks[#ticks + 1] = {at = e, text = is_plain and format("%.10g", 10.0 ^ e) or power_text(e)}
  end
  return stride == 1 and small_ticks(ticks, low, high) or ticks
end

function logarithmic.ticks(low, high, most)
  if floor(high + 1e-9) - ceil(low - 1e-9) >= 1 then return decades(low, high, most) end
  local values = within_decades(low, high, most)
  local ticks = {}
  if values then
    for i, one in ipairs(values) do ticks[i] = {at = one.place, text = short_text(one.v)} end
    return ticks
  end
  for _, tick in ipairs(linear.ticks(10.0 ^ low, 10.0 ^ high, most)) do
    if tick.at > 0 then ticks[#ticks + 1] = {at = log10(tick.at), text = tick.text} end
  end
  return ticks
end

return {linear = linear, log = logarithmic, short_text = short_text, largest = LARGEST}
