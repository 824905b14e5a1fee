--- Reads JSON, with the core's reader. Integers and floats stay apart and come out exactly; null is `json.null`.

require "nnlua"
local system = require "nnlua.system"

local json = {}

json.null = setmetatable({}, {__tostring = function() return "null" end})

--- The value that a text of JSON stands for.
function json.decode(text)
  local value, problem, byte = system.read_json(text, json.null)
  if value == nil then
    error(("JSON: byte %d: %s"):format(byte, problem), 0)
  end
  return value
end

return json
