-- What Tab offers: names, fields and methods, commands, module names, files.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local commands = require "nnlua.prompt.commands"
local core = require "nnlua.nn.core"
local fields = require "nnlua.prompt.fields"
local nl = require "nnlua"
local tokens = require "nnlua.prompt.tokens"

local completion = {}

local function sorted_with_prefix(names, prefix)
  local list = {}
  for name in pairs(names) do
    if name:sub(1, #prefix) == prefix and (prefix:sub(1, 1) == "_" or name:sub(1, 1) ~= "_") then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- ---------------------------------------------------------------- values

--- The value of a chain of tokens such as `net . encoder : forward`, from the session's locals or globals on, and
--- whether it is known. What a call gives is taken to be a tensor if an op is called, or an instance of a class.
local function value_of(list, last, locals)
  local token = list[last]
  if not token then return nil end
  if token.text == ")" then
    local depth, at = 0, last
    while at >= 1 do
      local text = list[at].text
      depth = depth + ((text == ")" or text == "}" or text == "]") and 1 or 0)
        - ((text == "(" or text == "{" or text == "[") and 1 or 0)
      if depth == 0 then break end
      at = at - 1
    end
    return completion.result_of(value_of(list, at - 1, locals))
  end
  if token.kind ~= "name" then return nil end
  local before = list[last - 1]
  if before and (before.text == "." or before.text == ":") then
    local owner = value_of(list, last - 2, locals)
    if owner == nil then return nil end
    return fields.get(owner, token.text)
  end
  if locals[token.text] then return chunk.get(locals, token.text) end
  return rawget(_G, token.text)
end

local a_tensor

--- What stands for the result of a call: a tensor for a function of nnlua's C core, the class for a class.
function completion.result_of(called)
  if type(called) == "table" then return called end
  if type(called) == "function" and debug.getinfo(core.unguarded(called), "S").what == "C" then
    a_tensor = a_tensor or nl.empty(0)
    return a_tensor
  end
end

-- ----------------------------------------------------------------- places

local function all_names(locals)
  local names = {}
  for name in pairs(tokens.keywords) do names[name] = true end
  for name in next, _G do
    if type(name) == "string" then names[name] = true end
  end
  for name in pairs(locals) do names[name] = true end
  return names
end

local function module_names()
  local names = {}
  for _, set in ipairs {package.loaded, package.preload} do
    for name in next, set do
      if type(name) == "string" then names[name] = true end
    end
  end
  return names
end

--- Files whose path begins so: folders end with a slash.
local function files(prefix)
  local folder, start = prefix:match "^(.*/)([^/]*)$"
  if not folder then folder, start = "", prefix end
  local names = {}
  for name, is_folder in pairs(completion.list_folder(folder == "" and "." or folder)) do
    if start ~= "" or name:sub(1, 1) ~= "." then names[folder .. name .. (is_folder and "/" or "")] = true end
  end
  return sorted_with_prefix(names, prefix)
end

--- Names in a folder, each with whether it is one itself. The prompt sets it: only the interpreter can list folders.
function completion.list_folder() return {} end

local function in_string(list, token)
  local opening = token.text:match "^[\"']" or token.text:match "^%[=*%["
  local inner = token.text:sub(#opening + 1)
  local before = list[#list - 1]
  if before and before.text == "(" then before = list[#list - 2] end
  local from = token.from + #opening
  if before and before.text == "require" then return from, sorted_with_prefix(module_names(), inner) end
  return from, files(inner)
end

local function command_line(text)
  local name, space, rest = text:match "^:(%a*)(%s*)(.*)$"
  if space == "" then return 2, sorted_with_prefix(commands.names(), name) end
  if name == "load" then return 1 + #name + #space + 1, files(rest) end
end

--- The text with spaces in the place of what is no Lua: a command's name, or the sign that opens the line.
local function without_command(text)
  local sign = text:match "^:%a+" or text:match "^[?=]" or ""
  return (" "):rep(#sign) .. text:sub(#sign + 1)
end

--- For the editor: where the word before the cursor begins, and what may stand there.
function completion.complete(text, cursor, locals)
  local before = text:sub(1, cursor - 1)
  if before:find "^:%a" or before == ":" then
    local from, names = command_line(before)
    if from then return from, names end
  end
  local list = tokens.of(without_command(before))
  local last = list[#list]
  if last and last.kind == "string" and not last.complete then return in_string(list, last) end
  if last and last.kind == "comment" and last.to == #before then return cursor, {} end
  local prefix, at = "", #list
  if last and (last.kind == "name" or last.kind == "keyword") and last.to == #before then
    prefix, at = last.text, at - 1
  end
  local dot = list[at]
  if dot and (dot.text == "." or dot.text == ":") then
    local value = value_of(list, at - 1, locals)
    if value == nil then return cursor - #prefix, {} end
    return cursor - #prefix, sorted_with_prefix(fields.names(value, dot.text == ":"), prefix)
  end
  if prefix == "" and last then return cursor, {} end
  return cursor - #prefix, sorted_with_prefix(all_names(locals), prefix)
end

-- ------------------------------------------------------------- signatures

local opening = {["("] = true, ["{"] = true, ["["] = true}
local closing = {[")"] = true, ["}"] = true, ["]"] = true}

--- The place of the token that opens the innermost call that a list of tokens ends in, or nil.
local function open_call(list)
  local depth = 0
  for i = #list, 1, -1 do
    local text = list[i].kind == "operator" and list[i].text
    if closing[text] then
      depth = depth + 1
    elseif opening[text] and depth > 0 then
      depth = depth - 1
    elseif text == "(" then
      return i
    elseif list[i].kind == "keyword" and depth == 0 then
      return nil
    end
  end
end

--- The signature of an entry of the help that has the form of the call: x:sum(…) or nl.sum(…).
local function signature_of(entry, is_method)
  local signatures = entry.overloads[1].signatures
  for _, one in ipairs(signatures) do
    if one:find(is_method and "^[%w_.]+:" or "^[%w_.]+%(") then return one end
  end
  return signatures[1]
end

--- For the editor: how what is being called at the cursor is called, or nil.
function completion.hint(text, cursor, locals)
  local list = tokens.of(without_command(text:sub(1, cursor - 1)))
  local at = open_call(list)
  if not at or not list[at - 1] or list[at - 1].kind ~= "name" then return nil end
  local called = value_of(list, at - 1, locals)
  if called == nil then return nil end
  local entry = require "nnlua.help.catalogue".find(called)
  if type(called) == "string" or not entry then return nil end
  return signature_of(entry, list[at - 2] ~= nil and list[at - 2].text == ":")
end

return completion
