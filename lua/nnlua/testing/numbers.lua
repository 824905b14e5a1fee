-- Numbers in reports: as short as they can be without becoming another number.

local core = require "nnlua.nn.core"

local numbers = {}

local format = core.format

local function as_float32(value)
  return (string.unpack("f", string.pack("f", value)))
end

--- A number's text; one of a float32 tensor (or a narrower one) needs fewer digits to be told from its neighbours.
---@param value number
---@param narrow? boolean
function numbers.text(value, narrow)
  if math.type(value) == "integer" then return tostring(value) end
  if value ~= value then return "nan" end
  if value == math.huge or value == -math.huge then return value > 0 and "inf" or "-inf" end
  for digits = 1, 17 do
    local text = format("%." .. digits .. "g", value)
    local read = core.number(text)
    if read == value or narrow and math.abs(value) < 3e38 and as_float32(read) == value then
      return text:find "[.e]" and text or text .. ".0"
    end
  end
  return format("%s", value)
end

--- The text of a difference, of which six digits say enough.
---@param value number
function numbers.rough(value)
  return value ~= value and "nan" or format("%.6g", value)
end

return numbers
