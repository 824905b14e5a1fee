-- nl.profiler: where time goes.

local args = require "nnlua.args"
local averages = require "nnlua.profiler.averages"
local class = require "nnlua.class"
local columns = require "nnlua.profiler.columns"
local core = require "nnlua.profiler.core"
local nn_core = require "nnlua.nn.core"

local raise = nn_core.raise

--- Where time goes: by op, by module, by line of Lua (docs/profiling.md).
local profiler = {}

--- What there is to be profiled: `CPU`.
profiler.ProfilerActivity = {CPU = "cpu"}

-- ------------------------------------------------------------ schedules

local parse_schedule = args.parser("profiler.schedule", {
  {"wait", "integer"}, {"warmup", "integer", 0}, {"active", "integer"}, {"repeat", "integer", 0},
  {"skip_first", "integer", 0},
})

--- Which steps a profile notes: none for `skip_first` steps, then over and over none for `wait` and `warmup` steps and
--- `active` ones; `repeat` times, or always if that is 0. For the option `schedule` of nl.profiler.profile; it is a
--- function of the step's number, from 0, that gives "none", "record", or "record_and_save" for the last one.
---     > plan = nl.profiler.schedule {wait = 1, active = 2}
---     > plan(0), plan(1), plan(2), plan(3)
---     none	record	record_and_save	none
---@param wait integer
---@param warmup? integer
---@param active integer
---@param repeat? integer
---@param skip_first? integer
---@return fun(step: integer): string
function profiler.schedule(...)
  local wait, warmup, active, times, skip_first = parse_schedule(...)
  if wait < 0 or warmup < 0 or active < 1 or times < 0 or skip_first < 0 then
    raise "profiler.schedule: active must be at least 1, and no number of steps negative"
  end
  local cycle = wait + warmup + active
  return function(step)
    step = step - skip_first
    if step < 0 or (times > 0 and step >= times * cycle) then return "none" end
    local place = step % cycle
    if place < wait + warmup then return "none" end
    return place == cycle - 1 and "record_and_save" or "record"
  end
end

-- ------------------------------------------------------------- profiles

--- What nl.profiler.profile gives. It prints as its tables.
---@class Profile
---@field step_num integer
local Profile = class.new "profiler.Profile"

local parse = args.parser("profiler.profile", {
  {"activities", "any?"}, {"schedule", "function?"}, {"on_trace_ready", "function?"},
  {"record_shapes", "boolean", false}, {"with_stack", "boolean", true}, {"with_flops", "boolean", false},
  {"profile_memory", "boolean", true}, {"max_events", "integer", 1000000},
})

function Profile:init(...)
  local _, schedule, on_trace_ready, record_shapes, with_stack, with_flops, memory, max_events = parse(...)
  if max_events < 0 then raise "profiler.profile: max_events must not be negative" end
  self._schedule, self._ready, self._with_flops, self.step_num = schedule, on_trace_ready, with_flops, 0
  self._settings = {record_shapes or with_flops, with_stack, max_events}
  self._shows_memory = memory
  self._core = core.open(table.unpack(self._settings))
end

local running_since -- the line that the running profile was begun at

local function begin_recording(self)
  if not core.start(self._core) then
    raise(("profiler.profile: a profile is already running%s: one at a time can"):format(
      running_since and ", begun at " .. running_since or ""))
  end
  running_since = nn_core.user_line():gsub(": $", "")
  self._records = true
end

local function end_step(self)
  if not self._range then return end
  getmetatable(self._range).__close(self._range)
  self._range = nil
end

local function begin_step(self)
  self._range = core.range("ProfilerStep#" .. self.step_num)
end

local function end_recording(self)
  if not self._records then return end
  end_step(self)
  core.stop(self._core)
  core.forget(self._core)
  self._records = false
end

--- Begins to note what runs. nl.profiler.profile has done so already; after stop() it adds to what there is.
function Profile:start()
  class.check_self(self, Profile, "start")
  if self._is_on then return end
  self._action = self._schedule and self._schedule(self.step_num) or "record"
  if self._action ~= "none" then begin_recording(self) end
  if self._records and self._schedule then begin_step(self) end
  self._is_on = true
