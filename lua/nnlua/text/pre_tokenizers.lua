-- How a text is cut into words, by the names of tokenizer.json. Each is a function of a list of texts (see unicode.lua)
-- that gives another list.

local core = require "nnlua.nn.core"
local normalizers = require "nnlua.text.normalizers"
local regex = require "nnlua.text.regex"
local unicode = require "nnlua.text.unicode"

local pre_tokenizers = {}

--- What becomes of matches: each function gets the pieces between and of matches in turn, {first, last, is_match}.
local behaviours = {}

function behaviours.Removed(pieces)
  local kept = {}
  for _, piece in ipairs(pieces) do
    if not piece[3] then kept[#kept + 1] = piece end
  end
  return kept
end

function behaviours.Isolated(pieces)
  return pieces
end

function behaviours.Contiguous(pieces)
  local made = {}
  for _, piece in ipairs(pieces) do
    local before = made[#made]
    if before and before[3] == piece[3] then before[2] = piece[2] else made[#made + 1] = {table.unpack(piece)} end
  end
  return made
end

function behaviours.MergedWithPrevious(pieces)
  local made, was_match = {}, true
  for _, piece in ipairs(pieces) do
    if piece[3] and not was_match then made[#made][2] = piece[2] else made[#made + 1] = {table.unpack(piece)} end
    was_match = piece[3]
  end
  return made
end

function behaviours.MergedWithNext(pieces)
  local made, was_match = {}, false
  for _, piece in ipairs(pieces) do
    if was_match and not piece[3] then made[#made][2] = piece[2] else made[#made + 1] = {table.unpack(piece)} end
    was_match = piece[3]
  end
  return made
end

--- Cuts each text by a finder of matches.
local function splitter(find, behaviour, is_inverted)
  return function(texts)
    local made = {}
    for _, text in ipairs(texts) do
      local pieces, at, from = {}, 1, 1
      while from <= #text.c do
        local first, last = find(text.c, from)
        if not first then break end
        if last < first then
          from = first + 1
        else
          if first > at then pieces[#pieces + 1] = {at, first - 1, is_inverted} end
          pieces[#pieces + 1] = {first, last, not is_inverted}
          at, from = last + 1, last + 1
        end
      end
      if at <= #text.c then pieces[#pieces + 1] = {at, #text.c, is_inverted} end
      for _, piece in ipairs(behaviour(pieces)) do made[#made + 1] = unicode.part(text, piece[1], piece[2]) end
    end
    return made
  end
end

--- A finder of characters that a test is true for, one at a time.
local function finder_of_test(test)
  return function(c, from)
    for i = from, #c do
      if test(c[i]) then return i, i end
    end
  end
end

local function is_punctuation(c)
  if c < 128 then return c >= 33 and c <= 47 or c >= 58 and c <= 64 or c >= 91 and c <= 96 or c >= 123 and c <= 126 end
  return unicode.punctuation(c)
end

local makers = {}

function makers.BertPreTokenizer()
  local spaces = splitter(finder_of_test(unicode.is_space), behaviours.Removed, false)
  local marks = splitter(finder_of_test(is_punctuation), behaviours.Isolated, false)
  return function(texts) return marks(spaces(texts)) end
end

function makers.WhitespaceSplit()
  return splitter(finder_of_test(unicode.is_space), behaviours.Removed, false)
end

function makers.Whitespace(_, name)
  return splitter(regex.finder(name, [[\w+|[^\w\s]+]]), behaviours.Removed, true)
end

--- The behaviour that a part of tokenizer.json names.
local function behaviour_of(name, text)
  local behaviour = behaviours[text]
  if not behaviour then core.raise(("%s: the behavior %s isn't known"):format(name, tostring(text))) end
  return behaviour
end

function makers.Punctuation(spec, name)
  return splitter(finder_of_test(is_punctuation), behaviour_of(name, spec.behavior or "Isolated"), false)
end

function makers.Digits(spec)
  local behaviour = spec.individual_digits and behaviours.Isolated or behaviours.Contiguous
  return splitter(finder_of_test(unicode.numbers), behaviour, false)
end

function makers.Split(spec, name)
  local find = normalizers.finder_of(name, spec.pattern)
  return splitter(find, behaviour_of(name, spec.behavior), spec.invert == true)
end

-- ------------------------------------------------------------------ ByteLevel

-- The character that stands for each byte: itself where it can be seen, else one from 256 on (as GPT-2 has it).
local character_of_byte, byte_of_character = {}, {}
do
  local next_one = 256
  for byte = 0, 255 do
    local is_seen = byte >= 33 and byte <= 126 or byte >= 161 and byte <= 172 or byte >= 174
    character_of_byte[byte] = is_seen and byte or next_one
    if not is_seen then next_one = next_one + 1 end
    byte_of_character[character_of_byte[byte]] = byte
  end
end
pre_tokenizers.byte_of_character = byte_of_character

local GPT2 = [['s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+]]

--- A blank before a text that begins with none.
local function with_blank(text)
  if #text.c == 0 or unicode.is_space(text.c[1]) then return text end
  local n = #text.c
  local made = {c = table.move(text.c, 1, n, 2, {}), first = table.move(text.first, 1, n, 2, {}),
    last = table.move(text.last, 1, n, 2, {})}
  made.c[1], made.first[1], made.last[1] = 32, text.first[1], text.first[1] - 1
  return made
end

local function to_bytes(text)
  return normalizers.map(text, function(c, put)
    for _, byte in ipairs {utf8.char(c):byte(1, -1)} do put(character_of_byte[byte]) end
  end)
end

function makers.ByteLevel(spec, name)
  local split = spec.use_regex ~= false and splitter(regex.finder(name, GPT2), behaviours.Isolated, false)
  return function(texts)
    local made = {}
    for i, text in ipairs(texts) do made[i] = spec.add_prefix_space and with_blank(text) or text end
    if split then made = split(made) end
    for i, text in ipairs(made) do made[i] = to_bytes(text) end
    return made
  end
end

-- ------------------------------------------------------------------ Metaspace

function makers.Metaspace(spec, name)
  local mark = unicode.text_of(name, spec.replacement or "▁").c[1]
  local scheme = spec.prepend_scheme or (spec.add_prefix_space == false and "never" or "always")
  local split = splitter(finder_of_test(function(c) return c == mark end), behaviours.MergedWithNext, false)
  return function(texts, is_first)
    local made = {}
    for i, text in ipairs(texts) do
      local replaced = normalizers.map(text, function(c, put) put(c == 32 and mark or c) end)
      local wants = scheme == "always" or scheme == "first" and is_first and i == 1
      if wants and #replaced.c > 0 and replaced.c[1] ~= mark then
        replaced = with_blank(replaced)
        replaced.c[1], replaced.last[1] = mark, replaced.last[2]
      end
      made[i] = replaced
    end
    return spec.split ~= false and split(made) or made
  end
end

--- The pre-tokenizer of a part of tokenizer.json; what isn't known is an error that names it.
function pre_tokenizers.make(name, spec)
  if not spec then return function(texts) return texts end end
  if spec.type == "Sequence" then
    local list = {}
    for i, one in ipairs(spec.pretokenizers) do list[i] = pre_tokenizers.make(name, one) end
    return function(texts, is_first)
      for _, one in ipairs(list) do texts = one(texts, is_first) end
      return texts
    end
  end
  local maker = makers[spec.type]
  if not maker then
    core.raise(("%s: the pre-tokenizer %s isn't known"):format(name, tostring(spec.type)))
  end
  return maker(spec, name)
end

return pre_tokenizers
