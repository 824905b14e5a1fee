# PyTorch's side of the comparison of products of matrices: the cases of products.lua, line by line. See run.lua.
import os
import re

import torch
import torch.nn.functional as F

from measure import measure

here = os.path.dirname(os.path.abspath(__file__))


def matrices(order, dtype, batch, rows, cols):
    if order == "N":
        return torch.randn(batch, rows, cols).to(dtype)
    return torch.randn(batch, cols, rows).to(dtype).mT


def product(a, b, dtype, m, n, k, batch):
    def make():
        count = int(batch or 1)
        l, r = matrices(a, dtype, count, m, k), matrices(b, dtype, count, k, n)
        if batch:
            return lambda: torch.bmm(l, r)
        l, r = l[0], r[0]
        return lambda: torch.mm(l, r)

    return make


for line in open(os.path.join(here, "products.txt")):
    found = re.match(r"^([NT])([NT]) (\w+) (\d+) (\d+) (\d+) ?(\d*)$", line.rstrip("\n"))
    if found:
        a, b, dtype, m, n, k, batch = found.groups()
        measure(line.rstrip("\n"), product(a, b, getattr(torch, dtype), int(m), int(n), int(k), batch))


def addmm(**options):
    def make():
        c, a, b = torch.randn(512, 512), torch.randn(512, 512), torch.randn(512, 512)
        return lambda: torch.addmm(c, a, b, **options)

    return make


def linear():
    x, w, bias = torch.randn(128, 512), torch.randn(512, 512), torch.randn(512)
    return lambda: F.linear(x, w, bias)


def int8_weights():
    x, w, scales = torch.randn(1, 4096), torch.randint(-128, 128, (4096, 4096), dtype=torch.int8), torch.rand(4096)
    return lambda: torch._weight_int8pack_mm(x, w, scales)


def int8_by_int8():
    a, b = (torch.randint(-128, 128, (1024, 1024), dtype=torch.int8) for _ in range(2))
    return lambda: torch._int_mm(a, b)


measure("addmm 512, beta 0.5", addmm(beta=0.5))
measure("addmm 512, alpha 2", addmm(alpha=2))
measure("linear 128x512x512", linear)
measure("int8 weights 1x4096x4096", int8_weights)
measure("int8 by int8 1024", int8_by_int8)
