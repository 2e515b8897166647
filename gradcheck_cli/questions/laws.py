"""Distributions: their two numbers, and what must hold of them."""

from __future__ import annotations

from dataclasses import dataclass

# A tensor with more elements is beyond what is proved (`worlds.scalars.MAX_NODES`).
MAX_ELEMENTS = 300_000


@dataclass(frozen=True)
class Law:
    """A distribution: its two numbers, their defaults, and what must hold of them."""

    low: str
    high: str
    default: tuple[str, str]
    says: str
    rule: str


# fmt: off
LAWS = {
    "normal": Law("mean", "std", ("0", "1"), "Normally distributed numbers.", "`std` must be positive"),
    "uniform": Law("start", "stop", ("-1", "1"), "Numbers from `start` to `stop`, all equally likely.", "`start` must be less than `stop`"),
    "logspace": Law("start", "stop", ("1e-3", "1e3"), "Numbers from `start` to `stop`, all magnitudes equally likely.",
                    "`start` must be positive and less than `stop`"),
}
# fmt: on


def is_lawful(name: str, low: float, high: float) -> bool:
    """Whether the rule of a distribution holds of its two numbers."""
    if name == "normal":
        return high > 0
    return low < high and (name == "uniform" or low > 0)
