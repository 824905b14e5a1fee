"""Cases for torch.distributions: fields, densities, draws and their gradients; divergences, transforms, constraints."""

import collections
import re

import torch

import encoding
from cases import as_line, encoded_results
from distribution_table import (CONSTRAINTS, COUNTING_ARGUMENTS, COUNTING_RESULTS,
                                DISTRIBUTIONS, REGISTERED, TRANSFORMS)

_FIELDS = ("mean", "mode", "variance", "stddev")
_SHAPES = ([], [3], [2, 9], [20])  # normal numbers are drawn in blocks of 16
_TOLERANCE = {torch.float32: dict(rtol=2e-4, atol=2e-5), torch.float64: dict(rtol=5e-8, atol=5e-9),
              torch.float16: dict(rtol=4e-2, atol=1e-2), torch.bfloat16: dict(rtol=1.5e-1, atol=6e-2)}
_HALVES = (torch.float16, torch.bfloat16)  # values alone: gradients cancel down to roundings


def files():
    """All files of the family, by name."""
    own = {name: lambda options, n=name: _export_distribution(n, options) for name in DISTRIBUTIONS}
    return {**own, "kl_divergence": _export_divergences, "transforms": _export_transforms,
            "constraints": _export_constraints, "registry": _export_registry}


def _dtypes(options):
    return [dtype for dtype in _TOLERANCE if dtype in options.dtypes]


def of_dtype(made, dtype, with_gradients=True):
    """The same with tensors of a dtype, leaves of their own."""
    return made.changed(lambda x: x.detach().to(dtype).clone().requires_grad_(with_gradients))


def _shifted(value, counts):
    """Positions counted from 1, if it counts positions."""
    return value + 1 if counts else value


def weighted_gradients(result, leaves, twice=False):
    """The gradients of a sum with weights from 0.5 to 1.5, for each leaf; None if there are none."""
    if not (result.requires_grad and leaves):
        return None
    weights = torch.linspace(0.5, 1.5, result.numel(), dtype=result.dtype).reshape(result.shape)
    return torch.autograd.grad((result * weights).nan_to_num(0, 0, 0).sum(), leaves, allow_unused=True,
                               retain_graph=True, create_graph=twice)


def second_gradients(gradients, leaves):
    """The gradients of the sum of the squares of those that have some; None if none has."""
    squares = [g.nan_to_num(0, 0, 0).square().sum() for g in gradients
               if g is not None and g.requires_grad]
    try:
        return squares and torch.autograd.grad(sum(squares), leaves, allow_unused=True, retain_graph=True) or None
    except RuntimeError:  # PyTorch has no second derivative
        return None


def text_of(value):
    """What is printed, as nnlua prints it: a size is its list."""
    text = re.sub(r"torch\.Size\((\[.*?\])\)", r"\1", repr(value)).replace("torch.", "nnlua.")
    return re.sub(r"Backward\d+>", "Backward>", text)


# --------------------------------------------------------------- distributions

def _export_distribution(name, options):
    lines, skipped = [], collections.Counter()
    for number, made in enumerate(DISTRIBUTIONS[name], start=1):
        for dtype in _dtypes(options) if made.tensors() else _dtypes(options)[:1]:
            identity = f"{number}.{encoding.dtype_name(dtype)}"
            _add(lines, skipped, dtype, lambda: {
                **_distribution_case(name, of_dtype(made, dtype), dtype, options.seed, skipped), "id": identity})
    return lines, skipped


def _add(lines, skipped, dtype, make_case):
    """Adds what `make_case` gives; what PyTorch can't in half precision is counted."""
    try:
        lines.append(as_line(make_case()))
    except (RuntimeError, ValueError):
        if dtype not in _HALVES:
            raise
        skipped["PyTorch can't in half precision"] += 1


def _distribution_case(name, made, dtype, seed, skipped):
    built, leaves = made.build(), made.tensors()
    text, steps = text_of(built), []

    def add(what, **step):
        try:
            steps.append(run_step(name, built, leaves, step))
        except (NotImplementedError, RuntimeError):
            skipped[f"PyTorch has no {what}"] += 1

    for field in _FIELDS:
        add(field, field=field)
    add("entropy", call="entropy", args=[])
    for shape in _SHAPES:
        add("sample", call="sample", args=[shape], seed=seed)
    if built.has_rsample:
        for shape in _SHAPES:
            add("rsample", call="rsample", args=[shape], seed=seed)
    torch.manual_seed(seed + 1)
    value = built.sample([4]).detach()
    add("log_prob", call="log_prob", args=[value])
    add("cdf", call="cdf", args=[value])
    if value.is_floating_point():
        probabilities = torch.rand(built._extended_shape([4]), dtype=value.dtype) * 0.9 + 0.05
        add("icdf", call="icdf", args=[probabilities])
    if built.has_enumerate_support:
        for expand in (True, False):
            add("enumerate_support", call="enumerate_support", args=[expand])
    return {"of": name, "made": made.encoded(), "has_rsample": bool(built.has_rsample),
            "batch_shape": list(built.batch_shape), "event_shape": list(built.event_shape),
            "text": text, "steps": steps, **_TOLERANCE[dtype]}


