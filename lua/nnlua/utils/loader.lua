-- DataLoader: the batches of a dataset, for a generic `for`.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local dataset = require "nnlua.utils.dataset"
local fetch = require "nnlua.utils.fetch"
local iterator = require "nnlua.utils.iterator"
local position = require "nnlua.utils.position"
local sampler = require "nnlua.utils.sampler"

local format, raise = core.format, core.raise

local most_workers = 1024

--- Batches of a dataset: `for x, y in DataLoader(dataset, {batch_size = 64, shuffle = true}) do … end`. More options:
--- sampler, batch_sampler, drop_last, collate_fn (of a list of items; its results are what the loop gets), generator.
--- batch_size = nl.none gives items one by one.
---
--- With num_workers = n as many processes fetch the batches, prefetch_factor (2) each ahead of the loop, in the same
--- order (or as they are ready: in_order = false). What they change, only they see. Each draws random numbers by a
--- seed of its own, and calls worker_init_fn(id) first. persistent_workers = true keeps them for the next loop; timeout
--- is for how many seconds a batch is waited for. A batch is what can be sent: tensors, numbers, booleans, strings,
--- tables of them.
---
--- Each loop goes over the dataset by itself, also within another loop over the same loader. One over `loader:iter()`,
--- left by `break`, closes at once what an `iter` of one's own gave to be closed, and ends its workers.
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
  {"pin_memory", "boolean", false}, {"drop_last", "boolean", false}, {"timeout", "number", 0},
  {"worker_init_fn", "function?"}, {"multiprocessing_context", "string?"}, {"generator", "any?"},
  {"prefetch_factor", "integer?"}, {"persistent_workers", "boolean", false}, {"pin_memory_device", "string", ""},
  {"in_order", "boolean", true},
})

local parse_enumerate = args.parser("enumerate", {{"start", "integer", 1}})

local function check_options(self, size, shuffle, batches, drop_last)
  if self.sampler and shuffle then
    raise(self.__name .. ": give a sampler or shuffle = true, not both")
  elseif batches and (size ~= 1 or shuffle or self.sampler or drop_last) then
    raise(self.__name .. ": batch_sampler stands for batch_size, shuffle, sampler and drop_last: give it alone")
  elseif self._iterable and (shuffle or self.sampler or batches) then
    raise(self.__name .. ": an IterableDataset has an order of its own: give no shuffle and no sampler")
  elseif not size and drop_last then
    raise(self.__name .. ": items come one by one: there is no last batch to drop")
  end
end

--- Raises if what is about workers is wrong, as it may be later too.
local function check_workers(self)
  local n, timeout, prefetch = self.num_workers, self.timeout, self.prefetch_factor
  if not args.whole(n) or n < 0 or n > most_workers then
    raise(("%s: num_workers must be from 0 to %d, not %s"):format(self.__name, most_workers,
      args.whole(n) or core.describe(n)))
  elseif type(timeout) ~= "number" or not (timeout >= 0) then
    raise(format("%s: timeout must be a number of seconds from 0 on, not %s", self.__name, timeout))
  elseif prefetch ~= nil and (not args.whole(prefetch) or prefetch < 1) then
    raise(("%s: prefetch_factor must be from 1 on, not %s"):format(self.__name,
      args.whole(prefetch) or core.describe(prefetch)))
  elseif n == 0 and (prefetch or self.persistent_workers or timeout > 0) then
    raise(("%s: %s is about workers: give num_workers too"):format(self.__name,
      prefetch and "prefetch_factor" or timeout > 0 and "timeout" or "persistent_workers"))
  elseif self.worker_init_fn ~= nil and not args.is_callable(self.worker_init_fn) then
    raise(("%s: worker_init_fn must be a function, not %s"):format(self.__name, core.describe(self.worker_init_fn)))
  end
end

function DataLoader:init(...)
  local from, size, shuffle, order, batches, count, collate_fn, pin_memory, drop_last, timeout, worker_init, context,
    generator, prefetch, persistent, _, in_order = parse(...)
  self._iterable = class.is_a(from, dataset.IterableDataset)
  self.dataset = self._iterable and from or dataset._check(self.__name, from)
  if order ~= nil then sampler._check(self.__name, "sampler", order) end
  if batches ~= nil then sampler._check(self.__name, "batch_sampler", batches) end
  self.sampler, self.batch_size, self.drop_last, self.generator = order, size, drop_last, generator
  self.pin_memory = pin_memory
  check_options(self, size, shuffle, batches, drop_last)
  self.num_workers, self.timeout, self.worker_init_fn, self.in_order = count, timeout, worker_init, in_order
  self.prefetch_factor, self.persistent_workers = prefetch, persistent
  check_workers(self)
  if context and context ~= "fork" then
    raise(("%s: multiprocessing_context is 'fork' or nil, not '%s'"):format(self.__name, context))
  elseif count > 0 then
    self.prefetch_factor = prefetch or 2
  end
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

