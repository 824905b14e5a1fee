-- Measures nnlua against PyTorch, case by case in turns, and prints the smallest times, their ratio, what share of the
-- machine's limits is reached where a case says what it has to do, and the pages touched for the first time in a call:
--   nnlua bench/run.lua [SET ...] [--python P] [--threads N] [--rounds N] [--only PATTERN] [--isa avx2] [--dtype D]
--                       [--json FILE]
-- A set is a pair SET.lua and SET.py in this folder whose cases agree line by line, or `start`, of the process; without
-- names all sets are run. Times are a call's: processor time with one thread, wall time with several. Without
-- --python nnlua is measured alone. docs/performance.md is written from files of --json by report.lua.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local nl = require "nnlua"
local side = dofile(here .. "/side.lua")

local SETS <const> = {
  "small", "ops", "rows", "products", "convolutions", "fft", "layers", "nets", "programs", "start", "every",
}
-- The sets whose cases have a process each, so that memory and what a cache holds are their own.
local ALONE <const> = {nets = true}
-- The sets that are printed when all is measured, the slowest beside PyTorch first.
local SORTED <const> = {every = true}
-- How many seconds a measurement takes at least, in sets of many cases.
local SECONDS <const> = {every = "0.01"}

local parser = nl.argparse.ArgumentParser {prog = "run.lua", description = "Measures nnlua against PyTorch."}
parser:add_argument("sets", {nargs = "*", help = "of " .. table.concat(SETS, ", ") .. " (all)"})
parser:add_argument("--python", {type = "string", help = "the python whose torch is measured as well"})
parser:add_argument("--threads", {default = 1, help = "to compute on"})
parser:add_argument("--rounds", {default = 5, help = "how often each side of a case is measured"})
parser:add_argument("--only", {type = "string",
  help = "Lua patterns of the names of the cases to measure, | between them"})
parser:add_argument("--isa", {type = "string", choices = {"avx2"}, help = "the instruction set that both keep to"})
parser:add_argument("--dtype", {default = "float32", choices = {"float32", "float64"},
  help = "what the numbers of the set `every` are"})
parser:add_argument("--json", {type = "string", help = "the file to write all that was measured to"})
local options = parser:parse_args()

-- What holds both sides to an instruction set.
local HELD <const> = {
  avx2 = "NNLUA_ISA=avx2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 ",
}
local environment = options.isa and HELD[options.isa] or ""

-- ------------------------------------------------------------------ limits

--- What the machine can do: `flops` a second of one thread's float32 fused multiplications and additions, and
--- `copies`, a list of {bytes, bytes a second} of one thread that reads a half of so many bytes and writes the other.
local function machine_limits()
  local command = (arg[-1]:match "^(.*)/[^/]*$" or ".") .. "/nnlua_limits"
  local limits = {copies = {}}
  for _, line in ipairs(side.lines(environment .. side.quoted(command))) do
    local name, number, rate = line:match "^(%a+) (%S+) ?(%S*)$"
    if name == "flops" then limits.flops = tonumber(number) end
    if name == "copy" then table.insert(limits.copies, {tonumber(number), tonumber(rate)}) end
  end
  if not limits.flops then
    error(command .. " is wanted for the machine's limits: run the nnlua of a build's folder, where it lies beside", 0)
  end
  return limits
end

--- The share of the machine's limit at which a case ran, or nil where it doesn't say what it has to do.
local function share(row, limits)
  local bound = row.flops > 0 and row.flops / limits.flops or 0
  if row.bytes > 0 then
    local rate
    for _, copy in ipairs(limits.copies) do
      rate = copy[2]
      if copy[1] >= row.bytes then break end
    end
    bound = math.max(bound, row.bytes / rate)
  end
  return bound > 0 and bound / options.threads / row.ours.min or nil
end

-- ------------------------------------------------------------------- cases

local rows = {}

local function unit(seconds)
  if seconds >= 0.1 then return ("%.0f ms"):format(seconds * 1e3) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return (seconds >= 1e-5 and "%.1f us" or "%.3f us"):format(seconds * 1e6)
end

local function print_row(row, limits)
  local theirs, of_limit = row.theirs, share(row, limits)
  print(("%-46s %11s %11s %8s %6s %8.1f"):format(row.name, unit(row.ours.min), theirs and unit(theirs.min) or "",
    theirs and ("%.2fx"):format(theirs.min / row.ours.min) or "", of_limit and ("%.0f %%"):format(of_limit * 100) or "",
    row.ours.faults))
end

--- Measures the case at which both sides stand, in turns, and returns its row, or nil where nnlua's side hasn't got it.
local function measure(set, ours, theirs)
  if theirs and theirs.name ~= ours.name then
    error(("%s: nnlua's side has the case '%s' where PyTorch's has '%s'"):format(set, ours.name, theirs.name), 0)
  end
  if ours.absent then return nil end
  local row = {set = set, name = ours.name, flops = ours.flops, bytes = ours.bytes}
  if theirs and theirs.absent then row.absent, theirs = theirs.absent, nil end
  for _ = 1, options.rounds do
    ours:run()
    if theirs then theirs:run() end
  end
  row.ours, row.theirs = ours:measured(), theirs and theirs:measured()
  return row
end

