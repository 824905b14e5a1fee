-- A file of ONNX: its messages as tables, its tensors. Nothing in it is trusted.

local class = require "nnlua.class"
local schema = require "nnlua.onnx.schema"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

--- The bytes of a file, and what is read from them. A message is a table of its fields: numbers and texts that
--- stand once, and lists (schema.lua tells which).
local File = class.new "OnnxFile"

--- `source` has the bytes in memory; `folder` is where external data are looked for, nil for nowhere.
function File:init(source, name, folder)
  self.source, self.name, self.folder = source, name, folder
  self.size = system.source_size(source)
  self.external = {}
end

--- Raises an error that names the file.
function File:fail(format, ...)
  raise(("onnx.load: %s: "):format(self.name) .. format:format(...))
end

--- The message in bytes [from, to) as a table, which has room for so many more fields.
function File:message(kind, from, to, room)
  local fields = system.wire_fields(self.source, from, to, schema[kind], room)
  if not fields then self:fail("it is damaged, or no file of ONNX (a %s from byte %d on)", kind, from) end
  return fields
end

local function nothing() end

--- The messages of a field, one after the other; each table has room for so many more fields.
function File:each(kind, list, room)
  if not list then return nothing end
  local i = -1
  return function()
    i = i + 2
    local from, to = list[i], list[i + 1]
    if from then return self:message(kind, from, to, room), from, to end
  end
end

--- The message of a field that stands once (of several the last one holds), or nil.
function File:one(kind, list)
  if not list then return nil end
  return self:message(kind, list[#list - 1], list[#list])
end

-- ------------------------------------------------------------------- tensors

--- Where the elements of a tensor stand in another file: {location =, offset =, length =}.
local function external_place(file, fields)
  local place = {}
  for entry in file:each("entry", fields.external_data) do
    place[entry.key or ""] = entry.value or ""
  end
  return place
end

--- The mapped file of a location, which lies in the folder of the model or below.
local function open_external(file, name, location)
  if not file.folder then file:fail("tensor '%s' stands in another file, and a buffer has none beside it", name) end
  local inside = location and location ~= "" and not location:find "^/" and not location:find "\0"
  for step in ("/" .. (location or "")):gmatch "/([^/]*)" do inside = inside and step ~= ".." end
  if not inside then file:fail("tensor '%s' stands outside of the model's folder", name) end
  file.external[location] = file.external[location] or system.open_source(file.folder .. location, true)
  return file.external[location]
end

--- A tensor in another file, from a byte on.
local function external_tensor(file, name, fields, data_type, dims)
  local place = external_place(file, fields)
  local source = open_external(file, name, place.location)
  local size, from = system.source_size(source), math.tointeger(tonumber(place.offset or "0"))
  local length = place.length and math.tointeger(tonumber(place.length)) or from and size - from
  if not from or not length or from < 0 or length < 0 or length > size or from > size - length then
    return nil, "its place in the other file isn't there"
  end
  return system.wire_tensor(source, from, from + length, data_type, dims)
end

--- The tensor of a TensorProto in bytes [from, to), its name, and its data type's number.
function File:tensor(from, to)
  local fields = self:message("tensor", from, to)
  local name, data_type, dims = fields.name or "", fields.data_type or 0, fields.dims or {}
  local tensor, problem
  if fields.data_location == 1 then
    tensor, problem = external_tensor(self, name, fields, data_type, dims)
  elseif fields.raw_data then
    local raw = fields.raw_data
    tensor, problem = system.wire_tensor(self.source, raw[#raw - 1], raw[#raw], data_type, dims)
  else
    tensor, problem = system.wire_tensor(self.source, from, to, data_type, dims, true)
  end
  if not tensor then self:fail("tensor '%s' can't be read: %s", name, problem) end
  return tensor, name, data_type
end

--- The tensor of a field that stands once.
function File:one_tensor(list)
  return self:tensor(list[#list - 1], list[#list])
end

--- A SparseTensorProto as the dense tensor that it stands for.
function File:sparse(from, to)
  local nl = require "nnlua"
  local fields = self:message("sparse_tensor", from, to)
  if not fields.values or not fields.indices then self:fail "a sparse tensor has no values" end
  local values, name, data_type = self:one_tensor(fields.values)
  local indices, dims, count = self:one_tensor(fields.indices), fields.dims or {}, 1
  for _, size in ipairs(dims) do
    if size < 0 or (size > 0 and count > self.size * 1024 // size) then
      self:fail("sparse tensor '%s' would be much larger than the file", name)
    end
    count = count * size
  end
  local rank, n = indices.ndim, values:numel()
  if #dims == 0 or values.ndim ~= 1 or indices.dtype ~= nl.int64 or rank < 1 or rank > 2 or indices.shape[1] ~= n
    or rank == 2 and indices.shape[2] ~= #dims then
    self:fail("the indices of sparse tensor '%s' don't fit its values and dimensions", name)
  end
  local sizes = nl.tensor(rank == 2 and dims or count)
  if indices:lt(0):logical_or(indices:ge(sizes)):any():item() then
    self:fail("an index of sparse tensor '%s' is out of range", name)
  end
  if rank == 2 then
    local strides, stride = {}, 1
    for d = #dims, 1, -1 do strides[d], stride = stride, stride * dims[d] end
    indices = (indices * nl.tensor(strides)):sum(2)
  end
  return nl.zeros(count, {dtype = values.dtype}):scatter(1, indices + 1, values):reshape(dims), name, data_type
end

return File
