-- DataLoader: the batches of a dataset, for a generic `for`.

local args = require "nnlua.args"
local class = require "nnlua.class"
local collate = require "nnlua.utils.collate"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local nl = require "nnlua"
local sampler = require "nnlua.utils.sampler"

local format, raise = core.format, core.raise

--- Batches of a dataset: `for x, y in DataLoader(dataset, {batch_size = 64, shuffle = true}) do … end`. More options:
--- sampler, batch_sampler, drop_last, collate_fn (of a list of items; its results are what the loop gets), generator.
--- batch_size = nl.none gives items one by one.
---
--- A batch of items of several values gives as many values, one of items that are tables with names a table.
---     > loader = nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.arange(0, 5)), {batch_size = 2})
---     > for x in loader do print(x) end
---     tensor([0, 1])
---     tensor([2, 3])
---     tensor([4])
---@class DataLoader
local DataLoader = class.new("utils.data.DataLoader")

local parse = args.parser(DataLoader.__name, {
  {"dataset", "any"}, {"batch_size", "integer", 1}, {"shuffle", "boolean", false}, {"sampler", "any?"},
  {"batch_sampler", "any?"}, {"num_workers", "integer", 0}, {"collate_fn", "function?"},
  {"pin_memory", "boolean", false},
  {"drop_last", "boolean", false}, {"timeout", "number", 0}, {"worker_init_fn", "function?"},
  {"generator", "any?"},
})

local function check_options(self, size, shuffle, batches, drop_last, workers)
  if workers and workers ~= 0 then
    raise(("%s: num_workers must be 0, not %d: batches are made in this process"):format(self.__name, workers))
  elseif self.sampler and shuffle then
    raise(self.__name .. ": give a sampler or shuffle = true, not both")
  elseif batches and (size ~= 1 or shuffle or self.sampler or drop_last) then
    raise(self.__name .. ": batch_sampler stands for batch_size, shuffle, sampler and drop_last: give it alone")
  elseif self._iterable and (shuffle or self.sampler or batches) then
    raise(self.__name .. ": an IterableDataset has an order of its own: give no shuffle and no sampler")
  elseif not size and drop_last then
    raise(self.__name .. ": items come one by one: there is no last batch to drop")
  end
end

function DataLoader:init(...)
  local from, size, shuffle, order, batches, workers, collate_fn, _, drop_last, _, _, generator = parse(...)
  self._iterable = class.is_a(from, dataset.IterableDataset)
  self.dataset = self._iterable and from or dataset._check(self.__name, from)
  for _, places in ipairs {order or batches or {}} do dataset._check(self.__name, places) end
  self.sampler, self.batch_size, self.drop_last, self.generator = order, size, drop_last, generator
  check_options(self, size, shuffle, batches, drop_last, workers)
  if not self._iterable then
    self.sampler = order or shuffle and sampler.RandomSampler(from, nil, nil, generator) or
      sampler.SequentialSampler(from)
    self.batch_sampler = batches or size and sampler.BatchSampler(self.sampler, size, drop_last)
  elseif size and size < 1 then
    raise(("%s: batch_size must be from 1 on, not %d"):format(self.__name, size))
  end
  self.collate_fn = collate_fn
  self._running = setmetatable({}, {__mode = "k"})
end

--- How many batches there are.
function DataLoader:__len()
  if not self._iterable then return #(self.batch_sampler or self.sampler) end
  local n = #self.dataset
  if not self.batch_size then return n end
  return self.drop_last and n // self.batch_size or (n + self.batch_size - 1) // self.batch_size
end

-- -------------------------------------------------------------- iterators

--- What the loop gets of a batch by default_collate: the values of a list, or the one value.
local function unpacked(items, batch)
  if type(items[1]) == "table" and #items[1] > 0 then return table.unpack(batch, 1, #items[1]) end
  return batch
end

local function collated(self, items)
  if self.collate_fn then return self.collate_fn(items) end
  return unpacked(items, collate.default_collate(items))
end

--- An item as it is, for a loader without batches.
local function single(self, item)
  if self.collate_fn then return self.collate_fn(item) end
  if type(item) == "table" and #item > 0 then return table.unpack(item) end
  return item
end

local function check_place(self, i, n)
  if math.type(i) ~= "integer" or i < 1 or i > n then
    raise(format("%s: the sampler gave %s, but places are from 1 to %d", self.__name, i, n))
  end
end

local function items_at(self, places, n)
  local items = {}
  for k, i in ipairs(places) do
    check_place(self, i, n)
    items[k] = dataset._item(self.dataset, i)
    if items[k] == nil then raise(("%s: the dataset gave nothing for item %d"):format(self.__name, i)) end
  end
  return items
end

--- The batches of a dataset that gathers whole ones, which are the same as item by item.
local function gathered(self, next_batch)
  return function()
    local places = next_batch()
    if not places then return nil end
    local batch = self.dataset:gather(nl.tensor(places, {dtype = nl.int64}))
    if type(batch) == "table" then return table.unpack(batch) end
    return batch
  end
end

local function batched(self, next_batch)
  return function()
    local places = next_batch()
    if places then return collated(self, items_at(self, places, #self.dataset)) end
  end
end

local function one_by_one(self)
  local next_place = sampler._iterate(self.sampler)
  return function()
    local i = next_place()
    if i then return single(self, items_at(self, {i}, #self.dataset)[1]) end
  end
end

local function as_item(...)
  if select("#", ...) > 1 then return {...} end
  return (...)
end

--- The items of an IterableDataset.
local function stream(self)
  local f, state, control = self.dataset:iter()
  local function step(first, ...)
    control = first
    return as_item(first, ...)
  end
  return function() return step(f(state, control)) end
end

local function iterable(self)
  local next_item, ended = stream(self), false
  local function batch_of(n)
    local items = {}
    while #items < n and not ended do
      local item = next_item()
      if item == nil then ended = true else items[#items + 1] = item end
    end
    return items
  end
  return function()
    local items = batch_of(self.batch_size or 1)
    if #items == 0 then return nil end
    if not self.batch_size then return single(self, items[1]) end
    if #items == self.batch_size or not self.drop_last then return collated(self, items) end
  end
end

--- A function that gives the next batch, and nil at the end. As PyTorch's, it first draws a seed of its own.
function DataLoader:iter()
  sampler._draw_seed(self.generator)
  if self._iterable then return iterable(self) end
  if not self.batch_sampler then return one_by_one(self) end
  local next_batch = sampler._iterate(self.batch_sampler)
  if not self.collate_fn and dataset._gathers(self.dataset) then return gathered(self, next_batch) end
  return batched(self, next_batch)
end

-- A generic `for` calls the loader itself, with what the last call returned first. So loops that run at the same time
-- are told apart by that value, and one that was left by `break` leaves nothing behind.
local function remember(self, step, first, ...)
  if first ~= nil then self._running[first] = step end
  return first, ...
end

function DataLoader:__call(...)
  if select("#", ...) == 0 then return self:iter() end
  local _, control = ...
  local step
  if control == nil then
    step = self:iter()
  else
    step = self._running[control]
    self._running[control] = nil
    if not step then
      raise(self.__name .. ": a loop over it goes `for x, y in loader do`; "
        .. "for a function of the next batch, loader:iter()")
    end
  end
  return remember(self, step, step())
end

return DataLoader
