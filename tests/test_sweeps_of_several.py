"""Sweeps of several inputs: their points, the enclosures that they are held against, and budgets."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import isfinite

import pytest
import torch

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.allowances import Allowances
from gradcheck_cli.judge.point_budgets import budgets_at
from gradcheck_cli.judge.rounding import Rounding
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.questions.ranges import Range
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.sweeps import part
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.sweeps.asked import Sweep, SweepQuestion
from gradcheck_cli.worlds.bulk import Bulk
from gradcheck_cli.worlds.enclosures import Enclosure, extended_arrays

PROGRAMS = (
    "sin(x*y) + exp(-x**2)", "x**2*y + y**3 - 1", "log(x/y)", "maximum(x, y)*y", "hypot(x, y)", "sigmoid(x**2)*tanh(y)",
    "where(x > y, x*y, exp(x))", "relu(x - 0.1)*y", "atan2(y, x)", "x*sigmoid(30*x*y)", "sqrt(x - y)",
)  # fmt: skip
COUNT = 400
needs_extended = pytest.mark.skipif(
    extended_arrays() is None, reason="this machine has no extended precision"
)
DTYPE = pytest.mark.parametrize(
    "dtype", ["float32", "float16", pytest.param("float64", marks=needs_extended)]
)


def range_of(low, high, count=None):
    """A range between two decimals."""
    return Range(Fraction(low), Fraction(high), count, f"{low}:{high}")


def asked(text, dtype, *, count=COUNT, seed=1, device="cpu", **ranges):
    """A question by x over a box."""
    found = ranges or {"x": range_of("-3", "3"), "y": range_of("-2", "2")}
    question = question_of(parse(text), tuple(found), ("x",))
    return SweepQuestion(question, Sweep(found, {}, count, seed), DTYPES[dtype], device)


def outcomes(question):
    """Points by outcome, and how many are not settled."""
    found = part.swept(question, 0, question.track.count, None)
    unsettled = sum(stretch.points for stretch, _ in found.settled.unsettled)
    return {o: n for o, n in found.tally.counts.items() if n}, unsettled


# --- points


@pytest.mark.parametrize(
    "ranges",
    [
        {"x": range_of("-3", "3"), "y": range_of("-2", "2")},
        {"x": Range(None, None, None, "all"), "y": range_of("0.1", "0.3")},
        {"x": range_of("-3", "3", 7), "y": range_of("-2", "2", 11)},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_columns_are_the_points(ranges, dtype):
    """In any blocks, and within their ranges."""
    track = asked("x*y", dtype, count=150_000, **ranges).track
    wanted = [track.at(k) for k in range(0, track.count, 977)]
    columns = track.columns(0, track.count)
    for k, point in zip(range(0, track.count, 977), wanted, strict=True):
        assert {name: column[k].item() for name, column in columns.items()} == point
        for name, range_ in ranges.items():
            value = Fraction(point[name])
            assert range_.low is None or range_.low <= value <= range_.high or dtype != "float64"
    some = track.columns(30, min(90_000, track.count))
    for name, column in some.items():
        assert column.equal(columns[name][30 : 30 + len(column)])


def test_a_lattice_has_every_pair_once():
    """The first input in the outermost loop."""
    track = asked("x*y", "float64", x=range_of("0", "1", 3), y=range_of("0", "3", 4)).track
    points = [tuple(track.at(k).values()) for k in range(track.count)]
    assert points == [(x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 1.0, 2.0, 3.0)]


def test_another_seed_draws_other_points():
    """The same one the same."""
    first, same, other = (asked("x*y", "float32", seed=seed).track.at(5) for seed in (1, 1, 2))
    assert first == same != other


def test_no_number_is_drawn_twice():
    """However many blocks there are."""
    columns = asked("x*y", "float64", count=300_000).track.columns(0, 300_000)
    drawn = torch.cat([column / column.abs().max() for column in columns.values()])
    assert len(drawn.unique()) > 600_000 - 10


# --- verdicts


@DTYPE
@pytest.mark.parametrize("text", PROGRAMS)
def test_outcomes_are_those_of_single_checks(text, dtype):
    """At drawn points, all of them; few may be left to single checks that nobody made."""
    question = asked(text, dtype)
    found, unsettled = outcomes(question)
    alone = Counter(v.outcome for v in Alone(question).verdicts(range(COUNT)))
    assert unsettled == 0
    assert found == alone


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", PROGRAMS)
def test_budgets_of_many_points_hold_those_of_single_ones(text, dtype):
    """Between what is least and what is most, which are close to each other."""
    question = asked(text, dtype, count=64)
    rounding, columns = Rounding(question.prepared), question.track.columns(0, 64)
    columns = {name: column.to(torch.float64) for name, column in columns.items()}
    low, high = budgets_at(rounding, 0, columns, question.dtype)
    close = known = 0
    for k, point in enumerate(Alone(question).batch(range(64))):
        budget = rounding.of_partial(point, 0, question.dtype).total
        if isfinite(budget):
            known += 1
            assert float(low[k]) * (1 - 1e-6) <= budget <= float(high[k]) * (1 + 1e-6), point.at
            close += float(low[k]) >= 0.999 * float(high[k])
    assert close >= 3 * known / 4
    assert known >= 20


@pytest.mark.parametrize("text", ["x**(1/3)", "x**(2/7)"])
def test_a_constant_that_no_number_is_rounds_over_a_whole_cell(text):
    """A third is never exact, and what it moves is in the least budget of all points."""
    rounding = Rounding(asked(text, "float32", x=range_of("2", "3")).prepared)
    low, high = Allowances(rounding, 0, "x", {}, DTYPES["float32"]).between(1e30, 1.01e30)
    assert 0.9 * high < low < high


@needs_extended
def test_where_a_cell_is_too_wide_for_a_budget_each_point_has_its_own():
    """Sums and quotients may be exact anywhere, and are at few points."""
    question = asked("softsign(x)", "float64", count=20_001, x=range_of("-20", "20", 20_001))
    assert outcomes(question) == ({Outcome.AGREE: 20_001}, 0)


def test_poles_cost_what_is_beside_them():
    """And not the rest of the range."""
    question = asked("digamma(x)", "float64", count=100_000, x=range_of("-3.5", "2.5", 100_000))
    assert outcomes(question)[1] < 20_000


@pytest.mark.parametrize("text", ["softsign(x)", "x - 1/x - x**2/(x + 1)"])
def test_terms_that_cancel_need_no_more_cells(text):
    """The derivative over a cell lies where its series says, and not where its terms lie."""
    question = asked(text, "float32", count=None, x=range_of("1000000", "1010000", None))
    made = part.swept(question, 0, 160_001, None)
    assert (made.cells, made.in_bulk) < (100, 1)


@pytest.mark.parametrize(
    ("text", "low", "high", "found"),
    [
        # Up to log(2) + 126 log(2) the truth has all its digits, and torch's 0 is wrong.
        ("1/sinh(x)", "87.5", "88.5", {Outcome.WRONG, Outcome.IMPRECISE}),
        ("1/sinh(x)", "60", "61", {Outcome.WRONG}),
        ("x - sin(x)", "0.00001", "0.00002", {Outcome.IMPRECISE}),
        # Beyond the largest number an infinity is right, and what is none is wrong.
        ("exp2(x)", "20000000", "20100000", {Outcome.AGREE}),
        ("2.5**(x*0.75)", "20000000", "20100000", {Outcome.AGREE}),
        ("i1(x)", "256", "260", {Outcome.WRONG}),
    ],
)
def test_numbers_that_leave_the_range_are_settled(text, low, high, found):
    """Wrong where no digit is right of what the dtype could hold, and range alone explains it."""
    question = asked(text, "float32", count=None, x=range_of(low, high, None))
    counts, unsettled = outcomes(question)
    assert (counts.keys(), unsettled) == (found, 0)


# --- lies


def test_a_budget_that_is_told_too_small_without_limits_is_seen(monkeypatch):
    """What is then called wrong is imprecise when it is checked singly, and not settled."""
    monkeypatch.setattr(Allowances, "most_unlimited", lambda *_: 0.0)
    question = asked("x - sin(x)", "float32", count=None, x=range_of("0.00001", "0.00002", None))
    counts, unsettled = outcomes(question)
    assert unsettled > 8_000_000
    assert sum(counts.values()) < 100


def test_an_enclosure_that_is_a_lie_is_not_used(monkeypatch):
    """Its point is held against balls, and the block goes to single checks."""
    honest = Bulk.call

    def lying(self, node, args):
        found = honest(self, node, args)
        if node.function == "cos":
            return Enclosure(found.value * (1 + 1e-9), found.radius, found.off)
        return found

    question = asked("sin(x*y)", "float32")
    assert part.swept(question, 0, COUNT, None).in_bulk == COUNT
    monkeypatch.setattr(Bulk, "call", lying)
    found = part.swept(question, 0, COUNT, None)
    assert (found.in_bulk, found.settled.alone) == (0, COUNT)
    assert found.tally.counts[Outcome.AGREE] == COUNT


@pytest.mark.parametrize("lie", [float("nan"), float("inf"), 1.001])
def test_an_answer_that_is_a_lie_is_no_agreement(monkeypatch, lie):
    """At one point of many; a single check of it decides, and that knows torch as it is."""
    question = asked("sin(x*y)", "float32")
    seen = []
    honest = part.torch_answers

    def lying(*words):
        for first, columns, partials in honest(*words):
            if len(partials) > 100:
                partials[77] *= lie
            yield first, columns, partials

    monkeypatch.setattr(part, "torch_answers", lying)
    checked = Alone.verdicts

    def verdicts(self, points):
        seen.extend(points)
        return checked(self, points)

    monkeypatch.setattr(Alone, "verdicts", verdicts)
    part.swept(question, 0, COUNT, None)
    assert 77 in seen
