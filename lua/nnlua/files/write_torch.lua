-- Writing PyTorch's files: zip archives with a pickle and the storages of its tensors, which torch.load reads with
-- weights_only = True. The opcodes are those of Python's pickletools, protocol 2.

local Walk = require "nnlua.files.walk"
local core = require "nnlua.nn.core"
local system = require "nnlua.system"

local storage_names = {
  bool = "Bool", uint8 = "Byte", int8 = "Char", int16 = "Short", int32 = "Int", int64 = "Long", float16 = "Half",
  bfloat16 = "BFloat16", float32 = "Float", float64 = "Double", complex64 = "ComplexFloat",
  complex128 = "ComplexDouble",
}

-- A walk writes opcodes to `out`; `memo` has the places of what was written, by value; `storages` are the archive's
-- members, `storage_keys` their numbers.
local Pickler = Walk.class()

function Pickler:add(...)
  for i = 1, select("#", ...) do
    table.insert(self.out, (select(i, ...)))
  end
end

--- Notes what was written last as a value; a table, a tensor, or a text that stands for something.
function Pickler:put(value)
  local i = self.memoized
  self.memo[value], self.memoized = i, i + 1
  self:add(i < 256 and string.pack("<c1B", "q", i) or string.pack("<c1I4", "r", i))
end

--- Writes a reference to what was written before; false if it wasn't.
function Pickler:get(value)
  local i = self.memo[value]
  if not i then return false end
  self:add(i < 256 and string.pack("<c1B", "h", i) or string.pack("<c1I4", "j", i))
  return true
end

function Pickler:text(text)
  if self:get("text " .. text) then return end
  self:add("X", string.pack("<s4", text))
  self:put("text " .. text)
end

function Pickler:global(module, name)
  local line = ("%s\n%s\n"):format(module, name)
  if self:get("name " .. line) then return end
  self:add("c", line)
  self:put("name " .. line)
end

function Pickler:integer(i)
  if i >= 0 and i < 256 then self:add(string.pack("<c1B", "K", i))
  elseif i >= 0 and i < 65536 then self:add(string.pack("<c1I2", "M", i))
  elseif i >= -0x80000000 and i < 0x80000000 then self:add(string.pack("<c1i4", "J", i))
  else self:add(string.pack("<c1s1", "\x8a", string.pack("<i8", i))) end
end

--- A tuple of integers.
function Pickler:integers(list)
  self:add "("
  for _, i in ipairs(list) do self:integer(i) end
  self:add "t"
end

function Pickler:truth(value) self:add(value and "\x88" or "\x89") end

--- An ordered dict without entries.
function Pickler:empty_ordered()
  self:global("collections", "OrderedDict")
  self:add ")R"
end

-- ------------------------------------------------------------------ values

-- How each kind of values is written.
local kinds = {boolean = Pickler.truth}

local function write(walk, value)
  kinds[walk:kind(value)](walk, value)
end

function kinds.none(walk) walk:add "N" end

function kinds.number(walk, value)
  if math.type(value) == "integer" then walk:integer(value) else walk:add(string.pack(">c1d", "G", value)) end
end

--- A text; what is no UTF-8 is bytes, written as protocol 2 does, as a text of the characters 0 to 255.
function kinds.string(walk, value)
  if utf8.len(value) then
    walk:text(value)
    return
  end
  walk:global("_codecs", "encode")
  walk:text((value:gsub("[\x80-\xff]", function(c) return utf8.char(c:byte()) end)))
  walk:text "latin1"
  walk:add "\x86R"
end

function kinds.dtype(walk, dtype) walk:global("torch", Walk.dtype_name(dtype)) end

function kinds.device(walk, device)
  walk:global("torch", "device")
  walk:text(tostring(device))
  walk:add "\x85R"
end

function kinds.size(walk, size)
  walk:global("torch", "Size")
  walk:integers(size)
  walk:add "\x85R"
end

--- The number of a tensor's storage among the archive's members.
function Pickler:storage_key(t)
  local whole, place = system.storage_of(t)
  local key = self.storage_keys[place]
  if not key then
    key = #self.storages
    self.storage_keys[place] = key
    table.insert(self.storages, {whole})
  end
  return tostring(key), whole:numel()
