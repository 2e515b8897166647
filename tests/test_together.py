"""Points of one program are evaluated together: each gets what it would get alone, and nothing of
its neighbours.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import isfinite, isnan
from random import Random

import numpy as np
import pytest
import torch
from asking import (
    autograd,
    autograd_at,
    case,
    check_case,
    check_together,
    noise,
    numeric,
    numeric_at,
    reference,
)
from programs import smooth

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.evidence import agreement
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.questions.batching import MOST_POINTS
from gradcheck_cli.runs import task
from gradcheck_cli.witnesses import VECTOR, Abstention, PointwiseEstimates
from gradcheck_cli.witnesses.autograd import Autograd, Backward, Detached, Measured
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Proof

SMOOTH = smooth(12, "together")
# Kinks, jumps, edges of the domain, poles, vertical tangents, cuts, branches that are not taken,
# and values that overflow.
EDGES = (
    "relu(x)*y + abs(x - 1)", "sqrt(x)*y", "log(x + y)", "1/x + y", "x**y", "where(x > 0, log(x), x**2)*y", "maximum(x, y)*x", "sqrt(x**2 + y**2)",
    "floor(x)*y + sin(y)", "exp(400*x) - y", "atan2(y, x)", "xlogy(x, y)", "detach(x)*y", "bessel_j0(x) + y", "tanh(10*x)/y", "x*log(x**2) + y",
    "clamp(x, -1, 1)*y", "cos(x)**2 + sin(x)**2 + 0*y", "softplus(x)*gelu(y)", "lgamma(x) - sinc(y)", "2**x + sinh(y)", "polygamma(1, x)*y", "sinh(x)", "0.1*abs(x)",
)  # fmt: skip
NUMBERS = (-2.5, -1.0, 0.0, 1e-300, 0.5, 1.0, 3.0)


class Silent:
    """An Analyst without an opinion: SymPy is asked the same either way."""

    def ask(self, question):
        """Nothing is begun."""

    def answer(self, question):
        """An abstention."""
        return {"abstained": "not asked"}


def points_of(text, points, dtype="float64", **options):
    """Points that differ in numbers alone, those rounded to the dtype."""
    names = ("x", "y", "z")
    at = ",".join(f"{name}=1" for name in names if name in text_names(text))
    batch = case(text, at, dtype, **options).batch
    rounded = [[DTYPES[dtype].round(Fraction(value)) for value in point] for point in points]
    arrays = {
        name: np.array([point[names.index(name)] for point in rounded]) for name in batch.points
    }
    count = len(rounded)
    return list(replace(batch, points=arrays, rounded=((),) * count, spelled=({},) * count))


def text_names(text):
    """The inputs of a program: letters that stand alone."""
    return {
        word
        for word in "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
        if word in ("x", "y", "z")
    }


def grid(seed, count=30):
    """Random points of three short decimals, those of `EDGES` among them."""
    random = Random(seed)  # noqa: S311 - points that repeat, not secrets
    special = [(*pair, 1.0) for pair in product(NUMBERS, NUMBERS)]
    return [
        tuple(round(random.uniform(-3, 3), 2) for _ in range(3)) for _ in range(count // 2)
    ] + random.sample(special, count // 2)


def told(result):
    """What a reader of a result cares for, numbers apart."""
    return [(verdict.outcome, verdict.failed, verdict.key) for verdict in result.verdicts]


def near(value, other, room):
    """Whether two of torch's answers are the same but for `room`; NaN and infinities are themselves
    alone.
    """
    if isnan(value) or isnan(other):
        return isnan(value) and isnan(other)
    return value == other or (isfinite(value) and isfinite(other) and abs(value - other) <= room)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", [*EDGES, *(asked.text for asked in SMOOTH[:10])])
def test_together_is_as_alone(text, dtype):
    """The same verdict at every point; the same balls; torch's answers within an ulp or what its
    own rounding explains.
    """
    cases = points_of(text, grid(text, 8), dtype)
    together = list(check_together(cases, Silent()))
    for found, result in zip(cases, together, strict=True):
        alone = check_case(found, Silent())
        assert told(result) == told(alone), (text, found.at)
        assert str(proofs(result)) == str(proofs(alone))
        ours, theirs = (
            result.evidence.testimonies["autograd"],
            alone.evidence.testimonies["autograd"],
        )
        assert type(ours) is type(theirs)
        if isinstance(ours, Backward):
            assert ours.cut == theirs.cut
            for k, (one, other) in enumerate(zip(ours.partials, theirs.partials, strict=True)):
                assert type(one) is type(other)
                if isinstance(one, Measured):
                    assert near(one.value, other.value, room(found, k, other.value)), (
                        text,
                        found.at,
                        one,
                        other,
                    )


def proofs(result):
    """Every certified ball, and every reason why there is none."""
    proved = result.evidence.testimonies["reference"]
    return (proved.forward, proved.partials, proved.bits) if isinstance(proved, Proof) else proved


def room(found, position, value):
    """An ulp of the dtype, or the budget of the partial's formula."""
    budget = rounding(found).of_partial(found, position, found.dtype).total
    return max(
        float(found.dtype.ulp(Fraction(value))) if isfinite(value) else 0.0,
        budget if isfinite(budget) else 0.0,
    )


