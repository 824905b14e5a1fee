-- nl.save: values into safetensors files. docs/files.md describes what stands in them.
--
-- A flat table of names and tensors is written plainly, as other programs write and read it. Of anything else the
-- tensors get running numbers for names, and the rest is a JSON text in the metadata (json_value below; load.lua reads
-- it): plain for booleans, numbers, strings and lists, and an object with one field that names the kind for all else.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local format, raise = core.format, core.raise
local dtype_meta, size_meta = getmetatable(nl.float32), getmetatable(nl.zeros(1).shape)
local device_meta = getmetatable(nl.device "cpu")

-- What is deeper is no data structure, and readers give up, too.
local DEEPEST = 60

-- --------------------------------------------------------------------- text

local escapes = {['"'] = '\\"', ["\\"] = "\\\\"}

local function escape(c)
  return escapes[c] or ("\\u%04x"):format(c:byte())
end

local function json_string(text)
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

--- Whether a text is UTF-8 as others read it: neither surrogates nor numbers past Unicode's.
local function is_utf8(text)
  return utf8.len(text) ~= nil
end

local function json_number(value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif value ~= value or value == math.huge or value == -math.huge then
    return ('{"float":"%s"}'):format(value ~= value and "nan" or value > 0 and "inf" or "-inf")
  end
  local text = format("%.17g", value)
  return text:find "[.e]" and text or text .. ".0"
end

local function json_text(value)
  if is_utf8(value) then
    return json_string(value)
  end
  return '{"bytes":"' .. value:gsub(".", function(c) return ("%02x"):format(c:byte()) end) .. '"}'
end

-- --------------------------------------------------------------------- walk

-- A walk over a value: the tensors found, their names, and the names by the place of memory.
local Walk = {}
Walk.__index = Walk

--- "value.layers[2]": where in the value the walk stands.
local function path_text(path)
  local parts = {"value"}
  for _, key in ipairs(path) do
    if type(key) == "string" and key:find "^[%a_][%w_]*$" then
      parts[#parts + 1] = "." .. key
    else
      parts[#parts + 1] = ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or format("%s", key))
    end
  end
  return table.concat(parts)
end

function Walk:refuse(what)
  raise(("save: %s %s"):format(path_text(self.path), what))
end

function Walk:check_tensor(t)
  if t.is_meta then
    self:refuse "is on the meta device and has no elements"
  end
end

--- The name that a tensor is saved under: that of an equal place if there is one.
function Walk:name_of(t, wanted)
  self:check_tensor(t)
  local place = system.place_of(t)
  local name = self.names[place]
  if not name then
    name = wanted or tostring(#self.tensors + 1)
    self.names[place] = name
    table.insert(self.tensors, t)
    table.insert(self.order, name)
  end
  return name
end

local json_value

function Walk:enter(key, value)
  table.insert(self.path, key)
  local text = json_value(self, value)
  table.remove(self.path)
  return text
end

function Walk:json_list(t)
  local parts = {}
  for i = 1, #t do
    parts[i] = self:enter(i, t[i])
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- Keys and values in turn, for tables with keys of any kind.
function Walk:json_pairs(kind, t, each)
  local parts = {}
  for key, value in each(t) do
    local what = type(key)
    if what ~= "string" and what ~= "number" and what ~= "boolean" then
      self:refuse(("has a key that is %s: keys are strings, numbers and booleans"):format(core.describe(key)))
    end
    table.insert(parts, json_value(self, key))
    table.insert(parts, self:enter(key, value))
  end
  return ('{"%s":[%s]}'):format(kind, table.concat(parts, ","))
end

local function key_order(a, b)
  local x, y = type(a), type(b)
  if x ~= y then
    return x < y
  end
  return x == "boolean" and tostring(a) < tostring(b) or x ~= "boolean" and a < b
end

--- Goes through a plain table in an order of its own: the same table gives the same file.
local function sorted(t)
  local keys = {}
  for key in next, t do
    if type(key) ~= "string" and type(key) ~= "number" and type(key) ~= "boolean" then
      return next, t
    end
    keys[#keys + 1] = key
  end
  table.sort(keys, key_order)
  local i = 0
  return function()
    i = i + 1
    return keys[i], t[keys[i]]
  end
end

local function is_list(t)
  local n = 0
  for _ in next, t do n = n + 1 end
  return n == #t and n > 0
end

local ordered_kinds = {["nnlua.StateDict"] = "state_dict", ["nnlua.OrderedDict"] = "ordered"}

local function ordered_kind(t)
  local meta = getmetatable(t)
  return type(meta) == "table" and ordered_kinds[rawget(meta, "__name")] or nil
end

--- Whether a table is saved by its entries alone; the options that nl.argparse read are.
local function is_plain(t)
  local meta = getmetatable(t)
  return meta == nil or type(meta) == "table" and rawget(meta, "__name") == "nnlua.Namespace"
end

function Walk:json_table(t)
  local kind = ordered_kind(t)
  if not kind and not is_plain(t) then
    self:refuse(type(t.state_dict) == "function" and "is an object: save its :state_dict()" or
      ("is %s, which has a metatable: only plain tables can be saved"):format(core.describe(t)))
  elseif self.open[t] then
    self:refuse "contains itself"
  elseif #self.path > DEEPEST then
    self:refuse(("is nested deeper than %d tables"):format(DEEPEST))
  end
  self.open[t] = true
  local text
  if kind then
    text = self:json_pairs(kind, t, pairs)
  elseif is_list(t) then
    text = self:json_list(t)
  else
    text = self:json_pairs("table", t, sorted)
  end
  self.open[t] = nil
  return text
end

function Walk:json_userdata(value)
  if value == nl.none then
    return '{"none":true}'
  elseif nl.is_tensor(value) then
    return ('{"tensor":%s}'):format(json_string(self:name_of(value)))
  elseif getmetatable(value) == dtype_meta then
    return ('{"dtype":"%s"}'):format(tostring(value):match "[^.]+$")
  elseif getmetatable(value) == device_meta then
    return ('{"device":"%s"}'):format(value)
  elseif getmetatable(value) == size_meta then
    return ('{"size":%s}'):format(self:json_list(value))
  elseif nl.nn.is_module(value) then
    self:refuse "is a module: save its state, net:state_dict()"
  end
  self:refuse(("is %s, which can't be saved"):format(core.describe(value)))
end

function json_value(walk, value)
  local kind = type(value)
  if kind == "boolean" then
    return tostring(value)
  elseif kind == "number" then
    return json_number(value)
  elseif kind == "string" then
    return json_text(value)
  elseif kind == "table" then
    return walk:json_table(value)
  elseif kind == "userdata" then
    return walk:json_userdata(value)
  end
  walk:refuse(kind == "nil" and "is nil" or ("is a %s, which can't be saved"):format(kind))
end

-- --------------------------------------------------------------------- save

--- Whether the format has a dtype: it knows complex64, but not complex128.
local function is_native(t)
  return t.dtype ~= nl.complex128
end

--- Whether a value is a table from names to tensors; and whether some of these are one place of memory.
local function is_flat(value)
  if type(value) ~= "table" or not ordered_kind(value) and getmetatable(value) ~= nil then
    return false
  end
  local seen, shares = {}, false
  for name, t in pairs(value) do
    if type(name) ~= "string" or not is_utf8(name) or name == "__metadata__" or not nl.is_tensor(t) or
        core.is_uninitialized(t) then
      return false
    end
    local place = system.place_of(t)
    shares = shares or seen[place]
    seen[place] = true
  end
  return true, shares
end

local function add_flat(walk, value)
  for name, t in (ordered_kind(value) and pairs or sorted)(value) do
    walk.path[1] = name
    walk:name_of(t, name)
  end
  walk.path[1] = nil
end

--- Raises for what stands behind the value, which may be a table of names itself.
local function no_more(extra)
  if extra == nil then return end
  if args.is_named("save", extra) then args.refuse("save", next(extra), {}) end
  raise "save: at most 2 arguments are taken: path, value"
end

--- A tensor as it stands in the file: its elements in order, a complex128 as pairs of float64.
local function stored(t)
  t = t:detach()
  return (is_native(t) and t or nl.view_as_real(t)):contiguous()
end

--- Writes a value to a file in the safetensors format: a tensor, or tables (nested as you like) of tensors, strings,
--- numbers, booleans, nl.none, dtypes, devices and sizes. A state dict, or a plain table from strings to tensors, is
--- written so that other programs read it. Tensors that are the same place of memory are saved once, a view saves only
--- itself. The file is there whole or, after an error, as it was before.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.load(path).w
---     tensor([1., 1.])
---@param path string
---@param value any
local function save(path, value, ...)
  system.check_path("save", path)
  no_more(...)
  local walk = setmetatable({path = {}, open = {}, names = {}, tensors = {}, order = {}}, Walk)
  local texts = {"format", "pt"}
  local flat, shares = is_flat(value)
  if flat then
    add_flat(walk, value)
  end
  if not flat or shares then
    table.insert(texts, "nnlua")
    table.insert(texts, json_value(walk, value))
  end
  for i, t in ipairs(walk.tensors) do
    if not is_native(t) then
      table.insert(texts, "nnlua.complex128." .. walk.order[i])
      table.insert(texts, "pairs")
    end
    walk.tensors[i] = stored(t)
  end
  system.write_tensors(path, walk.order, walk.tensors, texts)
end

return save
