# PyTorch's side of the comparison of every op: it calls what the names of the cases say, which run.lua gives. See
# every.lua.
import os
import re
import warnings

import torch

from measure import measure


class Key(tuple):
    """A named argument."""


def entry(name):
    space, _, rest = name.rpartition(".")
    spaces = {"": torch, "F": torch.nn.functional, "Tensor": torch.Tensor}
    return getattr(spaces[space] if space in spaces else getattr(torch, space), rest)


def definite(*shape):
    m = torch.randn(shape)
    return m @ m.mT + shape[-1] * torch.eye(shape[-1])


def result(results, k):
    return results if isinstance(results, torch.Tensor) else results[k - 1]


# What the words of a call's text mean: they count from 1.
WORDS = {
    "true": True, "false": False, "nil": None,
    "key": lambda name, value: Key((name, value)),
    "list": lambda *items: list(items),
    "position": lambda i: i - 1,
    "dim": lambda i: i - 1,
    "constant": lambda name: getattr(torch, name),
    "randn": lambda *shape: torch.randn(shape),
    "rand": lambda *shape: torch.rand(shape),
    "whole": lambda high, *shape: torch.randint(1, high + 1, shape),
    "positions": lambda high, *shape: torch.randint(0, high, shape),
    "bools": lambda *shape: torch.rand(shape) > 0.5,
    "complex": lambda *shape: torch.complex(torch.randn(shape), torch.randn(shape)),
    "sorted": lambda n: torch.randn(n).sort()[0],
    "signs": lambda *shape: (torch.rand(shape) > 0.5) * 2.0 - 1,
    "definite": definite,
    "result": lambda k, name, *arguments: result(entry(name)(*arguments), k),
    "pack": lambda *arguments: arguments,
}


def made(call):
    name, arguments = re.match(r"([\w.]+)\((.*)\)$", call).groups()
    f, values = entry(name), eval(f"pack({arguments})", WORDS)
    positional = [value for value in values if not isinstance(value, Key)]
    named = dict(value for value in values if isinstance(value, Key))

    def run():
        return f(*positional, **named)

    def run_spread():
        return f(*positional[0], **named)

    try:
        run()
    except TypeError:
        if not isinstance(positional[0], list):
            raise
        run_spread()  # some take tensors one by one
        return run_spread
    return run


warnings.simplefilter("ignore")
torch.set_default_dtype(getattr(torch, os.environ.get("BENCH_DTYPE", "float32")))


for case in os.environ["BENCH_CASES"].strip("\n").split("\n"):
    measure(case, lambda: made(case))
