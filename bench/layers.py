# PyTorch's side of the comparison: the cases of layers.lua, line by line. See run.lua.
import torch
from torch import nn

from measure import measure

F = nn.functional


def layer(name, made, *shape):
    def forward():
        x = torch.randn(shape, requires_grad=True)

        def run():
            with torch.no_grad():
                made(x)
        return run

    def backward():
        x = torch.randn(shape, requires_grad=True)
        grad = torch.ones_like(made(x))
        return lambda: made(x).backward(grad)

    measure(name, forward)
    measure(name + ", backward", backward)


layer("max pool 2 of 64x6x28x28", nn.MaxPool2d(2), 64, 6, 28, 28)
layer("max pool 3, stride 2 of 8x64x56x56", nn.MaxPool2d(3, stride=2, padding=1), 8, 64, 56, 56)
layer("average pool 2 of 64x6x28x28", nn.AvgPool2d(2), 64, 6, 28, 28)
layer("batch norm of 64x16x14x14", nn.BatchNorm2d(16), 64, 16, 14, 14)
layer("group norm of 16x64x32x32", nn.GroupNorm(8, 64), 16, 64, 32, 32)
layer("layer norm of 512x256", nn.LayerNorm(256), 512, 256)
layer("Linear 784-512, batch 128", nn.Linear(784, 512), 128, 784)
layer("upsample bilinear 2 of 4x32x64x64", nn.Upsample(scale_factor=2, mode="bilinear"), 4, 32, 64, 64)


def embedding():
    table, ids, grad = nn.Embedding(5000, 128), torch.randint(0, 5000, (32, 64)), torch.ones(32, 64, 128)

    def run():
        table.weight.grad = None
        table(ids).backward(grad)
    return run


measure("embedding 5000x128 of 32x64, backward", embedding)

WIDTH, HEADS, LENGTH = 128, 4, 128
packed = torch.randn(16, LENGTH, 3 * WIDTH, requires_grad=True)


def attend():
    parts = [part.reshape(16, LENGTH, HEADS, WIDTH // HEADS).transpose(1, 2) for part in packed.split(WIDTH, 2)]
    return F.scaled_dot_product_attention(*parts, is_causal=True)


def without_graph():
    with torch.no_grad():
        attend()


def with_graph():
    packed.grad = None
    attend().sum().backward()


measure("causal attention 16x4x128x32", lambda: without_graph)
measure("causal attention 16x4x128x32, backward", lambda: with_graph)