end

--- Ends it. `local prof <close> = nl.profiler.profile()` does so at the block's end, also after errors.
function Profile:stop()
  class.check_self(self, Profile, "stop")
  if not self._is_on then return end
  self._is_on = false
  local records = self._records
  end_recording(self)
  if self._ready and records then self._ready(self) end
end

Profile.__close, Profile.__gc = Profile.stop, Profile.stop

--- Tells that a step of training has ended: it becomes a range of its own, "ProfilerStep#1", and the schedule says
--- whether the next one is noted. After the last step of a cycle `on_trace_ready(profile)` is called; the next cycle
--- begins anew.
function Profile:step()
  class.check_self(self, Profile, "step")
  if not self._is_on then raise "step: the profile has been stopped" end
  end_step(self)
  local before = self._action
  self.step_num = self.step_num + 1
  self._action = self._schedule and self._schedule(self.step_num) or "record"
  if before == "record_and_save" then
    end_recording(self)
    if self._ready then self._ready(self) end
    if self._action ~= "none" then self._core = core.open(table.unpack(self._settings)) end
  end
  if self._action == "none" then
    end_recording(self)
  elseif not self._records then
    if before == "none" then self._core = core.open(table.unpack(self._settings)) end
    begin_recording(self)
  end
  if self._records then begin_step(self) end
end

-- -------------------------------------------------------------- results

local op_kinds = {op = true, node = true, call = true, range = true}

local parse_averages = args.parser("key_averages", {{"group_by_input_shape", "boolean", false}})

--- What ran by name: ops, nodes of backwards, steps of optimizers, and the user's ranges. With group_by_input_shape
--- there is a row for each combination of shapes (of a profile with record_shapes).
---     > prof = nl.profiler.profile()
---     > for i = 1, 3 do nl.relu(nl.ones(2)) end
---     > prof:stop()
---     > for _, row in ipairs(prof:key_averages()) do if row.key == "relu" then print(row.count) end end
---     3
---@param group_by_input_shape? boolean
---@return ProfiledAverages
function Profile:key_averages(...)
  class.check_self(self, Profile, "key_averages")
  local by_shape = parse_averages(...)
  if by_shape and not self._settings[1] then
    raise "key_averages: shapes weren't recorded: give nl.profiler.profile {record_shapes = true}"
  end
  return averages.of(core.rows(self._core), function(row) return op_kinds[row.kind] end,
    {title = "Name", shapes = by_shape, flops = self._with_flops, memory = self._shows_memory})
end

--- What ran by module, each called by its path when it was first seen. `cpu_time_total` is the time of its forward,
--- `self_cpu_time_total` that without the modules inside; backward is that of the ops that it called itself.
---@return ProfiledAverages
function Profile:modules()
  class.check_self(self, Profile, "modules")
  return averages.of(core.rows(self._core), function(row) return row.kind == "module" end,
    {title = "Module", memory = self._shows_memory})
end

--- What ops took by the lines of Lua that called them: `self_cpu_time_total` is that of calls in the line itself,
--- `cpu_time_total` also that of what the functions called there did.
---@return ProfiledAverages
function Profile:lines()
  class.check_self(self, Profile, "lines")
  return averages.of(core.rows(self._core), function(row) return row.kind == "line" end,
    {title = "Line", memory = self._shows_memory})
end

--- What went between processes, by the function that was called, DistributedDataParallel's buckets of gradients one by
--- one: `cpu_time_total` is the time from the beginning of transfers to their end, while Lua may have computed, and
--- `cpu_memory_usage` the bytes of the tensors.
---     > #nl.profiler.profile(nl.ones, 2):transfers()
---     0
---@return ProfiledAverages
function Profile:transfers()
  class.check_self(self, Profile, "transfers")
  return averages.of(core.rows(self._core), function(row) return row.kind == "transfer" end,
    {title = "Transfer", transfers = true})
end

