-- Writing safetensors files. docs/files.md describes what stands in them.
--
-- A flat table of names and tensors is written plainly, as other programs write and read it. Of anything else the
-- tensors get running numbers for names, and the rest is a JSON text in the metadata (json_value below;
-- read_safetensors.lua reads it): plain for booleans, numbers, strings and lists, and an object with one field that
-- names the kind for all else.

local Walk = require "nnlua.files.walk"
local core = require "nnlua.nn.core"
local json_string = require "nnlua.files.json".string
local nl = require "nnlua"
local system = require "nnlua.system"

local format = core.format
local entries, ordered_kind = Walk.entries, Walk.ordered_kind

-- A walk knows the tensors found, their names, and the names by the place of memory.
local Writer = Walk.class()

--- The name that a tensor is saved under: that of an equal place if there is one.
function Writer:name_of(t, wanted)
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

-- --------------------------------------------------------------------- text

--- Whether a text is UTF-8 as others read it: neither surrogates nor numbers past Unicode's.
local function is_utf8(text)
  return utf8.len(text) ~= nil
end

-- How each kind of values is written.
local texts = {boolean = function(_, value) return tostring(value) end}

local function json_value(walk, value)
  return texts[walk:kind(value)](walk, value)
end

function texts.number(_, value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif value ~= value or value == math.huge or value == -math.huge then
    return ('{"float":"%s"}'):format(value ~= value and "nan" or value > 0 and "inf" or "-inf")
  end
  local text = format("%.17g", value)
  return text:find "[.e]" and text or text .. ".0"
end

function texts.string(_, value)
  if is_utf8(value) then
    return json_string(value)
  end
  return '{"bytes":"' .. value:gsub(".", function(c) return ("%02x"):format(c:byte()) end) .. '"}'
end

function texts.none() return '{"none":true}' end
function texts.tensor(walk, t) return ('{"tensor":%s}'):format(json_string(walk:name_of(t))) end
function texts.dtype(_, dtype) return ('{"dtype":"%s"}'):format(Walk.dtype_name(dtype)) end
function texts.device(_, device) return ('{"device":"%s"}'):format(device) end

local function json_list(walk, list)
  local parts = {}
  for i = 1, #list do
    parts[i] = walk:enter(i, list[i], json_value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

function texts.list(walk, list)
  walk.open[list] = true
  local text = json_list(walk, list)
  walk.open[list] = nil
  return text
end

function texts.size(walk, size) return ('{"size":%s}'):format(json_list(walk, size)) end

--- Keys and values in turn, for tables with keys of any kind.
local function writer_of_pairs(kind)
  return function(walk, t)
    local parts = {}
    walk.open[t] = true
    for key, value in entries(t) do
      walk:check_key(key)
      table.insert(parts, json_value(walk, key))
      table.insert(parts, walk:enter(key, value, json_value))
    end
    walk.open[t] = nil
    return ('{"%s":[%s]}'):format(kind, table.concat(parts, ","))
  end
end

for _, kind in ipairs {"table", "ordered", "state_dict"} do
  texts[kind] = writer_of_pairs(kind)
end

-- -------------------------------------------------------------------- write

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
  for name, t in entries(value) do
    walk.path[1] = name
    walk:check_tensor(t)
    walk:name_of(t, name)
  end
  walk.path[1] = nil
end

--- A tensor as it stands in the file: its elements in order, a complex128 as pairs of float64.
local function stored(t)
  t = t:detach()
  return (is_native(t) and t or nl.view_as_real(t)):contiguous()
end

--- Names and texts that users add, after the format's own.
local function metadata_texts(metadata)
  local list = {"format", "pt"}
  for name, text in Walk.sorted(metadata or {}) do
    if type(name) ~= "string" or type(text) ~= "string" or not is_utf8(name .. text) then
      core.raise "save: metadata is a table of names and texts, both UTF-8"
    elseif name:find "^nnlua" then
      core.raise(("save: the name '%s' in metadata is nnlua's own"):format(name))
    elseif name == "format" then
      list[2] = text
    else
      table.insert(list, name)
      table.insert(list, text)
    end
  end
  return list
end

--- Writes a value to a path; without one the bytes are returned.
---@param path string?
---@param value any
---@param options {metadata: table<string, string>?}
---@return string?
return function(path, value, options)
  local walk = Walk.new(Writer, {names = {}, tensors = {}, order = {}})
  local list = metadata_texts(options.metadata)
  local flat, shares = is_flat(value)
  if flat then
    add_flat(walk, value)
  end
  if not flat or shares then
    table.insert(list, "nnlua")
    table.insert(list, json_value(walk, value))
  end
  for i, t in ipairs(walk.tensors) do
    if not is_native(t) then
      table.insert(list, "nnlua.complex128." .. walk.order[i])
      table.insert(list, "pairs")
    end
    walk.tensors[i] = stored(t)
  end
  return system.write_tensors(path, walk.order, walk.tensors, list)
end
