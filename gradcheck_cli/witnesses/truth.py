"""What can be proved of one number: that it lies in a ball, or why there is no such number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.decimals import digits_of

if TYPE_CHECKING:
    from gradcheck_cli.records.numbers import JsonNumber
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Abstention

# A number is certified when it has this many bits, or lies below 2**-1076, half the smallest
# float64.
WANTED_BITS, NEGLIGIBLE = 70, -1076
# A sign that is undecided at this precision is taken as touching zero, and shown as such.
SIGN_BITS = 1_024
# Digits that are printed: more than any dtype holds, fewer than are proved (70 bits).
REFERENCE_DIGITS = 20


@dataclass(frozen=True)
class Certified:
    """A ball that provably holds the true value, and the precision that sufficed."""

    ball: balls.Ball
    bits: int

    @property
    def truth(self) -> balls.Ball:
        """The ball; one narrower than 2**-1076 around 0 is 0 to every dtype."""
        return type(self.ball)(0) if self.ball.contains(0) else self.ball

    @property
    def nearest(self) -> JsonNumber:
        """The float64 nearest to it, as a record keeps it."""
        return json_number(balls.nearest_float(self.ball))

    def entry(self) -> Opinion:
        """What a record keeps."""
        digits = digits_of(self.ball, REFERENCE_DIGITS)
        return {"value": self.nearest, "digits": digits, "bits": self.bits}


@dataclass(frozen=True)
class Touching:
    """A piecewise operation sits on its boundary, as far as `SIGN_BITS` bits can tell, so no
    derivative is proved.

    Attributes:
        node: the operation, an index in the specification; `function` the primitive it comes down
            to.
        jumps: the value itself may jump there.
        exact: the argument is exactly zero, so more precision would change nothing.
    """

    node: int
    function: str
    jumps: bool
    exact: bool
    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        return {"abstained": f"a piecewise operation (`{self.function}`) sits on its boundary"}


@dataclass(frozen=True)
class Undefined:
    """The function, or its derivative, has no finite value at the point.

    Attributes:
        of_value: it is the value that does not exist.
    """

    reason: str
    of_value: bool
    cause: Cause = Cause.UNKNOWN
    ball: None = None

    def entry(self) -> Opinion:
        """What a record keeps."""
        return {"abstained": self.reason}


Truth: TypeAlias = "Certified | Touching | Undefined | Abstention"


def is_certified(ball: Any) -> bool:
    """Whether a ball is narrow enough to settle every dtype."""
    if not ball.is_finite():
        return False
    if ball.rel_accuracy_bits() >= WANTED_BITS or ball.is_zero():
        return True
    mantissa, exponent = ball.abs_upper().man_exp()
    return int(mantissa).bit_length() + int(exponent) < NEGLIGIBLE
