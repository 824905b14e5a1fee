-- What is done to a text before it is cut into words, by the names of tokenizer.json. Each is a function of a text, see
-- unicode.lua, that gives another one.

local core = require "nnlua.nn.core"
local regex = require "nnlua.text.regex"
local unicode = require "nnlua.text.unicode"

local normalizers = {}

--- A text whose characters are what put() was called with for each of a text.
local function map(text, f)
  local made = {c = {}, first = {}, last = {}}
  local i
  local function put(c)
    local n = #made.c + 1
    made.c[n], made.first[n], made.last[n] = c, text.first[i], text.last[i]
  end
  for k, c in ipairs(text.c) do
    i = k
    f(c, put)
  end
  return made
end
normalizers.map = map

--- A text without the characters that a test is true for.
local function without(text, test)
  return map(text, function(c, put)
    if not test(c) then put(c) end
  end)
end

local function lowercase(text)
  return map(text, function(c, put)
    local one, two = unicode.lower(c)
    put(one)
    if two then put(two) end
  end)
end

local function strip_accents(text)
  return without(text, unicode.nonspacing_marks)
end

-- The ideographs that BERT takes for words of their own.
local ideographs = {0x4E00, 0x9FFF, 0x3400, 0x4DBF, 0x20000, 0x2A6DF, 0x2A700, 0x2B73F, 0x2B740, 0x2B81F, 0x2B920,
  0x2CEAF, 0xF900, 0xFAFF, 0x2F800, 0x2FA1F}

local function is_ideograph(c)
  if c < 0x3400 then return false end
  for i = 1, #ideographs, 2 do
    if c >= ideographs[i] and c <= ideographs[i + 1] then return true end
  end
  return false
end

local function is_control(c)
  if c == 9 or c == 10 or c == 13 then return false end
  return c == 0 or c == 0xFFFD or unicode.others(c)
end

--- Control characters away, white space to blanks.
local function clean(text)
  return map(text, function(c, put)
    if is_control(c) then return end
    put(unicode.is_space(c) and 32 or c)
  end)
end

local makers = {}

function makers.BertNormalizer(spec)
  local cleans, splits, lowers = spec.clean_text ~= false, spec.handle_chinese_chars ~= false, spec.lowercase ~= false
  local strips = spec.strip_accents
  if strips == nil then strips = lowers end
  return function(text)
    if cleans then text = clean(text) end
    if splits then
      text = map(text, function(c, put)
        if not is_ideograph(c) then return put(c) end
        put(32)
        put(c)
        put(32)
      end)
    end
    if strips then text = strip_accents(unicode.nfd(text)) end
    return lowers and lowercase(text) or text
  end
end

function makers.Lowercase() return lowercase end

function makers.StripAccents() return strip_accents end

function makers.NFD() return unicode.nfd end

function makers.NFC() return unicode.nfc end

function makers.Strip(spec)
  return function(text)
    local first, last = 1, #text.c
    while spec.strip_left and first <= last and unicode.is_space(text.c[first]) do first = first + 1 end
    while spec.strip_right and last >= first and unicode.is_space(text.c[last]) do last = last - 1 end
    return unicode.part(text, first, last)
  end
end

--- A function of characters and a place that gives the next match of a pattern, {String = …} or {Regex = …}.
function normalizers.finder_of(name, pattern)
  if pattern.Regex then return regex.finder(name, pattern.Regex) end
  local wanted = unicode.text_of(name, pattern.String).c
  return function(c, from)
    for i = from, #c - #wanted + 1 do
      local k = 0
      while k < #wanted and c[i + k] == wanted[k + 1] do k = k + 1 end
      if k == #wanted then return i, i + k - 1 end
    end
  end
end

function makers.Replace(spec, name)
  local find, content = normalizers.finder_of(name, spec.pattern), unicode.text_of(name, spec.content).c
  return function(text)
    local made, at = {c = {}, first = {}, last = {}}, 1
    local function keep(from, to)
      for key, list in pairs(made) do table.move(text[key], from, to, #list + 1, list) end
    end
    while true do
      local first, last = find(text.c, at)
      if not first then break end
      if last < first then -- nothing is found: on to the next character
        if first > #text.c then break end
        keep(at, first)
        at = first + 1
      else
        keep(at, first - 1)
        for _, c in ipairs(content) do
          local n = #made.c + 1
          made.c[n], made.first[n], made.last[n] = c, text.first[last], text.last[last]
        end
        at = last + 1
      end
    end
    keep(at, #text.c)
    return made
  end
end

function makers.Prepend(spec, name)
  local prefix = unicode.text_of(name, spec.prepend).c
  return function(text)
    if #text.c == 0 then return text end
    local n = #prefix
    local made = {c = table.move(text.c, 1, #text.c, n + 1, {}), first = table.move(text.first, 1, #text.c, n + 1, {}),
      last = table.move(text.last, 1, #text.c, n + 1, {})}
    for i, c in ipairs(prefix) do made.c[i], made.first[i], made.last[i] = c, text.first[1], text.last[1] end
    return made
  end
end

--- The normalizer of a part of tokenizer.json; what isn't known is an error that names it.
function normalizers.make(name, spec)
  if not spec then return function(text) return text end end
  if spec.type == "Sequence" then
    local list = {}
    for i, one in ipairs(spec.normalizers) do list[i] = normalizers.make(name, one) end
    return function(text)
      for _, one in ipairs(list) do text = one(text) end
      return text
    end
  end
  local maker = makers[spec.type]
  if not maker then
    core.raise(("%s: the normalizer %s isn't known"):format(name, tostring(spec.type)))
  end
  return maker(spec, name)
end

return normalizers
