-- Valid arguments for every row of the op table that Lua can call, for the specs that loop over the rows.
--
-- A row gets arguments made from the kinds that it declares: tensors are float64 of shape {2, 3}. Where those are not
-- what the op takes, `own` below has lists of arguments for it. A sample is a list of arguments; in its named fields:
--   values = false     what the result holds is left open (random, or not set)
--   strided = false    the op depends on how its input lies in memory
--   fixed = {3}        arguments that have no gradient
--   in_place = false   the in-place form does not take them
--   complex = true     the op takes complex tensors only
local nl = require "nnlua"

local samples = {}

-- ------------------------------------------------------------------- tensors

local state

--- The next of a fixed sequence of numbers between 0 and 1.
local function draw()
  state = (state * 1103515245 + 12345) % 2147483648
  return state / 2147483648
end

local function count(shape)
  local n = 1
  for _, size in ipairs(shape) do n = n * size end
  return n
end

local function make(shape, element, dtype)
  local list = {}
  for i = 1, count(shape) do list[i] = element(i) end
  return nl.tensor(list, {dtype = dtype or nl.float64}):reshape(shape)
end

--- Numbers of both signs, none near 0 or 1, where functions have corners; no two are equal.
local function real(...)
  return make({...}, function(i)
    local size = i % 3 == 0 and 1.15 + draw() or 0.2 + 0.6 * draw()
    return i % 2 == 0 and -size or size
  end)
end

local function positive(...)
  return make({...}, function() return 0.3 + 0.5 * draw() end)
end

local function positions(shape, ...)
  local list = {...}
  return make(shape, function(i) return list[i] end, nl.int64)
end

--- Positions 1 and 2, different in each column and in neighbouring rows.
local function default_positions()
  return positions({2, 3}, 1, 2, 1, 2, 1, 2)
end

local function mask()
  return make({2, 3}, function(i) return i % 3 ~= 1 end, nl.bool)
end

-- ------------------------------------------------------------------- samples

