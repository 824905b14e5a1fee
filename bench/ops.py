# PyTorch's side of the comparison: the cases of ops.lua, line by line. See run.lua.
import torch
import torch.nn.functional as F

from measure import measure

SHAPES = [("1", (1,)), ("10", (10,)), ("100", (10, 10)), ("1e3", (10, 100)), ("1e4", (100, 100)), ("1e5", (400, 250)),
          ("1e6", (1000, 1000)), ("1e7", (4000, 2500))]


def with_mask(x, y):
    mask = x > 0
    return lambda: torch.where(mask, x, y)


def clamping(x):
    w = x.clone()
    return lambda: w.clamp_(-1, 1)


OPS = [
    ("add", lambda x, y, z, g: lambda: x + y),
    ("add_", lambda x, y, z, g: lambda: x.add_(y, alpha=1e-9)),
    ("square", lambda x, y, z, g: lambda: torch.square(x)),
    ("abs", lambda x, y, z, g: lambda: torch.abs(x)),
    ("maximum", lambda x, y, z, g: lambda: torch.maximum(x, y)),
    ("clamp", lambda x, y, z, g: lambda: torch.clamp(x, -1, 1)),
    ("clamp_", lambda x, y, z, g: clamping(x)),
    ("relu", lambda x, y, z, g: lambda: torch.relu(x)),
    ("where", lambda x, y, z, g: with_mask(x, y)),
    ("gt", lambda x, y, z, g: lambda: x.gt(y)),
    ("div", lambda x, y, z, g: lambda: x / z),
    ("pow 3", lambda x, y, z, g: lambda: x ** 3),
    ("sqrt", lambda x, y, z, g: lambda: torch.sqrt(z)),
    ("exp", lambda x, y, z, g: lambda: torch.exp(x)),
    ("log", lambda x, y, z, g: lambda: torch.log(z)),
    ("tanh", lambda x, y, z, g: lambda: torch.tanh(x)),
    ("sigmoid", lambda x, y, z, g: lambda: torch.sigmoid(x)),
    ("erf", lambda x, y, z, g: lambda: torch.erf(x)),
    ("sin", lambda x, y, z, g: lambda: torch.sin(x)),
    ("cos", lambda x, y, z, g: lambda: torch.cos(x)),
    ("gelu", lambda x, y, z, g: lambda: F.gelu(x)),
    ("gelu tanh", lambda x, y, z, g: lambda: F.gelu(x, approximate="tanh")),
    ("silu", lambda x, y, z, g: lambda: F.silu(x)),
    ("mish", lambda x, y, z, g: lambda: F.mish(x)),
    ("elu", lambda x, y, z, g: lambda: F.elu(x)),
    ("leaky_relu", lambda x, y, z, g: lambda: F.leaky_relu(x)),
    ("hardswish", lambda x, y, z, g: lambda: F.hardswish(x)),
    ("tanh(x*2+1)*sigmoid(x) - x*x", lambda x, y, z, g: lambda: torch.tanh(x * 2 + 1) * torch.sigmoid(x) - x * x),
    ("sum", lambda x, y, z, g: lambda: x.sum()),
    ("sum dim 1", lambda x, y, z, g: lambda: x.sum(0)),
    ("sum last", lambda x, y, z, g: lambda: x.sum(-1)),
    ("mean last", lambda x, y, z, g: lambda: x.mean(-1)),
    ("var", lambda x, y, z, g: lambda: x.var(correction=0)),
    ("var last", lambda x, y, z, g: lambda: x.var(-1, correction=0)),
    ("max", lambda x, y, z, g: lambda: x.max()),
    ("max dim 1", lambda x, y, z, g: lambda: x.max(0)),
    ("max last", lambda x, y, z, g: lambda: x.max(-1)),
    ("argmax", lambda x, y, z, g: lambda: x.argmax()),
    ("norm", lambda x, y, z, g: lambda: x.norm()),
    ("prod last", lambda x, y, z, g: lambda: x.prod(-1)),
    ("cumsum last", lambda x, y, z, g: lambda: x.cumsum(-1)),
    ("cumprod last", lambda x, y, z, g: lambda: x.cumprod(-1)),
    ("softmax last", lambda x, y, z, g: lambda: torch.softmax(x, -1)),
    ("softmax dim 1", lambda x, y, z, g: lambda: torch.softmax(x, 0)),
    ("log_softmax last", lambda x, y, z, g: lambda: torch.log_softmax(x, -1)),
    ("logsumexp last", lambda x, y, z, g: lambda: x.logsumexp(-1)),
    ("gelu backward", lambda x, y, z, g: lambda: torch.autograd.grad(F.gelu(g), g, y)),
    ("silu backward", lambda x, y, z, g: lambda: torch.autograd.grad(F.silu(g), g, y)),
    ("tanh backward", lambda x, y, z, g: lambda: torch.autograd.grad(torch.tanh(g), g, y)),
]

for size, shape in SHAPES:
    x, y = torch.randn(shape), torch.randn(shape)
    z, xg = x.abs() + 0.1, x.clone().requires_grad_()
    for name, op in OPS:
        measure(f"{name} {size}", lambda: op(x, y, z, xg))
