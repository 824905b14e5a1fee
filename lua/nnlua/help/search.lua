-- Looking for entries of the help by words in their names and texts, by names with wildcards, by letters that are near.

local catalogue = require "nnlua.help.catalogue"
local options = require "nnlua.help.options"
local text = require "nnlua.help.text"

local search = {}

local MOST = 20 -- entries that are listed
local WIDEST_NAME = 32

-- ------------------------------------------------------------------ ranking

--- Whether the letters of a word stand in a name in this order.
local function is_scattered(word, name)
  local at = 1
  for letter in word:gmatch "." do
    at = name:find(letter, at, true)
    if not at then return false end
    at = at + 1
  end
  return true
end

--- How far an entry is from a word: 0 for its own name, nil if the word has nothing to do with it.
local function distance(entry, word)
  local short, name = entry.short:lower(), entry.name:lower()
  if short == word then return 0 end
  if short:sub(1, #word) == word then return 1 end
  if short:find(word, 1, true) then return 2 end
  if name:find(word, 1, true) then return 3 end
  for _, overload in ipairs(entry.overloads) do
    if overload.text:lower():find(word, 1, true) then return 4 end
  end
  if #word >= 4 and #short <= 2 * #word and is_scattered(word, short) then return 5 end
end

--- Entries, and arguments, that all words of a text have to do with, the nearest first.
local function by_words(words)
  local found = {}
  for _, list in ipairs {catalogue.all(), options.entries()} do
    for _, entry in ipairs(list) do
      local sum = 0
      for word in words:lower():gmatch "%S+" do
        local d = distance(entry, word)
        sum = d and sum and sum + d
      end
      if sum then found[#found + 1] = {entry, sum} end
    end
  end
  table.sort(found, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    if #a[1].name ~= #b[1].name then return #a[1].name < #b[1].name end
    return a[1].name < b[1].name
  end)
  for i, one in ipairs(found) do found[i] = one[1] end
  return found
end

--- The entries whose name, in full or in short, a text with wildcards describes.
local function by_pattern(wanted)
  local pattern = "^" .. wanted:lower():gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
  local found = {}
  for _, entry in ipairs(catalogue.all()) do
    if entry.short:lower():find(pattern) or entry.name:lower():find(pattern) then found[#found + 1] = entry end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

-- -------------------------------------------------------------------- lists

--- The first sentence of an entry, without marks of code.
local function summary(entry)
  local line = text.parts(entry.overloads[1].text).paragraphs[1] or ""
  return (line:match "^(.-%.)%s" or line):gsub("`", "")
end

--- Entries, a line each: their name and what they begin with.
local function listed(found, most)
  local widest, lines, names = 0, {}, {}
  for i = 1, math.min(#found, most) do
    names[i] = found[i].name:gsub("^nl%.nn%.functional%.", "F.")
    widest = math.max(widest, math.min(#names[i], WIDEST_NAME))
  end
  for i, name in ipairs(names) do
    lines[i] = text.cut("  " .. name .. (" "):rep(widest - #name) .. "  " .. summary(found[i]))
  end
  if #found > most then lines[#lines + 1] = ("  … and %d more"):format(#found - most) end
  return table.concat(lines, "\n")
end

--- What the help has for words, or for a name with `*`, as a text; nil if nothing.
function search.text(wanted)
  local is_pattern = wanted:find("*", 1, true) ~= nil
  local found = is_pattern and by_pattern(wanted) or by_words(wanted)
  if #found == 0 then return nil end
  return listed(found, is_pattern and math.huge or MOST)
end

return search
