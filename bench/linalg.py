# PyTorch's side of the comparison of linear algebra: the cases of linalg.lua, line by line. See run.lua.
import torch

from measure import measure

linalg = torch.linalg
FUNCTIONS = [
    ("solve", lambda a, s, b: lambda: linalg.solve(a, b)),
    ("inv", lambda a, s, b: lambda: linalg.inv(a)),
    ("det", lambda a, s, b: lambda: linalg.det(a)),
    ("cholesky", lambda a, s, b: lambda: linalg.cholesky(s)),
    ("qr", lambda a, s, b: lambda: linalg.qr(a)),
    ("eigh", lambda a, s, b: lambda: linalg.eigh(s)),
    ("eig", lambda a, s, b: lambda: linalg.eig(a)),
    ("svd", lambda a, s, b: lambda: linalg.svd(a)),
    ("lstsq", lambda a, s, b: lambda: linalg.lstsq(a, b)),
    ("matrix_exp", lambda a, s, b: lambda: torch.matrix_exp(a)),
]


def case(run, shape):
    def make():
        n = shape[-1]
        a = torch.randn(*shape, n)
        return run(a, a @ a.mT + torch.eye(n), torch.randn(*shape, 1))

    return make


for shape in [(3,), (16,), (64,), (256,), (1000, 4)]:
    for name, run in FUNCTIONS:
        measure(f"{name} {' of '.join(map(str, shape))}", case(run, shape))
