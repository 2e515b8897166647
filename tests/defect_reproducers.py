"""Each known defect in plain torch, and what is right in mpmath: by the rows' names.

Nothing here knows of gradcheck. A reproducer gives torch's answer for one partial, and its true
value, or the two one-sided ones at a kink, or None where there is none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mpmath as mp
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

REPRODUCERS: dict[str, Callable[[], tuple[float, Any]]] = {}
DIGITS = 60


def reproduces(name: str) -> Callable[[Any], Any]:
    """Keeps a function under the name of its row."""

    def keep(function: Any) -> Any:
        def reproduced() -> tuple[float, Any]:
            with mp.workdps(DIGITS):
                return function()

        REPRODUCERS[name] = reproduced
        return function

    return keep


def slope(f: Callable[..., Any], *point: Any, dtype: Any = torch.float64, wrt: int = 0) -> float:
    """torch's own derivative, of the first element by the first element."""
    inputs = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in point]
    f(*inputs).reshape(-1)[0].backward()
    return inputs[wrt].grad.reshape(-1)[0].item()


def sides(f: Callable[[Any], Any], x: float) -> tuple[Any, Any]:
    """The one-sided derivatives of a function that is linear beside the point."""
    return tuple(mp.diff(f, x, direction=side) for side in (-1, 1))


def single(x: float) -> Any:
    """The float32 nearest to x, exactly."""
    return mp.mpf(torch.tensor(x, dtype=torch.float32).item())


@reproduces("sinc-near-zero")
def _() -> Any:
    x = mp.mpf(1e-8)
    return slope(torch.sinc, 1e-8), (mp.cospi(x) - mp.sincpi(x)) / x


@reproduces("pow-exponent-zero")
def _() -> Any:
    return slope(lambda x: x**0, 0.0), mp.diff(lambda x: x**0, 0)


@reproduces("xlogy-zero")
def _() -> Any:
    return slope(torch.xlogy, 0.0, 2.0), mp.log(2)


@reproduces("sigmoid-far-right")
def _() -> Any:
    return slope(torch.sigmoid, 40.0), mp.exp(-40) / (1 + mp.exp(-40)) ** 2


@reproduces("tanh-float32")
def _() -> Any:
    return slope(torch.tanh, 8.0, dtype=torch.float32), mp.sech(8) ** 2


@reproduces("sqrt-of-square")
def _() -> Any:
    return slope(lambda x: ((x - 1) ** 2).sqrt(), 1.0), sides(lambda x: mp.sqrt((x - 1) ** 2), 1)


@reproduces("hypot-zero")
def _() -> Any:
    return slope(torch.hypot, 0.0, 0.0), sides(lambda x: mp.hypot(x, 0), 0)


@reproduces("norm-zero")
def _() -> Any:
    return slope(torch.linalg.vector_norm, [0.0, 0.0]), sides(lambda x: mp.norm([x, 0]), 0)


@reproduces("clamp-at-its-edge")
def _() -> Any:
    return slope(lambda x: x.clamp(0, 6), 0.0), sides(lambda x: min(max(x, 0), 6), 0)


@reproduces("relu6-at-its-edge")
def _() -> Any:
    return slope(functional.relu6, 0.0), sides(lambda x: min(max(x, 0), 6), 0)


@reproduces("maximum-tie")
def _() -> Any:
    return slope(lambda x: torch.maximum(x, torch.zeros_like(x)), 0.0), sides(
        lambda x: max(x, 0), 0
    )


@reproduces("relu-zero")
def _() -> Any:
    return slope(torch.relu, 0.0), sides(lambda x: max(x, 0), 0)


@reproduces("direction-at-zero")
def _() -> Any:
    return slope(lambda x, y: x / (x**2 + y**2).sqrt(), 0.0, 0.0, dtype=torch.float32), None


