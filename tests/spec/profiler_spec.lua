-- nl.profiler: what it counts, by op, module and line; how it ends; traces; and that it changes no result.
local lfs = require "lfs"
local nl = require "nnlua"
local process = require "support.process"
local system = require "nnlua.system"
local nn, F, optim, profiler = nl.nn, nl.F, nl.optim, nl.profiler

--- The average of a key in a list, or of one that ends so.
local function find(list, key)
  for _, average in ipairs(list) do
    if average.key:sub(-#key) == key then return average end
  end
end

local function count(list, key)
  local average = find(list, key)
  return average and average.count or 0
end

--- A network and a step of its training.
local function trainee()
  nl.manual_seed(3)
  local net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
  local optimizer = optim.Adam(net:parameters(), {lr = 0.1})
  local x, y = nl.randn(6, 4), nl.randint(1, 3, {6})
  return net, function()
    optimizer:zero_grad()
    local loss = F.cross_entropy(net(x), y)
    loss:backward()
    optimizer:step()
    return loss:item()
  end
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function is_running()
  local free, prof = pcall(profiler.profile)
  if free then prof:stop() end
  return not free
end

describe("a profile", function()
  it("counts calls of ops by name", function()
    local prof = profiler.profile()
    local x = nl.ones(3, 4)
    for _ = 1, 5 do x = nl.relu(x) end
    x:add_(1)
    prof:stop()
    nl.relu(x)
    local list = prof:key_averages()
    assert.equal(5, count(list, "relu"))
    assert.equal(1, count(list, "ones"))
    assert.equal(1, count(list, "add_"))
  end)

  it("shares out all time that ops took, once", function()
    local _, step = trainee()
    local prof = profiler.profile(function() for _ = 1, 3 do step() end end)
    local whole = 0
    for _, average in ipairs(prof:key_averages()) do
      assert.is_true(average.self_cpu_time_total >= 0, average.key)
      assert.is_true(average.self_cpu_time_total <= average.cpu_time_total + 1e-6, average.key)
      assert.near(average.cpu_time, average.cpu_time_total / average.count, 1e-6)
      whole = whole + average.self_cpu_time_total
    end
    local totals = prof:totals()
    assert.near(totals.calls, whole, 1e-3)
    assert.is_true(totals.calls <= totals.wall)
  end)

  it("tells backwards, their nodes, under what made them, and steps", function()
    local _, step = trainee()
    local prof = profiler.profile(function() for _ = 1, 3 do step() end end)
    local list = prof:key_averages()
    assert.equal(3, count(list, "backward"))
    assert.equal(6, count(list, "LinearBackward"))
    assert.equal(3, count(list, "ReluBackward"))
    assert.equal(3, count(list, "Optimizer.step#Adam.step"))
    local linear, node = find(list, "linear"), find(list, "LinearBackward")
    assert.equal(6, linear.backward_count)
    assert.near(node.cpu_time_total, linear.backward_time_total, 1e-6)
  end)

  it("tells memory that calls have made", function()
    local kept
    local prof = profiler.profile(function() kept = nl.ones(1024) end)
    assert.is_true(find(prof:key_averages(), "ones").self_cpu_memory_usage >= 4096)
    assert.equal(1024, kept:numel())
  end)

  it("tells shapes and flops", function()
    local prof = profiler.profile({record_shapes = true, with_flops = true}, function()
      local w = nl.ones(5, 4)
      for _ = 1, 2 do F.linear(nl.ones(3, 4), w) end
      F.linear(nl.ones(2, 4), w)
      nl.cat {nl.ones(1, 2), nl.ones(3, 2)}
    end)
    local list = prof:key_averages {group_by_input_shape = true}
    local shapes = {}
    for _, average in ipairs(list) do
      if average.key == "linear" then shapes[average.count] = average end
    end
    assert.same({{3, 4}, {5, 4}}, shapes[2].input_shapes)
    assert.equal(2 * 2 * 3 * 4 * 5, shapes[2].flops)
    assert.same({{2, 4}, {5, 4}}, shapes[1].input_shapes)
    assert.same({{1, 2}, {3, 2}}, find(list, "cat").input_shapes)
    assert.equal(3, count(prof:key_averages(), "linear"))
    assert.equal(2 * (2 * 3 + 2) * 4 * 5, find(prof:key_averages(), "linear").flops)
    assert.has_error(function()
      profiler.profile(function() end):key_averages {group_by_input_shape = true}
    end)
  end)

  it("tells modules by their paths", function()
    local net, step = trainee()
    local prof = profiler.profile(function() for _ = 1, 3 do step() end end)
    local list = prof:modules()
    assert.equal(5, #list)
    local whole, inside = find(list, "net, nn.Sequential"), 0
    for i = 1, #net do
      local layer = find(list, ("net[%d], %s"):format(i, tostring(nn.class_of(net[i]))))
      assert.equal(3, layer.count)
      inside = inside + layer.cpu_time_total
    end
    assert.near(whole.cpu_time_total, whole.self_cpu_time_total + inside, 1e-3)
    assert.equal(3, find(list, "net[1], nn.Linear").backward_count)
  end)

  it("tells lines of Lua, with what they call", function()
    local chunk = load([[
      local nl = ...
      local function twice(x)
        return nl.relu(x):add(1)
      end
      for _ = 1, 4 do
        twice(nl.ones(3))
      end
    ]], "=chunk")
    local prof = profiler.profile(chunk, nl)
    local list = prof:lines()
    local inner, outer = find(list, "chunk:3"), find(list, "chunk:6")
    assert.equal(8, inner.count)
    assert.equal(12, outer.count)
    assert.near(inner.self_cpu_time_total, inner.cpu_time_total, 1e-6)
    assert.near(outer.cpu_time_total, outer.self_cpu_time_total + inner.cpu_time_total, 1e-3)
    assert.equal(0, #profiler.profile({with_stack = false}, chunk, nl):lines())
  end)

  it("changes no result", function()
    local _, step = trainee()
    local plain, profiled = {}, {}
    for i = 1, 5 do plain[i] = step() end
    _, step = trainee()
    profiler.profile({record_shapes = true}, function()
      for i = 1, 5 do profiled[i] = step() end
    end)
    assert.same(plain, profiled)
  end)

  it("shows the steps of plans", function()
    local net = nl.compile(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), {without = {"chains", "tails"}})
    local x = nl.randn(3, 4)
    nl.no_grad(net, x)
    local prof = profiler.profile(function() for _ = 1, 3 do nl.no_grad(net, x) end end)
    assert.equal(3, count(prof:key_averages(), "plan"))
    assert.equal(6, count(prof:key_averages(), "linear"))
    assert.equal(3, count(prof:key_averages(), "tanh"))
  end)

  it("shows those of plans of whole steps, with the op of each backward", function()
    local net, x = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), nl.randn(3, 4)
    local optimizer = optim.SGD(net:parameters(), {lr = 0.1})
    local step = nl.compile(function(input)
      optimizer:zero_grad()
      local loss = net(input):sum()
      loss:backward()
      optimizer:step()
      return loss
    end)
    for _ = 1, 3 do step(x) end
    local prof = profiler.profile(function() for _ = 1, 2 do step(x) end end)
    assert.equal(2, count(prof:key_averages(), "plan"))
    assert.equal(4, count(prof:key_averages(), "backward of linear"))
    assert.equal(2, count(prof:key_averages(), "backward of tanh"))
  end)

  it("passes on what a function returns, and prints its tables", function()
    local prof, a, b, c = profiler.profile(function(...) return ... end, 1, nil, 3)
    assert.same({1, nil, 3}, {a, b, c})
    assert.matches("The profiler, not in these", tostring(prof))
    local _, step = trainee()
    prof = profiler.profile(step)
    local text = prof:key_averages():table {sort_by = "count", row_limit = 2, width = 60}
    assert.matches("^Name.*\n… and %d+ more$", text)
    for line in text:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 60, line) end
    assert.has_error(function() prof:key_averages():table {sort_by = "nothing"} end)
  end)

  it("tells layers with long paths apart in a narrow table", function()
    local net = nn.Sequential()
    net:add_module("a_long_name_of_a_layer_first", nn.Linear(2, 2))
    net:add_module("a_long_name_of_a_layer_second", nn.Linear(2, 2))
    local modules = profiler.profile(function() net(nl.ones(1, 2)) end):modules()
    local narrow = modules:table {width = 40}
    assert.matches("\n…[%w_]+_first  ", narrow)
    assert.matches("\n…[%w_]+_second  ", narrow)
    assert.matches("\nnet, nn.Sequential  ", narrow)
    local wide = modules:table {width = 160}
    assert.matches("\nnet.a_long_name_of_a_layer_first, nn.Linear  ", wide)
    for line in narrow:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 40, line) end
  end)
