# PyTorch's side of the comparison for convolutional nets: the cases of layers.lua, line by line. See compare.lua.
import torch
from torch import nn

from measure import measure

F = nn.functional

net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
images, labels = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))


def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(net(images), labels).backward()
    optimizer.step()


with torch.no_grad():
    measure("LeNet-5 forward, batch 64", 20, lambda: net(images))
measure("LeNet-5 step, batch 64, SGD", 10, step)


# ------------------------------------------------------------------ its parts

def parts(name, layer, *shape):
    x = torch.randn(shape, requires_grad=True)
    grad = torch.ones_like(layer(x))
    with torch.no_grad():
        measure(name, 40, lambda: layer(x))
    measure(name + ", backward", 20, lambda: layer(x).backward(grad))


parts("conv 1-6 5x5 on 28x28", nn.Conv2d(1, 6, 5, padding=2), 64, 1, 28, 28)
parts("conv 6-16 5x5 on 14x14", nn.Conv2d(6, 16, 5), 64, 6, 14, 14)
parts("max pool 2 of 64x6x28x28", nn.MaxPool2d(2), 64, 6, 28, 28)
parts("average pool 2 of 64x6x28x28", nn.AvgPool2d(2), 64, 6, 28, 28)
parts("batch norm of 64x16x14x14", nn.BatchNorm2d(16), 64, 16, 14, 14)
parts("layer norm of 512x256", nn.LayerNorm(256), 512, 256)
parts("conv 64-64 3x3 on 16x16", nn.Conv2d(64, 64, 3, padding=1), 8, 64, 16, 16)