end

local function write_plain_tensor(walk, t)
  local key, count = walk:storage_key(t)
  walk:global("torch._utils", "_rebuild_tensor_v2")
  walk:add "(("
  walk:text "storage"
  walk:global("torch", storage_names[Walk.dtype_name(t.dtype)] .. "Storage")
  walk:text(key)
  walk:text "cpu"
  walk:integer(count)
  walk:add "tQ"
  walk:integer(t:storage_offset())
  walk:integers(t.shape)
  walk:integers(t:stride())
  walk:truth(t.requires_grad and not core.is_parameter(t))
  walk:empty_ordered()
  walk:add "tR"
end

function kinds.tensor(walk, t)
  if walk:get(t) then return end
  if core.is_parameter(t) then
    walk:global("torch._utils", "_rebuild_parameter")
    write_plain_tensor(walk, t)
    walk:truth(t.requires_grad)
    walk:empty_ordered()
    walk:add "\x87R"
  else
    write_plain_tensor(walk, t)
  end
  walk:put(t)
end

-- ------------------------------------------------------------------ tables

-- What PyTorch's optimizers ask for: lists that may be empty, which other empty tables are not taken for, and a dict
-- whose keys may be those of a list.
local always_list = {params = true, param_groups = true, old_dirs = true, old_stps = true, ro = true}

local function is_optimizer_state(t)
  return type(rawget(t, "state")) == "table" and type(rawget(t, "param_groups")) == "table"
end

--- Whether a table is a group of LBFGS's without a line search, which PyTorch wants to read.
local function lacks_search(t)
  return rawget(t, "tolerance_change") ~= nil and rawget(t, "line_search_fn") == nil
end

local function write_list(walk, list)
  if walk:get(list) then return end
  walk:add "]"
  walk:put(list)
  walk.open[list] = true
  walk:add "("
  for i = 1, #list do walk:enter(i, list[i], write) end
  walk:add "e"
  walk.open[list] = nil
end

local function add_entries(walk, t)
  walk.open[t] = true
  local is_optimizer = is_optimizer_state(t)
  walk:add "("
  for key, value in Walk.entries(t) do
    walk:check_key(key)
    write(walk, key)
    if is_optimizer and key == "state" then walk:enter(key, value, kinds.table)
    elseif always_list[key] and type(value) == "table" and next(value) == nil then
      walk:enter(key, value, write_list)
    else walk:enter(key, value, write) end
  end
  if lacks_search(t) then
    walk:text "line_search_fn"
    walk:add "N"
  end
  walk:add "u"
  walk.open[t] = nil
end

kinds.list = write_list

function kinds.table(walk, t)
  if walk:get(t) then return end
  walk:add "}"
  walk:put(t)
  add_entries(walk, t)
end

function kinds.ordered(walk, t)
  if walk:get(t) then return end
  walk:empty_ordered()
  walk:put(t)
  add_entries(walk, t)
end

--- A state dict has the versions of its modules as an attribute.
function kinds.state_dict(walk, t)
  if walk:get(t) then return end
  kinds.ordered(walk, t)
  walk:add "}"
  walk:text "_metadata"
  walk:enter("_metadata", t._metadata, write)
  walk:add "sb"
end

-- -------------------------------------------------------------------- write

--- Writes a value to a path; without one the bytes are returned.
return function(path, value)
  local walk = Walk.new(Pickler, {out = {"\x80\2"}, memo = {}, memoized = 0, storages = {}, storage_keys = {}})
  write(walk, value)
  walk:add "."
  local names, members = {"archive/data.pkl", "archive/byteorder"}, {{table.concat(walk.out)}, {"little"}}
  for i, storage in ipairs(walk.storages) do
    names[#names + 1], members[#members + 1] = ("archive/data/%d"):format(i - 1), storage
  end
  names[#names + 1], members[#members + 1] = "archive/version", {"3\n"}
  return system.write_zip(path, names, members)
end
