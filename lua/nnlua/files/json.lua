-- Writes JSON: texts, and tables of plain values.

local core = require "nnlua.nn.core"
local repr = require "nnlua.nn.repr"

local json = {}

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function escape(c)
  return escapes[c] or ("\\u%04x"):format(c:byte())
end

--- A text, which is UTF-8, in quotes.
function json.string(text)
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

local function list_text(list, depth)
  local parts, n = {}, 0
  for _ in next, list do n = n + 1 end
  for i = 1, n do
    if list[i] == nil then core.raise "JSON: a table is a list without gaps, or has texts for keys, and not both" end
    parts[i] = json.text(list[i], depth + 1)
  end
  return "[" .. table.concat(parts, ", ") .. "]"
end

local function object_text(object, depth)
  local keys, parts = {}, {}
  for key in next, object do
    if type(key) ~= "string" then
      core.raise("JSON: a table is a list, or has texts for keys, not " .. core.describe(key))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = json.string(key) .. ": " .. json.text(object[key], depth + 1) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local MOST_DEEP = 100

--- A value: a text, a number, a boolean, a list, or a table whose keys are texts, which are sorted. Whole floats are
--- written without a point.
function json.text(value, depth)
  depth = depth or 0
  local kind = math.type(value) or type(value)
  if depth > MOST_DEEP then core.raise "JSON: tables are too deep, or contain themselves" end
  if kind == "string" then return json.string(value) end
  if kind == "boolean" or kind == "integer" then return tostring(value) end
  if kind == "float" and value - value == 0 then return repr.shortest(value) end
  if kind == "table" then return (#value > 0 and list_text or object_text)(value, depth) end
  core.raise("JSON: there is no way to write "
    .. (kind == "float" and core.format("%g", value) or core.describe(value)))
end

return json
