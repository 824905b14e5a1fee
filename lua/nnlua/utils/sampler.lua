-- Samplers: in which order a loader takes a dataset's items. Each has iter(), which gives a function that returns the
-- next place (from 1), and nil at the end. With the same seed the places are PyTorch's.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local iterator = require "nnlua.utils.iterator"
local nl = require "nnlua"

local sampler = {}

local raise = core.raise

--- A base for samplers: a subclass defines `iter()`, and `len()` where that is known.
---     > Backwards = nl.utils.data.class("Backwards", nl.utils.data.Sampler)
---     > function Backwards:init(n) self.n = n end
---     > function Backwards:len() return self.n end
---     > function Backwards:iter()
---     >>   local i = self.n + 1
---     >>   return function() i = i - 1; return i > 0 and i or nil end
---     >> end
---     > loader = nl.utils.data.DataLoader({10, 20, 30}, {sampler = Backwards(3), batch_size = 3})
---     > for batch in loader do print(batch) end
---     tensor([30, 20, 10])
---@class Sampler
local Sampler = class.new("utils.data.Sampler")

function Sampler:init() end

function Sampler:iter()
  raise(self.__name .. " has no method iter(), which gives a function of the next place")
end

function Sampler:len()
  raise(self.__name .. " has no method len()")
end

function Sampler:__len()
  return self:len()
end

sampler.Sampler = Sampler

local function define(name)
  local new = class.new("utils.data." .. name, Sampler)
  sampler[name] = new
  return new
end

