-- nl.progress: how far a loop is, on one line of the terminal.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local duration = require "nnlua.utils.duration"
local iterator = require "nnlua.utils.iterator"
local system = require "nnlua.system"

local format = core.format

local clock = system.clock

--- A loop's progress on stderr, if that is a terminal: share, rate, time left, and figures of one's own.
---
---     local progress = nl.progress(loader, {desc = "epoch 1"})
---     for x, y in progress do
---       …
---       progress:set("loss", loss)       -- a number, a text, or a tensor of one element
---     end
---
--- It goes over what a generic `for` takes by itself (a loader, a function), over a list as ipairs does, and over the
--- numbers up to n. Options: total, desc, leave (keep the last line, which is cleared otherwise), out (a file to write
--- to, terminal or not), interval (in seconds). `progress:print(…)` prints above the line. After a `break`, call
--- `progress:close()`, or declare it `<close>`.
---@class Progress
local Progress = {__name = "nnlua.Progress"}
Progress.__index = Progress

local parse = args.parser("progress", {
  {"iterable", "any"}, {"desc", "string?"}, {"total", "integer?"}, {"leave", "boolean", false}, {"out", "any?"},
  {"interval", "number", 0.1},
})

--- Whether a value gives each loop an iterator of its own.
local function has_iter(value)
  return type(value) == "table" and getmetatable(value) ~= nil and args.is_callable(value.iter)
end

local function next_of_list(list, i)
  i = (i or 0) + 1
  if list[i] ~= nil then return i, list[i] end
end

local function next_number(n, i)
  i = (i or 0) + 1
  if i <= n then return i end
end

