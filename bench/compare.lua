-- Measures nnlua against PyTorch, in turns, and prints medians and ratios:
--   build/release/nnlua bench/compare.lua [--cases NAME] [--python PATH] [--rounds N] [--threads N] [--no-memory]
-- NAME is that of a pair NAME.lua and NAME.py in this folder: ops is single ops on larger tensors, layers convolutional
-- nets and layers, sequence attention, an LSTM and a GPT. Without it: cases, which are small
-- ops, modules and training steps; then also start-up and memory.
-- The times are processor time per iteration in microseconds. PyTorch is Debian's unless another python is named.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local nnlua = arg[-1]
local options = {python = "/usr/bin/python3", rounds = 5, threads = 1, memory = true, cases = "cases"}

local i = 1
while arg[i] do
  local name = arg[i]:match "^%-%-(.+)$"
  if name == "no-memory" then
    options.memory = false
  elseif name == "python" or name == "cases" then
    i = i + 1
    options[name] = arg[i]
  elseif name == "rounds" or name == "threads" then
    i = i + 1
    options[name] = tonumber(arg[i])
  else
    io.stderr:write("usage: compare.lua [--cases NAME] [--python PATH] [--rounds N] [--threads N] [--no-memory]\n")
    os.exit(1)
  end
  i = i + 1
end

local function quoted(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function lines_of(program, file, ...)
  local pipe <close> = assert(io.popen(string.format("BENCH_THREADS=%d %s %s/%s %s", options.threads, quoted(program),
    quoted(here), file, table.concat({...}, " "))))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines
end

local function median(values)
  table.sort(values)
  local n = #values
  return n % 2 == 1 and values[n // 2 + 1] or (values[n // 2] + values[n // 2 + 1]) / 2
end

-- Adds the times that a program prints to times[name].
local order = {}
local function collect(times, program, file)
  for _, line in ipairs(lines_of(program, file)) do
    local name, seconds = line:match "^(.*) ([%d.]+)$"
    if name then
      if not times[name] then
        times[name] = {}
        if program == nnlua then order[#order + 1] = name end
      end
      table.insert(times[name], tonumber(seconds) * 1e6)
    end
  end
end

local ours, theirs = {}, {}
for round = 1, options.rounds do
  io.stderr:write(string.format("\rround %d of %d", round, options.rounds))
  collect(ours, nnlua, options.cases .. ".lua")
  collect(theirs, options.python, options.cases .. ".py")
end
io.stderr:write "\r                    \r"

print(string.format("%-38s %12s %12s %10s", "", "nnlua us", "PyTorch us", "ratio"))
for _, name in ipairs(order) do
  local a = median(ours[name])
  if theirs[name] then
    local b = median(theirs[name])
    print(string.format("%-38s %12.3f %12.3f %9.1fx", name, a, b, b / a))
  else
    print(string.format("%-38s %12.3f %12s", name, a, "-"))
  end
end

if options.cases ~= "cases" then return end

-- The wall time of a command, in milliseconds: the best of several.
local function wall(command)
  local best = math.huge
  for _ = 1, 5 do
    local timed = quoted("TIMEFORMAT=%R; time " .. command .. " >/dev/null")
    local pipe <close> = assert(io.popen("bash -c " .. timed .. " 2>&1"))
    best = math.min(best, tonumber((pipe:read "a"):match "[%d.]+" ) or math.huge)
  end
  return best * 1e3
end

local start_lua = wall(quoted(nnlua) .. [[ -e 'local nl = require "nnlua" print(nl.ones(2, 3) + 1)']])
local start_python = wall(quoted(options.python) .. [[ -c "import torch; print(torch.ones(2, 3) + 1)"]])
print(string.format("%-38s %9.1f ms %9.1f ms %9.1fx", "start to first result",
  start_lua, start_python, start_python / start_lua))

if options.memory then
  local function peak(program, file, what) return tonumber(lines_of(program, file, what)[1]) / 1024 end
  local bare_lua, bare_python = peak(nnlua, "memory.lua", "bare"), peak(options.python, "memory.py", "bare")
  local full_lua, full_python = peak(nnlua, "memory.lua", "steps"), peak(options.python, "memory.py", "steps")
  print(string.format("%-38s %9.1f MB %9.1f MB", "resident, bare process", bare_lua, bare_python))
  print(string.format("%-38s %9.1f MB %9.1f MB", "2,000 MLP steps over it",
    full_lua - bare_lua, full_python - bare_python))
end
