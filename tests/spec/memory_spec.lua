-- Memory comes back without a call of collectgarbage, which sees only a few bytes of each tensor. Each case is a script
-- of its own, since peaks belong to a process.
-- parts: 4
local process = require "support.process"

local MB = 1 << 20

--- What memory may rise by over what is live before a loop, be it one of 1 MB temporaries or of graphs of 20 MB.
local MOST = 64 * MB

local modes = {"generational", "incremental"}

-- Prints what is live when the loop begins, and how far the core's bytes and the process rise above that.
local script = [[
local nl = require "nnlua"
collectgarbage "%s"
local function resident(name)
  for line in io.lines "/proc/self/status" do
    local kb = line:match("^" .. name .. ":%%s+(%%d+)")
    if kb then return tonumber(kb) * 1024 end
  end
end
%s
collectgarbage()
local live, start = nl.memory_allocated(), resident "VmRSS"
nl.reset_peak_memory_stats()
%s
print(live, nl.max_memory_allocated() - live, resident "VmHWM" - start)
]]

--- What a script prints.
local function printed(text)
  local path = process.file(text)
  local result = process.run_nnlua {path}
  os.remove(path)
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  return result.stdout
end

--- Runs a loop after some preparation, and returns what was live before, and the rises in the core and in the process.
local function measure(mode, preparation, loop)
  local stdout = printed(script:format(mode, preparation, loop))
  local live, core, resident = stdout:match "^(%d+)%s+(%-?%d+)%s+(%-?%d+)"
  return tonumber(live), tonumber(core), tonumber(resident)
end

local sanitized = process.is_sanitized()

local function assert_low(live, core, resident)
  assert.is_true(core < MOST, ("%.1f MB over %.1f MB that are live"):format(core / MB, live / MB))
  if not sanitized then
    assert.is_true(resident < MOST, ("the process grew by %.1f MB"):format(resident / MB))
  end
end

local many_small = [[
local small = {}
for i = 1, 100000 do small[i] = nl.zeros(1) end
]]

-- Sanitizers mark each byte of a block, and look at each element that is written. Forty graphs of 20 MB are still far
-- over what may be kept.
local steps, writes, graphs = 100000, 2000, 200
if sanitized then steps, writes, graphs = 10000, 400, 40 end

local function temporaries(n) return ("for i = 1, %d do local t = nl.empty(262144) end"):format(n) end

local dropped_graphs = ([[
for step = 1, %d do
  local x = nl.empty(262144)
  for i = 1, 20 do x = x * w end
end]]):format(graphs)

local cases = {
  {"of a loop that makes 1 MB temporaries", "", temporaries(steps)},
  {"of such a loop beside 100,000 living tensors", many_small, temporaries(10000)},
  {"of temporaries that are written to", "", ("for i = 1, %d do local t = nl.zeros(262144) end"):format(writes)},
  {"of graphs that are dropped without a backward", "local w = nl.ones(1, {requires_grad = true})",
    dropped_graphs},
  {"of graphs beside 100,000 living tensors", many_small .. "local w = nl.ones(1, {requires_grad = true})",
    dropped_graphs},
  {"of a training loop", "local w = nl.ones({512, 512}, {requires_grad = true})", ([[
for step = 1, %d do
  local x = w
  for i = 1, 5 do x = x * w end
  x:sum():backward()
  w.grad = nil
end]]):format(graphs)},
}

describe("the memory", function()
  for _, mode in ipairs(modes) do
    for _, case in ipairs(cases) do
      it(("%s stays low in %s mode"):format(case[1], mode), function()
        assert_low(measure(mode, case[2], case[3]))
      end)
    end
  end
end)

describe("a tensor that is used once and dropped", function()
  -- Its userdata must not be older than itself, or it stays until a full collection. The collector may wait longer
  -- where the machine is busy, so the lowest of many peaks counts.
  it("goes with a young collection", function()
    local stdout = printed [[
      local nl = require "nnlua"
      local x, lowest = nl.zeros(1 << 20), math.huge
      for _ = 1, 40 do
        collectgarbage()
        local live, y = nl.memory_allocated(), x
        nl.reset_peak_memory_stats()
        for _ = 1, 20 do y = y + x end
        lowest = math.min(lowest, nl.max_memory_allocated() - live)
      end
      print(lowest)
    ]]
    assert.is_true(tonumber(stdout) < 13 * MB, stdout)
  end)
end)

describe("a training step", function()
  -- The backward of seven products of 1 MB needs their eight tensors and two gradients. What a step leaves is collected
  -- before the next backward; later where the machine is busy, so the lowest of many peaks counts.
  it("takes the memory that the one before it gave back", function()
    local stdout = printed [[
      local nl = require "nnlua"
      local w, lowest = nl.ones(1, {requires_grad = true}), math.huge
      local function step()
        local x = nl.zeros(1 << 18)
        for _ = 1, 7 do x = x * w end
        x:sum():backward()
      end
      step()
      collectgarbage()
      local live = nl.memory_allocated()
      for _ = 1, 20 do
        nl.reset_peak_memory_stats()
        for _ = 1, 10 do step() end
        lowest = math.min(lowest, nl.max_memory_allocated() - live)
      end
      print(lowest)
    ]]
    assert.is_true(tonumber(stdout) < 12 * MB, stdout)
  end)
end)

