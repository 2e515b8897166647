"""Who is to blame: torch's own path, replays, and the node whose exact value alone mends a result."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from asking import autograd, case, check_case, evidence, reference
from flint import arb, ctx
from test_together import Silent

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.branch import crossed_kinks
from gradcheck_cli.judge.measure import format_ball, told_apart
from gradcheck_cli.judge.replay import Replay, round_ball
from gradcheck_cli.judge.retrace import retrace
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.worlds import balls

NOBODY = Abstention("not asked")
# Programs of arrays with the calls that torch pulls back at once, also inside others.
ARRAYS = {
    "softmax(A @ x)": "A=[[1,2],[0.5,-1]],x=[0.3,0.7]",
    "log_softmax(A, dim=0)": "A=[[1,2],[0.5,-1]]",
    "logsumexp(A, dim=1) + logsumexp(A.T, dim=0)": "A=[[1,2],[0.5,-1]]",
    "softmax(x, dim=0) + logsumexp(x, dim=0)": "x=[0.3,0.7,-1]",
    "cross_entropy(A, t)": "A=[[1,2,0.5],[0.5,-1,3]],t=[0,2]",
    "prod(A, dim=1) * cumprod(x, dim=0)": "A=[[1,2],[0.5,-1]],x=[0.3,0.7]",
    "layer_norm(x) * var(x) + std(x)": "x=[0.3,0.7,-1]",
    "norm(A @ x) / det(A)": "A=[[1,2],[0.5,-1]],x=[0.3,0.7]",
    "normalize(A) - softmax(A, dim=1)": "A=[[1,2],[0.5,-1]]",
}


def verdict_of(text, at, dtype="float64", partial=0, **options):
    """The verdict on one partial, SymPy not asked."""
    return check_case(case(text, at, dtype, **options), Silent()).verdicts[partial]


@pytest.mark.parametrize("text", ARRAYS)
@pytest.mark.parametrize("lie", [False, True], ids=["stated", "lying"])
def test_torchs_backward_is_the_gradient_in_exact_arithmetic(text, lie, monkeypatch):
    """With a cotangent that is not uniform; a lie of a millionth in softmax's pullback shows."""
    if lie:
        row = table()["softmax"]
        lying = lambda dim: (f"({row.pullback(dim=dim)[0]}) * (1000001/1000000)",)  # noqa: E731 - a column
        monkeypatch.setitem(table(), "softmax", replace(row, pullback=lying))
    shape = np.shape(autograd(case(text, ARRAYS[text])).forward)
    size = int(np.prod(shape)) if len(autograd(case(text, ARRAYS[text])).forward) > 1 else 1
    plain = case(text, ARRAYS[text])
    weights = np.arange(1.0, size + 1).reshape(plain.prepared.shape).tolist()
    found = case(text, ARRAYS[text], cotangent=str(weights) if plain.prepared.shape else None)
    trace, program = rounding(found).gradient, found.prepared.gradient
    exact = found.prepared.machine.run(found.scalars, 200, float)
    values = trace.graph.machine.run(found.scalars, 200, float)
    pairs = [(values[a], exact[b]) for a, b in zip(trace.partials, program.partials, strict=True)]
    with ctx.workprec(200):
        same = [abs(balls.plain(a) - balls.plain(b)) < arb(2) ** -150 for a, b in pairs]
    assert all(same) != (lie and "softmax(" in text and "log_softmax" not in text)


