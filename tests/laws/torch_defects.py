"""Where torch itself is wrong beyond rounding (float64, CPU): facts, stated in `facts/` and held
one by one in `test_torch_defects`.

The laws leave these places out, so that they can be strict everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch_facts import FACTS

if TYPE_CHECKING:
    from .points import Sample


def value_errs(sample: Sample) -> bool:
    """Whether a sample lies where torch's value is known to be wrong."""
    return _within(sample, FACTS.data["wrong_values"])


def gradient_errs(sample: Sample) -> bool:
    """Whether a sample lies where torch's gradient is known to be wrong."""
    return _within(sample, FACTS.data["wrong_gradients"])


def _within(sample: Sample, places: dict[str, Any]) -> bool:
    last = list(sample.values.values())[-1]
    ranges = places.get(sample.text, {}).get("within", [])
    return any(float(low) <= last <= float(high) for low, high in ranges)
