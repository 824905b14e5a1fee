-- Loaders whose batches are fetched by worker processes.
local nl = require "nnlua"
local process = require "support.process"
local system = require "nnlua.system"
local testing = require "nnlua.testing"

local data = nl.utils.data

--- A dataset of n items whose `get` is a function.
local function dataset_of(n, get)
  local Dataset = data.class "Dataset"
  function Dataset:len() return n end -- luacheck: no self
  function Dataset:get(i) return get(i) end -- luacheck: no self
  return Dataset()
end

local function stream_of(iter)
  local Stream = data.class("Stream", data.IterableDataset)
  function Stream:iter() return iter() end -- luacheck: no self
  return Stream()
end

--- The batches of a loop as tables, each of all its values.
local function batches_of(loader)
  local list = {}
  for x, y, z in loader do
    local batch = {}
    for i, value in ipairs {x, y, z} do batch[i] = nl.is_tensor(value) and value:tolist() or value end
    list[#list + 1] = batch
  end
  return list
end

--- How many processes have this one for a parent.
local function children()
  collectgarbage()
  collectgarbage() -- persistent ones of loaders that are garbage
  local pid = io.open("/proc/self/stat"):read "n"
  local file <close> = assert(io.open(("/proc/self/task/%d/children"):format(pid)))
  return select(2, file:read "a":gsub("%d+", ""))
end

local function process_exists(pid)
  return os.execute("kill -0 " .. pid .. " 2>/dev/null") == true
end

describe("workers", function()
  it("give the batches of a loader without them, in order", function()
    local tensors = data.TensorDataset(nl.arange(0, 23), nl.randn(23, 3))
    for _, options in ipairs {
      {batch_size = 4}, {batch_size = 4, drop_last = true}, {batch_size = 5, shuffle = true}, {batch_size = nl.none},
      {batch_sampler = {{3, 1}, {2}}}, {batch_size = 3, sampler = {9, 8, 7, 6}},
    } do
      nl.manual_seed(3)
      local expected = batches_of(data.DataLoader(tensors, options))
      for n = 1, 3 do
        options.num_workers = n
        nl.manual_seed(3)
        assert.same(expected, batches_of(data.DataLoader(tensors, options)))
      end
    end
  end)

  -- of torch.manual_seed(7) and a dataset of (i, torch.rand(()), get_worker_info().id), PyTorch 2.15's numbers
  it("draw as PyTorch's do, each by a seed of its own", function()
    nl.manual_seed(7)
    local drawing = dataset_of(10, function(i) return i - 1, nl.rand({}):item(), data.get_worker_info().id end)
    local expected = {
      {{3, 2}, {0.11662513017654419, 0.13414353132247925}, {0, 0}},
      {{7, 8}, {0.3148404359817505, 0.28084486722946167}, {1, 1}},
      {{6, 1}, {0.8065624833106995, 0.8374578356742859}, {0, 0}},
      {{5, 9}, {0.8679258823394775, 0.4842987656593323}, {1, 1}},
      {{0, 4}, {0.7192292213439941, 0.5755504369735718}, {0, 0}},
    }
    assert.same(expected, batches_of(data.DataLoader(drawing, {batch_size = 2, shuffle = true, num_workers = 2})))
  end)

  it("know what they are, after worker_init_fn", function()
    local seen
    local loader = data.DataLoader({10, 20, 30, 40}, {num_workers = 2, worker_init_fn = function(id) seen = id end,
      collate_fn = function(items)
        local info = data.get_worker_info()
        return items[1], {id = info.id, seen = seen, n = info.num_workers, length = #info.dataset}
      end})
    local got = {}
    for item, info in loader do
      got[#got + 1] = ("%d %d %d %d %d"):format(item, info.id, info.seen, info.n, info.length)
    end
    assert.same({"10 0 0 2 4", "20 1 1 2 4", "30 0 0 2 4", "40 1 1 2 4"}, got)
    assert.is_nil(data.get_worker_info())
    assert.is_nil(seen)
  end)

  -- PyTorch 2.15's order
  it("each go over a copy of an IterableDataset, in turn until all have ended", function()
    local function numbers()
      local id, k = data.get_worker_info().id, -1
      return function()
        k = k + 1
        if k < 3 + 2 * id then return 100 * id + k end
      end
    end
    assert.same({
      {{0, 1}}, {{100, 101}}, {{200, 201}}, {{2}}, {{102, 103}}, {{202, 203}}, {{104}}, {{204, 205}}, {{206}},
    }, batches_of(data.DataLoader(stream_of(numbers), {batch_size = 2, num_workers = 3})))
    assert.same({{0}, {100}, {1}, {101}, {2}, {102}, {103}, {104}},
      batches_of(data.DataLoader(stream_of(numbers), {batch_size = nl.none, num_workers = 2})))
    assert.same({{{0, 1}}, {{100, 101}}, {{102, 103}}},
      batches_of(data.DataLoader(stream_of(numbers), {batch_size = 2, num_workers = 2, drop_last = true})))
  end)

  it("may be asked for batches as they are ready", function()
    local seen = {}
    for x in data.DataLoader(nl.arange(1, 21), {batch_size = 3, num_workers = 2, in_order = false}) do
      for _, i in ipairs(x:tolist()) do seen[i] = true end
    end
    assert.equal(20, #seen)
    local count = 0
    for _ in data.DataLoader(stream_of(function() return pairs {1, 2, 3} end), {num_workers = 2, in_order = false}) do
      count = count + 1
    end
    assert.equal(6, count)
  end)

  it("stay for the next loop if they are persistent", function()
    local loader = data.DataLoader(dataset_of(6, function(i) return i, nl.rand({}):item() end),
      {batch_size = 2, num_workers = 2, persistent_workers = true, collate_fn = function(items)
        return items[1][1], items[1][2], io.open("/proc/self/stat"):read "n"
      end})
    local processes, draws = {}, {}
    for _ = 1, 2 do
      local firsts = {}
      for first, draw, pid in loader do
        firsts[#firsts + 1] = first
        processes[pid], draws[draw] = true, true
      end
      assert.same({1, 3, 5}, firsts)
    end
    for first in loader:iter() do -- left
      assert.equal(1, first)
      break
    end
    for first in loader do
      assert.equal(1, first)
      for inner in loader do -- which needs others
        assert.equal(1, inner)
        break
      end
      break
    end
    local function count(set)
      local n = 0
      for _ in pairs(set) do n = n + 1 end
      return n
    end
    assert.equal(2, count(processes))
    assert.equal(6, count(draws))
  end)

  it("send what batches are made of", function()
    local values = {
      1, 2.5, "text\0with zeros", true, false, nl.none, nl.float64, nl.zeros(2, 3).shape, {},
      {1, {a = {b = 2}, [7] = "x"}}, math.huge, math.mininteger, ("long"):rep(100000),
    }
    local got
    for _, received in data.DataLoader({1}, {num_workers = 1, collate_fn = function() return 1, values end}) do
      got = received
    end
    assert.same(values, got)
  end)

  it("send tensors of any size, type and layout", function()
    local tensors = {
      nl.zeros(0, 3), nl.tensor(2.5), nl.arange(0, 10), nl.randn(300, 200), nl.randn(300, 200):t(),
      nl.ones(4, 6)[{{}, {2, 3}}], nl.randn(100, 100, {dtype = nl.complex128}), nl.randn(3, 4):to(nl.bfloat16),
      nl.randn(200, 200)[{{}, {1, 200, 2}}], nl.arange(0, 70000):gt(5), nl.ones(1, 5):expand(3, 5),
      nl.randn(30000):requires_grad_(),
    }
    local got
    for _, received in data.DataLoader({1}, {num_workers = 1, collate_fn = function() return 1, tensors end}) do
      got = received
    end
    assert.equal(#tensors, #got)
    for i, t in ipairs(tensors) do
      testing.assert_equal(got[i], t)
      assert.equal(t.dtype, got[i].dtype)
      assert.equal(t.requires_grad, got[i].requires_grad)
    end
    assert.same({got[5]:stride()}, {tensors[5]:stride()})
  end)

  it("give memory that stays as long as it is held, and is used again", function()
    local kept, sum = {}, 0
    for x in data.DataLoader(dataset_of(40, function(i) return nl.full({100, 100}, i + 0.0) end), {num_workers = 2}) do
      if #kept < 5 then kept[#kept + 1] = x end
      sum = sum + x:mean():item()
    end
    assert.equal(820, sum)
    collectgarbage()
    for i, x in ipairs(kept) do assert.equal(i, x:mean():item()) end
    kept[1]:add_(1) -- it is the loop's own
    assert.equal(2, kept[1]:mean():item())
  end)

  it("are gone when a loop has ended, was left or failed", function()
    local slow = dataset_of(100, function(i)
      if i == 50 then error "no such item" end
      return i
    end)
    local before = children()
    local loader = data.DataLoader(slow, {num_workers = 3, sampler = {1, 2, 3}})
    for _ in loader do assert.equal(before + 3, children()) end
    assert.equal(before, children())
    for _ in data.DataLoader(slow, {num_workers = 3}):iter() do break end
    assert.equal(before, children())
    pcall(function()
      for _ in data.DataLoader(slow, {num_workers = 3}) do error "enough" end
    end)
    assert.is_false(pcall(batches_of, data.DataLoader(slow, {num_workers = 3})))
    for _ in data.DataLoader(slow, {num_workers = 1}) do break end -- can't tell that it was left
    assert.equal(before, children())
  end)

  it("show errors with where they came from", function()
    local function boom() error "no such item" end
    local failing = dataset_of(4, function(i) return i == 3 and boom() or i end)
    local got = {}
    local ok, message = pcall(function()
      for x in data.DataLoader(failing, {num_workers = 2}) do got[#got + 1] = x:item() end
    end)
    assert.is_false(ok)
    assert.same({1, 2}, got)
    assert.matches("utils.data.DataLoader: in worker 0 %(process %d+%): [^\n]*workers_spec.lua:%d+: no such item\n"
      .. "stack traceback:\n.*in upvalue 'boom'.*_item'[^\n]*\n[^\n]*fetch.lua[^\n]*\n[^\n]*$", message)
    assert.not_matches("utils/workers.lua", message)
    assert.error_matches(function() batches_of(data.DataLoader({1, 2}, {num_workers = 1, worker_init_fn = boom})) end,
      "in worker 0 %(process %d+%): .*no such item")
    assert.error_matches(function()
      batches_of(data.DataLoader({1}, {num_workers = 1, collate_fn = function() return 1, {a = {2, print}} end}))
    end, "value 2.a%[2%] of a batch is of type function, which can't come from a worker")
    assert.error_matches(function()
      local w = nl.ones(2):requires_grad_()
      batches_of(data.DataLoader({1}, {num_workers = 1, collate_fn = function() return w * 2 end}))
    end, "value 1 of a batch is a tensor that is a result of recorded operations %(detach it%)")
    assert.error_matches(function()
      local round = {}
      round[1] = round
      batches_of(data.DataLoader({1}, {num_workers = 1, collate_fn = function() return round end}))
    end, "a table within a hundred tables, or in itself")
  end)

  it("that crash, end or take too long are told", function()
    local function refused(pattern, get, options)
      options.num_workers = 1
      assert.error_matches(function() batches_of(data.DataLoader(dataset_of(3, get), options)) end, pattern)
    end
    refused("worker 0 %(process %d+%) was ended by signal 9", function()
      os.execute "kill -KILL $PPID"
      return 1
    end, {})
    refused("worker 0 %(process %d+%) ended with exit status 3", function() os.exit(3) end, {})
    refused("timed out after 0.05 seconds", function()
      while true do system.clock() end
    end, {timeout = 0.05})
  end)

  it("end when the process that began them is killed", function()
    local out = process.run({process.nnlua, "-e", [[
      local nl = require "nnlua"
      local dataset = nl.utils.data.class "D"()
      function dataset:len() return 1000 end
      function dataset:get(i) return io.open("/proc/self/stat"):read "n" end
      getmetatable(dataset).len, getmetatable(dataset).get = dataset.len, dataset.get
      for pid in nl.utils.data.DataLoader(dataset, {num_workers = 1}) do
        print(pid:item())
        io.stdout:flush()
        os.execute "kill -KILL $PPID"
      end
    ]]})
    local pid = out.stdout:match "%d+"
    for _ = 1, 100 do
      if not process_exists(pid) then break end
      os.execute "sleep 0.05"
    end
    assert.is_false(process_exists(pid))
  end)

  it("leave at Ctrl-C, and print once", function()
    local script = [[
      local data = require "nnlua".utils.data
      io.write "begin\n" -- stays in the buffer
      local Endless = data.class "Endless"
      function Endless:len() return 3 end
      function Endless:get(i) while true do end end
      print(pcall(function()
        os.execute("(sleep 0.3; kill -INT " .. io.open("/proc/self/stat"):read "n" .. ") &")
        for _ in data.DataLoader(Endless(), {num_workers = 2}) do end
      end))
    ]]
    local out = process.run {process.nnlua, "-e", script}
    assert.matches("^begin\n.*interrupted!\n$", out.stdout .. out.stderr)
    assert.equal(1, select(2, (out.stdout .. out.stderr):gsub("begin", "")))
  end)
end)

describe("datasets", function()
  it("of streams come one after another", function()
    local closed = 0
    local function numbers(n)
      return stream_of(function()
        local i = 0
        return function()
          i = i + 1
          if i <= n then return i end
        end, nil, nil, setmetatable({}, {__close = function() closed = closed + 1 end})
      end)
    end
    local chain = numbers(2) + numbers(0) + numbers(1)
    local all = {}
    for x in chain:iter() do all[#all + 1] = x end
    assert.same({1, 2, 1}, all)
    assert.equal(3, closed)
    for _ in chain:iter() do break end
    assert.equal(4, closed)
    assert.error_matches(function() data.ChainDataset {{1, 2}} end, "dataset 1 must be an IterableDataset, not a table")
    assert.error_matches(function() data.ConcatDataset {{1}, numbers(1)} end, "chain those with ChainDataset")
    assert.error_matches(function() return #chain end, "Stream has no method len")
  end)

  it("stand side by side", function()
    local stack = data.StackDataset(data.TensorDataset(nl.arange(0, 3), nl.ones(3)), {"a", "b", "c"})
    assert.equal(3, #stack)
    local first, second = stack:get(2)
    assert.equal(1, first[1]:item())
    assert.equal("b", second)
    local named = data.StackDataset {x = {1, 2}, y = {3, 4}}
    assert.same({x = 2, y = 4}, named[2])
    for batch in data.DataLoader(named, {batch_size = 2}) do
      assert.same({x = {1, 2}, y = {3, 4}}, {x = batch.x:tolist(), y = batch.y:tolist()})
    end
    assert.error_matches(function() data.StackDataset({1, 2}, {1}) end, "the datasets differ in length")
    assert.error_matches(function() data.StackDataset() end, "there are no datasets")
  end)

  it("are split by a fraction of all, and warn of parts without items", function()
    local said, old = {}, warn
    local restore <close> = setmetatable({}, {__close = function() _G.warn = old end})
    _G.warn = function(...) table.insert(said, table.concat {...}) end
    assert.equal(5, #data.random_split({1, 2, 3, 4, 5}, {1}))
    local a, b = data.random_split({1}, {0.6, 0.4})
    assert.same({1, 0}, {#a, #b})
    assert.same({"nnlua: utils.data.random_split: part 2 is empty"}, said)
  end)
end)

describe("DistributedSampler", function()
  local function places(...)
    local list = {}
    for i in data.distributed.DistributedSampler(...):iter() do list[#list + 1] = i end
    return list
  end

  -- with seed = 4 and the epoch 2 of a dataset of 7: PyTorch 2.15's, counted from 1
  it("gives each process its part", function()
    local seven = {1, 2, 3, 4, 5, 6, 7}
    assert.same({1, 4, 7}, places(seven, 3, 0, {shuffle = false}))
    assert.same({3, 6, 2}, places(seven, 3, 2, {shuffle = false}))
    assert.same({3, 6}, places(seven, 3, 2, {shuffle = false, drop_last = true}))
    assert.same({1, 1}, {#places({1}, 4, 0), #places({1}, 4, 3)})
    local sampler = data.DistributedSampler(seven, 2, 1, {seed = 4})
    sampler:set_epoch(2)
    local list = {}
    for i in sampler:iter() do list[#list + 1] = i end
    assert.same({5, 4, 7, 3}, list)
    assert.equal(4, #sampler)
    local loaded = {}
    for x in data.DataLoader(seven, {sampler = sampler}) do loaded[#loaded + 1] = x:item() end
    assert.same(list, loaded)
  end)

  it("checks its arguments", function()
    assert.error_matches(function() data.DistributedSampler({1, 2}) end, "give num_replicas and rank")
    assert.error_matches(function() data.DistributedSampler({1, 2}, 2, 2) end, "rank must be from 0 to 1, not 2")
    assert.error_matches(function() data.DistributedSampler({1, 2}, 0, 0) end, "num_replicas must be from 1 on, not 0")
    assert.error_matches(function() data.DistributedSampler({1, 2}, 1, 0):set_epoch "x" end,
      "set_epoch takes an integer")
  end)
end)
