-- What a chain of tokens such as `net[1].weight:sum()` stands for, without running it: to know what may follow.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"
local fields = require "nnlua.prompt.fields"
local nl = require "nnlua"

local values = {}

local opening = {["("] = true, ["{"] = true, ["["] = true}
local closing = {[")"] = true, ["}"] = true, ["]"] = true}

--- The place of the token that opens the bracket which closes at a place; 0 if none does.
local function opening_of(list, last)
  local depth = 0
  for at = last, 1, -1 do
    local text = list[at].kind == "operator" and list[at].text
    depth = depth + (closing[text] and 1 or 0) - (opening[text] and 1 or 0)
    if depth == 0 then return at end
  end
  return 0
end

local a_tensor

local function some_tensor()
  a_tensor = a_tensor or nl.empty(0)
  return a_tensor
end

--- What stands for the result of a call: a tensor for a function of nnlua's C core and for a network, the class for a
--- class; of others nothing is known.
function values.result_of(called)
  if type(called) == "table" then return called end
  if core.is_module(called) then return some_tensor() end
  if type(called) == "function" and debug.getinfo(core.unguarded(called), "S").what == "C" then return some_tensor() end
end

--- What stands in an owner at a key: in a container of modules, which counts from 1, one of them.
local function at_key(owner, key)
  if core.is_tensor(owner) then return some_tensor() end
  if core.is_module(owner) and math.type(key) == "integer" then return fields.raw(owner, tostring(key - 1)) end
  if key ~= nil then return fields.raw(owner, key) end
end

--- The value of a string or number that is written there.
local function written(token)
  if token.kind ~= "string" and token.kind ~= "number" or not token.complete then return nil end
  local func = load("return " .. token.text, "=key", "t", {})
  return func and func()
end

local function is_callable_end(token)
  return token and (token.kind == "name" or token.text == ")" or token.text == "]")
end

--- The value of a chain that ends with the token at a place, from the session's locals or globals on; nil if it isn't
--- known. What a call gives is what values.result_of takes it to be.
function values.of(list, last, locals)
  local token = list[last]
  if not token then return nil end
  if token.text == ")" or token.text == "}" and token.kind == "operator" then
    local at = opening_of(list, last)
    if is_callable_end(list[at - 1]) then return values.result_of(values.of(list, at - 1, locals)) end
    return token.text == ")" and values.of(list, last - 1, locals) or nil
  elseif token.text == "]" then
    local at = opening_of(list, last)
    local owner = values.of(list, at - 1, locals)
    if owner == nil then return nil end
    return at_key(owner, at == last - 2 and written(list[at + 1]) or nil)
  elseif token.kind == "string" then
    local before = list[last - 1]
    if before and before.kind == "name" then return values.result_of(values.of(list, last - 1, locals)) end
    return written(token)
  end
  if token.kind ~= "name" then return nil end
  local before = list[last - 1]
  if before and (before.text == "." or before.text == ":") then
    local owner = values.of(list, last - 2, locals)
    if owner == nil then return nil end
    return fields.get(owner, token.text)
  end
  if locals[token.text] then return chunk.get(locals, token.text) end
  return rawget(_G, token.text)
end

return values
