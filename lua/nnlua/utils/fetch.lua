-- What a DataLoader gives for places of its dataset, or next from an IterableDataset. Runs in the loader's process or
-- in its workers.

local collate = require "nnlua.utils.collate"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local iterator = require "nnlua.utils.iterator"
local nl = require "nnlua"

local fetch = {}

local raise = core.raise

--- In a worker process of a DataLoader what it is: a table of `id`, from 0 on as ranks are, `num_workers`, `seed`,
--- which is the loop's seed plus the id, and `dataset`. Elsewhere nil. For an IterableDataset's `iter`, of which each
--- worker has a copy, to tell what its part is.
---     > nl.utils.data.get_worker_info()
---     nil
function fetch.get_worker_info()
  return fetch.worker_info
end

--- "item 3", "items 3, 4, 5, …": which ones a batch is made of.
local function items_text(places)
  local most = math.min(#places, 5)
  local text = (#places == 1 and "item " or "items ") .. table.concat(places, ", ", 1, most)
  return most < #places and text .. ", …" or text
end

--- Passes on what a function made of items; its first value is what the loop goes on by, so it is not nil.
local function made(loader, maker, places, ...)
  if (...) == nil then
    raise(("%s: %s returned nil for %s"):format(loader.__name, maker, items_text(places)))
  end
  return ...
end

--- What the loop gets of a batch by default_collate: the values of a list, or the one value.
local function unpacked(items, batch)
  if type(items[1]) == "table" and #items[1] > 0 then return table.unpack(batch, 1, #items[1]) end
  return batch
end

local function collated(loader, items, places)
  if loader.collate_fn then return made(loader, "collate_fn", places, loader.collate_fn(items)) end
  return unpacked(items, collate.default_collate(items))
end

--- An item as it is, for a loader without batches.
local function single(loader, item, place)
  if loader.collate_fn then return made(loader, "collate_fn", {place}, loader.collate_fn(item)) end
  if type(item) == "table" and #item > 0 then return table.unpack(item) end
  return item
end

-- ------------------------------------------------------------------ places

--- The batch of a dataset that gathers whole ones, which is the same as item by item.
local function gathered(loader, places)
  local batch = loader.dataset:gather(nl.tensor(places, {dtype = nl.int64}))
  if type(batch) == "table" then return made(loader, "gather", places, table.unpack(batch)) end
  return made(loader, "gather", places, batch)
end

local function batched(loader, places)
  local items = {}
  for k, i in ipairs(places) do items[k] = dataset._item(loader.__name, loader.dataset, i) end
  return collated(loader, items, places)
end

local function at_place(loader, place)
  return single(loader, dataset._item(loader.__name, loader.dataset, place), place)
end

--- A function of a loader and what its sampler gave, a list of places or a place, that gives what the loop gets.
function fetch.of_places(loader)
  if not loader.batch_sampler then return at_place end
  return not loader.collate_fn and dataset._gathers(loader.dataset) and gathered or batched
end

-- ------------------------------------------------------------------ streams

--- The items of an IterableDataset, one by one, and how many there were.
local function items_of(loader)
  local next_item, state, control, closing = iterator.start(loader.__name, "dataset", loader.dataset)
  local count = 0
  local function step(first, ...)
    control = first
    if first == nil then return nil end
    count = count + 1
    return dataset._whole_item(loader.__name, count, first, ...), count
  end
  return function() return step(next_item(state, control)) end, closing
end

--- A function of what the loop gets next of a loader's IterableDataset, nil at the end, and its closing value.
function fetch.of_stream(loader)
  local next_item, closing = items_of(loader)
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
  return function()
    local items, places = batch_of(loader.batch_size or 1)
    if #items == 0 then return nil end
    if not loader.batch_size then return single(loader, items[1], places[1]) end
    if #items == loader.batch_size or not loader.drop_last then return collated(loader, items, places) end
  end, closing
end

return fetch
