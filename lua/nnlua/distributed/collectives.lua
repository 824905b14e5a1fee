-- What processes do together with tensors, and messages from one to another.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local messenger = require "nnlua.distributed.core"
local nl = require "nnlua"
local Work = require "nnlua.distributed.work"

local collectives = {}

local raise, is_tensor = core.raise, core.is_tensor

--- How tensors are combined: SUM, AVG (the sum by the number of ranks), PRODUCT, MIN, MAX, and of whole numbers BAND,
--- BOR, BXOR. Of truth values SUM is true where one is, PRODUCT where all are.
collectives.ReduceOp = {SUM = "sum", AVG = "avg", PRODUCT = "product", MIN = "min", MAX = "max", BAND = "band",
                        BOR = "bor", BXOR = "bxor"}

local kinds_of_reduction = {}
for _, value in pairs(collectives.ReduceOp) do kinds_of_reduction[value] = true end
local is_bitwise = {band = true, bor = true, bxor = true}
local is_order = {min = true, max = true}

-- ------------------------------------------------------------------ tensors

--- The bytes of a tensor in one stretch, to be sent.
local function outgoing(what, tensor)
  if not is_tensor(tensor) then raise(("%s: a tensor was expected, not %s"):format(what, core.describe(tensor))) end
  if tensor.device ~= nl.device "cpu" then raise(what .. ": a tensor on the CPU was expected") end
  return tensor:detach():contiguous()
end

--- Where bytes for a tensor may arrive: in itself, or beside it, and then what copies them.
local function incoming(what, tensor)
  outgoing(what, tensor:detach():new_empty {0})
  if tensor:is_contiguous() then return nl._keep(tensor:detach()), nil end
  for dim = 1, tensor.ndim do
    if tensor:stride(dim) == 0 and tensor:size(dim) > 1 then
      raise(what .. ": elements of the tensor share a place in memory: clone it first")
    end
  end
  local beside = nl._keep(nl.empty(tensor.shape, {dtype = tensor.dtype}))
  local own = nl._keep(tensor:detach())
  return beside, function() own:copy_(beside) end
end

local function check_same(what, first, others)
  for i, other in ipairs(others) do
    if not is_tensor(other) or other.dtype ~= first.dtype or other:numel() ~= first:numel() then
      raise(("%s: tensor %d of the list has another dtype or number of elements than %s%s"):format(
        what, i, tostring(first.shape), is_tensor(other) and (": " .. tostring(other.shape)) or ""))
    end
  end
end

local function check_list(what, list, group)
  if type(list) ~= "table" or #list ~= group:size() then
    raise(("%s: a list of %d tensors was expected, one for each rank"):format(what, group:size()))
  end
end

local function check_reduction(what, op, dtype)
  if not kinds_of_reduction[op] then
    raise(("%s: op must be one of nl.distributed.ReduceOp, not %s"):format(what, core.describe(op)))
  elseif op == "avg" and not (dtype.is_floating_point or dtype.is_complex) then
    raise(("%s: an average of %s is none of that dtype: take ReduceOp.SUM and divide"):format(what, tostring(dtype)))
  elseif is_bitwise[op] and (dtype.is_floating_point or dtype.is_complex) then
    raise(("%s: %s has no bits to combine"):format(what, tostring(dtype)))
  elseif is_order[op] and dtype.is_complex then
    raise(("%s: complex numbers have no order"):format(what))
  end
  return op == "avg" and "sum" or op
end

--- The rank in the group that a function's src or dst means: one of the world, or, by `group_src`, of the group.
local function root_in(what, group, rank, group_rank, default)
  if group_rank then
    if rank then raise(what .. ": the rank is given twice, of the world and of the group") end
    if group_rank < 0 or group_rank >= group:size() then
      raise(("%s: the group has no rank %d; ranks count from 0"):format(what, group_rank))
    end
    return group_rank
  end
  if rank then return membership.rank_in(what, group, rank) end
  return default or raise(what .. ": which rank? src or dst is missing")
end

--- Waits for work, or gives it to the user.
local function run(running, group, async_op, finish)
  local work = Work._new(running, group.timeout, finish)
  if async_op then return work end
  work:wait()
end

local function together(first, second)
  if not first or not second then return first or second end
  return function()
    first()
    second()
  end
end

-- ----------------------------------------------------------------- to all

local parse_barrier = args.parser("barrier", {{"group", "any?"}, {"async_op", "boolean", false}})