--- Measures cases of a set, by a process on each side, and calls `done` with each row.
local function run_cases(set, names, limits, done)
  local seconds = os.getenv "BENCH_SECONDS" or SECONDS[set]
  local settings = ("%sBENCH_ASKED=1 BENCH_THREADS=%d BENCH_DTYPE=%s %sBENCH_CASES=%s "):format(environment,
    options.threads, options.dtype, seconds and "BENCH_SECONDS=" .. seconds .. " " or "",
    side.quoted("\n" .. table.concat(names, "\n") .. "\n"))
  local ours <close> = side.start(settings .. side.quoted(arg[-1]), ("%s/%s.lua"):format(here, set))
  local theirs <close> = options.python
    and side.start(settings .. side.quoted(options.python), ("%s/%s.py"):format(here, set)) or nil
  while ours:advance() do
    if theirs and not theirs:advance() then error(set .. ": PyTorch's side ended before " .. ours.name, 0) end
    local row = measure(set, ours, theirs)
    if row then
      row.share = share(row, limits)
      rows[#rows + 1] = row
      done(row)
    else
      io.stderr:write(("%s: not measured: %s\n"):format(ours.name, ours.absent))
    end
  end
end

--- Whether a case is to be measured.
local function is_wanted(name)
  for pattern in (options.only or "."):gmatch "[^|]+" do
    if name:find(pattern) then return true end
  end
  return false
end

--- The names of a set's cases that are to be measured.
local function names_of(set)
  local command = ("BENCH_LIST=1 %s %s/%s.lua"):format(side.quoted(arg[-1]), side.quoted(here), set)
  local names = {}
  for _, name in ipairs(side.lines(command)) do
    if is_wanted(name) then names[#names + 1] = name end
  end
  return names
end

--- The ratio that a row is sorted by; rows that PyTorch hasn't got come last.
local function ratio_of(row) return row.theirs and row.theirs.min / row.ours.min or math.huge end

local function run_set(set, limits)
  print(("\n%-46s %11s %11s %8s %6s %8s"):format(set, "nnlua", "PyTorch", "ratio", "limit", "faults"))
  local names, list = names_of(set), {}
  local function done(row)
    if SORTED[set] then
      list[#list + 1] = row
    else
      print_row(row, limits)
    end
  end
  if ALONE[set] then
    for _, name in ipairs(names) do run_cases(set, {name}, limits, done) end
  elseif #names > 0 then
    run_cases(set, names, limits, done)
  end
  table.sort(list, function(a, b) return ratio_of(a) < ratio_of(b) end)
  for _, row in ipairs(list) do print_row(row, limits) end
end

-- ------------------------------------------------------------------- start

local STARTS <const> = {
  {"an empty script", "", ""},
  {"a tensor printed", "print(nl.ones(2, 3) + 1)", "import torch; print(torch.ones(2, 3) + 1)"},
  {"nn and optim", "assert(nl.nn and nl.optim)", "import torch; assert torch.nn and torch.optim"},
  {"a layer and an optimizer", "nl.optim.Adam(nl.nn.Linear(2, 3):parameters())",
    "import torch; torch.optim.Adam(torch.nn.Linear(2, 3).parameters())"},
}

local function print_start(name, ours, theirs)
  print(("%-46s %11s %11s %8s"):format(name, unit(ours.processor), theirs and unit(theirs.processor) or "",
    theirs and ("%.0fx"):format(theirs.processor / ours.processor) or ""))
end

local function run_starts()
  print(("\n%-46s %11s %11s %8s"):format("start, processor time", "nnlua", "PyTorch", "ratio"))
  local plain = "an empty script, lua5.4"
  local has_lua = os.execute "command -v lua5.4 >/dev/null"
  if has_lua and is_wanted(plain) then print_start(plain, side.start_of("lua5.4 -e ''", 10, 20)) end
  for _, start in ipairs(STARTS) do
    if is_wanted(start[1]) then
      local program = start[2] == "" and "" or "local nl = require 'nnlua' " .. start[2]
      local ours = side.start_of(("%s -e %s"):format(side.quoted(arg[-1]), side.quoted(program)), 10, 20)
      local theirs = options.python
        and side.start_of(("%s -c %s"):format(side.quoted(options.python), side.quoted(start[3])), 10)
      print_start(start[1], ours, theirs)
      rows[#rows + 1] = {set = "start", name = start[1], start = true, ours = ours, theirs = theirs or nil}
    end
  end
end

-- --------------------------------------------------------------------- run

local limits = machine_limits()
print(("one thread's limits: %.0f GFLOP/s in float32; copies of %s"):format(limits.flops * 1e-9,
  table.concat((function()
    local parts = {}
    for i, copy in ipairs(limits.copies) do
      parts[i] = ("%.3g MB %.1f GB/s"):format(copy[1] / 2 ^ 20, copy[2] * 1e-9)
    end
    return parts
  end)(), ", ")))

local sets = #options.sets > 0 and options.sets or SETS
for _, set in ipairs(sets) do
  if set == "start" then run_starts() else run_set(set, limits) end
end

if options.json then
  local json = require "cjson" -- Debian's lua-cjson, which ./bootstrap test installs
  local file <close> = assert(io.open(options.json, "w"))
  file:write(json.encode({
    version = side.lines(side.quoted(arg[-1]) .. " --version"), processor = side.lines(
      "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1")[1],
    torch = options.python and side.lines(side.quoted(options.python)
      .. " -c 'import torch; print(torch.__version__, torch.backends.cpu.get_cpu_capability())'")[1],
    threads = options.threads, rounds = options.rounds, isa = options.isa, dtype = options.dtype,
    limits = limits, rows = rows,
  }), "\n")
end
