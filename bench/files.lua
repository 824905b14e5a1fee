-- Files of a state dict of 89 MB, and what Python takes for the same ones: nnlua bench/files.lua [PYTHON]. Wall time of
-- the fastest of seven rounds, the file in the system's cache; and what a mapped file of 1 GB takes, of which 4 KB are
-- used: time, and the process's memory before and after.
local nl = require "nnlua"

local folder = os.tmpname()
os.remove(folder)
os.execute("mkdir " .. folder)

local dict = {}
for i = 1, 22 do dict["layer" .. i] = nl.randn(1000, 1000) end

local function fastest(f)
  local best = math.huge
  for _ = 1, 7 do
    collectgarbage()
    local start = nl.time()
    f()
    best = math.min(best, nl.time() - start)
  end
  return best * 1e3
end

for _, ending in ipairs {"pt", "npz", "safetensors"} do
  local path = folder .. "/net." .. ending
  nl.save(path, dict)
  print(("nnlua    load %-12s %8.2f ms"):format(ending, fastest(function() return nl.load(path) end)))
  print(("nnlua    mmap %-12s %8.2f ms"):format(ending, fastest(function() return nl.load(path, {mmap = true}) end)))
end

if arg[1] then os.execute(("'%s' '%s' '%s'"):format(arg[1], (arg[0]:gsub("lua$", "py")), folder)) end

-- In a process of its own, which has made no tensor yet.
local large = folder .. "/large.safetensors"
nl.save(large, {rest = nl.zeros(1 << 28), few = nl.ones(1024)})
local script = ([[
  local nl = require "nnlua"
  local function resident()
    for line in io.lines "/proc/self/status" do
      local kb = line:match "^VmRSS:%%s*(%%d+)"
      if kb then return kb / 1000 end
    end
  end
  local before, start = resident(), nl.time()
  nl.load(%q, {mmap = true}).few:sum():item()
  print(("nnlua    1 GB mapped, 4 KB used  %%.2f ms, %%.1f MB of %%.1f"):format(
    (nl.time() - start) * 1e3, resident() - before, resident()))
]]):format(large)
local path = folder .. "/mapped.lua"
local file <close> = assert(io.open(path, "w"))
file:write(script)
file:close()
os.execute(("'%s' '%s'"):format(arg[-1], path))
os.execute("rm -r " .. folder)
