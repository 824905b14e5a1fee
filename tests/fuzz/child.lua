-- nnlua tests/fuzz/child.lua FIRST LAST [seconds]: runs the programs of some seeds in this process, from the project's
-- root, and begins none after so many seconds. Each seed is told before it begins, so that run.lua knows which one
-- brought the process down. Without seconds, each call is shown.
package.path = "tests/?.lua;" .. package.path
local program = require "fuzz.program"

program.run(0) -- what is made at first use and stays
local stop = arg[3] and os.time() + tonumber(arg[3]) or math.huge
for seed = math.tointeger(arg[1]), math.tointeger(arg[2]) do
  if os.time() >= stop then break end
  io.stdout:write(("seed %d\n"):format(seed))
  io.stdout:flush()
  for _, what in ipairs(program.run(seed, not arg[3])) do
    io.stdout:write("broken " .. what:gsub("\n", "\n  ") .. "\n")
  end
end
print "end"
