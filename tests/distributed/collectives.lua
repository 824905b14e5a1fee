-- What processes do together, against closed forms; tests/spec/distributed_spec.lua runs it in several.
local nl = require "nnlua"
local dist = nl.distributed

dist.init_process_group {timeout = 60}
local rank, n = dist.get_rank(), dist.get_world_size()
local sum = n * (n + 1) // 2 -- of rank + 1

local function same(value, expected, what)
  expected = nl.is_tensor(expected) and expected or nl.full(value.shape, expected, {dtype = value.dtype})
  assert(nl.equal(value, expected), ("rank %d: %s: %s instead of %s"):format(rank, what, tostring(value),
    tostring(expected)))
end

local function mine(shape, dtype)
  return nl.full(shape, rank + 1, {dtype = dtype})
end

local dtypes = {nl.uint8, nl.int8, nl.int16, nl.int32, nl.int64, nl.float16, nl.bfloat16, nl.float32, nl.float64,
                nl.complex64, nl.complex128}
local shapes = {{}, {0}, {3}, {2, 3}}

for _, dtype in ipairs(dtypes) do
  local what = tostring(dtype)
  for _, shape in ipairs(shapes) do
    local x = mine(shape, dtype)
    dist.all_reduce(x)
    same(x, sum, what)
    x = mine(shape, dtype)
    dist.broadcast(x, n - 1)
    same(x, n, what)
  end
  local x = mine({3, 2}, dtype):t() -- not contiguous
  dist.all_reduce(x, dist.ReduceOp.PRODUCT)
  local product = 1
  for i = 1, n do product = product * i end
  same(x, product, what)
  if not dtype.is_complex then
    x = mine({2}, dtype)
    dist.all_reduce(x, {op = dist.ReduceOp.MAX})
    same(x, n, what)
    dist.all_reduce(x:copy_(mine({2}, dtype)), "min")
    same(x, 1, what)
  end
end

do -- truth values, bits, means
  local x = nl.tensor {rank == 0, true, false}
  dist.all_reduce(x)
  same(x, nl.tensor {true, true, false}, "sum of truth values")
  x = nl.tensor {rank == 0, true, false}
  dist.all_reduce(x, "product")
  same(x, nl.tensor {n == 1, true, false}, "product of truth values")
  x = nl.tensor {1 << rank}
  dist.all_reduce(x, "bor")
  same(x, (1 << n) - 1, "bits")
  x = nl.tensor {rank + 0.0}
  dist.all_reduce(x, "avg")
  same(x, (n - 1) / 2, "mean")
  assert(not pcall(dist.all_reduce, nl.tensor {1}, "avg"))
  assert(not pcall(dist.all_reduce, nl.tensor {1.0}, "bor"))
  assert(not pcall(dist.all_reduce, nl.tensor {1.0}, "median"))
end

do -- reduce leaves the others' alone
  local x = mine({2}, nl.float32)
  dist.reduce(x, n - 1)
  same(x, rank == n - 1 and sum or rank + 1, "reduce")
end

do -- gathers and scatters, into memory that isn't contiguous as well
  local list = {}
  for i = 1, n do list[i] = nl.zeros(2, 2):t() end
  dist.all_gather(list, mine({2, 2}, nl.float32))
  for i = 1, n do same(list[i], i, "all_gather") end
  local whole = nl.zeros(2, n):t()
  dist.all_gather_into_tensor(whole, mine({1, 2}, nl.float32))
  same(whole, (nl.arange(1, n + 1) + 0.0):unsqueeze(2):expand(n, 2), "all_gather_into_tensor")
  local root = n - 1
  for i = 1, n do list[i] = nl.zeros(2) end
  dist.gather(mine({2}, nl.float32), rank == root and list or nil, root)
  for i = 1, n do same(list[i], rank == root and i or 0, "gather") end
  local parts = {}
  for i = 1, n do parts[i] = nl.full({2}, 10.0 * i) end
  local x = nl.zeros(2)
  dist.scatter(x, rank == root and parts or nil, root)
  same(x, 10 * (rank + 1), "scatter")
  dist.reduce_scatter(x, parts)
  same(x, 10 * (rank + 1) * n, "reduce_scatter")
  dist.reduce_scatter_tensor(x, nl.arange(2 * n) + 0.0)
  same(x, nl.tensor {2.0 * rank * n, (2.0 * rank + 1) * n}, "reduce_scatter_tensor")
end

