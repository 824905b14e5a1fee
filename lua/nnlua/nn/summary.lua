-- nn.summary: a network's layers as a table.

local args = require "nnlua.args"
local averages = require "nnlua.profiler.averages"
local core = require "nnlua.nn.core"
local kept_modes = require "nnlua.nn.kept_modes"
local nl = require "nnlua"
local profiler = require "nnlua.profiler.core"
local Summary = require "nnlua.nn.summary_table"

local raise = core.raise

-- ---------------------------------------------------------------- inputs

local option_kinds = {
  {"input_size", "list?"}, {"depth", "integer", 3}, {"dtype", "any?"}, {"width", "integer?"},
}
local option_names = {}
for i, kind in ipairs(option_kinds) do option_names[i] = kind[1] end
local parse = args.parser("summary", option_kinds)

local function is_options(value)
  return type(value) == "table" and getmetatable(value) == nil and type(next(value)) == "string"
end

local function is_size(value)
  if core.is_size(value) then return true end
  return type(value) == "table" and getmetatable(value) == nil and math.type(value[1]) == "integer"
end

--- An input in place of a size: ones, which are positions as well where whole numbers are wanted.
local function input_of(value, dtype)
  if is_size(value) then return nl.ones(value, {dtype = dtype or nl.get_default_dtype()}) end
  return value
end

