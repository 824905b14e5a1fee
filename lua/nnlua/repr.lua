-- nl.repr: any value as a text that shows what is in it.

local args = require "nnlua.args"
local pretty = require "nnlua.prompt.pretty"

local parse = args.parser("repr", {
  {"value", "any?"}, {"width", "integer", 80}, {"depth", "integer", 4}, {"items", "integer", 50},
})

--- A value as the prompt shows it: tables with what is in them, strings in quotes, tensors and modules as print does.
--- width is that of lines, depth how many tables deep it goes, items how many entries of each table are shown.
---     > print(nl.repr {lr = 0.1, layers = {10, 5, 2}, name = "net"})
---     {layers = {10, 5, 2}, lr = 0.1, name = "net"}
---@param value any
---@param width? integer
---@param depth? integer
---@param items? integer
---@return string
local function repr(value, ...)
  local _, width, depth, items = parse(nil, ...)
  return pretty.text(value, {width = width, depth = depth, items = items})
end

return repr
