-- How nnlua's sides of comparisons measure; see compare.lua. Loading it sets the threads and the seed.
local nl = require "nnlua"
nl.set_num_threads(tonumber(os.getenv "BENCH_THREADS") or 1)
nl.manual_seed(0)

--- Prints "name seconds-per-iteration": the smallest mean of several runs of n iterations, after a warm-up.
return function(name, n, f)
  for _ = 1, math.max(1, n // 10) do f() end
  local best = math.huge
  for _ = 1, 7 do
    local start = os.clock()
    for _ = 1, n do f() end
    best = math.min(best, (os.clock() - start) / n)
  end
  print(string.format("%s %.9f", name, best))
end
