-- What pickles of PyTorch's files hold besides tensors: arrays and numbers of NumPy's, and containers of Python's
-- standard library. `calls` are by the name of what a pickle calls, f(reader, arguments, entries, state);
-- `instances` by the class of an object with attributes, f(reader, arguments, entries, attributes); `names` what a name
-- by itself is.
local nl = require "nnlua"
local system = require "nnlua.system"

local calls, instances, names = {}, {}, {}

--- A name from a file for a message: its beginning, with what can't be shown as '?'.
local function shown(name)
  return (tostring(name):gsub("%c", "?"):sub(1, 80))
end

-- ------------------------------------------------------------------ Python's

--- Whether a value can be a key of a table here; nan can't.
local function is_key(value)
  local kind = type(value)
  return value == value and (kind == "string" or kind == "number" or kind == "boolean")
end

--- The table of a list of keys and values in turn.
local function table_of(self, entries, what)
  local t = {}
  self:spend(#entries)
  for i = 1, #entries, 2 do
    if not is_key(entries[i]) then self:refuse(what .. " has a key that is no text, number or truth value") end
    t[entries[i]] = entries[i + 1]
  end
  return t
end

--- Sets are tables that have true for what is in them.
calls["builtins.set"] = function(self, a)
  local set = {}
  if a[1] ~= nil and type(a[1]) ~= "table" then self:refuse "its pickle makes a set of something else than a list" end
  self:spend(#(a[1] or {}))
  for _, item in ipairs(a[1] or {}) do
    if not is_key(item) then self:refuse "a set has an item that is no text, number or truth value" end
    set[item] = true
  end
  return set
end
calls["builtins.frozenset"] = calls["builtins.set"]

--- A dict that makes what is missing: the table of what it has.
calls["collections.defaultdict"] = function(self, _, entries)
  return table_of(self, entries or {}, "a defaultdict")
end

-- What defaultdicts make. Nothing is ever made by them.
for _, class in ipairs {"bool", "dict", "float", "int", "list", "str", "tuple"} do
  names["builtins." .. class] = nl.none
end

calls["collections.Counter"] = function(self, a)
  if type(a[1]) ~= "table" then self:refuse "its pickle makes a Counter of something else than a dict" end
  return a[1]
end

--- Options of argparse, and other objects that are nothing but their attributes: a table of these.
instances["argparse.Namespace"] = function(self, a, entries, attributes)
  if #a > 0 or entries or type(attributes or {}) ~= "table" then
    self:refuse "its pickle makes a Namespace of something else than attributes"
  end
  return table_of(self, attributes or {}, "a Namespace")
end

calls["types.SimpleNamespace"] = function(self, a, entries, attributes)
  return instances["argparse.Namespace"](self, a, entries, attributes)
end

--- Versions of PyTorch are texts.
calls["torch.torch_version.TorchVersion"] = function(self, a)
  if type(a[1]) ~= "string" then self:refuse "its pickle makes a version of something else than a text" end
  return a[1]
end

calls["builtins.complex"] = function(self, a)
  if type(a[1]) ~= "number" or type(a[2]) ~= "number" then self:refuse "its pickle makes a number of no numbers" end
  return nl.complex(a[1], a[2])
end

--- Bytes, which older protocols write as a text of the characters 0 to 255.
calls["_codecs.encode"] = function(self, a)
  if type(a[1]) ~= "string" or a[2] ~= "latin1" then self:refuse "its pickle encodes something else than latin1" end
  self:spend(#a[1])
  local is_latin = utf8.len(a[1]) and not a[1]:find "[\xc4-\xff]"
  if not is_latin then self:refuse "bytes are written as a text that they can't be" end
  return (a[1]:gsub("[\xc2\xc3][\x80-\xbf]", function(c) return string.char(utf8.codepoint(c)) end))
end

calls["builtins.bytes"] = function(self, a)
  if a[1] ~= nil and type(a[1]) ~= "string" then self:refuse "its pickle makes bytes of something else than bytes" end
  return a[1] or ""
end
calls["builtins.bytearray"] = calls["builtins.bytes"]

-- ------------------------------------------------------------------- NumPy's

--- A dtype of NumPy's: {dtype, is_turned}.
local Numpy = {}

-- The class of arrays, which they are rebuilt with.
local Array = {}
names["numpy.ndarray"] = Array

calls["numpy.dtype"] = function(self, a, _, more)
  local text = a[1]
  local order = type(more) == "table" and more[2]
  local dtype = type(text) == "string" and system.npy_dtype(text)
  if not dtype then
    self:refuse(("it has numbers of NumPy's dtype '%s', which nnlua does not have"):format(shown(text)))
  end
  return setmetatable({dtype = dtype, is_turned = order == ">"}, Numpy)
end

--- Elements in the order of this machine, from their bytes.
local function elements_of(kind, bytes)
  local dtype = kind.dtype
  local t = nl.frombuffer(bytes, nl.uint8):clone()
  if kind.is_turned then system.turn_bytes(t, dtype.is_complex and dtype.itemsize // 2 or dtype.itemsize) end
  if dtype == nl.bool then system.make_truths(t) end
  return t:view(dtype)
end

calls["numpy._core.multiarray.scalar"] = function(self, a)
  local kind, bytes = a[1], a[2]
  if getmetatable(kind) ~= Numpy or type(bytes) ~= "string" or #bytes ~= kind.dtype.itemsize then
    self:refuse "its pickle makes a number of NumPy's of something else than its bytes"
  end
  local t = elements_of(kind, bytes)[1]
  return kind.dtype.is_complex and t or t:item()
end

--- Whether a list is a shape of as many elements. One that is 0 makes them none, whatever comes before or after it.
local function is_shape(shape, count)
  if type(shape) ~= "table" or #shape > 16 then return false end
  local product, is_empty = 1, false
  for _, size in ipairs(shape) do
    if math.type(size) ~= "integer" or size < 0 then return false end
    is_empty = is_empty or size == 0
  end
  if is_empty then return count == 0 end
  for _, size in ipairs(shape) do
    if product > count // size then return false end
    product = product * size
  end
  return product == count
end

--- An array in the order of its rows, or of Fortran: then it has the strides that tell so.
local function array(self, kind, shape, bytes, is_fortran)
  local is_whole = getmetatable(kind) == Numpy and type(bytes) == "string" and #bytes % kind.dtype.itemsize == 0
  if not is_whole or not is_shape(shape, #bytes // kind.dtype.itemsize) then
    self:refuse "its pickle makes an array of NumPy's of something else than a shape, a dtype and as many bytes"
  end
  self:spend(#bytes)
  if #bytes == 0 then return self.place(nl.zeros(shape, {dtype = kind.dtype})) end
  local t = elements_of(kind, bytes)
  if not is_fortran or #shape < 2 then return self.place(t:reshape(shape)) end
  local turned, dims = {}, {}
  for i = 1, #shape do turned[i], dims[i] = shape[#shape + 1 - i], #shape + 1 - i end
  return self.place(t:reshape(turned):permute(dims))
end

--- An array that is made empty and given its state: version, shape, dtype, whether in Fortran's order, bytes.
calls["numpy._core.multiarray._reconstruct"] = function(self, a, _, state)
  if a[1] ~= Array or type(state) ~= "table" or state[1] ~= 1 then
    self:refuse "its pickle makes an array of NumPy's in an unknown way"
  end
  return array(self, state[3], state[2], state[5], state[4] == true)
end

--- An array of protocol 5.
calls["numpy._core.numeric._frombuffer"] = function(self, a)
  return array(self, a[2], a[3], a[1], a[4] == "F")
end

for _, name in ipairs {"multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer"} do
  calls["numpy.core." .. name] = calls["numpy._core." .. name] -- as they were called before version 2
end

-- ---------------------------------------------------------------- what isn't

-- What to say of names of data that nnlua has not.
local advice = {
  ["torch._utils._rebuild_sparse_tensor"] = "a sparse tensor, which nnlua does not have: save x.to_dense()",
  ["torch._utils._rebuild_qtensor"] = "a quantized tensor, which nnlua does not have: save x.dequantize()",
  ["torch._utils._rebuild_nested_tensor"] = "a nested tensor, which nnlua does not have: save its tensors, x.unbind()",
  ["torch._utils._rebuild_meta_tensor_no_storage"] = "a tensor of the meta device, which has no elements",
}

--- What a name is that is refused.
local function unknown(name)
  local known = advice[name]
  if known then return known end
  local dtype = name:match "^torch%.([%w_]+)$"
  if dtype and dtype:find "^qu?int%d" then
    return "a dtype of quantized tensors, which nnlua does not have: save x.dequantize()"
  elseif dtype and (dtype:find "^u?int%d" or dtype:find "^float%d" or dtype:find "^bits%d") then
    return "a dtype that nnlua does not have: save such tensors in another one, x.to(torch.float32)"
  end
  return "which is code or no data that nnlua knows: nothing in a file is ever run"
end

return {calls = calls, instances = instances, names = names, unknown = unknown, shown = shown}