def random_program(random, depth):
    """A text of the four operations over x and y."""
    if depth == 0:
        return random.choice(["x", "y", "3", "0.7"])
    inner = [random_program(random, depth - 1) for _ in range(2)]
    return random.choice(["({}+{})", "({}-{})", "({}*{})", "({}/({}+9))"]).format(*inner)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_replay_of_the_four_operations_is_torch_bit_by_bit(dtype):
    """The value, for 60 random programs; with a node spared it is not, for some."""
    random, moved = Random(5), 0  # noqa: S311 - programs that repeat, not secrets
    for _ in range(60):
        text = f"{random_program(random, 3)} + x - y"
        found = case(text, "x=1.37,y=-0.61", dtype)
        replay = Replay(found, rounding(found).gradient, 96)
        place = replay.trace.outputs[0]
        ours = float(replay.run().values[place].mid())
        assert ours == autograd(found).forward[0], text
        calls = [i for i, node in enumerate(found.specification.nodes) if hasattr(node, "args")]
        moved += any(float(replay.run(i).values[place].mid()) != ours for i in calls)
    assert moved > 20


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_a_ball_is_rounding_a_fraction(dtype):
    """As `DType.round`, which the dtypes' own tests hold against torch, at all sizes."""
    random = Random(11)  # noqa: S311 - numbers that repeat, not secrets
    for _ in range(2000):
        number = random.uniform(-2, 2) * 2.0 ** random.uniform(-160, 140)
        ours = float(round_ball(arb(number), DTYPES[dtype]).mid())
        assert ours == DTYPES[dtype].round(balls.midpoint(arb(number)))
    assert str(round_ball(arb(2) ** 5000, DTYPES[dtype])) == str(arb("inf"))
    assert round_ball(arb(2) ** -5000, DTYPES[dtype]).is_zero()
    far = round_ball(arb(3) * arb(2) ** 5000, DTYPES[dtype], limited=False)
    assert far == arb(3) * arb(2) ** 5000


