"""Distributions, transforms and constraints to export: how each is constructed, and what with."""

import torch

import encoding
from decoding import decode


class Made:
    """A distribution, transform or constraint of `torch.distributions`, by name, and its arguments,
    which may be such themselves; without arguments (None) the name is a value."""

    def __init__(self, kind, name, args=(), kwargs=None, inverse=False):
        self.kind, self.name, self.args, self.kwargs = kind, name, args, kwargs or {}
        self.inverse = inverse

    @property
    def inv(self):
        """The inverse of a transform."""
        return Made(self.kind, self.name, self.args, self.kwargs, True)

    def build(self):
        """The object, of the very tensors among the arguments."""
        value = getattr(_PLACES[self.kind](self.name), self.name)
        if self.args is None:
            return value
        value = value(*_built(self.args), **{n: _built(v) for n, v in self.kwargs.items()})
        return value.inv if self.inverse else value

    def encoded(self):
        """What a runner needs to construct it; dimensions count from 1."""
        said = {"made": f"{_PREFIXES[self.kind]}{self.name}"}
        if self.args is not None:
            said["args"] = _encoded(self._shifted())
            said["kwargs"] = {n: _encoded(self.kwargs[n]) for n in sorted(self.kwargs)}
        if self.inverse:
            said["inverse"] = True
        return said

    def _shifted(self):
        if self.name in _WITH_DIM:
            first, dim, *rest = self.args
            return [first, dim + 1 if dim >= 0 else dim, *rest]
        return list(self.args)

    def tensors(self):
        """All tensors among the arguments, in order."""
        return list(_tensors([self.args or [], [self.kwargs[n] for n in sorted(self.kwargs)]]))

    def changed(self, change):
        """The same with every tensor put through `change`."""
        return _changed(self, change)


_WITH_DIM = ("CatTransform", "StackTransform", "cat", "stack")  # their second argument
_PREFIXES = {"distribution": "distributions.", "transform": "distributions.transforms.",
             "constraint": "distributions.constraints."}


def _distribution_place(name):
    for module in (torch.distributions, torch.distributions.relaxed_bernoulli,
                   torch.distributions.relaxed_categorical):
        if hasattr(module, name):
            return module
    raise AttributeError(name)


_PLACES = {"distribution": _distribution_place,
           "transform": lambda name: torch.distributions.transforms,
           "constraint": lambda name: torch.distributions.constraints}


def _built(value):
    if isinstance(value, Made):
        return value.build()
    if isinstance(value, (list, tuple)):
        return type(value)(_built(v) for v in value)
    return value


def _encoded(value):
    if isinstance(value, Made):
        return value.encoded()
    if isinstance(value, (list, tuple)):
        return [_encoded(v) for v in value]
    return encoding.encode(value)


def _tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Made):
        yield from value.tensors()
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _tensors(one)


def _changed(value, change):
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, Made):
        args = value.args if value.args is None else _changed(value.args, change)
        return Made(value.kind, value.name, args,
                    {n: _changed(v, change) for n, v in value.kwargs.items()}, value.inverse)
    if isinstance(value, (list, tuple)):
        return type(value)(_changed(v, change) for v in value)
    return value


def made_of(encoded):
    """What `encoded` gave, read back; dimensions count from 0 again."""
    if isinstance(encoded, list):
        return [made_of(v) for v in encoded]
    if not isinstance(encoded, dict) or "made" not in encoded:
        return decode(encoded)
    prefix, _, name = encoded["made"].rpartition(".")
    kind = next(k for k, p in _PREFIXES.items() if p == prefix + ".")
    if "args" not in encoded:
        return Made(kind, name, None)
    args = made_of(encoded["args"])
    if name in _WITH_DIM:
        args[1] -= args[1] > 0
    return Made(kind, name, args, {n: made_of(v) for n, v in encoded["kwargs"].items()},
                encoded.get("inverse", False))


def d(name, *args, **kwargs):
    """A distribution."""
    return Made("distribution", name, args, kwargs)


def t(name, *args, **kwargs):
    """A transform."""
    return Made("transform", name, args, kwargs)


def c(name, *args):
    """A constraint with arguments, or a named one."""
    return Made("constraint", name, args or None)


def p(*numbers):
    """A parameter."""
    return torch.tensor(numbers, dtype=torch.float64)