--- Waits until all processes of the group have come here.
---     > dist.barrier()
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.barrier(...)
  local given, async_op = parse_barrier(...)
  local group = membership.group("barrier", given)
  if group then return run(messenger.begin("barrier", "barrier", group.number), group, async_op) end
end

local parse_broadcast = args.parser("broadcast", {
  {"tensor", "tensor"}, {"src", "integer?"}, {"group", "any?"}, {"async_op", "boolean", false},
  {"group_src", "integer?"},
})

--- Fills the tensor with that of rank `src`.
---     > x = nl.full({2}, dist.get_rank() == 0 and 5 or 0)
---     > dist.broadcast(x, 0)
---     > x
---     tensor([5, 5])
---@param tensor Tensor
---@param src? integer
---@param group? ProcessGroup
---@param async_op? boolean
---@param group_src? integer
---@return Work?
function collectives.broadcast(...)
  local tensor, src, given, async_op, group_src = parse_broadcast(...)
  local group = membership.group("broadcast", given)
  if not group then return nil end
  local root = root_in("broadcast", group, src, group_src)
  local to, finish = incoming("broadcast", tensor)
  if finish and root == group.own then to, finish = outgoing("broadcast", tensor), nil end
  local running = messenger.begin("broadcast", "broadcast", group.number, nil, to, to:numel(), root)
  return run(running, group, async_op, finish)
end

local parse_all_reduce = args.parser("all_reduce", {
  {"tensor", "tensor"}, {"op", "any", "sum"}, {"group", "any?"}, {"async_op", "boolean", false},
})

--- Combines the tensors of all ranks, element by element; each has the result in its own afterwards.
---     > x = nl.tensor({1.0, 2.0})
---     > dist.all_reduce(x) -- the sum
---     > dist.all_reduce(x, {op = dist.ReduceOp.MAX})
---     > x
---     tensor([2., 4.])
---@param tensor Tensor
---@param op? string
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.all_reduce(...)
  local tensor, op, given, async_op = parse_all_reduce(...)
  local group = membership.group("all_reduce", given)
  if not group then return nil end
  local reduction = check_reduction("all_reduce", op, tensor.dtype)
  local to, finish = incoming("all_reduce", tensor)
  if finish then to:copy_(tensor:detach()) end
  if op == "avg" then finish = together(function() to:div_(group:size()) end, finish) end
  local running = messenger.begin("all_reduce", "all_reduce", group.number, to, to, to:numel(), 0, reduction)
  return run(running, group, async_op, finish)
end

local parse_reduce = args.parser("reduce", {
  {"tensor", "tensor"}, {"dst", "integer?"}, {"op", "any", "sum"}, {"group", "any?"}, {"async_op", "boolean", false},
  {"group_dst", "integer?"},
})

--- Combines the tensors of all ranks; rank `dst` has the result in its own, the others' stay as they are.
---     > x = nl.tensor(1.0)
---     > dist.reduce(x, 0)
---     > x:item() == (dist.get_rank() == 0 and 2 or 1)
---     true
---@param tensor Tensor
---@param dst? integer
---@param op? string
---@param group? ProcessGroup
---@param async_op? boolean
---@param group_dst? integer
---@return Work?
function collectives.reduce(...)
  local tensor, dst, op, given, async_op, group_dst = parse_reduce(...)
  local group = membership.group("reduce", given)
  if not group then return nil end
  local reduction = check_reduction("reduce", op, tensor.dtype)
  local root = root_in("reduce", group, dst, group_dst)
  local from, to, finish = outgoing("reduce", tensor), nil, nil
  if root == group.own then
    to, finish = incoming("reduce", tensor)
    if finish then to:copy_(from) end
    from = to
    if op == "avg" then finish = together(function() to:div_(group:size()) end, finish) end
  end
  local running = messenger.begin("reduce", "reduce", group.number, from, to, from:numel(), root, reduction)
  return run(running, group, async_op, finish)
end

-- ------------------------------------------------------------------ gathers

local function check_whole(what, whole, part, group)
  if whole.dtype ~= part.dtype or whole:numel() ~= part:numel() * group:size() then
    raise(("%s: %s of %s isn't %d times %s of %s"):format(what, tostring(whole.shape), tostring(whole.dtype),
      group:size(), tostring(part.shape), tostring(part.dtype)))
  end
end

