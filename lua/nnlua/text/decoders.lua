-- How tokens become a text again, by the names of tokenizer.json. Each is a function of a list of tokens that gives
-- another list; what is left in the end is one string.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local pre_tokenizers = require "nnlua.text.pre_tokenizers"

local decoders = {}

local makers = {}

--- A text with a plain piece of it replaced everywhere.
local function replaced(text, piece, by)
  return (text:gsub(piece:gsub("%p", "%%%0"), (by:gsub("%%", "%%%%"))))
end

local function each(f)
  return function(tokens)
    local made = {}
    for i, token in ipairs(tokens) do made[i] = f(token, i, #tokens) end
    return made
  end
end

local function clean_up(text)
  for _, pair in ipairs {{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
    {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}} do
    text = replaced(text, pair[1], pair[2])
  end
  return text
end

function makers.WordPiece(spec)
  local prefix, cleans = spec.prefix or "##", spec.cleanup ~= false
  return each(function(token, i)
    if i > 1 then
      if token:sub(1, #prefix) == prefix then token = token:sub(#prefix + 1) else token = " " .. token end
    end
    return cleans and clean_up(token) or token
  end)
end

function makers.ByteLevel()
  local bytes = pre_tokenizers.byte_of_character
  return function(tokens)
    local made = {}
    for _, token in ipairs(tokens) do
      local inner, is_all = {}, true
      for _, c in utf8.codes(token) do
        is_all = is_all and bytes[c] ~= nil
        inner[#inner + 1] = bytes[c] and string.char(bytes[c])
      end
      made[#made + 1] = is_all and table.concat(inner) or token
    end
    return {table.concat(made)}
  end
end

function makers.BPEDecoder(spec)
  local suffix = spec.suffix or "</w>"
  return each(function(token, i, n) return replaced(token, suffix, i == n and "" or " ") end)
end

function makers.Metaspace(spec)
  local mark = spec.replacement or "▁"
  local is_removed = (spec.prepend_scheme or "always") ~= "never" and spec.add_prefix_space ~= false
  return each(function(token, i)
    local text = replaced(token, mark, " ")
    return i == 1 and is_removed and text:sub(1, 1) == " " and text:sub(2) or text
  end)
end

function makers.Replace(spec, name)
  if not spec.pattern.String then core.raise(name .. ": the decoder Replace isn't known with a regular expression") end
  return each(function(token) return replaced(token, spec.pattern.String, spec.content) end)
end

function makers.Fuse()
  return function(tokens) return {table.concat(tokens)} end
end

function makers.Strip(spec, name)
  local start, stop = args.whole(spec.start), args.whole(spec.stop)
  if not start or not stop or type(spec.content) ~= "string" or spec.content == "" then
    core.raise(name .. ": the decoder Strip must have a content and whole numbers start and stop")
  end
  return each(function(token)
    local first, last = 1, #token
    for _ = 1, start do
      if token:sub(first, first + #spec.content - 1) ~= spec.content then break end
      first = first + #spec.content
    end
    for _ = 1, stop do
      if last < first or token:sub(last - #spec.content + 1, last) ~= spec.content then break end
      last = last - #spec.content
    end
    return token:sub(first, last)
  end)
end

function makers.ByteFallback()
  return function(tokens)
    local made, bytes = {}, {}
    local function flush()
      if #bytes == 0 then return end
      local text = table.concat(bytes)
      made[#made + 1] = utf8.len(text) and text or ("\u{FFFD}"):rep(#bytes)
      bytes = {}
    end
    for _, token in ipairs(tokens) do
      local digits = token:match "^<0x(%x%x)>$"
      if digits then
        bytes[#bytes + 1] = string.char(tonumber(digits, 16))
      else
        flush()
        made[#made + 1] = token
      end
    end
    flush()
    return made
  end
end

--- The decoder of a part of tokenizer.json; what isn't known is an error that names it.
function decoders.make(name, spec)
  if not spec then
    return function(tokens) return {table.concat(tokens, " ")} end
  end
  if spec.type == "Sequence" then
    local list = {}
    for i, one in ipairs(spec.decoders) do list[i] = decoders.make(name, one) end
    return function(tokens)
      for _, one in ipairs(list) do tokens = one(tokens) end
      return tokens
    end
  end
  local maker = makers[spec.type]
  if not maker then core.raise(("%s: the decoder %s isn't known"):format(name, tostring(spec.type))) end
  return maker(spec, name)
end

return decoders
