# PyTorch's side of the comparison: the cases of rows.lua, line by line. See run.lua.
import torch
import torch.nn.functional as F

from measure import measure

grad = torch.autograd.grad

for length in (4, 16, 17, 64, 100, 250, 1000, 10000):
    rows = 1000000 // length
    x = torch.randn(rows, length)
    xg, g = x.clone().requires_grad_(), torch.randn(rows, length)
    weight, bias = torch.ones(length, requires_grad=True), torch.zeros(length, requires_grad=True)
    classes = torch.randint(0, length, (rows,))

    def case(name, f):
        measure(f"{name}, rows of {length}", lambda: f)

    case("sum", lambda: x.sum(-1))
    case("mean", lambda: x.mean(-1))
    case("var", lambda: x.var(-1))
    case("amax", lambda: x.amax(-1))
    case("argmax", lambda: x.argmax(-1))
    case("softmax", lambda: torch.softmax(x, -1))
    case("log_softmax", lambda: torch.log_softmax(x, -1))
    case("logsumexp", lambda: x.logsumexp(-1))
    case("cross_entropy", lambda: F.cross_entropy(x, classes))
    case("layer_norm", lambda: F.layer_norm(x, (length,), weight, bias))
    case("rms_norm", lambda: F.rms_norm(x, (length,)))
    case("softmax backward", lambda: grad(torch.softmax(xg, -1), xg, g))
    case("cross_entropy backward", lambda: grad(F.cross_entropy(xg, classes), xg))
    case("layer_norm backward", lambda: grad(F.layer_norm(xg, (length,), weight, bias), (xg, weight, bias), g))
    case("rms_norm backward", lambda: grad(F.rms_norm(xg, (length,)), xg, g))
