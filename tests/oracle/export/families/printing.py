"""Cases for printing: tensors, and the texts that PyTorch has for them."""

import collections
import random

import torch

import encoding
from cases import as_line

_PER_OP, _LONG_PER_OP = 12, 2  # cases of a file, times --per-op; 0 is as many as the default of 8
_SPECIAL = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0]

_SHAPES = [(), (1,), (2,), (3,), (5,), (7,), (15,), (40,), (1, 1), (2, 3), (3, 2), (4, 1), (1, 9), (6, 7), (2, 2, 3),
           (1, 3, 1), (2, 1, 2, 2), (1, 2, 1, 2, 2)]
_EMPTY = [(0,), (0, 3), (3, 0), (2, 0, 4), (0, 0), (1, 0, 1)]
_LONG = [(1000,), (1001,), (1200,), (10, 101), (7, 150), (150, 7), (200, 6), (6, 6, 30), (2, 3, 4, 50), (7, 7, 7, 3), (1, 1001),
         (1001, 1), (3, 400)]


def files():
    """All files of the family, by name."""
    return {"printed_tensors": _export_tensors, "printed_empty": _export_empty, "printed_long": _export_long,
            "printed_options": _export_options}


# ---------------------------------------------------------------------- numbers

def _real(source):
    """A way to draw numbers of one kind of magnitude."""
    exponent = source.choice([-45, -38, -20, -8, -5, -4, -3, -1, 0, 1, 2, 3, 4, 7, 8, 9, 20, 38])
    spread = source.choice([0, 0, 1, 2, 3, 4, 6])
    kind = source.choice(["any", "any", "any", "integral", "few digits", "near the next digit", "special", "zeros"])

    def draw():
        sign = source.choice([1, 1, -1])
        if kind == "integral":
            return float(sign * source.randrange(10 ** min(max(exponent, 1), 12)))
        if kind == "few digits":
            return sign * round(source.uniform(0, 10), source.randrange(3))
        if kind == "near the next digit":
            return sign * (10.0 ** source.randrange(-5, 6)) * source.choice([1, 0.99995, 0.999949, 0.9999951, 9.99995])
        if kind == "special" and source.random() < 0.4:
            return source.choice(_SPECIAL)
        if kind == "zeros" and source.random() < 0.7:
            return source.choice([0.0, -0.0])
        return sign * source.uniform(1, 10) * 10.0 ** (exponent + source.uniform(-spread, spread) / 2)
    return draw


def _numbers(source, dtype, count):
    if dtype is torch.bool:
        return [source.random() < 0.5 for _ in range(count)]
    if not (dtype.is_floating_point or dtype.is_complex):
        info = torch.iinfo(dtype)
        most = min(10 ** source.randrange(1, 19), info.max)
        return [source.randint(max(-most, info.min), most) for _ in range(count)]
    draw = _real(source)
    if not dtype.is_complex:
        return [draw() for _ in range(count)]
    other = _real(source)
    return [complex(draw(), other()) for _ in range(count)]


def _tensor(source, dtype, shape):
    count = 1
    for size in shape:
        count *= size
    return torch.tensor(_numbers(source, dtype, count), dtype=torch.float64 if dtype.is_floating_point else dtype) \
        .reshape(shape).to(dtype)


# ------------------------------------------------------------------------ cases

def _text(value):
    return repr(value).replace("dtype=torch.", "dtype=nnlua.")


def case(name, tensor, options=None, default=None, role=None, meta=False):
    """What is printed of a tensor in its role: a leaf that requires a gradient, a Parameter, one without elements."""
    torch.set_printoptions(profile="default")
    if options:
        torch.set_printoptions(**options)
    if default:
        torch.set_default_dtype(encoding.DTYPES[default])
    value = tensor.to("meta") if meta else tensor
    if role == "leaf":
        value = value.detach().requires_grad_()
    elif role == "parameter":
        value = torch.nn.Parameter(value.detach())
    text = _text(value)
    torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default")
    encoded = encoding.encode_shape(tensor) if meta else encoding.encode(tensor)
    held = {"id": name, "value": encoded, "options": options, "default": default, "role": role, "meta": meta, "text": text}
    return {key: value for key, value in held.items() if value or key == "value"}


def _layouts(source, tensor):
    """The tensor, or one with other strides."""
    kind = source.choice(["plain", "plain", "plain", "transposed", "gaps", "expanded"])
    if kind == "transposed" and tensor.ndim > 1:
        return tensor.transpose(0, -1)
    if kind == "gaps" and tensor.ndim > 0 and tensor.shape[-1] > 1:
        return tensor[..., ::2]
    if kind == "expanded" and tensor.ndim > 0 and tensor.shape[0] == 1:
        return tensor.expand(2, *tensor.shape[1:])
    return tensor


def _export(options, shapes, settings, per_op=_PER_OP):
    """Cases of random tensors; `settings` draws what else a case has."""
    lines, source = [], random.Random(options.seed * 1000 + len(shapes))
    dtypes = [d for d in encoding.DTYPES.values() if d in options.dtypes]
    for i in range(per_op * (options.per_op or 8)):
        dtype, shape = source.choice(dtypes), source.choice(shapes)
        tensor = _layouts(source, _tensor(source, dtype, shape))
        more = settings(source, dtype)
        name = f"{i}.{encoding.dtype_name(dtype)}.{'x'.join(map(str, tensor.shape))}"
        lines.append(as_line(case(name, tensor, **more)))
    return lines, collections.Counter()


def _roles(source, dtype):
    inexact = dtype.is_floating_point or dtype.is_complex
    more = {"role": source.choice([None, None, None, "leaf", "parameter"]) if inexact else None,
            "default": source.choice([None, None, None, "float64"]), "meta": source.random() < 0.05}
    return {key: value for key, value in more.items() if value}


def _export_tensors(options):
    return _export(options, _SHAPES, _roles)


def _export_empty(options):
    return _export(options, _EMPTY, _roles)


def _export_long(options):
    return _export(options, _LONG, lambda source, dtype: {}, _LONG_PER_OP)


def _print_options(source, dtype):
    options = {"precision": source.choice([0, 1, 2, 4, 6, 10]), "threshold": source.choice([1, 5, 20, 1000]),
               "edgeitems": source.choice([1, 2, 3]), "linewidth": source.choice([10, 30, 80, 120]),
               "sci_mode": source.choice([True, False])}
    chosen = {key: value for key, value in options.items() if source.random() < 0.5}
    return {"options": chosen or {"precision": 3}}


def _export_options(options):
    return _export(options, _SHAPES, _print_options)