--- Memory for a list of tensors, and what copies it to them.
local function incoming_list(list, part, group)
  local beside, own = nl._keep(nl.empty({group:size(), part:numel()}, {dtype = part.dtype})), {}
  for i, tensor in ipairs(list) do own[i] = nl._keep(tensor:detach()) end
  return beside, function()
    for i, tensor in ipairs(own) do tensor:copy_(beside[i]:view(tensor.shape)) end
  end
end

--- The tensors of a list, one behind the other.
local function outgoing_list(what, list)
  local flat = {}
  for i, tensor in ipairs(list) do flat[i] = outgoing(what, tensor):view(-1) end
  return nl.cat(flat, 1)
end

local parse_all_gather_into = args.parser("all_gather_into_tensor", {
  {"output_tensor", "tensor"}, {"input_tensor", "tensor"}, {"group", "any?"}, {"async_op", "boolean", false},
})

--- Puts the tensors of all ranks, by rank, into one: stacked, or one behind the other along the first dimension.
---     > all = nl.zeros(2, 2)
---     > dist.all_gather_into_tensor(all, nl.full({2}, dist.get_rank() * 1.0))
---     > all
---     tensor([[0., 0.],
---             [1., 1.]])
---@param output_tensor Tensor
---@param input_tensor Tensor
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.all_gather_into_tensor(...)
  local output, input, given, async_op = parse_all_gather_into(...)
  local what = "all_gather_into_tensor"
  local group = membership.group(what, given)
  if not group then return nil end
  check_whole(what, output, input, group)
  local to, finish = incoming(what, output)
  local from = outgoing(what, input)
  return run(messenger.begin(what, "all_gather", group.number, from, to, from:numel()), group, async_op, finish)
end

local parse_all_gather = args.parser("all_gather", {
  {"tensor_list", "table"}, {"tensor", "tensor"}, {"group", "any?"}, {"async_op", "boolean", false},
})

--- Fills a list of tensors with those of all ranks: rank r's is the entry r + 1.
---     > list = {nl.zeros(2), nl.zeros(2)}
---     > dist.all_gather(list, nl.full({2}, dist.get_rank() * 1.0))
---     > list[2]
---     tensor([1., 1.])
---@param tensor_list table
---@param tensor Tensor
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.all_gather(...)
  local list, tensor, given, async_op = parse_all_gather(...)
  local group = membership.group("all_gather", given)
  if not group then return nil end
  check_list("all_gather", list, group)
  check_same("all_gather", tensor, list)
  local to, finish = incoming_list(list, tensor, group)
  local from = outgoing("all_gather", tensor)
  local running = messenger.begin("all_gather", "all_gather", group.number, from, to, from:numel())
  return run(running, group, async_op, finish)
end

local parse_gather = args.parser("gather", {
  {"tensor", "tensor"}, {"gather_list", "table?"}, {"dst", "integer?"}, {"group", "any?"},
  {"async_op", "boolean", false}, {"group_dst", "integer?"},
})

--- Fills the list of rank `dst` (0) with the tensors of all ranks; the others give no list.
---     > list = dist.get_rank() == 0 and {nl.zeros(2), nl.zeros(2)} or nil
---     > dist.gather(nl.ones(2), list)
---     > not list or nl.equal(list[2], nl.ones(2))
---     true
---@param tensor Tensor
---@param gather_list? table
---@param dst? integer
---@param group? ProcessGroup
---@param async_op? boolean
---@param group_dst? integer
---@return Work?
function collectives.gather(...)
  local tensor, list, dst, given, async_op, group_dst = parse_gather(...)
  local group = membership.group("gather", given)
  if not group then return nil end
  local root = root_in("gather", group, dst, group_dst, 0)
  local to, finish
  if root == group.own then
    check_list("gather", list, group)
    check_same("gather", tensor, list)
    to, finish = incoming_list(list, tensor, group)
  elseif list then
    raise "gather: only rank dst gives a list"
  end
  local from = outgoing("gather", tensor)
  return run(messenger.begin("gather", "gather", group.number, from, to, from:numel(), root), group, async_op, finish)
end

local parse_scatter = args.parser("scatter", {
  {"tensor", "tensor"}, {"scatter_list", "table?"}, {"src", "integer?"}, {"group", "any?"},
  {"async_op", "boolean", false}, {"group_src", "integer?"},
})

