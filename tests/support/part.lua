-- busted --helper=tests/support/part.lua -Xhelper 2/4: of the specs of a file every fourth, from the second on, so that
-- four processes run all of them between them.
local busted = require "busted"

local part, parts = arg[1]:match "^(%d+)/(%d+)$"
part, parts = tonumber(part), tonumber(parts)
assert(part and 1 <= part and part <= parts, "a part such as 2/4 was expected")

local count = 0

local function is_of_part()
  count = count + 1
  return nil, (count - part) % parts == 0
end

for _, kind in ipairs {"it", "pending"} do
  busted.subscribe({"register", kind}, is_of_part, {priority = 1})
end
