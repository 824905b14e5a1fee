-- Tokens that are found in a text before it is cut into words: those that were added to a vocabulary.

local unicode = require "nnlua.text.unicode"

local added_tokens = {}

local function is_word(c)
  return c ~= nil and unicode.is_word(c)
end

--- A tree of the characters of tokens: tree[character] … .token is the token that ends there.
local function tree_of(tokens, normalize)
  local tree = {}
  for _, token in ipairs(tokens) do
    local node, text = tree, unicode.text_of("text.Tokenizer", token.content)
    if token.normalized then text = normalize(text) end
    for _, c in ipairs(text.c) do
      node[c] = node[c] or {}
      node = node[c]
    end
    if node ~= tree then node.token = node.token or token end
  end
  return tree
end

--- The longest token at a place, and its last character; of those that must be words, only where they are.
local function token_at(tree, c, at)
  local node, found, last, i = tree, nil, nil, at
  while true do
    node = node[c[i]]
    if not node then return found, last end
    if node.token then found, last = node.token, i end
    i = i + 1
    if not c[i] then return found, last end
  end
end

local function next_token(tree, c, from)
  for at = from, #c do
    local token, last = token_at(tree, c, at)
    local is_inside = token and token.single_word and (is_word(c[at - 1]) or is_word(c[last + 1]))
    if token and not is_inside then return token, at, last end
  end
end

--- A text as a list of tokens, {token = …, text = …}, and of texts between them.
local function split(tree, text)
  local pieces, at = {}, 1
  while at <= #text.c do
    local token, first, last = next_token(tree, text.c, at)
    if not token then break end
    while token.lstrip and first > at and unicode.is_space(text.c[first - 1]) do first = first - 1 end
    while token.rstrip and unicode.is_space(text.c[last + 1] or 0) do last = last + 1 end
    if first > at then pieces[#pieces + 1] = {text = unicode.part(text, at, first - 1)} end
    pieces[#pieces + 1] = {token = token, text = unicode.part(text, first, last)}
    at = last + 1
  end
  if at <= #text.c then pieces[#pieces + 1] = {text = unicode.part(text, at, #text.c)} end
  return pieces
end

--- A function of a text that gives a list of tokens and of normalized texts between them. Tokens that are marked so are
--- looked for in the normalized text, all others before.
function added_tokens.splitter(tokens, normalize)
  local kinds = {[true] = {}, [false] = {}}
  for _, token in ipairs(tokens) do table.insert(kinds[token.normalized == true], token) end
  local raw, normalized = tree_of(kinds[false]), tree_of(kinds[true], normalize)
  return function(text)
    local pieces = {}
    for _, piece in ipairs(split(raw, text)) do
      if piece.token then
        pieces[#pieces + 1] = piece
      else
        for _, inner in ipairs(split(normalized, normalize(piece.text))) do pieces[#pieces + 1] = inner end
      end
    end
    return pieces
  end
end

return added_tokens
