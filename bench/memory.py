# PyTorch's side of memory.lua.
import sys

import torch
from torch import nn

torch.set_num_threads(1)


def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])


if sys.argv[1:] != ["bare"]:
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    inputs, target = torch.randn(128, 784), torch.randint(0, 10, (128,))
    for _ in range(2000):
        opt.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(net(inputs), target).backward()
        opt.step()
else:
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))
print(peak())
