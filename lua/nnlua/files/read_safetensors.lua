-- Reading safetensors files: what nl.save wrote (the structure of its metadata), and state dicts of other programs.

local nl = require "nnlua"
local state = require "nnlua.nn.state_dict"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise
local dtype_meta = getmetatable(nl.float32)

-- ------------------------------------------------------------------- values

-- What an object's one field may be: read(value, context) gives the value that the object stands for, or nil and why
-- not.
local kinds = {}

--- Whether a value is a list of the text, and not a table that an object stands for.
local function is_list(value, context)
  return type(value) == "table" and getmetatable(value) == nil and not context.made[value]
end

--- Puts keys and values, which stand in a list in turn, into a table.
local function fill(t, list, context)
  if not is_list(list, context) then
    return nil, "a list expected"
  end
  for i = 1, #list, 2 do
    local key, value = list[i], list[i + 1]
    local kind = type(key)
    if value == nil or kind ~= "string" and kind ~= "number" and kind ~= "boolean" or key ~= key then
      return nil, "keys and values in turn expected before this"
    end
    t[key] = value
  end
  context.made[t] = true
  return t
end

function kinds.table(list, context) return fill({}, list, context) end
function kinds.ordered(list, context) return fill(state.StateDict.ordered(), list, context) end
function kinds.state_dict(list, context) return fill(state.StateDict.new(), list, context) end

function kinds.tensor(name, context)
  if type(name) ~= "string" then
    return nil, "a name expected before this"
  end
  local t = context.tensors[name]
  return t, not t and ("there is no tensor '%s'"):format(name)
end

function kinds.bytes(digits)
  if type(digits) ~= "string" or #digits % 2 == 1 or digits:find "%X" then
    return nil, "pairs of hexadecimal digits expected before this"
  end
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local floats = {nan = 0.0 / 0.0, inf = math.huge, ["-inf"] = -math.huge}

function kinds.float(name)
  return floats[name], "nan, inf or -inf expected before this"
end

function kinds.dtype(name)
  if type(name) ~= "string" then
    return nil, "a name expected before this"
  end
  local dtype = nl[name]
  return getmetatable(dtype) == dtype_meta and dtype or nil, ("there is no dtype '%s'"):format(name)
end

function kinds.device(name)
  return (name == "cpu" or name == "meta") and nl.device(name) or nil, "'cpu' or 'meta' expected before this"
end

function kinds.size(list, context)
  if not is_list(list, context) then
    return nil, "a list of integers expected before this"
  end
  for _, n in ipairs(list) do
    if math.type(n) ~= "integer" then
      return nil, "a list of integers expected before this"
    end
  end
  return nl.Size(list)
end

function kinds.none(value)
  return value == true and nl.none or nil, "'true' expected before this"
end

--- The value that the text of the metadata stands for.
local function read_structure(name, text, tensors)
  local context = {tensors = tensors, made = {}}
  local function refuse(byte, what)
    raise(("load: %s: byte %d of the text 'nnlua' in its metadata: %s"):format(name, byte, what))
  end
  local function make(fields, byte)
    local name, field = next(fields)
    if name == nil or next(fields, name) ~= nil then
      refuse(byte, "an object of one field expected before this")
    elseif not kinds[name] then
      refuse(byte, ("there is no kind of value '%s'"):format(name))
    end
    local value, problem = kinds[name](field, context)
    if value == nil then
      refuse(byte, problem)
    end
    return value
  end
  local value, problem, byte = system.read_json(text, nil, make)
  if value == nil then
    refuse(byte, problem)
  end
  return value
end

-- --------------------------------------------------------------------- read

--- A tensor of pairs as the complex128 one that it stands for.
local function as_complex(file, name, t)
  if not t or t.dtype ~= nl.float64 or t.ndim == 0 or t:size(-1) ~= 2 then
    raise(("load: %s: its metadata call tensor '%s' complex128, but it is no tensor of float64 pairs"):format(
      file, name))
  end
  return nl.view_as_complex(t)
end

local function read_texts(file, texts, tensors)
  local structure
  for i = 1, #texts, 2 do
    local complex = texts[i]:match "^nnlua%.complex128%.(.*)$"
    if complex then
      tensors[complex] = as_complex(file, complex, tensors[complex])
    elseif texts[i] == "nnlua" then
      structure = texts[i + 1]
    end
  end
  return structure
end

--- The value of a file.
---@param source userdata
---@param options {name: string, place: fun(t: Tensor): Tensor}
---@return any
return function(source, options)
  local file, names, texts = system.open_tensors(source)
  local tensors, dict = {}, state.StateDict.new()
  for i, name in ipairs(names) do
    tensors[name] = options.place(system.read_tensor(file, i))
  end
  local structure = read_texts(options.name, texts, tensors)
  if structure then
    return read_structure(options.name, structure, tensors)
  end
  for _, name in ipairs(names) do
    dict[name] = tensors[name]
  end
  return dict
end