@pytest.mark.parametrize("text", [*EDGES, *(asked.text for asked in SMOOTH)])
def test_differences_together_are_as_alone(text):
    """Kinds of answer are the same, and each bar holds what the other estimates; a truth that is
    proved lies in both.
    """
    cases = points_of(text, grid(text, 10))
    for found, ours in zip(cases, numeric_at(cases, noise()), strict=True):
        theirs = numeric(found, noise())
        assert type(ours) is type(theirs)
        for one, other in zip(ours, theirs, strict=True) if isinstance(ours, tuple) else ():
            assert type(one) is type(other)
            if isinstance(one, Difference):
                assert (one.left is None, one.right is None) == (
                    other.left is None,
                    other.right is None,
                ), (text, found.at)
                assert (
                    one.value == other.value
                    or not abs(one.value - other.value) > one.radius + other.radius
                ), (text, found.at, one, other)
        _both_hold_the_truth(found, ours, theirs)


def _both_hold_the_truth(found, ours, theirs):
    proved = reference(found)
    if isinstance(proved, Proof) and isinstance(ours, tuple):
        for truth, one, other in zip(proved.partials, ours, theirs, strict=True):
            assert agreement(truth.ball, one) == agreement(truth.ball, other), (
                found.specification.text,
                found.at,
            )


@pytest.mark.parametrize("text", [*EDGES, *(asked.text for asked in SMOOTH[:10])])
def test_neither_place_nor_neighbours_show(text):
    """Backwards, in two parts, beside points of NaN and infinity: the same bits."""
    cases = points_of(text, grid(text, 24))
    measured = dict(zip(cases, map(bits_of, autograd_at(cases)), strict=True))
    estimated = dict(zip(cases, map(repr, numeric_at(cases, noise())), strict=True))
    for part in (cases[::-1], cases[:5], cases[5:], cases[::2]):
        assert [bits_of(answer) for answer in autograd_at(part)] == [
            measured[found] for found in part
        ]
        assert [repr(answer) for answer in numeric_at(part, noise())] == [
            estimated[found] for found in part
        ]


@pytest.mark.parametrize(
    "text", ["sinh(x) + exp(x)*mish(x)", "x**y + sin(x)*softplus(y)", "sinh(x*y) + mish(x + z)"]
)
def test_the_number_of_threads_does_not_show(text):
    """A whole chunk makes arrays that torch splits between its threads: the same bits with one of
    them and with more.
    """
    cases = points_of(text, [(k / 50 - 2.5, 0.3 + k / 70, k / 90) for k in range(MOST_POINTS)])
    threads, seen = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3, 5, 7):
            torch.set_num_threads(count)
            seen.append(
                (
                    repr(numeric_at(cases, noise())),
                    [bits_of(answer) for answer in autograd_at(cases)],
                )
            )
    finally:
        torch.set_num_threads(threads)
    assert all(other == seen[0] for other in seen)


def test_no_batch_is_so_long_that_torch_splits_it(monkeypatch):
    """Its grain for one thread is 32,768 numbers; the ends of the parts would round in their own
    way.
    """
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.numel()) or t.sin(x))
    )
    cases = points_of("sin(x*y*z)", [(k / 50, 0.3, k / 90) for k in range(MOST_POINTS)])
    numeric_at(cases, noise())
    assert sum(calls) >= MOST_POINTS * 3 * 2 * 54
    assert max(calls) <= 32_768
    assert {count % VECTOR for count in calls} == {0}


def bits_of(answer):
    """Everything torch answered, each number to the bit."""
    return (
        (repr(answer.forward), repr(answer.partials), answer.cut)
        if isinstance(answer, Backward)
        else repr(answer)
    )


def test_torch_is_called_once_for_all_points(monkeypatch):
    """Once by autograd and once by the differences, with a whole number of vectors."""
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.shape) or t.sin(x))
    )
    results = list(check_together(points_of("sin(x)*y", grid("calls", 20)), Silent()))
    assert {result.outcome for result in results} == {"agree"}
    assert len(calls) == 3, "autograd, the differences, the bounds of those in doubt"
    assert all(len(shape) == 1 and shape[0] % VECTOR == 0 for shape in calls)


def test_one_point_goes_as_a_number(monkeypatch):
    """Not as a batch of one: torch rounds a number by itself in its own way."""
    row, calls = table()["sin"], []
    monkeypatch.setitem(
        table(), "sin", replace(row, torch=lambda t, x: calls.append(x.shape) or t.sin(x))
    )
    list(check_together(points_of("sin(x)", [(1.0,)]), Silent()))
    assert sorted(tuple(shape) for shape in calls) == [(), (109,)]


