-- How a word is made of tokens, by the names of tokenizer.json. Each is a function of a text (see unicode.lua) that
-- gives a list of {number of the token, first character, last character}.

local core = require "nnlua.nn.core"
local unicode = require "nnlua.text.unicode"

local models = {}

local makers = {}

--- The characters of a text as strings.
local function strings_of(text)
  local list = {}
  for i, c in ipairs(text.c) do list[i] = utf8.char(c) end
  return list
end

-- ------------------------------------------------------------------ WordPiece

--- The longest token that begins a word, then the longest one of the rest, with a prefix, and so on.
function makers.WordPiece(spec, vocab, fail)
  local prefix, most = spec.continuing_subword_prefix or "##", spec.max_input_chars_per_word or 100
  local unknown = vocab[spec.unk_token or "[UNK]"] or fail(("the vocabulary hasn't its %s"):format(spec.unk_token))
  return function(text)
    local letters, n = strings_of(text), #text.c
    if n > most then return {{unknown, 1, n}} end
    local tokens, at = {}, 1
    while at <= n do
      local last, found = n, nil
      while last >= at do
        local piece = table.concat(letters, "", at, last)
        found = vocab[at > 1 and prefix .. piece or piece]
        if found then break end
        last = last - 1
      end
      if not found then return {{unknown, 1, n}} end
      tokens[#tokens + 1] = {found, at, last}
      at = last + 1
    end
    return tokens
  end
end

-- ------------------------------------------------------------------ WordLevel

function makers.WordLevel(spec, vocab)
  local unknown = vocab[spec.unk_token]
  return function(text)
    local found = vocab[unicode.string_of(text)] or unknown
    return found and {{found, 1, #text.c}} or {}
  end
end

-- ------------------------------------------------------------------------ BPE

--- By what rank two tokens become one: ranks[left][right] is {rank, the new token}.
local function read_merges(spec, vocab, fail)
  local ranks, skip = {}, #(spec.continuing_subword_prefix or "")
  for rank, merge in ipairs(spec.merges) do
    local left, right
    if type(merge) == "table" then left, right = merge[1], merge[2] else left, right = merge:match "^(.-) (.*)$" end
    if type(left) ~= "string" or type(right) ~= "string" then fail(("merge %d is no pair"):format(rank)) end
    local whole = left .. right:sub(skip + 1)
    if not vocab[whole] then fail(("merge %d makes '%s', which isn't in the vocabulary"):format(rank, whole)) end
    ranks[left] = ranks[left] or {}
    ranks[left][right] = ranks[left][right] or {rank, whole}
  end
  return ranks
end

--- A heap of {rank, place, left, right}: the lowest rank first, the leftmost of equal ones.
local function comes_first(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end

local function push(heap, entry)
  local i = #heap + 1
  while i > 1 and comes_first(entry, heap[i // 2]) do
    heap[i] = heap[i // 2]
    i = i // 2
  end
  heap[i] = entry
end

local function pop(heap)
  local top, last = heap[1], table.remove(heap)
  local n, i = #heap, 1
  if n == 0 then return top end
  while 2 * i <= n do
    local child = 2 * i
    if child < n and comes_first(heap[child + 1], heap[child]) then child = child + 1 end
    if not comes_first(heap[child], last) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = last
  return top
end

--- Merges neighbours in a list of {token, first, last}. Each knows its neighbours; what was merged into its left one is
--- gone.
local function merge_all(ranks, parts)
  local heap = {}
  local function look(left, right)
    local pair = left and right and ranks[left[1]] and ranks[left[1]][right[1]]
    if pair then push(heap, {pair[1], left[2], left, right, left[1], right[1], pair[2]}) end
  end
  for i, part in ipairs(parts) do part.before, part.behind = parts[i - 1], parts[i + 1] end
  for i = 1, #parts - 1 do look(parts[i], parts[i + 1]) end
  while #heap > 0 do
    local _, _, left, right, left_token, right_token, whole = table.unpack(pop(heap))
    local is_current = left.behind == right and left[1] == left_token and right[1] == right_token
    if is_current and not left.is_gone then
      left[1], left[3], left.behind, right.is_gone = whole, right[3], right.behind, true
      if right.behind then right.behind.before = left end
      look(left.before, left)
      look(left, left.behind)
    end
  end
  local kept = {}
  for _, part in ipairs(parts) do
    if not part.is_gone then kept[#kept + 1] = part end
  end
  return kept
end

--- The letters of a word as tokens of the vocabulary; what is in none becomes its bytes, or the unknown token.
local function split_letters(model, text)
  local vocab, parts, n = model.vocab, {}, #text.c
  for i, c in ipairs(text.c) do
    local letter = utf8.char(c)
    local token = (i > 1 and model.prefix or "") .. letter .. (i == n and model.suffix or "")
    if vocab[token] then
      parts[#parts + 1] = {token, i, i}
    else
      local bytes = model.falls_back and {letter:byte(1, -1)} or {}
      for k, byte in ipairs(bytes) do bytes[k] = ("<0x%02X>"):format(byte) end
      for _, name in ipairs(bytes) do
        if not vocab[name] then bytes = {} break end
      end
      for _, name in ipairs(bytes) do parts[#parts + 1] = {name, i, i} end
      local before = parts[#parts]
      if #bytes == 0 and model.unknown then
        if model.fuses and before and before[1] == model.unknown and before.is_unknown then
          before[3] = i
        else
          parts[#parts + 1] = {model.unknown, i, i, is_unknown = true}
        end
      end
    end
  end
  return parts
end

--- Letters, of which pairs are merged by rank.
function makers.BPE(spec, vocab, fail)
  if spec.dropout and spec.dropout > 0 then fail "dropout isn't known" end
  local ranks = read_merges(spec, vocab, fail)
  local model = {vocab = vocab, prefix = spec.continuing_subword_prefix or "", suffix = spec.end_of_word_suffix or "",
    unknown = spec.unk_token, fuses = spec.fuse_unk, falls_back = spec.byte_fallback}
  if model.unknown and not vocab[model.unknown] then fail(("the vocabulary hasn't its %s"):format(model.unknown)) end
  return function(text)
    local whole = spec.ignore_merges and vocab[unicode.string_of(text)]
    if whole then return {{whole, 1, #text.c}} end
    local parts = merge_all(ranks, split_letters(model, text))
    local tokens = {}
    for i, part in ipairs(parts) do tokens[i] = {vocab[part[1]], part[2], part[3]} end
    return tokens
  end
end

--- The model of a part of tokenizer.json, over a vocabulary of numbers; what isn't known is an error that names it.
--- What was made of a word before is kept.
function models.make(name, spec, vocab)
  local function fail(what) core.raise(("%s: %s"):format(name, what)) end
  local kind = spec.type or (spec.merges and "BPE" or "WordPiece")
  local maker = makers[kind]
  if not maker then fail(("the model %s isn't known: BPE, WordPiece and WordLevel are"):format(tostring(kind))) end
  local tokenize = maker(spec, vocab, fail)
  local known, count = {}, 0
  return function(text)
    local word = unicode.string_of(text)
    local tokens = known[word]
    if not tokens then
      tokens = tokenize(text)
      if count >= 10000 then known, count = {}, 0 end
      known[word], count = tokens, count + 1
    end
    return tokens
  end
end

return models
