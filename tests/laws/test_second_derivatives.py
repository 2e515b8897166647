"""Law: the proved second derivatives of every function are the slopes of its proved first ones,
torch's double backward is right to rounding, and a lie about it is caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from asking import points, reference
from each import each

from gradcheck_cli.functions import table
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

from .points import Sample, case, differentiable_rows, named, samples, verdicts_of
from .test_planted_lies import LIE, ROOM, lying
from .torch_defects import gradient_errs

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

# A power of two far above a float64's spacing at the points: x + STEP is exact.
STEP = 2.0**-20
# What torch's double backward loses beyond rounding: that of lgamma is its trigamma, good to some
# 1e-10; log_sigmoid's takes sigmoid(x) - 1; that of binary_cross_entropy adds 1e-12 to a divisor.
INACCURATE = ("lgamma", "gamma", "logsigmoid", "bce")
# torch has none.
MISSING = ("hardsigmoid",)


def seconds(sample: Sample) -> list[Point]:
    """A point for each first derivative, which is differentiated once more."""
    (found,) = points(sample.text, [sample.at], wrt=sample.numbers, order=2)
    return [Point(part, 0) for part in found.batch.parts]


def first(sample: Sample, name: str, step: float) -> list[float] | None:
    """The proved first derivatives beside a point; None where they are not proved."""
    moved = {n: x + step * (n == name) for n, x in sample.values.items()}
    at = ",".join(f"{n}={x!r}" for n, x in moved.items())
    proof = reference(case(sample.text, at, wrt=sample.numbers))
    answers: Any = proof.partials if isinstance(proof, Proof) else ()
    if not answers or not all(isinstance(answer, Certified) for answer in answers):
        return None
    return [float(answer.ball.mid()) for answer in answers]


@each("row", differentiable_rows(), ids=named)
def test_a_second_derivative_is_the_slope_of_the_first(row):
    """By central differences of what is proved of first order: truncation leaves 1e-12 f'''', the
    floats' spacing 1e-10 f'.
    """
    compared = 0
    for sample in samples(row):
        slopes = [(first(sample, n, -STEP), first(sample, n, STEP)) for n in sample.numbers]
        for k, found in enumerate(seconds(sample)):
            proof = reference(found)
            for answer, (below, above) in zip(proof.partials, slopes, strict=True):
                if not isinstance(answer, Certified) or below is None or above is None:
                    continue
                slope = (above[k] - below[k]) / (2 * STEP)
                room = 1e-6 * (1 + abs(slope) + abs(above[k]))
                assert abs(float(answer.truth.mid()) - slope) <= room, (str(sample), k)
                compared += 1
    assert compared


@each("row", differentiable_rows(), ids=named)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_honest_double_backward_is_not_called_wrong(row, dtype):
    """In every argument, but where torch is known to be inaccurate, which is seen in float64, or to
    have none.
    """
    outcomes = set()
    for sample in samples(row):
        if gradient_errs(sample):
            continue
        (whole,) = points(sample.text, [sample.at], wrt=sample.numbers, order=2, dtypes=[dtype])
        for part in whole.batch.parts:
            for verdict in verdicts_of(Point(part, 0)):
                outcomes.add(str(verdict.outcome))
                wanted = ("inconclusive",) if row.name in MISSING else ("agree", "imprecise")
                assert verdict.outcome in wanted or row.name in INACCURATE, (
                    f"{sample}: {verdict.reason}"
                )
    assert row.name not in INACCURATE or dtype == "float32" or "wrong" in outcomes


@pytest.mark.parametrize("row", differentiable_rows(), ids=named)
def test_a_lie_about_a_second_derivative_is_caught(row, monkeypatch):
    """A gradient scaled by one part in a million scales second derivatives; those of them that are
    not 0 and that rounding leaves sharp enough are wrong.
    """
    seen = [
        (found, k) for sample in samples(row) for found in seconds(sample) for k in _sharp(found)
    ]
    monkeypatch.setitem(table(), row.name, lying(row))
    for found, k in seen:
        verdict = verdicts_of(found)[k]
        wanted = ("inconclusive",) if row.name in MISSING else ("wrong",)
        assert verdict.outcome in wanted, f"{found.specification.text}: {verdict.reason}"


def _sharp(found: Point) -> list[int]:
    """The second derivatives other than 0 that rounding explains no tenth of the lie about."""
    sharp = []
    for k, answer in enumerate(reference(found).partials):
        size = abs(float(answer.ball.mid())) if isinstance(answer, Certified) else 0.0
        room = 4 * rounding(found).of_partial(found, k, found.dtype).total
        if size and room <= ROOM * size:
            sharp.append(k)
    return sharp


def test_the_lie_is_seen_for_most_functions():
    """The law above is not empty."""
    assert LIE > ROOM
    curved = {row.name for row in differentiable_rows() if any(map(_sharp, _all(row)))}
    assert {"sin", "exp", "sigmoid", "tanh", "pow", "atan2", "gelu", "hypot", "sqrt"} <= curved
    assert len(curved) >= 50


def _all(row: Function) -> list[Point]:
    return [found for sample in samples(row) for found in seconds(sample)]