@pytest.mark.parametrize(
    "lie",
    [
        lambda t, x: t.sin(x.roll(1)) if x.ndim else t.sin(x), lambda t, x: t.sin(x) if x.ndim == 0 else t.sin(x).roll(1), lambda t, x: t.sin(x) + (x - x.mean()).detach() * 1e-3 * x if x.ndim else t.sin(x),
        lambda t, x: _Shifted.apply(x) if x.ndim else t.sin(x),
    ],
    ids=["argument", "value", "mean", "backward"],
)  # fmt: skip
def test_a_function_that_mixes_points_is_caught(lie, monkeypatch):
    """A batch that is shifted by one point, or leaks into its neighbours, is wrong; the same points
    alone are not.
    """
    cases = points_of("sin(x)*y", [(x / 7, 1 + x / 5) for x in range(1, 12)])
    assert {result.outcome for result in check_together(cases, Silent())} == {"agree"}
    monkeypatch.setitem(table(), "sin", replace(table()["sin"], torch=lie))
    caught = [result.outcome for result in check_together(cases, Silent())]
    assert caught.count("wrong") >= len(cases) - 1
    assert {check_case(found, Silent()).outcome for found in cases} == {"agree"}


class _Shifted(torch.autograd.Function):
    """sin with the gradients of a batch shifted by one point."""

    @staticmethod
    def forward(ctx, x):
        """sin."""
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, ybar):
        """cos of the neighbour."""
        (x,) = ctx.saved_tensors
        return ybar * x.cos().roll(1)


def shifted(answer):
    """A witness whose testimonies are handed to the wrong points."""

    def lying(self, batch):
        honest = answer(self, batch)
        return PointwiseEstimates(
            lambda k: honest.testimony((k + 1) % len(batch)), (len(batch), len(batch.keys))
        )

    return lying


def test_a_shifted_batch_of_answers_is_caught(monkeypatch):
    """The bookkeeping itself: answers handed to the wrong point."""
    cases = points_of("sin(x)*y", [(x / 7, 1 + x / 5) for x in range(1, 12)])
    monkeypatch.setattr(Autograd, "answer", shifted(Autograd.answer))
    assert {result.outcome for result in check_together(cases, Silent())} == {"wrong"}


def test_shifted_differences_are_caught(monkeypatch):
    """As above; the truth lies outside their bars, and they are called a defect of this tool."""
    cases = points_of("sin(x)*y", [(x / 7, 1 + x / 5) for x in range(1, 12)])
    monkeypatch.setattr(Numeric, "answer", shifted(Numeric.answer))
    for result in check_together(cases, Silent()):
        assert all("misses" in verdict.reason for verdict in result.verdicts)


@pytest.mark.parametrize("row", ["sin", "detach"])
def test_what_cannot_be_batched_goes_one_by_one(row, monkeypatch):
    """A function that looks at its number, or makes one number of a batch, is called for each
    point.
    """
    own = table()[row]
    cases = points_of(f"{row}(x)", grid("one by one", 6))
    expected = [bits_of(autograd(found)) for found in cases]
    for torchs in (
        lambda t, x: own.torch(t, x) if x > -1e9 else x,
        lambda t, x: own.torch(t, x).sum() if x.ndim else own.torch(t, x),
    ):
        monkeypatch.setitem(table(), row, replace(own, torch=torchs))
        assert [bits_of(answer) for answer in autograd_at(cases)] == expected


def test_an_abstention_is_each_points_own(monkeypatch):
    """What torch lacks it lacks at every point; what it refuses at one it answers at the others."""
    own = table()["sin"]

    def refusing(t, x):
        if (x == 2).any():
            raise RuntimeError("not at 2")
        return own.torch(t, x)

    monkeypatch.setitem(table(), "sin", replace(own, torch=refusing))
    found = autograd_at(points_of("sin(x)", [(1.0,), (2.0,), (3.0,)]))
    assert [type(answer) for answer in found] == [Backward, Abstention, Backward]
    assert found[1] == Abstention("torch cannot compute this in float64 on cpu: not at 2")
    assert [
        type(answer) for answer in numeric_at(points_of("sin(x)", [(1.0,), (2.0,), (3.0,)]))
    ] == [tuple, Abstention, tuple]


def test_detached_and_constant_values_together():
    """A path that is cut is cut at all points; a value that does not depend on the points is each
    point's value.
    """
    for answer in autograd_at(points_of("detach(x)*y", grid("cut", 4))):
        assert answer.partials[0] == Detached(("detach",))
    for answer in autograd_at(points_of("detach(x)", grid("cut", 4))):
        assert answer.partials == (Detached(("detach",)),)
    assert [bits_of(a) for a in autograd_at(points_of("x - x + 3", grid("cut", 4)))] == [
        bits_of(autograd(found)) for found in points_of("x - x + 3", grid("cut", 4))
    ]
    assert task.TASK_POINTS % MOST_POINTS == 0, "a worker's chunks are made of whole ones"
