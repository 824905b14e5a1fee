-- Lua text as tokens, complete or not: for colours, and to find what a chunk declares.

local _ENV = require "nnlua.prompt.environment"()

local tokens = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while]]):gmatch "%a+" do
  keywords[word] = true
end
tokens.keywords = keywords

--- Where a long string or comment that opens at `from` ends, and whether it does.
local function long_end(text, from)
  local level, inner = text:match("^%[(=*)%[()", from)
  if not level then return nil end
  local _, last = text:find("]" .. level .. "]", inner, true)
  return last or #text, last ~= nil
end

--- Where a quoted string that opens at `from` ends, and whether it does: a line's end breaks it off.
local function quoted_end(text, from)
  local quote, at = text:sub(from, from), from + 1
  while true do
    at = text:find("[" .. quote .. "\\\n]", at)
    if not at then return #text, false end
    local c = text:sub(at, at)
    if c == quote then return at, true end
    if c == "\n" then return at - 1, false end
    at = text:match("^\\z%s*()", at) or at + 2
  end
end

local function comment_end(text, from)
  local last, closed = long_end(text, from + 2)
  if last then return last, closed end
  return (text:find("\n", from, true) or #text + 1) - 1, true
end

local function number_end(text, from)
  local hexadecimal = text:find("^0[xX]", from)
  local exponent = hexadecimal and "[pP]" or "[eE]"
  local at = from
  while true do
    local last = text:match("^" .. exponent .. "[+-]?()", at) or text:match("^[%w_.]()", at)
    if not last then return at - 1 end
    at = last
  end
end

local operators = {"...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".."}

local function operator_end(text, from)
  for _, operator in ipairs(operators) do
    if text:sub(from, from + #operator - 1) == operator then return from + #operator - 1 end
  end
  local character = text:match("^" .. utf8.charpattern, from) -- what is no token is one character
  return from + math.max(#(character or ""), 1) - 1
end

--- The kind of the token at a position, its last byte, and whether it is complete.
local function scan(text, from)
  local word = text:match("^[%a_][%w_]*", from)
  if word then return keywords[word] and "keyword" or "name", from + #word - 1, true end
  if text:find("^%.?%d", from) then return "number", number_end(text, from), true end
  if text:find("^%-%-", from) then return "comment", comment_end(text, from) end
  if text:find("^[\"']", from) then return "string", quoted_end(text, from) end
  local last, closed = long_end(text, from)
  if last then return "string", last, closed end
  return "operator", operator_end(text, from), true
end

--- The tokens of a text, in order: `{kind, text, from, to, complete}`. Kinds: name, keyword, number, string, comment,
--- operator. Whitespace is none.
function tokens.of(text)
  local list, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then return list end
    local kind, last, complete = scan(text, at)
    list[#list + 1] = {kind = kind, text = text:sub(at, last), from = at, to = last, complete = complete}
    at = last + 1
  end
end

local opens = {["function"] = true, ["do"] = true, ["then"] = true, ["repeat"] = true}
local closes = {["end"] = true, ["until"] = true, ["elseif"] = true, ["else"] = true}

--- The tokens that are neither comments nor inside of a block; a function's name is outside.
local function top_level(list)
  local depth, result, last = 0, {}, nil
  for _, token in ipairs(list) do
    local word = token.kind == "keyword" and token.text
    if token.kind ~= "comment" then
      if closes[word] then depth = depth - 1 end
      local names_function = depth == 1 and token.kind == "name" and last == "function"
      if depth <= 0 or names_function then result[#result + 1] = token end
      if opens[word] or word == "else" then depth = depth + 1 end
      last = word
    end
  end
  return result
end

--- The tokens of a text that are neither comments nor inside of a block.
function tokens.outside_blocks(text)
  return top_level(tokens.of(text))
end

--- Reads the names after `local`: adds them to the list and returns where they end.
local function read_names(list, at, declared)
  if list[at] and list[at].text == "function" then
    declared[#declared + 1] = {name = list[at + 1] and list[at + 1].text}
    return at + 1
  end
  while list[at] and list[at].kind == "name" do
    local name, attribute = list[at].text, nil
    at = at + 1
    if list[at] and list[at].text == "<" then
      attribute = list[at + 1] and list[at + 1].text
      at = at + 3
    end
    declared[#declared + 1] = {name = name, attribute = attribute}
    if not (list[at] and list[at].text == ",") then break end
    at = at + 1
  end
  return at - 1
end

--- The local variables that a chunk declares outside of any block, in order: `{name, attribute}`; and the position of
--- its return statement, if it ends with one.
function tokens.declarations(text)
  local list, declared, at, return_at = tokens.outside_blocks(text), {}, 1, nil
  while list[at] do
    local token = list[at]
    if token.kind == "keyword" and token.text == "local" then
      at = read_names(list, at + 1, declared)
    elseif token.kind == "keyword" and token.text == "return" then
      return_at = token.from
    end
    at = at + 1
  end
  return declared, return_at
end

--- The names that stand anywhere in a text, as a set.
function tokens.names(text)
  local names = {}
  for _, token in ipairs(tokens.of(text)) do
    if token.kind == "name" then names[token.text] = true end
  end
  return names
end

return tokens
