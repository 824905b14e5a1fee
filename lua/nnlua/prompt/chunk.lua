-- What is typed at the prompt as functions. Local variables of the top level go on living: a later text sees them as
-- upvalues, the very variables that the functions of earlier ones closed over.

local _ENV = require "nnlua.prompt.environment"()

local tokens = require "nnlua.prompt.tokens"

local chunk = {}

local insert, concat = table.insert, table.concat
local getupvalue, upvaluejoin = debug.getupvalue, debug.upvaluejoin
local load, find, sub = load, string.find, string.sub

local CAPTURE = "_nnlua_capture"
local NO_TAIL_CALL = " local _nnlua_open <close> = nil " -- so that the entry stays on the stack, for tracebacks
local MOST = 190 -- of a function's 200 local variables

--- A set of session locals: variables by name. Each is `{holder, index, constant}`: an upvalue of a function.
function chunk.new_locals()
  return {}
end

--- Whether a variable is one that chunks have for their own ends.
function chunk.is_own(name)
  return name:find "^_nnlua_" ~= nil
end

--- Gives a session local a new variable with this value.
function chunk.set(locals, name, value)
  locals[name] = {holder = function() return value end, index = 1}
end

--- The value of a session local.
function chunk.get(locals, name)
  local variable = locals[name]
  if variable then return select(2, getupvalue(variable.holder, variable.index)) end
end

--- The session locals that a text mentions, in order, and a function of their names.
local function prelude(text, locals, name_of_chunk)
  local names = {}
  for name in pairs(tokens.names(text)) do
    if locals[name] then insert(names, name) end
  end
  table.sort(names)
  local attributed = {CAPTURE}
  for i, name in ipairs(names) do
    if i > MOST then
      return nil, ("%s:1: more than %d local variables of the session are used at once"):format(
        name_of_chunk:sub(2), MOST)
    end
    insert(attributed, locals[name].constant and name .. " <const>" or name)
  end
  return "local " .. concat(attributed, ", ") .. " = ... "
end

--- The statement that hands the variables declared in a text over, or "" if it declares none.
local function capture_statement(declared)
  local names, seen = {}, {}
  for _, one in ipairs(declared) do
    if one.name and one.attribute ~= "close" and not seen[one.name] then
      seen[one.name] = true
      insert(names, one.name)
    end
  end
  if #names == 0 then return "" end
  return (" %s(function() return %s end) "):format(CAPTURE, concat(names, ", "))
end

--- Keeps the variables that a function has as upvalues; a constant that the parser has put in their place stands in the
--- values that the function returns.
local function keep_captured(locals, declared, holder)
  local values = table.pack(holder())
  local names, constant = {}, {}
  for _, one in ipairs(declared) do
    if one.attribute ~= "close" and one.name and not names[one.name] then
      insert(names, one.name)
      names[one.name] = #names
    end
    if one.name then constant[one.name] = one.attribute == "const" or nil end
  end
  for i, name in ipairs(names) do
    if values.n >= i then
      chunk.set(locals, name, values[i])
      locals[name].constant = constant[name]
    end
  end
  for index = 1, math.huge do
    local name = getupvalue(holder, index)
    if not name then break end
    if names[name] then locals[name] = {holder = holder, index = index, constant = constant[name]} end
  end
end

--- How many levels the stack has: found in steps that halve, for a level far down takes long to reach.
local function stack_depth()
  local low, high = 1, 2
  while debug.getinfo(high, "f") do low, high = high, high * 2 end
  while high - low > 1 do
    local middle = (low + high) // 2
    if debug.getinfo(middle, "f") then low = middle else high = middle end
  end
  return low - 1
end

local LOWEST = 30 -- what the prompt runs is called from so many levels above the bottom at most

--- After an error, on top of the stack it came up in: keeps what the chunk had declared up to there.
function chunk.rescue(locals, func, declared)
  local wanted = {}
  for _, one in ipairs(declared) do
    if one.name and one.attribute ~= "close" then wanted[one.name] = true end
  end
  local depth = stack_depth()
  for level = depth, math.max(2, depth - LOWEST), -1 do
    local info = debug.getinfo(level, "f")
    if info and info.func == func then
      for index = 1, math.huge do
        local name, value = debug.getlocal(level, index)
        if not name then return end
        if wanted[name] then chunk.set(locals, name, value) end
      end
    end
  end
end

--- Makes the upvalues of a function that have a session local's name that variable.
local function join(func, locals)
  for index = 1, math.huge do
    local name = getupvalue(func, index)
    if not name then return end
    local variable = locals[name]
    if variable then upvaluejoin(func, index, variable.holder, variable.index) end
  end
end

local MOST_TRIED = 20 -- places from a text's end on that an expression is looked for at

--- Whether a token is set apart from the one before it: by a semicolon, a block's end or a new line. Without that an
--- expression behind a statement is rather a slip, as in "x = 5 5".
local function begins_anew(text, before, token)
  return before.text == ";" or before.text == "end" or find(sub(text, before.to + 1, token.from - 1), "\n", 1, true)
end

--- A text that ends with an expression behind statements, as "x = 5; x" does, with `return` before that; or nil. Of a
--- text that is one of statements already only a call that begins with a name is an expression, too.
local function with_last_returned(text, name, is_call)
  local list, tried = tokens.outside_blocks(text), 0
  if is_call and not text:find "[)\"'}%]];?%s*$" then return nil end
  for i = #list, 2, -1 do
    local from = list[i].from
    if begins_anew(text, list[i - 1], list[i]) and not (is_call and list[i].kind ~= "name") then
      local returned = sub(text, 1, from - 1) .. " return " .. sub(text, from)
      if load(returned, name, "t") then return returned end
      tried = tried + 1
      if tried == MOST_TRIED then return nil end
    end
  end
end

--- The text that the parser takes: a list of expressions with `return`. Otherwise the parser's message.
local function checked(text, name)
  local expression = "return " .. text
  if load(expression, name, "t") then return expression end
  local func, message = load(text, name, "t")
  local returned = with_last_returned(text, name, func ~= nil)
  if returned or func then return returned or text end
  return nil, message
end

--- Whether Enter may run a text: it is complete, or wrong in a way that no further line mends. Such a line comes after
--- a line's end, which a string in quotes doesn't go beyond.
function chunk.is_complete(text)
  if checked(text, "=entry") then return true end
  local _, message = load(text .. "\n", "=entry", "t")
  return not find(message, "<eof>$")
end

--- A function that runs a text with the session's locals, and the variables that it declares; or nil and the parser's
--- message. `name` is what errors call the text, in the form that load takes.
function chunk.load(text, locals, name)
  local source, problem = checked(text, name)
  if not source then return nil, problem end
  local declared, return_at = tokens.declarations(source)
  local capture = capture_statement(declared)
  if return_at then source = sub(source, 1, return_at - 1) .. capture .. sub(source, return_at)
  else source = source .. "\n" .. capture end
  local opening, too_many = prelude(source, locals, name)
  if not opening then return nil, too_many end
  local maker, message = load(opening .. "return function(...)" .. NO_TAIL_CALL .. source .. "\nend", name, "t")
  if not maker then return nil, message end
  local func = maker(function(holder) keep_captured(locals, declared, holder) end)
  join(func, locals)
  return func, declared
end

return chunk
