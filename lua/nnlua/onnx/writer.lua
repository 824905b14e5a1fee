-- Messages of Protocol Buffers, written as lists of texts, so that no tensor's bytes are copied more than once.

local schema = require "nnlua.onnx.schema"

local writer = {}

--- An integer as 7 bits a byte, the lowest first.
local function varint(n)
  local bytes = {}
  while n >> 7 ~= 0 do
    bytes[#bytes + 1] = n & 127 | 128
    n = n >> 7
  end
  bytes[#bytes + 1] = n
  return string.char(table.unpack(bytes))
end

local wire_types = {i = 0, d = 1, s = 2, m = 2, f = 5}

--- Appends a text to a message.
local function put(message, text)
  message[#message + 1] = text
  message.size = message.size + #text
end

--- Appends a field's value: a number, a text, or a message.
local function put_value(message, number, kind, value)
  put(message, varint(number << 3 | wire_types[kind]))
  if kind == "i" then
    put(message, varint(value))
  elseif kind == "f" or kind == "d" then
    put(message, string.pack("<" .. kind, value))
  elseif type(value) == "string" then
    put(message, varint(#value))
    put(message, value)
  else
    put(message, varint(value.size))
    table.move(value, 1, #value, #message + 1, message)
    message.size = message.size + value.size
  end
end

--- The numbers of a message's fields in order, with their kinds and names.
local function fields_of(kind)
  local fields = {}
  for number, text in pairs(schema[kind]) do
    table.insert(fields, {number = number, kind = text:sub(1, 1), name = text:sub(2)})
  end
  table.sort(fields, function(a, b) return a.number < b.number end)
  return fields
end

--- A message of a kind, from a table of values, or lists of values, by the names of its fields.
function writer.message(kind, values)
  local message, known = {size = 0}, 0
  for _, field in ipairs(fields_of(kind)) do
    local value = values[field.name]
    if value ~= nil then
      known = known + 1
      local is_list = type(value) == "table" and not value.size
      for _, one in ipairs(is_list and value or {value}) do put_value(message, field.number, field.kind, one) end
    end
  end
  for _ in pairs(values) do known = known - 1 end
  assert(known == 0, "a message has a field that its schema hasn't")
  return message
end

return writer