--- Times of the whole, in microseconds: `wall` that it ran; `calls`, what of it ops, backwards and steps took that Lua
--- called; `own`, what the profiler took itself, which is in none of the others. `events` are those that the trace has,
--- `dropped` those that were too many.
---@return table
function Profile:totals()
  class.check_self(self, Profile, "totals")
  local totals = core.totals(self._core)
  return {
    wall = totals.wall / 1000, calls = totals.outermost / 1000, own = totals.own / 1000, events = totals.events,
    dropped = totals.dropped,
  }
end

--- Writes what ran when as a trace, JSON that https://ui.perfetto.dev and Chrome's about:tracing open.
---@param path string
function Profile:export_chrome_trace(path)
  class.check_self(self, Profile, "export_chrome_trace")
  if type(path) ~= "string" then
    raise(("export_chrome_trace: the path of a file is wanted, not %s"):format(nn_core.describe(path)))
  end
  require "nnlua.profiler.trace"(core, self._core, path)
end

--- A line that tells the times of the whole.
local function totals_text(self)
  local totals, time_text = self:totals(), averages.time_text
  local facts = {
    {"Time", time_text(totals.wall)}, {"Ops, backwards, steps", time_text(totals.calls)},
    {"Lua and the rest", time_text(totals.wall - totals.calls)}, {"The profiler, not in these", time_text(totals.own)},
  }
  if totals.dropped > 0 then facts[#facts + 1] = {"Events left out of the trace", tostring(totals.dropped)} end
  return columns.facts(facts)
end

local ROWS = 15

--- The tables of ops, modules, lines and transfers, with as many rows as fit a screen.
function Profile:__tostring()
  local texts = {self:key_averages():table {row_limit = ROWS}}
  for _, list in ipairs {self:modules(), self:lines(), self:transfers()} do
    if #list > 0 then texts[#texts + 1] = list:table {row_limit = ROWS} end
  end
  texts[#texts + 1] = totals_text(self)
  return table.concat(texts, "\n\n")
end

--- Runs a function under a profile.
local function run(options, f, ...)
  local profile <close> = Profile(options)
  profile:start()
  return profile, f(...)
end

--- Notes what takes how long from now on, until `prof:stop()`, or to the end of the block that declares
--- `local prof <close> = nl.profiler.profile()`. Given a function it runs that, `prof, … = nl.profiler.profile(f, …)`,
--- and returns the profile, stopped, and then what the function returned; options come before the function. One profile
--- can run at a time.
---     > prof, y = nl.profiler.profile(nl.relu, nl.ones(2))
---     > y
---     tensor([1., 1.])
---     > prof:key_averages()[1].key
---     relu
--- Options: `record_shapes`, the shapes of operands; `with_flops`, twice the multiply-adds of ops that sum products;
--- `with_stack = false` leaves lines out, `profile_memory = false` the tables' column; `schedule` and `on_trace_ready`:
--- see prof:step(); `max_events`, how many calls the trace has at most (1,000,000, of 48 bytes each), while the tables
--- count all. `activities` is taken for PyTorch's sake. More: docs/profiling.md.
---@param ... any
---@return Profile
function profiler.profile(...)
  local first, second = ...
  if args.is_callable(first) then return run(nil, ...) end
  if args.is_callable(second) then return run(...) end
  local profile = Profile(...)
  profile:start()
  return profile
end

-- --------------------------------------------------------------- ranges

--- Names a part of the program in profiles: to the end of the block that declares
--- `local _ <close> = nl.profiler.record_function("part")`, or a function, `nl.profiler.record_function("part", f, …)`,
--- whose results it passes on. Where no profile runs it does nothing.
---     > nl.profiler.record_function("twice", function(x) return x * 2 end, 3)
---     6
---@param name string
---@param f? function
---@param ... any
function profiler.record_function(name, f, ...)
  if type(name) ~= "string" then
    raise(("profiler.record_function: a name is wanted, not %s"):format(nn_core.describe(name)))
  elseif f == nil then
    return core.range(name)
  elseif not args.is_callable(f) then
    raise(("profiler.record_function: a function is wanted, not %s"):format(nn_core.describe(f)))
  end
  local _ <close> = core.range(name)
  return f(...)
end

return profiler
