-- Valid arguments for every row of the op table that Lua can call, for the specs that loop over the rows.
--
-- A row gets arguments made from the kinds that it declares: tensors are float64 of shape {2, 3}. Where those are not
-- what the op takes, samples/<family>.lua beside this file has lists of arguments for it. A sample is a list of
-- arguments; in its named fields:
--   values = false     what the result holds is left open (random, or not set)
--   strided = false    the op depends on how its input lies in memory
--   fixed = {3}        arguments that have no gradient
--   in_place = false   the in-place form does not take them
--   complex = true     the op takes complex tensors only
local inputs = require "support.inputs"
local nl = require "nnlua"

local samples = {}

--- The lists of samples that rows have of their own, by row.
local function read_own()
  local folder = debug.getinfo(1, "S").source:match "^@(.*)%.lua$"
  local own = {}
  local names <close> = assert(io.popen("ls '" .. folder .. "'"))
  for name in names:lines() do
    for row, list in pairs(require("support.samples." .. name:match "^(.*)%.lua$")) do own[row] = list end
  end
  return own
end

local own = read_own()

-- ------------------------------------------------------------------ defaults

local by_kind = {
  tensor = function(arg) return arg.is_position and inputs.default_positions() or inputs.real(2, 3) end,
  operand = function() return inputs.real(2, 3) end,
  tensors = function() return {inputs.real(2, 3), inputs.real(2, 3)} end,
  scalar = function() return 0.5 end,
  int = function() return 2 end,
  real = function() return 0.5 end,
  bool = function() return true end,
  size = function() return {3, 2} end,
  ints = function() return {2, 3} end,
  extents = function() return 2 end,
  numbers = function() return {0.5, 2} end,
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
  return row.in_nl or row.method or row.functional or row.space or row.in_place
end

--- All rows that Lua can call.
function samples.rows()
  local rows = {}
  for _, row in ipairs(nl.ops()) do
    if samples.is_public(row) then table.insert(rows, row) end
  end
  return rows
end

--- The name of the .def that a row stands in, which its samples' file has as well.
local function family_of(row)
  local found <close> = assert(io.popen(("grep -rlE '^[A-Z_]+\\(%s,' src/ops"):format(row.row)))
  return (found:read "a"):match "([%w_]+)%.def" or "<family>"
end

local function no_sample(row, why)
  local where = ("Give it a list of arguments in tests/support/samples/%s.lua"):format(family_of(row))
  error(("the row '%s' (%s) has no usable sample: %s. %s"):format(row.row, row.name, why, where), 0)
end

--- The samples of a row, made anew by each call.
function samples.of(row)
  inputs.restart()
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
  if row.space then return nl[row.space][name] end
  if row.method then return nl.zeros(1)[name] end
  return nl[name .. "_"]
end

--- Whether only the in-place form is there.
function samples.is_only_in_place(row)
  return not (row.in_nl or row.functional or row.space or row.method)
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

--- The sample with copies of its tensors, of which all that can have a gradient are leaves; and these leaves.
function samples.with_leaves(sample, copy)
  local fixed, leaves = {}, {}
  for _, i in ipairs(sample.fixed or {}) do fixed[sample[i]] = true end
  local new = samples.map(sample, function(t)
    local own = copy(t:detach())
    return (fixed[t] or not samples.is_inexact(t)) and own or own:requires_grad_()
  end)
  for _, t in ipairs(samples.tensors(new)) do
    if t.requires_grad then table.insert(leaves, t) end
  end
  return new, leaves
end

--- The results that an op made and that have a gradient, and a seed for each.
function samples.roots(results, seed)
  local roots, seeds = {}, {}
  for k = 1, results.n do
    local t = results[k]
    if nl.is_tensor(t) and t.grad_fn then
      table.insert(roots, t)
      table.insert(seeds, seed(t))
    end
  end
  return roots, seeds
end

--- A seed for a result's gradient that depends on its shape only.
function samples.seed(t)
  nl.manual_seed(11)
  return nl.rand(t.shape, {dtype = nl.float64}):to(t.dtype)
end

return samples
