--- The values of the files as nnlua's; export/README.md has the list of them.

local api = require "oracle.api"
local json = require "oracle.json"

local nl = api.nl

local values = {}

values.SPECIAL = {nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge}

-- -------------------------------------------------------------------- tensors

--- What fills the gaps of a layout, so that a kernel that reads them is found out.
local GAP = 99

--- One number of each element as Lua values: every `step`th of the data from `first` on.
local function numbers_of(encoded, first, step)
  local data, numbers, n = encoded.data, {}, 0
  local is_bool = encoded.tensor == "bool"
  for i = first, #data, step do
    local v = values.SPECIAL[data[i]] or data[i]
    if is_bool then
      v = v ~= 0
    end
    n = n + 1
    numbers[n] = v
  end
  return numbers
end

--- Numbers in row-major order put where the strides have them in memory.
local function spread(numbers, shape, stride)
  local extent = 1
  for d, size in ipairs(shape) do
    extent = extent + (size - 1) * stride[d]
  end
  local memory, gap = {}, numbers[1] == true or numbers[1] == false or GAP
  for i = 1, extent do
    memory[i] = gap
  end
  for i, number in ipairs(numbers) do
    local rest, place = i - 1, 1
    for d = #shape, 1, -1 do
      place = place + rest % shape[d] * stride[d]
      rest = rest // shape[d]
    end
    memory[place] = number
  end
  return memory
end

--- The memory of a tensor, or of one part of a complex one, as a tensor of one dimension.
local function memory_of(encoded, dtype_name, first, step)
  local numbers = numbers_of(encoded, first, step)
  if encoded.stride and #numbers > 0 then
    numbers = spread(numbers, encoded.shape, encoded.stride)
  end
  return nl.tensor(numbers, {dtype = api.lookup(dtype_name)})
end

local PART_OF = {complex64 = "float32", complex128 = "float64"}

--- An encoded tensor, which requires no gradient yet.
function values.tensor(encoded)
  local shape, part = encoded.shape, PART_OF[encoded.tensor]
  local memory
  if encoded.data == json.null then
    return api.lookup("empty")(shape, {dtype = api.lookup(encoded.tensor)})
  elseif part then
    memory = api.lookup("complex")(memory_of(encoded, part, 1, 2), memory_of(encoded, part, 2, 2))
  else
    memory = memory_of(encoded, encoded.tensor, 1, 1)
  end
  if encoded.stride then
    return memory:as_strided(shape, encoded.stride)
  end
  return #shape == 1 and memory or memory:reshape(shape)
end

--- All elements of a tensor in row-major order; a complex one is two numbers, booleans are
--- 0 and 1.
function values.elements(tensor)
  tensor = tensor:detach()
  if tensor.dtype == nl.float16 or tensor.dtype == nl.bfloat16 then
    tensor = tensor:to(nl.float64)
  elseif tensor.dtype == nl.complex64 or tensor.dtype == nl.complex128 then
    tensor = api.lookup("view_as_real")(tensor)
  end
  local flat, n = {}, 0
  local function add(nested)
    if type(nested) == "table" then
      for _, inner in ipairs(nested) do
        add(inner)
      end
    else
      n = n + 1
      flat[n] = nested == true and 1 or nested ~= false and nested or 0
    end
  end
  add(tensor:tolist())
  return flat
end

-- --------------------------------------------------------------- other values

--- Collects the tensors of a call as they are decoded, each with what it was made from.
--- Only with `gradients` do they require any.
function values.collector(gradients)
  return {gradients = gradients, tensors = {}, encoded = {}}
end

local function collected_tensor(encoded, collector)
  local tensor = values.tensor(encoded)
  if encoded.requires_grad and (not collector or collector.gradients) then
    tensor = tensor:requires_grad_()
  end
  if collector then
    table.insert(collector.tensors, tensor)
    table.insert(collector.encoded, encoded)
  end
  return tensor
end

local function list(encoded, collector)
  local own = {}
  for i, v in ipairs(encoded) do
    own[i] = values.decode(v, collector)
  end
  return own
end

local function constant(name)
  return api.lookup(name)
end

-- By the tag of a value: a function of what stands behind it.
local DECODERS = {
  none = function() return constant("none") end,
  float = function(name) return values.SPECIAL[name] end,
  complex = function(parts)
    local real, imaginary = values.decode(parts[1]), values.decode(parts[2])
    return api.lookup("complex")(real, imaginary)
  end,
  dtype = constant,
  memory_format = constant,
  layout = constant,
  ["function"] = constant,
  newaxis = function() return constant("newaxis") end,
  ellipsis = function() return constant("ellipsis") end,
  range = list,
  index = list,
}

--- A function of a step's number, by name.
local function lambda(encoded)
  local number = encoded.number
  return encoded.lambda == "power" and function(n) return number ^ n end
    or function() return number end
end

local function names_in_order(encoded)
  local names = {}
  for name in pairs(encoded) do
    table.insert(names, name)
  end
  table.sort(names)
  return names
end

local function named(encoded, collector)
  local own = {}
  for _, name in ipairs(names_in_order(encoded)) do
    own[name] = values.decode(encoded[name], collector)
  end
  return own
end

--- A value of the format as nnlua has it; `collector` may be nil.
function values.decode(encoded, collector)
  if encoded == json.null then
    return nil
  elseif type(encoded) ~= "table" then
    return encoded
  elseif encoded[1] ~= nil or next(encoded) == nil then
    return list(encoded, collector)
  elseif encoded.tensor then
    return collected_tensor(encoded, collector)
  elseif encoded.module then
    return values.module(encoded)
  elseif encoded.lambda then
    return lambda(encoded)
  end
  local tag, content = next(encoded)
  local decoder = DECODERS[tag]
  return decoder and decoder(content, collector) or named(encoded, collector)
end

--- A module or an encoded part of one, constructed.
function values.module(encoded)
  local class = api.lookup(encoded.module)
  return class(values.unpack(values.arguments(encoded.args, encoded.kwargs)))
end

-- ------------------------------------------------------------------ arguments

-- Names of arguments that are keywords in Lua.
local RENAMED = {["end"] = "stop"}

--- The arguments of a call as `table.pack` has them, named ones in a last table.
function values.arguments(args, kwargs, collector)
  local own = {n = #args}
  for i, v in ipairs(args) do
    own[i] = values.decode(v, collector)
  end
  local by_name = {}
  for _, name in ipairs(names_in_order(kwargs)) do
    by_name[RENAMED[name] or name] = values.decode(kwargs[name], collector)
  end
  if next(by_name) ~= nil then
    own.n = own.n + 1
    own[own.n] = by_name
  end
  return own
end

function values.unpack(packed)
  return table.unpack(packed, 1, packed.n)
end

--- Decoded values by name: a state, for one.
function values.state(encoded)
  return named(encoded)
end

return values
