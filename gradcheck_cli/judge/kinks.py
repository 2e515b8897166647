"""Kinks: what holds where a piecewise operation sits on its boundary, told from the two sides."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING

from gradcheck_cli.judge.outcome import Verdict, shown
from gradcheck_cli.witnesses.numeric import Difference, Slope

if TYPE_CHECKING:
    from gradcheck_cli.case import Case, Key
    from gradcheck_cli.witnesses import Abstention


@dataclass(frozen=True)
class OneSided:
    """Left and right derivatives, each with the room it is known to; None where there is none."""

    left: Slope | None
    right: Slope | None
    proved: bool = False


def judge_kink(case: Case, position: int, key: Key, answer: float, function: str, source: str, difference: Difference | Abstention) -> Verdict:
    """The verdict where no single derivative is proved, from left and right derivatives."""
    at = f"at the boundary of `{function}` in `{source}`" if function else "where no derivative is proved"
    if not isinstance(difference, Difference):
        return Verdict(key, "inconclusive", f"{at}: {difference.reason}")
    sides = OneSided(difference.left, difference.right)
    if sides.left is None or sides.right is None:
        return Verdict(key, "undefined", f"{at}: the function has values on one side only; torch answers {shown(answer)}", sides=sides)
    return _two_sides(key, answer, at, sides, sides.left, sides.right)


def _two_sides(key: Key, answer: float, at: str, sides: OneSided, left: Slope, right: Slope) -> Verdict:
    told = f"left derivative {_shown(left)}, right derivative {_shown(right)}"
    if _diverges(left) or _diverges(right):
        return Verdict(key, "undefined", f"{at}: differences grow without bound as the step shrinks (a jump or a vertical tangent); torch answers {shown(answer)}", sides=sides)
    low, high = min(left.value - left.radius, right.value - right.radius), max(left.value + left.radius, right.value + right.radius)
    if isnan(answer) or not isfinite(answer):
        return Verdict(key, "wrong", f"torch answers {shown(answer)} {at}, where both one-sided derivatives exist: {told}", sides=sides)
    if abs(left.value - right.value) > left.radius + right.radius:
        if low <= answer <= high:
            return Verdict(key, "kink", f"no derivative {at}: {told}; torch answers {shown(answer)}, a valid subgradient", sides=sides)
        return Verdict(key, "wrong", f"torch answers {shown(answer)} {at}, outside the one-sided derivatives: {told}", sides=sides)
    if not low <= answer <= high:
        return Verdict(key, "wrong", f"torch answers {shown(answer)} {at}, but both sides have the same slope: {told}", sides=sides)
    return Verdict(key, "inconclusive", f"{at}: {told}, so the function may be differentiable, which is not proved; torch answers {shown(answer)}", sides=sides)


def _diverges(slope: Slope) -> bool:
    """A bar larger than the value: the table never settled."""
    return not isfinite(slope.value) or slope.radius > max(abs(slope.value), 1e-6) or abs(slope.value) > 1e12


def _shown(slope: Slope) -> str:
    return f"{slope.value:.6g}" + (f" ± {slope.radius:.1g}" if slope.radius else "")
