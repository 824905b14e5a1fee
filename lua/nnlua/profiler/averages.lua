-- What a profile has added up, as lists that print as tables.

local args = require "nnlua.args"
local class = require "nnlua.class"
local columns = require "nnlua.profiler.columns"
local core = require "nnlua.nn.core"
local cost = require "nnlua.program.cost"
local nl = require "nnlua"

local format = core.format

local averages = {}

--- One line of a profile's table. Times are in microseconds, memory in bytes: what was allocated and not freed again
--- within the calls. `self_…` leaves out what calls inside of these took.
---@class ProfiledAverage
---@field key string
---@field count integer
---@field cpu_time_total number
---@field self_cpu_time_total number
---@field cpu_time number
---@field cpu_memory_usage integer
---@field self_cpu_memory_usage integer
---@field backward_time_total number
---@field backward_count integer
---@field input_shapes? integer[][]
---@field flops? integer

local function shapes_by_name(op, sizes)
  local shapes, inputs, result = {}, {}, nil
  for _, one in ipairs(sizes) do
    local argument = op.args[one.argument]
    if one.argument == 0 then
      result = one.shape
    else
      inputs[#inputs + 1] = one.shape
      local name = argument and argument.name
      if argument and argument.kind:match "^tensors" then
        shapes[name] = shapes[name] or {}
        table.insert(shapes[name], one.shape)
      elseif name then
        shapes[name] = one.shape
      end
    end
  end
  return shapes, inputs, result
end

local ops

local function op_named(name)
  if not ops then
    ops = {}
    for _, op in ipairs(nl.ops()) do ops[op.name] = ops[op.name] or op end
  end
  return ops[name] or ops[(name:gsub("_$", ""))]
end

--- The shapes of a row's operands, and the multiply-adds of one call of it, where both are known.
function averages.sizes_of(row)
  local op = row.sizes and op_named(row.name)
  if not op then return nil, nil end
  local shapes, inputs, result = shapes_by_name(op, row.sizes)
  return inputs, result and cost.multiply_adds(op.name, shapes, result)
end

local function add(to, row, flops)
  to.count = to.count + row.calls
  to.cpu_time_total = to.cpu_time_total + row.total / 1000
  to.self_cpu_time_total = to.self_cpu_time_total + row.self / 1000
  to.cpu_memory_usage = to.cpu_memory_usage + row.bytes
  to.self_cpu_memory_usage = to.self_cpu_memory_usage + row.self_bytes
  to.backward_time_total = to.backward_time_total + row.backward / 1000
  to.backward_count = to.backward_count + row.backward_calls
  if flops then to.flops = (to.flops or 0) + flops * row.calls end
end

local function new_average(key, row)
  return {
    key = key, kind = row.kind, count = 0, cpu_time_total = 0, self_cpu_time_total = 0, cpu_memory_usage = 0,
    self_cpu_memory_usage = 0, backward_time_total = 0, backward_count = 0,
  }
end

local function shape_text(shapes)
  local texts = {}
  for i, shape in ipairs(shapes or {}) do texts[i] = "(" .. table.concat(shape, ", ") .. ")" end
  return table.concat(texts, " ")
end

-- ----------------------------------------------------------------- tables

local function time_text(microseconds)
  local unit, value = "us", microseconds
  if value >= 1e6 then unit, value = "s", value / 1e6
  elseif value >= 1e3 then unit, value = "ms", value / 1e3 end
  return format(value >= 100 and "%.1f " or value >= 10 and "%.2f " or "%.3f ", value) .. unit
end

local function bytes_text(bytes)
  local size = math.abs(bytes)
  for _, unit in ipairs {{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} do
    if size >= unit[1] then return format("%.2f %s", bytes / unit[1], unit[2]) end
  end
  return bytes .. " B"
end

averages.time_text, averages.bytes_text = time_text, bytes_text

local function share_text(part, whole)
  return whole > 0 and format("%.1f %%", 100 * part / whole) or ""
end

--- Those of transfers, which run beside the program: behind the name.
local function transfer_columns(name)
  return {
    name,
    {title = "Total", rank = 1, text = function(r) return time_text(r.cpu_time_total) end},
    {title = "Calls", rank = 2, text = function(r) return tostring(r.count) end},
    {title = "Average", rank = 3, text = function(r) return time_text(r.cpu_time) end},
    {title = "Bytes", rank = 4, text = function(r) return bytes_text(r.cpu_memory_usage) end},
  }
end

--- The columns of a table: title, rank, and what a cell says.
local function columns_of(list)
  local whole = 0
  for _, row in ipairs(list) do whole = whole + row.self_cpu_time_total end
  local all = {
    {title = list._title, text = function(r) return r.key end, is_text = true, is_module = list._title == "Module"},
    {title = "Self %", rank = 4, text = function(r) return share_text(r.self_cpu_time_total, whole) end},
    {title = "Self", rank = 1, text = function(r) return time_text(r.self_cpu_time_total) end},
    {title = "Total", rank = 3, text = function(r) return time_text(r.cpu_time_total) end},
    {title = "Backward", rank = 5, text = function(r)
      return r.backward_count > 0 and time_text(r.backward_time_total) or ""
    end},
    {title = "Calls", rank = 2, text = function(r) return tostring(r.count) end},
    {title = "Average", rank = 6, text = function(r) return time_text(r.cpu_time) end},
  }
  if list._has_transfers then return transfer_columns(all[1]) end
  if list._has_memory then
    all[#all + 1] = {title = "Memory", rank = 7, text = function(r) return bytes_text(r.self_cpu_memory_usage) end}
  end
  if list._has_flops then
    all[#all + 1] = {title = "Flops", rank = 8, text = function(r) return r.flops and format("%.4g", r.flops) or "" end}
  end
  if list._has_shapes then
    all[#all + 1] = {title = "Shapes", rank = 9, is_text = true, text = function(r)
      return shape_text(r.input_shapes)
    end}
  end
  return all
end

local sort_keys = {
  self_cpu_time_total = "self_cpu_time_total", cpu_time_total = "cpu_time_total", cpu_time = "cpu_time",
  count = "count", cpu_memory_usage = "cpu_memory_usage", self_cpu_memory_usage = "self_cpu_memory_usage",
  backward_time_total = "backward_time_total", flops = "flops",
}

local function sorted(list, key)
  local order, place = {}, {}
  for i, row in ipairs(list) do order[i], place[row] = row, i end
  table.sort(order, function(a, b)
    local x, y = a[key] or 0, b[key] or 0
    if x ~= y then return x > y end
    return place[a] < place[b]
  end)
  return order
end

--- A list of averages: `[1]`, `[2]`, …, the one that took the longest itself first. It prints as a table.
---@class ProfiledAverages
local Averages = class.new "profiler.ProfiledAverages"

local parse_table = args.parser("table", {
  {"sort_by", "string", "self_cpu_time_total"}, {"row_limit", "integer", 100}, {"width", "integer?"},
})

--- The list as a text: `sort_by` names a field of ProfiledAverage, `row_limit` says how many rows there are at most
--- (-1: all), `width` how many columns the text has, those of the terminal by default. Columns that don't fit are left
--- out.
---@param sort_by? string
---@param row_limit? integer
---@param width? integer
---@return string
function Averages:table(...)
  class.check_self(self, Averages, "table")
  local sort_by, row_limit, width = parse_table(...)
  if not sort_keys[sort_by] then
    local names = {}
    for name in pairs(sort_keys) do names[#names + 1] = name end
    table.sort(names)
    core.raise(("table: sort_by must be one of %s, not '%s'"):format(table.concat(names, ", "), sort_by))
  end
  local list, rows, left = columns_of(self), {}, 0
  for i, average in ipairs(sorted(self, sort_by)) do
    if row_limit >= 0 and i > row_limit then
      left = left + 1
    else
      local row = {}
      for k, column in ipairs(list) do row[k] = column.text(average) end
      rows[#rows + 1] = row
    end
  end
  local text = columns.text(list, rows, width)
  return left > 0 and ("%s\n… and %d more"):format(text, left) or text
end

function Averages:__tostring()
  return self:table()
end

-- -------------------------------------------------------------- averages

local function key_of(row, wants_shapes)
  local key = row.name:gsub("^ProfilerStep#%d+$", "ProfilerStep*")
  if row.kind == "line" then key = ("%s:%d"):format(row.name, row.line) end
  if not wants_shapes then return key, key end
  local texts = {}
  for i, one in ipairs(row.sizes or {}) do
    if one.argument > 0 then texts[i] = table.concat(one.shape, ",") end
  end
  return key, key .. ";" .. table.concat(texts, ";")
end

--- Averages of those rows that `wanted` takes. Options: title, shapes (a row for each combination of them), flops,
--- memory, transfers (rows are such).
function averages.of(rows, wanted, options)
  local list, by_key = Averages(), {}
  list._title, list._has_shapes, list._has_memory = options.title, options.shapes, options.memory
  list._has_transfers = options.transfers
  for _, row in ipairs(rows) do
    if row.calls > 0 and wanted(row) then
      local key, whole = key_of(row, options.shapes)
      local inputs, multiply_adds = averages.sizes_of(row)
      local flops = options.flops and multiply_adds and 2 * multiply_adds or nil
      local average = by_key[row.kind .. whole]
      if not average then
        average = new_average(key, row)
        by_key[row.kind .. whole] = average
        list[#list + 1] = average
        if options.shapes then average.input_shapes = inputs end
      end
      add(average, row, flops)
      list._has_flops = list._has_flops or flops ~= nil and flops > 0
    end
  end
  for _, average in ipairs(list) do average.cpu_time = average.cpu_time_total / average.count end
  table.move(sorted(list, "self_cpu_time_total"), 1, #list, 1, list)
  return list
end

function Averages:init() -- luacheck: no self
end

return averages
