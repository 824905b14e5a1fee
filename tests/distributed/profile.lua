-- What a profile tells of transfers, in its tables and its trace; tests/spec/distributed_spec.lua runs it.
local nl = require "nnlua"
local nn, dist, profiler = nl.nn, nl.distributed, nl.profiler

dist.init_process_group {timeout = 60}
local rank = dist.get_rank()

local function by_name(averages)
  local found = {}
  for _, average in ipairs(averages) do found[average.key] = average end
  return found
end

--- The spans of a trace by name: lists of {track, begin, stop, bytes}.
local function spans_of(prof)
  local path, spans = os.tmpname(), {}
  local pattern = '"name":"([^"]*)","tid":(%d+),"ts":([%d.]+),"dur":([%d.]+),"args":{"Bytes":(%-?%d+)'
  prof:export_chrome_trace(path)
  for line in io.lines(path) do
    local name, track, begin, duration, bytes = line:match(pattern)
    if name then
      spans[name] = spans[name] or {}
      table.insert(spans[name], {track = track, begin = tonumber(begin), stop = begin + duration,
                                 bytes = math.tointeger(bytes)})
    end
  end
  os.remove(path)
  return spans
end

do -- calls by name, with the bytes of the tensors; those that overlap have tracks of their own
  local prof = profiler.profile()
  local work = dist.all_reduce(nl.ones(1000), {async_op = true})
  dist.all_reduce(nl.ones {10, 10}, {op = "max"})
  work:wait()
  dist.all_gather_into_tensor(nl.empty(2 * 50), nl.ones(50))
  dist.barrier()
  prof:stop()
  dist.all_reduce(nl.ones(1000))
  local list, spans = by_name(prof:transfers()), spans_of(prof)
  assert(list.all_reduce.count == 2 and list.all_reduce.cpu_memory_usage == 4400)
  assert(list.all_gather_into_tensor.cpu_memory_usage == 400 and list.barrier.cpu_memory_usage == 0)
  assert(not by_name(prof:key_averages()).all_reduce)
  for _, name in ipairs {"all_reduce", "all_gather_into_tensor", "barrier"} do
    for _, span in ipairs(spans[name]) do
      assert(span.begin >= 0 and span.stop >= span.begin and tonumber(span.track) > 2000)
    end
  end
  local a, b = table.unpack(spans.all_reduce)
  assert(a.track ~= b.track or a.stop <= b.begin or b.stop <= a.begin)
  assert(tostring(prof):find("Transfer .*\nall_reduce"))
end

do -- gradients are on their way while the backward goes on
  local net = nn.Sequential(nn.Linear(64, 128), nn.Identity(), nn.Linear(128, 32))
  local parallel = nn.parallel.DistributedDataParallel(net, {bucket_cap_mb = 0.02})
  net[2]:register_forward_hook(function(_, _, y)
    y:register_hook(function()
      if not parallel.buckets.list[1].work then return end
      while not parallel.buckets.list[1].work:is_completed() do end
    end)
  end)
  local function step() parallel(nl.randn(8, 64)):sum():backward() end
  step()
  local prof = profiler.profile(step)
  local list, spans = by_name(prof:transfers()), spans_of(prof)
  local backward, sum, layers = spans.backward[1], 0, spans.LinearBackward
  for b in ipairs(parallel.buckets.list) do
    local name = "DistributedDataParallel: bucket " .. b
    local span = spans[name][1]
    assert(list[name].count == 1 and list[name].cpu_memory_usage == span.bytes)
    assert(backward.begin < span.begin and span.stop <= backward.stop)
    sum = sum + span.bytes
  end
  assert(#parallel.buckets.list > 1 and sum == 4 * (64 * 128 + 128 + 128 * 32 + 32))
  assert(#layers == 2 and spans["DistributedDataParallel: bucket 1"][1].stop < layers[2].begin)
end

do -- waiting is a call of Lua's
  local prof = profiler.profile()
  if rank == 1 then os.execute "sleep 0.3" end
  dist.barrier()
  prof:stop()
  assert(rank == 1 or by_name(prof:key_averages())["waiting for processes"].count == 1)
end

dist.destroy_process_group()
if rank == 0 then print "all is well" end
