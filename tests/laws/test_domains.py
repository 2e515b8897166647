"""Law: a row is defined where its domain says so, and outside the check says `undefined` and torch
has no finite value.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import pytest
from asking import case, reference
from each import each

from gradcheck_cli.witnesses.truth import Undefined

from .points import (
    Sample,
    all_rows,
    call_text,
    case_of,
    elementwise_rows,
    enclose,
    inputs_of,
    named,
    seeded,
    short,
    torch_value,
    variants,
    verdicts_of,
)

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

POINTS = 40
EDGES = ("0", "1", "-1", "-2", "0.5", "2.5", "-2.5")
# The domain of pow is a condition on two numbers at once, which no expression > 0 can say; its note
# says it in words.
IN_WORDS = ("pow",)
ROWS = [
    row
    for row in elementwise_rows()
    if not row.condition and row.parsed.names and any(not p.kind for p in row.parsed.args)
]
# Where torch has a finite value although the function is undefined: facts about torch.
FINITE_IN_TORCH = {
    "acot": "pi/2 at 0, the limit from the right, since atan(inf) is that",
    "bce": "logarithms are clamped at -100, so input 0 and 1 have a value",
    "polygamma": "left of 0 sin(pi * y) is rounded, so trigamma is about 1e33 at its poles -1, -2, ... and not infinite",
}


@cache
def anywhere(row: Function) -> tuple[Sample, ...]:
    """Points inside and outside the domain, and on its edge."""
    random = seeded(f"domain of {row.name}")
    found = []
    for settings in variants(row):
        text = call_text(row, settings)
        names = inputs_of(text)
        points = [tuple(short(random) for _ in names) for _ in range(POINTS)]
        points += list(product(EDGES, repeat=len(names)))[:: max(1, len(names) ** 2 - 1)]
        found += [Sample(row, text, tuple(zip(names, point, strict=True))) for point in points]
    return tuple(found)


def domain_of(sample: Sample) -> list[bool | None]:
    """For each domain expression whether it is > 0 (True), < 0 (False) or neither."""
    bound = dict(zip(sample.row.parsed.names, _arguments(sample), strict=True))
    balls = [
        enclose(text, {name: bound[name] for name in inputs_of(text)}) for text in sample.row.domain
    ]
    return [True if ball > 0 else False if ball < 0 else None for ball in balls]


def _arguments(sample: Sample) -> list[float]:
    order = 1.0
    numbers = iter(sample.values.values())
    return [order if p.kind == "index" else next(numbers) for p in sample.row.parsed.args]


@each(
    "row", [row for row in ROWS if row.kind == "primitive" and row.name not in IN_WORDS], ids=named
)
def test_inside_the_domain_the_ball_is_finite(row):
    """Everywhere for a row that states no domain."""
    inside = [sample for sample in anywhere(row) if all(domain_of(sample))]
    assert inside
    for sample in inside:
        assert enclose(sample.text, sample.values).is_finite(), sample


@pytest.mark.parametrize("row", [row for row in ROWS if row.domain], ids=named)
def test_outside_the_domain_the_ball_is_nan(row):
    """Where one of the expressions is below zero."""
    for sample in anywhere(row):
        if False in domain_of(sample):
            assert enclose(sample.text, sample.values).is_nan(), sample


@each("row", ROWS, ids=named)
def test_where_there_is_no_value_the_check_says_so(row):
    """`undefined`, or `detached` for a function torch does not differentiate; never a verdict on a
    gradient that cannot exist.
    """
    for sample in anywhere(row):
        if enclose(sample.text, sample.values).is_finite():
            continue
        found = case_of(sample)
        proved = reference(found)
        assert all(
            isinstance(answer, Undefined) and answer.of_value
            for answer in (*proved.forward, *proved.partials)
        ), sample
        verdicts = verdicts_of(found)
        outcomes = {verdict.outcome for verdict in verdicts}
        expected = {"undefined"} if row.backward else {"detached", "inconclusive"}
        if torch_value(found) is None:
            # A point that torch refuses to compute is told in torch's words as well.
            expected = {"undefined"}
            assert all("torch cannot compute this" in verdict.reason for verdict in verdicts)
        assert outcomes <= expected, f"{sample}: {outcomes}"


@each("row", ROWS, ids=named)
def test_where_there_is_no_value_torch_has_none(row):
    """NaN or an infinity; the exceptions are facts about torch, told above."""
    finite = []
    for sample in anywhere(row):
        value = torch_value(case_of(sample))
        if (
            value is not None
            and not enclose(sample.text, sample.values).is_finite()
            and abs(value[0]) < float("inf")
        ):
            finite.append(sample)
    assert bool(finite) == (row.name in FINITE_IN_TORCH), [str(sample) for sample in finite]


def test_every_stated_domain_is_tried_from_both_sides():
    """The laws above see points outside: a domain that can be left is left. That of lgamma and div
    is only touched.
    """
    left = {
        row.name
        for row in all_rows()
        if row.domain and any(False in domain_of(sample) for sample in anywhere(row))
    }
    touched = {
        row.name
        for row in all_rows()
        if row.domain and any(None in domain_of(sample) for sample in anywhere(row))
    }
    assert {row.name for row in all_rows() if row.domain} - left <= {
        "div",
        "tan",
        "lgamma",
        "digamma",
        "gammasgn",
        "polygamma",
    }
    assert {"div", "lgamma", "digamma", "polygamma"} <= touched


@pytest.mark.parametrize(("name", "edge"), [("xlogy", 0), ("xlog1py", -1)])
@pytest.mark.parametrize("beyond", [-1000, -1, -0.125, 0, 0.125, 3])
def test_nothing_times_a_logarithm_is_nothing(name, edge, beyond):
    """0 for every y, so by y the derivative is 0, here and beside; by x there is one only where the
    logarithm has a value. torch's NaN by y on the edge is wrong.
    """
    y = edge + beyond
    (by_y,) = verdicts_of(case(f"{name}(0, y)", f"y={y}"))
    assert by_y.outcome == ("agree" if beyond else "wrong"), by_y.reason
    both = case(f"{name}(x, y)", f"x=0,y={y}")
    by_x, again = verdicts_of(both)
    assert again.outcome == by_y.outcome
    assert by_x.outcome == ("agree" if beyond > 0 else "undefined"), by_x.reason
    (value,), (_, slope) = reference(both).forward, reference(both).partials
    assert value.ball.is_zero()
    assert slope.ball.is_zero()
    assert torch_value(both) == (0.0,)
    assert "no finite value" not in by_x.reason + by_y.reason


@pytest.mark.parametrize("text", ["xlogy(0, y)", "xlog1py(0, y)", "xlogy(0*x, y)"])
def test_nothing_times_no_number_is_none(text):
    """NaN is the one y whose logarithm 0 does not make 0 of."""
    found = case(f"{text} + x", "x=1,y=nan", wrt=["x"])
    assert [verdict.outcome for verdict in verdicts_of(found)] == ["undefined"]


@pytest.mark.parametrize(
    ("text", "singular", "regular"),
    [
        ("inverse(A)", "[[1,2],[2,4]]", "[[1,2],[2,5]]"), ("inverse(A)@[1,1]", "[[1,2],[2,4]]", "[[1,2],[2,5]]"), ("inverse(A)", "[[0]]", "[[2]]"),
        ("trace(inverse(A@A))", "[[0,1],[0,0]]", "[[0,1],[1,0]]"), ("inverse(A)", "[[1,2,3],[2,4,6],[0,1,1]]", "[[1,2,3],[2,5,6],[0,1,1]]"),
    ],
)  # fmt: skip
def test_a_singular_matrix_has_no_inverse(text, singular, regular):
    """That torch refuses it is no open question."""
    verdicts = verdicts_of(case(text, f"A={singular}"))
    assert {(v.outcome, v.cause) for v in verdicts} == {("undefined", "pole")}
    assert all("singular" in v.reason for v in verdicts)
    assert {v.outcome for v in verdicts_of(case(text, f"A={regular}"))} == {"agree"}
