# PyTorch's side of the comparison of networks that run as they are and compiled: the cases of programs.lua, line by
# line. torch.compile wants g++. See run.lua.
import torch
from torch import nn

import models
from measure import measure


def both(name, make):
    def plain(compiled):
        def made():
            f, x = make()
            if compiled:
                f = torch.compile(f)

            def run():
                with torch.no_grad():
                    f(x)
            return run
        return made
    measure(name, plain(False))
    measure(f"{name}, compiled", plain(True))


for n in (1000, 1000000):
    both(f"chain of 7 rows, {n}",
         lambda n=n: (lambda x: torch.tanh(x * 2 + 1) * torch.sigmoid(x) - x * x, torch.randn(n)))

both("MLP 10-5-2 b3, forward",
     lambda: (nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2)).eval(), torch.randn(3, 10)))
both("MLP 784-512-512-10 b128, forward", lambda: (models.mlp().eval(), torch.randn(128, 784)))
both("LeNet-5 b64, forward", lambda: (models.lenet().eval(), torch.randn(64, 1, 28, 28)))
both("GPT 4 x 128, 128 long b16, forward",
     lambda: (models.GPT().eval(), torch.randint(0, models.CLASSES, (16, models.LENGTH))))
both("GPT 4 x 128, 128 long b1, forward",
     lambda: (models.GPT().eval(), torch.randint(0, models.CLASSES, (1, models.LENGTH))))
both("ResNet-18 64x64 b8, forward", lambda: (models.resnet18().eval(), torch.randn(8, 3, 64, 64)))
both("ResNet-18 64x64 b1, forward", lambda: (models.resnet18().eval(), torch.randn(1, 3, 64, 64)))


def steps(name, make):
    def made(compiled):
        def prepared():
            net, optimizer, x, y = make()
            opt = getattr(torch.optim, optimizer)(net.parameters(), lr=0.001)

            def step(x, y):
                opt.zero_grad()
                scores = net(x)
                loss = nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), y)
                loss.backward()
                opt.step()
                return loss
            f = torch.compile(step) if compiled else step
            return lambda: f(x, y)
        return prepared
    measure(name, made(False))
    measure(f"{name}, compiled", made(True))


for optimizer in ("SGD", "Adam"):
    steps(f"MLP 10-5-2 b3, step, {optimizer}",
          lambda optimizer=optimizer: (nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2)), optimizer,
                                       torch.randn(3, 10), torch.randint(0, 2, (3,))))
steps("MLP 784-512-512-10 b128, step, SGD",
      lambda: (models.mlp(), "SGD", torch.randn(128, 784), torch.randint(0, 10, (128,))))
steps("LeNet-5 b64, step, Adam",
      lambda: (models.lenet(), "Adam", torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))))
steps("GPT 4 x 128, 128 long b1, step, AdamW",
      lambda: (models.GPT(), "AdamW", torch.randint(0, models.CLASSES, (1, models.LENGTH)),
               torch.randint(0, models.CLASSES, (models.LENGTH,))))
steps("ResNet-18 64x64 b8, step, SGD",
      lambda: (models.resnet18(), "SGD", torch.randn(8, 3, 64, 64), torch.randint(0, 1000, (8,))))