--- The function and state of a loop over a value, and how many steps it has, if that is known.
local function loop_over(value)
  local meta = getmetatable(value)
  if math.type(value) == "integer" then
    return next_number, value, value
  elseif type(value) == "function" then
    return value
  elseif type(value) == "table" and not meta then
    return next_of_list, value, #value
  elseif type(meta) == "table" and (meta.__call or has_iter(value)) then
    local known, n = pcall(function() return #value end)
    return value, nil, known and math.type(n) == "integer" and n or nil
  end
  core.raise(("progress: a loader, a function, a list or a number was expected, not %s"):format(core.describe(value)))
end

--- Goes through a loop and shows how far it is: `for x, y in nl.progress(loader, {desc = "epoch 1"}) do … end`. Nothing
--- is shown where stderr is no terminal.
---     > sum = 0
---     > for i in nl.progress(3) do sum = sum + i end
---     > sum
---     6
---@return Progress
local function new(...)
  local iterable, desc, total, leave, out, interval = parse(...)
  local step, state, n = loop_over(iterable)
  local shows = out ~= nil or system.is_terminal(2)
  return setmetatable({
    _step = step, _state = state, _iterable = has_iter(iterable) and iterable or nil, _shows = shows,
    _out = out or io.stderr, _interval = interval, _leave = leave,
    desc = desc, total = total or n, count = 0, _next_look = math.huge, _figures = {}, _names = {},
  }, Progress)
end

-- ------------------------------------------------------------------- line

local function figure(value)
  if core.is_tensor(value) and value.numel and value:numel() == 1 then value = value:item() end
  if math.type(value) == "float" then return format("%.4g", value) end
  return format("%s", value)
end

local function rate_text(rate)
  if rate <= 0 then return "" end
  return rate >= 1 and format("%.1f/s", rate) or format("%.1f s each", 1 / rate)
end

--- What the line says, without the bar.
local function parts_of(self, now)
  local spent, parts = now - self._start, {}
  local rate = spent > 0 and self.count / spent or 0
  if self.desc then parts[#parts + 1] = self.desc end
  if self.total then
    parts[#parts + 1] = ("%3d %%"):format(self.total > 0 and 100 * self.count // self.total or 100)
    self._bar_after = #parts
    parts[#parts + 1] = ("%d/%d"):format(self.count, self.total)
  else
    parts[#parts + 1] = ("%d"):format(self.count)
  end
  parts[#parts + 1] = rate_text(rate)
  local left = self.total and rate > 0 and (self.total - self.count) / rate
  parts[#parts + 1] = left and left > 0 and duration(left) .. " left" or duration(spent)
  for _, name in ipairs(self._names) do parts[#parts + 1] = name .. " " .. figure(self._figures[name]) end
  return parts
end

local function bar(share, width)
  local full = math.floor(share * width)
  return "[" .. ("#"):rep(full) .. (" "):rep(width - full) .. "]"
end

--- The whole line, not wider than the terminal.
local function line(self, now)
  local parts, width = parts_of(self, now), self._out == io.stderr and system.terminal_width(2) or 80
  local room = width - 1 - (utf8.len(table.concat(parts, "  ")) or 0) - 4
  if self.total and room >= 5 then
    local share = self.total > 0 and math.min(1, self.count / self.total) or 1
    table.insert(parts, self._bar_after + 1, bar(share, math.min(room, 30)))
  end
  local text = table.concat(parts, "  ")
  local cut = utf8.offset(text, width)
  return cut and text:sub(1, cut - 1) or text
end

local function draw(self, now)
  self._out:write("\r", line(self, now), "\27[K")
  if self._out.flush then self._out:flush() end
  self._drawn = now
end

local function clear(self)
  if not self._drawn then return end
  self._out:write "\r\27[K"
  if self._out.flush then self._out:flush() end
end

--- Draws if it is time to, and works out at which step to look at the clock again.
local function look(self)
  local now = clock()
  if now - (self._drawn or self._start) >= self._interval then draw(self, now) end
  local rate = self.count / math.max(now - self._start, 1e-9)
  self._next_look = self.count + math.max(1, math.floor(rate * self._interval / 4))
end

-- ------------------------------------------------------------------- loop

local function ended(self, err)
  if self._start and self._shows then
    if self._leave then
      draw(self, clock())
      self._out:write "\n"
    else
      clear(self)
    end
  end
  self._start, self._drawn, self._next_look = nil, nil, math.huge
  local closing = self._closing
  self._closing = nil
  if closing ~= nil then iterator.close(closing, err) end
end

--- Starts a loop over what has an iterator for each: a loader. Gives the control it begins with.
local function start_own(self)
  local step, state, control, closing = iterator.start("progress", "iterable", self._iterable)
  self._step, self._state, self._closing = step, state, closing
  return control
end

local function passed(self, first, ...)
  if first == nil then ended(self) end
  return first, ...
end

function Progress:__call(_, control)
  if control == nil then
    self.count, self._start, self._drawn = 0, clock(), nil
    if self._shows then self._next_look = 1 end
    if self._iterable then control = start_own(self) end
  else
    self.count = self.count + 1
    if self.count >= self._next_look then look(self) end
  end
  return passed(self, self._step(self._state, control))
end

--- Notes a figure to show: `progress:set("loss", 0.3)`, or several in a table.
function Progress:set(name, value)
  if type(name) == "table" then
    local names = {}
    for key in pairs(name) do names[#names + 1] = key end
    table.sort(names)
    for _, key in ipairs(names) do self:set(key, name[key]) end
    return
  end
  if type(name) ~= "string" then
    core.raise(("progress: a figure's name must be a string, not %s"):format(core.describe(name)))
  end
  if self._figures[name] == nil then self._names[#self._names + 1] = name end
  self._figures[name] = value
end

--- Prints as print does, above the line.
function Progress:print(...)
  clear(self)
  print(...)
  if self._drawn then
    io.stdout:flush()
    draw(self, clock())
  end
end

--- Ends it: clears the line, or leaves it behind if that was asked for. Doing it again does nothing.
function Progress:close()
  ended(self)
end

Progress.__close = ended

return new
