-- Loaders with 0 and 2 worker processes, and PyTorch's of the same data: nnlua bench/loader.lua [PYTHON]. Wall time.
local nl = require "nnlua"
local data = nl.utils.data

nl.set_num_threads(1)

local function busy(seconds)
  local start = nl.time()
  while nl.time() - start < seconds do end
end

local Slow = data.class "Slow"
function Slow:len() return 400 end
function Slow:get(i)
  busy(0.002)
  return nl.full({3, 64, 64}, i + 0.0)
end

local cases = {
  {"2 ms an item, 50 batches of 8", Slow(), 8},
  {"rows of 10, 2000 batches of 10", data.TensorDataset(nl.randn(20000, 10), nl.randint(0, 5, {20000})), 10},
  {"4.7 MB a batch, 20 batches", data.TensorDataset(nl.randn(2000, 3, 64, 64)), 100},
}

for _, case in ipairs(cases) do
  for _, workers in ipairs {0, 2} do
    local best = math.huge
    for _ = 1, 3 do
      local start = nl.time()
      for _ in data.DataLoader(case[2], {batch_size = case[3], num_workers = workers}) do end
      best = math.min(best, nl.time() - start)
    end
    print(("nnlua    %-32s %d workers %8.1f ms"):format(case[1], workers, best * 1e3))
  end
end

if arg[1] then os.execute(("'%s' '%s'"):format(arg[1], (arg[0]:gsub("lua$", "py")))) end