end)

describe("the end of a profile", function()
  it("is that of the block, also after an error", function()
    do
      local prof <close> = profiler.profile() -- luacheck: ignore 211
    end
    assert.is_false(is_running())
    assert.is_false(pcall(function()
      local prof <close> = profiler.profile() -- luacheck: ignore 211
      error "here"
    end))
    assert.is_false(is_running())
    assert.is_false(pcall(profiler.profile, function() nl.ones(2):mm(3) end))
    assert.is_false(is_running())
  end)

  it("comes with the collector where it was forgotten", function()
    profiler.profile()
    for _ = 1, 3 do collectgarbage() end
    assert.is_false(is_running())
  end)

  it("is awaited by the next profile", function()
    local prof <close> = profiler.profile() -- luacheck: ignore 211
    local works, message = pcall(profiler.profile)
    assert.is_false(works)
    assert.matches("a profile is already running, begun at .*profiler_spec.lua:%d+", message)
  end)

  it("may come in the middle of ops and modules", function()
    local prof = profiler.profile()
    local net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net[2]:register_forward_hook(function() prof:stop() end)
    local x = nl.ones(1, 2, {requires_grad = true})
    assert.equal(1, net(x):sum():dim() + 1)
    local again = profiler.profile()
    x:register_hook(function() again:stop() end)
    net(x):sum():backward()
    assert.same({1, 2}, {table.unpack(x.grad.shape)})
    assert.is_false(is_running())
  end)

  it("leaves out calls that errors ended, but keeps order", function()
    local prof = profiler.profile()
    local x = nl.ones(2, 2)
    for _ = 1, 3 do pcall(nl.mm, x, nl.ones(3)) end
    local broken = nn.class "Broken"
    function broken:forward() error "here" end -- luacheck: no self
    local net = nn.Sequential(nn.ReLU(), broken())
    pcall(function() return net(x) end)
    x:sum()
    prof:stop()
    assert.equal(3, count(prof:key_averages(), "mm"))
    local whole = 0
    for _, average in ipairs(prof:key_averages()) do whole = whole + average.self_cpu_time_total end
    assert.near(prof:totals().calls, whole, 1e-3)
    assert.equal(1, count(prof:modules(), "net[2], Broken"))
    assert.equal(1, count(prof:modules(), "net, nn.Sequential"))
  end)

  it("does not wait for coroutines that are left", function()
    local prof = profiler.profile()
    local Yields = nn.class "Yields"
    function Yields:forward(x) -- luacheck: no self
      local y = nl.relu(x)
      coroutine.yield(y)
      return y
    end
    local left, ended = Yields(), Yields()
    for _ = 1, 10 do coroutine.wrap(function() left(nl.ones(2)) end)() end
    collectgarbage()
    collectgarbage()
    local go_on = coroutine.wrap(function() ended(nl.ones(2)) end)
    go_on()
    nl.tanh(nl.ones(2))
    go_on()
    prof:stop()
    assert.equal(11, count(prof:key_averages(), "relu"))
    assert.equal(1, count(prof:modules(), "ended, Yields"))
    assert.equal(0, find(prof:modules(), "ended, Yields").backward_count)
  end)

  it("may come while nn.summary runs", function()
    local net = nn.Linear(3, 4)
    local prof = profiler.profile()
    local hook <close> = net:register_forward_hook(function() prof:stop() end)
    nn.summary(net, nl.ones(1, 3))
    assert.is_false(is_running())
    local calls = prof:totals().calls
    nl.relu(nl.ones(2))
    assert.equal(calls, prof:totals().calls)
  end)

  it("of the last one under a profile that runs lets that go on, in whatever order they end", function()
    local outer = profiler.profile()
    local net = nn.Linear(3, 4)
    local hook <close> = net:register_forward_hook(function() coroutine.yield() end)
    local first = coroutine.wrap(function() nn.summary(net, nl.ones(1, 3)) end)
    local second = coroutine.wrap(function() nn.summary(net, nl.ones(1, 3)) end)
    first()
    second()
    first()
    second()
    nl.relu(nl.ones(2))
    outer:stop()
    assert.equal(1, count(outer:key_averages(), "relu"))
    assert.is_false(is_running())
  end)

  it("of a coroutine that is dropped while nn.summary runs leaves nothing behind in the profile that stands", function()
    local prof <close> = profiler.profile {with_stack = false}
    local yields, inner, net = true, nn.Identity(), nn.Linear(3, 4)
    local yield <close> = inner:register_forward_hook(function() if yields then coroutine.yield() end end)
    local left = {}
    for i = 1, 20 do
      left[i] = coroutine.wrap(function() inner(nl.ones(2)) end)
      left[i]()
    end
    yields = false
    local range = profiler.record_function "dropped"
    local drop <close> = net:register_forward_hook(function()
      left, range = nil, nil
      collectgarbage()
      collectgarbage()
    end)
    assert.is_truthy(range)
    nn.summary(net, nl.ones(1, 3))
    for _ = 1, 100 do coroutine.wrap(function() inner(nl.ones(2)) end)() end
    prof:stop()
    assert.equal(100, count(prof:modules(), "Identity"))
    assert.equal(0, count(prof:key_averages(), "dropped"))
  end)

  it("at the program's end, with the state, is silent", function()
    local result = process.run {process.nnlua, "-W", "-e", [[
      local nl = require "nnlua"
      prof = nl.profiler.profile()
      range = nl.profiler.record_function "open"
      nl.relu(nl.ones(2))
      os.exit(true, true)]]}
    assert.equal("", result.stderr)
    assert.equal(0, result.code)
  end)

  it("of a call that an error ends before it has begun leaves the next one to be timed", function()
    local net, x = nn.Identity(), nl.ones(2)
    local prof <close> = profiler.profile()
    local call, calls = debug.getmetatable(net).__call, 0
    debug.sethook(function()
      if debug.getinfo(2, "f").func ~= call then return end
      calls = calls + 1
      if calls == 2 then error "interrupted!" end
    end, "c")
    local ok = pcall(net, x)
    debug.sethook()
    assert.is_false(ok)
    assert.equal(2, calls)
    net(x)
    prof:stop()
    assert.equal(2, count(prof:modules(), "Identity"))
  end)
end)

