"""Names that people type and that are no functions of the language: what to write instead, and what
other libraries call the functions that are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.functions.deviations import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANDOM = "it draws random numbers, and a check needs the same value twice: give them as an input"
_INDEX = "it answers an index, which has no derivative"
_NO_ROW = "it is not part of the language"
# fmt: off
# What stands between backticks is read by a test.
INSTEAD: Mapping[str, str] = {
    "sumsq": "write `sum(x**2)`", "sumsquare": "write `sum(x**2)`",
    "sigm": "write `sigmoid(x)`", "logistic": "write `sigmoid(x)`",
    "rand": _RANDOM, "randn": _RANDOM, "bernoulli": _RANDOM, "multinomial": _RANDOM, "gumbel_softmax": _RANDOM,
    "argmax": _INDEX, "argmin": _INDEX, "argsort": _INDEX, "nonzero": _INDEX, "searchsorted": _INDEX,
    "eig": _NO_ROW, "eigh": _NO_ROW,
    "svd": _NO_ROW, "qr": _NO_ROW, "fft": "complex numbers are not checked", "imag": "complex numbers are not checked",
    "grad": "the gradient is what is checked: give the function alone",
    "length": "write `norm(x)` for the length of a vector, `numel(x)` for how many numbers it has", "len": "write `numel(x)`", "avg": "write `mean(x)`",
    "sqr": "write `x**2`", "heavyside": "write `heaviside(x)`", "step": "write `where(x > 0, 1, 0)`", "indicator": "write `where(x > 0, 1, 0)`",
    "iff": "write `where(c > 0, x, y)`", "if_else": "write `where(c > 0, x, y)`", "cond": "write `where(c > 0, x, y)`",
    "rect": "write `where(abs(x) < 1/2, 1, 0)`", "smoothstep": "write `clamp(x, 0, 1)**2*(3 - 2*clamp(x, 0, 1))`", "erfcinv": "write `erfinv(1 - x)`",
    "logsum": "write `logsumexp(x)`", "sigma": "write `sigmoid(x)`", "arg": "write `atan2(y, x)`", "sum_of_squares": "write `sum(x**2)`",
    "squared_difference": "write `(x - y)**2`", "hinge": "write `relu(1 - y*x)`",
    "l2_normalize": "write `x/norm(x)`", "mse": "write `mse_loss(x, y)`", "mae": "write `l1_loss(x, y)`", "rmse": "write `sqrt(mse_loss(x, y))`",
}
# fmt: on

_HALF = {"correction": 0}
_SAME = "abs sqrt exp log log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
_MORE = "sigmoid erf erfc lgamma digamma maximum minimum floor ceil round sign rsqrt square"
_ACTIVATIONS = "relu relu6 elu selu silu swish softplus softsign sigmoid tanh softmax log_softmax"


def _plain(words: str) -> dict[str, Elsewhere]:
    return {name: Elsewhere({"swish": "silu"}.get(name, name)) for name in words.split()}


_TF = _plain(f"{_SAME} {_MORE} atan2 erfinv reciprocal xlogy xlog1py softplus softsign pow add") | {
    "subtract": Elsewhere("sub"),
    "multiply": Elsewhere("mul"),
    "divide": Elsewhere("div"),
    "reduce_sum": Elsewhere("sum"),
    "reduce_mean": Elsewhere("mean"),
    "reduce_prod": Elsewhere("prod"),
    "reduce_max": Elsewhere("amax"),
    "reduce_min": Elsewhere("amin"),
    "reduce_logsumexp": Elsewhere("logsumexp"),
    "reduce_variance": Elsewhere("var", _HALF),
    "reduce_std": Elsewhere("std", _HALF),
    "log_sigmoid": Elsewhere("logsigmoid"),
    "matmul": Elsewhere("matmul"),
    "where": Elsewhere("where"),
    "reshape": Elsewhere("reshape"),
    "expand_dims": Elsewhere("unsqueeze"),
    "clip_by_value": Elsewhere("clamp"),
    "stop_gradient": Elsewhere("stop_gradient"),
    "norm": Elsewhere("norm"),
}
_KERAS = _plain(f"{_ACTIVATIONS} gelu mish leaky_relu") | {
    "exponential": Elsewhere("exp"),
    "leaky_relu": Elsewhere("leaky_relu", {"negative_slope": Fraction(1, 5)}),
}
_JAX_NN = _plain(f"{_ACTIVATIONS} mish celu leaky_relu logsumexp") | {
    "soft_sign": Elsewhere("softsign"),
    "log_sigmoid": Elsewhere("logsigmoid"),
    "hard_sigmoid": Elsewhere("hardsigmoid"),
    "hard_silu": Elsewhere("hardswish"),
    "hard_swish": Elsewhere("hardswish"),
    "hard_tanh": Elsewhere("hardtanh"),
    "gelu": Elsewhere("gelu", {"approximate": "tanh"}),
}
_LAX = _plain(f"{_SAME} erf erfc lgamma digamma floor ceil sign rsqrt square add sub mul div") | {
    "logistic": Elsewhere("sigmoid"),
    "max": Elsewhere("maximum"),
    "min": Elsewhere("minimum"),
    "stop_gradient": Elsewhere("stop_gradient"),
}
# Libraries of which only these functions are known to be the same, by their documentation; each
# with its row, and with the defaults that it has there.
ACCEPTED: Mapping[str, Mapping[str, Elsewhere]] = {
    "tf": _TF,
    "tf.math": _TF,
    "tf.nn": _plain(f"{_ACTIVATIONS} gelu")
    | {"leaky_relu": Elsewhere("leaky_relu", {"negative_slope": Fraction(1, 5)})},
    "tf.linalg": _plain("det trace matmul norm") | {"inv": Elsewhere("inverse")},
    "keras.activations": _KERAS,
    "tf.keras.activations": _KERAS,
    "jax.nn": _JAX_NN,
    "jax.lax": _LAX,
    "lax": _LAX,
}