NAMED = [
    ("1/((1 + x**2) - 1)", "x=1e-10", "float64", "wrong", "`1 + x**2` rounds to 1 (it is 1 + 1e-20)"),
    ("sqrt(x*x)", "x=1e20", "float32", "wrong", "`x*x` is inf in float32, where it is 1e+40"),
    ("1/(sqrt(x*x + 1) - 1)", "x=1e-9", "float64", "wrong", "`sqrt(x*x + 1) - 1` is 0 in float64, where it is 5e-19"),
    ("norm([x, y])", "x=1e-200,y=2e-200", "float64", "wrong", "inside `norm([x, y])` `x**2` is 0 in float64"),
    ("norm([x, y])", "x=1e200,y=2e200", "float64", "wrong", "inside `norm([x, y])` `x**2` is inf in float64"),
    ("log(exp(x))", "x=-1e10", "float64", "wrong", "`exp(x)` is 0 in float64"),
    ("exp(-x)/exp(-x)", "x=30000", "float64", "wrong", "`exp(-x)` is 0 in float64"),
    ("sigmoid(x)", "x=40", "float64", "imprecise", "`sigmoid(x)` rounds to 1 (it is 1 - 4.2e-18)"),
    ("tanh(x)", "x=15", "float64", "imprecise", "in the backward of `tanh(x)`"),
    ("log(1 - minimum(sigmoid(x), 1 - 1e-8))", "x=30", "float32", "wrong", "`minimum(sigmoid(x), 1 - 1e-8)` rounds to 1"),
    ("where(x > 0, sqrt(x), 0)", "x=-1", "float64", "wrong", "the branch not taken, `sqrt(x)`"),
    ("log(erfc(x))", "x=27.6", "float64", "wrong", "`erfc(x)` is 0 in float64"),
    ("acos(1 - x)", "x=1e-14", "float32", "wrong", "in the backward of `acos(1 - x)` a number is 0 in float32, where it is 2e-14"),
    ("x**3 - 3*x**2 + 3*x - 1", "x=1.00001", "float64", "imprecise", "in the backward of `x**3`"),
    ("atan2(x + y, 2 + x)", "x=54.93,y=-46100", "float16", "wrong", "in the backward of `atan2(x + y, 2 + x)` a number is inf"),
    ("sin(exp(x))/exp(x)", "x=91", "bfloat16", "wrong", "`exp(x)` is inf in bfloat16"),
    ("sin(1000/exp(x))*exp(x)", "x=-100", "bfloat16", "wrong", "`exp(x)` is 0 in bfloat16, where it is 3.7"),
    ("sigmoid(x)", "x=[36.09,-6376]", "float32", "imprecise", "`sigmoid(x)` rounds to 1 (it is 1 - 2.1e-16)"),
    ("x/(1+exp(-x))", "x=-600", "float64", "wrong", "in the backward of `x/(1+exp(-x))` a number is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "dtype", "outcome", "words"), NAMED)
def test_the_sentence_names_what_would_mend_the_result(text, at, dtype, outcome, words):
    """The node that loses the digits, or that leaves the range; never a constant."""
    verdict = verdict_of(text, at, dtype)
    assert verdict.outcome == outcome
    assert words in verdict.reason


@pytest.mark.parametrize(
    ("text", "at", "dtype", "options"),
    [
        ("sin(2*pi*f*t)", "f=440,t=1000", "float32", {}),
        ("sin(2*pi*f*t)", "f=4400,t=1000", "float32", {}),
        ("(1-x/n)**n", "x=10,n=1e9", "float32", {}),
        ("x*tanh(1e20*(cos(y)-1))", "x=1,y=1e-9", "float64", {}),
        ("x + b", "x=[1,2,3],b=0.5", "float64", {"wrt": ("b",), "cotangent": "[0.1,0.2,-0.3]"}),
        ("b*x + b", "x=[1,2,3,4],b=0.5", "float32", {"wrt": ("b",), "cotangent": "[0.7,-0.1,-0.2,0.3]"}),
        ("prod(x)", "x=[0.01,0.02,0.03]", "float16", {}),
        ("cumprod(x, dim=0)[2]", "x=[0.01,0.02,0.03]", "float16", {}),
        ("logsumexp(x, dim=0)", "x=[-2000,-2000]", "float64", {}),
        ("logsumexp(x, dim=0)", "x=[9000.1,9001.9]", "float32", {}),
        ("x/std(x, dim=0)", "x=[-3176,0.0006812,-26.43]", "float16", {}),
        ("x/std(x, dim=0)", "x=[-334.2,16800,-764.4]", "float16", {}),
        ("sigmoid(cumprod(erf(cumprod(x, dim=0)), dim=0))", "x=[0.813,0.5017,2.333]", "bfloat16", {"cotangent": "[1.701,1.65,-2.878]"}),
        ("tan(x)**n", "x=2,n=101", "float64", {"wrt": ("x",)}),
        ("softmax(where(m > 0, a, -inf), dim=0)[2]", "a=[1,2,3],m=[1,0,1]", "float64", {"wrt": ("a",)}),
    ],
)  # fmt: skip
def test_what_rounding_did_is_not_called_wrong(text, at, dtype, options):
    """To all orders; and the same answer with its sign turned is, where the dtype can tell."""
    found = case(text, at, dtype, **options)
    honest = check_case(found, Silent()).verdicts
    assert {v.outcome for v in honest} <= {"agree", "imprecise"}
    assert not any("cannot be told" in v.reason for v in honest)


@pytest.mark.parametrize(
    ("text", "at", "crossed"),
    [
        ("where(x > 0.1, 0.7*x, y)", "x=0.3,y=1", False),
        ("atan2(x*y, y)", "x=0.3,y=0.7", False),
        ("floor(3*x*y)*x", "x=0.7,y=0.1", False),
        ("floor((x + y) - y)*x", "x=0.99999999999999989,y=1", True),
        ("softplus(x, beta=10, threshold=1)", "x=0.1", True),
        ("softplus(x, beta=10, threshold=1)", "x=0.11", False),
        ("softplus(x, beta=10, threshold=1)", "x=0.09", False),
        ("softplus(x, beta=10, threshold=1)", "x=0.125", False),
    ],
)
def test_only_a_kink_between_torchs_values_and_the_true_ones_is_crossed(text, at, crossed):
    """That a value is rounded, as all are, is no step to another piece."""
    found = case(text, at)
    said = evidence(found, reference=reference(found), autograd=autograd(found))
    assert bool(crossed_kinks(said)) == crossed


def test_a_range_that_torch_did_not_leave_is_not_blamed():
    """torch's std of float16 squares in float32: 16,800 squared is no infinity there."""
    found = case("x/std(x, dim=0)", "x=[-334.2,16800,-764.4]", "float16")
    reasons = [verdict.reason for verdict in check_case(found, Silent()).verdicts]
    assert any("in the backward of `std(x, dim=0)`" in reason for reason in reasons)
    assert not any("inf in float16" in reason for reason in reasons)


def test_a_gradient_of_which_a_half_is_missing_is_wrong():
    """Beside a kink that rounding crosses torch's own slope is held against, not a hull of slopes."""
    assert verdict_of("3*abs((x + 1e-17) - 1)", "x=1").outcome == "imprecise"
    verdict = verdict_of("x*detach(x) + 3*abs((x + 1e-17) - 1)", "x=1")
    assert verdict.outcome == "wrong"


# By hand: 10*x lies above the threshold by less than half a spacing, and rounds onto it; torch then
# takes the other branch, whose slope is sigmoid(1) = 0.731 in place of 1.
WITHIN = [
    ("softplus(x, beta=10, threshold=1)", "x=0.1", "float64"), ("softplus(x, beta=10, threshold=1)", "x=0.1", "float32"), ("softplus(10*x, threshold=1)", "x=0.1", "float64"),
    ("x*softplus(y*x, beta=10, threshold=1)", "x=0.1,y=1", "float64"), ("where(10*x > 1, x, 3*x)", "x=0.1", "float64"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "dtype"), WITHIN)
def test_a_jump_within_rounding_is_torchs_own_choice(text, at, dtype):
    """Inside a function as outside; and its value is no surprise either."""
    result = check_case(case(text, at, dtype), Silent())
    assert result.verdicts[0].outcome == "imprecise"
    assert result.verdicts[0].cause == "kink within rounding"
    assert not any("torch's value is" in note for note in result.notes)


@pytest.mark.parametrize("factor", [1.2, 1.36, 1.0001, 0.5])
def test_what_lies_between_two_branches_is_neither(factor, monkeypatch):
    """0.877 is between 0.731 and 1; that rounding decides the branch is no excuse for it, nor for a
    value between those of the two.
    """
    row = table()["softplus"]
    lie = replace(row, torch=lambda t, x, **given: row.torch(t, x, **given) * factor)
    monkeypatch.setitem(table(), "softplus", lie)
    result = check_case(case("softplus(x, beta=10, threshold=1)", "x=0.1"), Silent())
    assert result.verdicts[0].outcome == "wrong"
    assert any("torch's value is off by" in note for note in result.notes)


@pytest.mark.parametrize(
    ("text", "at", "node"),
    [
        ("digamma(x - 0.001)", "x=-1", "x - 0.001"), ("digamma(x*y)", "x=-3.015625,y=0.33203125", "x*y"), ("digamma(x - 0.0005)", "x=-1", "x - 0.0005"),
    ],
)  # fmt: skip
def test_a_pole_that_rounding_leads_to_is_blamed_on_the_number_that_rounds(text, at, node):
    """torch's digamma of bfloat16 answers some finite number on the pole itself."""
    verdict = check_case(case(text, at, "bfloat16"), Silent()).verdicts[0]
    assert verdict.outcome == "wrong"
    assert verdict.cause != "unknown"
    assert f"`{node}` rounds to -" in verdict.reason
    assert "rounding explains" not in verdict.reason


def path_of(found):
    """torch's own path, from the reference and autograd alone."""
    said = {"reference": reference(found), "autograd": autograd(found)}
    return retrace(evidence(found, **said, analytic=NOBODY, numeric=NOBODY))


def test_a_lie_on_torchs_own_path_is_not_explained():
    """A millionth, where the truth is out of reach of the first order."""
    found = case("(1-x/n)**n", "x=10,n=1e9", "float32")
    path = path_of(found)
    answer = autograd(found).partials[0].value
    assert path.explains(0, answer)
    assert not path.explains(0, answer * (1 + 1e-5))
    assert not path.explains(0, -answer)


def test_a_value_that_torch_did_not_compute_from_its_arguments_is_no_path(monkeypatch):
    """A forward that lies by a millionth makes no excuse for what comes of it."""
    row = table()["cos"]
    monkeypatch.setitem(table(), "cos", replace(row, torch=lambda t, x: t.cos(x) * (1 + 1e-6)))
    found = case("sin(cos(x)*1e6)", "x=1")
    path = path_of(found)
    assert path.strays
    assert not path.explains(0, autograd(found).partials[0].value)
    assert not path.reaches(0)


@pytest.mark.parametrize("order", range(6))
def test_the_budget_of_a_fan_out_covers_every_order(order):
    """Cotangents may be added up in any order; torch's float32 sums of all of them keep within."""
    random = Random(order)  # noqa: S311 - numbers that repeat, not secrets
    weights = [round(random.uniform(-1, 1), 2) for _ in range(5)]
    weights.append(-round(sum(weights), 2))
    found = case("x + b", "x=[1,2,3,4,5,6],b=0.5", "float32", wrt=("b",), cotangent=str(weights))
    room = rounding(found).of_partial(found, 0, found.dtype).total
    exact = sum(DTYPES["float32"].round(balls.midpoint(arb(w))) for w in weights)
    for _ in range(20):
        random.shuffle(weights)
        total = torch.tensor(0.0)
        for weight in weights:
            total = total + torch.tensor(weight)
        assert abs(total.item() - exact) <= room


def test_a_zero_that_is_exact_keeps_the_path():
    """0**2 is no smaller than 0, and its root is a number."""
    found = case("norm(relu(x)) + y", "x=[-1,-2],y=3")
    path = retrace(evidence(found, reference=reference(found), autograd=autograd(found)))
    place = path.trace.outputs[0]
    assert float(balls.plain(path.values[place]).mid()) == autograd(found).forward[0] == 3
    assert rounding(found).of_value(found, found.dtype).total <= 2.0**-51


def test_the_budget_of_a_loss_of_logits_is_that_of_its_own_backward():
    """sigmoid(input) - target, far out; exp(-input) is part of the value alone."""
    found = case("bce_with_logits(x, 0.3)", "x=-770464", "float64")
    assert rounding(found).of_partial(found, 0, found.dtype).total <= 2.0**-50


def test_a_sum_of_what_is_no_number_on_the_path_is_no_number():
    """Squares that underflow have roots of which nothing is known; what torch made of them is."""
    found = case("sum(cosine_similarity(x, w, dim=-1))", "x=[[1e-170,0],[3,4]],w=[[0,1],[0,5]]")
    path = retrace(evidence(found, reference=reference(found), autograd=autograd(found)))
    assert float(balls.plain(path.values[path.trace.outputs[0]]).mid()) == 0.8
    assert not path.explains(0, autograd(found).partials[0].value)


def test_nan_in_the_place_of_an_infinity_is_an_overflow():
    """exp(1000) is beyond float64: an infinity would be right, and NaN is not."""
    text = "exp(logsumexp(std(x, dim=0), dim=0))"
    at = "x=[[-9.189,-20730,24800],[0,-33760,683.8],[-1.371,0,-0.03]]"
    verdicts = check_case(case(text, at), Silent()).verdicts
    beyond = [v for v in verdicts if "that is beyond the largest float64, where" in v.reason]
    assert beyond
    assert {(v.outcome, v.cause) for v in beyond} == {("wrong", "overflow")}


@pytest.mark.parametrize("x", ["-89", "-88.9", "-88.95", "-89.5"])
def test_two_numbers_of_a_sentence_are_two_texts(x):
    """A subnormal has lost digits that the first six do not show."""
    reason = verdict_of("mish(x)", f"x={x}", "float32").reason
    held, true = re.search(r"a number is (\S+) in float32, where it is ([^;\s]+)", reason).groups()
    assert held != true
    assert abs(float(held) - float(true)) <= 2.0**-149
    held = float(f"{float(held):.6g}")
    assert held == float(f"{float(true):.6g}"), "a point where six digits would not do"


@pytest.mark.parametrize("value", [1e-39, 0.1, 1 / 3, 5e-324])
def test_numbers_are_told_apart_by_as_many_digits_as_it_takes(value):
    """By six where these do, and by more than a float64 has where they differ as little."""
    with ctx.workprec(400):
        near, far = balls.exact_ball(value) * (1 + arb(2) ** -90), balls.exact_ball(value) * 2
        assert len({*told_apart(value, near, 6)}) == 2
        assert told_apart(value, far, 6) == (f"{value:.6g}", format_ball(far))