_MATRIX = p([2.0, 0.5, 0.2], [0.5, 1.5, -0.3], [0.2, -0.3, 1.0])
_TRIL = torch.linalg.cholesky(_MATRIX)
_BATCH = torch.stack([_TRIL, 1.5 * _TRIL])
_REALS, _POSITIVES = p(-1.5, 0.3, 2.0), p(0.5, 1.0, 2.5)
_PROBS, _SIMPLEX = p(0.2, 0.5, 0.85), p(0.2, 0.5, 0.3)
_ROWS = p([0.2, 0.5, 0.3], [0.6, 0.1, 0.3])

# By name: constructors.
DISTRIBUTIONS = {
    "Bernoulli": [d("Bernoulli", _PROBS), d("Bernoulli", logits=_REALS), d("Bernoulli", 0.3),
                  d("Bernoulli", p(0.0, 1.0))],
    "Beta": [d("Beta", _POSITIVES, p(2.0, 0.7, 1.0)), d("Beta", 2.0, 3.0),
             d("Beta", p(20.0, 9.0), p(12.0, 7.0))],
    "Binomial": [d("Binomial", 5, _PROBS), d("Binomial", 30, logits=_REALS),
                 d("Binomial", p(3.0, 4.0), p(0.3, 1.0))],
    "Categorical": [d("Categorical", _ROWS), d("Categorical", logits=_REALS),
                    d("Categorical", p(0.0, 1.0, 3.0))],
    "Cauchy": [d("Cauchy", _REALS, _POSITIVES), d("Cauchy", 0.0, 1.0)],
    "Chi2": [d("Chi2", _POSITIVES), d("Chi2", 3.0)],
    "ContinuousBernoulli": [d("ContinuousBernoulli", _PROBS), d("ContinuousBernoulli", 0.3),
                            d("ContinuousBernoulli", logits=_REALS)],
    "Dirichlet": [d("Dirichlet", _POSITIVES), d("Dirichlet", p([0.5, 0.3], [12.0, 9.0]))],
    "Exponential": [d("Exponential", _POSITIVES), d("Exponential", 2.0)],
    "FisherSnedecor": [d("FisherSnedecor", p(3.0, 5.0, 1.5), p(5.0, 7.0, 3.0)),
                       d("FisherSnedecor", 3.0, 9.0)],
    "Gamma": [d("Gamma", _POSITIVES, p(1.0, 2.0, 0.5)), d("Gamma", 2.0, 1.0),
              d("Gamma", p(9.5, 30.0), 2.0)],
    "GeneralizedPareto": [d("GeneralizedPareto", _REALS, _POSITIVES, p(0.2, 0.0, -0.5)),
                          d("GeneralizedPareto", 0.0, 1.0, 0.1)],
    "Geometric": [d("Geometric", _PROBS), d("Geometric", logits=_REALS), d("Geometric", 0.3)],
    "Gumbel": [d("Gumbel", _REALS, _POSITIVES), d("Gumbel", 1.0, 2.0)],
    "HalfCauchy": [d("HalfCauchy", _POSITIVES), d("HalfCauchy", 2.0)],
    "HalfNormal": [d("HalfNormal", _POSITIVES), d("HalfNormal", 2.0)],
    "Independent": [d("Independent", d("Normal", _REALS, _POSITIVES), 1),
                    d("Independent", d("Bernoulli", _ROWS), 1),
                    d("Independent", d("Gamma", _ROWS, 1.0), 0)],
    "InverseGamma": [d("InverseGamma", _POSITIVES, p(1.0, 2.0, 0.5)), d("InverseGamma", 3.0, 1.0)],
    "Kumaraswamy": [d("Kumaraswamy", p(2.0, 0.5, 1.5), p(3.0, 2.0, 1.5)),
                    d("Kumaraswamy", 2.0, 3.0)],
    "LKJCholesky": [d("LKJCholesky", 3, 1.5), d("LKJCholesky", 2, p(0.5, 2.0))],
    "Laplace": [d("Laplace", _REALS, _POSITIVES), d("Laplace", 0.0, 1.0)],
    "LogNormal": [d("LogNormal", _REALS, _POSITIVES), d("LogNormal", 0.0, 1.0)],
    "LogisticNormal": [d("LogisticNormal", _REALS, _POSITIVES), d("LogisticNormal", 0.5, 1.0)],
    "LogitRelaxedBernoulli": [d("LogitRelaxedBernoulli", p(0.7), _PROBS),
                              d("LogitRelaxedBernoulli", p(1.5), logits=_REALS)],
    "LowRankMultivariateNormal": [
        d("LowRankMultivariateNormal", _REALS, p([1.0, 0.2], [0.5, -1.0], [0.1, 0.3]), _POSITIVES),
        d("LowRankMultivariateNormal", _ROWS, p([1.0], [0.5], [0.1]), _POSITIVES)],
    "MixtureSameFamily": [
        d("MixtureSameFamily", d("Categorical", _SIMPLEX), d("Normal", _REALS, _POSITIVES)),
        d("MixtureSameFamily", d("Categorical", _SIMPLEX),
          d("Independent", d("Normal", torch.stack([_REALS, _POSITIVES], -1), 1.5), 1))],
    "Multinomial": [d("Multinomial", 5, _ROWS), d("Multinomial", 4, logits=_REALS)],
    "MultivariateNormal": [d("MultivariateNormal", _REALS, _MATRIX),
                           d("MultivariateNormal", _REALS, precision_matrix=_MATRIX),
                           d("MultivariateNormal", _ROWS, scale_tril=_TRIL),
                           d("MultivariateNormal", _REALS, scale_tril=_BATCH)],
    "NegativeBinomial": [d("NegativeBinomial", 5.0, _PROBS),
                         d("NegativeBinomial", p(0.0, 2.5, 3.0), logits=_REALS)],
    "Normal": [d("Normal", _REALS, _POSITIVES), d("Normal", 1.0, 2.0),
               d("Normal", _ROWS, 0.5)],
    "OneHotCategorical": [d("OneHotCategorical", _ROWS), d("OneHotCategorical", logits=_REALS)],
    "OneHotCategoricalStraightThrough": [d("OneHotCategoricalStraightThrough", _ROWS)],
    "Pareto": [d("Pareto", _POSITIVES, p(3.0, 1.5, 0.5)), d("Pareto", 1.0, 3.0)],
    "Poisson": [d("Poisson", p(0.5, 4.0, 20.0)), d("Poisson", 3.0)],
    "RelaxedBernoulli": [d("RelaxedBernoulli", p(0.7), _PROBS),
                         d("RelaxedBernoulli", p(1.5), logits=_REALS)],
    "RelaxedOneHotCategorical": [d("RelaxedOneHotCategorical", p(0.7), _ROWS),
                                 d("RelaxedOneHotCategorical", p(1.5), logits=_REALS)],
    "StudentT": [d("StudentT", p(3.0, 1.5, 0.5), _REALS, _POSITIVES), d("StudentT", p(4.0))],
    "TransformedDistribution": [
        d("TransformedDistribution", d("Normal", _REALS, _POSITIVES),
          [t("ExpTransform"), t("AffineTransform", 1.0, p(2.0, -1.0, 0.5))]),
        d("TransformedDistribution", d("Uniform", p(0.1, 0.2), 0.9), t("SigmoidTransform").inv),
        d("TransformedDistribution", d("Normal", _ROWS, 1.0), [t("StickBreakingTransform")]),
        d("TransformedDistribution", d("Gamma", _POSITIVES, 1.0), [])],
    "Uniform": [d("Uniform", _REALS, _REALS + _POSITIVES), d("Uniform", 1.0, 3.0)],
    "VonMises": [d("VonMises", _REALS, p(0.5, 3.0, 20.0))],
    "Weibull": [d("Weibull", _POSITIVES, p(1.0, 2.0, 0.5)), d("Weibull", 1.0, 2.0)],
    "Wishart": [d("Wishart", p(4.0), _MATRIX), d("Wishart", 5.0, precision_matrix=_MATRIX),
                d("Wishart", p(4.0, 6.5), scale_tril=_BATCH)],
}