describe("profiler.record_function", function()
  it("names a part, however often it is in itself", function()
    local prof, value = profiler.profile(function()
      return profiler.record_function("outer", function()
        local _ <close> = profiler.record_function "inner"
        return profiler.record_function("outer", nl.relu, nl.ones(2))
      end)
    end)
    assert.equal(2, value:numel())
    local list = prof:key_averages()
    local outer, inner = find(list, "outer"), find(list, "inner")
    assert.equal(2, outer.count)
    assert.equal(1, inner.count)
    assert.is_true(outer.cpu_time_total >= inner.cpu_time_total)
    assert.near(outer.cpu_time_total, outer.self_cpu_time_total + inner.self_cpu_time_total
      + find(list, "relu").cpu_time_total + find(list, "ones").cpu_time_total, 1e-3)
  end)

  it("does nothing without a profile", function()
    assert.equal(6, profiler.record_function("part", function(x) return 2 * x end, 3))
    local range = profiler.record_function "part"
    getmetatable(range).__close(range)
    assert.has_error(function() profiler.record_function(3) end)
  end)

  it("shows a name in which nothing acts on a terminal", function()
    local prof <close> = profiler.profile()
    profiler.record_function("\27[2Jred\nline\xff", nl.relu, nl.ones(2))
    nn.Sequential {{"\27[31mfirst", nn.Identity()}}(nl.ones(2))
    prof:stop()
    assert.not_matches("[\0-\9\11-\31\127\xff]", tostring(prof))
    assert.matches("%?%[2Jred line%?", tostring(prof))
  end)
end)

