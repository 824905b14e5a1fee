# PyTorch's side of the comparison: the cases of small.lua, line by line. See run.lua.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from measure import measure

F = nn.functional


def case(name, f):
    measure(name, lambda: f)


x, y, w = torch.randn(3, 10), torch.randn(3, 10), torch.randn(10, 5)
xg = torch.randn(3, 10, requires_grad=True)
row, mask = torch.randn(10), x > 0
case("add 3x10", lambda: x + y)
case("mul by number 3x10", lambda: x * 1.5)
case("relu 3x10", lambda: torch.relu(x))
case("mm 3x10 10x5", lambda: torch.mm(x, w))
case("sum 3x10", lambda: x.sum())
case("transpose 3x10", lambda: x.t())
case("x[2] 3x10", lambda: x[1])
case("x[{2, 3}] 3x10", lambda: x[1, 2])
case("cat of four rows", lambda: torch.cat((row, row, row, row)))
case("stack of four rows", lambda: torch.stack((row, row, row, row)))
case("where 3x10", lambda: torch.where(mask, x, y))
case("item", lambda: row[0].item())
case("add 3x10, recorded", lambda: xg + y)
case("mm 3x10 10x5, recorded", lambda: torch.mm(xg, w))


def square():
    xg.grad = None
    (xg * xg).sum().backward()


case("(x*x).sum backward", square)


def hooked(name, hooks):
    def make():
        fc = nn.Linear(10, 5)
        if hooks >= 1:
            fc.register_forward_hook(lambda m, i, o: None)
        if hooks >= 3:
            fc.register_forward_hook(lambda m, i, o: None)
            fc.register_forward_pre_hook(lambda m, i: None)
        return lambda: fc(x)
    measure(name, make)


hooked("Linear(10,5)(x), 0 hooks", 0)
hooked("Linear(10,5)(x), 1 hook", 1)
hooked("Linear(10,5)(x), 3 hooks", 3)


def training(name, sizes, batch, optimizer, lr):
    def make():
        layers = []
        for i in range(len(sizes) - 1):
            layers.append(nn.Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                layers.append(nn.ReLU())
        net = nn.Sequential(*layers)
        opt = getattr(torch.optim, optimizer)(net.parameters(), lr=lr)
        inputs, target = torch.randn(batch, sizes[0]), torch.randint(0, sizes[-1], (batch,))

        def step():
            opt.zero_grad()
            F.cross_entropy(net(inputs), target).backward()
            opt.step()
        return step
    measure(name, make)


training("step 10-5-2, batch 3, SGD", (10, 5, 2), 3, "SGD", 0.01)
training("step 10-5-2, batch 3, Adam", (10, 5, 2), 3, "Adam", 0.001)
training("step 64-128-128-8, batch 32, Adam", (64, 128, 128, 8), 32, "Adam", 0.001)


def stepping(name, sizes):
    def make():
        net = nn.Sequential(nn.Linear(sizes[0], sizes[1]), nn.Linear(sizes[1], sizes[2]))
        opt = torch.optim.Adam(net.parameters())
        net(torch.randn(3, sizes[0])).sum().backward()
        return opt.step
    measure(name, make)


stepping("Adam.step of 10-5-2", (10, 5, 2))
stepping("Adam.step of 784-512-512", (784, 512, 512))


def loading():
    loader = DataLoader(TensorDataset(torch.randn(6400, 10), torch.randn(6400)), batch_size=64, shuffle=True)
    batches = iter(loader)

    def load():
        nonlocal batches
        if next(batches, None) is None:
            batches = iter(loader)
    return load


measure("DataLoader, a batch of 64 of 10", loading)
