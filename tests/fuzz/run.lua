-- nnlua tests/fuzz/run.lua [seconds] [first seed]: runs random programs for so long (a minute unless given) in processes
-- of their own, from the project's root, and tells each seed whose program broke a rule (rules.lua), brought its process
-- down or did not end. `nnlua tests/fuzz/child.lua SEED SEED` shows what the program of a seed does.
package.path = "tests/?.lua;" .. package.path
local process = require "support.process"

local run = {}

local seconds_of_a_process, seconds_of_a_program = 20, 60

-- What a program may allocate, in MB: a tensor of 2^31 elements takes a machine's memory, and minutes to fill. A sanitizer
-- has its own limit, and does not start under the shell's.
local MOST <const> = 4096
local limit = ("ulimit -v %d && "):format(MOST * 1024)
if not os.execute(limit .. ("'%s' -e '' 2>/dev/null"):format(process.nnlua)) then
  limit = ("export ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1:max_allocation_size_mb=%d; "):format(MOST)
end

--- Runs seeds from the first on in one process for some seconds. Returns what broke the rules, as texts that begin with
--- the seed, and the last seed that ran.
local function run_process(first, seconds)
  local command = limit .. ("timeout -k 5 %d '%s' tests/fuzz/child.lua %d %d %d 2>&1 </dev/null"):format(
    seconds + seconds_of_a_program, process.nnlua, first, math.maxinteger, seconds)
  local pipe <close> = assert(io.popen(command))
  local found, seed, ended, rest = {}, first - 1, false, {}
  for line in pipe:lines() do
    local begun = line:match "^seed (%d+)$"
    if begun then
      seed, rest = math.tointeger(begun), {}
    elseif line:find "^broken " then
      table.insert(found, ("seed %d: %s"):format(seed, line:sub(8)))
    elseif line == "end" then
      ended = true
    else
      table.insert(rest, line)
    end
  end
  if not ended then
    local said = table.concat(rest, "\n  ", 1, math.min(#rest, 30))
    table.insert(found, ("seed %d: the process did not end well: %s"):format(seed, said))
  end
  return found, seed
end

--- Runs programs for some seconds, from a seed on; `tell` gets each thing that broke a rule. Returns how many programs
--- ran, and a list of what broke.
function run.run(seconds, first, tell)
  local stop, seed, all = os.time() + seconds, first, {}
  repeat
    local found, last = run_process(seed, math.min(seconds_of_a_process, stop - os.time()))
    for _, what in ipairs(found) do
      table.insert(all, what)
      if tell then tell(what) end
    end
    seed = math.max(last, seed) + 1
  until os.time() >= stop
  return seed - first, all
end

if arg and arg[0]:find "fuzz/run.lua$" then
  local programs, all = run.run(tonumber(arg[1] or 60), math.tointeger(arg[2] or 1), print)
  print(("%d programs, %d broke a rule"):format(programs, #all))
  os.exit(#all == 0, true)
end

return run
