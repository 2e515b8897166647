"""Law: away from its kinks a row has one slope, and on a kink the check never agrees unless the two
sides do.

The sides are differences of the ball function at 800 bits: they know nothing of derivatives, kinks
or series.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from asking import reference

from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls

from .points import (
    Sample,
    call_text,
    case_of,
    enclose,
    followed_rows,
    inputs_of,
    named,
    torch_value,
    variants,
    verdicts_of,
)
from .slopes import close, one_sided

if TYPE_CHECKING:
    from gradcheck_cli.calculus.gradient import GradientProgram
    from gradcheck_cli.functions.row import Function

# Zero, integers, halves, and the numbers that the settings of the table are.
ALONE = (
    "-6",
    "-3",
    "-2",
    "-1.5",
    "-1.3",
    "-1",
    "-0.8",
    "-0.5",
    "-0.3",
    "0",
    "0.3",
    "0.5",
    "0.8",
    "1",
    "1.3",
    "1.5",
    "2",
    "2.5",
    "3",
    "6",
)
TOGETHER = ("-1.5", "-1", "0", "0.3", "2")
ROWS = [
    row for row in followed_rows() if not row.condition and any(not p.kind for p in row.parsed.args)
]


@cache
def grid(row: Function) -> tuple[tuple[Sample, bool], ...]:
    """Points with a finite value, and whether some kink expression is zero there."""
    found = []
    for settings in variants(row):
        text = call_text(row, settings)
        names = inputs_of(text)
        for point in product(ALONE if len(names) == 1 else TOGETHER, repeat=len(names)):
            sample = Sample(row, text, tuple(zip(names, point, strict=True)))
            if (
                enclose(text, sample.values).is_finite()
                and torch_value(case_of(sample)) is not None
            ):
                found.append((sample, on_kink(sample)))
    return tuple(found)


def program_of(row: Function, settings: dict[str, Any]) -> GradientProgram:
    """The scalar program of a call, with its kinks."""
    text = call_text(row, settings)
    point = case_of(Sample(row, text, tuple((name, "0.5") for name in inputs_of(text))))
    return point.prepared.gradient


def on_kink(sample: Sample) -> bool:
    """Whether a kink expression is not proved to be away from zero."""
    found = case_of(sample)
    program = found.prepared.gradient
    values = balls.Machine(program.program).run(sample.values, 256, found.dtype.round)
    return any(
        not (values[kink.expression] > 0 or values[kink.expression] < 0) for kink in program.kinks
    )


KINKED = [row for row in ROWS if any(program_of(row, settings).kinks for settings in variants(row))]


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_off_its_kinks_a_row_has_one_slope(row):
    """Where no kink expression is zero, a certified derivative is what both sides come to, to 100
    bits.
    """
    looked = 0
    for sample, kinked in grid(row):
        proved = reference(case_of(sample))
        for name, answer in zip(sample.numbers, proved.partials, strict=True):
            if not kinked and isinstance(answer, Certified):
                looked += 1
                left, right = one_sided(sample.text, sample.values, name)
                said = f"{sample}: d/d{name} is {left.str(6)} from the left, {right.str(6)} from the right, certified {answer.ball.str(6)}"
                assert close(left, right, 100) and close(left, answer.ball, 60), said
    assert looked


@pytest.mark.parametrize("row", KINKED, ids=named)
def test_on_a_kink_the_check_agrees_only_where_the_sides_do(row):
    """A kink that is planted is never called `agree`; where both sides have one slope it is never
    called `kink`.
    """
    planted = [sample for sample, kinked in grid(row) if kinked]
    assert planted
    for sample in planted:
        for verdict in verdicts_of(case_of(sample)):
            left, right = one_sided(sample.text, sample.values, verdict.key.variable)
            same = close(left, right, 100)
            said = f"{sample}: d/d{verdict.key.variable} is {left.str(6)} from the left, {right.str(6)} from the right, and the check says {verdict.outcome}: {verdict.reason}"
            assert same or verdict.outcome not in ("agree", "imprecise"), said
            assert not same or verdict.outcome != "kink", said


def test_the_kinks_of_the_table_are_planted():
    """The law above is about something: every row that states a kink is among those it is run over."""
    assert {row.name for row in ROWS if row.kinks} <= {row.name for row in KINKED}
