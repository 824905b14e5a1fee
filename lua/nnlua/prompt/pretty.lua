-- Any value as text.

local tostring = tostring
local pretty = {}

function pretty.text(value)
  return tostring(value)
end

return pretty
