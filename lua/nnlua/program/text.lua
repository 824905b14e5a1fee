-- Programs as texts: a line a step, with shapes and cost.

local core = require "nnlua.program.core"
local cost = require "nnlua.program.cost"
local nn_core = require "nnlua.nn.core"

local format = nn_core.format

local text = {}

--- 1234567 as "1.2 M", with a unit "1.2 Munit".
local function short_number(n, unit)
  for _, prefix in ipairs {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} do
    if n >= prefix[1] then return format("%.1f", n / prefix[1]) .. prefix[2] .. (unit or "") end
  end
  return unit and n .. " " .. unit or tostring(n)
end

local function type_text(value)
  if value.is_sequence then return "a sequence" end
  local dtype = value.dtype and tostring(value.dtype):gsub("^nnlua%.", "") or "?"
  return value.shape and ("%s (%s)"):format(dtype, table.concat(value.shape, ", ")) or dtype
end

--- The names of a program's values: their own, v1, v2, … for results, c1, c2, … for constants, numbers as they are.
local function names_of(contents)
  local names, results, constants = {}, 0, 0
  for id, value in ipairs(contents.values) do
    if value.is_number then
      names[id] = format("%s", value.tensor:item())
    elseif value.kind == "result" then
      results = results + 1
      names[id] = "v" .. results
    elseif value.name then
      names[id] = value.name
    else
      constants = constants + 1
      names[id] = "c" .. constants
    end
  end
  return names
end

local value_text

local function list_text(list)
  local texts = {}
  for i, v in ipairs(list) do texts[i] = value_text(v) end
  return "{" .. table.concat(texts, ", ") .. "}"
end

function value_text(v)
  if v == nn_core.none then return "none" end
  if type(v) == "table" then return list_text(v) end
  if type(v) == "string" then return ("%q"):format(v) end
  return (format("%s", v):gsub("^nnlua%.", ""))
end

local function ids_text(ids, names)
  local texts = {}
  for i, id in ipairs(ids) do texts[i] = id and names[id] or "none" end
  return table.concat(texts, ", ")
end

--- The size that an argument which is one number follows from, or nil.
local function bound_size(step, number)
  for _, binding in ipairs(step.bindings) do
    if binding.argument == number and not binding.element then return binding.size end
  end
end

--- The constant of an argument, in which sizes that follow from the inputs' are told by their expressions.
local function constant_text(step, number, constant)
  local changed = constant
  if bound_size(step, number) then return bound_size(step, number) end
  for _, binding in ipairs(step.bindings) do
    if binding.argument == number then
      if changed == constant then changed = table.move(constant, 1, #constant, 1, {}) end
      changed[binding.element] = {text = binding.size}
    end
  end
  if changed == constant then return value_text(constant) end
  local texts = {}
  for i, v in ipairs(changed) do texts[i] = type(v) == "table" and v.text or value_text(v) end
  return "{" .. table.concat(texts, ", ") .. "}"
end

local function row_text(step, names)
  local texts, in_order = {}, true
  for i, argument in ipairs(step.arguments) do
    local own
    if argument.values then own = "{" .. ids_text(argument.values, names) .. "}"
    elseif argument.value ~= nil then own = bound_size(step, i) or argument.value and names[argument.value]
    elseif argument.given and argument.constant ~= nil then own = constant_text(step, i, argument.constant) end
    if not own then in_order = false
    elseif in_order and argument.constant == nil then texts[#texts + 1] = own
    else texts[#texts + 1] = argument.name .. " = " .. own end
  end
  return ("%s%s(%s)"):format(step.name, step.in_place and "_" or "", table.concat(texts, ", "))
end

local add_steps

local function add_bodies(lines, step, names, indent, total)
  local titles = step.kind == "if" and {"if it is true", "otherwise"} or {"each round"}
  for i, body in ipairs(step.bodies) do
    lines[#lines + 1] = ("%s  %s, with %s:"):format(indent, titles[i], #body.given > 0 and ids_text(body.given, names)
      or "nothing")
    add_steps(lines, body, indent .. "    ", total)
  end
end

local function add_step(lines, step, contents, names, indent, total)
  local results, told = {}, {}
  for i, id in ipairs(step.results) do
    results[i] = names[id]
    told[i] = type_text(contents.values[id])
  end
  local call = step.kind == "row" and row_text(step, names)
    or ("%s(%s)"):format(step.kind, ids_text(step.operands, names))
  local notes = {table.concat(told, ", ")}
  if step.kind == "row" then
    local multiply_adds, bytes = cost.of_row(step, contents)
    if multiply_adds == nil then total.is_known = false end
    total.multiply_adds = total.multiply_adds + (multiply_adds or 0)
    if multiply_adds and multiply_adds > 0 then notes[#notes + 1] = short_number(multiply_adds) .. " multiply-adds" end
    if bytes then notes[#notes + 1] = short_number(bytes, "B") end
  end
  if step.node then notes[#notes + 1] = step.node end
  lines[#lines + 1] = {indent .. table.concat(results, ", ") .. " = " .. call, table.concat(notes, "; ")}
  if step.bodies then add_bodies(lines, step, names, indent, total) end
end

local function outputs_text(contents, names)
  local texts = {}
  for i, output in ipairs(contents.outputs) do
    local own = output.value and names[output.value] or "none"
    texts[i] = output.name and output.name ~= own and output.name .. " = " .. own or own
  end
  return table.concat(texts, ", ")
end

function add_steps(lines, contents, indent, total)
  local names = names_of(contents)
  for _, step in ipairs(contents.steps) do add_step(lines, step, contents, names, indent, total) end
  lines[#lines + 1] = indent .. "return " .. outputs_text(contents, names)
end

local WIDEST = 60

--- The lines with their notes below each other, as far as lines are no longer than WIDEST.
local function aligned(lines)
  local width, texts = 0, {}
  for _, line in ipairs(lines) do
    if type(line) == "table" and #line[1] <= WIDEST then width = math.max(width, #line[1]) end
  end
  for i, line in ipairs(lines) do
    texts[i] = type(line) == "table" and line[1] .. (" "):rep(width - #line[1]) .. "  -- " .. line[2] or line
  end
  return table.concat(texts, "\n")
end

--- The text of a program: its inputs, a line for each step, its outputs, and what it costs in all.
function text.of(data)
  local contents, inputs = core.contents(data), {}
  for i, id in ipairs(contents.inputs) do
    local value = contents.values[id]
    inputs[i] = value.name .. ": " .. type_text(value)
  end
  local total = {multiply_adds = 0, is_known = true}
  local lines = {("program(%s)"):format(table.concat(inputs, ", "))}
  add_steps(lines, contents, "  ", total)
  local parameters = 0
  for _, value in ipairs(contents.values) do
    if value.kind == "parameter" then parameters = parameters + value.tensor:numel() end
  end
  lines[#lines + 1] = ("end  -- %d steps; %s multiply-adds; %s parameters"):format(
    #contents.steps, total.is_known and short_number(total.multiply_adds) or "unknown", short_number(parameters))
  return aligned(lines)
end

return text