--- Fills the tensor with this rank's entry of the list of rank `src` (0); the others give no list.
---     > x = nl.zeros(2)
---     > dist.scatter(x, dist.get_rank() == 0 and {nl.ones(2), nl.ones(2)} or nil)
---     > x
---     tensor([1., 1.])
---@param tensor Tensor
---@param scatter_list? table
---@param src? integer
---@param group? ProcessGroup
---@param async_op? boolean
---@param group_src? integer
---@return Work?
function collectives.scatter(...)
  local tensor, list, src, given, async_op, group_src = parse_scatter(...)
  local group = membership.group("scatter", given)
  if not group then return nil end
  local root = root_in("scatter", group, src, group_src, 0)
  local from
  if root == group.own then
    check_list("scatter", list, group)
    check_same("scatter", tensor, list)
    from = outgoing_list("scatter", list)
  elseif list then
    raise "scatter: only rank src gives a list"
  end
  local to, finish = incoming("scatter", tensor)
  return run(messenger.begin("scatter", "scatter", group.number, from, to, to:numel(), root), group, async_op, finish)
end

local function reduce_scatter(what, output, from, op, group, async_op)
  local reduction = check_reduction(what, op, output.dtype)
  local to, finish = incoming(what, output)
  if op == "avg" then finish = together(function() to:div_(group:size()) end, finish) end
  local running = messenger.begin(what, "reduce_scatter", group.number, from, to, to:numel(), 0, reduction)
  return run(running, group, async_op, finish)
end

local parse_reduce_scatter_tensor = args.parser("reduce_scatter_tensor", {
  {"output", "tensor"}, {"input", "tensor"}, {"op", "any", "sum"}, {"group", "any?"}, {"async_op", "boolean", false},
})

--- Combines the tensors of all ranks, and gives each rank its part: the r-th of as many as there are ranks.
---     > x = nl.zeros(2)
---     > dist.reduce_scatter_tensor(x, nl.ones(2, 2))
---     > x
---     tensor([2., 2.])
---@param output Tensor
---@param input Tensor
---@param op? string
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.reduce_scatter_tensor(...)
  local output, input, op, given, async_op = parse_reduce_scatter_tensor(...)
  local what = "reduce_scatter_tensor"
  local group = membership.group(what, given)
  if not group then return nil end
  check_whole(what, input, output, group)
  return reduce_scatter(what, output, outgoing(what, input), op, group, async_op)
end

local parse_reduce_scatter = args.parser("reduce_scatter", {
  {"output", "tensor"}, {"input_list", "table"}, {"op", "any", "sum"}, {"group", "any?"},
  {"async_op", "boolean", false},
})

--- Combines the lists of all ranks, entry by entry; each rank gets its own entry.
---     > x = nl.zeros(2)
---     > dist.reduce_scatter(x, {nl.ones(2), nl.ones(2)})
---     > x
---     tensor([2., 2.])
---@param output Tensor
---@param input_list table
---@param op? string
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.reduce_scatter(...)
  local output, list, op, given, async_op = parse_reduce_scatter(...)
  local group = membership.group("reduce_scatter", given)
  if not group then return nil end
  check_list("reduce_scatter", list, group)
  check_same("reduce_scatter", output, list)
  return reduce_scatter("reduce_scatter", output, outgoing_list("reduce_scatter", list), op, group, async_op)
end

-- --------------------------------------------------------------- all to all

