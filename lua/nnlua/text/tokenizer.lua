-- Tokenizers: texts to numbers of tokens and back, by the files of others.

local added_tokens = require "nnlua.text.added_tokens"
local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local decoders = require "nnlua.text.decoders"
local encoding = require "nnlua.text.encoding"
local models = require "nnlua.text.models"
local nl = require "nnlua"
local normalizers = require "nnlua.text.normalizers"
local post_processors = require "nnlua.text.post_processors"
local pre_tokenizers = require "nnlua.text.pre_tokenizers"
local system = require "nnlua.system"
local unicode = require "nnlua.text.unicode"

local tokenizer = {}

local raise = core.raise

local NAME = "text.Tokenizer"

-- -------------------------------------------------------------------- files

--- What tokenizer.json would say of a list of words, one a line, as BERT has them.
local function of_words(text, options)
  local vocab, n = {}, 0
  for line in (text:gsub("\r\n", "\n"):gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do
    vocab[line] = n
    n = n + 1
  end
  local function special(token)
    return {token, vocab[token] or raise(("%s: the vocabulary hasn't %s"):format(NAME, token))}
  end
  local added = {}
  for _, token in ipairs {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"} do
    if vocab[token] then
      added[#added + 1] = {id = vocab[token], content = token, special = true, normalized = false}
    end
  end
  return {
    added_tokens = added, model = {type = "WordPiece", vocab = vocab, unk_token = "[UNK]"},
    normalizer = {type = "BertNormalizer", lowercase = options.lowercase, strip_accents = options.strip_accents},
    pre_tokenizer = {type = "BertPreTokenizer"}, decoder = {type = "WordPiece"},
    post_processor = {type = "BertProcessing", cls = special "[CLS]", sep = special "[SEP]"},
  }
end

--- What a function gives. An error of the interpreter in it, which a damaged file or a text that is too much for it
--- causes, is told as `what`; errors that were raised for the user stay as they are.
local function guarded(what, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local problem = tostring(results[2])
  if problem:find "stack overflow" then
    raise(what .. ": a regular expression goes too deep: the text must be cut into shorter ones")
  elseif problem:find "^nnlua/" or problem:find "^attempt to " or problem:find "^bad argument " then
    raise(what .. " is damaged")
  end
  error(results[2], 0)
end

local null = {} -- JSON's, while it is read

--- An object without what is null in it.
local function without_nulls(object)
  for key, value in next, object do
    if value == null then object[key] = nil end
  end
  return object
end

local function read_file(path, options)
  local text = system.read_bytes(NAME, path)
  if not text:match "^%s*{" then
    if not utf8.len(text) then raise(("%s: %s is neither JSON nor a list of words"):format(NAME, path)) end
    return of_words(text, options)
  end
  local spec, problem, byte = system.read_json(text, null, without_nulls)
  if not spec then raise(("%s: %s: byte %s: %s"):format(NAME, path, tostring(byte), problem)) end
  if type(spec.model) ~= "table" or type(spec.model.vocab) ~= "table" then
    raise(("%s: %s has no model with a vocabulary"):format(NAME, path))
  end
  return spec
end

-- -------------------------------------------------------------------- class

local parse = args.parser(NAME, {
  {"path", "string"}, {"lowercase", "boolean", true}, {"strip_accents", "boolean?"},
})

--- Texts to numbers of tokens and back, as the tokenizers of Hugging Face do it, by a file tokenizer.json (with models
--- BPE, WordPiece and WordLevel), or by BERT's vocab.txt, a word a line, for which lowercase and strip_accents (as
--- lowercase, if not given) count. Numbers count from 1, so that nn.Embedding takes them: they are those of the file
--- and 1.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nwor\n##ld\n"):close()
---     > tokenizer = nl.text.Tokenizer(path)
---     > table.concat(tokenizer:encode("Hello world").tokens, " ")
---     [CLS] hello wor ##ld [SEP]
---     > tokenizer({"hello", "hello world"}).input_ids
---     tensor([[3, 5, 4, 1, 1],
---             [3, 5, 6, 7, 4]])
---     > tokenizer:decode({3, 5, 6, 7, 4})
---     hello world
---@class Tokenizer
local Tokenizer = class.new(NAME)

--- Numbers of tokens by their texts, and texts by numbers; those of the file, from 0 on.
local function read_vocabulary(self, name, vocab, added)
  self._ids, self._texts, self._special, self._count = {}, {}, {}, 0
  for token, id in pairs(vocab) do
    if type(token) ~= "string" or not args.whole(id) then raise(NAME .. ": the vocabulary is no table of numbers") end
    self._ids[token], self._texts[id] = id, token
  end
  for i, token in ipairs(added) do
    if type(token) ~= "table" or type(token.content) ~= "string" or not args.whole(token.id) then
      raise(("%s: added token %d has no content or no number"):format(name, i))
    end
    self._ids[token.content], self._texts[token.id] = token.id, token.content
    if token.special then self._special[token.id] = true end
  end
  for _ in pairs(self._ids) do self._count = self._count + 1 end
end

--- The part of tokenizer.json, or one in it, that cuts blanks off the places of tokens; nil if there is none.
local function trimming_part(spec)
  if not spec then return nil end
  if spec.type == "ByteLevel" or spec.type == "RobertaProcessing" then
    return spec.trim_offsets ~= false and spec or nil
  end
  for _, one in ipairs(spec.processors or {}) do
    local found = trimming_part(one)
    if found then return found end
  end
end

local LONGEST = 1 << 24 -- tokens that a file may fill rows up to

--- Raises unless a field of a file is a whole number in a range, or isn't there.
local function check_whole(name, what, value, most)
  local whole = args.whole(value)
  if value ~= nil and not (whole and whole >= 0 and whole <= most) then
    raise(("%s: %s must be a whole number from 0 to %d"):format(name, what, most))
  end
end

--- What a file says of cutting; nil if nothing.
local function checked_truncation(name, truncation)
  if truncation == nil then return nil end
  local most = type(truncation) == "table" and truncation.max_length
  if type(most) ~= "number" or not (most >= 0) then
    raise(name .. ": truncation must have a max_length from 0 on")
  end
  -- Theirs may be above any integer here, for no limit.
  truncation.max_length = most < math.maxinteger and math.floor(most) or math.maxinteger
  return truncation
end

--- What a file says of filling up; nil if nothing.
local function checked_padding(name, padding)
  if padding == nil then return nil end
  if type(padding) ~= "table" then raise(name .. ": padding must be an object") end
  local strategy = padding.strategy
  check_whole(name, "padding.strategy.Fixed", type(strategy) == "table" and strategy.Fixed or nil, LONGEST)
  check_whole(name, "padding.pad_to_multiple_of", padding.pad_to_multiple_of, LONGEST)
  for _, field in ipairs {"pad_id", "pad_type_id"} do
    check_whole(name, "padding." .. field, padding[field], math.maxinteger - 1)
  end
  return padding
end

function Tokenizer:init(...)
  local path, lowercase, strip_accents = parse(...)
  local spec = read_file(path, {lowercase = lowercase, strip_accents = strip_accents})
  local name = ("%s: %s"):format(NAME, path)
  local added, sample = spec.added_tokens or {}, unicode.text_of(NAME, "a b")
  local function read(part, f, ...) return guarded(("%s: the part %s"):format(name, part), f, ...) end
  read("added_tokens", read_vocabulary, self, name, spec.model.vocab, added)
  local normalize = read("normalizer", normalizers.make, name, spec.normalizer)
  self._split = read("added_tokens", added_tokens.splitter, added, normalize)
  self._cut = read("pre_tokenizer", pre_tokenizers.make, name, spec.pre_tokenizer)
  self._model = read("model", models.make, name, spec.model, spec.model.vocab)
  self._processor = read("post_processor", post_processors.make, name, spec.post_processor)
  self._decoder = read("decoder", decoders.make, name, spec.decoder)
  self._trimming = read("post_processor", trimming_part, spec.post_processor)
  -- A part may look at its fields only when it works.
  read("normalizer", normalize, sample)
  read("pre_tokenizer", self._cut, {sample}, true)
  read("model", self._model, sample)
  local one = {ids = {0}, tokens = {"a"}, type_ids = {0}, offsets = {{1, 1}}, special_tokens_mask = {0}}
  for _, second in ipairs {false, one} do
    local made = read("post_processor", self._processor.process, one, second or nil)
    for i, id in ipairs(made.ids) do
      if not args.whole(id) or not args.whole(made.type_ids[i]) or type(made.tokens[i]) ~= "string" then
        raise(name .. ": the part post_processor is damaged")
      end
    end
  end
  read("decoder", self._decoder, {"a", "b"})
  self._truncation, self._padding = checked_truncation(name, spec.truncation), checked_padding(name, spec.padding)
end

-- ------------------------------------------------------------------ encoding

--- First and last byte of a token without the blanks at its ends, of which the first one in a text may have been put
--- there before.
local function trimmed(trimming, token, first, last)
  local blank = "\u{120}" -- what stands for it
  local before, behind = 0, 0
  while token:sub(2 * before + 1, 2 * before + 2) == blank do before = before + 1 end
  while token:sub(-2 * behind - 2, -2 * behind - 1) == blank do behind = behind + 1 end
  if before > 0 and first == 1 and trimming.add_prefix_space ~= false then before = before - 1 end
  first = math.min(first + before, last + 1)
  if last >= behind then last = math.max(last - behind, first - 1) end
  return first, last
end

--- Adds tokens of a word to an encoding.
local function add_word(self, made, word, tokens)
  for _, token in ipairs(tokens) do
    local n, text = #made.ids + 1, self._texts[token[1]]
    local first, last = word.first[token[2]], word.last[token[3]]
    if self._trimming then first, last = trimmed(self._trimming, text, first, last) end
    made.ids[n], made.tokens[n], made.type_ids[n] = token[1], text, 0
    made.offsets[n], made.special_tokens_mask[n] = {first, last}, 0
  end
end

--- The tokens of one text, without those around it.
local function encode_one(self, source)
  local made = encoding.new()
  for i, piece in ipairs(self._split(unicode.text_of("text.Tokenizer:encode", source))) do
    local text = piece.text
    if piece.token then
      add_word(self, made, text, {{piece.token.id, 1, #text.c}})
    elseif #text.c > 0 then
      for _, word in ipairs(self._cut({text}, i == 1)) do
        if #word.c > 0 then add_word(self, made, word, self._model(word)) end
      end
    end
  end
  return made
end

local strategies = {longest_first = true, only_first = true, only_second = true}

--- One text or two as one encoding, cut to a length.
local function encode_texts(self, first, second, settings)
  local a, b = encode_one(self, first), second and encode_one(self, second)
  local added = settings.special and self._processor.count(b ~= nil) or 0
  if settings.most then
    local room = math.max(settings.most - added, 0)
    local keep_a, keep_b = encoding.lengths(#a.ids, b and #b.ids or 0, room, settings.strategy)
    a = encoding.cut(a, keep_a, settings.from_left)
    b = b and encoding.cut(b, keep_b, settings.from_left)
  end
  if settings.special then return self._processor.process(a, b) end
  return b and encoding.joined {a, encoding.with_type(b, 1)} or a
end

--- The same, with an error for a text that is too much for the file.
local function encode_pair(self, first, second, settings)
  return guarded(settings.name .. ": the file", encode_texts, self, first, second, settings)
end

--- The same with numbers from 1 on, and a mask of ones.
local function counted_from_one(one)
  one.attention_mask = {}
  for i = 1, #one.ids do
    one.ids[i], one.type_ids[i], one.attention_mask[i] = one.ids[i] + 1, one.type_ids[i] + 1, 1
  end
  return one
end

--- What a call and the file say of cutting. `truncation` is true, false, nil (as the file says), or a strategy.
local function settings_of(self, name, special, truncation, most)
  local file = self._truncation
  local is_wanted = truncation or truncation == nil and (most ~= nil or file ~= nil)
  local strategy = type(truncation) == "string" and truncation or "longest_first"
  if file and type(truncation) ~= "string" and file.strategy then
    strategy = ({LongestFirst = "longest_first", OnlyFirst = "only_first", OnlySecond = "only_second"})[file.strategy]
      or strategy
  end
  if not strategies[strategy] then
    raise(("%s: truncation must be true, false, longest_first, only_first or only_second, not '%s'"):format(name,
      strategy))
  end
  most = most or file and file.max_length
  if is_wanted and not most then raise(name .. ": max_length is wanted for truncation") end
  if most and most < 1 then raise(("%s: max_length must be from 1 on, not %d"):format(name, most)) end
  return {name = name, special = special, most = is_wanted and most or nil, strategy = strategy,
    from_left = file and file.direction == "Left"}
end

local parse_encode = args.parser("text.Tokenizer:encode", {
  {"text", "string"}, {"pair", "string?"}, {"add_special_tokens", "boolean", true}, {"max_length", "integer?"},
})

--- The tokens of a text, or of two behind each other: a table of lists, ids (numbers from 1 on), tokens, type_ids (1,
--- and 2 for the second text), offsets (first and last byte of each in its text, {0, -1} of none), attention_mask and
--- special_tokens_mask.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[UNK]\n[CLS]\n[SEP]\nno\n##te\n"):close()
---     > e = nl.text.Tokenizer(path):encode("note no")
---     > table.concat(e.ids, " "), e.offsets[3][1], e.offsets[3][2]
---     2 4 5 4 3	3	4
---@param text string
---@param pair? string
---@param add_special_tokens? boolean
---@param max_length? integer
---@return table
function Tokenizer:encode(...)
  local text, pair, special, most = parse_encode(...)
  return counted_from_one(encode_pair(self, text, pair, settings_of(self, "text.Tokenizer:encode", special, nil, most)))
end

--- Rows of different lengths as one int64 tensor, filled up behind (or before) them.
local function padded(rows, length, filling, from_left)
  local t = nl.full({#rows, length}, filling, {dtype = nl.int64})
  for i, row in ipairs(rows) do
    if #row > 0 then
      t[i]:narrow(1, from_left and length - #row + 1 or 1, #row):copy_(nl.tensor(row, {dtype = nl.int64}))
    end
  end
  return t
end

local parse_call = args.parser("text.Tokenizer:__call", {
  {"texts", "any"}, {"pairs", "any?"}, {"padding", "any", true}, {"truncation", "any?"}, {"max_length", "integer?"},
  {"add_special_tokens", "boolean", true},
})

local function list_of(what, value)
  local list = type(value) == "string" and {value} or value
  if type(list) ~= "table" or #list == 0 then
    raise(("text.Tokenizer: %s must be a text or a list of them"):format(what))
  end
  for i, one in ipairs(list) do
    if type(one) ~= "string" then
      raise(("text.Tokenizer: %s[%d] must be a string, not %s"):format(what, i, core.describe(one)))
    end
  end
  return list
end

--- How long rows are to be, and what fills them.
local function padding_of(self, encodings, padding, most)
  local longest, file = 0, self._padding or {}
  for _, one in ipairs(encodings) do longest = math.max(longest, #one.ids) end
  local length = longest
  if padding == "max_length" then
    length = most or raise "text.Tokenizer: max_length is wanted for padding to it"
  elseif padding ~= true and padding ~= false then
    raise "text.Tokenizer: padding must be true, false or 'max_length'"
  elseif padding and type(file.strategy) == "table" and file.strategy.Fixed then
    length = math.tointeger(file.strategy.Fixed)
  end
  local multiple = file.pad_to_multiple_of
  if padding and multiple and multiple > 0 then length = (length + multiple - 1) // multiple * multiple end
  for i, one in ipairs(encodings) do
    if not padding and #one.ids ~= longest then
      raise(("text.Tokenizer: text %d has %d tokens, another one %d: without padding they are no tensor"):format(i,
        #one.ids, longest))
    end
  end
  local id = file.pad_id or self._ids["[PAD]"] or self._ids["<pad>"] or 0
  return math.max(length, longest), id + 1, (file.pad_type_id or 0) + 1, file.direction == "Left"
end

--- The tokens of texts, or of pairs, as a table of int64 tensors (texts, tokens), as a model takes them: input_ids and
--- token_type_ids, which count from 1, and attention_mask. Shorter rows are filled up to the longest one (`padding =
--- true`) or to max_length; longer ones are cut to it.
function Tokenizer:__call(...)
  local texts, pair_texts, padding, truncation, most, special = parse_call(...)
  texts = list_of("texts", texts)
  pair_texts = pair_texts and list_of("pairs", pair_texts)
  if pair_texts and #pair_texts ~= #texts then
    raise(("text.Tokenizer: there are %d texts and %d pairs"):format(#texts, #pair_texts))
  end
  local settings, encodings = settings_of(self, "text.Tokenizer", special, truncation, most), {}
  for i, text in ipairs(texts) do
    encodings[i] = counted_from_one(encode_pair(self, text, pair_texts and pair_texts[i], settings))
  end
  local length, id, type_id, from_left = padding_of(self, encodings, padding, most)
  local function rows(field, filling)
    local list = {}
    for i, one in ipairs(encodings) do list[i] = one[field] end
    return padded(list, length, filling, from_left)
  end
  return {input_ids = rows("ids", id), token_type_ids = rows("type_ids", type_id),
    attention_mask = rows("attention_mask", 0)}
end

-- ------------------------------------------------------------------ decoding

local parse_decode = args.parser("text.Tokenizer:decode", {{"ids", "any"}, {"skip_special_tokens", "boolean", true}})

--- The text of tokens, a list or a tensor of one dimension of their numbers.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[UNK]\n[CLS]\n[SEP]\nno\n##te\n"):close()
---     > nl.text.Tokenizer(path):decode({2, 4, 5, 3}, {skip_special_tokens = false})
---     [CLS] note [SEP]
---@param ids integer[]|Tensor
---@param skip_special_tokens? boolean
---@return string
function Tokenizer:decode(...)
  local ids, skips = parse_decode(...)
  local list = core.is_tensor(ids) and ids:tolist() or ids
  if type(list) ~= "table" then raise "text.Tokenizer:decode: ids must be a list or a tensor of one dimension" end
  local tokens = {}
  for i, id in ipairs(list) do
    local whole = args.whole(id)
    local text = whole and self._texts[whole - 1]
    if not text then raise(("text.Tokenizer:decode: ids[%d] is %s, no token's number"):format(i, tostring(id))) end
    if not (skips and self._special[whole - 1]) then tokens[#tokens + 1] = text end
  end
  return table.concat(self._decoder(tokens))
end

--- The number of a token, from 1 on; nil if there is none.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n"):close()
---     > nl.text.Tokenizer(path):token_to_id "hello"
---     5
---@param token string
---@return integer?
function Tokenizer:token_to_id(token)
  local id = self._ids[token]
  return id and id + 1
end

--- The token of a number, which counts from 1; nil if there is none.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n"):close()
---     > nl.text.Tokenizer(path):id_to_token(5)
---     hello
---@param id integer
---@return string?
function Tokenizer:id_to_token(id)
  local whole = args.whole(id)
  return whole and self._texts[whole - 1]
end

--- How many tokens there are.
---     > path = os.tmpname()
---     > done = io.open(path, "w"):write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n"):close()
---     > nl.text.Tokenizer(path):vocab_size()
---     5
---@return integer
function Tokenizer:vocab_size()
  return self._count
end

tokenizer.Tokenizer = Tokenizer

return tokenizer
