"""What torch approximates on purpose is found where the row says so, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import pytest
from asking import points

from gradcheck_cli import check
from gradcheck_cli.functions import table
from gradcheck_cli.functions.deviations import Approximation
from gradcheck_cli.judge.approximations import approximation_note, approximations

SOFTPLUS = "above its default threshold of 20 torch's softplus answers x itself"
SIXTH = "torch's backward takes 1/6 rounded to float32"
ALPHA = "torch's backward rounds alpha to float32"
TRIGAMMA = "torch's backward sums a short series, good to some 5e-10"
CLAMPS = "torch clamps the logarithms at -100 and, in backward, (1 - input) * input at 1e-12"


def notes(text, at, dtype="float64", wrt=()):
    """The note on each partial."""
    (point,) = points(text, [at], dtypes=[dtype], wrt=wrt)
    found = approximations(point)
    return [approximation_note(found, k) for k in range(len(point.keys))]


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("softplus(x)", "x=20.5", [SOFTPLUS]),
        ("softplus(x)", "x=20", [""]),
        ("softplus(x)", "x=19.5", [""]),
        ("softplus(x, beta=3)", "x=7", [SOFTPLUS]),
        ("softplus(x, beta=3)", "x=6", [""]),
        ("y*softplus(x**2)", "x=5,y=2", [SOFTPLUS, SOFTPLUS]),
        ("hypot(y, softplus(x))", "x=25,y=2", [SOFTPLUS, SOFTPLUS]),
        ("y + softplus(x**2) - z*y", "x=5,y=2,z=1", ["", SOFTPLUS, ""]),
        ("softplus(x)", "x=[1, 30, 20]", ["", SOFTPLUS, ""]),
        ("sum(softplus(W @ x))", "W=[[30, 0], [0, 1]],x=[1, 1]", [SOFTPLUS, SOFTPLUS, "", "", SOFTPLUS, SOFTPLUS]),
        ("softplus(x, threshold=20)", "x=30", [""]),
        ("softplus(x, threshold=50)", "x=30", [""]),
        ("binary_cross_entropy(x, y)", "x=1e-14,y=0.5", [CLAMPS, CLAMPS]),
        ("binary_cross_entropy(x, y)", "x=1e-11,y=0.5", ["", ""]),
        ("sin(x)", "x=100", [""]),
        ("hardsigmoid(x)", "x=1", [SIXTH]), ("hardsigmoid(x)", "x=3.5", [""]), ("hardsigmoid(x)*y", "x=-2,y=1", [SIXTH, SIXTH]), ("hardswish(x)", "x=1", [""]),
        ("celu(x, alpha=0.3)", "x=-1", [ALPHA]), ("celu(x, alpha=0.3)", "x=1", [""]), ("celu(x)", "x=-1", [""]), ("celu(x, alpha=0.375)", "x=-1", [""]),
        ("celu(x, alpha=1/3)", "x=-1", [ALPHA]), ("celu(x, alpha=inf)", "x=-1", [""]), ("celu(x, alpha=16777217)", "x=-1", [ALPHA]), ("celu(x, alpha=16777216)", "x=-1", [""]),
        ("digamma(x)", "x=1", [TRIGAMMA]), ("digamma(x)", "x=-1.5", [TRIGAMMA]), ("digamma(x)", "x=200", [""]), ("lgamma(x)", "x=1", [""]),
    ],
)  # fmt: skip
def test_a_partial_is_told_of_what_lies_on_its_way(text, at, expected):
    """By element, with the settings of the call, also inside another function; at the threshold
    itself torch is exact, and a threshold that is written is the meaning.
    """
    assert notes(text, at) == expected


@pytest.mark.parametrize("text", ["hardsigmoid(x)", "celu(x, alpha=-0.3)", "digamma(x)"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_what_is_rounded_to_float32_shows_in_wider_formats_alone(text, dtype):
    """There it is what the dtype rounds it to as well."""
    assert notes(text, "x=-1.5", dtype) == [""]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("hardsigmoid(x)", {"x": 1}), ("sin(hardsigmoid(x))*y", {"x": 1, "y": 2}), ("celu(x, alpha=0.3)", {"x": -1}), ("digamma(x)", {"x": 1}), ("digamma(x)**2", {"x": 2.5}),
    ],
)  # fmt: skip
def test_what_torch_approximates_is_the_cause(text, at):
    """The sentence says what it is, and the cause is not unknown."""
    verdict = check(text, at).results[0].verdicts[0]
    assert (verdict.outcome, verdict.cause) == ("wrong", "limited approximation")
    assert any(words in verdict.reason for words in (SIXTH, ALPHA, TRIGAMMA))


def test_an_approximation_is_named_where_nothing_is_known_of_the_rounding():
    """A sigmoid that is 0 in float64: the slope of its logarithm has no budget, and torch a clamp."""
    (verdict,) = check("binary_cross_entropy(sigmoid(x), 0.3)", {"x": -653900}).results[0].verdicts
    assert verdict.outcome == "wrong"
    assert CLAMPS in verdict.reason


@pytest.mark.parametrize(
    "row", [row for row in table().values() if row.approximates], ids=attrgetter("name")
)
@pytest.mark.torch_fact
def test_torch_approximates_where_a_row_says_so(row):
    """Beyond rounding at some points where the condition holds, and at none where it does not."""
    inside, outside = POINTS[row.name]
    text = SETTINGS.get(row.name) or f"{row.name}({', '.join(row.parsed.names)})"
    for at, approximated in ((inside, True), (outside, False)):
        said = notes(text, at)[0]
        assert bool(said) is approximated
        (result,) = check(text, at=at_of(at)).results
        assert (result.verdicts[0].outcome == "wrong") is approximated


# Of every row that torch approximates: a point where it does, and one beside it.
POINTS = {
    "softplus": ("x=21", "x=19"), "bce": ("input=1e-14,target=0.5", "input=1e-10,target=0.5"), "hardsigmoid": ("x=1", "x=4"), "celu": ("x=-1", "x=1"),
    "digamma": ("x=1", "x=1000"),
}  # fmt: skip
# Where it does so at some settings alone.
SETTINGS = {"celu": "celu(x, alpha=0.3)"}


def at_of(text):
    """A point as `check` takes it."""
    return dict(pair.split("=") for pair in text.split(","))


def test_an_undecided_condition_is_none():
    """The input is no exact number: the ball of its square root of 400 holds 20."""
    assert notes("softplus(sqrt(x)**2)", "x=20") == [""]


def test_several_are_told_once_each():
    """Ten softplus are one sentence; two functions are two."""
    assert notes("sum(softplus(x))", f"x={[30] * 10}") == [SOFTPLUS] * 10
    text = "softplus(x) + binary_cross_entropy(x/1e16, 0.5)"
    assert notes(text, "x=30") == [f"{SOFTPLUS}; {CLAMPS}"]


def test_a_row_that_lies_is_told_elsewhere(monkeypatch):
    """The condition is the row's: another one is found at other points."""
    lie = Approximation("beta * x < 0", "it lies")
    monkeypatch.setitem(
        table(), "softplus", replace(table()["softplus"], approximates=lambda beta, threshold: lie)
    )
    assert notes("softplus(x)", "x=-1") == ["it lies"]
    assert notes("softplus(x)", "x=30") == [""]
