-- What is put around the tokens of one text or two, by the names of tokenizer.json. Each gets two encodings (see
-- encoding.lua), the second one or nil, and gives one.

local core = require "nnlua.nn.core"
local encoding = require "nnlua.text.encoding"

local post_processors = {}

local makers = {}

--- One after the other, the second one of the second type.
local function joined(a, b)
  if not b then return a end
  return encoding.joined {a, encoding.with_type(b, 1)}
end

--- A piece with one special token of a type.
local function special(token, id, type_id)
  return {ids = {id}, tokens = {token}, type_ids = {type_id}, offsets = {{0, -1}}, special_tokens_mask = {1}}
end

--- A processor: how many tokens it adds for one text or a pair, and what it makes of encodings.
local function processor(count, process)
  return {count = count, process = process}
end

function makers.TemplateProcessing(spec)
  local function counted(template)
    local n = 0
    for _, piece in ipairs(template) do
      if piece.SpecialToken then n = n + #spec.special_tokens[piece.SpecialToken.id].ids end
    end
    return n
  end
  return processor(function(is_pair) return counted(is_pair and spec.pair or spec.single) end, function(a, b)
    local parts = {}
    for _, piece in ipairs(b and spec.pair or spec.single) do
      if piece.SpecialToken then
        local token = spec.special_tokens[piece.SpecialToken.id]
        for i, id in ipairs(token.ids) do
          parts[#parts + 1] = special(token.tokens[i], id, piece.SpecialToken.type_id)
        end
      else
        local one = piece.Sequence.id == "A" and a or b
        parts[#parts + 1] = encoding.with_type(one, piece.Sequence.type_id)
      end
    end
    return encoding.joined(parts)
  end)
end

--- [CLS] a [SEP], or with a second text [CLS] a [SEP] b [SEP].
function makers.BertProcessing(spec)
  return processor(function(is_pair) return is_pair and 3 or 2 end, function(a, b)
    local first = encoding.joined {special(spec.cls[1], spec.cls[2], 0), encoding.with_type(a, 0),
      special(spec.sep[1], spec.sep[2], 0)}
    if not b then return first end
    return encoding.joined {first, encoding.with_type(b, 1), special(spec.sep[1], spec.sep[2], 1)}
  end)
end

--- <s> a </s>, or with a second text <s> a </s> </s> b </s>, all of type 0.
function makers.RobertaProcessing(spec)
  return processor(function(is_pair) return is_pair and 4 or 2 end, function(a, b)
    local cls, sep = special(spec.cls[1], spec.cls[2], 0), special(spec.sep[1], spec.sep[2], 0)
    local first = encoding.joined {cls, encoding.with_type(a, 0), sep}
    return b and encoding.joined {first, sep, encoding.with_type(b, 0), sep} or first
  end)
end

--- It only moves offsets, which blanks before words are left out of (see tokenizer.lua).
function makers.ByteLevel()
  return processor(function() return 0 end, joined)
end

--- The processor of a part of tokenizer.json; what isn't known is an error that names it.
function post_processors.make(name, spec)
  if not spec then return processor(function() return 0 end, joined) end
  if spec.type == "Sequence" then
    local last
    for _, one in ipairs(spec.processors) do
      local made = post_processors.make(name, one)
      if one.type ~= "ByteLevel" and last then
        core.raise(name .. ": a post-processor of several that add tokens isn't known")
      elseif one.type ~= "ByteLevel" then
        last = made
      end
    end
    return last or makers.ByteLevel()
  end
  local maker = makers[spec.type]
  if not maker then core.raise(("%s: the post-processor %s isn't known"):format(name, tostring(spec.type))) end
  return maker(spec)
end

return post_processors