describe("the first tensors of a program", function()
  -- In generational mode no cycle ends that could be waited for.
  for _, mode in ipairs(modes) do
    it(("may be larger than all garbage that is allowed, in %s mode"):format(mode), function()
      local path = process.file(([[
        local nl, x = require "nnlua", {}
        collectgarbage "%s"
        for i = 1, 5 do x[i] = nl.empty(10000000) end
        print(#x)
      ]]):format(mode))
      local result = process.run {"timeout", "60", process.nnlua, path}
      os.remove(path)
      assert.equal("5\n", result.stdout)
    end)
  end
end)

describe("plain tables beside a loop of tensors", function()
  -- Steps of the collector for the tensors' sake must not keep Lua from its own full collections.
  for _, mode in ipairs(modes) do
    it(("don't pile up in %s mode"):format(mode), function()
      local stdout = printed(([[
        local nl = require "nnlua"
        collectgarbage "%s"
        local x, ring, most = nl.ones(3, 10), {}, 0
        for i = 1, 600000 do
          ring[i %% 20000 + 1] = {i, i}
          local _ = x + x
          if i %% 1000 == 0 then most = math.max(most, collectgarbage "count") end
        end
        print(most)
      ]]):format(mode))
      assert.is_true(tonumber(stdout) < 16 * 1024, stdout) -- 20,000 tables take 2 MB
    end)
  end
end)

describe("small tensors", function()
  it("begin no cycle of an incremental collector for the cache's sake", function()
    local path = process.file [[
      local nl = require "nnlua"
      collectgarbage "incremental"
      local x = nl.zeros(64)
      for _ = 1, 2000 do local _ = x + x end -- by then the mode is known
      local rows = {}
      for i = 1, 50000 do rows[i] = {i} end
      collectgarbage()
      local garbage = setmetatable({{}}, {__mode = "v"})
      for _ = 1, 10000 do local _ = x + x end
      print(#garbage)
    ]]
    local result = process.run_nnlua {path}
    os.remove(path)
    assert.same({stdout = "1\n", stderr = "", code = 0}, result)
  end)
end)

describe("the blocks that are kept for reuse", function()
  local nl = require "nnlua"

  local function cached_after(...)
    local before = nl.memory_cached()
    for _, n in ipairs {...} do local _ <close> = nl.no_grad() nl.empty(n) end
    collectgarbage()
    collectgarbage()
    return nl.memory_cached() - before
  end

  it("survive a full collection and come back to what asks for their size", function()
    nl.empty_cache()
    assert.is_true(cached_after(1 << 20) >= 4 << 20)
    local cached = nl.memory_cached()
    local x = nl.empty(1 << 20)
    assert.is_true(nl.memory_cached() <= cached - (4 << 20))
    assert.equal(1 << 20, #x)
  end)

  it("make room for those of another size where together they would be more than was needed", function()
    nl.empty_cache()
    for n = 20, 60 do cached_after(n << 16) end -- 410 MB in 41 sizes
    assert.is_true(nl.memory_cached() + nl.memory_allocated() <= 64 * MB + nl.max_memory_allocated() * 9 // 8)
    nl.empty_cache()
    assert.equal(0, nl.memory_cached())
  end)

  it("give their pages to others, and what is alive keeps its own", function()
    local _ <close> = nl.no_grad()
    local kept = {}
    for i = 1, 80 do
      local x = nl.full((i * 37 % 23 + 8) << 16, i) -- 2 to 8 MB
      assert.equal(i, x[#x]:item())
      if i % 10 == 0 then kept[i] = x end
      x = nil
      collectgarbage()
      collectgarbage()
    end
    for i, x in pairs(kept) do assert.same({i, i}, {x:min():item(), x:max():item()}) end
    nl.empty_cache()
    for i, x in pairs(kept) do assert.same({i, i}, {x:min():item(), x:max():item()}) end
  end)
end)

describe("leaving with living tensors", function()
  local made = [[
local nl = require "nnlua"
kept = {}
for i = 1, 100 do kept[i] = nl.ones({100, 100}, {requires_grad = true}) * 2 end
kept[1]:sum():backward()
local view <const> = kept[2]:t()
setmetatable(kept, {__gc = function() late = nl.ones(3, {requires_grad = true}):sum() end})
]]

  local function leave(last)
    local path = process.file(made .. last)
    local result = process.run_nnlua {path}
    os.remove(path)
    return result
  end

  it("is quiet at the end of a script", function()
    assert.same({stdout = "", stderr = "", code = 0}, leave "")
  end)

  it("is quiet with os.exit, closing the state or not", function()
    assert.same({stdout = "", stderr = "", code = 0}, leave "os.exit(0, true)")
    assert.same({stdout = "", stderr = "", code = 3}, leave "os.exit(3, true)")
    assert.same({stdout = "", stderr = "", code = 0}, leave "os.exit(0)")
    assert.same({stdout = "", stderr = "", code = 3}, leave "coroutine.wrap(function() os.exit(3, true) end)()")
  end)

  it("says only what went wrong after an error", function()
    local result = leave "error 'over'"
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("over", 1, true))
    assert.falsy(result.stderr:find "[Ss]anitizer")
    result = leave "nl.mm(nl.ones(2, 3), kept[1])"
    assert.equal(1, result.code)
    assert.truthy(result.stderr:find("mm: ", 1, true))
    assert.falsy(result.stderr:find "[Ss]anitizer")
  end)
end)
