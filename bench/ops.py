# PyTorch's side of the comparison: the cases of ops.lua, line by line. See compare.lua.
import os
import re

import torch
import torch.nn.functional as F

from measure import measure

only = os.environ.get("BENCH_ONLY")

for shape in ((400, 250), (1000, 1000)):
    x, y = torch.randn(shape), torch.randn(shape)
    z, xg = x.abs() + 0.1, x.clone().requires_grad_()
    n = 200 if shape[0] == 400 else 40
    size = " 1e5" if shape[0] == 400 else " 1e6"

    def case(name, f):
        if not only or re.search(only, name):
            measure(name + size, n, f)

    case("add", lambda: x + y)
    case("exp", lambda: torch.exp(x))
    case("log", lambda: torch.log(z))
    case("tanh", lambda: torch.tanh(x))
    case("sigmoid", lambda: torch.sigmoid(x))
    case("gelu", lambda: F.gelu(x))
    case("gelu tanh", lambda: F.gelu(x, approximate="tanh"))
    case("silu", lambda: F.silu(x))
    case("mish", lambda: F.mish(x))
    case("elu", lambda: F.elu(x))
    case("leaky_relu", lambda: F.leaky_relu(x))
    case("hardswish", lambda: F.hardswish(x))
    case("sqrt", lambda: torch.sqrt(z))
    case("sin", lambda: torch.sin(x))
    case("square", lambda: torch.square(x))
    case("pow 3", lambda: x ** 3)
    case("clamp", lambda: torch.clamp(x, -1, 1))
    case("maximum", lambda: torch.maximum(x, y))
    case("abs", lambda: torch.abs(x))
    case("sum", lambda: x.sum())
    case("sum dim 1", lambda: x.sum(0))
    case("sum last", lambda: x.sum(-1))
    case("mean last", lambda: x.mean(-1))
    case("var", lambda: x.var())
    case("var last", lambda: x.var(-1))
    case("max", lambda: x.max())
    case("max dim 1", lambda: x.max(0))
    case("max last", lambda: x.max(-1))
    case("argmax", lambda: x.argmax())
    case("logsumexp last", lambda: x.logsumexp(-1))
    case("norm", lambda: x.norm())
    case("prod last", lambda: x.prod(-1))
    case("cumsum last", lambda: x.cumsum(-1))
    case("cumprod last", lambda: x.cumprod(-1))
    case("softmax last", lambda: torch.softmax(x, -1))
    case("softmax dim 1", lambda: torch.softmax(x, 0))
    case("log_softmax last", lambda: torch.log_softmax(x, -1))
    case("gelu backward", lambda: torch.autograd.grad(F.gelu(xg), xg, y))
    case("silu backward", lambda: torch.autograd.grad(F.silu(xg), xg, y))
    case("tanh backward", lambda: torch.autograd.grad(torch.tanh(xg), xg, y))
