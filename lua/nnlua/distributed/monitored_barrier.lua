-- A barrier that says who hasn't come.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local messenger = require "nnlua.distributed.core"
local nl = require "nnlua"

local raise = core.raise

local WHAT <const> = "monitored_barrier"
local ARRIVAL_TAG <const>, ANSWER_TAG <const> = 32766, 32767
local ALL_ARE_THERE <const> = -1

-- Each call is a round. A message has its number, and rank 0's answer who was late; so what one that failed has left on
-- its way isn't taken for a part of the next.

local function new_message(round, late)
  return nl._keep(nl.tensor({round, late}, {dtype = nl.int64}))
end

local function send(group, peer, tag, round, late)
  return messenger.begin(WHAT, "send", group.number, new_message(round, late), nil, 2, peer, "sum", tag)
end

--- The next message of a peer: a receive that an earlier round has left, or a new one.
local function expected(rounds, group, peer, tag)
  local one = rounds[peer]
  if not one then
    one = {message = new_message(0, 0)}
    one.work = messenger.begin(WHAT, "receive", group.number, nil, one.message, 2, peer, "sum", tag)
    rounds[peer] = one
  end
  return one
end

--- Waits until the peer's message of this round is there: who is late, as it says; nil where it doesn't come in time.
local function receive(rounds, group, peer, tag, stop)
  while true do
    local one = expected(rounds, group, peer, tag)
    if not messenger.await(one.work, math.max(stop - messenger.clock(), 0.001)) then return nil end
    rounds[peer] = nil
    local round, late = one.message[1]:item(), one.message[2]:item()
    if round == rounds.number then return late end
  end
end

local function raise_late(timeout, ranks)
  raise(core.format("%s: not there within %g s: rank%s %s", WHAT, timeout, #ranks > 1 and "s" or "",
    table.concat(ranks, ", ")))
end

--- Rank 0 of the group: hears all and answers all, so that each knows how it ended.
local function lead(rounds, group, timeout, wait_all)
  local late, stop = {}, messenger.clock() + timeout
  for peer = 1, group:size() - 1 do expected(rounds, group, peer, ARRIVAL_TAG) end
  for peer = 1, group:size() - 1 do
    if not receive(rounds, group, peer, ARRIVAL_TAG, stop) then
      table.insert(late, group.ranks[peer + 1])
      if not wait_all then break end
    end
  end
  for peer = 1, group:size() - 1 do send(group, peer, ANSWER_TAG, rounds.number, late[1] or ALL_ARE_THERE) end
  if #late > 0 then raise_late(timeout, late) end
end

local function follow(rounds, group, timeout)
  send(group, 0, ARRIVAL_TAG, rounds.number, 0)
  local late = receive(rounds, group, 0, ANSWER_TAG, messenger.clock() + timeout + 5) -- rank 0 tells who isn't there
  if not late then raise(core.format("%s: no answer of rank %d within %g s", WHAT, group.ranks[1], timeout + 5)) end
  if late ~= ALL_ARE_THERE then raise_late(timeout, {late}) end
end

local parse = args.parser(WHAT, {
  {"group", "any?"}, {"timeout", "number?"}, {"wait_all_ranks", "boolean", false},
})

--- A barrier whose error names the ranks that have not come in time: the first one, or, at rank 0 with
--- `wait_all_ranks`, all. Those that come later raise as well, and then it can be used again: each call of a rank goes
--- with the call of the same number of the others.
---     > dist.monitored_barrier()
---@param group? ProcessGroup
---@param timeout? number
---@param wait_all_ranks? boolean
return function(...)
  local given, timeout, wait_all = parse(...)
  local group = membership.group(WHAT, given)
  if not group then return end
  timeout = timeout or group.timeout
  group.rounds = group.rounds or {number = 0}
  local rounds = group.rounds
  rounds.number = rounds.number + 1
  if group.own == 0 then
    lead(rounds, group, timeout, wait_all)
  else
    follow(rounds, group, timeout)
  end
end
