-- Characters: what kind they are of, their small letters, and how accents are taken apart and put together.

local core = require "nnlua.nn.core"
local tables = require "nnlua.text.unicode_tables"

local unicode = {}

local function number(text)
  return tonumber(text, 36)
end

-- ---------------------------------------------------------------- categories

--- A function that tells whether a character belongs to a category, whose ranges are read at its first use.
local function category(name)
  local first, last
  local known = {}
  local function read()
    first, last = {}, {}
    local at = 0
    for gap, more in tables[name]:gmatch "(%w+)%.(%w+)" do
      first[#first + 1] = at + number(gap)
      at = first[#first] + number(more)
      last[#last + 1] = at
    end
  end
  local function find(c)
    if not first then read() end
    local low, high = 1, #first
    while low < high do
      local middle = (low + high + 1) // 2
      if first[middle] <= c then low = middle else high = middle - 1 end
    end
    return first[low] <= c and c <= last[low]
  end
  return function(c)
    local is = known[c]
    if is == nil then
      is = find(c)
      known[c] = is
    end
    return is
  end
end

for _, name in ipairs {"letters", "numbers", "decimals", "letter_numbers", "connectors", "marks", "nonspacing_marks",
  "punctuation", "symbols", "separators", "others"} do
  unicode[name] = category(name)
end

--- Whether a character is one of words: a letter, a mark, a digit, what connects, or joins.
function unicode.is_word(c)
  return unicode.letters(c) or unicode.decimals(c) or unicode.connectors(c) or unicode.marks(c)
    or unicode.letter_numbers(c) or c == 0x200C or c == 0x200D
end

local spaces = {}
for c = 9, 13 do spaces[c] = true end
for c = 0x2000, 0x200A do spaces[c] = true end
for _, c in ipairs {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000} do spaces[c] = true end

--- Whether a character is white space.
function unicode.is_space(c)
  return spaces[c] == true
end

-- -------------------------------------------------------------- small letters

local small, capitals

local function read_small_letters()
  small, capitals = {}, {}
  local function note(capital, letter)
    small[capital] = letter
    capitals[letter] = capitals[letter] or {}
    table.insert(capitals[letter], capital)
  end
  for c = 65, 90 do note(c, c + 32) end
  local at = 0
  for gap, more, step, delta in tables.lower:gmatch "(%w+)%.(%w+)%.(%w+)%.([-%w]+)" do
    at = at + number(gap)
    step, delta = number(step), number(delta)
    for _ = 0, number(more) do
      if at >= 0x80 then note(at, at + delta) end
      at = at + step
    end
    at = at - step
  end
end

--- The small letter of a character; two characters of the capital I with a dot.
function unicode.lower(c)
  if c < 0x80 then return c >= 65 and c <= 90 and c + 32 or c end
  if not small then read_small_letters() end
  if c == 0x130 then return 0x69, 0x307 end
  return small[c] or c
end

--- The characters whose small letter a character is, a list; nil if there are none.
function unicode.capitals(c)
  if not small then read_small_letters() end
  return capitals[c]
end

-- ------------------------------------------------------------- decompositions

local parts, pairs_of, combining

local function read_decompositions()
  parts, pairs_of, combining = {}, {}, {}
  local at = 0
  for gap, list, excluded in tables.canonical:gmatch "(%w+)%.([%w.]+)(!?)" do
    at = at + number(gap)
    local one, two = list:match "^(%w+)%.?(%w*)$"
    one, two = number(one), two ~= "" and number(two) or nil
    parts[at] = {one, two}
    if excluded == "" and two then
      pairs_of[one] = pairs_of[one] or {}
      pairs_of[one][two] = at
    end
  end
  at = 0
  for gap, more, class in tables.combining:gmatch "(%w+)%.(%w+)%.(%w+)" do
    local first = at + number(gap)
    at = first + number(more)
    for c = first, at do combining[c] = number(class) end
  end
end

-- Korean syllables are made of two or three letters by a rule.
local SYLLABLES, LEADS, VOWELS, TAILS = 0xAC00, 0x1100, 0x1161, 0x11A7

--- Calls put(part) with what a character is made of, in the end.
local function take_apart(c, put)
  local syllable = c - SYLLABLES
  if syllable >= 0 and syllable < 11172 then
    put(LEADS + syllable // 588)
    put(VOWELS + syllable % 588 // 28)
    if syllable % 28 > 0 then put(TAILS + syllable % 28) end
    return
  end
  local list = parts[c]
  if not list then return put(c) end
  take_apart(list[1], put)
  if list[2] then take_apart(list[2], put) end
end

local function composed(a, b)
  if a >= LEADS and a < LEADS + 19 and b >= VOWELS and b < VOWELS + 21 then
    return SYLLABLES + (a - LEADS) * 588 + (b - VOWELS) * 28
  end
  local syllable = a - SYLLABLES
  if syllable >= 0 and syllable < 11172 and syllable % 28 == 0 and b > TAILS and b < TAILS + 28 then
    return a + b - TAILS
  end
  return pairs_of[a] and pairs_of[a][b]
end

--- Marks behind a letter in the order of their classes; those of one class stay as they are.
local function sort_marks(text)
  local c = text.c
  for i = 2, #c do
    local class, j = combining[c[i]], i
    while class and j > 1 and (combining[c[j - 1]] or 0) > class do
      for _, list in ipairs {text.c, text.first, text.last} do list[j], list[j - 1] = list[j - 1], list[j] end
      j = j - 1
    end
  end
end

--- A text's characters taken apart (NFD). A text is three lists: its characters `c`, and the first and last byte that
--- each came from.
function unicode.nfd(text)
  if not parts then read_decompositions() end
  local made = {c = {}, first = {}, last = {}}
  for i, c in ipairs(text.c) do
    take_apart(c, function(part)
      local n = #made.c + 1
      made.c[n], made.first[n], made.last[n] = part, text.first[i], text.last[i]
    end)
  end
  sort_marks(made)
  return made
end

--- The same put together again (NFC).
function unicode.nfc(text)
  local apart = unicode.nfd(text)
  local made = {c = {}, first = {}, last = {}}
  local starter, class = nil, 0 -- the place of the last letter, and the class of the mark before this character
  for i, c in ipairs(apart.c) do
    local own = combining[c] or 0
    local is_near = starter and (starter == #made.c or class < own and class > 0)
    local whole = is_near and composed(made.c[starter], c)
    if whole then
      made.c[starter] = whole
    else
      local n = #made.c + 1
      made.c[n], made.first[n], made.last[n] = c, apart.first[i], apart.last[i]
      if own == 0 then starter = n end
      class = own
    end
  end
  return made
end

-- --------------------------------------------------------------------- texts

--- A string as a text, whose characters know their bytes.
function unicode.text_of(name, s)
  local text = {c = {}, first = {}, last = {}}
  local n = utf8.len(s)
  if not n then
    local _, at = utf8.len(s)
    core.raise(("%s: the text is not UTF-8: byte %d is wrong"):format(name, at))
  end
  local i = 0
  for at, c in utf8.codes(s) do
    if i > 0 then text.last[i] = at - 1 end
    i = i + 1
    text.c[i], text.first[i] = c, at
  end
  if i > 0 then text.last[i] = #s end
  return text
end

--- Some characters of a text, as a text.
function unicode.part(text, from, to)
  return {
    c = table.move(text.c, from, to, 1, {}), first = table.move(text.first, from, to, 1, {}),
    last = table.move(text.last, from, to, 1, {}),
  }
end

--- A text's characters as a string.
function unicode.string_of(text, from, to)
  local pieces = {}
  for i = from or 1, to or #text.c do pieces[#pieces + 1] = utf8.char(text.c[i]) end
  return table.concat(pieces)
end

return unicode
