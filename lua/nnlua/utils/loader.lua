-- DataLoader: the batches of a dataset, for a generic `for`.

local args = require "nnlua.args"
local class = require "nnlua.class"
local collate = require "nnlua.utils.collate"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local iterator = require "nnlua.utils.iterator"
local nl = require "nnlua"
local sampler = require "nnlua.utils.sampler"

local format, raise = core.format, core.raise

--- Batches of a dataset: `for x, y in DataLoader(dataset, {batch_size = 64, shuffle = true}) do … end`. More options:
--- sampler, batch_sampler, drop_last, collate_fn (of a list of items; its results are what the loop gets), generator.
--- batch_size = nl.none gives items one by one.
---
--- Each loop goes over the dataset by itself, also within another loop over the same loader. One over `loader:iter()`,
--- left by `break`, closes at once what an `iter` of one's own gave to be closed.
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
  {"dataset", "any"}, {"batch_size", "integer?", 1}, {"shuffle", "boolean", false}, {"sampler", "any?"},
  {"batch_sampler", "any?"}, {"num_workers", "integer", 0}, {"collate_fn", "function?"},
  {"pin_memory", "boolean", false},
  {"drop_last", "boolean", false}, {"timeout", "number", 0}, {"worker_init_fn", "function?"},
  {"generator", "any?"},
})

local parse_enumerate = args.parser("enumerate", {{"start", "integer", 1}})

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
  if order ~= nil then sampler._check(self.__name, "sampler", order) end
  if batches ~= nil then sampler._check(self.__name, "batch_sampler", batches) end
  self.sampler, self.batch_size, self.drop_last, self.generator = order, size, drop_last, generator
  check_options(self, size, shuffle, batches, drop_last, workers)
  if not self._iterable then
    self.sampler = order or shuffle and sampler.RandomSampler(from, nil, nil, generator) or
      sampler.SequentialSampler(from)
    self._orders_itself = not order and not batches
    if size and not batches then
      self.batch_sampler = sampler.BatchSampler(self.sampler, size, drop_last)
      self.batch_sampler._owner = self.__name -- which the user knows of
    else
      self.batch_sampler = batches
    end
  elseif size and size < 1 then
    raise(("%s: batch_size must be from 1 on, not %d"):format(self.__name, size))
  end
  self.collate_fn = collate_fn
  self._running = setmetatable({}, {__mode = "k"})
end

--- How many batches there are.
function DataLoader:__len()
  if not self._iterable then return sampler._length(self.__name, self.batch_sampler or self.sampler) end
  local n = dataset._length(self.__name, self.dataset)
  if not self.batch_size then return n end
  return self.drop_last and n // self.batch_size or (n + self.batch_size - 1) // self.batch_size
end

-- ---------------------------------------------------------------- batches

