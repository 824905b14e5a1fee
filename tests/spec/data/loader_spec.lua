-- Datasets, samplers and loaders. The random orders are what PyTorch 2.15 gives for the same seeds, with
-- positions counted from 1: torch.arange(10) as a TensorDataset, in the same calls.
local nl = require "nnlua"
local data = nl.utils.data

local ten = data.TensorDataset(nl.arange(0, 10))

local function orders(loader, times)
  local all = {}
  for _ = 1, times or 1 do
    local batches = {}
    for batch in loader do batches[#batches + 1] = table.concat(batch:tolist(), ",") end
    all[#all + 1] = table.concat(batches, " ")
  end
  return all
end

for how, collate_fn in pairs {["batch by batch"] = false, ["item by item"] = data.default_collate} do
  describe("random orders " .. how, function()
    local function loader(options)
      options.collate_fn = collate_fn or nil
      return data.DataLoader(ten, options)
    end

    it("are PyTorch's for the same seed", function()
      nl.manual_seed(1)
      assert.same({"4,2,0 6,8,7 9,1,5 3", "4,8,1 5,0,2 3,6,9 7"}, orders(loader {batch_size = 3, shuffle = true}, 2))
      assert.near(0.5695084929, nl.rand(1):item(), 1e-9)
      local g = nl.Generator():manual_seed(5)
      assert.same({"7,4,8,1 2,3,6,5", "2,1,6,3 5,9,4,7"},
        orders(loader {batch_size = 4, shuffle = true, generator = g, drop_last = true}, 2))
      local drawn = data.RandomSampler(ten, {replacement = true, num_samples = 45, generator = g})
      assert.same({
        "6,3,4,7 0,2,9,2 6,0,2,2 6,9,9,1 7,2,6,4 1,7,9,0 5,3,9,4 6,7,2,6 7,1,7,0 9,3,9,9 4,3,5,3 9",
        "7,9,4,2 4,0,7,7 4,5,0,3 0,1,1,2 1,6,9,2 1,2,8,6 9,0,1,6 4,8,1,9 6,5,4,2 0,4,6,0 9,0,7,5 9",
      }, orders(loader {batch_size = 4, sampler = drawn}, 2))
      local more = data.RandomSampler(ten, {num_samples = 23})
      assert.same({"9,4,3,0 1,2,7,6 5,8,4,3 5,9,8,1 0,2,6,7 8,7,6", "2,7,1,5 3,4,0,9 8,6,7,3 8,4,6,5 2,0,9,1 4,5,3"},
        orders(loader {batch_size = 4, sampler = more}, 2))
      assert.same({"3,5 1", "5,1 3"}, orders(loader {batch_size = 2, sampler = data.SubsetRandomSampler {2, 4, 6}}, 2))
      local weights = {0.1, 0.2, 0.3, 0.4}
      assert.same({"3,2,3,3,2 3,2", "2,2,2,0,2 2,0"},
        orders(loader {batch_size = 5, sampler = data.WeightedRandomSampler(weights, 7, {generator = g})}, 2))
      assert.same({"2,0,3", "3,0,1"},
        orders(loader {batch_size = 5, sampler = data.WeightedRandomSampler(weights, 3, {replacement = false})}, 2))
      assert.same({"8,5,1 0,3,2 4,7,6", "3,4,8 1,9,0 7,5,2"},
        orders(loader {batch_sampler = data.BatchSampler(data.RandomSampler(ten), 3, true)}, 2))
      local a, b, c = data.random_split(ten, {3, 3, 4})
      assert.same({{10, 5, 9}, {6, 8, 7}, {1, 3, 2, 4}}, {a.indices, b.indices, c.indices})
      a, b, c = data.random_split(ten, {0.5, 0.3, 0.2}, g)
      assert.same({{1, 8, 6, 2, 3}, {9, 10, 5}, {4, 7}}, {a.indices, b.indices, c.indices})
      assert.near(0.7720022797, nl.rand(1):item(), 1e-9)
      assert.near(0.2971240282, nl.rand(1, {generator = g}):item(), 1e-9)
    end)
  end)
end

describe("a DataLoader", function()
  local x, y = nl.arange(0, 12):view(6, 2):to(nl.float32), nl.arange(1, 7)
  local pairs_of = data.TensorDataset(x, y)

  it("gives batches in order, the last one shorter", function()
    local seen = {}
    local loader = data.DataLoader(pairs_of, {batch_size = 4})
    assert.equal(2, #loader)
    for a, b in loader do seen[#seen + 1] = {a, b} end
    assert.equal(2, #seen)
    assert.is_true(nl.equal(x[{{1, 4}}], seen[1][1]))
    assert.is_true(nl.equal(y[{{5, 6}}], seen[2][2]))
    seen[1][1]:zero_()
    assert.equal(1, x[1][2]:item(), "a batch is a copy")
  end)

  it("drops what is left over if asked to", function()
    local loader = data.DataLoader(pairs_of, {batch_size = 4, drop_last = true})
    assert.equal(1, #loader)
    local n = 0
    for _ in loader do n = n + 1 end
    assert.equal(1, n)
  end)

  it("gives the same batches whole as item by item, of a Subset of a Subset too", function()
    local part = data.Subset(data.Subset(pairs_of, {6, 5, 1, 2}), nl.tensor {4, 1, 3})
    local whole = data.DataLoader(part, {batch_size = 2})()
    local single = data.DataLoader(part, {batch_size = 2, collate_fn = function(items)
      return table.unpack(data.default_collate(items))
    end})()
    for _ = 1, 2 do
      local a, b = whole()
      local c, d = single()
      assert.is_true(nl.equal(a, c) and nl.equal(b, d))
    end
    assert.is_nil(whole())
    assert.is_nil(whole())
  end)

  it("can be looped over in a loop over itself, and left", function()
    local loader = data.DataLoader(nl.arange(0, 3), {batch_size = 1})
    local seen = {}
    for a in loader do
      for b in loader do
        seen[#seen + 1] = a:item() * 10 + b:item()
        if b:item() == 1 then break end
      end
    end
    assert.same({0, 1, 10, 11, 20, 21}, seen)
    assert.error_matches(function() loader(nil, 7) end, "a loop over it goes `for x, y in loader do`")
  end)

  it("takes lists, tensors and classes of one's own", function()
    local Squares = data.class("Squares")
    function Squares:init(n) self.n = n end
    function Squares:len() return self.n end
    function Squares:get(i) return i, i * i / 2, {name = "square " .. i, even = i % 2 == 0} end
    local squares = Squares(3)
    assert.equal(3, #squares)
    assert.same({2, 2.0, {name = "square 2", even = true}}, squares[2])
    assert.same({3, 4.5, {name = "square 3", even = false}}, squares[-1])
    assert.is_nil(squares[4])
    assert.error_matches(function() return squares[5] end, "Squares: index 5 is out of range: there are 3 items")
    for i, half, rest in data.DataLoader(squares, {batch_size = 3}) do
      assert.same({nl.int64, {1, 2, 3}}, {i.dtype, i:tolist()})
      assert.same({nl.float64, {0.5, 2, 4.5}}, {half.dtype, half:tolist()})
      assert.same({"square 1", "square 2", "square 3"}, rest.name)
      assert.same({false, true, false}, rest.even:tolist())
    end
    local words = {}
    for batch in data.DataLoader({"a", "b", "c"}, {batch_size = 2}) do words[#words + 1] = batch end
    assert.same({{"a", "b"}, {"c"}}, words)
  end)

  it("gives items one by one without a batch size", function()
    local seen = {}
    for a, b in data.DataLoader(pairs_of, {batch_size = nl.none}) do seen[#seen + 1] = {a.shape, b:item()} end
    assert.equal(6, #seen)
    assert.equal("[2]", tostring(seen[1][1]))
    assert.equal(6, seen[6][2])
  end)

  it("batches what an IterableDataset gives", function()
    local Stream = data.class("Stream", data.IterableDataset)
    function Stream:iter() return ipairs {10, 20, 30} end
    local function run(options)
      local all = {}
      for i, v in data.DataLoader(Stream(), options) do
        all[#all + 1] = type(i) == "number" and {i, v} or {i:tolist(), v:tolist()}
      end
      return all
    end
    assert.same({{{1, 2}, {10, 20}}, {{3}, {30}}}, run {batch_size = 2})
    assert.same({{{1, 2}, {10, 20}}}, run {batch_size = 2, drop_last = true})
    assert.same({{1, 10}, {2, 20}, {3, 30}}, run {batch_size = nl.none})
    assert.error_matches(function() data.DataLoader(Stream(), {shuffle = true}) end, "has an order of its own")
  end)

  it("takes samplers of one's own, and lists of places", function()
    local Backwards = nl.utils.data.Sampler
    local sampler = Backwards()
    sampler.iter = function()
      local i = 4
      return function()
        i = i - 1
        return i > 0 and i or nil
      end
    end
    local list = {5, 6, 7}
    assert.same({"7,6 5"}, orders(data.DataLoader(nl.tensor(list), {batch_size = 2, sampler = sampler})))
    assert.same({"6,6"}, orders(data.DataLoader(nl.tensor(list), {batch_size = 2, sampler = {2, 2}})))
    assert.same({"5 7,6"}, orders(data.DataLoader(nl.tensor(list), {batch_sampler = {{1}, {3, 2}}})))
  end)

  it("passes on what collate_fn returns", function()
    for n, last in data.DataLoader({1, 2, 3}, {batch_size = 3, collate_fn = function(items)
      return #items, items[#items]
    end}) do
      assert.same({3, 3}, {n, last})
    end
  end)

  it("checks its arguments", function()
    local function refused(pattern, dataset, options)
      assert.error_matches(function() data.DataLoader(dataset, options) end, pattern)
    end
    refused("num_workers must be from 0 to 1024, not %-1", ten, {num_workers = -1})
    refused("prefetch_factor is about workers: give num_workers too", ten, {prefetch_factor = 2})
    refused("persistent_workers is about workers", ten, {persistent_workers = true})
    refused("timeout is about workers", ten, {timeout = 1})
    refused("timeout must be a number of seconds from 0 on, not %-1", ten, {num_workers = 1, timeout = -1})
    refused("prefetch_factor must be from 1 on, not 0", ten, {num_workers = 1, prefetch_factor = 0})
    refused("multiprocessing_context is 'fork' or nil, not 'spawn'", ten,
      {num_workers = 1, multiprocessing_context = "spawn"})
    refused("give a sampler or shuffle = true, not both", ten, {shuffle = true, sampler = {1}})
    refused("batch_sampler stands for batch_size", ten, {batch_size = 2, batch_sampler = {{1}}})
    refused("batch_size must be from 1 on, not 0", ten, {batch_size = 0})
    refused("a dataset was expected %(a Dataset, a list or a tensor%), not a number", 3)
    refused("make a class with utils.data.class and give it len%(%) and get%(i%)", {get = print, len = print})
    refused("make a class with utils.data.class and give it iter%(%)", {iter = print})
    refused("no argument is called 'batchsize'", ten, {batchsize = 2})
    assert.error_matches(function()
      for _ in data.DataLoader({1, 2}, {sampler = {3}}) do error "not reached" end
    end, "the sampler gave 3, but places are integers from 1 to 2")
  end)

  it("says what in a batch doesn't fit", function()
    local function refused(pattern, items)
      assert.error_matches(function() data.default_collate(items) end, pattern)
    end
    refused("item 2 is a string, but item 1 is a number", {1, "a"})
    refused("item 2 has 1 values, but item 1 has 2", {{1, 2}, {1}})
    refused("item 2 has no %[x%], but item 1 has", {{x = 1}, {y = 1}})
    refused("item 1%[f%] is a function", {{f = print}})
    refused("item 2%[x%] is a boolean", {{x = 1}, {x = true}})
    refused("a list of items was expected", {})
  end)
end)

describe("datasets", function()
  it("come one after another", function()
    local both = data.TensorDataset(nl.arange(0, 3)) + data.TensorDataset(nl.arange(10, 12))
    local all = {}
    for _, item in ipairs(both) do all[#all + 1] = item:item() end
    assert.same({0, 1, 2, 10, 11}, all)
    assert.same({3, 5}, both.cumulative_sizes)
    assert.equal(7, data.ConcatDataset({{5}, {}, {6, 7}})[3])
  end)

  it("are split by fractions, with what is left over given to the first", function()
    local parts = data.random_split({1, 2, 3, 4, 5, 6, 7}, {0.5, 0.5}, {as_table = true})
    assert.same({4, 3}, {#parts[1], #parts[2]})
    assert.error_matches(function() data.random_split({1, 2}, {1, 2}) end, "the lengths add up to 3, but there are 2")
  end)

  it("check their arguments", function()
    assert.error_matches(function() data.TensorDataset(nl.zeros(2), nl.zeros(3)) end, "shapes %[2%] and %[3%]")
    assert.error_matches(function() data.TensorDataset(nl.tensor(1)) end, "argument 1 has no dimension of items")
    assert.error_matches(function() data.Subset(ten, {11}) end, "indices%[1%] is 11, but there are 10 items")
    assert.error_matches(function() return #data.Dataset() end, "has no method len")
    assert.error_matches(function() data.RandomSampler(ten, {num_samples = 0}) end, "num_samples must be from 1 on")
  end)
end)

describe("multinomial", function()
  it("draws by the weights", function()
    nl.manual_seed(0)
    local weights = nl.tensor {{0.0, 3.0, 1.0}, {1.0, 0.0, 0.0}}
    local drawn = weights:multinomial(4000, true)
    local first = drawn[1]
    assert.equal(0, first:eq(1):sum():item())
    assert.near(0.75, first:eq(2):sum():item() / 4000, 0.03)
    assert.is_true(drawn[2]:eq(1):all():item())
    local once = weights[1]:multinomial(2):tolist()
    table.sort(once)
    assert.same({2, 3}, once)
  end)

  it("checks the weights", function()
    local function refused(pattern, weights, ...)
      local args = table.pack(...)
      assert.error_matches(function() nl.multinomial(weights, table.unpack(args)) end, pattern)
    end
    refused("4 positions can't be drawn of 3 without replacement", nl.ones(3), 4)
    refused("a weight must be a finite number from 0 on, not %-1", nl.tensor {1.0, -1.0}, 1)
    refused("must not all be 0", nl.zeros(3), 1)
    refused("one or two dimensions", nl.ones(2, 2, 2), 1)
    refused("num_samples must be positive", nl.ones(2), 0)
  end)
end)
