"""Balls as decimals, for people and reports."""

from __future__ import annotations

from typing import Any

# Powers of ten beyond this in size are written as what they are: they may have 300 digits of their
# own, and so many of them are given.
_MAX_POWER, _POWER_DIGITS = 99_999, 6


def ball_text(ball: Any, count: int) -> str:
    """A ball's midpoint to some decimal digits, no more than are known; `10^(4.34294e+299)` where
    its power of ten is beyond 99,999.
    """
    from flint import arb

    middle = ball.mid()
    if middle.is_finite() and not middle.is_zero():
        power = abs(middle).log() / arb(10).log()
        if abs(power) > _MAX_POWER:
            sign = "-" if middle < 0 else ""
            return f"{sign}10^({power.str(_POWER_DIGITS, radius=False)})"
    return str(ball.str(count, radius=False))


def digits_of(ball: Any, count: int) -> str:
    """The midpoint of a certified ball to some decimal digits; one that contains 0 is 0 to every
    dtype.
    """
    return "0" if ball.contains(0) else ball_text(ball.mid(), count)
