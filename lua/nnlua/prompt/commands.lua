-- The prompt's commands: what begins with a colon.

local _ENV = require "nnlua.prompt.environment"()

local chunk = require "nnlua.prompt.chunk"
local core = require "nnlua.nn.core"
local debugging = require "nnlua.prompt.commands.debugging"
local files = require "nnlua.prompt.commands.files"
local modules = require "nnlua.prompt.modules"
local nl = require "nnlua"
local past = require "nnlua.prompt.commands.past"
local system = require "nnlua.system"
local variables = require "nnlua.prompt.commands.variables"

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
  local func, message = chunk.load(code, session.locals, session.entries:chunk_name())
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
  session:show(tostring(profile))
end)

-- ------------------------------------------------------------------ memory

local size_text = variables.size_text

command("mem", ":mem", "prints what tensors and Lua's own values take", function(session)
  local stats = nl.memory_stats()
  session:print(("%s in %d tensors, at most %s so far; %s in free blocks; %s in Lua"):format(
    size_text(stats.allocated), stats.tensors, size_text(nl.max_memory_allocated()), size_text(stats.cached),
    size_text(collectgarbage "count" * 1024)))
end)

-- ----------------------------------------------------------------- session

files.add_to(command)
past.add_to(command)
variables.add_to(command)

command("reload", ":reload", "runs modules again whose files have changed; tables and tensors in them stay",
  function(session)
    local names, problem = modules.reload(session.modules, function(...) return session:call(...) end)
    if #names > 0 then session:note("reloaded " .. table.concat(names, ", ")) end
    if problem then session:report(problem)
    elseif #names == 0 then session:note "no module's file has changed" end
  end)

debugging.add_to(command)

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
  pager = {"1: what is longer than the screen comes in pages", function(session) return session.pages and 1 or 0 end,
    function(session, n) session.pages = n ~= 0 end},
}

--- The names of the settings, as a set.
function commands.settings()
  return settings
end

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

local MORE = {
  {"?name, name?", "what the help knows of a function, layer, option; of a value"},
  {"?some words", "looks for words in the help; * in a name stands for anything: ?*pool*"},
  {"name??", "the source of a function or class"},
  {"!command", "runs a shell's command"},
  {"=x; x;", "prints x; does not"},
  {"_, _1, _2 …", "the first and all values of the last line that had any"},
}

command("help", ":help", "lists the commands", function(session)
  local rows = {}
  for _, one in ipairs(list) do rows[#rows + 1] = {one.usage, one.text} end
  for _, one in ipairs(MORE) do rows[#rows + 1] = one end
  local help_text = require "nnlua.help.text"
  for i, row in ipairs(rows) do
    local head = row[1] .. (" "):rep(19 - utf8.len(row[1]))
    rows[i] = help_text.wrapped(row[2], head .. " ", (" "):rep(20))
  end
  session:show(table.concat(rows, "\n"))
end)

command("quit", ":quit", "ends the session, as Ctrl-D does; or leaves :debug", function(session)
  if not debugging.leave(session) then session.over = true end
end)

commands.run_shell, commands.leave_debugging = files.run_shell, debugging.leave

--- Carries out a line that begins with a colon.
function commands.run(session, line)
  local name, rest = line:match "^:(%a+)%s*(.-)%s*$"
  local found, message = commands.find(name or line:sub(2))
  if not found then return session:report(message) end
  found.run(session, rest)
end

return commands
