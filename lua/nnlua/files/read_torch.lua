-- Reading PyTorch's files: zip archives, and what versions before 1.6 wrote. Their pickles are read without running
-- anything (src/io/pickle.h): what one names is made here if it is data, and is an error if it is not in these tables.

local data = require "nnlua.files.pickled_data"
local nl = require "nnlua"
local state = require "nnlua.nn.state_dict"
local system = require "nnlua.system"

local raise, shown = require "nnlua.nn.core".raise, data.shown

-- The dtypes of storages: "FloatStorage" of torch.
local storage_dtypes = {
  Bool = nl.bool, Byte = nl.uint8, Char = nl.int8, Short = nl.int16, Int = nl.int32, Long = nl.int64,
  Half = nl.float16, BFloat16 = nl.bfloat16, Float = nl.float32, Double = nl.float64,
  ComplexFloat = nl.complex64, ComplexDouble = nl.complex128, Untyped = nl.uint8,
}

local dtype_meta = getmetatable(nl.float32)

-- A file that is being read: `name`, `place` (puts tensors on their device), `storage` (the bytes of a key's storage),
-- `storages` (what was read, by key), `budget` (how many more items and bytes may be copied: no more than the pickle
-- has, or a few bytes could ask for any number of copies), `outside` (how many storages no tensor was made of).
local Reader = {}
Reader.__index = Reader

function Reader:refuse(what)
  raise(("load: %s: %s"):format(self.name, what))
end

function Reader:spend(n)
  self.budget = self.budget - n
  if self.budget < 0 then self:refuse "its pickle copies the same things again and again" end
end

-- ----------------------------------------------------------------- storages

-- What stands for a kind of storage, such as torch.FloatStorage, and for a storage of one.
local Kind, Storage = {}, {}

--- The storage that a key of the pickle names: {"storage", kind, key, device, elements, view}.
function Reader:persistent(key)
  local kind, name, count, view = key[2], key[3], key[5], key[6]
  if key[1] ~= "storage" or getmetatable(kind) ~= Kind or type(name) ~= "string" or
      math.type(count) ~= "integer" or count < 0 then
    self:refuse "its pickle asks for something else than a storage"
  end
  self.outside = self.outside + 1
  local offset = type(view) == "table" and math.type(view[2]) == "integer" and view[2] or 0
  local size, own = kind.dtype.itemsize, self.storages[name]
  if not own then
    if count > math.maxinteger // size then self:refuse(("storage '%s' is too large"):format(shown(name))) end
    own = {bytes = self:storage(name, count * size, kind), kind = kind}
    self.storages[name] = own
  elseif own.kind.dtype ~= kind.dtype then
    self:refuse(("storage '%s' is of %s and of %s"):format(shown(name), own.kind.dtype, kind.dtype))
  end
  return setmetatable({own = own, dtype = kind.dtype, offset = offset}, Storage)
end

--- Elements of another byte order than ours are turned; those of no dtype can't be.
function Reader:turn(bytes, kind, name)
  if kind.is_untyped then
    self:refuse(("storage '%s' is of another byte order and of no dtype"):format(shown(name)))
  end
  local dtype = kind.dtype
  system.turn_bytes(bytes, dtype.is_complex and dtype.itemsize // 2 or dtype.itemsize)
end

-- ------------------------------------------------------------------ tensors

local function takes_gradients(t) return t:is_floating_point() or t:is_complex() end

--- A tensor over a storage, as PyTorch's rebuilding functions are called: offset, shape and strides in elements.
function Reader:tensor(storage, offset, shape, strides, requires_grad, dtype)
  if getmetatable(storage) ~= Storage or math.type(offset) ~= "integer" or type(shape) ~= "table" or
      type(strides) ~= "table" then
    self:refuse "its pickle makes a tensor of something else than a storage"
  end
  self.outside = self.outside - 1
  dtype = dtype or storage.dtype
  local own = storage.own
  if dtype == nl.bool and not own.has_truths then
    own.has_truths = true
    system.make_truths(own.bytes)
  end
  local t = system.tensor_over(own.bytes, dtype, offset + storage.offset, shape, strides)
  if not t then
    self:refuse(("a tensor of %d dimensions (up to 16 are read) lies outside of its storage of %d bytes"):format(
      #shape, own.bytes:numel()))
  end
  t = self.place(t)
  return requires_grad == true and takes_gradients(t) and t:requires_grad_() or t
end

--- Applies what is noted with a tensor that PyTorch has not worked out: conjugates, negatives.
local function finished(self, t, metadata)
  if type(metadata) ~= "table" or next(metadata) == nil then return t end
  if self.is_old then self:refuse "a tensor has properties that are not read from PyTorch's old files" end
  for name, value in pairs(metadata) do
    if name == "conj" and value == true then t = t:conj()
    elseif name == "neg" and value == true and t.dtype ~= nl.bool then t = t:neg()
    elseif value == true then
      self:refuse(("a tensor has the property '%s', which nnlua's have not"):format(shown(name)))
    end
  end
  return t
end

-- --------------------------------------------------------------- the names

-- What calls of names give: f(reader, arguments, entries, state).
local calls = {}
for name, call in pairs(data.calls) do calls[name] = call end

calls["torch._utils._rebuild_tensor"] = function(self, a)
  return self:tensor(a[1], a[2], a[3], a[4])
end

calls["torch._utils._rebuild_tensor_v2"] = function(self, a)
  return finished(self, self:tensor(a[1], a[2], a[3], a[4], a[5]), a[7])
end

calls["torch._utils._rebuild_tensor_v3"] = function(self, a)
  if getmetatable(a[7]) ~= dtype_meta then self:refuse "its pickle makes a tensor of no dtype" end
  return finished(self, self:tensor(a[1], a[2], a[3], a[4], a[5], a[7]), a[8])
end

calls["torch._utils._rebuild_parameter"] = function(self, a)
  local t = a[1]
  if not nl.is_tensor(t) then self:refuse "its pickle makes a Parameter of something else than a tensor" end
  return nl.nn.Parameter(t:detach(), a[2] == true and takes_gradients(t))
end
calls["torch._utils._rebuild_parameter_with_state"] = calls["torch._utils._rebuild_parameter"]
calls["torch.nn.parameter.Parameter"] = calls["torch._utils._rebuild_parameter"]

calls["torch._tensor._rebuild_from_type_v2"] = function(self, a)
  if getmetatable(a[1]) ~= calls or type(a[3]) ~= "table" or a[2] ~= nl.Tensor and a[2] ~= nl.nn.Parameter then
    self:refuse "its pickle makes a tensor of a class that nnlua does not know"
  end
  return a[1].call(self, a[3])
end

--- The entries of an ordered dict, keys and values in turn: those that were added, or those of its one argument, as
--- Python 2 wrote them.
local function entries_of(self, a, entries)
  if type(a[1]) ~= "table" then return entries or {} end
  local list = {}
  self:spend(#a[1])
  for i, pair in ipairs(a[1]) do
    if type(pair) ~= "table" then self:refuse "its pickle makes an ordered dict of something else than pairs" end
    list[2 * i - 1], list[2 * i] = pair[1], pair[2]
  end
  return list
end

--- A state dict's versions of its modules, which PyTorch has as an attribute.
local function metadata_of(self, attributes)
  if type(attributes) ~= "table" then return nil end
  self:spend(#attributes)
  for i = 1, #attributes, 2 do
    if attributes[i] == "_metadata" and type(attributes[i + 1]) == "table" then return attributes[i + 1] end
  end
end

--- An ordered dict is a state dict if it has metadata or, from files before there were any, names and tensors alone.
local function ordered(self, a, entries, attributes)
  local list, metadata = entries_of(self, a, entries), metadata_of(self, attributes)
  local is_state = #list > 0
  for i = 1, #list, 2 do
    local key, kind = list[i], type(list[i])
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" or key ~= key then
      self:refuse "an ordered dict has a key that is no text, number or truth value"
    end
    is_state = is_state and kind == "string" and nl.is_tensor(list[i + 1])
  end
  local dict = (metadata or is_state) and state.StateDict.new(metadata) or state.StateDict.ordered()
  for i = 1, #list, 2 do dict[list[i]] = list[i + 1] end
  return dict
end
calls["collections.OrderedDict"] = ordered

calls["torch.Size"] = function(self, a)
  local sizes = a[1] or {}
  if type(sizes) ~= "table" then self:refuse "its pickle makes a torch.Size of something else than a tuple" end
  self:spend(#sizes)
  for _, size in ipairs(sizes) do
    if math.type(size) ~= "integer" then self:refuse "a torch.Size has something else than integers" end
  end
  return nl.Size(sizes)
end

calls["torch.device"] = function(_, a)
  return nl.device(a[1] == "meta" and "meta" or "cpu") -- whatever it was there, here it is the CPU
end

-- Lists of TorchScript's, which are marked with their types.
for _, name in ipairs {"intlist", "doublelist", "boollist", "tensorlist"} do
  calls["torch.jit._pickle.build_" .. name] = function(_, a) return a[1] end
end
calls["torch.jit._pickle.restore_type_tag"] = function(_, a) return a[1] end

-- What names stand for by themselves.
local names = {["torch.Tensor"] = nl.Tensor, ["torch.nn.parameter.Parameter"] = nl.nn.Parameter}
for name, value in pairs(data.names) do names[name] = value end

for name, dtype in pairs(storage_dtypes) do
  local kind = setmetatable({dtype = dtype, is_untyped = name == "Untyped"}, Kind)
  names["torch." .. name .. "Storage"], names["torch.storage." .. name .. "Storage"] = kind, kind
end
for _, dtype in pairs(storage_dtypes) do
  names["torch." .. tostring(dtype):match "[^.]+$"] = dtype
end

--- A name as Python 3 has it; Python 2's are in files of the older protocols.
local function modern(name)
  return (name:gsub("^__builtin__%.", "builtins."):gsub("^copy_reg%.", "copyreg."))
end

function Reader:unknown(name)
  self:refuse(("it holds %s, %s"):format(shown(modern(name)), data.unknown(modern(name))))
end

-- ------------------------------------------------------------ TorchScript

-- A module of a TorchScript archive: `class`, and `fields`, its names and values in turn.
local Script = {}

function Reader:is_script_class(name)
  return self.is_script and name:find "^__torch__%." ~= nil
end

function Reader:new(name, a, entries, fields)
  if self:is_script_class(name) and #a == 0 and not entries then
    return setmetatable({class = name, fields = type(fields) == "table" and fields or {}}, Script)
  elseif data.instances[name] then
    return data.instances[name](self, a, entries, fields)
  elseif calls[modern(name)] and fields == nil then
    return calls[modern(name)](self, a, entries)
  end
  self:unknown(name)
end

--- The lists of names that a class of an archive's code begins with: {parameters, buffers}, each a set.
function Reader:lists_of(class)
  local lists = self.classes[class]
  if lists then return lists end
  local file, name = class:match "^(.*)%.([^.]+)$"
  local member = self.members["code/" .. (file or ""):gsub("%.", "/") .. ".py"]
  local text = member and system.source_text(system.zip_member(self.archive, member)) or ""
  local _, from = text:find("class " .. (name or "") .. "(Module):\n", 1, true)
  lists = {}
  for i, kind in ipairs {"parameters", "buffers"} do
    lists[i] = {}
    local list = from and text:match("^%s*__" .. kind .. "__ = (%b[])", from + 1)
    if list then from = from + #text:match("^%s*__" .. kind .. "__ = %b[]", from + 1) end
    for field in (list or ""):gmatch '"([^"]*)"' do lists[i][field] = true end
  end
  self.classes[class] = lists
  return lists
end

--- Adds a module's state to a dict: its parameters, its buffers, then its modules.
function Reader:add_state(dict, module, prefix, depth)
  if depth > 100 then self:refuse "its modules are nested too deeply, or in themselves" end
  self:spend(#module.fields + 1)
  for _, list in ipairs(self:lists_of(module.class)) do
    for i = 1, #module.fields, 2 do
      local name, value = module.fields[i], module.fields[i + 1]
      if list[name] and nl.is_tensor(value) then dict[prefix .. name] = value:detach() end
    end
  end
  for i = 1, #module.fields, 2 do
    local name, value = module.fields[i], module.fields[i + 1]
    if getmetatable(value) == Script and type(name) == "string" then
      self:add_state(dict, value, prefix .. name .. ".", depth + 1)
    end
  end
end

-- --------------------------------------------------------------------- read

--- The value of the pickle at a place of a source, and the place behind it.
function Reader:unpickle(source, place)
  -- bytes are counted as a text, of up to two bytes a character, and again where they become an array
  self.budget = math.max(self.budget or 0, 2 * system.source_size(source))
  return system.unpickle(source, place, function(kind, name, ...)
    if kind == "persistent" then
      return self:persistent(type(name) == "table" and name or {})
    elseif kind == "new" then
      return self:new(name, ...)
    end
    local known = modern(name)
    if kind == "call" then
      if not calls[known] then self:unknown(name) end
      return calls[known](self, ...)
    elseif names[known] ~= nil then
      return names[known]
    elseif calls[known] then
      return setmetatable({call = calls[known]}, calls)
    elseif data.instances[name] or self:is_script_class(name) then
      return true
    end
    self:unknown(name)
  end)
end

--- The value of a file. PyTorch's pickles name a storage once for each tensor that lies in it.
function Reader:value(source, place)
  local value, behind = self:unpickle(source, place)
  if self.outside > 0 then
    self:refuse "it holds a storage that is no tensor's, which nnlua does not have: save a tensor over it"
  end
  return value, behind
end

local function new(options)
  return setmetatable({name = options.name, place = options.place, storages = {}, classes = {}, outside = 0}, Reader)
end

local function zip_storage(self, name, bytes, kind)
  local member = self.members["data/" .. name]
  if not member then self:refuse(("its storage '%s' is not there"):format(shown(name))) end
  local source = system.zip_member(self.archive, member)
  if system.source_size(source) < bytes then self:refuse(("its storage '%s' is cut off"):format(shown(name))) end
  local storage = system.stored_bytes(source, bytes)
  if self.order == "big" then self:turn(storage, kind, name) end
  return storage
end

--- Reads a zip archive whose members are "folder/data.pkl", "folder/data/0" and so on.
local function read_zip(source, options)
  local self = new(options)
  local archive, list = system.open_zip(source)
  local folder
  self.archive, self.members, self.storage = archive, {}, zip_storage
  for _, name in ipairs(list) do folder = folder or name:match "^([^/]*/)data%.pkl$" end
  if not folder then self:refuse "it is a zip archive, but no file of PyTorch's: it has no data.pkl" end
  for i, name in ipairs(list) do
    if name:sub(1, #folder) == folder then self.members[name:sub(#folder + 1)] = i end
  end
  local order = self.members.byteorder
  self.order = order and system.source_text(system.zip_member(archive, order), 0, 16)
  self.is_script = self.members["constants.pkl"] ~= nil
  local value = self:value(system.zip_member(archive, self.members["data.pkl"]), 0)
  if getmetatable(value) ~= Script then return value end
  local dict = state.StateDict.new()
  self:add_state(dict, value, "", 0)
  if next(dict) == nil and self.members["constants/0"] then
    self:refuse "its weights are constants of its code (torch.jit.freeze), so it has no state dict: save it unfrozen"
  end
  return dict
end

-- The number that begins files of before version 1.6, as a pickle.
local MAGIC = "\x80\2\x8a\10l\xfc\x9cF\xf9 j\xa8P\x19."

--- Storages come behind the pickle that refers to them: they are made first, no larger than the file, and filled then.
local function old_storage(self, name, bytes)
  self.bytes_left = self.bytes_left - bytes
  if self.bytes_left < 0 then self:refuse(("its storage '%s' is cut off"):format(shown(name))) end
  return nl.empty(bytes, {dtype = nl.uint8})
end

local function fill_storages(self, source, keys, place)
  for _, key in ipairs(type(keys) == "table" and keys or {}) do
    local own = self.storages[key]
    local head = system.source_text(source, place, 8)
    local count = #head == 8 and string.unpack("<i8", head) or -1
    if not own or own.is_filled or count * own.kind.dtype.itemsize ~= own.bytes:numel() then
      self:refuse(("its storage '%s' is damaged or cut off"):format(shown(key)))
    end
    system.read_into(source, place + 8, own.bytes)
    if self.order == "big" then self:turn(own.bytes, own.kind, key) end
    if own.has_truths then system.make_truths(own.bytes) end
    own.is_filled = true
    place = place + 8 + own.bytes:numel()
  end
  for name, own in pairs(self.storages) do
    if not own.is_filled then self:refuse(("its storage '%s' is not there"):format(shown(name))) end
  end
end

local function read_old(source, options)
  local self = new(options)
  self.storage, self.bytes_left, self.is_old = old_storage, system.source_size(source), true
  local version, info, value, keys, place
  version, place = self:unpickle(source, #MAGIC)
  info, place = self:unpickle(source, place)
  if version ~= 1001 or type(info) ~= "table" then self:refuse "its version of PyTorch's format is unknown" end
  self.order = info.little_endian == false and "big" or "little"
  value, place = self:value(source, place)
  keys, place = self:unpickle(source, place)
  fill_storages(self, source, keys, place)
  return value
end

return function(source, options)
  local head = system.source_text(source, 0, #MAGIC)
  if head == MAGIC then
    return read_old(source, options)
  elseif head:find "^\x80" then
    raise(("load: %s: it is a pickle of Python's, but no file that torch.save wrote"):format(options.name))
  end
  return read_zip(source, options)
end
