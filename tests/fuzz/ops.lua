-- Calls of the op table's rows, with arguments that fit, nearly fit, or don't.
local nl = require "nnlua"
local samples = require "support.samples"
local values = require "fuzz.values"

local rows = samples.rows()

--- A value in the place of a sample's: often of the kind that the row declares, at times a tensor of the pool, at times
--- anything.
local function other_value(program, arg, old)
  local draw = program.draw
  local kind = draw:weighted {{5, "kind"}, {4, "pool"}, {2, "like"}, {1, "any"}}
  if kind == "pool" and (not arg or nl.is_tensor(old)) then return program:tensor() end
  if kind == "like" and nl.is_tensor(old) then
    return values.tensor(draw, {shape = {table.unpack(old.shape)}, dtype = draw:chance(0.5) and old.dtype or nil})
  end
  if kind == "any" or not arg then return values.any(draw) end
  return values.of_kind(draw, arg.kind)
end

local function arguments_of(program, row)
  local draw = program.draw
  local sample = draw:pick(samples.of(row))
  local list = {n = sample.n}
  local how_wild = draw:pick {0, 0.2, 0.5, 1}
  for i = 1, sample.n do
    local value = sample[i]
    if draw:chance(how_wild) then value = other_value(program, row.args[i], value) end
    if nl.is_tensor(value) and samples.is_inexact(value) and draw:chance(0.4) then
      value = value:detach():requires_grad_()
    end
    list[i] = value
  end
  if draw:chance(0.1) then
    list.n = list.n + 1
    list[list.n] = values.any(draw)
  end
  return list
end

local function call_row(program)
  local row = program.draw:pick(rows)
  local ok, results = program:call(row.name, samples.entry(row), arguments_of(program, row))
  if ok then program:keep(table.unpack(results, 1, results.n)) end
end

local in_place_rows = {}
for _, row in ipairs(rows) do
  if row.in_place then table.insert(in_place_rows, row) end
end

local function call_in_place(program)
  local row = program.draw:pick(in_place_rows)
  local list = arguments_of(program, row)
  list[1] = program:tensor()
  local function f(...) return nl[row.name .. "_"](...) end
  if program.draw:chance(0.3) then
    program:call("no_grad " .. row.name .. "_", function(...)
      local packed = table.pack(...)
      nl.no_grad(function() f(table.unpack(packed, 1, packed.n)) end)
    end, list)
  else
    program:call(row.name .. "_", f, list)
  end
end

local operators = {
  function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
  function(a, b) return a / b end, function(a, b) return a % b end, function(a, b) return a ^ b end,
  function(a, b) return a // b end, function(a) return -a end, function(a, b) return a & b end,
  function(a, b) return a | b end, function(a, b) return a ~ b end, function(a) return ~a end,
  function(a, b) return a << b end, function(a) return #a end, function(a, b) return a == b end,
  function(a) return tostring(a) end, function(a, b) return a < b end,
}

local function operate(program)
  local draw = program.draw
  local other = draw:chance(0.6) and program:tensor() or values.float(draw)
  local list = {program:tensor(), other}
  if draw:chance(0.3) then list[1], list[2] = list[2], list[1] end
  local which = draw:integer(1, #operators)
  local ok, results = program:call("operator " .. which, function(a, b)
    if not nl.is_tensor(a) and not nl.is_tensor(b) then return end
    if not nl.is_tensor(a) and which == 14 then return end
    return operators[which](a, b)
  end, list)
  if ok then program:keep(results[1]) end
end

return {{12, call_row}, {6, call_in_place}, {3, operate}}