def run_step(name, built, leaves, step):
    """A step with its result and gradients."""
    if "seed" in step:
        torch.manual_seed(step["seed"])
    if "field" in step:
        result, what, given = getattr(built, step["field"]), step["field"], []
    else:
        what = step["call"]
        given = [a.clone().requires_grad_() if _takes_gradient(a, what) else a for a in step["args"]]
        result = getattr(built, what)(*given)
    said = {k: v for k, v in step.items() if k != "args"}
    if "args" in step:
        counts = what in COUNTING_ARGUMENTS.get(name, ())
        said["args"] = [encoding.encode(_shifted(a, counts)) for a in given]
    said["out"] = encoded_results(_shifted(result, what in COUNTING_RESULTS.get(name, ())))
    wanted = leaves + [a for a in given if isinstance(a, torch.Tensor) and a.requires_grad]
    twice = result.dtype is torch.float64
    without = what == "sample" or result.dtype in _HALVES
    gradients = None if without else weighted_gradients(result, wanted, twice)
    if gradients is not None:
        said["grads"] = _encoded_all(gradients)
        second = second_gradients(gradients, wanted) if twice else None
        if second is not None:
            said["second"] = _encoded_all(second)
    return said


def _encoded_all(gradients):
    return [None if g is None else encoding.encode(g.detach().contiguous()) for g in gradients]


def _takes_gradient(value, what):
    return isinstance(value, torch.Tensor) and value.is_floating_point() and what in ("log_prob", "cdf", "icdf")


# ------------------------------------------------------------------ divergences

def _examples(cls):
    """Constructors of a class in the table."""
    return DISTRIBUTIONS.get(cls.__name__, [])


def _export_divergences(options):
    lines, skipped = [], collections.Counter()
    for cls_p, cls_q in torch.distributions.kl._KL_REGISTRY:
        for number, p in enumerate(_examples(cls_p)):
            for other, q in enumerate(_examples(cls_q)):
                has_tensors = p.tensors() and q.tensors()  # numbers alone become float32
                for dtype in _dtypes(options) if has_tensors else _dtypes(options)[:1]:
                    identity = (f"{cls_p.__name__}.{number + 1}.{cls_q.__name__}.{other + 1}."
                                f"{encoding.dtype_name(dtype)}")
                    try:
                        lines.append(as_line(_divergence_case(identity, p, q, dtype)))
                    except (NotImplementedError, RuntimeError, ValueError, IndexError) as error:
                        skipped[f"PyTorch raises {type(error).__name__}"] += 1
    return lines, skipped


def _divergence_case(identity, p, q, dtype):
    p, q = of_dtype(p, dtype), of_dtype(q, dtype)
    result = torch.distributions.kl_divergence(p.build(), q.build())
    gradients = None if dtype in _HALVES else weighted_gradients(result, p.tensors() + q.tensors())
    case = {"id": identity, "p": p.encoded(), "q": q.encoded(), "out": encoded_results(result)}
    if gradients is not None:
        case["grads"] = [None if g is None else encoding.encode(g.contiguous()) for g in gradients]
    return {**case, **_TOLERANCE[dtype]}


# ------------------------------------------------------- transforms, constraints

def _transform_case(identity, made, x, dtype, form="made"):
    made, x = of_dtype(made, dtype), x.to(dtype).clone().requires_grad_()
    transform = made.build()
    if form != "made":
        transform = getattr(torch.distributions, form)(transform)
    y = transform(x)
    leaves = made.tensors() + [x]
    case = {"id": identity, form: made.encoded(), "x": encoding.encode(x), "y": encoded_results(y),
            "bijective": transform.bijective, "grads": encoded_gradients(y, leaves),
            "forward_shape": list(transform.forward_shape(x.shape)),
            "inverse_shape": list(transform.inverse_shape(y.shape)),
            "domain_event_dim": transform.domain.event_dim,
            "codomain_event_dim": transform.codomain.event_dim}
    try:
        inverse = transform.inv(y.detach())
        case["inverse"] = encoded_results(inverse)
    except NotImplementedError:
        pass
    try:
        jacobian = transform.log_abs_det_jacobian(x, transform(x))
        case["log_abs_det_jacobian"] = encoded_results(jacobian)
        case["jacobian_grads"] = encoded_gradients(jacobian, leaves)
    except NotImplementedError:
        pass
    return {**case, **_TOLERANCE[dtype]}


def encoded_gradients(result, leaves):
    """The weighted gradients as JSON has them."""
    gradients = () if result.dtype in _HALVES else weighted_gradients(result, leaves) or ()
    return [None if g is None else encoding.encode(g.contiguous()) for g in gradients]


def _export_transforms(options):
    lines, skipped = [], collections.Counter()
    for n, (made, x) in enumerate(TRANSFORMS, start=1):
        for dtype in _dtypes(options):
            identity = f"{n}.{made.name}.{encoding.dtype_name(dtype)}"
            _add(lines, skipped, dtype, lambda: _transform_case(identity, made, x, dtype))
    return lines, skipped


def _export_registry(options):
    lines, skipped = [], collections.Counter()
    for n, (made, x) in enumerate(REGISTERED, start=1):
        for form in ("biject_to", "transform_to"):
            for dtype in _dtypes(options):
                identity = f"{n}.{form}.{made.name}.{encoding.dtype_name(dtype)}"
                try:
                    _add(lines, skipped, dtype, lambda: _transform_case(identity, made, x, dtype, form))
                except NotImplementedError:
                    skipped["PyTorch has no such transform"] += 1
    return lines, skipped


def _export_constraints(options):
    lines = []
    for n, (made, value) in enumerate(CONSTRAINTS, start=1):
        for dtype in _dtypes(options):
            own, x = of_dtype(made, dtype, False), value.to(dtype)
            built = own.build()
            lines.append(as_line({
                "id": f"{n}.{made.name}.{encoding.dtype_name(dtype)}", "constraint": own.encoded(),
                "value": encoding.encode(x), "out": encoded_results(built.check(x)),
                "event_dim": built.event_dim, "is_discrete": built.is_discrete, "rtol": 0.0, "atol": 0.0}))
    return lines, {}