--- The values of a loop, each checked; the loader's own samplers need no check, and no arguments.
local function each_checked(self, check, step, state, control, closing)
  if self._orders_itself and state == nil then return step, closing end
  local n = dataset._length(self.__name, self.dataset)
  return function()
    control = step(state, control)
    if control == nil then return nil end
    return check(self, control, n)
  end, closing
end

--- What the sampler gives in turn; of an IterableDataset nothing to tell apart.
local function places_of(self)
  if self._iterable then return function() return true end end
  if not self.batch_sampler then
    return each_checked(self, checked_place, sampler._iterate(self.__name, self.sampler))
  end
  return each_checked(self, checked_places, sampler._iterate(self.__name, self.batch_sampler))
end

-- ------------------------------------------------------------------ loops

--- A step that counts what it gives, after those that a resumed loop passes over.
local function counted(self, at, step)
  position.pass_over(self, at, step)
  local function pass(first, ...)
    if first == nil then at.ended = true else at.batches = at.batches + 1 end
    return first, ...
  end
  return function() return pass(step()) end
end

--- A loop in this process.
local function here(self, at)
  if self._iterable then
    local step, closing = fetch.of_stream(self)
    return iterator.closed_by(closing, counted(self, at, step))
  end
  local next_places, closing = places_of(self)
  local get = fetch.of_places(self)
  position.pass_over(self, at, next_places)
  return iterator.closed_by(closing, function()
    local places = next_places()
    if places == nil then
      at.ended = true
      return nil
    end
    at.batches = at.batches + 1
    return get(self, places)
  end)
end

--- A loop over what workers fetch. Persistent ones wait for the next loop.
local function by_workers(self, at)
  local pool = self._pool or require "nnlua.utils.workers".begin(self, sampler._draw_seed(self.generator))
  self._pool = nil
  local guard <close> = setmetatable({}, {__close = function(_, err)
    if err ~= nil then pool:close(err) end
  end})
  local next_places, closing = places_of(self)
  local step, _, _, ended = pool:iter(next_places, closing, function()
    if self.persistent_workers and not self._pool then self._pool = pool else pool:close() end
  end)
  return counted(self, at, step), nil, nil, ended
end

--- What a generic `for` runs on: `for x, y in loader:iter() do`; alone, a function that gives the next batch, and nil
--- at the end. As PyTorch's, it first draws a seed of its own.
---     > nl.utils.data.DataLoader({10, 20}, {batch_size = 2}):iter()()
---     tensor([10, 20])
function DataLoader:iter()
  if self.num_workers ~= 0 then
    check_workers(self)
    return position.loop(self, function(at) return by_workers(self, at) end)
  end
  return position.loop(self, function(at)
    sampler._draw_seed(self.generator)
    return here(self, at)
  end)
end

--- How far the loop is that began last, to be saved (nl.checkpoint does): a loop over a loader that was given this by
--- load_state_dict goes on with the next batch, in the same order, to the bit. As of torchdata's StatefulDataLoader.
---     > data = nl.utils.data.TensorDataset(nl.arange(0, 6))
---     > loader = nl.utils.data.DataLoader(data, {batch_size = 2, shuffle = true})
---     > for x in loader do state = loader:state_dict() break end
---     > loader:load_state_dict(state)
---     > n = 0
---     > for x in loader do n = n + 1 end
---     > n
---     2
function DataLoader:state_dict()
  return position.state(self)
end

--- Has the next loop go on where another was, in this process or in one that ended: after the batches that it had
--- given, whose items are not fetched again, and in its order. The loader must be made as that one was. The default
--- generator's state is not part of it: save that beside it (nl.get_rng_state, or nl.checkpoint, which does).
---
--- What workers or an IterableDataset draw or count by themselves is had again by fetching what was given before;
--- persistent workers begin anew.
---     > data = nl.utils.data
---     > loader, other = data.DataLoader({10, 20, 30}), data.DataLoader({10, 20, 30})
---     > for batch in loader do other:load_state_dict(loader:state_dict()) break end
---     > for batch in other do print(batch) end
---     tensor([20])
---     tensor([30])
---@param state_dict table
function DataLoader:load_state_dict(state_dict)
  position.load(self, state_dict)
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
