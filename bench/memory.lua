-- 2,000 steps of the 784-512-512-10 MLP (or none, with the argument "bare"); prints the peak resident size in KB.
local nl = require "nnlua"
local nn, optim = nl.nn, nl.optim
nl.set_num_threads(1)

local function peak()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s*(%d+)"
    if kb then return tonumber(kb) end
  end
end

if arg[1] ~= "bare" then
  local net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
  local opt = optim.SGD(net:parameters(), {lr = 0.01})
  local input, target = nl.randn(128, 784), nl.randint(1, 11, {128})
  for _ = 1, 2000 do
    opt:zero_grad()
    nn.functional.cross_entropy(net(input), target):backward()
    opt:step()
  end
else
  nl.mm(nl.ones(64, 64), nl.ones(64, 64))
end
print(peak())
