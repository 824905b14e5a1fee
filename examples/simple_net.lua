-- A model written as a Lua class, as PyTorch users write theirs in Python.
-- Run:  ./bootstrap run examples/simple_net.lua
local torch = require "nnlua"
torch.manual_seed(0)
local nn = torch.nn
local SimpleNet = nn.class("SimpleNet")
function SimpleNet:init() self.fc1 = nn.Linear(10, 5); self.fc2 = nn.Linear(5, 2) end
function SimpleNet:forward(x) x = torch.relu(self.fc1(x)); return self.fc2(x) end
print(SimpleNet()(torch.randn(3, 10)))