local own = {
  log = function() return {{positive(2, 3)}} end,
  softplus = function() return {{real(2, 3)}, {real(2, 3), 2, 1}} end,
  add = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), 2.5}, {real(2, 3), 1.5}} end,
  addcmul = function() return {{real(2, 3), real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), real(2, 3), -2.5}} end,
  lerp = function() return {{real(2, 3), real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), 0.25}} end,
  sub = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), -0.5}} end,
  div_mode = function()
    return {{real(2, 3), positive(2, 3), "trunc"}, {real(2, 3), positive(2, 3), {rounding_mode = "floor"}}}
  end,
  pow = function() return {{positive(2, 3), real(2, 3)}, {real(2, 3), 3}, {positive(2, 3), 0.5}} end,

  to_dtype = function() return {{real(2, 3), nl.float32}, {real(2, 3), nl.complex128}, {real(2, 3)}} end,
  to_device = function() return {{real(2, 3), "cpu"}} end,
  fill_tensor = function() return {{real(2, 3), real()}} end,
  complex_of = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), 1.5}, {real(3), real(2, 1)}} end,
  view_as_real = function() return {{nl.complex(real(2, 3), real(2, 3)), complex = true}} end,
  view_as_complex = function() return {{real(3, 2), strided = false}} end,

  split_sizes = function() return {{real(2, 3), {1, 2}, 2}} end,
  cat = function() return {{{real(2, 3), real(1, 3)}}, {{real(2, 3), real(2, 2)}, 2}} end,

  empty = function() return {{{2, 3}, values = false}} end,
  empty_like = function() return {{real(2, 3), values = false}} end,
  new_empty = function() return {{real(2, 3), {3, 2}, values = false}} end,
  arange = function() return {{5}, {2.5}} end,
  arange_start = function() return {{1, 6, 2}, {3, 0.5, -0.5}} end,
  linspace = function() return {{0, 1, 5}} end,

  sum = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), {1, 2}, true}} end,
  cumsum = function() return {{real(2, 3), 2}, {real(2, 3, 2), 1}, {real(2, 3), -1, nl.complex128, in_place = false}} end,
  mean = function() return {{real(2, 3)}, {real(2, 3), 1}, {real(2, 3), {1, 2}, true}} end,
  norm = function() return {{real(2, 3)}, {real(2, 3), 3, 2}, {real(2, 3), 1}, {real(2, 3), math.huge, 1}} end,
  norm_named = function() return {{real(2, 3), "fro"}} end,
  var = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), 1, false, true}} end,
  std = function() return {{real(2, 3)}, {real(2, 3), 2}, {real(2, 3), 1, false, true}} end,
  any = function() return {{mask()}, {mask(), 2, true}} end,
  all = function() return {{mask()}, {mask(), 2, true}} end,

  mm = function() return {{real(2, 3), real(3, 4)}} end,
  bmm = function() return {{real(2, 3, 2), real(2, 2, 3)}} end,
  mv = function() return {{real(2, 3), real(3)}} end,
  dot = function() return {{real(3), real(3)}} end,
  matmul = function()
    return {
      {real(2, 3), real(3, 2)}, {real(3), real(3)}, {real(2, 3), real(3)}, {real(2), real(2, 3)},
      {real(2, 2, 3), real(3, 2)}, {real(2, 1, 2, 3), real(2, 3, 1)},
    }
  end,
  addmm = function()
    return {{real(2, 2), real(2, 3), real(3, 2)}, {real(2), real(2, 3), real(3, 2), 0.5, 2.5}}
  end,
  linear = function()
    return {{real(2, 3), real(4, 3), real(4)}, {real(2, 2, 3), real(4, 3)}, {real(3), real(2, 3), real(2)}}
  end,

  scatter_combine = function()
    return {
      {real(2, 3), 1, default_positions(), real(2, 3), "add"},
      {real(2, 3), 1, default_positions(), real(2, 3), {reduce = "add"}},
    }
  end,
  scatter_combine_value = function()
    return {
      {real(2, 3), 1, default_positions(), 0.5, "add"},
      {real(2, 3), 1, default_positions(), 2, {reduce = "multiply"}, fixed = {1}},
    }
  end,
  index_select = function()
    return {{real(2, 3), 2, positions({2}, 3, 1)}, {real(2, 3), 1, positions({3}, 1, 2, 1)}}
  end,
  index_add = function()
    return {
      {real(2, 3), 2, positions({2}, 3, 1), real(2, 2)},
      {real(2, 3), 1, positions({3}, 1, 2, 1), real(3, 3), 0.5},
    }
  end,
  index_copy = function() return {{real(2, 3), 2, positions({2}, 3, 1), real(2, 2)}} end,
  index_fill = function()
    return {{real(2, 3), 2, positions({2}, 3, 1), 0.5}, {real(2, 3), 1, positions({1}, 2), real()}}
  end,
  index_put = function()
    return {
      {real(2, 3), {positions({2}, 2, 1)}, real(2, 3)},
      {real(2, 3), {positions({3}, 2, 1, 2), positions({3}, 1, 1, 1)}, real(3), true},
      {real(2, 3), {mask()}, 0.5},
    }
  end,
  nonzero = function() return {{mask()}, {mask(), true}} end,
  argwhere = function() return {{mask()}} end,
  where = function() return {{mask(), real(2, 3), real(2, 3)}, {mask(), real(2, 1), 0.5}} end,
  where_numbers = function() return {{mask(), 0.5, 2.5}, {mask(), 1, 2}} end,
  where_positions = function() return {{mask()}} end,
  where_self = function() return {{real(2, 3), mask(), real(2, 3)}, {real(2, 3), mask(), 0.5}} end,
  masked_fill = function() return {{real(2, 3), mask(), 0.5}, {real(2, 3), mask(), real()}} end,
  masked_select = function() return {{real(2, 3), mask()}} end,
  masked_scatter = function() return {{real(2, 3), mask(), real(2, 3)}} end,

  nll_loss = function()
    return {
      {real(2, 3), positions({2}, 3, 1)},
      {real(2, 3), positions({2}, 2, -100), positive(3), {reduction = "sum"}, fixed = {3}},
      {real(2, 3, 2), positions({2, 2}, 3, 1, 2, 2), {reduction = "none"}},
    }
  end,
  cross_entropy = function()
    return {
      {real(2, 3), positions({2}, 3, 1)},
      {real(2, 3), positions({2}, 2, 1), positive(3), {label_smoothing = 0.1}, fixed = {3}},
      {real(2, 3, 2), positions({2, 2}, 3, 1, -100, 2), {reduction = "none"}},
      {real(2, 3), positive(2, 3)},
    }
  end,
  mse_loss = function() return {{real(2, 3), real(2, 3)}, {real(2, 3), real(2, 3), {reduction = "none"}}} end,

  randint_low = function() return {{0, 5, {2, 3}}} end,
  randint_like_low = function() return {{real(2, 3), 0, 5}} end,
  bernoulli = function() return {{positive(2, 3)}} end,
  bernoulli_fill_tensor = function() return {{real(2, 3), positive(2, 3)}} end,
  random_from = function() return {{real(2, 3), 0, 5}} end,
  dropout = function() return {{real(2, 3), 0.5, true, values = false}} end,
  functional_dropout = function() return {{real(2, 3), values = false}} end,

  view = function() return {{real(2, 3), {3, -1}, strided = false}} end,
  view_dtype = function() return {{real(2, 3), nl.float32, strided = false, values = false}} end,
  narrow_tensor = function() return {{real(2, 3), 2, positions({}, 2), 2}} end,
  unflatten = function() return {{real(2, 6), 2, {3, 2}}} end,
  transpose = function() return {{real(2, 3), 1, 2}} end,
  swapaxes = function() return {{real(2, 3), 1, 2}} end,
  swapdims = function() return {{real(2, 3), 1, 2}} end,
  permute = function() return {{real(2, 3, 2), {3, 1, 2}}} end,
  expand = function() return {{real(2, 1), {2, 3}}, {real(3), {2, -1}}} end,
  expand_as = function() return {{real(2, 1), real(2, 3)}} end,
  broadcast_to = function() return {{real(2, 1), {2, 2, 3}}} end,
  squeeze = function() return {{real(2, 1, 3)}} end,
  squeeze_dims = function() return {{real(1, 2, 1), {1, 3}}} end,
  as_strided = function() return {{real(2, 3), {2, 2}, {1, 2}, 1, strided = false}} end,
}

