-- How nnlua's sides of comparisons measure: what run.lua asks of a side, it says on standard input. Without it a side
-- measures each of its cases five times and prints the smallest; told of two numbers of threads, it takes them in turns
-- within one process, which a busy machine disturbs least, and prints both and how many times faster the second is:
--   BENCH_THREADS="1 2" [BENCH_ONLY=PATTERN] nnlua bench/nets.lua
-- Loading it sets the threads and the seed.
local nl = require "nnlua"

local threads, compared = (os.getenv "BENCH_THREADS" or "1"):match "^(%d+) ?(%d*)$"
threads, compared = tonumber(threads), tonumber(compared)
local only = os.getenv "BENCH_ONLY" or ""
local asked, cases = os.getenv "BENCH_ASKED", os.getenv "BENCH_CASES" -- of names, each between newlines
local enough = tonumber(os.getenv "BENCH_SECONDS") or 0.03

nl.set_num_threads(threads)
nl.manual_seed(0)

-- One thread's time is the processor's, which other processes don't lengthen; that of several is the wall's.
local clock = threads == 1 and not compared and os.clock or nl.time

--- The resident size of this process in KB, now ("VmRSS") or at its peak ("VmHWM").
local function resident(field)
  for line in io.lines "/proc/self/status" do
    local kb = line:match("^" .. field .. ":%s*(%d+)")
    if kb then return tonumber(kb) end
  end
end

--- The pages that this process has touched for the first time.
local function faults()
  local file <close> = assert(io.open "/proc/self/stat")
  local fields = file:read("a"):match "%) (.*)"
  return tonumber(fields:match("^" .. ("%S+ "):rep(7) .. "(%d+)"))
end

--- The seconds that n calls take.
local function timed(f, n)
  local start = clock()
  for _ = 1, n do f() end
  return clock() - start
end

--- How many calls take long enough to be timed: the first ones warm up.
local function calls(f)
  local n, seconds = 1, timed(f, 1)
  while seconds < enough do
    n = math.max(n + 1, math.ceil(n * math.min(10, 1.2 * enough / math.max(seconds, 1e-7))))
    seconds = timed(f, n)
  end
  return n
end

local function run(f, n)
  local before = faults()
  local seconds = timed(f, n)
  return seconds / n, (faults() - before) / n
end

--- Measures a function with both numbers of threads, in turns.
local function compare(name, f, n)
  local best = {math.huge, math.huge}
  for _ = 1, 9 do
    for i, number in ipairs {threads, compared} do
      nl.set_num_threads(number)
      f() -- which wakes the threads, and brings to each processor's cache what it will work on
      best[i] = math.min(best[i], (run(f, n)))
    end
  end
  print(("%-52s %12.1f us %12.1f us %6.2f"):format(name, best[1] * 1e6, best[2] * 1e6, best[1] / best[2]))
end

--- Measures what the function that `make` returns takes a call. `work` tells what the call has to do at least: a table
--- with `flops` or `bytes`, of which run.lua prints the machine's share.
return function(name, make, work)
  if os.getenv "BENCH_LIST" then return print(name) end
  if cases and not cases:find("\n" .. name .. "\n", 1, true) or not name:find(only) then return end
  local held = resident "VmRSS"
  local ok, f = pcall(make)
  if not ok then
    print(("none %s\t%s"):format(name, (tostring(f):gsub("%s+", " "))))
    return io.stdout:flush()
  end
  local n = calls(f)
  if compared then return compare(name, f, n) end
  if not asked then
    local best = math.huge
    for _ = 1, 5 do best = math.min(best, (run(f, n))) end
    return print(("%-40s %12.3f us"):format(name, best * 1e6))
  end
  work = work or {}
  print(("case %s\t%d\t%d"):format(name, work.flops or 0, work.bytes or 0))
  io.stdout:flush()
  while io.read "l" == "run" do
    local seconds, touched = run(f, n)
    print(("%.10f %.3f %d"):format(seconds, touched, resident "VmHWM" - held))
    io.stdout:flush()
  end
end