--- How many elements go to each rank: those of rows, by a list, or as many to each.
local function split_counts(what, tensor, sizes, group)
  local rows, n = tensor:size(1), group:size()
  local row, counts, sum = rows > 0 and tensor:numel() // rows or 0, {}, 0
  if not sizes and rows % n ~= 0 then
    raise(("%s: %d rows can't be shared out evenly over %d ranks: give the split sizes"):format(what, rows, n))
  end
  for i = 1, n do
    local size = sizes and args.whole(sizes[i]) or not sizes and rows // n
    if not size or size < 0 then raise(("%s: split sizes are whole numbers, one for each rank"):format(what)) end
    counts[i], sum = size * row, sum + size
  end
  if sum ~= rows or sizes and #sizes ~= n then
    raise(("%s: the split sizes are %d for %d ranks with a sum of %d, but the tensor has %d rows"):format(
      what, sizes and #sizes or n, n, sum, rows))
  end
  return counts
end

local parse_all_to_all_single = args.parser("all_to_all_single", {
  {"output", "tensor"}, {"input", "tensor"}, {"output_split_sizes", "list?"}, {"input_split_sizes", "list?"},
  {"group", "any?"}, {"async_op", "boolean", false},
})

--- Sends rows of the input to each rank, and receives rows from each: as many for each, or as the sizes say.
---     > x = nl.zeros(2)
---     > dist.all_to_all_single(x, nl.tensor({0.0, 1.0}))
---     > nl.equal(x, nl.full({2}, dist.get_rank() * 1.0))
---     true
---@param output Tensor
---@param input Tensor
---@param output_split_sizes? table
---@param input_split_sizes? table
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.all_to_all_single(...)
  local output, input, output_sizes, input_sizes, given, async_op = parse_all_to_all_single(...)
  local what = "all_to_all_single"
  local group = membership.group(what, given)
  if not group then return nil end
  if output.dtype ~= input.dtype then raise(what .. ": input and output have different dtypes") end
  local from_counts = split_counts(what, input, input_sizes, group)
  local to_counts = split_counts(what, output, output_sizes, group)
  local to, finish = incoming(what, output)
  local running = messenger.begin(what, "all_to_all", group.number, outgoing(what, input), to, 0, 0, "sum", 0,
                                  from_counts, to_counts)
  return run(running, group, async_op, finish)
end

local function numels(what, list, dtype)
  local counts, sum = {}, 0
  for i, tensor in ipairs(list) do
    if not is_tensor(tensor) or tensor.dtype ~= dtype then
      raise(("%s: entry %d of a list is no tensor of %s, as the first input is"):format(what, i, tostring(dtype)))
    end
    counts[i] = tensor:numel()
    sum = sum + counts[i]
  end
  return counts, sum
end

local parse_all_to_all = args.parser("all_to_all", {
  {"output_tensor_list", "table"}, {"input_tensor_list", "table"}, {"group", "any?"}, {"async_op", "boolean", false},
})

--- Sends entry r + 1 of a list to each rank r, and receives one from each.
---     > list = {nl.zeros(1), nl.zeros(1)}
---     > dist.all_to_all(list, {nl.tensor({0.0}), nl.tensor({1.0})})
---     > list[1]:item() == dist.get_rank(), list[2]:item() == dist.get_rank()
---     true	true
---@param output_tensor_list table
---@param input_tensor_list table
---@param group? ProcessGroup
---@param async_op? boolean
---@return Work?
function collectives.all_to_all(...)
  local outputs, inputs, given, async_op = parse_all_to_all(...)
  local group = membership.group("all_to_all", given)
  if not group then return nil end
  check_list("all_to_all", outputs, group)
  check_list("all_to_all", inputs, group)
  local dtype = outgoing("all_to_all", inputs[1]).dtype
  local from_counts = numels("all_to_all", inputs, dtype)
  local to_counts, all = numels("all_to_all", outputs, dtype)
  local from, to = outgoing_list("all_to_all", inputs), nl._keep(nl.empty({all}, {dtype = dtype}))
  local own = {}
  for i, tensor in ipairs(outputs) do own[i] = nl._keep(tensor:detach()) end
  local running = messenger.begin("all_to_all", "all_to_all", group.number, from, to, 0, 0, "sum", 0, from_counts,
                                  to_counts)
  return run(running, group, async_op, function()
    for i, part in ipairs(to:split(to_counts, {as_table = true})) do
      own[i]:copy_(part:view(own[i].shape))
    end
  end)
end

-- ----------------------------------------------------------------- messages

local parse_send = args.parser("send", {
  {"tensor", "tensor"}, {"dst", "integer?"}, {"group", "any?"}, {"tag", "integer", 0}, {"group_dst", "integer?"},
})

local function begin_send(what, tensor, dst, given, tag, group_dst)
  local group = membership.group(what, given)
  if not group then return nil end
  local peer = root_in(what, group, dst, group_dst)
  if peer == group.own then raise(what .. ": a process can't send to itself") end
  local from = outgoing(what, tensor)
  local running = messenger.begin(what, "send", group.number, from, nil, from:numel(), peer, "sum", tag)
  return Work._new(running, group.timeout)
end

--- Begins to send a tensor to rank `dst`; the tensor is not to be changed until the work is over.
---     > x, other = nl.zeros(2), 1 - dist.get_rank()
---     > work = dist.isend(nl.ones(2), other)
---     > dist.recv(x, other) == other, work:wait(), x
---     true	true	tensor([1., 1.])
---@param tensor Tensor
---@param dst? integer
---@param group? ProcessGroup
---@param tag? integer
---@param group_dst? integer
---@return Work
function collectives.isend(...)
  return begin_send("isend", parse_send(...))
end

--- Sends a tensor to rank `dst`, which receives it.
---     > x = nl.full({2}, dist.get_rank() == 0 and 5 or 0)
---     > if dist.get_rank() == 0 then dist.send(x, 1) else dist.recv(x, 0) end
---     > x
---     tensor([5, 5])
---@param tensor Tensor
---@param dst? integer
---@param group? ProcessGroup
---@param tag? integer
---@param group_dst? integer
function collectives.send(...)
  local work = begin_send("send", parse_send(...))
  if work then work:wait() end
end

local parse_recv = args.parser("recv", {
  {"tensor", "tensor"}, {"src", "integer?"}, {"group", "any?"}, {"tag", "integer", 0}, {"group_src", "integer?"},
})

local function begin_receive(what, tensor, src, given, tag, group_src)
  local group = membership.group(what, given)
  if not group then return nil end
  local peer = root_in(what, group, src, group_src, -1)
  local to, finish = incoming(what, tensor)
  local running = messenger.begin(what, "receive", group.number, nil, to, to:numel(), peer, "sum", tag)
  return Work._new(running, group.timeout, finish), group
end

--- Begins to receive a tensor of the same dtype and number of elements from rank `src`, or from any.
---     > x, other = nl.zeros(2), 1 - dist.get_rank()
---     > work = dist.irecv(x, other)
---     > dist.send(nl.ones(2), other)
---     > work:wait(), x
---     true	tensor([1., 1.])
---@param tensor Tensor
---@param src? integer
---@param group? ProcessGroup
---@param tag? integer
---@param group_src? integer
---@return Work
function collectives.irecv(...)
  return (begin_receive("irecv", parse_recv(...)))
end

--- Receives a tensor from rank `src`, or from any rank; gives the rank that sent it.
---     > x = nl.full({2}, dist.get_rank() == 0 and 5 or 0)
---     > if dist.get_rank() == 0 then dist.send(x, 1) else source = dist.recv(x, 0) end
---     > x
---     tensor([5, 5])
---@param tensor Tensor
---@param src? integer
---@param group? ProcessGroup
---@param tag? integer
---@param group_src? integer
---@return integer
function collectives.recv(...)
  local work, group = begin_receive("recv", parse_recv(...))
  if not work then return -1 end
  work:wait()
  return group.ranks[work:source_rank() + 1]
end

--- One message for batch_isend_irecv: `dist.P2POp(dist.isend, tensor, peer)`.
---     > x, other = nl.zeros(2), 1 - dist.get_rank()
---     > receive, send = dist.P2POp(dist.irecv, x, other), dist.P2POp(dist.isend, nl.ones(2), other)
---     > for _, work in ipairs(dist.batch_isend_irecv {receive, send}) do work:wait() end
---     > x
---     tensor([1., 1.])
---@param op function
---@param tensor Tensor
---@param peer? integer
---@param group? ProcessGroup
---@param tag? integer
---@return table
function collectives.P2POp(op, tensor, peer, group, tag)
  if op ~= collectives.isend and op ~= collectives.irecv then raise "P2POp: op is isend or irecv" end
  if not is_tensor(tensor) then raise("P2POp: a tensor was expected, not " .. core.describe(tensor)) end
  return {op = op, tensor = tensor, peer = peer, group = group, tag = tag}
end

--- Begins several messages; a list of their works.
---     > x, other = nl.zeros(2), 1 - dist.get_rank()
---     > works = dist.batch_isend_irecv {dist.P2POp(dist.irecv, x, other), dist.P2POp(dist.isend, nl.ones(2), other)}
---     > for _, work in ipairs(works) do work:wait() end
---     > x
---     tensor([1., 1.])
---@param p2p_op_list table
---@return table
function collectives.batch_isend_irecv(p2p_op_list)
  local works = {}
  if type(p2p_op_list) ~= "table" then raise "batch_isend_irecv: a list of P2POps was expected" end
  for i, one in ipairs(p2p_op_list) do
    if type(one) ~= "table" or not one.op then raise(("batch_isend_irecv: entry %d is no P2POp"):format(i)) end
  end
  for i, one in ipairs(p2p_op_list) do works[i] = one.op(one.tensor, one.peer, one.group, one.tag) end
  return works
end

return collectives
