"""names.py OUT: the names of PyTorch's public API, for tests/spec/names_spec.lua: those that a module lists in __all__, or
defines; of torch also its native functions; members of classes. A line "module:", then lines of its names."""
import importlib
import sys
import textwrap
import types

import torch

MODULES = """nn nn.functional nn.init nn.modules.module nn.attention nn.utils nn.utils.parametrize nn.utils.parametrizations
nn.utils.prune nn.utils.rnn nn.utils.stateless optim optim.functional optim.lr_scheduler optim.swa_utils utils.data linalg fft
special masked signal.windows func autograd autograd.functional autograd.forward_ad autograd.graph utils.checkpoint
distributions distributions.transforms distributions.constraints amp random quasirandom testing""".split()
CLASSES = {"Tensor": torch.Tensor, "Generator": torch.Generator, "nn.Module": torch.nn.Module,
           "optim.Optimizer": torch.optim.Optimizer}


def is_public(name):
    return not name.startswith("_")


def defined_in(module):
    """What a module without __all__ has that is its own."""
    own = getattr(module, "__name__")
    for name, value in vars(module).items():
        if not isinstance(value, types.ModuleType) and getattr(value, "__module__", None) in (own, "torch._C._nn"):
            yield name


def is_native(name, value):
    """The classes of C++ that torch has beside its functions (of scripts, storages, files), and their constants."""
    return getattr(torch._C, name, None) is value and (isinstance(value, type) or name.isupper()) and name not in (
        "Generator", "Size", "Stream", "Event", "Tag")


def names_of(module):
    listed = [n for n in getattr(module, "__all__", []) if not isinstance(getattr(module, n, None), types.ModuleType)
              and not is_native(n, getattr(module, n, None)) and n != "Tensor"]
    return sorted(filter(is_public, listed or defined_in(module)))


def main(out):
    lines = [("torch", sorted(set(names_of(torch)) | set(filter(is_public, dir(torch._C._VariableFunctions)))))]
    lines += [(name, names_of(importlib.import_module("torch." + name))) for name in MODULES]
    lines += [(name, sorted(filter(is_public, dir(cls)))) for name, cls in CLASSES.items()]
    with open(out, "w") as file:
        for name, names in lines:
            file.write(f"{name}:\n{textwrap.fill(' '.join(names), 118, initial_indent='  ', subsequent_indent='  ')}\n")


if __name__ == "__main__":
    main(sys.argv[1])