do -- all to all, of the same and of different sizes
  local outputs, inputs, sizes = {}, {}, {}
  for i = 1, n do
    outputs[i], inputs[i] = nl.zeros(i), nl.full({rank + 1}, i + 10.0 * rank)
    sizes[i] = i
  end
  dist.all_to_all(outputs, inputs)
  for i = 1, n do same(outputs[i], rank + 1 + 10 * (i - 1), "all_to_all") end
  local output, counts = nl.zeros(sum, 2), {}
  for i = 1, n do counts[i] = rank + 1 end
  dist.all_to_all_single(output, nl.full({n * (rank + 1), 2}, rank + 1.0), sizes, counts)
  local at = 1
  for i = 1, n do
    same(output:narrow(1, at, i), i, "all_to_all_single")
    at = at + i
  end
  assert(n == 1 or not pcall(dist.all_to_all_single, nl.zeros(n + 1), nl.zeros(n + 1)))
end

do -- messages, in both orders, from anybody, with tags
  local right, left = (rank + 1) % n, (rank - 1) % n
  if n > 1 then
    local a, b = nl.zeros(2), nl.zeros(2)
    local works = {dist.isend(nl.full({2}, rank + 1.0), right, {tag = 7}), dist.irecv(a, left, {tag = 7}),
                   dist.isend(nl.full({2}, -1.0), right, {tag = 8}), dist.irecv(b, left, {tag = 8})}
    for i = #works, 1, -1 do works[i]:wait() end
    same(a, left + 1, "a message")
    same(b, -1, "another message")
    assert(works[1]:is_completed() and works[1]:is_success() and not works[1]:exception())
    if rank == 0 then
      local seen = {}
      for _ = 1, n - 1 do
        local x = nl.zeros(3):expand(2, 3):clone()
        seen[dist.recv(x)] = x[1][1]:item()
      end
      for i = 1, n - 1 do assert(seen[i] == i) end
    else
      dist.send(nl.full({2, 3}, rank + 0.0), 0)
    end
    assert(not pcall(dist.send, a, rank))
    assert(not pcall(dist.send, a, n))
  end
end

