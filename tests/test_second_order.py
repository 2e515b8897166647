"""Second derivatives: proved ones against mpmath, what holds at kinks by hand, and lies that only a
second derivative shows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import pi
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from asking import check_points, points
from test_subjects import CallableSubject
from test_together import Silent

from gradcheck_cli.api import assert_gradient, check
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.split import MAX_SECOND
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.versions import versions
from gradcheck_cli.reports import renderer
from gradcheck_cli.reports.stored import read_report


def second(text: str, at: str, analyst: Any = None, **options: Any) -> Any:
    """The results of a program's second derivatives at some points."""
    found = points(text, [at], order=2, **options)
    return check_points(found, analyst or Silent())


def outcomes(result: Any) -> dict[str, str]:
    """The outcome of each pair of inputs: `xy` is the derivative by x, then by y."""
    return {
        f"{verdict.key.first[0]}{verdict.key.variable}": str(verdict.outcome)
        for verdict in result.verdicts
    }


def softmax_sum(x: Any, y: Any) -> Any:
    """What the program of the table below means."""
    sizes = [mpmath.exp(x), mpmath.exp(y), mpmath.exp(x * y)]
    return (sizes[0] + 2 * sizes[1] + 3 * sizes[2]) / sum(sizes)


# A program, a point, and the same function for mpmath.
BY_MPMATH = [
    ("x**2*y", "x=3,y=2", lambda x, y: x**2 * y),
    ("sin(x*y) + exp(x)", "x=0.5,y=-1.25", lambda x, y: mpmath.sin(x * y) + mpmath.exp(x)),
    ("x**y", "x=1.5,y=2.5", lambda x, y: x**y),
    ("log(x**2 + y**2)", "x=0.25,y=2", lambda x, y: mpmath.log(x**2 + y**2)),
    ("atan2(y, x)", "x=-1.5,y=0.5", lambda x, y: mpmath.atan2(y, x)),
    ("sigmoid(x)*tanh(y)", "x=2,y=-0.5", lambda x, y: mpmath.tanh(y) / (1 + mpmath.exp(-x))),
    ("gelu(x) + 0*y", "x=0.75,y=1", lambda x, y: x * mpmath.ncdf(x)),
    ("softplus(x - y)", "x=1,y=0.5", lambda x, y: mpmath.log1p(mpmath.exp(x - y))),
    ("hypot(x, y)", "x=3,y=4", mpmath.hypot),
    ("erf(x/y)", "x=0.5,y=2", lambda x, y: mpmath.erf(x / y)),
    ("relu(x)**3 + y", "x=2,y=1", lambda x, y: x**3 + y),
    ("sum(softmax([x, y, x*y])*[1, 2, 3])", "x=0.5,y=-1", softmax_sum),
    ("det([[x, y], [y**2, x**3]])", "x=1.5,y=2", lambda x, y: x**4 - y**3),
    ("norm([x, y, 1])", "x=1,y=2", lambda x, y: mpmath.sqrt(x**2 + y**2 + 1)),
    ("sqrt(x)/y", "x=0.25,y=-2", lambda x, y: mpmath.sqrt(x) / y),
]


@pytest.mark.parametrize(("text", "at", "function"), BY_MPMATH, ids=[row[0] for row in BY_MPMATH])
def test_every_second_derivative_is_mpmaths(text, at, function, analyst):
    """Both triangles; SymPy and differences say the same, and torch is right."""
    (result,) = second(text, at, analyst, wrt=["x", "y"])
    place = [float(part.split("=")[1]) for part in at.split(",")]
    orders = {"xx": (2, 0), "xy": (1, 1), "yx": (1, 1), "yy": (0, 2)}
    assert list(outcomes(result)) == list(orders)
    for k, (pair, order) in enumerate(orders.items()):
        with mpmath.workdps(60):
            true = mpmath.diff(function, tuple(map(mpmath.mpf, place)), order)
        proved = float(result.evidence.of("reference", k).truth.mid())
        assert abs(proved - float(true)) <= 1e-14 * max(1.0, abs(float(true))), pair
        verdict = result.verdicts[k]
        assert verdict.outcome == "agree", (pair, verdict.reason)
        assert verdict.agrees == {"analytic": True, "numeric": True}, (pair, verdict.reason)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cotangent", [None, "[1, -0.5, 2]"])
def test_second_derivatives_of_tensors(cotangent, dtype):
    """Of `<cotangent, x**3 * a>` they are 6 x a times the cotangent on the diagonal, else 0."""
    at = "x=[1, 2, -3],a=[2, 0.5, 1]"
    (result,) = second("x**3*a", at, wrt=["x"], cotangent=cotangent, dtypes=[dtype])
    weights = [1.0, 1.0, 1.0] if cotangent is None else [1.0, -0.5, 2.0]
    true = np.diag([12.0 * weights[0], 6.0 * weights[1], -18.0 * weights[2]]).reshape(-1)
    found = [float(result.evidence.of("reference", k).truth.mid()) for k in range(9)]
    assert found == true.tolist()
    assert {str(verdict.outcome) for verdict in result.verdicts} == {"agree"}


