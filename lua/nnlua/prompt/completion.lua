-- What Tab offers: names, fields and methods, commands, module names, files.

local _ENV = require "nnlua.prompt.environment"()

local calls = require "nnlua.prompt.calls"
local commands = require "nnlua.prompt.commands"
local fields = require "nnlua.prompt.fields"
local module_files = require "nnlua.prompt.module_files"
local tokens = require "nnlua.prompt.tokens"
local values = require "nnlua.prompt.values"

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

local function module_names(prefix)
  local names = {}
  for _, set in ipairs {package.loaded, package.preload} do
    for name in next, set do
      if type(name) == "string" then names[name] = true end
    end
  end
  for name in pairs(module_files.names(prefix, completion.list_folder)) do names[name] = true end
  return names
end

--- Names that the help knows, beside those that are there.
local function help_names(locals)
  local names = all_names(locals)
  for _, entry in ipairs(require "nnlua.help.catalogue".all()) do names[entry.short] = true end
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

--- The string keys of a value that begin so, each with the quote and the bracket that close it.
local function keys(value, prefix, quote)
  local names = {}
  for name in pairs(value ~= nil and fields.names(value) or {}) do
    if not name:find "[%c\\]" and not name:find(quote, 1, true) then names[name .. quote .. "]"] = true end
  end
  return sorted_with_prefix(names, prefix)
end

local function in_string(list, token, locals)
  local opening = token.text:match "^[\"']" or token.text:match "^%[=*%["
  local inner = token.text:sub(#opening + 1)
  local before = list[#list - 1]
  local from = token.from + #opening
  if before and before.text == "[" and #opening == 1 then
    return from, keys(values.of(list, #list - 2, locals), inner, opening)
  end
  if before and before.text == "(" then before = list[#list - 2] end
  if before and before.text == "require" then return from, sorted_with_prefix(module_names(inner), inner) end
  return from, files(inner)
end

--- What is completed behind the names of commands.
local arguments = {load = files, cd = files, save = files}

function arguments.set(prefix) return sorted_with_prefix(commands.settings(), prefix) end
function arguments.forget(prefix, locals) return sorted_with_prefix(locals, prefix:match "[^%s,]*$") end

local function command_line(text, locals)
  local name, space, rest = text:match "^:(%a*)(%s*)(.*)$"
  if space == "" then return 2, sorted_with_prefix(commands.names(), name) end
  local complete = arguments[name]
  local candidates = complete and complete(rest, locals)
  if candidates then return #text + 1 - #(name == "forget" and rest:match "[^%s,]*$" or rest), candidates end
end

--- The text with spaces in the place of what is no Lua: a command's name, or the sign that opens the line.
local function without_command(text)
  local sign = text:match "^:%a+" or text:match "^%s*[?=]+" or ""
  return (" "):rep(#sign) .. text:sub(#sign + 1)
end

--- The names behind a dot or a colon: where they begin and what may stand there. A key that is no name takes the
--- place of the dot, in brackets and quotes.
local function fields_behind(list, at, prefix, from, locals)
  local value, is_colon = values.of(list, at - 1, locals), list[at].text == ":"
  if value == nil then return from, {} end
  local names, odd = {}, {}
  for name in pairs(fields.names(value, is_colon)) do
    local is_name = name:find "^[%a_][%w_]*$" and not tokens.keywords[name]
    if is_name then names[name] = true
    elseif type(value) == "table" and not is_colon and not name:find '[%c"\\]' then odd[name] = true end
  end
  local candidates, others = sorted_with_prefix(names, prefix), sorted_with_prefix(odd, prefix)
  if #others == 0 then return from, candidates end
  for i, name in ipairs(candidates) do candidates[i] = "." .. name end
  for _, name in ipairs(others) do candidates[#candidates + 1] = '["' .. name .. '"]' end
  return list[at].from, candidates
end

--- For the editor: where the word before the cursor begins, and what may stand there.
function completion.complete(text, cursor, locals)
  local before = text:sub(1, cursor - 1)
  if before:find "^:%a" or before == ":" then
    local from, names = command_line(before, locals)
    if from then return from, names end
  elseif before:find "^%s*!" then
    local word = before:match "[^%s!]*$"
    return cursor - #word, files(word)
  end
  local list = tokens.of(without_command(before))
  local last = list[#list]
  if last and last.kind == "string" and not last.complete then return in_string(list, last, locals) end
  if last and last.kind == "comment" and last.to == #before then return cursor, {} end
  local prefix = ""
  if last and (last.kind == "name" or last.kind == "keyword") and last.to == #before then
    prefix = last.text
    list[#list] = nil
  end
  local from, dot = cursor - #prefix, list[#list]
  if dot and (dot.text == "." or dot.text == ":") then return fields_behind(list, #list, prefix, from, locals) end
  local options = sorted_with_prefix(calls.options(list, locals) or {}, prefix)
  if #options > 0 then return from, options end
  if prefix == "" and dot then return cursor, {} end
  local is_question = before:find "^%s*%?" and #list == 0
  return from, sorted_with_prefix(is_question and help_names(locals) or all_names(locals), prefix)
end

--- For the editor: how what is being called at the cursor is called, or nil.
function completion.hint(text, cursor, locals)
  return calls.hint(tokens.of(without_command(text:sub(1, cursor - 1))), locals)
end

return completion
