# The training of examples/digits_mlp.lua in PyTorch: prints the loss of each of the first 50 steps.
import gzip
import pathlib
import sys

import torch
from torch import nn

root = pathlib.Path(__file__).resolve().parents[2]
lines = gzip.open(root / "examples/data/digits.csv.gz", "rt").read().split()
data = torch.tensor([[int(float(v)) for v in line.split(",")] for line in lines])
pixels, labels = data[:, :64].float() / 16, data[:, 64]

torch.manual_seed(0)
order = torch.randperm(len(pixels))
train = order[len(pixels) // 5:]
train_x, train_y = pixels[train], labels[train]

torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
step = 0
while step < 50:
    shuffled = torch.randperm(len(train_x))
    for first in range(0, len(train_x), 64):
        rows = shuffled[first:first + 64]
        loss = nn.functional.cross_entropy(net(train_x[rows]), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step <= 50:
            print(f"step {step} loss {loss.item():.6f}")
