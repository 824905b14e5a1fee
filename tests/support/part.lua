-- busted --helper=tests/support/part.lua -Xhelper 2/4: the second part of the specs of a file, of four that together
-- are all of them. A spec's name tells its part: the order of specs may be another in each process.
-- tests/run.sh uses it.
local busted = require "busted"

local part, parts = arg[1]:match "^(%d+)/(%d+)$"
part, parts = tonumber(part), tonumber(parts)
assert(part and 1 <= part and part <= parts, "a part such as 2/4 was expected")

local function hash(text) -- FNV-1a
  local h = 0xcbf29ce484222325
  for i = 1, #text do h = (h ~ text:byte(i)) * 0x100000001b3 end
  return h >> 32
end

local function is_of_part(name)
  return nil, hash(name) % parts == part - 1
end

for _, kind in ipairs {"it", "pending"} do
  busted.subscribe({"register", kind}, is_of_part, {priority = 1})
end

-- busted notes the whole stack at each `it` though it shows it with --verbose only. Finding names for it took most of
-- the time of a file with thousands of specs.
local traceback = debug.traceback

function debug.traceback(message, ...)
  if message == "" then return "\n\t[C]: in ?" end -- as busted asks for it
  return traceback(message, ...)
end