--- "item 3", "items 3, 4, 5, …": which ones a batch is made of.
local function items_text(places)
  local most = math.min(#places, 5)
  local text = (#places == 1 and "item " or "items ") .. table.concat(places, ", ", 1, most)
  return most < #places and text .. ", …" or text
end

--- Passes on what a function made of items; its first value is what the loop goes on by, so it is not nil.
local function made(self, maker, places, ...)
  if (...) == nil then
    raise(("%s: %s returned nil for %s"):format(self.__name, maker, items_text(places)))
  end
  return ...
end

--- What the loop gets of a batch by default_collate: the values of a list, or the one value.
local function unpacked(items, batch)
  if type(items[1]) == "table" and #items[1] > 0 then return table.unpack(batch, 1, #items[1]) end
  return batch
end

local function collated(self, items, places)
  if self.collate_fn then return made(self, "collate_fn", places, self.collate_fn(items)) end
  return unpacked(items, collate.default_collate(items))
end

--- An item as it is, for a loader without batches.
local function single(self, item, place)
  if self.collate_fn then return made(self, "collate_fn", {place}, self.collate_fn(item)) end
  if type(item) == "table" and #item > 0 then return table.unpack(item) end
  return item
end

local function checked_place(self, i, n)
  local place = args.whole(i)
  if not place or place < 1 or place > n then
    raise(("%s: the sampler gave %s, but places are integers from 1 to %d"):format(self.__name,
      type(i) == "number" and format("%s", i) or core.describe(i), n))
  end
  return place
end

--- The list of places of a batch, checked where they are not the loader's own.
local function checked_places(self, places, n)
  local list = core.is_tensor(places) and places.ndim == 1 and places:tolist() or places
  if type(list) ~= "table" then
    raise(("%s: batch_sampler gave %s; each batch is a list or a tensor of places"):format(self.__name,
      core.describe(places)))
  end
  local checked = {}
  for k, i in ipairs(list) do checked[k] = checked_place(self, i, n) end
  if #checked == 0 and not self.collate_fn then
    raise(self.__name .. ": batch_sampler gave an empty batch, which only a collate_fn can make something of")
  end
  return checked
end

--- The places of each batch in turn.
local function batches_of_places(self)
  local next_batch, state, places, closing = sampler._iterate(self.__name, self.batch_sampler)
  local n = dataset._length(self.__name, self.dataset)
  local function step()
    places = next_batch(state, places)
    if places == nil or self._orders_itself then return places end
    return checked_places(self, places, n)
  end
  return step, closing
end

-- ------------------------------------------------------------------ loops

--- The batches of a dataset that gathers whole ones, which are the same as item by item.
local function gathered(self, next_batch)
  return function()
    local places = next_batch()
    if places == nil then return nil end
    local batch = self.dataset:gather(nl.tensor(places, {dtype = nl.int64}))
    if type(batch) == "table" then return made(self, "gather", places, table.unpack(batch)) end
    return made(self, "gather", places, batch)
  end
end

local function batched(self, next_batch)
  return function()
    local places = next_batch()
    if places == nil then return nil end
    local items = {}
    for k, i in ipairs(places) do items[k] = dataset._item(self.__name, self.dataset, i) end
    return collated(self, items, places)
  end
end

local function one_by_one(self)
  local next_place, state, place, closing = sampler._iterate(self.__name, self.sampler)
  local n = dataset._length(self.__name, self.dataset)
  return iterator.closed_by(closing, function()
    place = next_place(state, place)
    if place == nil then return nil end
    local i = checked_place(self, place, n)
    return single(self, dataset._item(self.__name, self.dataset, i), i)
  end)
end

--- The items of an IterableDataset, one by one, and how many there were.
local function stream(self)
  local next_item, state, control, closing = iterator.start(self.__name, "dataset", self.dataset)
  local count = 0
  local function step(first, ...)
    control = first
    if first == nil then return nil end
    count = count + 1
    return dataset._whole_item(self.__name, count, first, ...), count
  end
  return function() return step(next_item(state, control)) end, closing
end

local function iterable(self)
  local next_item, closing = stream(self)
  local ended = false
  local function batch_of(n)
    local items, places = {}, {}
    while #items < n and not ended do
      local item, place = next_item()
      if item == nil then
        ended = true
      else
        items[#items + 1], places[#places + 1] = item, place
      end
    end
    return items, places
  end
  return iterator.closed_by(closing, function()
    local items, places = batch_of(self.batch_size or 1)
    if #items == 0 then return nil end
    if not self.batch_size then return single(self, items[1], places[1]) end
    if #items == self.batch_size or not self.drop_last then return collated(self, items, places) end
  end)
end

--- What a generic `for` runs on: `for x, y in loader:iter() do`; alone, a function that gives the next batch, and nil
--- at the end. As PyTorch's, it first draws a seed of its own.
function DataLoader:iter()
  sampler._draw_seed(self.generator)
  if self._iterable then return iterable(self) end
  if not self.batch_sampler then return one_by_one(self) end
  local next_batch, closing = batches_of_places(self)
  local gathers = not self.collate_fn and dataset._gathers(self.dataset)
  return iterator.closed_by(closing, (gathers and gathered or batched)(self, next_batch))
end

--- Goes through numbers and batches: `for i, x, y in loader:enumerate() do … end`. The numbers begin at start.
---     > loader = nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.arange(0, 3)), {batch_size = 2})
---     > for i, x in loader:enumerate() do print(i, x) end
---     1	tensor([0, 1])
---     2	tensor([2])
---@param start? integer from 1 on, if nothing else is said
function DataLoader:enumerate(...)
  local i = parse_enumerate(...) - 1
  local next_batch, _, _, closing = self:iter()
  local function numbered(first, ...)
    if first == nil then return nil end
    i = i + 1
    return i, first, ...
  end
  return function() return numbered(next_batch()) end, nil, nil, closing
end

-- A generic `for` calls the loader itself. It is given a function of its own in the loader's place, so that loops that
-- run at the same time are apart, whatever their batches are. Who else calls the loader as a `for` would, a function
-- that passes a loop on, is known by the value that it got last.
local no_number = {} -- stands for nan, which is no key

local function key_of(control)
  return control ~= control and no_number or control
end

local function remember(self, step, first, ...)
  if first ~= nil then self._running[key_of(first)] = step end
  return first, ...
end

function DataLoader:__call(...)
  if select("#", ...) == 0 then return self:iter() end
  local _, control = ...
  if control == nil then
    local step = self:iter()
    if core.take_loop(self, step) then return step() end
    return remember(self, step, step())
  end
  local step = self._running[key_of(control)]
  if not step then
    raise(self.__name .. ": a loop over it goes `for x, y in loader do`; "
      .. "for a function of the next batch, loader:iter()")
  end
  self._running[key_of(control)] = nil
  return remember(self, step, step())
end

return DataLoader
