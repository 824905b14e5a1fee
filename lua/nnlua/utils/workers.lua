-- Processes that fetch a DataLoader's batches ahead of its loop.
--
-- Each worker is a fork of the loop's process, so it has the dataset without a copy. It is sent places and sends
-- batches back, tensors of some size through shared memory (src/io/worker.c). Batches come in the sampler's order: they
-- are asked of the workers in turn, and waited for in that order.

local core = require "nnlua.nn.core"
local fetch = require "nnlua.utils.fetch"
local iterator = require "nnlua.utils.iterator"
local nl = require "nnlua"
local system = require "nnlua.system"

local workers = {}

local raise = core.raise

-- Seconds that a worker in the middle of a batch has to end by itself.
local grace = 1

-- ------------------------------------------------------------- in the worker

--- The stack of an error within a worker, down to where the worker began. Programs may have put a function of their own
--- in the place of debug.traceback, so that this one's frame is among those above.
local function traced(err)
  local text = type(err) == "string" and err or core.describe(err)
  local lines, frames = {}, 0
  for line in ("\n" .. debug.traceback(nil, 2)):gmatch "\n[^\n]*" do
    local is_own = line:find "nnlua/utils/workers%.lua" ~= nil
    if is_own and frames > 0 then break end
    if not is_own then lines[#lines + 1] = line end
    if not is_own and line:find "^\n\t" then frames = frames + 1 end
  end
  return {text = text, stack = (table.concat(lines):gsub("\n[^\n]*in function 'xpcall'$", ""))}
end

local function send_error(worker, err)
  system.worker_send(worker, "error", err.text, err.stack)
end

--- Sends a batch, or what is wrong with it.
local function send_batch(worker, ...)
  local place, what, where = system.worker_send(worker, "batch", ...)
  if type(place) == "number" then
    send_error(worker, {
      text = ("value %d%s of a batch is %s, which can't come from a worker: tensors, numbers, booleans, strings and "
        .. "tables of them can"):format(place - 1, where, what),
      stack = "",
    })
  end
  return place ~= false
end

--- What the worker fetches with: a function of places that gives a batch, nil at the end of an IterableDataset.
local function fetcher_of(loader)
  if loader._iterable then return (fetch.of_stream(loader)) end
  local get = fetch.of_places(loader)
  return function(places) return get(loader, places) end
end

--- Answers a request for a batch; whether the stream has ended.
local function answer(worker, get, places)
  local results = table.pack(xpcall(get, traced, places))
  if not results[1] then
    send_error(worker, results[2])
  elseif results[2] == nil then
    system.worker_send(worker, "ended")
    return true
  else
    send_batch(worker, table.unpack(results, 2, results.n))
  end
  return false
end

--- The next request: its kind and its places; nil if there will be none.
local function next_request(worker)
  while true do
    local got, kind, places = system.worker_receive(worker)
    if got then return kind, places end
    if got == false then return nil end
  end
end

local function serve(worker, loader)
  local problem
  local function prepare()
    local init = loader.worker_init_fn
    if init then init(fetch.worker_info.id) end
    return fetcher_of(loader)
  end
  local ok, get = xpcall(prepare, traced)
  if not ok then problem = get end
  local ended = false
  for kind, places in next_request, worker do
    if kind == "again" then
      system.worker_send(worker, "ready")
      ended = false
      if loader._iterable and not problem then
        ok, get = xpcall(fetcher_of, traced, loader)
        if not ok then problem = get end
      end
    elseif problem then
      send_error(worker, problem)
    elseif not ended then
      ended = answer(worker, get, places)
    end
  end
end

local function run(worker, loader, id, seed)
  fetch.worker_info = {id = id, num_workers = loader.num_workers, seed = seed, dataset = loader.dataset}
  nl.manual_seed(seed)
  math.randomseed(seed)
  serve(worker, loader)
end

-- --------------------------------------------------------------- in the loop

-- The workers of one loop over a loader: `list` of tables with `worker`, `process`, `is_active` (its stream has not
-- ended), `asked` (requests without an answer). `tasks` is the queue of those that were asked, in order, from `first`
-- to `last`.
local Pool = {}
Pool.__index = Pool

local live = setmetatable({}, {__mode = "k"}) -- pools that have not been closed

local function fork(loader, id, seed)
  local worker, problem = system.worker_fork(function(worker) run(worker, loader, id, seed) end)
  if not worker then
    raise(("%s: no process for worker %d: %s"):format(loader.__name, id, tostring(problem)))
  end
  return {worker = worker, process = system.worker_process(worker), id = id}
end

--- Begins the workers of a loop; their seeds count on from a first one.
function workers.begin(loader, seed)
  if next(live) then collectgarbage() end -- ends those of loops that were left without a word
  local pool = setmetatable({loader = loader, list = {}}, Pool)
  live[pool] = true
  local guard <close> = setmetatable({}, {__close = function(_, err)
    if err ~= nil then pool:close(err) end
  end})
  for id = 0, loader.num_workers - 1 do pool.list[id + 1] = fork(loader, id, seed + id) end
  return pool
end

--- Ends the workers: those that wait at once, others after some time, or at once too after an error.
function Pool:close(err)
  live[self] = nil
  for _, w in ipairs(self.list) do system.worker_hang_up(w.worker) end
  for _, w in ipairs(self.list) do system.worker_end(w.worker, err == nil and grace or 0) end
  self.list = {}
end

local function raise_gone(pool, w)
  local how, number = system.worker_end(w.worker, grace)
  raise(("%s: worker %d (process %d) %s"):format(pool.loader.__name, w.id, w.process,
    how == "signal" and ("was ended by signal %d"):format(number)
      or how == "exit" and ("ended with exit status %d"):format(number) or "is gone"))
end

--- Waits with a function of the seconds that are left, until it gives something but nil.
local function wait(pool, f)
  local timeout = pool.loader.timeout
  local stop = timeout > 0 and system.clock() + timeout or nil
  while true do
    local result = table.pack(f(stop and math.max(0, stop - system.clock()) or nil))
    if result[1] ~= nil then return table.unpack(result, 1, result.n) end
    if stop and system.clock() >= stop then
      raise(("%s: timed out after %s seconds"):format(pool.loader.__name, timeout))
    end
  end
end

--- The next answer of a worker.
local function receive(pool, w)
  local function pass(got, ...)
    if not got then raise_gone(pool, w) end
    return ...
  end
  return pass(wait(pool, function(seconds) return system.worker_receive(w.worker, seconds) end))
end

--- Which worker is asked next: in turn, those whose streams have not ended. Without an order, none has more to do than
--- its share.
local function next_worker(pool)
  local n, active = #pool.list, 0
  for _, w in ipairs(pool.list) do active = active + (w.is_active and 1 or 0) end
  for _ = 1, n do
    pool.turn = pool.turn % n + 1
    local w = pool.list[pool.turn]
    if w.is_active and (pool.loader.in_order or w.asked < pool.most // active) then return w end
  end
end

local function ask(pool)
  if pool.exhausted then return end
  local places = pool.next_places()
  if places == nil then
    pool.exhausted = true
    return
  end
  local w = next_worker(pool)
  if not w then return end
  w.asked = w.asked + 1
  pool.last = pool.last + 1
  pool.tasks[pool.last] = w
  if not system.worker_send(w.worker, "fetch", places) then raise_gone(pool, w) end
end

--- The worker whose answer is next, or nil if there is none: in order that of the first task.
local function next_to_answer(pool)
  if pool.loader.in_order then
    while pool.first <= pool.last do
      local w = pool.tasks[pool.first]
      if w.is_active then return w end
      pool.tasks[pool.first] = nil
      pool.first = pool.first + 1
    end
    return nil
  end
  local busy, handles = {}, {}
  for _, w in ipairs(pool.list) do
    if w.is_active and w.asked > 0 then busy[#busy + 1], handles[#handles + 1] = w, w.worker end
  end
  if #busy == 0 then return nil end
  return busy[wait(pool, function(seconds) return system.worker_wait(handles, seconds) end)]
end

local function taken(pool, w)
  w.asked = w.asked - 1
  if pool.loader.in_order then
    pool.tasks[pool.first] = nil
    pool.first = pool.first + 1
  end
end

--- What the loop gets next; nil at the end.
local function next_batch(pool)
  local function pass(w, kind, ...)
    if kind == "ended" then w.is_active = false end
    ask(pool)
    if kind == "ended" then return next_batch(pool) end
    if kind == "error" then
      local text, stack = ...
      raise(("%s: in worker %d (process %d): %s%s"):format(pool.loader.__name, w.id, w.process, text, stack))
    end
    return ...
  end
  local w = next_to_answer(pool)
  if not w then return nil end
  local function answered(...)
    taken(pool, w)
    return pass(w, ...)
  end
  return answered(receive(pool, w))
end

--- Has workers that were used before begin again, and forgets what they still send.
local function begin_again(pool)
  for _, w in ipairs(pool.list) do
    if not system.worker_send(w.worker, "again") then raise_gone(pool, w) end
  end
  for _, w in ipairs(pool.list) do
    repeat until receive(pool, w) == "ready"
  end
end

--- A loop over the batches that workers fetch for a function of the next places, as a generic `for` takes it.
--- `closing` is the sampler's closing value; `done` is called with the pool at the end, unless it failed.
function Pool:iter(next_places, closing, done)
  if self.tasks then begin_again(self) end
  self.next_places, self.exhausted = next_places, false
  self.tasks, self.first, self.last, self.turn = {}, 1, 0, 0
  self.most = (self.loader.prefetch_factor or 2) * #self.list
  for _, w in ipairs(self.list) do w.is_active, w.asked = true, 0 end
  for _ = 1, self.most do ask(self) end
  local ended = setmetatable({}, {__close = function(_, err)
    iterator.close(closing, err)
    if err == nil then done(self) else self:close(err) end
  end})
  return iterator.closed_by(ended, function() return next_batch(self) end)
end

return workers
