"""Activation rows: `torch.nn.functional` by the same names, all derived from the arithmetic and
elementary rows.

The pullbacks are the `*_backward` kernels of ATen (`native/cpu/Activation.cpp`,
`BinaryOpsKernel.cpp`).
"""

from __future__ import annotations

from typing import Any

from gradcheck_cli.functions.deviations import Approximation
from gradcheck_cli.functions.elsewhere import dims_elsewhere
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, flag, integer

# Klambauer et al. 2017, as many digits as ATen's `SELU_ALPHA` and `SELU_SCALE`; decimals, so each
# is rounded to the dtype as there.
_ALPHA = "(16732632423543772848170429916717 / 10**31)"
_SCALE = "(10507009873554804934193349852946 / 10**31)"


# Of `torch.nn.functional.softplus`.
_THRESHOLD = 20


def _is_single(value: Any) -> bool:
    """Whether a float32 holds a number, if one of so few digits is in its range."""
    if abs(value) == float("inf"):
        return True
    numerator, denominator = abs(value).as_integer_ratio()
    while numerator and numerator % 2 == 0:
        numerator //= 2
    return bool(denominator & (denominator - 1) == 0 and numerator < 2**24)


def _above(threshold: Any, x: str, otherwise: str) -> str:
    """`x` where `beta * x` is above a threshold that is given."""
    return otherwise if threshold is None else f"where(x * beta > threshold, {x}, {otherwise})"


def _gelu(approximate: str) -> str:
    match approximate:
        case "none":
            return "x / 2 * (1 + erf(x / sqrt(2)))"
        case "tanh":
            return "x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 44715 / 1000000 * (x * x * x))))"
    raise CallError(f"approximate is 'none' or 'tanh', not {approximate!r}")


def _gelu_slope(shapes: Any, approximate: str) -> tuple[str, ...]:
    return ("ndtr(x) + x * exp(-x**2 / 2) / sqrt(2 * pi)",) if approximate == "none" else ()


def _single(dim: Any) -> int:
    if not isinstance(dim, int):
        raise CallError(f"one dim is needed, not {dim}")
    return dim


def _glu(dim: Any) -> str:
    along = f"dim={integer('dim', dim)}"
    return f"halved(x, {along}, part=0) * sigmoid(halved(x, {along}, part=1))"


def _half(k: Any, x: Any, dim: Any, part: int) -> Any:
    axis = axis_of(x.ndim, dim)
    if not x.ndim or x.shape[axis] % 2:
        raise ValueError("two halves need an even number of elements along dim")
    return k.np.split(x, 2, axis)[integer("part", part)]


def _torch_half(t: Any, x: Any, dim: Any, part: Any) -> Any:
    axis = axis_of(x.dim(), dim)
    return x.unflatten(axis, (2, -1)).select(axis, integer("part", part))


def _rrelu(lower: Any, upper: Any, training: Any) -> str:
    if flag("training", training):
        raise CallError("in training rrelu draws random slopes: write leaky_relu with one")
    return "maximum(x, 0) + (lower + upper) / 2 * minimum(x, 0)"


