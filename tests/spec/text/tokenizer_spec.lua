-- nl.text.Tokenizer, against Hugging Face's tokenizers.
local cjson = require "cjson"
local nl = require "nnlua"

local folder = "tests/files/tokenizers/"
local reference = dofile "tests/files/tokenizers.lua"
local texts = reference.texts
local path = os.tmpname()

local function write(text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function read(name)
  local file <close> = assert(io.open(folder .. name .. ".json", "rb"))
  return file:read "a"
end

local function plus_one(list)
  local made = {}
  for i, value in ipairs(list) do made[i] = value + 1 end
  return made
end

-- Texts of which theirs gives other places: of a run of unknown letters, and of marks that are put into order.
local other_places = {clip = {["٣٤ हिन्दी ไทย"] = true}, llama3 = {["e\u{301} q\u{307}\u{323} combining"] = true}}

describe("nl.text.Tokenizer", function()
  teardown(function() os.remove(path) end)

  it("gives the numbers, places and texts that Hugging Face's gives", function()
    local n = 0
    for name, cases in pairs(reference.made) do
      local tokenizer = nl.text.Tokenizer(folder .. name .. ".json")
      for i, case in ipairs(cases) do
        local ids, offsets, decoded = table.unpack(case)
        local what = ("%s: %q"):format(name, texts[i])
        local e = tokenizer:encode(texts[i])
        assert.same(plus_one(ids), e.ids, what)
        assert.equal(decoded, tokenizer:decode(e.ids), what)
        local may_differ = other_places[name] and other_places[name][texts[i]]
        for k, place in ipairs(e.offsets) do
          local is_empty = place[2] < place[1] and offsets[k][2] < offsets[k][1]
          if not is_empty and not may_differ then assert.same(offsets[k], place, what .. " " .. e.tokens[k]) end
        end
        assert.equal(#ids, #e.attention_mask)
        n = n + 1
      end
      local pair = tokenizer:encode(texts[1], texts[4])
      assert.same(plus_one(cases.pair[1]), pair.ids, name)
      assert.same(plus_one(cases.pair[2]), pair.type_ids, name)
    end
    assert.equal(11 * #texts, n)
  end)

  it("reads BERT's list of words", function()
    local spec = cjson.decode(read "bert")
    local words = {}
    for token, id in pairs(spec.model.vocab) do words[id + 1] = token end
    write(table.concat(words, "\n") .. "\n")
    local by_words, by_json = nl.text.Tokenizer(path), nl.text.Tokenizer(folder .. "bert.json")
    for _, text in ipairs(texts) do
      local a, b = by_words:encode(text, texts[1]), by_json:encode(text, texts[1])
      assert.same(b, a, text)
    end
    assert.equal(by_json:vocab_size(), by_words:vocab_size())
    assert.equal(3, by_words:token_to_id "[CLS]")
    assert.equal("[CLS]", by_words:id_to_token(3))
    assert.is_nil(by_words:token_to_id "nothing of the kind")
    assert.is_nil(by_words:id_to_token(0))
    write((table.concat(words, "\r\n") .. "\r\n"))
    assert.same(by_json:encode "hello world", nl.text.Tokenizer(path):encode "hello world")
    write(table.concat(words, "\n"))
    local cased = nl.text.Tokenizer(path, {lowercase = false})
    assert.same(nl.text.Tokenizer(folder .. "bert.json"):encode("hello world").ids, cased:encode("hello world").ids)
    assert.not_same(by_words:encode("HELLO").ids, cased:encode("HELLO").ids)
  end)

  it("makes tensors of several texts", function()
    local tokenizer = nl.text.Tokenizer(folder .. "bert.json")
    local one, two = tokenizer:encode "hello world", tokenizer:encode "the quick brown fox"
    local t = tokenizer {"hello world", "the quick brown fox"}
    local longest = math.max(#one.ids, #two.ids)
    assert.equal(("[2, %d]"):format(longest), tostring(t.input_ids.shape))
    assert.equal(nl.int64, t.input_ids.dtype)
    assert.same(two.ids, t.input_ids[2][{{1, #two.ids}}]:tolist())
    assert.same(one.ids, t.input_ids[1][{{1, #one.ids}}]:tolist())
    assert.equal(#one.ids, t.attention_mask[1]:sum():item())
    assert.equal(1, t.token_type_ids:max():item())
    assert.equal(1, t.input_ids:min():item()) -- [PAD] is the first one
    local embedding = nl.nn.Embedding(tokenizer:vocab_size(), 4)
    assert.equal(("[2, %d, 4]"):format(longest), tostring(embedding(t.input_ids).shape))
    assert.equal(2, tokenizer({"hello"}, {"world"}).token_type_ids:max():item())
    assert.equal("[1, 12]", tostring(tokenizer("hello", {padding = "max_length", max_length = 12}).input_ids.shape))
    local cut = tokenizer({"hello world", "the quick brown fox"}, {max_length = 5})
    assert.equal("[2, 5]", tostring(cut.input_ids.shape))
  end)

  it("cuts as Hugging Face's does", function()
    -- Tokenizer.from_file("bert.json"), enable_truncation(n, strategy=s), encode(a, b)
    local tokenizer = nl.text.Tokenizer(folder .. "bert.json")
    local a, b = "hello hello hello hello hello hello", "world world"
    local na = #tokenizer:encode(a, {add_special_tokens = false}).ids
    local nb = #tokenizer:encode(b, {add_special_tokens = false}).ids
    local function counts(most, truncation)
      local types = tokenizer(a, b, {max_length = most, truncation = truncation}).token_type_ids[1]
      local second = types:eq(2):sum():item()
      return #types - second - 2, second - 1
    end
    assert.is_true(na > nb)
    for most = 4, na + nb + 2 do
      local ka, kb = counts(most)
      assert.equal(most - 3, ka + kb)
      local wanted = most - 3
      local both = wanted // 2
      if nb <= both then assert.equal(nb, kb) else assert.equal(both, kb) end
    end
    assert.same({na - 2, nb}, {counts(na + nb + 1, "only_first")})
    assert.same({na, nb - 2}, {counts(na + nb + 1, "only_second")})
    assert.equal("[CLS]", tokenizer:encode(a, {max_length = 3}).tokens[1])
    assert.equal(3, #tokenizer:encode(a, {max_length = 3}).ids)
    assert.equal(2, #tokenizer:encode("", {max_length = 3}).ids)
  end)

  it("says what it can't read", function()
    local function refused(pattern, change)
      local spec = cjson.decode(read "gpt2")
      change(spec)
      write(cjson.encode(spec))
      assert.error_matches(function() nl.text.Tokenizer(path) end, pattern)
    end
    refused("text%.Tokenizer: /.*: the model Unigram isn't known: BPE, WordPiece and WordLevel are", function(s)
      s.model.type = "Unigram"
    end)
    refused("the normalizer NFKC isn't known", function(s) s.normalizer = {type = "NFKC"} end)
    refused("the pre%-tokenizer Odd isn't known", function(s) s.pre_tokenizer = {type = "Odd"} end)
    refused("the post%-processor Odd isn't known", function(s) s.post_processor = {type = "Odd"} end)
    refused("the decoder Odd isn't known", function(s) s.decoder = {type = "Odd"} end)
    refused("the behavior Odd isn't known", function(s)
      s.pre_tokenizer = {type = "Split", pattern = {String = "a"}, behavior = "Odd"}
    end)
    refused("merge 1 makes 'qqqq', which isn't in the vocabulary", function(s) s.model.merges = {{"qq", "qq"}} end)
    refused("has no model with a vocabulary", function(s) s.model = {} end)
    for source, why in pairs {["(a"] = "a %) is missing", ["a)"] = "there is a %) too many", ["*a"] = "nothing before",
      ["\\q"] = "\\q isn't known", ["[a"] = "it ends too early", ["\\p{Greek}"] = "\\p{Greek} isn't known",
      ["a{x}"] = "{x} isn't known", ["(?<n>a)"] = "a group is of a kind that isn't known"} do
      refused("the regular expression .* can't be read: .*" .. why, function(s)
        s.pre_tokenizer = {type = "Split", pattern = {Regex = source}, behavior = "Isolated"}
      end)
    end
    write "{\"model\": "
    assert.error_matches(function() nl.text.Tokenizer(path) end, "byte 11: ")
    write "\xFF\xFE"
    assert.error_matches(function() nl.text.Tokenizer(path) end, "is neither JSON nor a list of words")
    write "one\ntwo\n"
    assert.error_matches(function() nl.text.Tokenizer(path) end, "the vocabulary hasn't %[CLS%]")
    assert.error_matches(function() nl.text.Tokenizer "/no/such/file" end, "No such file or directory")
    local tokenizer = nl.text.Tokenizer(folder .. "bert.json")
    assert.error_matches(function() tokenizer:encode "a\xFFb" end, "the text is not UTF%-8: byte 2 is wrong")
    assert.error_matches(function() tokenizer:decode {1 << 40} end, "ids%[1%] is .*, no token's number")
    assert.error_matches(function() tokenizer {"a", 3} end, "texts%[2%] must be a string")
    assert.error_matches(function() tokenizer({"a", "b c d e f g"}, {padding = false}) end, "without padding")
    assert.error_matches(function() tokenizer("a", {truncation = true}) end, "max_length is wanted for truncation")
    assert.error_matches(function() tokenizer("a", {truncation = "middle", max_length = 4}) end, "truncation must be")
  end)

  it("tells which part of a file is damaged", function()
    local function refused(message, fields, model)
      write(("{%s%s}"):format(fields and fields .. "," or "",
        model or '"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}'))
      local ok, problem = pcall(nl.text.Tokenizer, path)
      assert.is_false(ok, message)
      assert.matches(("text.Tokenizer: %s: %s"):format(path, message), problem, 1, true)
    end
    refused("the part model is damaged", nil, '"model":{"type":"BPE","vocab":{"a":0}}')
    refused("the part model is damaged", nil, '"model":{"type":"BPE","vocab":{"a":0},"merges":[5]}')
    refused("added token 1 has no content or no number", '"added_tokens":[{"id":1}]')
    refused("added token 1 has no content or no number", '"added_tokens":["x"]')
    refused("the part added_tokens is damaged", '"added_tokens":5')
    refused("the part normalizer is damaged", '"normalizer":{"type":"Sequence"}')
    refused("the part normalizer is damaged", '"normalizer":5')
    refused("the part pre_tokenizer is damaged", '"pre_tokenizer":{"type":"Split","behavior":"Removed"}')
    refused("the part post_processor is damaged", '"post_processor":{"type":"BertProcessing"}')
    refused("the part post_processor is damaged",
      '"post_processor":{"type":"BertProcessing","cls":["a","b"],"sep":["a",0]}')
    refused("the part post_processor is damaged",
      '"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}]}')
    refused("the part post_processor is damaged", '"post_processor":{"type":"TemplateProcessing",' ..
      '"single":[{"Sequence":{"id":"A","type_id":"x"}}],"pair":[],"special_tokens":{}}')
    refused("the part decoder is damaged", '"decoder":{"type":"Replace","pattern":{"String":"a"}}')
    refused("the decoder Strip must have a content", '"decoder":{"type":"Strip","content":"a","start":"x","stop":0}')
    refused("the decoder Strip must have a content", '"decoder":{"type":"Strip","content":"","start":1,"stop":0}')
    refused("truncation must have a max_length from 0 on", '"truncation":{"max_length":"x"}')
    refused("truncation must have a max_length from 0 on", '"truncation":5')
    refused("padding must be an object", '"padding":5')
    for _, size in ipairs {"1000000000000", '"x"', "-1", "1.5"} do
      refused("padding.strategy.Fixed must be a whole number", ('"padding":{"strategy":{"Fixed":%s}}'):format(size))
      refused("padding.pad_to_multiple_of must be a whole", ('"padding":{"pad_to_multiple_of":%s}'):format(size))
    end
    refused("padding.pad_id must be a whole number", '"padding":{"pad_id":"x"}')
  end)

  it("takes a multiple of 0 as none, and a decoder that strips as often as it can", function()
    write [[{"padding":{"strategy":{"Fixed":3},"pad_to_multiple_of":0},"truncation":{"max_length":1e30},
      "decoder":{"type":"Strip","content":"x","start":1000000000000,"stop":1},
      "model":{"type":"WordLevel","vocab":{"xxaxx":0},"unk_token":"xxaxx"}}]]
    local tokenizer = nl.text.Tokenizer(path)
    assert.equal("[1, 3]", tostring(tokenizer("xxaxx").input_ids.shape))
    assert.equal("ax", tokenizer:decode {1})
  end)

  it("tells of a text that is too long for a regular expression", function()
    write [[{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?:ab)+"},"behavior":"Isolated"},
      "model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}]]
    local tokenizer = nl.text.Tokenizer(path)
    assert.same({1}, tokenizer:encode(("ab"):rep(100)).ids)
    assert.error_matches(function() tokenizer:encode(("ab"):rep(200000)) end,
      "text%.Tokenizer:encode: the file: a regular expression goes too deep")
  end)

  it("stands files that are cut off or wrong", function()
    math.randomseed(8)
    local text = read "words"
    for n = 1, #text - 1, 7 do
      write(text:sub(1, n))
      assert.is_false(pcall(nl.text.Tokenizer, path))
    end
    for _ = 1, 100 do
      local at = math.random(#text)
      write(text:sub(1, at - 1) .. string.char(math.random(32, 126)) .. text:sub(at + 1))
      local ok, tokenizer = pcall(nl.text.Tokenizer, path)
      if ok then pcall(tokenizer.encode, tokenizer, "hello world") end
    end
  end)
end)

-- Python's re, or the regex module for \p
describe("the regular expressions of tokenizers", function()
  local regex = require "nnlua.text.regex"
  local unicode = require "nnlua.text.unicode"

  local function all(source, text)
    local find, c = regex.finder("spec", source), unicode.text_of("spec", text).c
    local found, at = {}, 1
    while at <= #c do
      local first, last = find(c, at)
      if not first then break end
      found[#found + 1] = unicode.string_of({c = c}, first, last)
      at = math.max(last + 1, first + 1)
    end
    return found
  end

  it("find what they say", function()
    assert.same({"aab", "ab", "b"}, all("a*b", "aabab b"))
    assert.same({"aa", "a"}, all("a{1,2}", "aaa"))
    assert.same({"aaaa"}, all("(?:aa)+", "aaaaa"))
    assert.same({"<a>", "<b>"}, all("<.+?>", "<a><b>"))
    assert.same({"<a><b>"}, all("<.+>", "<a><b>"))
    assert.same({"AB", "ab", "aB"}, all("(?i:ab)", "AB ab aB"))
    assert.same({"x", "é"}, all("[^a-c\\s]", "a x c é"))
    assert.same({"A", "b"}, all("(?i:[a-c])", "A b D"))
    assert.same({"a", "B"}, all("(?i:[A-C])", "a B d"))
    assert.same({"É", "é"}, all("(?i:[à-ê])", "É é ñ"))
    assert.same({"d"}, all("(?i:[^A-C])", "aBcd"))
    assert.same({"a"}, all("[a-c]", "A a"))
    assert.same({"foo"}, all("foo(?=bar)", "foobar foobaz"))
    assert.same({"foo"}, all("foo(?!bar)", "foobar foobaz"))
    assert.same({"12", "٣"}, all("\\d+", "12 a ٣"))
    assert.same({"abab"}, all("^(ab|a)*$", "abab"))
    assert.same({"-", "]"}, all("[\\]\\-]", "a-]"))
    assert.same({"", "", ""}, all("(a*)*", "bcd"))
  end)
end)