-- ------------------------------------------------------------------ defaults

local by_kind = {
  tensor = function(arg) return arg.is_position and default_positions() or real(2, 3) end,
  operand = function() return real(2, 3) end,
  tensors = function() return {real(2, 3), real(2, 3)} end,
  scalar = function() return 0.5 end,
  int = function() return 2 end,
  real = function() return 0.5 end,
  bool = function() return true end,
  size = function() return {3, 2} end,
  ints = function() return {2, 3} end,
  dim = function() return 1 end,
  dims = function() return {1} end,
  position = function() return 1 end,
  dtype = function() return nl.float32 end,
  device = function() return "cpu" end,
}

local function default_sample(row)
  local sample = {n = 0}
  for i, arg in ipairs(row.args) do
    if arg.kind == "generator" then sample.values = false end
    if arg.required then
      local value = by_kind[arg.kind]
      if not value then return nil, ("its argument '%s' is a %s"):format(arg.name, arg.kind) end
      sample[i], sample.n = value(arg), i
    end
  end
  return sample
end

--- Whether Lua can call a row: private ones appear nowhere.
function samples.is_public(row)
  return row.in_nl or row.method or row.functional or row.linalg or row.in_place
end

--- All rows that Lua can call.
function samples.rows()
  local rows = {}
  for _, row in ipairs(nl.ops()) do
    if samples.is_public(row) then table.insert(rows, row) end
  end
  return rows