# fmt: off
ROWS = (
    Function("relu",       "x",                      torch=lambda t, x: t.nn.functional.relu(x),  means="maximum(x, 0)",
             pullback=("where(x > 0, ybar, 0)",), rounds=(0, 0)),
    Function("relu6",      "x",                      torch=lambda t, x: t.nn.functional.relu6(x), means="minimum(maximum(x, 0), 6)",
             pullback=("where(x > 0, where(x < 6, ybar, 0), 0)",), rounds=(0, 0)),
    Function("leaky_relu", "x; negative_slope=0.01", torch=lambda t, x, negative_slope: t.nn.functional.leaky_relu(x, negative_slope),
             means="maximum(x, 0) + negative_slope * minimum(x, 0)", pullback=("where(x > 0, ybar, ybar * negative_slope)",)),
    Function("elu",        "x; alpha=1.0",           torch=lambda t, x, alpha: t.nn.functional.elu(x, alpha),
             means="maximum(x, 0) + alpha * expm1(minimum(x, 0))",
             pullback=("where(x > 0, ybar, ybar * alpha * exp(x))",)),
    Function("selu",       "x",                      torch=lambda t, x: t.nn.functional.selu(x),
             means=f"{_SCALE} * maximum(x, 0) + {_ALPHA} * {_SCALE} * expm1(minimum(x, 0))",
             pullback=(f"where(x > 0, ybar * {_SCALE}, ybar * ({_ALPHA} * {_SCALE}) * exp(x))",)),
    Function("celu",       "x; alpha=1.0",           torch=lambda t, x, alpha: t.nn.functional.celu(x, alpha),
             means="maximum(x, 0) + alpha * expm1(minimum(x, 0) / alpha)",
             pullback=("where(x > 0, ybar, ybar * (1 / alpha) * alpha * exp(x * (1 / alpha)))",),
             approximates=lambda alpha: None if _is_single(alpha) else Approximation("x < 0", "torch's backward rounds alpha to float32", wide=True),
             note="torch's backward rounds alpha to float32, in float64 too"),

    Function("gelu",     "x; approximate='none'", derivative=_gelu_slope,
             torch=lambda t, x, approximate: t.nn.functional.gelu(x, approximate=approximate), means=_gelu),
    Function("silu", "x", torch=lambda t, x: t.nn.functional.silu(x), means="x / (1 + exp(-x))", pullback=("ybar * sigmoid(x) * (1 + x * (1 - sigmoid(x)))",),
             aliases=("swish",)),
    Function("mish", "x", derivative=("tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x))**2)",),
             torch=lambda t, x: t.nn.functional.mish(x), means="x * tanh(log1p(exp(x)))",
             pullback=("ybar * (tanh(log1p(exp(x))) + x * sigmoid(x) * (1 - tanh(log1p(exp(x)))**2))",)),
    Function("softplus", "x; beta=1.0, threshold=None",
             derivative=lambda shapes, beta, threshold: (_above(threshold, "1", "sigmoid(beta * x)"),),
             torch=lambda t, x, beta, threshold: t.nn.functional.softplus(x, beta, _THRESHOLD if threshold is None else threshold),
             means=lambda beta, threshold: _above(threshold, "x", "log1p(exp(beta * x)) / beta"),
             pullback=lambda beta, threshold: (_above(threshold, "ybar", "ybar * exp(x * beta) / (exp(x * beta) + 1)"),),
             approximates=lambda beta, threshold: None if threshold is not None
             else Approximation(f"beta * x > {_THRESHOLD}", f"above its default threshold of {_THRESHOLD} torch's softplus answers x itself"),
             note=f"a threshold that is written is part of the meaning: x where beta * x is above it; torch's default of {_THRESHOLD} is its approximation"),

    Function("sigmoid", "x", torch=lambda t, x: t.sigmoid(x), means="1 / (1 + exp(-x))", pullback=("ybar * (1 - y) * y",), aliases=("expit",)),
    Function("logsigmoid", "x", derivative=("sigmoid(-x)",), torch=lambda t, x: t.nn.functional.logsigmoid(x), means="-log1p(exp(-x))",
             pullback=("ybar * where(x < 0, 1 - exp(-abs(x)) / (1 + exp(-abs(x))), exp(-abs(x)) / (1 + exp(-abs(x))))",), aliases=("log_sigmoid",)),

    Function("hardsigmoid", "x", torch=lambda t, x: t.nn.functional.hardsigmoid(x), means="minimum(maximum(x + 3, 0), 6) / 6",
             pullback=("where(x > -3, where(x < 3, ybar * (1/6), 0), 0)",), note="torch's backward takes 1/6 rounded to float32, in float64 too",
             approximates=lambda: Approximation("abs(x) < 3", "torch's backward takes 1/6 rounded to float32", wide=True)),
    Function("hardswish",   "x", torch=lambda t, x: t.nn.functional.hardswish(x),   means="x * minimum(maximum(x + 3, 0), 6) / 6",
             pullback=("where(x <= -3, 0, where(x < 3, ybar * (x / 3 + 1/2), ybar))",)),
    Function("hardtanh", "x; min_val=-1.0, max_val=1.0", torch=lambda t, x, min_val, max_val: t.nn.functional.hardtanh(x, min_val, max_val),
             means="minimum(maximum(x, min_val), max_val)", pullback=("where(x > min_val, where(x < max_val, ybar, 0), 0)",),
             rounds=(0, 0)),

    Function("hardshrink", "x; lambd=0.5",       torch=lambda t, x, lambd: t.nn.functional.hardshrink(x, lambd), means="where(abs(x) > lambd, x, 0)"),
    Function("softshrink", "x; lambd=0.5", torch=lambda t, x, lambd: t.nn.functional.softshrink(x, lambd), means="x - minimum(maximum(x, -lambd), lambd)",
             pullback=("where(abs(x) > lambd, ybar, 0)",)),
    Function("softmin", "x; dim=-1", torch=lambda t, x, dim: t.nn.functional.softmin(x, dim=_single(dim)),
             means=lambda dim: f"softmax(-x, dim={_single(dim)})",
             foreign=dims_elsewhere("softmin")),
    Function("glu", "x; dim=-1", torch=lambda t, x, dim: t.nn.functional.glu(x, dim), means=_glu,
             note="the first half along dim, times the sigmoid of the other"),
    Function("halved", "x; dim=-1, part=0", helper=True, torch=_torch_half, array=_half, note="the first or the other half along dim"),
    Function("prelu", "x, weight", torch=lambda t, x, weight: t.nn.functional.prelu(x, weight.reshape(1) if not weight.dim() else weight),
             means="maximum(x, 0) + along_channels(weight, x) * minimum(x, 0)", note="weight is one number, or one for each channel: dim 1 of x"),
    Function("rrelu", "x; lower=0.125, upper=0.3333333333333333, training=False",
             torch=lambda t, x, lower, upper, training: t.nn.functional.rrelu(x, lower, upper, training), means=_rrelu,
             pullback=("where(x > 0, ybar, ybar * ((lower + upper) / 2))",),
             note="without training: the slope below 0 is the mean of lower and upper"),
    Function("softsign",   "x",                  derivative=("1 / (1 + abs(x))**2",),
             torch=lambda t, x: t.nn.functional.softsign(x),                 means="x / (abs(x) + 1)"),
    Function("tanhshrink", "x",                  torch=lambda t, x: t.nn.functional.tanhshrink(x),               means="x - tanh(x)"),
    Function("threshold", "x; threshold, value", torch=lambda t, x, threshold, value: t.nn.functional.threshold(x, threshold, value),
             means="where(x <= threshold, value, x)"),
)
# fmt: on
