-- The call that the cursor is in: its signature, and the names of the options that may be given.

local _ENV = require "nnlua.prompt.environment"()

local values = require "nnlua.prompt.values"

local calls = {}

local opening = {["("] = true, ["{"] = true, ["["] = true}
local values_or_operators = {["true"] = true, ["false"] = true, ["nil"] = true, ["not"] = true, ["and"] = true,
  ["or"] = true}
local closing = {[")"] = true, ["}"] = true, ["]"] = true}

--- The place of the token that opens the innermost call that a list of tokens ends in, or nil; and that of the table
--- that opens in it, if the list ends right in that.
local function open_call(list)
  local depth, in_table = 0, nil
  for i = #list, 1, -1 do
    local text = list[i].kind == "operator" and list[i].text
    if closing[text] then
      depth = depth + 1
    elseif opening[text] and depth > 0 then
      depth = depth - 1
    elseif text == "(" then
      return i, in_table
    elseif text == "{" then
      local before = list[i - 1]
      if before and (before.kind == "name" or before.text == ")") then return i, in_table or i end
      in_table = in_table or i
    elseif list[i].kind == "keyword" and depth == 0 and not values_or_operators[list[i].text] then
      return nil
    end
  end
end

--- The entry of the help for what is called at a place, or nil.
local function entry_at(list, at, locals)
  local callee = at and list[at - 1]
  if not callee or callee.kind ~= "name" and callee.text ~= "]" then return nil end
  local called = values.of(list, at - 1, locals)
  if called == nil or type(called) == "string" then return nil end
  return require "nnlua.help.catalogue".find(called)
end

--- Whether what is called at a place is called as a method.
local function is_method(list, at)
  return list[at - 2] ~= nil and list[at - 2].text == ":"
end

--- The signature of an entry of the help that has the form of the call: x:sum(…) or nl.sum(…).
local function signature_of(entry, as_method)
  local signatures = entry.overloads[1].signatures
  for _, one in ipairs(signatures) do
    if one:find(as_method and "^[%w_.]+:" or "^[%w_.]+%(") then return one end
  end
  return signatures[1]
end

--- How what is being called at the end of a list of tokens is called, or nil.
function calls.hint(list, locals)
  local at = open_call(list)
  local entry = entry_at(list, at, locals)
  return entry and signature_of(entry, is_method(list, at))
end

--- How many arguments stand before a place in a call, and the names that a table from there on has already.
local function given(list, at, in_table)
  local count, names, depth = in_table > at and 0 or nil, {}, 0
  for i = at + 1, #list do
    local text = list[i].kind == "operator" and list[i].text
    depth = depth + (opening[text] and 1 or 0) - (closing[text] and 1 or 0)
    if text == "," and depth == 0 and i < in_table then count = count + 1 end
    local has_value = list[i].kind == "name" and list[i + 1] and list[i + 1].text == "="
    if i > in_table and has_value then names[list[i].text] = true end
  end
  return count or 0, names
end

--- The names of the options that may stand at the end of a list of tokens, as a set; nil where none may: only right
--- behind the brace or a comma of a table that stands as the last argument of a known function.
function calls.options(list, locals)
  local last = list[#list]
  if not last or last.text ~= "{" and last.text ~= "," then return nil end
  local at, in_table = open_call(list)
  local entry = in_table and entry_at(list, at, locals)
  if not entry then return nil end
  local arguments_of = require "nnlua.help.options".arguments_of
  local count, present = given(list, at, in_table)
  local names, found = {}, false
  for _, overload in ipairs(entry.overloads) do
    for place, argument in ipairs(arguments_of(signature_of({overloads = {overload}}, is_method(list, at)))) do
      if place > count and not present[argument[1]] then names[argument[1] .. " = "], found = true, true end
    end
  end
  return found and names or nil
end

return calls