--- The inputs and the options of a call.
local function take_arguments(...)
  local given = table.pack(...)
  local last = given.n > 0 and given[given.n]
  local options = is_options(last) and last or nil
  if options then given.n = given.n - 1 end
  local size, depth, dtype, width = parse(options)
  if depth < 1 then raise "summary: depth must be at least 1" end
  if size and given.n > 0 then raise "summary: inputs are given, and input_size too" end
  if size then given = is_size(size) and {n = 1, size} or {n = #size, table.unpack(size)} end
  for i = 1, given.n do given[i] = input_of(given[i], dtype) end
  return given, depth, width
end

-- ----------------------------------------------------------------- a run

--- Remembers the buffers and random numbers, which a run changes; closing what it gives puts them back.
local function keep(net)
  local state, buffers = nl.get_rng_state(), {}
  for _, buffer in net:named_buffers() do buffers[#buffers + 1] = {buffer, buffer:clone()} end
  return setmetatable({}, {__close = function()
    nl.set_rng_state(state)
    nl.no_grad(function()
      for _, pair in ipairs(buffers) do
        if not nl.equal(pair[1], pair[2]) then pair[1]:copy_(pair[2]) end
      end
    end)
  end})
end

--- The tensors in a value, in order.
local function tensors_in(value, list)
  if core.is_tensor(value) then
    list[#list + 1] = value
  elseif type(value) == "table" and getmetatable(value) == nil then
    local keys = {}
    for key in pairs(value) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do tensors_in(value[key], list) end
  end
  return list
end

local function measure(...)
  local shapes, bytes = {}, 0
  for i = 1, select("#", ...) do
    for _, t in ipairs(tensors_in((select(i, ...)), {})) do
      shapes[#shapes + 1] = {table.unpack(t.shape)}
      bytes = bytes + t:numel() * t.dtype.itemsize
    end
  end
  return shapes, bytes
end

--- Hooks that note the shapes of every module's calls in `calls`; closing what it gives removes them.
local function watch(net, calls)
  local handles = {}
  for _, module in net:named_modules() do
    handles[#handles + 1] = module:register_forward_hook(function(m, inputs, ...)
      local call = calls[m]
      if not call then
        call = {n = 0, bytes = 0, input = measure(table.unpack(inputs, 1, inputs.n))}
        call.output = measure(...)
        calls[m] = call
      end
      local _, bytes = measure(...)
      call.n, call.bytes = call.n + 1, call.bytes + bytes
    end)
  end
  return setmetatable({}, {__close = function()
    for _, handle in ipairs(handles) do handle:remove() end
  end})
end

--- The multiply-adds of the ops that each module called itself. An op that is counted counts for those inside of it.
local function multiply_adds_of(profile)
  local rows, costs, events = profiler.rows(profile), {}, {}
  for i, row in ipairs(rows) do
    local _, cost = averages.sizes_of(row)
    costs[i] = cost or 0
  end
  for i = 1, math.maxinteger do
    local begin, duration, _, row, module = profiler.event(profile, i)
    if not begin then break end
    if costs[row] > 0 then events[#events + 1] = {begin, begin + duration, costs[row], module} end
  end
  table.sort(events, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] > b[2]
  end)
  local by_row, counted = {}, math.mininteger
  for _, event in ipairs(events) do
    if event[1] >= counted then
      by_row[event[4]] = (by_row[event[4]] or 0) + event[3]
      counted = event[2]
    end
  end
  local by_module = {}
  for module, row in pairs(profiler.modules(profile)) do by_module[module] = by_row[row + 1] end
  return by_module
end

--- Runs the network once on the inputs: what its modules did, and the multiply-adds of each.
local function run(net, inputs)
  local calls = {}
  local profile = profiler.open(true, false, math.maxinteger)
  local _ <close> = keep(net)
  local _ <close> = kept_modes(net)
  local _ <close> = watch(net, calls)
  net:eval()
  do
    local _ <close> = profiler.instead(profile)
    nl.no_grad(net, table.unpack(inputs, 1, inputs.n))
  end
  return calls, multiply_adds_of(profile)
end

-- ------------------------------------------------------------ the layers

--- The parameters of a module itself, each once: how many elements they have, of those that are trained, their bytes.
local function own_parameters(module, seen)
  local n, trainable, bytes = 0, 0, 0
  for _, p in module:named_parameters {recurse = false} do
    if core.is_uninitialized(p) then
      raise "summary: the network has layers whose shapes aren't known yet: call it once before"
    end
    if not seen[p] then
      seen[p] = true
      n, bytes = n + p:numel(), bytes + p:numel() * p.dtype.itemsize
      if p.requires_grad then trainable = trainable + p:numel() end
    end
  end
  return n, trainable, bytes
end

--- Adds a module and those inside of it to the list of layers.
local function add_layers(list, module, name, depth, known)
  local call = known.calls[module]
  local layer = {
    name = name, class = tostring(core.class_of(module)):gsub("^nn%.", ""), depth = depth, shared = known.seen[module],
    calls = call and call.n or 0, input_size = call and call.input, output_size = call and call.output,
    output_bytes = call and call.bytes or 0, params = 0, trainable_params = 0, param_bytes = 0, mult_adds = 0,
  }
  list[#list + 1] = layer
  if layer.shared then return layer end
  known.seen[module] = true
  layer.params, layer.trainable_params, layer.param_bytes = own_parameters(module, known.parameters)
  layer.mult_adds = known.mult_adds[module] or 0
  layer.own_params, layer.own_mult_adds = layer.params, layer.mult_adds
  for child_name, child in module:named_children() do
    layer.has_children = true
    local inner = add_layers(list, child, child_name, depth + 1, known)
    for _, field in ipairs {"params", "trainable_params", "param_bytes", "mult_adds"} do
      layer[field] = layer[field] + inner[field]
    end
  end
  return layer
end

-- --------------------------------------------------------------- summary

--- The bytes of what the layers without layers inside gave.
local function bytes_of_leaves(layers)
  local bytes = 0
  for _, layer in ipairs(layers) do
    if not layer.has_children and not layer.shared then bytes = bytes + layer.output_bytes end
  end
  return bytes
end

--- See nn.summary.
return function(net, ...)
  if not core.is_module(net) then
    raise(("summary: a network is expected first, not %s"):format(core.describe(net)))
  end
  local inputs, depth, width = take_arguments(...)
  local known = {calls = {}, mult_adds = {}, seen = {}, parameters = {}}
  if inputs.n > 0 then
    own_parameters(net, {})
    known.calls, known.mult_adds = run(net, inputs)
  end
  local layers = {}
  local whole = add_layers(layers, net, "", 0, known)
  local _, input_bytes = measure(table.unpack(inputs, 1, inputs.n))
  return Summary {
    total_params = whole.params, trainable_params = whole.trainable_params, total_param_bytes = whole.param_bytes,
    total_mult_adds = inputs.n > 0 and whole.mult_adds or nil, total_input_bytes = input_bytes,
    total_output_bytes = 2 * bytes_of_leaves(layers),
    layers = layers, _depth = depth, _width = width,
  }
end
