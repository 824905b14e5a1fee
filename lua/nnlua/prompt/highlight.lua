-- The colours of Lua text.

local _ENV = require "nnlua.prompt.environment"()

local tokens = require "nnlua.prompt.tokens"

local highlight = {}

local colours = {keyword = "35", string = "32", number = "36", comment = "2"}
local constants = {["nil"] = "36", ["true"] = "36", ["false"] = "36"}
local BRACKET = "1;4" -- the pair that the cursor stands at

local partner = {["("] = ")", ["["] = "]", ["{"] = "}"}
local closing = {[")"] = true, ["]"] = true, ["}"] = true}

--- The tokens of the brackets that belong together and of which the cursor is at one,
--- right behind it for a closing one.
local function pair_at(list, cursor)
  local open = {}
  for _, token in ipairs(list) do
    if token.kind == "operator" then
      if partner[token.text] then
        open[#open + 1] = token
      elseif closing[token.text] then
        local opening = open[#open]
        open[#open] = nil
        local at_one = token.to + 1 == cursor or token.from == cursor or opening and opening.from == cursor
        if opening and partner[opening.text] == token.text and at_one then return opening, token end
      end
    end
  end
end

--- Stretches of the text that have a colour, in order: `{from, to, code}`. Commands of the prompt have none.
function highlight.stretches(text, cursor)
  if text:find "^%s*[:?]" then return {} end
  local list, stretches = tokens.of(text), {}
  local first, second = pair_at(list, cursor)
  for _, token in ipairs(list) do
    local code = constants[token.text] or colours[token.kind]
    if token == first or token == second then code = BRACKET end
    if code then stretches[#stretches + 1] = {from = token.from, to = token.to, code = code} end
  end
  return stretches
end

return highlight
