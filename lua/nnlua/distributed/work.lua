-- Work: what goes on between processes, and how it ends.

local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local messenger = require "nnlua.distributed.core"
local nl = require "nnlua"

--- A transfer that was begun with `async_op = true`. The tensors are not to be touched until it is over.
---     > x = nl.ones(2)
---     > work = dist.all_reduce(x, {async_op = true})
---     > work:wait(), work:is_completed(), work:is_success(), x
---     true	true	true	tensor([2., 2.])
---@class Work
local Work = class.new "distributed.Work"

--- `running`: what the messenger does; `finish` is called once, when it is done.
function Work._new(running, timeout, finish)
  return setmetatable({_running = running, _timeout = timeout, _finish = finish}, Work)
end

function Work:_complete(source)
  if self._done then return end
  if self._finish then nl.no_grad(self._finish) end
  self._done, self._source = true, source
end

--- Sleeps until it is over; raises if it fails, or takes longer than `timeout` seconds (those of the group).
---@param timeout? number
---@return boolean true
function Work:wait(timeout)
  if not self._done then self:_complete(messenger.wait(self._running, timeout or self._timeout)) end
  return true
end

--- Whether it is over, well or not.
---@return boolean
function Work:is_completed()
  local good = messenger.state(self._running)
  if good and not self._done then self:_complete(messenger.wait(self._running, self._timeout)) end
  return good ~= nil
end

--- Whether it is over and went well.
---@return boolean
function Work:is_success()
  return self:is_completed() and (messenger.state(self._running))
end

--- What went wrong, or nil.
---     > work = dist.barrier({async_op = true})
---     > work:wait(), work:exception()
---     true	nil
---@return string?
function Work:exception()
  local good, why = messenger.state(self._running)
  return good == false and why or nil
end

--- Of a message from any rank, whose it was: a rank of the group.
---     > x, other = nl.zeros(2), 1 - dist.get_rank()
---     > work, sent = dist.irecv(x), dist.isend(nl.ones(2), other)
---     > work:wait(), sent:wait(), work:source_rank() == other
---     true	true	true
---@return integer
function Work:source_rank()
  return self._source or core.raise "source_rank: the work is not over: wait for it first"
end

--- When the transfer was begun and when it was over, in seconds of a clock that only goes forward.
---     > work = dist.barrier({async_op = true})
---     > done = work:wait()
---     > began, ended = work:times()
---     > ended >= began
---     true
---@return number began
---@return number ended
function Work:times()
  return messenger.times(self._running)
end

return Work
