-- nl.text: texts as numbers. Read when a name is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

return on_demand.fields({}, guard.classes, {["nnlua.text.tokenizer"] = "Tokenizer"})
