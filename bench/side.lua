-- A side of a comparison: a process that measures when it is asked to. See measure.lua for what is said to it.

local side = {}

--- A text as one word for the shell.
function side.quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- The lines that a command prints.
function side.lines(command)
  local pipe <close> = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines
end

--- What a process takes from its start to its end: the smallest `wall` and `processor` times of so many rounds, in
--- seconds. Bash tells milliseconds, so short ones are run several (1) at a time.
function side.start_of(command, rounds, at_a_time)
  at_a_time = at_a_time or 1
  local best = {wall = math.huge, processor = math.huge}
  for _ = 1, rounds do
    local runs = ("for ((i = 0; i < %d; i++)); do %s; done >/dev/null"):format(at_a_time, command)
    local times = side.lines("bash -ec " .. side.quoted("TIMEFORMAT='%R %U %S'; time { " .. runs .. "; }") .. " 2>&1")
    local wall, user, system = (times[1] or ""):match "^([%d.]+) ([%d.]+) ([%d.]+)$"
    if not wall then error(("%s: %s"):format(command, table.concat(times, "\n")), 0) end
    best.wall = math.min(best.wall, tonumber(wall) / at_a_time)
    best.processor = math.min(best.processor, (tonumber(user) + tonumber(system)) / at_a_time)
  end
  return best
end

local Side = {}
Side.__index = Side

--- Starts a program (words for the shell) with a file. The side is to be closed.
function side.start(program, file)
  local fifo = os.tmpname()
  os.remove(fifo)
  assert(os.execute("mkfifo " .. fifo))
  local output = assert(io.popen(("%s %s < %s"):format(program, side.quoted(file), fifo)))
  local input = assert(io.open(fifo, "w"))
  os.remove(fifo)
  return setmetatable({file = file, input = input, output = output}, Side)
end

function Side:say(what)
  self.input:write(what, "\n")
  self.input:flush()
end

--- Goes on to the next case, whose `name`, `flops` and `bytes` the side then has, or `absent`, why it can't be measured
--- there; returns false after the last one.
function Side:advance()
  if self.name and not self.absent then self:say "next" end
  local line = self.output:read "l"
  if not line then return false end
  local name, flops, bytes = line:match "^case ([^\t]*)\t?(%d*)\t?(%d*)$"
  self.absent = nil
  if not name then name, self.absent = line:match "^none ([^\t]*)\t(.*)$" end
  if not name then error(("%s: said '%s' in place of a case"):format(self.file, line), 0) end
  self.name, self.flops, self.bytes = name, tonumber(flops) or 0, tonumber(bytes) or 0
  self.seconds, self.faults, self.peak = {}, {}, 0
  return true
end

--- Measures the case once.
function Side:run()
  self:say "run"
  local line = self.output:read "l"
  local seconds, faults, peak = (line or ""):match "^(%S+) (%S+) (%S+)$"
  if not seconds then error(("%s, %s: %s"):format(self.file, self.name, line or "the process ended"), 0) end
  table.insert(self.seconds, tonumber(seconds))
  table.insert(self.faults, tonumber(faults))
  self.peak = tonumber(peak)
end

local function median(values)
  table.sort(values)
  local n = #values
  return n % 2 == 1 and values[n // 2 + 1] or (values[n // 2] + values[n // 2 + 1]) / 2
end

--- What the runs came to: the smallest time and the median, in seconds; the median of pages touched for the first time
--- a call; and how many KB the process held at its peak beyond what it held before the case.
function Side:measured()
  return {min = math.min(table.unpack(self.seconds)), median = median(self.seconds), faults = median(self.faults),
    peak = self.peak}
end

function Side:__close()
  self.input:close()
  self.output:close()
end

return side
