-- How long single steps take in a program with a heap of its own: medians, percentiles and the longest, in us.
--   build/release/nnlua bench/pauses.lua
-- runs each case in a process of its own: both modes of the collector, with nothing else in the heap and with 300,000
-- live Lua objects of which one is written a step; by the interpreter, by a stock lua5.4 with the module nnlua.so of
-- the interpreter's folder, and by a C host with 60 frames a second (nnlua_frames of that folder, made from frames.c).
-- "plain" is as much garbage of plain tables: what Lua itself takes.
local nnlua = arg[-1]
local folder = nnlua:match "^(.*)/[^/]*$" or "."

local HEAP <const> = 300000

-- ------------------------------------------------------------------ one case

local function world(n)
  local rows = {}
  for i = 1, n // 300 do
    local row = {}
    for j = 1, 300 do row[j] = {x = j} end
    rows[i] = row
  end
  return rows
end

--- The steps of a case: name, how many, function of the number of the step.
local function steps()
  local nl = require "nnlua"
  local nn, F, optim = nl.nn, nl.F, nl.optim
  nl.set_num_threads(1)
  nl.manual_seed(0)
  local net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 8))
  local opt = optim.Adam(net:parameters(), {lr = 0.001})
  local x, y, row = nl.randn(32, 64), nl.randint(1, 9, {32}), nl.randn(1, 64)
  local function train()
    opt:zero_grad()
    F.cross_entropy(net(x), y):backward()
    opt:step()
  end
  local function answer() nl.no_grad(net, row) end
  return {
    {"step", 5000, train},
    {"step, scope", 5000, function() nl.scope(train) end},
    {"forward", 20000, answer},
    {"forward, scope", 20000, function() nl.scope(answer) end},
    {"plain", 20000, function() for i = 1, 20 do local _ = {i} end end},
  }
end

local function report(name, times)
  table.sort(times)
  local n = #times
  print(("%s\t%.1f\t%.1f\t%.1f\t%.1f"):format(name, times[(n + 1) // 2] * 1e6, times[math.ceil(n * 0.99)] * 1e6,
    times[math.ceil(n * 0.999)] * 1e6, times[n] * 1e6))
end

--- Places for the times of each step. Lua counts a table that grows among what it owes the collector, and pays when
--- next a table or the like is made: so they are made before all else.
local function places(steps)
  local all = {}
  for k, step in ipairs(steps) do
    all[k] = {}
    for i = 1, step[2] do all[k][i] = 0.0 end
  end
  return all
end

--- Runs all steps of a case, one after another.
local function run(mode, heap)
  local rows, all = world(heap), steps()
  local all_times = places(all)
  collectgarbage()
  collectgarbage(mode)
  for k, step in ipairs(all) do
    local name, n, f = table.unpack(step)
    local times = all_times[k]
    for i = 1, n do
      local start = os.clock()
      f()
      if heap > 0 then rows[i % #rows + 1][i % 300 + 1].x = i end
      times[i] = os.clock() - start
    end
    report(name, times)
  end
end

-- A C host asks for the frame of a case: ten answers and a step of training, while 16.7 ms pass.
if arg[1] == "frame" then
  local rows, all, i = world(tonumber(arg[3])), steps(), 0
  collectgarbage()
  collectgarbage(arg[2])
  local scoped = arg[4] == "scope"
  local train, answer = all[scoped and 2 or 1][3], all[scoped and 4 or 3][3]
  return function()
    i = i + 1
    train()
    for _ = 1, 10 do answer() end
    if #rows > 0 then rows[i % #rows + 1][i % 300 + 1].x = i end
  end
elseif arg[1] then
  return run(arg[1], tonumber(arg[2]))
end

-- ------------------------------------------------------------------ all cases

local function show(host, mode, heap, command)
  local pipe <close> = assert(io.popen(command))
  for line in pipe:lines() do
    local name, median, p99, p999, longest = line:match "^(.-)\t(%S+)\t(%S+)\t(%S+)\t(%S+)$"
    print(name and ("%-12s %-12s %7d  %-15s %9s %9s %9s %9s"):format(host, mode, heap, name, median, p99, p999, longest)
      or line)
  end
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

print(("%-12s %-12s %7s  %-15s %9s %9s %9s %9s"):format("host", "mode", "heap", "", "median", "99 %", "99.9 %",
  "longest"))
local script = ("'%s'"):format(arg[0])
for _, mode in ipairs {"generational", "incremental"} do
  for _, heap in ipairs {0, HEAP} do
    local case = (" %s %s %d"):format(script, mode, heap)
    show("nnlua", mode, heap, ("'%s'"):format(nnlua) .. case)
    if exists(folder .. "/nnlua.so") then
      show("lua5.4", mode, heap, ("LUA_CPATH='%s/?.so;;' lua5.4"):format(folder) .. case)
    end
    if exists(folder .. "/nnlua_frames") then
      for _, scope in ipairs {"", " scope"} do
        show("C, 60 Hz", mode, heap, ("'%s/nnlua_frames' %s frame %s %d%s"):format(folder, script, mode, heap, scope))
      end
    end
  end
end
