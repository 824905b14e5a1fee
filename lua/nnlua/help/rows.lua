-- Entries of the help for ops, from their rows.

local nl = require "nnlua"

local rows = {}

local words = {none = "nil", NO_INT = "nil", ["false"] = "false", ["true"] = "true"}

--- A default as Lua writes it.
local function default_text(argument)
  local text = argument.default
  return text and (words[text] or text)
end

--- "dim?" or "keepdim = false"
local function argument_text(argument)
  if argument.required then return argument.name end
  local default = default_text(argument)
  if not default or default == "nil" then return argument.name .. "?" end
  return argument.name .. " = " .. default
end

--- The arguments of a row as a text, from one on.
local function arguments_text(row, from)
  local texts = {}
  for i = from, #row.args do texts[#texts + 1] = argument_text(row.args[i]) end
  if row.results ~= 1 then texts[#texts + 1] = "as_table = false" end
  return table.concat(texts, ", ")
end

--- What is said of results that are several values.
local function doc_of(row)
  if row.results == 1 then return row.doc end
  return row.doc ..
    "\n\nSeveral results are several values; {as_table = true} gives one table of them, for ipairs and #."
end

local function is_public(row)
  return row.in_nl or row.method or row.in_place or row.functional or row.space
end

--- How a row is called, in all its forms.
local function signatures(row)
  local list = {}
  local function add(prefix, from, suffix)
    list[#list + 1] = ("%s%s%s(%s)"):format(prefix, row.name, suffix or "", arguments_text(row, from))
  end
  if row.in_nl then add("nl.", 1) end
  if row.functional then add("F.", 1) end
  if row.space then add(row.space .. ".", 1) end
  if row.method then add("x:", 2) end
  if row.in_place then add("x:", 2, "_") end
  return list
end

local forms = {"in_nl", "functional", "method"}
local prefix_of = {in_nl = "nl.", functional = "nl.nn.functional.", method = "Tensor:"}

--- The name that an op is listed under.
local function full_name(row)
  if row.space then return ("nl.%s.%s"):format(row.space, row.name) end
  if row.in_place and not (row.in_nl or row.method or row.functional) then return "Tensor:" .. row.name .. "_" end
  for _, form in ipairs(forms) do
    if row[form] then return prefix_of[form] .. row.name end
  end
end

--- The entries of all public ops, in the order of the rows; rows of one public name in one table are one entry.
function rows.entries()
  local list, by_name = {}, {}
  for _, row in ipairs(nl.ops()) do
    if is_public(row) then
      local name = (row.space or "") .. "." .. row.name
      local entry = by_name[name]
      if not entry then
        entry = {
          kind = "op", short = row.name, name = full_name(row), group = "ops", space = row.space,
          aliases = row.aliases, overloads = {}, rows = {}}
        by_name[name] = entry
        list[#list + 1] = entry
      end
      table.insert(entry.rows, row)
      table.insert(entry.overloads, {signatures = signatures(row), text = doc_of(row)})
    end
  end
  return list
end

return rows
