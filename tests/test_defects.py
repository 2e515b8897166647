"""The defects that ship are torch's: each is shown without gradcheck, by torch's own calls and
mpmath, and gradcheck reports those numbers.
"""

from __future__ import annotations

import math

import pytest
from defect_reproducers import REPRODUCERS
from test_expressions import DEFECTS, answers, named, run, truths

from gradcheck_cli.worlds.balls import nearest_float


def reported(row):
    """(torch's number, the true one) of a row's first partial, as gradcheck has them: the true one
    as a float, as those of both sides at a kink, or None where the point has none.
    """
    (result,) = run(row).results
    name = row.get("wrt", result.evidence.case.keys[0].variable)
    verdict = next(verdict for verdict in result.verdicts if verdict.key.variable == name)
    torch = answers(result, name)[0]
    if verdict.outcome == "undefined":
        return torch, None
    if verdict.sides is not None and verdict.sides.left.value != verdict.sides.right.value:
        return torch, (verdict.sides.left.value, verdict.sides.right.value)
    return torch, nearest_float(truths(result, name)[0])


def same(reproduced, found):
    """Whether two answers are one: torch's to six digits, as kernels for many elements round in
    another way, and the true one to the last bit.
    """
    (torch, right), (told, true) = reproduced, found
    both_nan = math.isnan(torch) and math.isnan(told)
    rounded = tuple(map(float, right)) if isinstance(right, tuple) else right and float(right)
    return (both_nan or abs(torch - told) <= 1e-6 * abs(torch)) and rounded == true


def test_every_defect_has_a_reproducer():
    """And every reproducer is one of a row's."""
    assert list(REPRODUCERS) and set(REPRODUCERS) == {row["id"] for row in DEFECTS}


@pytest.mark.parametrize("row", DEFECTS, ids=named)
def test_a_defect_is_torchs_own(row):
    """torch's call and mpmath's value, by other means, are what gradcheck reports."""
    assert same(REPRODUCERS[row["id"]](), reported(row))


@pytest.mark.parametrize("row", DEFECTS, ids=named)
def test_a_reproducer_of_something_else_is_seen(row):
    """torch's number off by one part in ten thousand, and a true one off by its last bit."""
    torch, right = REPRODUCERS[row["id"]]()
    found = reported(row)
    assert not same((1.0 if math.isnan(torch) else torch * 1.0001 + 1e-300, right), found)
    assert not same((torch, moved(right)), found)


def moved(right):
    """Another true value, as near as can be."""
    if right is None:
        return 0.0
    if isinstance(right, tuple):
        return (right[0], moved(right[1]))
    return math.nextafter(float(right), math.inf)
