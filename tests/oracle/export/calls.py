"""How each OpInfo entry is called: the form a Lua runner uses and PyTorch's own.

A form is written as text:

    nl.linalg.det     function, by its path after `nl`
    x:view            method; the first argument is the receiver
    x.T               property of the first argument
    get               x[index]           arguments x, index
    set               x[index] = value   arguments x, index, value; the result is x
    op:add            operator, by the name of Lua's metamethod without `__`

`invoke` runs any of them in PyTorch, so that what is exported is what was run,
and a reader of the fixtures can check them with the same function.
"""

import operator

import torch

from values import is_tensor

# ------------------------------------------------------------------ operators

LUA_OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "div": operator.truediv, "idiv": operator.floordiv, "mod": operator.mod,
    "pow": operator.pow, "band": operator.and_, "bor": operator.or_,
    "bxor": operator.xor, "shl": operator.lshift, "shr": operator.rshift,
    "unm": operator.neg, "bnot": operator.invert,
}
_LUA_NAME_OF = {function: name for name, function in LUA_OPERATORS.items()}

_REFLECTED = {
    "__radd__": "op:add", "__rsub__": "op:sub", "__rmul__": "op:mul",
    "__rdiv__": "op:div", "__rmod__": "op:mod", "__rpow__": "op:pow",
    "__rand__": "op:band", "__ror__": "op:bor", "__rxor__": "op:bxor",
    "__rmatmul__": "nl.matmul",
}

# ----------------------------------------------------- what needs a closer look

# Entries whose call can't be written down, with the reason.
_INEXPRESSIBLE = {
    "sparse.sampled_addmm": "sparse tensors",
    "sparse.mm": "sparse tensors",
    "to_sparse": "sparse tensors",
    "chalf": "complex32 is not among the dtypes",
    "svd_lowrank": "random projections",
    "pca_lowrank": "random projections",
}

# Functions whose names end as those of copying variants do.
_NO_VARIANTS = frozenset(["index_copy", "narrow_copy"])

_PROPERTIES = ("T", "H", "mT", "mH")

# Methods by nature, though a function of the name exists.
_METHODS = ("resize_as_", "zero_", "fill_")


def _swapped(input, *args, **kwargs):
    """OpInfo puts the differentiable argument first; the API has it second."""
    return (args[0], input, *args[1:]), kwargs


def _getitem(input, index):
    """An index with tensors for lists of numbers, which in Lua would be ranges.

    A list with anything else in it than numbers is an index as a tuple is.
    """
    if isinstance(index, list) and not all(isinstance(i, int) for i in index):
        index = tuple(index)
    return (input, tuple(map(_picker, index)) if isinstance(index, tuple) else _picker(index)), {}


def _picker(entry):
    return torch.tensor(entry) if isinstance(entry, list) else entry


def _einsum(operands, equation):
    return (equation, *operands), {}


def _slice(input, dim=0, start=None, end=None, step=1):
    dim = dim + input.ndim if dim < 0 else dim
    return (input, (slice(None),) * dim + (slice(start, end, step),)), {}


def _singular_product(a, b):
    return (a @ b.mT,), {}


def _lstsq(a, b, driver=None):
    return (a, b), {"driver": driver}


# From the arguments of a SampleInput to those of the call, by full name.
_REARRANGED = {
    "__getitem__": _getitem,
    "einsum": _einsum,
    "slice": _slice,
    "where": _swapped,
    "nn.functional.embedding": _swapped,
    "nn.functional.embedding_bag": _swapped,
    "linalg.pinv.singular": _singular_product,
    "linalg.lstsq.grad_oriented": _lstsq,
}
_REARRANGED_PREFIXES = {"polygamma": _swapped, "special.polygamma": _swapped}
_REARRANGED_PREFIXES.update({name: _swapped for name in _REFLECTED})


# ----------------------------------------------------------------------- forms

def why_inexpressible(op_info):
    """The reason why an entry has no form, or None if it has one."""
    name = op_info.name
    if name in _INEXPRESSIBLE:
        return _INEXPRESSIBLE[name]
    if name.startswith("jiterator"):
        return "compiles CUDA source"
    if name.endswith("_copy") and name not in _NO_VARIANTS:
        return "copying variant of a view"
    if name.startswith(("ops.", "torch.ops.")) or _is_private(name):
        return "internal operator"
    return None if main_form(op_info) else "no public name"


def _is_private(name):
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def main_form(op_info):
    """The form that an OpInfo entry is exported with, or None."""
    name = op_info.name
    if name in _REFLECTED:
        return _REFLECTED[name]
    if name in ("__getitem__", "slice"):
        return "get"
    if name == "__setitem__":
        return "set"
    if name in _PROPERTIES:
        return f"x.{name}"
    if op_info.variant_test_name == "in_place":
        return f"x:{name}_"
    if name not in _METHODS and callable(torch_function(name)):
        return f"nl.{name}"
    methods = [m for m in (name, f"{name}_") if callable(getattr(torch.Tensor, m, None))]
    return f"x:{methods[0]}" if methods else None


def other_forms(op_info, args, kwargs):
    """Further forms of a call, candidates that must still prove to agree.

    Yields aliases, the method, the in-place method and the operator.
    """
    names = [n.removeprefix("torch.") for n in
             (op_info.name, *(alias.name for alias in op_info.aliases)) if not n.startswith("__")]
    yield from (f"nl.{n}" for n in names if callable(torch_function(n)))
    if op_info.name == "index_put" and not kwargs.get("accumulate") and len(args) == 3:
        yield "set"
    if not (args and is_tensor(args[0])):
        return
    methods = [n for n in names if callable(getattr(torch.Tensor, n, None))]
    yield from (f"x:{n}" for n in methods)
    yield from (f"x:{n}_" for n in names if callable(getattr(torch.Tensor, n + "_", None)))
    lua_name = _LUA_NAME_OF.get(op_info.operator_variant)
    if lua_name and not kwargs:
        yield f"op:{lua_name}"


def arranged(op_info, full_name, sample):
    """The positional and named arguments of the call for a SampleInput."""
    args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
    kwargs.pop("device", None)  # the only device is the default one
    rearrange = _REARRANGED.get(full_name) or _REARRANGED_PREFIXES.get(op_info.name)
    return rearrange(*args, **kwargs) if rearrange else (args, kwargs)


# ----------------------------------------------------------------- running them

def torch_function(path):
    """`torch.<path>`, or None."""
    found = torch
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def target(form):
    """The PyTorch callable behind a form that names one, else None."""
    if form.startswith("nl."):
        return torch_function(form[3:])
    if form.startswith("x:"):
        return getattr(torch.Tensor, form[2:])
    if form.startswith("op:"):
        return LUA_OPERATORS[form[3:]]
    return None


def schema_name(form):
    """The name of a form's operator in PyTorch's schema registry."""
    path = form[3:] if form.startswith("nl.") else form.partition(":")[2]
    space, _, name = path.rpartition(".")
    return f"{space}_{name}" if space in ("linalg", "fft", "special") else name


def invoke(form, args, kwargs):
    """Run a call in PyTorch and return what it returns."""
    if form == "get":
        return args[0][_index(args[1])]
    if form == "set":
        return _assigned(*args)
    if form.startswith("x."):
        return getattr(args[0], form[2:])
    return target(form)(*args, **kwargs)


def _assigned(x, index, value):
    x = x.clone()
    x[_index(index)] = value
    return x


def _index(index):
    return tuple(index) if isinstance(index, (list, tuple)) else index
