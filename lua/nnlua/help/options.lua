-- What arguments and options mean, and which functions have one.

local catalogue = require "nnlua.help.catalogue"
local text = require "nnlua.help.text"

local options = {}

--- What texts say of arguments: "name, name: meaning" below "[beginning of the names of functions, another one]". By
--- name a list of `{beginning, meaning}`, the longest beginning first. A line that is further in goes on with the one
--- before; what stands before all beginnings holds everywhere.
local function parse(...)
  local found = {}
  for _, said in ipairs {...} do
    local beginnings = {""}
    for line in said:gsub("\n  ", " "):gmatch "[^\n]+" do
      local list, rest = line:match "^%[(.-)%] ?(.*)$"
      if list then
        beginnings = {}
        for beginning in list:gmatch "[^, ]+" do beginnings[#beginnings + 1] = beginning end
      end
      local names, meaning = (rest or line):match "^([%w_, ]+): (.*)$"
      for name in (names or ""):gmatch "[%w_]+" do
        found[name] = found[name] or {}
        for _, beginning in ipairs(beginnings) do table.insert(found[name], {beginning, meaning}) end
      end
    end
  end
  for _, list in pairs(found) do table.sort(list, function(a, b) return #a[1] > #b[1] end) end
  return found
end

local meanings = parse(require "nnlua.help.arguments", require "nnlua.help.arguments_of")
local several_types = parse(require "nnlua.help.types")

--- What is said of an argument of an entry; nil if nothing is known of it.
local function said_of(list, entry, name)
  for _, one in ipairs(list[name] or {}) do
    if entry.name:sub(1, #one[1]) == one[1] then return one[2] end
  end
end

--- What an argument means wherever nothing else is said; nil if it has no such meaning.
local function general_meaning(name)
  local last = meanings[name] and meanings[name][#meanings[name]]
  return last and last[1] == "" and last[2] or nil
end

--- That, and what the comment of the entry adds behind the argument's type, as a sentence of its own.
local function meaning_of(entry, name)
  local meaning = said_of(meanings, entry, name)
  for _, one in ipairs(entry.doc and entry.doc.params or {}) do
    if one.text ~= "" and one.name:gsub("%?$", "") == name then
      local more = one.text:gsub("^%l", string.upper) .. "."
      return meaning and meaning .. " " .. more or more
    end
  end
  return meaning
end

--- The arguments of a signature, a list of `{name, default}`; the default is a text, or nil.
function options.arguments_of(signature)
  local list, depth, from = {}, 0, 1
  local inner = (signature:match "%((.*)%)$" or "") .. ","
  for at = 1, #inner do
    local c = inner:sub(at, at)
    depth = depth + (c == "{" and 1 or c == "}" and -1 or 0)
    if c == "," and depth == 0 then
      local name, default = inner:sub(from, at - 1):match "^%s*([%a_][%w_]*)%??%s*=?%s*(.-)%s*$"
      if name then list[#list + 1] = {name, default ~= "" and default or nil} end
      from = at + 1
    end
  end
  return list
end

-- What the kinds of arguments of rows and of args.parser are called; others are called what they are.
local kinds = {
  ["optional tensor"] = "tensor", tensors = "list of tensors", ["optional bool"] = "boolean", bool = "boolean",
  operand = "tensor or number", ["optional operand"] = "tensor or number", scalar = "number", int = "integer",
  real = "number", size = "integers", dim = "integer", dims = "integer or a list", ints = "list of integers",
  extents = "integer or a list", ["dim pair"] = "list", numbers = "list of numbers", position = "integer",
  rate = "number or tensor", any = "", [""] = "",
}

-- What arguments are that rows have as numbers for true, false and neither.
local neither = {size_average = "boolean", reduce = "boolean"}

--- What the types of an entry's arguments are called, by name.
local function types_of(entry)
  local types = {as_table = "boolean"}
  local function add(name, kind)
    kind = kind:gsub("%?$", "")
    kind = kinds[kind] or kind
    if kind == "" then return end
    types[name] = types[name] or kind == "integer" and neither[name] or kind
  end
  for _, one in ipairs(entry.doc and entry.doc.params or {}) do add(one.name:gsub("%?$", ""), one.kind) end
  for _, one in ipairs(entry.spec or {}) do add(one[1], one[2]) end
  for _, row in ipairs(entry.rows or {}) do
    for _, one in ipairs(row.args) do add(one.name, one.kind) end
  end
  return types
end

--- What the arguments of an entry are: a list of `{name, what it means, what its type is called}`.
function options.of_entry(entry)
  local list, seen, types = {}, {}, types_of(entry)
  for _, overload in ipairs(entry.overloads) do
    for _, argument in ipairs(options.arguments_of(overload.signatures[1])) do
      local name = argument[1]
      if not seen[name] then
        seen[name] = true
        list[#list + 1] = {name, meaning_of(entry, name), types[name] or said_of(several_types, entry, name)}
      end
    end
  end
  for _, one in ipairs(entry.doc and entry.doc.params or {}) do -- those that stand in a last table
    local name = one.name:gsub("%?$", "")
    if not seen[name] and name ~= "..." then
      seen[name] = true
      list[#list + 1] = {name, meaning_of(entry, name), types[name] or said_of(several_types, entry, name)}
    end
  end
  return list
end

--- The names that something is known of, as a set.
function options.known()
  local names = {}
  for _, list in ipairs {meanings, several_types} do
    for name in pairs(list) do names[name] = true end
  end
  return names
end

--- The arguments that many functions share in the form of the catalogue's entries, to look for words in.
function options.entries()
  local list = {}
  for name in pairs(meanings) do
    local meaning = general_meaning(name)
    list[#list + 1] = meaning and {
      name = name .. ", an argument", short = name, kind = "argument", overloads = {{signatures = {}, text = meaning}},
    }
  end
  return list
end

local functions -- by an argument's name: a list of `{name of a function, default}`

local function index_all()
  functions = {}
  for _, entry in ipairs(catalogue.all()) do
    local seen = {}
    for _, overload in ipairs(entry.overloads) do
      for _, argument in ipairs(options.arguments_of(overload.signatures[1])) do
        local name, default = argument[1], argument[2]
        if not seen[name] then
          seen[name] = true
          functions[name] = functions[name] or {}
          table.insert(functions[name], {entry.name, default})
        end
      end
    end
    for _, one in ipairs(options.of_entry(entry)) do -- those that stand in a last table
      if not seen[one[1]] then
        functions[one[1]] = functions[one[1]] or {}
        table.insert(functions[one[1]], {entry.name})
      end
    end
  end
end

local MOST = 30 -- functions that are listed

--- What is known of an argument, as help prints it; nil if no function has one of that name, or, if `is_explained`,
--- if there is no more to say of it than which has one.
function options.text(name, is_explained)
  if not functions then index_all() end
  local list = functions[name]
  if not list or is_explained and not general_meaning(name) then return nil end
  local names, has_defaults = {}, false
  for i = 1, math.min(#list, MOST) do
    local one = list[i]
    names[i] = one[2] and ("%s (%s)"):format(one[1], one[2]) or one[1]
    has_defaults = has_defaults or one[2] ~= nil
  end
  local more = #list > MOST and (", and %d more"):format(#list - MOST) or ""
  local meaning = general_meaning(name)
  meaning = meaning and text.wrapped(meaning, "  ") .. "\n" or ""
  return name .. ", an argument\n" .. meaning
    .. text.wrapped(("%s %s%s."):format(has_defaults and "Taken, with this default, by" or "Taken by",
      table.concat(names, ", "), more), "  ")
end

--- The names of all arguments, as a set.
function options.names()
  if not functions then index_all() end
  local names = {}
  for name in pairs(functions) do names[name] = true end
  return names
end

return options
