-- Loops over a DataLoader: each its own, whatever the batches are; what users' own datasets and samplers may give; and
-- what is said of what they may not.
local nl = require "nnlua"
local data = nl.utils.data

local function loader(options, items)
  return data.DataLoader(items or {1, 2, 3, 4}, options)
end

-- A loop over a loop over the same, which is left at its first round; how often each ran.
local function nested(outer, inner)
  local rounds, within = 0, 0
  for _ in outer do
    rounds = rounds + 1
    for _ in inner or outer do
      within = within + 1
      break
    end
    assert.is_true(rounds <= 10, "the loop has no end")
  end
  return {rounds, within}
end

local nan = 0.0 / 0.0
local buffer = {}

local batches = {
  ["a number"] = function(items) return #items end,
  ["not a number"] = function() return nan end,
  ["one table again and again"] = function() return buffer end,
  ["a text"] = function() return "batch" end,
  ["false"] = function() return false end,
  ["a new table"] = function(items) return {items} end,
}

describe("loops over one loader", function()
  for what, collate_fn in pairs(batches) do
    it("are apart where a batch is " .. what, function()
      local numbers = loader {batch_size = 2, collate_fn = collate_fn}
      assert.same({2, 2}, nested(numbers))
      assert.same({2, 2}, nested(numbers:iter(), numbers))
      assert.same({2, 2}, nested(nl.progress(numbers), numbers))
      local rounds = 0
      for _ in nl.progress(numbers) do
        for _ in nl.progress(numbers) do
          rounds = rounds + 1
          break
        end
      end
      assert.equal(2, rounds)
    end)
  end

  it("are apart where items come one by one", function()
    assert.same({4, 4}, nested(loader {batch_size = nl.none}))
    assert.same({4, 4}, nested(loader({batch_size = nl.none}, {"a", "a", "a", "a"})))
  end)

  it("are apart on one line, in a call of a call, in coroutines, and without debug information", function()
    local text = [[
      local l, seen = ...
      for a in l do for b in l do seen[#seen + 1] = a .. b if b == 1 then break end end end]]
    local function one(items) return items[1] end
    for _, strip in ipairs {false, true} do
      local seen = {}
      load(string.dump(load(text), strip))(loader({collate_fn = one}, {0, 1, 2}), seen)
      assert.same({"00", "01", "10", "11", "20", "21"}, seen)
    end
    local numbers, seen = loader({collate_fn = one}, {0, 1}), {}
    local function inner(depth)
      for n in numbers do
        seen[#seen + 1] = depth .. n
        if depth < 2 then inner(depth + 1) end
      end
    end
    inner(1)
    assert.same({"10", "20", "21", "11", "20", "21"}, seen)
    local function threads()
      return coroutine.wrap(function() for n in numbers do coroutine.yield(n) end end)
    end
    local a, b = threads(), threads()
    assert.same({0, 0, 1, 1}, {a(), b(), a(), b()})
  end)

  it("may be passed on by a function that calls what it is given as a loop does", function()
    local function numbered(f, state, control)
      local n = 0
      return function()
        n, control = n + 1, f(state, control)
        if control ~= nil then return n, control end
      end
    end
    for _, value in ipairs {nan, 7, "x"} do
      local seen = 0
      for i in numbered(loader {batch_size = 2, collate_fn = function() return value end}) do seen = i end
      assert.equal(2, seen)
    end
  end)
end)

-- ---------------------------------------------------------------- closing

local function stream_of(values, closed)
  local Stream = data.class("Stream", data.IterableDataset)
  function Stream:iter()
    local i = 0
    local function step()
      i = i + 1
      if values[i] == "fail" then error "broken" end
      return values[i]
    end
    return step, nil, nil, setmetatable({}, {__close = function(_, err) closed[#closed + 1] = err or "end" end})
  end
  return Stream()
end

describe("what iter gives to be closed", function()
  it("is closed at the end, and once", function()
    local closed = {}
    local stream = data.DataLoader(stream_of({1, 2, 3}, closed), {batch_size = 2})
    for _ in stream do assert.same({}, closed) end
    for _ in stream:iter() do assert.same({"end"}, closed) end
    for _ in nl.progress(stream) do assert.equal(2, #closed) end
    assert.same({"end", "end", "end"}, closed)
    collectgarbage()
    collectgarbage()
    assert.equal(3, #closed)
  end)

  it("is closed where the loop is left", function()
    local closed = {}
    local stream = data.DataLoader(stream_of({1, 2, 3}, closed), {batch_size = 1})
    for _ in stream:iter() do break end
    assert.equal(1, #closed)
    pcall(function() for _ in stream:iter() do error "in the loop" end end)
    assert.equal(2, #closed)
    local progress = nl.progress(stream)
    for _ in progress do break end
    progress:close()
    assert.equal(3, #closed)
    do
      for _ in stream do break end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(4, #closed)
  end)

  it("is closed where an item or a batch fails", function()
    local closed = {}
    local failing = data.DataLoader(stream_of({1, "fail"}, closed), {batch_size = 2})
    assert.error_matches(function() for _ in failing do error "not reached" end end, "broken")
    assert.matches("broken", closed[1])
    local unmade = data.DataLoader(stream_of({1}, closed), {collate_fn = function() end})
    assert.error_matches(function() for _ in unmade do error "not reached" end end, "collate_fn returned nil for item")
    assert.equal(2, #closed)
  end)

  it("is closed of samplers, too", function()
    local closed = {}
    local sampler = stream_of({2, 1, 2}, closed)
    for _, options in ipairs {{sampler = sampler}, {sampler = sampler, batch_size = nl.none},
        {batch_sampler = stream_of({{2, 1}, {2}}, closed)}} do
      local n = #closed
      for _ in data.DataLoader({10, 20}, options) do assert.equal(n, #closed) end
      assert.equal(n + 1, #closed)
    end
  end)
end)

-- ------------------------------------------------------- what may be given

describe("a loader takes", function()
  local function all(from, options)
    local seen = {}
    for batch in data.DataLoader(from, options) do
      seen[#seen + 1] = nl.is_tensor(batch) and batch:tolist() or batch
    end
    return seen
  end

  it("tensors of places as batches", function()
    local list = {"a", "b", "c"}
    assert.same({{"a", "c"}, {"b"}}, all(list, {batch_sampler = {nl.tensor {1, 3}, nl.tensor {2}}}))
    assert.same({{"a", "c"}, {"b", "a"}}, all(list, {batch_sampler = nl.tensor {{1, 3}, {2, 1}}}))
    local rows = data.TensorDataset(nl.tensor {10, 20, 30})
    assert.same({{10, 30}, {20}}, all(rows, {batch_sampler = {nl.tensor {1, 3}, {2}}}))
    assert.same({{30, 10}}, all(rows, {sampler = nl.tensor {3, 1}, batch_size = 2}))
    local Places = data.class("Places")
    function Places:len() return 3 end
    function Places:get(i) return math.type(i) .. i end
    assert.same({{"integer3"}, {"integer1"}}, all(Places(), {sampler = nl.tensor {3.0, 1.0}}))
    assert.same({"integer3"}, all(Places(), {sampler = {3.0}, batch_size = nl.none}))
  end)

  it("an empty batch where collate_fn can do something with it", function()
    assert.same({0, 2}, all({1, 2}, {batch_sampler = {{}, {1, 2}}, collate_fn = function(items) return #items end}))
  end)

  it("anything that can be called as collate_fn, and any object with iter as a sampler", function()
    local callable = setmetatable({}, {__call = function(_, items) return #items end})
    assert.same({2, 1}, all({1, 2, 3}, {batch_size = 2, collate_fn = callable}))
    local Own = {}
    Own.__index = Own
    function Own.iter() return next, {[2] = true} end
    assert.same({{20}}, all(nl.tensor {10, 20}, {sampler = setmetatable({}, Own)}))
    local Stream = data.class("Stream", data.IterableDataset)
    function Stream:iter()
      return setmetatable({}, {__call = function(_, _, i) return (i or 0) < 3 and (i or 0) + 1 or nil end})
    end
    assert.same({{1, 2}, {3}}, all(Stream(), {batch_size = 2}))
  end)
end)

describe("a loader says", function()
  -- The error of a loop over a loader, which names this file's line and none of nnlua's.
  local function refused(pattern, from, options)
    local ok, message = pcall(function()
      for _ in data.DataLoader(from, options) do error "not reached" end
    end)
    assert.is_false(ok)
    assert.matches("^[^:]*loops_spec.lua:%d+: utils%.data%.DataLoader: " .. pattern, message)
  end

  local rows = data.TensorDataset(nl.tensor {10, 20, 30})

  it("which items became nothing", function()
    local function nothing() end
    refused("collate_fn returned nil for item 1", {1, 2}, {collate_fn = nothing})
    refused("collate_fn returned nil for items 3, 1", nl.zeros(3),
      {sampler = {3, 1}, batch_size = 2, collate_fn = nothing})
    refused("collate_fn returned nil for items 1, 2, 3, 4, 5, …", nl.zeros(7), {batch_size = 7, collate_fn = nothing})
    refused("collate_fn returned nil for item 2", {1, 2}, {sampler = {2}, batch_size = nl.none, collate_fn = nothing})
    local Holes = data.class("Holes")
    function Holes:len() return 3 end
    function Holes:get(i)
      if i == 1 then return nil end
      if i == 2 then return i, nil end
      return nil, i
    end
    refused("the dataset gave nothing for item 1", Holes(), {sampler = {1}})
    refused("item 2 has nil for its value 2 of 2", Holes(), {sampler = {2}, batch_size = nl.none})
    refused("item 3 has nil for its value 1 of 2", Holes(), {sampler = {3}})
    refused("the dataset gave nothing for item 2", {1, nil, 3}, {sampler = {2}})
    local Gathers = data.class("Gathers")
    function Gathers:len() return 2 end
    function Gathers:gather() end
    refused("gather returned nil for items 1, 2", Gathers(), {batch_size = 2})
    local Stream = data.class("Stream", data.IterableDataset)
    function Stream:iter() return function() return 1, nil end end
    refused("item 1 has nil for its value 2 of 2", Stream())
  end)

  it("which places are none", function()
    for _, from in ipairs {rows, {10, 20, 30}} do
      for _, size in ipairs {1, nl.none} do
        refused("the sampler gave 1.5, but places are integers from 1 to 3", from, {sampler = {1.5}, batch_size = size})
        refused("the sampler gave a boolean, but", from, {sampler = {true}, batch_size = size})
        refused("the sampler gave 4, but", from, {sampler = {4}, batch_size = size})
        refused("the sampler gave 0, but", from, {sampler = nl.tensor {0}, batch_size = size})
        refused("the sampler gave 0.5, but", from, {sampler = nl.tensor {0.5}, batch_size = size})
      end
      refused("the sampler gave a string, but", from, {batch_sampler = {{"1"}}})
      refused("batch_sampler gave a number; each batch is a list or a tensor of places", from, {batch_sampler = {1}})
      refused("batch_sampler gave an empty batch, which only a collate_fn", from, {batch_sampler = {{}}})
    end
  end)

  it("what is no sampler, no iterator and no length", function()
    refused("sampler must be a sampler, a list or a tensor, not a number", rows, {sampler = 3})
    refused("sampler must be a sampler, a list or a tensor, not a tensor", rows, {sampler = nl.tensor(3)})
    refused("batch_sampler must be a sampler, a list or a tensor, not a function", rows, {batch_sampler = print})
    refused("iter of its sampler must be a method, not a number", rows, {sampler = {iter = 1}})
    refused("iter%(%) of its sampler must return a function of the next value, as pairs does, not a number", rows,
      {sampler = {iter = function() return 1 end}, batch_size = nl.none})
    local Stream = data.class("Stream", data.IterableDataset)
    function Stream:iter() return {1, 2, 3} end
    refused("iter%(%) of its dataset must return a function of the next value, as pairs does, not a table", Stream())
    refused("collate_fn must be a function, not a table", rows, {collate_fn = {}})
    local Long = data.class("Long")
    function Long:len() return "long" end
    refused("the dataset's length must be an integer from 0 on, not a string", Long(), {sampler = {1}})
    assert.error_matches(function() return #data.DataLoader(rows, {sampler = {iter = print}}) end,
      "its sampler has no length")
  end)
end)