do -- Lua values
  local list = rank == 0 and {1, "two", {three = {nl.ones(2), true}}} or {}
  dist.broadcast_object_list(list, 0)
  assert(list[1] == 1 and list[2] == "two" and list[3].three[2] == true)
  same(list[3].three[1], 1, "a tensor in a table")
  local all = {}
  dist.all_gather_object(all, {rank = rank, text = ("x"):rep(rank * 100)})
  for i = 1, n do assert(all[i].rank == i - 1 and #all[i].text == (i - 1) * 100) end
  local gathered = rank == 0 and {} or nil
  dist.gather_object("rank " .. rank, gathered, 0)
  for i = 1, gathered and n or 0 do assert(gathered[i] == "rank " .. i - 1) end
  local given, out = {}, {}
  for i = 1, n do given[i] = {i} end
  dist.scatter_object_list(out, rank == 0 and given or nil, 0)
  assert(out[1][1] == rank + 1)
  if n > 1 and rank == 0 then dist.send_object_list({"hello", 5}, 1) end
  if rank == 1 then
    local got = {}
    assert(dist.recv_object_list(got, 0) == 0 and got[1] == "hello" and got[2] == 5)
  end
  assert(not pcall(dist.all_gather_object, {}, print) or n == 0)
  local holes = rank == 0 and {nil, "two", nil, nl.none, nil, 6} or {1, 2, 3, 4, 5}
  dist.broadcast_object_list(holes, 0)
  assert(holes[1] == nil and holes[2] == "two" and holes[3] == nil and holes[4] == nl.none and holes[6] == 6)
  local some = {"before"}
  dist.all_gather_object(some, rank > 0 and rank or nil)
  for i = 1, n do assert(some[i] == (i > 1 and i - 1 or nil)) end
  given = {"first"}
  dist.scatter_object_list(out, rank == 0 and given or nil, 0)
  assert(out[1] == (rank == 0 and "first" or nil))
  given = {[n] = "last"}
  dist.scatter_object_list(out, rank == 0 and given or nil, 0)
  assert(out[1] == (rank == n - 1 and "last" or nil))
  if n > 1 and rank == 0 then dist.send_object_list({nil, nil, 3}, 1) end
  if rank == 1 then
    local got = {1, 2}
    dist.recv_object_list(got)
    assert(got[1] == nil and got[2] == nil and got[3] == 3)
  end
end

do -- groups: the even ranks, and all but the first, in another order
  local even = {}
  for i = 0, n - 1, 2 do table.insert(even, i) end
  local group = dist.new_group(even)
  local x = nl.tensor {rank + 0.0}
  dist.all_reduce(x, {group = group})
  local expected = 0
  for _, i in ipairs(even) do expected = expected + i end
  same(x, rank % 2 == 0 and expected or rank, "a group")
  assert(dist.get_rank(group) == (rank % 2 == 0 and rank // 2 or -1))
  local reversed = {}
  for i = n - 1, 0, -1 do table.insert(reversed, i) end
  local backwards = dist.new_group(reversed) -- in the world's order, as PyTorch's
  local whole = nl.zeros(n)
  dist.all_gather_into_tensor(whole, nl.tensor {rank + 0.0}, backwards)
  same(whole, nl.arange(n) + 0.0, "a group in another order")
  local y = nl.tensor {rank + 0.0}
  dist.broadcast(y, {group = backwards, group_src = n - 1})
  same(y, n - 1, "a rank of the group")
  assert(dist.get_global_rank(backwards, 0) == 0 and dist.get_group_rank(group, 0) == 0)
  dist.destroy_process_group(backwards)
  assert(not pcall(dist.barrier, backwards))
end

do -- work that nobody waits for, and many at once
  for i = 1, 50 do dist.all_reduce(nl.full({1000}, i + 0.0), {async_op = true}) end
  collectgarbage()
  local works, tensors = {}, {}
  for i = 1, 50 do
    tensors[i] = nl.full({1000 * i}, rank + i + 0.0)
    works[i] = dist.all_reduce(tensors[i], {async_op = true})
  end
  for i = 50, 1, -1 do
    works[i]:wait()
    same(tensors[i], n * i + n * (n - 1) / 2, "many at once")
  end
  local version = tensors[1]._version
  dist.all_reduce(tensors[1])
  assert(tensors[1]._version > version)
end

do -- roots keep what they send, whatever its strides; elements that share a place are refused
  local x = nl.arange(1, 7):float():view(2, 3):t() + rank
  local kept = x:clone()
  dist.broadcast(x, 0)
  same(x, kept - rank, "a broadcast of what isn't contiguous")
  assert(not pcall(dist.all_reduce, nl.ones(1):expand(3)))
end

do -- a NaN at any rank is the result, in any place
  for _, dtype in ipairs {nl.float32, nl.float64, nl.float16, nl.bfloat16} do
    local x = nl.full({5}, rank == 0 and 0 / 0 or 1.0, {dtype = dtype})
    dist.all_reduce(x, "max")
    assert(x:isnan():all():item())
    x = nl.full({5}, rank == n - 1 and 0 / 0 or 1.0, {dtype = dtype})
    dist.all_reduce(x, "min")
    assert(x:isnan():all():item())
  end
end

do -- a message that doesn't fill the tensor is an error, and so are lists of several dtypes
  if rank == 0 and n > 1 then dist.send(nl.ones(2), 1) end
  if rank == 1 then assert(not pcall(dist.recv, nl.zeros(5), 0)) end
  local outputs, inputs = {}, {}
  for i = 1, n do outputs[i], inputs[i] = nl.zeros({1}, {dtype = nl.int64}), nl.ones(1) end
  assert(not pcall(dist.all_to_all, outputs, inputs))
  assert(not pcall(dist.send, nl.ones(1), 0, nil, -1))
end

do -- work that is begun in a scope and waited for outside
  local x, y, work, other = nl.full({4}, rank + 1.0), nl.full({2, 2}, rank + 1.0):t(), nil, nil
  nl.scope(function()
    work, other = dist.all_reduce(x, {op = "avg", async_op = true}), dist.all_reduce(y, {async_op = true})
  end)
  work:wait()
  other:wait()
  same(x, sum / n, "work of a scope")
  same(y, sum, "work of a scope on what isn't contiguous")
end

do -- a barrier that failed, at all ranks, and can be used again
  for round = 1, n > 1 and 2 or 0 do
    local last = n - 1
    if rank == last then os.execute "sleep 0.7" end
    local good, why = pcall(dist.monitored_barrier, {timeout = 0.2, wait_all_ranks = round == 2})
    assert(not good and why:find("not there within 0.2 s: rank " .. last, 1, true), why)
    dist.monitored_barrier {timeout = 30}
  end
end

dist.barrier()
dist.monitored_barrier {timeout = 30}
assert(not pcall(dist.init_process_group))
assert(not pcall(dist.all_reduce, 1))
dist.destroy_process_group()
assert(not dist.is_initialized())
local again, why = pcall(dist.init_process_group)
assert(not again and why:find "only once")
if rank == 0 then print "all is well" end
