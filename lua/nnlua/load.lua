-- nl.load: what nl.save wrote, and safetensors files of others. Nothing in a file is ever run.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local state = require "nnlua.nn.state_dict"
local system = require "nnlua.system"

local raise = core.raise
local dtype_meta = getmetatable(nl.float32)

local DEEPEST = 64 -- a few more than nl.save writes

-- --------------------------------------------------------------------- text

-- A reader of the JSON text that save.lua writes.
local Reader = {}
Reader.__index = Reader

function Reader:refuse(what)
  raise(("load: %s: byte %d of the text 'nnlua' in its metadata: %s"):format(self.file, self.at, what))
end

function Reader:skip_space()
  self.at = self.text:match("^[ \t\r\n]*()", self.at)
end

--- Passes over a sign; says whether it was there.
function Reader:take(sign)
  self:skip_space()
  if self.text:sub(self.at, self.at) ~= sign then
    return false
  end
  self.at = self.at + 1
  return true
end

function Reader:expect(sign)
  if not self:take(sign) then
    self:refuse(("'%s' expected"):format(sign))
  end
end

local escapes = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

function Reader:read_escape()
  local name = self.text:sub(self.at, self.at)
  if name == "u" then
    local digits = self.text:match("^%x%x%x%x", self.at + 1)
    local code = tonumber(digits or "d800", 16)
    if code >= 0xd800 and code < 0xe000 then
      self:refuse "'\\u' is followed by no character's number"
    end
    self.at = self.at + 5
    return utf8.char(code)
  end
  self.at = self.at + 1
  return escapes[name] or self:refuse "there is no such escape"
end

function Reader:read_string()
  local parts = {}
  self:expect '"'
  while true do
    local plain, sign, next_at = self.text:match('^([^"\\]*)(["\\])()', self.at)
    if not plain then
      self:refuse "the string doesn't end"
    end
    parts[#parts + 1], self.at = plain, next_at
    if sign == '"' then
      return table.concat(parts)
    end
    parts[#parts + 1] = self:read_escape()
  end
end

function Reader:read_number()
  local digits, after = self.text:match("^(%-?%d+)()", self.at)
  local fraction, after_fraction = self.text:match("^(%.%d+)()", after)
  local exponent, after_exponent = self.text:match("^([eE][+-]?%d+)()", after_fraction or after)
  local value = (fraction or exponent) and tonumber(digits .. (fraction or "") .. (exponent or "")) or
    math.tointeger(tonumber(digits))
  if not value then
    self:refuse "the number is too large"
  end
  self.at = after_exponent or after_fraction or after
  return value
end

-- ------------------------------------------------------------------- values

--- A list of values, and their number.
function Reader:read_list()
  local list, n = {}, 0
  self.depth = self.depth + 1
  if self.depth > DEEPEST then
    self:refuse "values are nested too deeply"
  end
  self:expect "["
  if not self:take "]" then
    repeat
      n = n + 1
      list[n] = self:read_value()
    until not self:take ","
    self:expect "]"
  end
  self.depth = self.depth - 1
  return list, n
end

function Reader:fill(t)
  local list, n = self:read_list()
  for i = 1, n, 2 do
    local key, value = list[i], list[i + 1]
    local kind = type(key)
    if value == nil or kind ~= "string" and kind ~= "number" and kind ~= "boolean" or key ~= key then
      self:refuse "keys and values in turn expected before this"
    end
    t[key] = value
  end
  return t
end

-- What an object's one field may be.
local kinds = {}

function kinds.table(reader) return reader:fill {} end
function kinds.ordered(reader) return reader:fill(state.StateDict.ordered()) end
function kinds.state_dict(reader) return reader:fill(state.StateDict.new()) end

function kinds.tensor(reader)
  local name = reader:read_string()
  return reader.tensors[name] or reader:refuse(("there is no tensor '%s'"):format(name))
end

function kinds.bytes(reader)
  local digits = reader:read_string()
  if #digits % 2 == 1 or digits:find "%X" then
    reader:refuse "pairs of hexadecimal digits expected before this"
  end
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local floats = {nan = 0.0 / 0.0, inf = math.huge, ["-inf"] = -math.huge}

function kinds.float(reader)
  return floats[reader:read_string()] or reader:refuse "nan, inf or -inf expected before this"
end

function kinds.dtype(reader)
  local name = reader:read_string()
  local dtype = nl[name]
  return getmetatable(dtype) == dtype_meta and dtype or reader:refuse(("there is no dtype '%s'"):format(name))
end

function kinds.size(reader)
  local list, n = reader:read_list()
  for i = 1, n do
    if math.type(list[i]) ~= "integer" then
      reader:refuse "a list of integers expected before this"
    end
  end
  return nl.Size(list)
end

function kinds.none(reader)
  return reader:take_word "true" and nl.none or reader:refuse "'true' expected"
end

function Reader:read_object()
  self:expect "{"
  local name = self:read_string()
  self:expect ":"
  self:skip_space()
  local read = kinds[name] or self:refuse(("there is no kind of value '%s'"):format(name))
  local value = read(self)
  self:expect "}"
  return value
end

function Reader:take_word(word)
  if self.text:sub(self.at, self.at + #word - 1) ~= word then
    return false
  end
  self.at = self.at + #word
  return true
end

function Reader:read_value()
  self:skip_space()
  local sign = self.text:sub(self.at, self.at)
  if sign == "{" then
    return self:read_object()
  elseif sign == "[" then
    return (self:read_list())
  elseif sign == '"' then
    return self:read_string()
  elseif sign:find "%d" or self.text:find("^%-%d", self.at) then
    return self:read_number()
  elseif self:take_word "true" then
    return true
  elseif self:take_word "false" then
    return false
  end
  self:refuse "a value expected"
end

-- --------------------------------------------------------------------- load

--- A tensor of pairs as the complex128 one that it stands for.
local function as_complex(path, name, t)
  if not t or t.dtype ~= nl.float64 or t.ndim == 0 or t:size(-1) ~= 2 then
    raise(("load: %s: its metadata call tensor '%s' complex128, but it is no tensor of float64 pairs"):format(path, name))
  end
  return nl.view_as_complex(t)
end

local function read_texts(path, texts, tensors)
  local structure
  for i = 1, #texts, 2 do
    local complex = texts[i]:match "^nnlua%.complex128%.(.*)$"
    if complex then
      tensors[complex] = as_complex(path, complex, tensors[complex])
    elseif texts[i] == "nnlua" then
      structure = texts[i + 1]
    end
  end
  return structure
end

--- Reads a file that nl.save wrote and gives the value back; of a safetensors file of another program, and of one that a
--- flat table was saved to, the state dict of its tensors in the file's order. A file that is damaged is an error that
--- says where. Tensors are on the CPU and want no gradients.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.load(path).w
---     tensor([1., 1.])
---@param path string
---@return any
local function load(path)
  if type(path) ~= "string" then
    raise(("load: the path is a string, not %s"):format(core.describe(path)))
  end
  local names, list, texts = system.read_tensors(path)
  local tensors = {}
  for i, name in ipairs(names) do
    tensors[name] = list[i]
  end
  local structure = read_texts(path, texts, tensors)
  if not structure then
    local dict = state.StateDict.new()
    for _, name in ipairs(names) do
      dict[name] = tensors[name]
    end
    return dict
  end
  local reader = setmetatable({file = path, text = structure, at = 1, depth = 0, tensors = tensors}, Reader)
  local value = reader:read_value()
  reader:skip_space()
  if reader.at <= #structure then
    reader:refuse "the value is followed by something else"
  end
  return value
end

return load