describe("profiler.schedule", function()
  it("says which steps are noted", function()
    local plan = profiler.schedule {wait = 1, warmup = 1, active = 2, ["repeat"] = 2, skip_first = 1}
    local said = {}
    for step = 0, 9 do said[step + 1] = plan(step) end
    assert.same({"none", "none", "none", "record", "record_and_save", "none", "none", "record", "record_and_save",
      "none"}, said)
    assert.has_error(function() profiler.schedule {wait = 1, active = 0} end)
  end)

  it("leads to a profile a cycle", function()
    local seen = {}
    local prof = profiler.profile {
      schedule = profiler.schedule {wait = 1, active = 2, ["repeat"] = 2},
      on_trace_ready = function(p)
        seen[#seen + 1] = {p.step_num, count(p:key_averages(), "relu"), count(p:key_averages(), "ProfilerStep*")}
      end,
    }
    for _ = 1, 8 do
      nl.relu(nl.ones(2))
      prof:step()
    end
    prof:stop()
    assert.same({{3, 2, 2}, {6, 2, 2}}, seen)
    assert.is_false(is_running())
  end)

  it("names each step that is noted", function()
    local prof = profiler.profile {schedule = profiler.schedule {wait = 0, active = 2, ["repeat"] = 1}}
    for _ = 1, 3 do prof:step() end
    assert.equal(2, count(prof:key_averages(), "ProfilerStep*"))
    prof:stop()
  end)
end)

describe("a trace", function()
  local path = os.tmpname()
  teardown(function() os.remove(path) end)

  local function trace_of(prof)
    prof:export_chrome_trace(path)
    return system.read_json(read(path))
  end

  it("has events that lie within each other or apart", function()
    local _, step = trainee()
    local prof = profiler.profile({record_shapes = true}, function() for _ = 1, 3 do step() end end)
    local lanes, n = {}, 0
    for _, event in ipairs(trace_of(prof).traceEvents) do
      if event.ph == "X" then
        n = n + 1
        lanes[event.tid] = lanes[event.tid] or {}
        table.insert(lanes[event.tid], event)
        assert.is_string(event.name)
        assert.is_true(event.ts >= 0 and event.dur >= 0)
      end
    end
    assert.equal(prof:totals().events, n)
    for tid, events in pairs(lanes) do
      table.sort(events, function(a, b) return a.ts < b.ts or a.ts == b.ts and a.dur > b.dur end)
      local open = {}
      for _, event in ipairs(tid < 1000 and events or {}) do
        while #open > 0 and open[#open] <= event.ts + 0.0005 do table.remove(open) end
        assert.is_true(#open == 0 or event.ts + event.dur <= open[#open] + 0.002, event.name)
        open[#open + 1] = event.ts + event.dur
      end
    end
  end)

  it("tells the module, the line and the shapes of an op", function()
    local net, step = trainee()
    local prof = profiler.profile({record_shapes = true}, step)
    for _, event in ipairs(trace_of(prof).traceEvents) do
      if event.name == "relu" and event.tid < 1000 then
        assert.equal("net[2], nn.ReLU", event.args.Module)
        assert.matches("profiler_spec.lua:%d+$", event.args.Line)
        assert.same({{6, 8}}, event.args["Input Dims"])
        return
      end
    end
    error("no relu in " .. tostring(net))
  end)

  it("has at most so many events, and tables that count all", function()
    local prof = profiler.profile({max_events = 3}, function() for _ = 1, 5 do nl.ones(2) end end)
    assert.equal(5, count(prof:key_averages(), "ones"))
    local totals = prof:totals()
    assert.same({3, 2}, {totals.events, totals.dropped})
    prof:export_chrome_trace(path)
  end)

  it("can't be written where there is no folder", function()
    local prof = profiler.profile(function() end)
    assert.has_error(function() prof:export_chrome_trace "/nowhere/at/all.json" end)
    assert.has_error(function() prof:export_chrome_trace(3) end)
  end)

  it("has names that JSON has to escape", function()
    local prof = profiler.profile(function() profiler.record_function('a "b"\\\n\1', function() end) end)
    local names = {}
    for _, event in ipairs(trace_of(prof).traceEvents) do names[event.name] = true end
    assert.is_true(names['a "b"\\\n\1'])
  end)

  it("tells that the disk is full", function()
    local prof = profiler.profile(nl.relu, nl.ones(2))
    assert.has_error(function() prof:export_chrome_trace "/dev/full" end,
      "export_chrome_trace: /dev/full: No space left on device")
  end)
end)

describe("nnlua --profile", function()
  local script, trace = os.tmpname(), os.tmpname()
  teardown(function() os.remove(script) os.remove(trace) end)

  local function run(text, ...)
    local file = assert(io.open(script, "w"))
    file:write(text)
    file:close()
    return process.run_nnlua {..., script}
  end

  it("shows where the time went, on stderr", function()
    local result = run("local nl = require 'nnlua' print(nl.relu(nl.ones(2)):sum():item())", "--profile")
    assert.equal("2.0\n", result.stdout)
    assert.matches("\nrelu ", result.stderr)
    assert.matches(":1 ", result.stderr)
    assert.equal(0, result.code)
  end)

  it("writes a trace", function()
    local result = run("local nl = require 'nnlua' nl.relu(nl.ones(2))", "--profile=" .. trace)
    assert.matches("The trace is in " .. trace:gsub("%p", "%%%0"), result.stderr)
    local names = {}
    for _, event in ipairs(system.read_json(read(trace)).traceEvents) do names[event.name] = true end
    assert.is_true(names.relu)
  end)

  it("does so after Ctrl-C, too", function()
    local result = run([[
      local nl = require "nnlua"
      local x = nl.ones(2)
      io.popen("kill -INT $PPID"):close()
      while true do nl.relu(x) end
    ]], "--profile")
    assert.matches("interrupted!.*\nones ", result.stderr)
    assert.equal(1, result.code)
  end)

  it("does so after errors and os.exit, too", function()
    local result = run("local nl = require 'nnlua' nl.relu(nl.ones(2)) error 'here'", "--profile")
    assert.matches("here.*\nrelu ", result.stderr)
    assert.equal(1, result.code)
    result = run("local nl = require 'nnlua' nl.relu(nl.ones(2)) os.exit(3)", "--profile")
    assert.matches("\nrelu ", result.stderr)
    assert.equal(3, result.code)
  end)
end)

describe("docs/profiling.md", function()
  it("has blocks that run one after the other", function()
    local blocks = {}
    for block in read "docs/profiling.md":gmatch "\n```lua\n(.-\n)```" do blocks[#blocks + 1] = block end
    assert.is_true(#blocks >= 6)
    local script, folder = os.tmpname(), os.tmpname()
    os.remove(folder)
    local file = assert(io.open(script, "w"))
    file:write(table.concat(blocks))
    file:close()
    local result = process.run {"sh", "-c", 'mkdir "$1" && cd "$1" && "$2" "$3"', "sh", folder,
      process.nnlua:match "^/" and process.nnlua or lfs.currentdir() .. "/" .. process.nnlua, script}
    assert.equal("", result.stderr)
    assert.matches("Total params +9,610", result.stdout)
    for _, name in ipairs {"trace.json", "trace-6.json"} do
      assert.is_table(system.read_json(read(folder .. "/" .. name)).traceEvents)
    end
    process.run {"rm", "-r", folder, script}
  end)
end)
