"""Why rounding costs so much: what the numbers of a program do to the digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.program import Call
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses.reference import Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.judge.evidence import Evidence


def cut_cause(cut: Sequence[str]) -> Cause:
    """Why functions end a path: torch lacks a derivative, or the path is cut on purpose."""
    lacking = any(name not in table() or not _is_identity(table()[name]) for name in cut)
    return Cause.MISSING_DERIVATIVE if lacking else Cause.NO_PATH


def _is_identity(row: Function) -> bool:
    """Whether a function means its own argument: then it is there to cut the path."""
    return row.means in row.parsed.names


def rounding_cause(evidence: Evidence, partial: int) -> Cause:
    """Cancellation, an absorbed constant, or rounding where no sum stands out.

    A sum absorbs a term below half its spacing; it cancels where it is smaller than its terms by
    more than half the digits of the dtype.
    """
    proof = evidence.whole("reference", Proof)
    if proof is None:
        return Cause.ROUNDING
    u = evidence.point.dtype.unit_roundoff
    program = evidence.point.prepared.gradient
    cause = Cause.ROUNDING
    for i in range(program.forward):
        node = program.program.nodes[i]
        if not isinstance(node, Call) or not program.reached[i] >> partial & 1:
            continue
        if lookup(node.function).operator not in ("+", "-") or len(node.args) != 2:
            continue
        small, large = _sizes([proof.values[j] for j in node.args])
        if 0 < small < u * large:
            return Cause.ABSORBED_CONSTANT
        if 0 < _size(proof.values[i]) < u**0.5 * large:
            cause = Cause.CANCELLATION
    return cause


def _sizes(balls: list[Any]) -> tuple[float, float]:
    small, large = sorted(map(_size, balls))
    return small, large


def _size(ball: Any) -> float:
    """|ball| as a float; 0 for what is no finite number."""
    return float(abs(ball).mid()) if hasattr(ball, "is_finite") and ball.is_finite() else 0.0