_EXP = t("ExpTransform")
_AFFINE = t("AffineTransform", 1.0, p(2.0, -1.0, 0.5))

# Transforms and inputs.
TRANSFORMS = [
    (_EXP, _REALS), (t("AbsTransform"), _REALS), (_AFFINE, _REALS), (_EXP.inv, _POSITIVES),
    (t("AffineTransform", 1.0, -2.0, 1), _ROWS), (t("PowerTransform", p(2.0, -1.0, 0.5)), _POSITIVES),
    (t("SigmoidTransform"), _REALS), (t("SoftplusTransform"), _REALS), (t("TanhTransform"), _REALS),
    (t("ComposeTransform", [_EXP, _AFFINE]), _REALS), (t("ComposeTransform", [_EXP, _AFFINE]).inv, p(2.0, 0.5, 3.0)),
    (t("ComposeTransform", [t("StickBreakingTransform"), t("AffineTransform", 0.0, 3.0)]), _ROWS),
    (t("IndependentTransform", _EXP, 1), _ROWS), (t("ReshapeTransform", [3], [3, 1]), _ROWS),
    (t("SoftmaxTransform"), _ROWS), (t("StickBreakingTransform"), _ROWS),
    (t("CorrCholeskyTransform"), p([0.3, -0.2, 1.0], [0.1, 0.5, -2.0])),
    (t("LowerCholeskyTransform"), _MATRIX), (t("PositiveDefiniteTransform"), _MATRIX),
    (t("CatTransform", [_EXP, t("TanhTransform")], 0, [1, 2]), _REALS),
    (t("CatTransform", [_EXP, t("TanhTransform")], -1, [1, 2]), _ROWS),
    (t("CatTransform", [t("StickBreakingTransform"), t("StickBreakingTransform")], 0, [1, 1]), _ROWS),
    (t("StackTransform", [_EXP, t("TanhTransform")], 0), _ROWS),
    (t("StackTransform", [_EXP, _EXP, t("SigmoidTransform")], 1), _ROWS),
    (t("CumulativeDistributionTransform", d("Normal", 0.5, _POSITIVES)), _REALS),
]

