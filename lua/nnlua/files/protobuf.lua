-- Messages of Protocol Buffers, written as lists of texts, so that no tensor's bytes are copied more than once.
--
-- A schema has, for each kind of message, its fields by their numbers: a text of the field's kind and its name. Kinds
-- are i varints, f floats, d doubles, s texts, m messages; in upper case where a field stands once (system.wire_fields
-- reads the same).

local protobuf = {}

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
local function fields_of(schema)
  local fields = {}
  for number, text in pairs(schema) do
    table.insert(fields, {number = number, kind = text:sub(1, 1):lower(), name = text:sub(2)})
  end
  table.sort(fields, function(a, b) return a.number < b.number end)
  return fields
end

local known_fields = setmetatable({}, {__mode = "k"}) -- by the schema of a message

--- A function that makes messages of a schema: of a kind, from a table of values, or lists of values, by the names of
--- its fields. Lists of numbers are packed ones, as texts, where the schema says so.
function protobuf.writer(schema)
  return function(kind, values)
    local fields = known_fields[schema[kind]] or fields_of(schema[kind])
    known_fields[schema[kind]] = fields
    local message, known = {size = 0}, 0
    for _, field in ipairs(fields) do
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
end

--- Integers as a packed list: the text of a field.
function protobuf.packed_integers(list)
  local texts = {}
  for i, n in ipairs(list) do texts[i] = varint(n) end
  return table.concat(texts)
end

--- Floats ("f") or doubles ("d") as a packed list.
function protobuf.packed_floats(kind, list)
  local texts = {}
  for i, x in ipairs(list) do texts[i] = string.pack("<" .. kind, x) end
  return table.concat(texts)
end

return protobuf
