-- How far lines of Lua are indented.

local _ENV = require "nnlua.prompt.environment"()

local tokens = require "nnlua.prompt.tokens"

local indent = {}

local WIDTH = 2
local change = {
  ["function"] = 1, ["do"] = 1, ["then"] = 1, ["repeat"] = 1, ["("] = 1, ["["] = 1, ["{"] = 1, 
  ["end"] = -1, ["until"] = -1,
  ["elseif"] = -1, [")"] = -1, ["]"] = -1, ["}"] = -1,
}

--- How many blocks and brackets are open at the end of a text.
local function depth_after(text)
  local depth = 0
  for _, token in ipairs(tokens.of(text)) do
    if token.kind == "keyword" or token.kind == "operator" then
      depth = math.max(0, depth + (change[token.text] or 0))
    end
    if token.kind == "string" and not token.complete then return 0 end
  end
  return depth
end

--- The blanks that a line after this text begins with.
function indent.after(text)
  return (" "):rep(WIDTH * depth_after(text))
end

--- The blanks that the last line of a text should begin with once a word that closes a block, and nothing else, stands
--- in it; else nil.
function indent.of_closing(text)
  local before, word = text:match "^(.*\n)[ \t]*([%a)%]}]+)$"
  if not before or not (word == "else" or (change[word] or 0) < 0) then return nil end
  return (" "):rep(WIDTH * math.max(0, depth_after(before) - 1))
end

return indent