# A program, a point, and what each second derivative comes to, by hand.
AT_KINKS = [
    # The first derivative of relu jumps: there is none at 0.
    ("relu(x)", "x=0", {"xx": "undefined"}),
    ("abs(x)", "x=0", {"xx": "undefined"}),
    ("floor(x) + x**2", "x=1", {"xx": "undefined"}),
    ("where(x > 0, x + 1, x)", "x=0", {"xx": "undefined"}),
    # It has a kink: 0 to the left, 2 to the right.
    ("relu(x)**2", "x=0", {"xx": "kink"}),
    ("x*abs(x)", "x=0", {"xx": "kink"}),
    ("huber_loss(x, 0)", "x=1", {"xx": "kink"}),
    # It has none.
    ("relu(x)**3", "x=0", {"xx": "agree"}),
    ("relu(x) - relu(-x)", "x=0", {"xx": "agree"}),
    # torch makes 0/0 of it; x**2 has the second derivative 2.
    ("sqrt(x**4)", "x=0", {"xx": "wrong"}),
    ("x**1.5", "x=0", {"xx": "undefined"}),
    ("sqrt(x)", "x=0", {"xx": "undefined"}),
    ("log(x)", "x=-1", {"xx": "undefined"}),
    # By x the derivative is abs(y) sign(x) and exists for y = 0 alone; by y it is abs(x).
    ("abs(x)*y", "x=0,y=0", {"xx": "agree", "xy": "inconclusive", "yx": "kink", "yy": "agree"}),
    ("abs(x)*y", "x=0,y=1", {"xx": "undefined", "xy": "undefined", "yx": "kink", "yy": "agree"}),
    ("abs(x*y)", "x=1,y=0", {"xx": "agree", "xy": "kink", "yx": "undefined", "yy": "undefined"}),
    # The jump is one of y, and the derivative by x does not know it.
    ("x**2 + floor(y)", "x=1,y=1", {"xx": "agree", "xy": "agree", "yx": "undefined", "yy": "undefined"}),
    ("sign(x)*y", "x=0,y=0", {"xx": "agree", "xy": "inconclusive", "yx": "undefined", "yy": "agree"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "wanted"), AT_KINKS, ids=[f"{t} {a}" for t, a, _ in AT_KINKS]
)
def test_what_holds_at_kinks(text, at, wanted):
    """The first derivative has to exist at the point and beside it."""
    (result,) = second(text, at)
    assert outcomes(result) == wanted, [verdict.reason for verdict in result.verdicts]


def test_a_kink_of_the_first_derivative_is_proved():
    """Left and right second derivatives, and torch's answer between them."""
    (result,) = second("relu(x)**2", "x=0")
    (verdict,) = result.verdicts
    assert (verdict.sides.left.value, verdict.sides.right.value) == (0.0, 2.0)
    assert verdict.sides.proved
    assert verdict.reason.startswith("no second derivative at the boundary of `relu(x)`")


class Cube(torch.autograd.Function):
    """x**3 with a right backward that is differentiated wrongly: a part of it is cut."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any) -> Any:
        """x**3."""
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Kept for the backward."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, ybar: Any) -> Any:
        """3 x**2, one x of which is a constant to the next backward."""
        (x,) = ctx.saved_tensors
        return ybar * 3 * x * x.detach()


@pytest.mark.parametrize("is_elementwise", [False, True])
def test_a_wrong_double_backward_is_caught_by_second_order_alone(is_elementwise):
    """The gradient is right in every bit; the second derivative is half of what it should be."""
    program = parse("x**3")
    subject = CallableSubject("mine:cube", program.variables, Cube.apply, is_elementwise)
    for order, outcome in ((1, Outcome.AGREE), (2, Outcome.WRONG)):
        found = points(program, ["x=1:3:3"], subject=subject, order=order)
        results = check_points(found, Silent())
        assert [result.outcome for result in results] == [outcome] * 3
    reasons = [result.verdicts[0].reason for result in results]
    assert reasons[0].startswith("torch answers 3 where the derivative is 6")


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, "agree"), (1 + 1e-6, "wrong"), (-1.0, "wrong")]
)
def test_a_planted_factor_is_caught(factor, outcome):
    """In a second derivative of the middle range, in a tensor's off-diagonal entry too."""
    scale = torch.tensor(factor, dtype=torch.float64)

    def call(x: Any) -> Any:
        product = x[0] * x[1]
        # The value and the gradient are those of x[0] x[1]; only the second derivative is scaled.
        return product + (scale - 1) * (x[0] - x[0].detach()) * (x[1] - x[1].detach())

    program = parse("x[0]*x[1]")
    subject = CallableSubject("mine:product", program.variables, call)
    (first,) = check_points(points(program, ["x=[3, 5]"], subject=subject), Silent())
    assert first.outcome == "agree"
    (result,) = check_points(points(program, ["x=[3, 5]"], subject=subject, order=2), Silent())
    found = [str(verdict.outcome) for verdict in result.verdicts]
    assert found == ["agree", outcome, outcome, "agree"]


def test_a_path_that_is_missing_twice_is_wrong():
    """The second derivative of x detach(x) is 2, and torch has none; of a sum it is rightly 0."""
    (result,) = second("detach(x)*x", "x=1")
    (verdict,) = result.verdicts
    assert (verdict.outcome, verdict.cause) == (Outcome.WRONG, Cause.NO_PATH)
    (result,) = second("3*x + y**2", "x=1,y=2")
    assert set(outcomes(result).values()) == {"agree"}


def test_what_torch_cannot_differentiate_twice_is_told_in_its_words():
    """An abstention; the other opinions stand."""
    (result,) = second("hardsigmoid(x)", "x=0.5")
    (verdict,) = result.verdicts
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "hardsigmoid_backward is not implemented" in verdict.reason


def test_points_go_through_torch_together():
    """A batch of numbers gives what each gives alone, the program's value among it."""
    text = "sin(x)*exp(y)"
    together = check("sin(x)*exp(y)", {"x": "0.1:3:5", "y": 0.5}, order=2).records
    alone = [check(text, record["at"], order=2).records[0] for record in together]
    for one, other in zip(together, alone, strict=True):
        for key in ("value", "outcome"):
            assert one[key] == other[key]
        for p, q in zip(one["partials"], other["partials"], strict=True):
            assert (p["reference"], p["autograd"]) == (q["reference"], q["autograd"])


def test_many_inputs_are_multiplied_with_a_direction():
    """Of the sum of cubes the products are 6 x v."""
    count = MAX_SECOND + 1
    numbers = [float(k % 5 - 2) for k in range(count)]
    report = check("sum(x**3)", {"x": numbers}, order=2)
    (record,) = report.records
    direction = record["direction"]["x"]
    assert len(set(direction)) > 1
    assert 0.0 not in direction
    for x, v, partial in zip(numbers, direction, record["partials"], strict=True):
        assert partial["reference"]["value"] == 6 * x * v
        assert partial["outcome"] == "agree"
    text = renderer("table")(report)
    assert "∂(∇f·v)/∂x[0] = " in text
    assert "products with one random direction v stand for 289 second derivatives" in text
    every = check("sum(x**3)", {"x": numbers[:MAX_SECOND]}, order=2).records[0]
    assert (every["direction"], len(every["partials"])) == (None, MAX_SECOND**2)


def test_what_a_record_holds():
    """The order, pairs in `variable` and `index`, the value of the program itself, and a command
    that asks the same.
    """
    report = check("x[0]*y**2", {"x": [3.0, 5.0], "y": 2.0}, wrt=["x", "y"], order=2)
    (record,) = report.records
    assert (record["order"], record["value"]["reference"], record["value"]["autograd"]) == (
        2,
        12.0,
        12.0,
    )
    assert [(p["variable"], p["index"]) for p in record["partials"]][:3] == [
        (["x", "x"], [[0], [0]]), (["x", "x"], [[0], [1]]), (["x", "y"], [[0], []]),
    ]  # fmt: skip
    assert record["partials"][2]["reference"]["value"] == 4.0
    assert "--order 2" in record["reproduce"]
    text = renderer("table")(report)
    for name in ("∂²f/∂x[0]²", "∂²f/∂x[0]∂x[1]", "∂²f/∂x[0]∂y", "∂²f/∂y²"):
        assert name in text
    for form in ("csv", "markdown", "junit", "sarif", "github", "gitlab", "tap"):
        assert renderer(form)(report)
    document = renderer("json")(replace(report, environment=versions()))
    assert renderer("json")(read_report(document)) == document


def test_order_one_is_what_is_asked_without_it():
    """The same bytes, the command apart."""
    plain, one = (check("sin(x)", {"x": pi}, **way).records[0] for way in ({}, {"order": 1}))
    assert json.dumps(plain) == json.dumps(one)


def test_an_assertion_shows_the_second_derivative():
    """`assert_gradient` takes the order."""
    assert_gradient("x**3", {"x": 2}, order=2)
    with pytest.raises(AssertionError, match="∂²f/∂x²"):
        assert_gradient("detach(x)*x", {"x": 1}, order=2)
