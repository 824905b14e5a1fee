-- Every class of layers that nnlua.nn has, and samples of each, for the specs that loop over the layers.
--
-- The samples of a class stand in layers/<family>.lua beside this file, as a function that makes a list of them. A
-- sample is a list of the constructor's arguments, a table of named ones last; in its named fields:
--   text = "..."         what PyTorch prints for the layer; required (where PyTorch counts from 0, nnlua's number)
--   inputs = {...}       the arguments of a call: a float64 tensor of shape {2, 3} unless given
--   call = function      how the layer is used where a call with its inputs won't do, as for containers: f(layer, ...)
--   differences = false  its gradients are not meant to be the derivatives
local nl = require "nnlua"
local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local inputs = require "support.inputs"

local nn = nl.nn

local layers = {}

local function read_samples()
  local folder = debug.getinfo(1, "S").source:match "^@(.*)%.lua$"
  local all = {}
  local names <close> = assert(io.popen("ls '" .. folder .. "'"))
  for name in names:lines() do
    for class, list in pairs(require("support.layers." .. name:match "^(.*)%.lua$")) do all[class] = list end
  end
  return all
end

local samples = read_samples()

-- ------------------------------------------------------------------ classes

--- Whether a class is made for others to come from: it has no init, and others do.
local function is_base(class)
  if rawget(class, "init") or class == nn.Module then return false end
  for _, other in pairs(nn) do
    if core.is_class(other) and other.super == class then return true end
  end
  return false
end

--- The names of all layers that can be made, in order.
function layers.names()
  local names = {}
  for name, value in pairs(nn) do
    if core.is_class(value) and not is_base(value) then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

--- The names of samples that there is no class for.
function layers.left_over()
  local names = {}
  for name in pairs(samples) do
    if not nn[name] then table.insert(names, name) end
  end
  return names
end

--- What is known of the arguments of a class's constructor: a list of {name, type, default}.
function layers.constructor(name)
  return args.specs["nn." .. name] or {}
end

--- Whether the constructor of a class has an argument of a name.
function layers.takes(name, argument)
  for _, entry in ipairs(layers.constructor(name)) do
    if entry[1] == argument then return true end
  end
  return false
end

-- ------------------------------------------------------------------ samples

--- The name of the file of lua/nnlua/nn that a class stands in.
local function family_of(class)
  local own = rawget(class, "init") or rawget(class, "forward")
  return own and debug.getinfo(core.unguarded(own), "S").source:match "nn/([%w_]+)%.lua" or "<family>"
end

--- The samples of a class, made anew by each call.
function layers.samples(name)
  if not samples[name] then
    error(("nn.%s has no sample: give it one in tests/support/layers/%s.lua; tests/support/layers.lua says how")
      :format(name, family_of(nn[name])), 0)
  end
  inputs.restart()
  local list = samples[name]()
  for i, sample in ipairs(list) do
    if not sample.text then
      error(("sample %d of nn.%s has no text: give it what PyTorch prints for the layer"):format(i, name), 0)
    end
    sample.inputs = sample.inputs or {inputs.real(2, 3)}
  end
  return list
end

--- A module that uses a layer as its sample says.
local User = nn.class "User"

function User:init(layer, call)
  self.layer, self.call = layer, call
end

function User:forward(...)
  return self.call(self.layer, ...)
end

--- The named arguments of a sample, or nil.
function layers.named(sample)
  local last = sample[#sample]
  return args.is_named("a sample", last) and last or nil
end

--- A layer of a sample as its constructor makes it; `more` are named arguments besides the sample's. Modules among the
--- arguments are copies.
function layers.construct(name, sample, more)
  local values = nn.deepcopy {table.unpack(sample)}
  if more then
    local own = {}
    for key, value in pairs(layers.named(sample) or {}) do own[key] = value end
    for key, value in pairs(more) do own[key] = value end
    values[layers.named(sample) and #values or #values + 1] = own
  end
  nl.manual_seed(3)
  return nn[name](table.unpack(values))
end

--- A layer of a sample that can be called with its inputs, in float64; a lazy one has been called.
function layers.make(name, sample, more)
  local net = layers.construct(name, sample, more)
  if sample.call then net = User(net, sample.call) end
  net:to(nl.float64)
  for parameter in net:parameters() do
    if nn.is_lazy(parameter) then
      layers.call(net, sample.inputs)
      break
    end
  end
  return net
end

--- Calls a layer, with the same random numbers each time. Returns the results, packed.
function layers.call(net, values)
  nl.manual_seed(5)
  return table.pack(net(table.unpack(values)))
end

-- -------------------------------------------------------------- in samples

--- A copy of nested tables with f of each tensor in it.
function layers.map(value, f)
  if nl.is_tensor(value) then return f(value) end
  if type(value) ~= "table" or getmetatable(value) then return value end
  local mapped = {}
  for key, item in pairs(value) do mapped[key] = layers.map(item, f) end
  return mapped
end

local function collect(value, list)
  if nl.is_tensor(value) then
    table.insert(list, value)
  elseif type(value) == "table" and not getmetatable(value) then
    for _, item in ipairs(value) do collect(item, list) end
    local keys = {}
    for key in pairs(value) do
      if type(key) == "string" then table.insert(keys, key) end
    end
    table.sort(keys)
    for _, key in ipairs(keys) do collect(value[key], list) end
  end
  return list
end

--- All tensors in nested tables, in a fixed order.
function layers.tensors(value)
  return collect(value, {})
end

--- Those that are floating.
function layers.floating(value)
  local list = {}
  for _, t in ipairs(layers.tensors(value)) do
    if t:is_floating_point() then table.insert(list, t) end
  end
  return list
end

return layers
