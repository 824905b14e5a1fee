-- Gradients of many parameters in a few flat tensors, which are summed over processes while the backward goes on.

local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local messenger = require "nnlua.distributed.core"
local nl = require "nnlua"
local Work = require "nnlua.distributed.work"

local Buckets = {}
Buckets.__index = Buckets

local raise = core.raise

--- Hooks on parameters of the original would not see those of a copy.
function Buckets.__deepcopy()
  raise "DistributedDataParallel: it can't be copied: copy its module, and wrap that"
end

local FIRST_CAP = 1 << 20 -- bytes: the first transfer begins early

--- One flat tensor for parameters of one dtype, and a view of it for each.
local function new_bucket(dtype)
  return {dtype = dtype, params = {}, bytes = 0, pending = 0}
end

local function make_memory(bucket)
  local n = 0
  for _, p in ipairs(bucket.params) do n = n + p.tensor:numel() end
  bucket.flat, bucket.views = nl._keep(nl.zeros({n}, {dtype = bucket.dtype})), {} -- a step may run in a scope
  local at = 1
  for i, p in ipairs(bucket.params) do
    bucket.views[i] = nl._keep(bucket.flat:narrow(1, at, p.tensor:numel()):view(p.tensor.shape))
    at = at + p.tensor:numel()
  end
end

--- Parameters in the order in which their gradients are thought to come, into buckets of at most so many bytes.
local function distribute(params, cap)
  local buckets, open = {}, {}
  for _, p in ipairs(params) do
    local dtype = p.tensor.dtype
    local bucket = open[dtype]
    local bytes = p.tensor:numel() * p.tensor:element_size()
    local most = bucket == buckets[1] and math.min(FIRST_CAP, cap) or cap
    if not bucket or bucket.bytes > 0 and bucket.bytes + bytes > most then
      bucket = new_bucket(dtype)
      table.insert(buckets, bucket)
      open[dtype] = bucket
    end
    table.insert(bucket.params, p)
    bucket.bytes = bucket.bytes + bytes
  end
  return buckets
end

--- `named`: a list of {name, tensor}, in the order of the module. `options`: cap (bytes), as_views (gradients are the
--- buckets' views).
function Buckets.new(named, group, options)
  local self = setmetatable({group = group, params = {}, options = options, is_open = false, handles = {}}, Buckets)
  for i = #named, 1, -1 do -- the last layer's gradients come first
    table.insert(self.params, {name = named[i].name, tensor = named[i].tensor})
  end
  self:_arrange(self.params)
  for _, p in ipairs(self.params) do
    table.insert(self.handles, p.tensor:register_post_accumulate_grad_hook(function()
      if self.is_open then self:_arrived(p) end
    end))
  end
  return self
end

function Buckets:_arrange(params)
  self.list = distribute(params, self.options.cap)
  for b, bucket in ipairs(self.list) do
    bucket.name = "DistributedDataParallel: bucket " .. b
    make_memory(bucket)
    for i, p in ipairs(bucket.params) do p.bucket, p.place = b, i end
  end
end

--- Before a backward: all are waited for but `unused`, a set of parameters that it won't reach (nil: none).
function Buckets:open(unused)
  if self.is_open and self.has_begun then self:_raise_unfinished() end
  self.is_open, self.has_begun, self.started, self.unused, self.arrivals = true, false, 0, unused, {}
  for _, bucket in ipairs(self.list) do bucket.pending = #bucket.params end
  for _, p in ipairs(self.params) do
    p.is_done = false
    if unused and unused[p] then self:_done(p, true) end
  end
  self.has_begun = false
end

--- The next gradients stay with this process.
function Buckets:close()
  self.is_open = false
end

function Buckets:_raise_unfinished()
  local names = {}
  for _, p in ipairs(self.params) do
    if not p.is_done then table.insert(names, p.name) end
  end
  self.is_open = false
  raise(("DistributedDataParallel: the last backward gave no gradient to %s: the loss doesn't depend on them. Use all "
    .. "outputs in the loss, or give find_unused_parameters = true; the gradients of the last step were not summed")
    :format(table.concat(names, ", ")))
end

function Buckets:_arrived(p)
  if p.is_done then
    raise(("DistributedDataParallel: %s gets a gradient a second time in one step, or though nothing in the outputs "
      .. "depends on it"):format(p.name))
  end
  table.insert(self.arrivals, p)
  self:_done(p, false)
end

--- A parameter's gradient is there, or will not come; full buckets begin their way, in order.
function Buckets:_done(p, is_unused)
  local bucket = self.list[p.bucket]
  local view = bucket.views[p.place]
  self.has_begun, p.is_done = true, true
  nl.no_grad(function()
    if is_unused then view:zero_() elseif p.tensor.grad ~= view then view:copy_(p.tensor.grad) end
  end)
  bucket.pending = bucket.pending - 1
  while self.started < #self.list and self.list[self.started + 1].pending == 0 do
    self.started = self.started + 1
    self:_start(self.list[self.started])
  end
  if self.started == #self.list then self:_finish() end
end

function Buckets:_start(bucket)
  nl.no_grad(function() bucket.flat:div_(self.group:size()) end)
  local flat, group = bucket.flat, self.group
  local running = messenger.begin(bucket.name, "all_reduce", group.number, flat, flat, flat:numel())
  bucket.work = Work._new(running, group.timeout)
end

--- How many ranks use each parameter, where some may not.
function Buckets:_users()
  local used = {}
  for i, p in ipairs(self.params) do used[i] = self.unused[p] and 0 or 1 end
  local counts = nl.tensor(used, {dtype = nl.int32})
  collectives.all_reduce(counts, {group = self.group})
  return counts:tolist()
end

--- Waits for the sums and gives them to the parameters. One that no rank has used keeps what it had.
function Buckets:_finish()
  local users = self.unused and self:_users()
  self.is_open = false
  for _, bucket in ipairs(self.list) do bucket.work:wait() end
  nl.no_grad(function()
    for i, p in ipairs(self.params) do
      if not users or users[i] > 0 then self:_give(p) end
    end
  end)
  if not self.is_ordered and not self.unused then self:_reorder() end
end

function Buckets:_give(p)
  local view = self.list[p.bucket].views[p.place]
  if self.options.as_views then
    p.tensor.grad = view
  elseif p.tensor.grad then
    p.tensor.grad:copy_(view)
  else
    p.tensor.grad = view:clone()
  end
end

--- After the first step: buckets in the order in which rank 0's gradients came.
function Buckets:_reorder()
  self.is_ordered = true
  local places = {}
  for i, p in ipairs(self.params) do places[p] = i end
  local order = {}
  for i, p in ipairs(self.arrivals) do order[i] = places[p] end
  local shared = nl.tensor(order, {dtype = nl.int32})
  collectives.broadcast(shared, {group = self.group, group_src = 0})
  local params = {}
  for i, place in ipairs(shared:tolist()) do params[i] = self.params[place] end
  if not self.options.as_views then self:_arrange(params) end
end

--- When each bucket of the last step began its way and when it was over, by the messenger's clock: {began, ended}.
function Buckets:times()
  local times = {}
  for b, bucket in ipairs(self.list) do
    if bucket.work then times[b] = {bucket.work:times()} end
  end
  return times
end

return Buckets
