"""Where torch itself is wrong beyond rounding (torch 2.13.0, float64, CPU): facts, told one by one
in `test_torch_defects`.

The laws leave these places out, so that they can be strict everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .points import Sample

# How a call begins, to the ranges of its last argument within which torch's value is wrong by far
# more than rounding.
VALUES = {
    "bessel_j0(": [(-40.0, -1.5), (1.5, 40.0)],  # up to 1e-8
    "bessel_j1(": [(-40.0, -1.5), (1.5, 40.0)],  # up to 2e-7
    "bessel_y0(": [(1.5, 40.0)],  # up to 1e-7
    "bessel_y1(": [(1.5, 40.0)],  # up to 6e-7
    "airy_ai(": [(-10.0, -2.0)],  # up to 1e-7, beside -2.1
    "softplus(x)": [(20.0, 40.0)],  # torch's approximation past `threshold`: 2e-9
    "softplus(x, beta=1.3": [(15.6, 40.0)],
    "polygamma(1,": [(-40.0, 40.0)],  # the asymptotic series of trigamma stops early: 1e-9
}
# The same for the gradient.
GRADIENTS = {
    "digamma(": [(-40.0, 40.0)],  # its derivative is trigamma
    "polygamma(0,": [(-40.0, 40.0)],
    "softplus(x)": [(20.0, 40.0)],
    "softplus(x, beta=1.3": [(15.6, 40.0)],
    "hardsigmoid(": [(-3.0, 3.0)],  # 1/6 is taken in float32
    "celu(x, alpha=1.3)": [(-40.0, 0.0)],  # 1/alpha is taken in float32
}


def value_errs(sample: Sample) -> bool:
    """Whether a sample lies where torch's value is known to be wrong."""
    return _within(sample, VALUES)


def gradient_errs(sample: Sample) -> bool:
    """Whether a sample lies where torch's gradient is known to be wrong."""
    return _within(sample, GRADIENTS)


def _within(sample: Sample, places: dict[str, list[tuple[float, float]]]) -> bool:
    last = list(sample.values.values())[-1]
    return any(
        low <= last <= high
        for call, ranges in places.items()
        if sample.text.startswith(call)
        for low, high in ranges
    )
