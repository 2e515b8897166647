"""What was asked in parts, as the evidence on one point: every element of a Jacobian, every second
derivative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.witnesses import Abstention, Answers
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.reference import Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Testimony
    from gradcheck_cli.witnesses.truth import Truth


def gather(point: Point, parts: Sequence[Evidence]) -> Evidence:
    """The evidence on a point, its partials in the order of its keys.

    Args:
        parts: that on each part of the question, in order.
    """
    if len(parts) == 1 and parts[0].point.batch is point.batch:
        return parts[0]
    return Evidence(point, {name: _testimony(name, parts) for name in parts[0]})


def _testimony(name: str, parts: Sequence[Evidence]) -> Testimony | Abstention:
    said = [part.testimonies[name] for part in parts]
    reasons = {one.reason if isinstance(one, Abstention) else None for one in said}
    if len(reasons) == 1 and isinstance(said[0], Abstention):
        return said[0]
    partials = [part.of(name, k) for part in parts for k in range(len(part.point.keys))]
    proofs = [one for one in said if isinstance(one, Proof)]
    if proofs:
        return Proof(_values(said), tuple(partials), bits=max(proof.bits for proof in proofs))  # type: ignore[arg-type]  # a Proof's answers
    backward = [one for one in said if isinstance(one, Backward)]
    if backward:
        first = backward[0]
        cut = tuple(dict.fromkeys(name for one in backward for name in one.cut))
        forward = first.primal or tuple(number for one in backward for number in one.forward)
        return Backward(forward, tuple(partials), cut, first.execution)  # type: ignore[arg-type]  # a Backward's answers
    return Answers(partials)


def _values(said: Sequence[Testimony | Abstention]) -> tuple[Truth, ...]:
    """The program's value, one answer an element: that whose derivatives were differentiated, else
    an element of it from each part.
    """
    first = said[0]
    if isinstance(first, Proof) and first.primal:
        return first.primal
    unknown = (Abstention("nothing is proved of it"),)
    each = (one.forward if isinstance(one, Proof) else unknown for one in said)
    return tuple(answer for answers in each for answer in answers)