end

local function no_sample(row, why)
  local where = "Give it a list of arguments in `own` of tests/support/samples.lua"
  error(("the row '%s' (%s) has no usable sample: %s. %s"):format(row.row, row.name, why, where), 0)
end

--- The samples of a row, made anew by each call.
function samples.of(row)
  state = 20041
  if own[row.row] then
    local list = own[row.row]()
    for _, sample in ipairs(list) do
      sample.n = #sample
      for _, arg in ipairs(row.args) do
        if arg.kind == "generator" then sample.values = false end
      end
    end
    return list
  end
  local sample, why = default_sample(row)
  if not sample then no_sample(row, why) end
  return {sample}
end

-- ------------------------------------------------------------------- calling

--- What a user calls: a function that takes the first argument of a method, too.
function samples.entry(row)
  local name = row.name
  if row.in_nl then return nl[name] end
  if row.functional then return nl.F[name] end
  if row.linalg then return nl.linalg[name] end
  if row.method then return nl.zeros(1)[name] end
  return nl[name .. "_"]
end

--- Whether only the in-place form is there.
function samples.is_only_in_place(row)
  return not (row.in_nl or row.functional or row.linalg or row.method)
end

--- Calls a row, with the same random numbers each time; a row that only works in place gets a clone of its input.
--- Returns the results, packed.
function samples.call(row, sample)
  nl.manual_seed(7)
  if samples.is_only_in_place(row) then
    return table.pack(samples.entry(row)(sample[1]:clone(), table.unpack(sample, 2, sample.n)))
  end
  return table.pack(samples.entry(row)(table.unpack(sample, 1, sample.n)))
end

--- The in-place form applied to a tensor in the place of the first argument.
function samples.call_in_place(row, x, sample)
  nl.manual_seed(7)
  return nl[row.name .. "_"](x, table.unpack(sample, 2, sample.n))
end

--- Samples that the row really takes; an error that says where to add one otherwise.
function samples.usable(row)
  local list = samples.of(row)
  for i, sample in ipairs(list) do
    local ok, message = pcall(samples.call, row, sample)
    if not ok then no_sample(row, ("sample %d gives '%s'"):format(i, message)) end
  end
  return list
end

--- A sample whose tensors, also those in lists, are f of the old ones.
function samples.map(sample, f)
  local mapped = {}
  for key, value in pairs(sample) do
    if nl.is_tensor(value) then
      mapped[key] = f(value)
    elseif type(value) == "table" then
      mapped[key] = samples.map(value, f)
    else
      mapped[key] = value
    end
  end
  return mapped
end

local function by_key(a, b)
  if math.type(a) == math.type(b) then return a < b end
  return math.type(a) ~= nil
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do table.insert(keys, key) end
  table.sort(keys, by_key)
  return keys
end

local function collect(value, list)
  for _, key in ipairs(sorted_keys(value)) do
    if nl.is_tensor(value[key]) then
      table.insert(list, value[key])
    elseif type(value[key]) == "table" then
      collect(value[key], list)
    end
  end
  return list
end

--- All tensors of a sample, in a fixed order.
function samples.tensors(sample)
  return collect(sample, {})
end

--- The sample with other tensors in the places of its own, in the order of samples.tensors.
function samples.with_tensors(sample, tensors)
  local place = {}
  for i, t in ipairs(samples.tensors(sample)) do place[t] = tensors[i] end
  return samples.map(sample, function(t) return place[t] end)
end

function samples.is_inexact(t)
  return t:is_floating_point() or t:is_complex()
end

return samples