@reproduces("normalize-zero")
def _() -> Any:
    found = slope(lambda xy: functional.normalize(xy, dim=0), [0.0, 0.0], dtype=torch.float32)
    return found, 1 / single(1e-12)


@reproduces("where-hides-a-pole")
def _() -> Any:
    return slope(lambda x: torch.where(x != 0, x.sin() / x, 1), 0.0), mp.diff(mp.sinc, 0)


@reproduces("sqrt-of-fourth-power")
def _() -> Any:
    return slope(lambda x: (x**4).sqrt(), 0.0), mp.diff(lambda x: mp.sqrt(x**4), 0)


@reproduces("softplus-by-hand")
def _() -> Any:
    return slope(lambda x: x.exp().log1p(), 750.0), 1 / (1 + mp.exp(-750))


@reproduces("silu-by-hand")
def _() -> Any:
    x = mp.mpf(-600)
    right = 1 / (1 + mp.exp(-x)) + x * mp.exp(-x) / (1 + mp.exp(-x)) ** 2
    return slope(lambda x: x / (1 + (-x).exp()), -600.0), right


@reproduces("trigamma-one")
def _() -> Any:
    return slope(torch.digamma, 1.0), mp.zeta(2)


@reproduces("softplus-threshold")
def _() -> Any:
    return slope(functional.softplus, 20.5), 1 / (1 + mp.exp(mp.mpf(-20.5)))


@reproduces("gelu-tanh-float32")
def _() -> Any:
    def gelu(x: Any) -> Any:
        return x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf(44715) / 10**6 * x**3)))

    found = slope(lambda x: functional.gelu(x, approximate="tanh"), -5.0, dtype=torch.float32)
    return found, mp.diff(gelu, -5)


@reproduces("asinh-far-right")
def _() -> Any:
    return slope(torch.asinh, 1e160), 1 / mp.sqrt(mp.mpf(1e160) ** 2 + 1)


@reproduces("asinh-float32")
def _() -> Any:
    return slope(torch.asinh, 1e20, dtype=torch.float32), 1 / mp.sqrt(single(1e20) ** 2 + 1)


@reproduces("expm1-far-left")
def _() -> Any:
    return slope(torch.expm1, -40.0), mp.exp(-40)


@reproduces("product-with-a-zero")
def _() -> Any:
    found = slope(torch.prod, [0.0, 2.0, 3.0], dtype=torch.float32)
    return found, mp.diff(lambda x: x * 2 * 3, 0)


@reproduces("logaddexp-equal")
def _() -> Any:
    found = slope(torch.logaddexp, 1.0, 1.0, dtype=torch.float32)
    return found, mp.diff(lambda x: mp.log(mp.exp(x) + mp.exp(1)), 1)


@reproduces("sqrt-of-a-subnormal")
def _() -> Any:
    return slope(torch.sqrt, 5e-324), 1 / (2 * mp.sqrt(mp.mpf(5e-324)))


@reproduces("three-branches-that-touch")
def _() -> Any:
    def largest(x: Any) -> Any:
        return torch.maximum(torch.maximum(x, x.exp() - 1), (x + 1) ** 2 / 2 - 0.5)

    right = mp.diff(lambda x: max(x, mp.expm1(x), (x + 1) ** 2 / 2 - mp.mpf(1) / 2), 0)
    return slope(largest, 0.0), right


@reproduces("fmod-rounds-the-quotient")
def _() -> Any:
    # 0.9 and 0.1 in float64: the quotient is below 9, and torch's own value of fmod says so too.
    quotient = mp.mpf(0.9) / mp.mpf(0.1)
    assert math.fmod(0.9, 0.1) > 0.0999
    return slope(torch.fmod, 0.9, 0.1, wrt=1), -mp.floor(quotient)


@reproduces("det-singular")
def _() -> Any:
    found = slope(torch.linalg.det, [[1.0, 2.0], [2.0, 4.0]])
    return found, mp.diff(lambda a: mp.det(mp.matrix([[a, 2], [2, 4]])), 1)
