# PyTorch's side of the comparison: the cases of cases.lua, line by line. See compare.lua.
import torch
from torch import nn

from measure import measure

x, y = torch.randn(3, 10), torch.randn(3, 10)
measure("add 3x10", 20000, lambda: x + y)
measure("mul by number 3x10", 20000, lambda: x * 1.5)
measure("relu 3x10", 20000, lambda: torch.relu(x))
w = torch.randn(10, 5)
measure("mm 3x10 10x5", 20000, lambda: torch.mm(x, w))
measure("sum 3x10", 20000, lambda: x.sum())
measure("transpose 3x10", 20000, lambda: x.t())

xg = torch.randn(3, 10, requires_grad=True)
measure("add 3x10, recorded", 20000, lambda: xg + y)
measure("mm 3x10 10x5, recorded", 20000, lambda: torch.mm(xg, w))


def square():
    xg.grad = None
    (xg * xg).sum().backward()


measure("(x*x).sum backward", 5000, square)

fc = nn.Linear(10, 5)
measure("Linear(10,5)(x), 0 hooks", 20000, lambda: fc(x))
handle = fc.register_forward_hook(lambda m, i, o: None)
measure("Linear(10,5)(x), 1 hook", 20000, lambda: fc(x))
more = [fc.register_forward_hook(lambda m, i, o: None), fc.register_forward_pre_hook(lambda m, i: None)]
measure("Linear(10,5)(x), 3 hooks", 20000, lambda: fc(x))
for h in (handle, *more):
    h.remove()


def training(name, n, sizes, batch, optimizer, lr):
    layers = []
    for i in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            layers.append(nn.ReLU())
    net = nn.Sequential(*layers)
    opt = getattr(torch.optim, optimizer)(net.parameters(), lr=lr)
    inputs, target = torch.randn(batch, sizes[0]), torch.randint(0, sizes[-1], (batch,))

    def step():
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(inputs), target)
        loss.backward()
        opt.step()

    measure(name, n, step)


training("step 10-5-2, batch 3", 2000, (10, 5, 2), 3, "SGD", 0.01)
training("step 784-512-512-10, batch 128", 20, (784, 512, 512, 10), 128, "SGD", 0.01)
training("step 10-5-2, batch 3, Adam", 1000, (10, 5, 2), 3, "Adam", 0.001)
training("step 784-512-512-10, batch 128, Adam", 20, (784, 512, 512, 10), 128, "Adam", 0.001)


def stepping(name, n, sizes):
    net = nn.Sequential(nn.Linear(sizes[0], sizes[1]), nn.Linear(sizes[1], sizes[2]))
    opt = torch.optim.Adam(net.parameters())
    net(torch.randn(3, sizes[0])).sum().backward()
    measure(name, n, opt.step)


stepping("Adam.step of 10-5-2", 1000, (10, 5, 2))
stepping("Adam.step of 784-512-512", 50, (784, 512, 512))