--- The next value of a list, again and again.
local function values_of(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

local function is_sampler(source)
  return type(source) == "table" and source.iter ~= nil
end

--- Checks that a value gives places: a sampler, a list or a tensor.
function sampler._check(name, what, source)
  if is_sampler(source) or core.is_tensor(source) and source.ndim > 0 or
      type(source) == "table" and not getmetatable(source) then
    return source
  end
  raise(("%s: %s must be a sampler, a list or a tensor, not %s"):format(name, what, core.describe(source)))
end

--- A loop over anything that gives places, as a generic `for` takes it: a sampler, a list or a tensor.
function sampler._iterate(name, source)
  if core.is_tensor(source) then return values_of(source:tolist()) end
  if is_sampler(source) then return iterator.start(name, "sampler", source) end
  sampler._check(name, "its sampler", source)
  return values_of(source)
end

--- How many places something gives.
function sampler._length(name, source)
  local meta = getmetatable(source)
  if is_sampler(source) and not (type(meta) == "table" and meta.__len) then
    raise(("%s: its sampler has no length"):format(name))
  end
  return #sampler._check(name, "its sampler", source)
end

local function check_count(self, name, n)
  if not args.whole(n) or n < 1 then
    raise(("%s: %s must be from 1 on, not %s"):format(self.__name, name, args.whole(n) or core.describe(n)))
  end
end

--- A random number of 63 bits, as PyTorch draws its seeds.
function sampler._draw_seed(generator)
  return nl.empty({}, {dtype = nl.int64}):random_(generator and {generator = generator}):item()
end

local draw_seed = sampler._draw_seed

-- ------------------------------------------------------------------ plain

--- All places in order.
---     > for i in nl.utils.data.SequentialSampler({10, 20}):iter() do print(i) end
---     1
---     2
---@class SequentialSampler: Sampler
local SequentialSampler = define "SequentialSampler"

function SequentialSampler:init(data_source)
  self.data_source = dataset._check(self.__name, data_source)
end

function SequentialSampler:len()
  return #self.data_source
end

function SequentialSampler:iter()
  local i, n = 0, #self.data_source
  return function()
    i = i + 1
    return i <= n and i or nil
  end
end

-- ----------------------------------------------------------------- random

--- All places in random order, or num_samples of them, each drawn anew with replacement.
--- `RandomSampler(data_source, {replacement = false, num_samples = #data_source, generator = nil})`.
---     > #nl.utils.data.RandomSampler {10, 20, 30}
---     3
---@class RandomSampler: Sampler
local RandomSampler = define "RandomSampler"

local parse_random = args.parser(RandomSampler.__name, {
  {"data_source", "any"}, {"replacement", "boolean", false}, {"num_samples", "integer?"}, {"generator", "any?"},
})

function RandomSampler:init(...)
  self.data_source, self.replacement, self._num_samples, self.generator = parse_random(...)
  dataset._check(self.__name, self.data_source)
  check_count(self, "num_samples", self._num_samples or 1)
end

function RandomSampler:len()
  return self._num_samples or #self.data_source
end

--- Whole lists of places, one after the other, as they are asked for: each is drawn when the one before is used up.
local function chained(next_list)
  local list, i = {}, 0
  return function()
    i = i + 1
    while list and not list[i] do
      list, i = next_list(), 1
    end
    return list and list[i]
  end
end

--- With replacement: 32 draws at a time, and the rest.
local function draws(n, count, generator)
  local left = count // 32
  return chained(function()
    if left < 0 then return nil end
    left = left - 1
    local size = left >= 0 and 32 or count % 32
    return (nl.randint(n, {size}, {generator = generator}) + 1):tolist()
  end)
end

--- Without: permutations, of the last one a part. PyTorch draws that one even if nothing of it is used.
local function permutations(n, count, generator)
  local left = n > 0 and count // n or 0
  return chained(function()
    if left < 0 then return nil end
    left = left - 1
    local order = nl.randperm(n, {generator = generator}):tolist()
    return left >= 0 and order or table.move(order, 1, n > 0 and count % n or 0, 1, {})
  end)
end

function RandomSampler:iter()
  local generator = self.generator or nl.Generator():manual_seed(draw_seed())
  return (self.replacement and draws or permutations)(#self.data_source, #self, generator)
end

--- Given places in random order.
---     > #nl.utils.data.SubsetRandomSampler {2, 3}
---     2
---@class SubsetRandomSampler: Sampler
local SubsetRandomSampler = define "SubsetRandomSampler"

local parse_subset = args.parser(SubsetRandomSampler.__name, {{"indices", "any"}, {"generator", "any?"}})

function SubsetRandomSampler:init(...)
  local indices, generator = parse_subset(...)
  dataset._check(self.__name, indices)
  self.indices, self.generator = core.is_tensor(indices) and indices:tolist() or indices, generator
end

function SubsetRandomSampler:len()
  return #self.indices
end

function SubsetRandomSampler:iter()
  local order = nl.randperm(#self.indices, self.generator and {generator = self.generator}):tolist()
  local next_place = values_of(order)
  return function()
    local i = next_place()
    return i and self.indices[i]
  end
end

--- Places drawn with the probabilities of weights, which need not add up to one.
--- `WeightedRandomSampler(weights, num_samples, {replacement = true, generator = nil})`.
---     > for i in nl.utils.data.WeightedRandomSampler({0, 1}, 2):iter() do print(i) end
---     2
---     2
---@class WeightedRandomSampler: Sampler
local WeightedRandomSampler = define "WeightedRandomSampler"

local parse_weighted = args.parser(WeightedRandomSampler.__name, {
  {"weights", "any"}, {"num_samples", "integer"}, {"replacement", "boolean", true}, {"generator", "any?"},
})

function WeightedRandomSampler:init(...)
  local weights
  weights, self.num_samples, self.replacement, self.generator = parse_weighted(...)
  check_count(self, "num_samples", self.num_samples)
  self.weights = core.is_tensor(weights) and weights:to(nl.float64) or nl.tensor(weights, {dtype = nl.float64})
  if self.weights.ndim ~= 1 then
    raise(("%s: weights must be a list, not of shape %s"):format(self.__name, self.weights.shape))
  end
end

function WeightedRandomSampler:len()
  return self.num_samples
end

function WeightedRandomSampler:iter()
  return values_of(nl.multinomial(self.weights, self.num_samples, self.replacement,
    self.generator and {generator = self.generator}):tolist())
end

-- ------------------------------------------------------------- distributed

--- The places of one of several processes that share a dataset: each gets as many, and together they get all, some
--- twice if there are not as many as that takes, or with drop_last some not at all. `DistributedSampler(dataset,
--- num_replicas, rank, {shuffle = true, seed = 0, drop_last = false})`: of num_replicas processes the one whose rank
--- this is, from 0 on (nl.distributed's, if they are left out). `set_epoch(epoch)` before each epoch gives it an order
--- of its own.
---     > sampler = nl.utils.data.DistributedSampler({10, 20, 30}, 2, 1, {shuffle = false})
---     > for i in sampler:iter() do print(i) end
---     2
---     1
---@class DistributedSampler: Sampler
---@field epoch integer
local DistributedSampler = define "DistributedSampler"

local parse_distributed = args.parser(DistributedSampler.__name, {
  {"dataset", "any"}, {"num_replicas", "integer?"}, {"rank", "integer?"}, {"shuffle", "boolean", true},
  {"seed", "integer", 0}, {"drop_last", "boolean", false},
})

function DistributedSampler:init(...)
  self.dataset, self.num_replicas, self.rank, self.shuffle, self.seed, self.drop_last = parse_distributed(...)
  local dist = not (self.num_replicas and self.rank) and require "nnlua.distributed"
  if dist and not dist.is_initialized() then
    raise(self.__name .. ": give num_replicas and rank, or call nl.distributed.init_process_group first")
  end
  self.num_replicas = self.num_replicas or dist.get_world_size()
  self.rank = self.rank or dist.get_rank()
  check_count(self, "num_replicas", self.num_replicas)
  if self.rank < 0 or self.rank >= self.num_replicas then
    raise(("%s: rank must be from 0 to %d, not %d"):format(self.__name, self.num_replicas - 1, self.rank))
  end
  local n, parts = dataset._length(self.__name, self.dataset), self.num_replicas
  self.num_samples = self.drop_last and n // parts or (n + parts - 1) // parts
  self.total_size, self.epoch = self.num_samples * parts, 0
end

function DistributedSampler:len()
  return self.num_samples
end

--- Which order the next loop takes: that of an epoch.
---     > sampler = nl.utils.data.DistributedSampler({10, 20, 30}, 3, 0)
---     > sampler:set_epoch(2)
---     > sampler.epoch
---     2
---@param epoch integer
function DistributedSampler:set_epoch(epoch)
  if not args.whole(epoch) then
    raise(("%s: set_epoch takes an integer, not %s"):format(self.__name, core.describe(epoch)))
  end
  self.epoch = args.whole(epoch)
end

function DistributedSampler:iter()
  local n, order = dataset._length(self.__name, self.dataset), nil
  if self.shuffle then
    order = nl.randperm(n, {generator = nl.Generator():manual_seed(self.seed + self.epoch)}):tolist()
  end
  local k = self.rank - self.num_replicas
  return function()
    k = k + self.num_replicas
    if k >= self.total_size or n == 0 then return nil end
    local place = k % n + 1 -- beyond the last one again from the first
    return order and order[place] or place
  end
end

-- ---------------------------------------------------------------- batches

--- Lists of a sampler's places, batch_size each. `BatchSampler(sampler, batch_size, drop_last)`.
---     > sampler = nl.utils.data.SequentialSampler {1, 2, 3}
---     > for batch in nl.utils.data.BatchSampler(sampler, 2, false):iter() do print(#batch) end
---     2
---     1
---@class BatchSampler: Sampler
local BatchSampler = define "BatchSampler"

local parse_batch = args.parser(BatchSampler.__name, {
  {"sampler", "any"}, {"batch_size", "integer"}, {"drop_last", "boolean"},
})

function BatchSampler:init(...)
  self.sampler, self.batch_size, self.drop_last = parse_batch(...)
  sampler._check(self.__name, "sampler", self.sampler)
  check_count(self, "batch_size", self.batch_size)
end

function BatchSampler:len()
  check_count(self, "batch_size", self.batch_size)
  local n, size = sampler._length(self._owner or self.__name, self.sampler), self.batch_size
  return self.drop_last and n // size or (n + size - 1) // size
end

function BatchSampler:iter()
  check_count(self, "batch_size", self.batch_size)
  local next_place, state, place, closing = sampler._iterate(self._owner or self.__name, self.sampler)
  local size, drop_last, ended = self.batch_size, self.drop_last, false
  return iterator.closed_by(closing, function()
    local batch = {}
    for i = 1, ended and 0 or size do
      place = next_place(state, place)
      if place == nil then
        ended = true
        break
      end
      batch[i] = place
    end
    if #batch > 0 and (#batch == size or not drop_last) then return batch end
  end)
end

return sampler
