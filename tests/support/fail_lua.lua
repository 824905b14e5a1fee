-- nnlua fail_lua.lua MODE SET [PART]: runs programs with Lua's k-th allocation failing, for every k, and prints what is
-- wrong afterwards. MODE: "one" (the k-th and its second try), "all" (it and all that follow), "retry" (the first try
-- of each, so that Lua collects garbage in the middle of everything). SET: "programs" or "rows". PART: "2/4" is every
-- fourth, from the second on. A process of its own: the emergency collections are as slow as the heap is large.
local root = arg[0]:match "^(.*)support/[^/]*$"
package.path = root .. "?.lua;" .. package.path
package.cpath = arg[-1]:match "^(.*/)" .. "?.so;" .. package.cpath

local failing = require "failing"
local nl = require "nnlua"

local function row_programs()
  local samples = require "support.samples"
  local list = {}
  for _, row in ipairs(samples.rows()) do
    for _, sample in ipairs(samples.of(row)) do
      local own = samples.map(sample, function(t)
        return row.differentiable and samples.is_inexact(t) and t:detach():requires_grad_() or t
      end)
      local function call()
        local results = samples.call(row, own)
        if nl.is_tensor(results[1]) and results[1].requires_grad then nl.autograd.backward(results[1]:sum()) end
      end
      if not pcall(call) then call = function() samples.call(row, sample) end end
      table.insert(list, {row.row, call})
    end
  end
  return list
end

local function living()
  for _ = 1, 3 do
    collectgarbage()
    nl.zeros(1) -- entering the core tidies up after what has gone
  end
  collectgarbage()
  local stats, references = nl.memory_stats(), 0
  for _ in pairs(debug.getregistry()) do references = references + 1 end
  return ("%d tensors, %d storages, %d nodes, %d blocks, %d references"):format(
    stats.tensors, stats.storages, stats.nodes, stats.blocks, references)
end

--- Whether everything still works.
local function check()
  local x = nl.ones(2, 2, {requires_grad = true})
  ;(x * x):sum():backward()
  assert(x.grad[{1, 1}]:item() == 2 and nl.is_grad_enabled() and not nl.is_inference_mode_enabled())
  assert(#nl.nn.Linear(2, 3)(x) == 2)
end

local function is_no_memory(message)
  return type(message) == "string" and message:find("not enough memory", 1, true)
end

local name, runs = nil, 0

local function complain(k, ...) print(("%s, allocation %d:"):format(name, k), ...) end

--- One run; says whether an allocation failed in it.
local function fail_at(f, k, all)
  failing.start(k, all)
  local ok, message = pcall(f)
  local has_failed = failing.stop()
  runs = runs + 1
  if not ok and not is_no_memory(message) then complain(k, message) end
  local well, why = pcall(check)
  if not well then complain(k, "nothing works any more", why) end
  return has_failed
end

local function fail_each(f, all)
  local before, k = living(), 1
  while fail_at(f, k, all) do
    if k % 16 == 0 then
      local after = living()
      if after ~= before then complain(k, "leaked: ", before, after) end
      before = after
    end
    k = k + 1
  end
  local after = living()
  if after ~= before then complain(k, "leaked: ", before, after) end
end

local function retry(f)
  failing.start()
  local ok, message = pcall(f)
  failing.stop()
  runs = runs + 1
  if not ok then complain(0, message) end
  check()
end

local function try(mode, f)
  local ok, message = pcall(f)
  if not ok then print(name, message)
  elseif mode == "retry" then retry(f)
  else fail_each(f, mode == "all") end
end

local mode, set = arg[1], arg[2]
local part, parts = (arg[3] or "1/1"):match "^(%d+)/(%d+)$"
check()
for i, entry in ipairs(set == "rows" and row_programs() or require "support.programs") do
  if (i - part) % parts == 0 then
    name = entry[1]
    try(mode, entry[2])
  end
end
failing.remove()
print(runs .. " runs")
