"""Evidence: what every witness said of one case, and whether the proved ones agree with one
another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.numeric import Difference
from gradcheck_cli.witnesses.reference import Certified

if TYPE_CHECKING:
    from gradcheck_cli.questions.question import Case
    from gradcheck_cli.witnesses.autograd import Autograd
    from gradcheck_cli.witnesses.reference import Reference


@dataclass(frozen=True)
class Tolerance:
    """The user's own rule: agree iff |A - T| <= atol + rtol |T|."""

    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """What every witness said of one case."""

    case: Case
    reference: Reference | Abstention
    analytic: tuple[Formula | Abstention, ...] | Abstention
    autograd: Autograd | Abstention
    numeric: tuple[Difference | Abstention, ...] | Abstention

    def of(self, position: int) -> tuple[Any, Any, Any, Any]:
        """(reference, analytic, autograd, numeric) on one partial; an abstention of the whole
        stands for each.
        """
        return (
            self.reference
            if isinstance(self.reference, Abstention)
            else self.reference.partials[position],
            self.analytic if isinstance(self.analytic, Abstention) else self.analytic[position],
            self.autograd
            if isinstance(self.autograd, Abstention)
            else self.autograd.partials[position],
            self.numeric if isinstance(self.numeric, Abstention) else self.numeric[position],
        )


def numeric_agrees(truth: Any, difference: Any) -> bool | None:
    """Whether the truth lies within the numeric estimate's bar; None where there is nothing to
    compare, or where the user's own step makes the bar.
    """
    from flint import arb

    if (
        not isinstance(truth, Certified)
        or not isinstance(difference, Difference)
        or difference.plain
    ):
        return None
    # One rounding of the estimate itself is its own.
    bar = arb(difference.radius)
    # The nearest point of the truth's own ball: that of a truth below 2**-1076 is as wide as the
    # number.
    return bool(
        abs(arb(difference.value) - truth.ball).lower()
        <= bar + abs(arb(difference.value)) * 2.0**-52
    )


def analytic_agrees(truth: Any, formula: Any) -> bool | None:
    """Whether SymPy's ball overlaps the reference's; None where there is nothing to compare,
    or where the user's own step makes the bar."""
    if not isinstance(truth, Certified) or not isinstance(formula, Formula) or formula.ball is None:
        return None
    return bool(formula.ball.overlaps(truth.ball))
