-- The prompt's commands: what begins with a colon.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local format = core.format

local commands = {}

local clock = system.clock
local list = {}

local function command(name, usage, text, run)
  list[#list + 1] = {name = name, usage = usage, text = text, run = run}
  list[name] = list[#list]
end

--- The names of all commands, as a set.
function commands.names()
  local names = {}
  for _, one in ipairs(list) do names[one.name] = true end
  return names
end

--- The command of a name, which may be cut short where one alone is meant; or nil and what is wrong.
function commands.find(name)
  if list[name] then return list[name] end
  local found = {}
  for _, one in ipairs(list) do
    if one.name:sub(1, #name) == name then found[#found + 1] = one end
  end
  if #found == 1 then return found[1] end
  local wrong = #found > 1 and "may be :" .. found[1].name .. " or :" .. found[2].name or "is not a command"
  return nil, (":%s %s; :help lists them"):format(name, wrong)
end

-- ------------------------------------------------------------------- time

--- A time in a unit that suits it.
function commands.time_text(seconds)
  if seconds < 1e-6 then return format("%.0f ns", seconds * 1e9) end
  if seconds < 1e-3 then return format("%.3g us", seconds * 1e6) end
  if seconds < 1 then return format("%.3g ms", seconds * 1e3) end
  if seconds < 60 then return format("%.2f s", seconds) end
  return format("%d min %.1f s", seconds // 60, seconds % 60)
end

command("time", ":time code", "runs it, prints its values and how long it took", function(session, code)
  local started, processor = clock(), os.clock()
  if session:evaluate(code, {times = false}) then
    session:note(("%s, %s of processor time"):format(
      commands.time_text(clock() - started), commands.time_text(os.clock() - processor)))
  end
end)

local BENCH_SECONDS, BATCHES = 1, 20

local function batch_seconds(func, times)
  local started = clock()
  for _ = 1, times do func() end
  return clock() - started
end

--- How many runs take about a batch's share of the whole time.
local function batch_size(func)
  local times = 1
  while true do
    local seconds = batch_seconds(func, times)
    if seconds > BENCH_SECONDS / BATCHES / 4 then
      return math.max(1, math.floor(times * BENCH_SECONDS / BATCHES / seconds))
    end
    times = times * 4
  end
end

local function nothing() end

--- Seconds of one run: of batches the median, the least and the greatest; how many batches, and runs in each.
local function bench(func)
  local times, each = batch_size(func), {}
  local started = clock()
  repeat
    each[#each + 1] = math.max(batch_seconds(func, times) - batch_seconds(nothing, times), 0) / times
  until #each >= 3 and clock() - started > BENCH_SECONDS
  table.sort(each)
  return each[(#each + 1) // 2], each[1], each[#each], #each, times
end

command("bench", ":bench code", "runs it for about a second, prints the time of one run", function(session, code)
  local func, message = chunk.load(code, session.locals)
  if not func then return session:report(message) end
  local results = table.pack(session:call(bench, func))
  if not results[1] then return session:report(results[2]) end
  local _, median, least, greatest, batches, times = table.unpack(results, 1, results.n)
  session:note(("%s a run: the median of %d x %d runs, %s to %s"):format(commands.time_text(median), batches, times,
    commands.time_text(least), commands.time_text(greatest)))
end)

command("profile", ":profile code", "runs it, prints what took how long", function(session, code)
  local profile <close> = nl.profiler.profile()
  session:evaluate(code, {times = false})
  profile:stop()
  session:print(tostring(profile))
end)

-- ------------------------------------------------------------------ memory

local function size_text(bytes)
  for _, unit in ipairs {"bytes", "KB", "MB"} do
    if bytes < 1024 then return format(unit == "bytes" and "%d %s" or "%.1f %s", bytes, unit) end
    bytes = bytes / 1024
  end
  return format("%.2f GB", bytes)
end

command("mem", ":mem", "prints what tensors and Lua's own values take", function(session)
  local stats = nl.memory_stats()
  session:print(("%s in %d tensors, at most %s so far; %s in free blocks; %s in Lua"):format(
    size_text(stats.allocated), stats.tensors, size_text(nl.max_memory_allocated()), size_text(stats.cached),
    size_text(collectgarbage "count" * 1024)))
end)

-- ----------------------------------------------------------------- session

command("load", ":load file", "runs a file, whose top-level locals stay, too; without a name the last one again",
  function(session, path)
    path = path ~= "" and path or session.loaded_file
    if not path then return session:report ":load needs the name of a file" end
    local file, message = io.open(path, "rb")
    if not file then return session:report(message) end
    local text = file:read "a"
    file:close()
    session.loaded_file = path
    session:run_file((text:gsub("^#[^\n]*", "", 1)), path)
  end)

command("locals", ":locals", "lists the local variables of the session", function(session)
  local names = {}
  for name in pairs(session.locals) do
    if not name:find "^_%d*$" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local ok, text = session:call(session.short, session, chunk.get(session.locals, name))
    if not ok then return session:report(text) end
    session:print(("%s = %s"):format(name, text))
  end
end)

command("forget", ":forget name …", "takes local variables of the session away; without a name all",
  function(session, text)
    if text == "" then
      for name in pairs(session.locals) do session.locals[name] = nil end
    end
    for name in text:gmatch "[^%s,]+" do
      if session.locals[name] then session.locals[name] = nil
      else session:report(("no local variable of the session is called '%s'"):format(name)) end
    end
  end)

local settings = {
  threads = {"how many threads kernels use", function() return nl.get_num_threads() end,
    function(_, n) nl.set_num_threads(n) end},
  precision = {"digits behind the point", nil, function(_, n) nl.set_printoptions {precision = n} end},
  linewidth = {"columns of a tensor's lines", nil, function(_, n) nl.set_printoptions {linewidth = n} end},
  threshold = {"elements from which a tensor is summarised", nil,
    function(_, n) nl.set_printoptions {threshold = n} end},
  depth = {"how deep tables are printed", function(session) return session.depth end,
    function(session, n) session.depth = n end},
  items = {"how many entries of a table are printed", function(session) return session.items end,
    function(session, n) session.items = n end},
}

command("set", ":set name number", "changes a setting; alone it lists them", function(session, text)
  local name, value = text:match "^(%a+)%s+(%d+)$"
  if settings[name] then
    local ok, message = session:call(settings[name][3], session, math.tointeger(value))
    return ok or session:report(message)
  elseif text ~= "" then
    return session:report(":set takes the name of a setting and a number; alone it lists them")
  end
  local names = {}
  for one in pairs(settings) do names[#names + 1] = one end
  table.sort(names)
  for _, one in ipairs(names) do
    local get = settings[one][2]
    session:print(("%-10s %-6s %s"):format(one, get and get(session) or "", settings[one][1]))
  end
end)

command("source", ":source name", "prints the source of a function written in Lua; so does name??",
  function(session, code) session:show_source(code) end)

command("help", ":help", "lists the commands", function(session)
  for _, one in ipairs(list) do session:print(("%-20s %s"):format(one.usage, one.text)) end
  session:print [[
?name or name?       what the help knows of a function, layer, option …; so does help(value)
=x; x;               prints x; does not
_ and _1, _2 …       the first and all values of the last line that had any]]
end)

command("quit", ":quit", "ends the session, as Ctrl-D does", function(session)
  session.over = true
end)

--- Carries out a line that begins with a colon.
function commands.run(session, line)
  local name, rest = line:match "^:(%a+)%s*(.-)%s*$"
  local found, message = commands.find(name or line:sub(2))
  if not found then return session:report(message) end
  found.run(session, rest)
end

return commands