_VECTORS = p([0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0], [-0.2, 0.9, 0.3])
_NUMBERS = p(-1.0, -0.5, 0.0, 0.3, 1.0, 1.5, 2.0, 3.0, float("nan"), float("inf"))
_MATRICES = torch.stack([torch.eye(3, dtype=torch.float64), _MATRIX, _TRIL, -_MATRIX,
                         _TRIL / _TRIL.norm(dim=-1, keepdim=True)])
_UNIT = torch.where(torch.eye(3, dtype=torch.float64) == 1, 1.0, 0.0)

# Constraints and values.
CONSTRAINTS = [
    *[(c(name), _NUMBERS) for name in (
        "boolean", "nonnegative", "nonnegative_integer", "positive", "positive_integer", "real",
        "unit_interval")],
    *[(c(name, 1.0), _NUMBERS) for name in ("greater_than", "greater_than_eq", "less_than")],
    *[(c(name, 0.3, 2.0), _NUMBERS) for name in ("interval", "half_open_interval")],
    (c("integer_interval", 0, 2), _NUMBERS), (c("multinomial", 2), _VECTORS),
    (c("interval", p(0.0, 0.5, 0.0), 0.5), _VECTORS),
    *[(c(name), _VECTORS) for name in ("one_hot", "simplex", "real_vector")],
    *[(c(name), _MATRICES) for name in (
        "corr_cholesky", "lower_cholesky", "lower_triangular", "positive_definite",
        "positive_semidefinite", "square", "symmetric")],
    (c("square"), _VECTORS), (c("positive_definite"), _VECTORS), (c("corr_cholesky"), _UNIT),
    (c("independent", c("positive"), 1), _VECTORS), (c("independent", c("positive"), 2), _VECTORS),
    (c("MixtureSameFamilyConstraint", c("positive")), _VECTORS),
    (c("MixtureSameFamilyConstraint", c("simplex")), _VECTORS),
    (c("cat", [c("positive"), c("unit_interval")], 1, [1, 2]), _VECTORS),
    (c("stack", [c("positive"), c("real"), c("unit_interval")], 1), _VECTORS),
]

# Constraints and real numbers that are taken there.
REGISTERED = [
    *[(c(name), _REALS) for name in ("real", "positive", "nonnegative", "unit_interval", "simplex")],
    (c("greater_than", 1.0), _REALS), (c("greater_than_eq", p(1.0, 2.0, 3.0)), _REALS),
    (c("less_than", 1.0), _REALS), (c("interval", 1.0, 3.0), _REALS),
    (c("half_open_interval", 1.0, 3.0), _REALS), (c("real_vector"), _REALS),
    (c("independent", c("positive"), 1), _ROWS), (c("corr_cholesky"), _REALS),
    (c("lower_cholesky"), _MATRIX), (c("positive_definite"), _MATRIX),
    (c("positive_semidefinite"), _MATRIX),
    (c("cat", [c("positive"), c("unit_interval")], 0, [1, 2]), _REALS),
    (c("stack", [c("positive"), c("real"), c("unit_interval")], 0), _REALS),
]

# What counts positions from 1 in nnlua: the steps whose results do, and those whose arguments do.
COUNTING_RESULTS = {"Categorical": {"sample", "enumerate_support", "mode"}}
COUNTING_ARGUMENTS = {"Categorical": {"log_prob"}}
