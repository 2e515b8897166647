"""Infinities and NaN at a point: where they may stand, what is said of them, and that no NaN passes
for an answer.
"""

from __future__ import annotations

import json
import math
import shlex
from math import exp, inf, nan, tanh

import numpy as np
import pytest
from asking import alone, case, changed, check_case, groups, numeric, reference
from each import each
from flint import arb
from laws.points import differentiable_rows, evidence_of, named, samples
from test_suite_points import case as suite_case
from test_suite_points import values

from gradcheck_cli import check
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.checks.reproduce import reproduce
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.language.constants import nonfinite
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import NonFinite, read_points, read_value
from gradcheck_cli.records.record import line_of
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.series import Puiseux, UndecidedSign, constant_series

SPELLINGS = {
    inf: ["inf", "+inf", "Inf", "infinity", ".inf", "oo", "math.inf", "torch.inf", "float('inf')", "- inf"][:-1],
    -inf: ["-inf", "-.inf", "-oo", "-Infinity", "float('-inf')", '-float("inf")', "-np.inf"],
    nan: ["nan", "NaN", ".nan", "-nan", "np.nan", "float('nan')"],
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), [(n, t) for n, ts in SPELLINGS.items() for t in ts])
def test_a_point_takes_infinities_and_nan(number, text):
    """As a number and inside a list, beside finite ones."""
    single, several = read_value(text), read_value(f"[1, [{text}, 2]]")
    assert isinstance(single, NonFinite)
    np.testing.assert_equal(single.value, number)
    np.testing.assert_equal(several[1][0].value, number)


@pytest.mark.parametrize("text", ["", "info", "nano", "x.inf.y", "inf inf", "float(inf)", "2*inf"])
def test_what_is_no_infinity(text):
    """Names that begin so, and expressions."""
    assert nonfinite(text) is None


# Programs in x (differentiated) and m or n (held, or masked out), with derivatives by hand. A text
# after the point names what is differentiated.
MASKS = [
    ("where(m > 0, x, 0)**2", "x=[3, inf, nan],m=[1, 0, -inf]", [6, 0, 0]),
    ("sum(where(m > 0, x, 0)**2)", "x=[3, -inf, nan],m=[inf, 0, nan]", [6, 0, 0]),
    ("where(m == m, m, x)", "x=[3, 4],m=[1, nan]", [0, 1]),
    ("where(m != m, x, 7)", "x=[3, 4],m=[1, nan]", [0, 1]),
    ("where(m == -inf, x**2, x)", "x=[3, 3, 3],m=[-inf, inf, 0]", [6, 1, 1]),
    ("where(x < 100, x, 0)*2", "x=[3, inf]", [2, 0]),
    ("where(x == x, x, 0)**3", "x=[2, nan]", [12, 0]),
    ("x[0]**2", "x=[3, nan]", [6, 0]),
    ("x*exp(m)", "x=2,m=-inf", [0]),
    ("x*tanh(m) + x/m", "x=2,m=inf", [1]),
    ("maximum(x, m)", "x=2,m=-inf", [1]),
    ("maximum(x, m)", "x=2,m=inf", None),
    ("softmax(x + m, dim=0)[0]", "x=[1, 9, 1],m=[0, -inf, 0]", [0.25, 0, -0.25]),
    ("logsumexp(x + m, dim=0)", "x=[1, 9, 1],m=[0, -inf, 0]", [0.5, 0, 0.5]),
    ("clamp(x, m, n)", "x=2,m=-inf,n=inf", [1]),
    ("sigmoid(m)*x + tanh(x)", "x=1,m=inf", [1 + 1 - tanh(1) ** 2]),
    ("relu(x)*exp(-m)", "x=3,m=inf", [0]),
    ("x*where(m > 0, exp(-m), 1)", "x=3,m=1", [exp(-1)]),
]


@each("dtype", DTYPES)
@each("text, at, slopes", MASKS)
def test_a_masked_number_spoils_nothing(text, at, slopes, dtype, analyst):
    """The proved derivative is the one by hand, and torch's agrees; None: there is no finite
    value.
    """
    point = case(text, at, dtype, wrt=["x"])
    result = check_case(alone(point), analyst)
    if slopes is None:
        assert result.outcome == "undefined"
        return
    assert [v.outcome for v in result.verdicts] == ["agree"] * len(slopes), result.verdicts
    truths = [float(answer.ball.mid()) for answer in reference(point).partials]
    assert truths == pytest.approx(slopes, rel=1e-15)
    for key, answer in zip(point.keys, numeric(point), strict=True):
        if not math.isfinite(point.at["x"][key.index]):
            assert isinstance(answer, Abstention)
            assert "no step" in answer.reason


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "text", ["x*m", "x + m", "(x - m)*0", "x*(m - m)", "m**x*0", "x*where(m < 0, m, m)", "relu(x)*m"]
)  # fmt: skip
def test_a_value_that_is_no_number_has_no_derivative(text, number, analyst):
    """NaN by hand in each of them, or an infinity."""
    result = check_case(case(text, f"x=0.5,m={number}", wrt=["x"]), analyst)
    (verdict,) = result.verdicts
    torch_value = float(result.evidence.testimonies["autograd"].forward[0])
    if math.isfinite(torch_value):  # m**x*0 at -inf: a negative base
        assert verdict.outcome != "agree"
    else:
        assert (verdict.outcome, verdict.cause) == ("undefined", "outside domain")
        assert "there is nothing to differentiate" in verdict.reason


@pytest.mark.parametrize("row", differentiable_rows(), ids=named)
def test_nan_never_passes(row, analyst):
    """Of every function, where NaN is added to its value."""
    sample = samples(row, 1)[0]
    found = case(f"{sample.text} + m", f"{sample.at},m=nan", wrt=sample.numbers)
    result = check_case(found, analyst)
    assert {v.outcome for v in result.verdicts} == {"undefined"}


def held(row):
    """(program, point, what is differentiated) with one argument of a function after the other held
    at an infinity or NaN.
    """
    sample = samples(row, 1)[0]
    for name in sample.numbers:
        for number in ("inf", "-inf", "nan"):
            at = ",".join(f"{n}={number if n == name else v}" for n, v in sample.point)
            yield f"v*{sample.text}", f"{at},v=2", ["v"]
            others = [other for other in sample.numbers if other != name]
            if others:
                yield sample.text, at, others


@each("row", differentiable_rows(), ids=named)
def test_no_argument_makes_nan_pass(row):
    """Of every function: where torch's value or its gradient is NaN, no outcome that would exit with
    0; and where torch's value is a number, none that says it is another.
    """
    for text, at, wrt in held(row):
        said = evidence_of(case(text, at, wrt=wrt))
        backward = said.testimonies["autograd"]
        if isinstance(backward, Abstention):
            continue
        (value,), outcomes = backward.forward, {v.outcome for v in judge(said)}
        slopes = [answer.value for answer in backward.partials]
        if math.isnan(value):
            assert outcomes <= {"undefined"}, (text, at)
        if any(map(math.isnan, slopes)):
            assert outcomes.isdisjoint({"agree", "imprecise", "kink"}), (text, at)
        assert math.isnan(value) or forward_note(said) is None, (text, at)


@each("row", [r for r in table().values() if r.arb is not None], ids=named)
def test_a_function_of_nan_has_no_finite_ball(row):
    """NaN as an input, which flint would call exact: of one it takes the arcsine."""
    names = row.parsed.names
    if row.condition or any(p.kind for p in row.parsed.args) or not names:
        return
    program = parse(f"{row.name}({', '.join(names)})")
    for name in names:
        inputs = dict.fromkeys(names, 0.4) | {name: nan}
        ball = Machine(program).run(inputs, 96, lambda value: value)[program.result]
        assert not ball.is_finite(), (row.name, name, ball)


def test_series_do_not_multiply_zero_by_an_infinity():
    """0.34**inf is 0, and that its slope is 0 as well is a limit of another kind."""
    (verdict,) = judge(evidence_of(case("x**y", "x=0.34,y=inf", wrt=["x"])))
    assert verdict.outcome == "inconclusive"
    infinity = constant_series(arb("inf"))
    with pytest.raises(UndecidedSign, match="zero times an infinity"):
        _ = infinity * Puiseux(())
    with pytest.raises(UndecidedSign, match="zero times an infinity"):
        _ = Puiseux(()) * infinity


def test_kinks_beside_a_mask_are_proved():
    """An infinity that is added or compared spoils no series."""
    (kink, masked) = judge(evidence_of(case("relu(x + m)", "x=[0, 1],m=[0, -inf]", wrt=["x"])))
    assert (kink.outcome, kink.sides.proved, masked.outcome) == ("kink", True, "agree")


@pytest.mark.parametrize("lie", [1.0, nan, inf, 1e-300])
def test_a_lie_behind_a_mask_is_caught(lie, analyst):
    """The partial of what is masked out is 0, whatever stands there."""
    result = check_case(case("where(m > 0, x, 0)", "x=[2, inf],m=[1, 0]", wrt=["x"]), analyst)
    said = result.evidence
    backward = said.testimonies["autograd"]
    lying = type(backward)(backward.forward, (Measured(1.0), Measured(lie)), (), backward.execution)
    verdicts = judge(Evidence(said.point, {**changed(said, autograd=lying).testimonies}))
    assert [v.outcome for v in verdicts] == ["agree", "wrong"]


@pytest.mark.parametrize(("text", "at", "slopes"), MASKS)
def test_the_reproducing_command_reads_back(text, at, slopes):
    """The same numbers, bit by bit, NaN among them."""
    point = case(text, at, wrt=["x"])
    words = shlex.split(reproduce(point))
    again = case(words[1], words[words.index("--at") + 1], wrt=["x"])
    for name, array in point.at.items():
        np.testing.assert_array_equal(array, again.at[name])
    assert slopes is None or again.keys == point.keys


def test_a_record_holds_them_as_texts(analyst):
    """JSON has no numbers for them."""
    result = check_case(
        case("sum(where(m > 0, x, 0))", "x=[1, inf, nan],m=[1, -inf, 0]", wrt=["x"]), analyst
    )
    assert json.loads(line_of(record_of(result)))["at"] == {
        "m": [1.0, "-inf", 0.0],
        "x": [1.0, "inf", "nan"],
    }  # fmt: skip


def test_python_takes_them():
    """Floats, texts, arrays; the first input that is differentiated is told where it may not be."""
    report = check("x*exp(m)", {"x": 2.0, "m": -inf}, wrt=["x"])
    assert report.summary == {"agree": 1}
    arrays = {"x": np.array([2.0, inf]), "m": np.array([1.0, -inf])}
    assert check("sum(where(m > 0, x, 0))", arrays, wrt=["x"]).summary == {"agree": 1}
    with pytest.raises(UserError, match=r"error\[not-finite\].*`m` = -inf"):
        check("x*exp(m)", {"x": 2.0, "m": "-inf"})


@pytest.mark.parametrize(
    "at",
    ["{x: 1, m: [-.inf, .NaN, inf, 2]}", "{x: 1, m: ['-inf', nan, .inf, 2]}"],
)
def test_suites_take_them(at):
    """As YAML writes them and as the command line does, in turn or in a tensor."""
    numbers = [m for _, m in values(at, "x*m\n    wrt: x")]
    np.testing.assert_equal(numbers, [-inf, nan, inf, 2])
    tensor = suite_case("{x: 1, m: {tensor: [-.inf, 2]}}", "x*m\n    wrt: x").points[0]["m"]
    assert [item.value for item in tensor] == [-inf, 2]


def test_points_that_differ_in_them_go_together():
    """One batch, as of other numbers."""
    (group,) = groups("x*m", {**read_points(["x=0:1:2"]), "m": read_value("nan")}, wrt=["x"])
    assert [len(batch) for batch in group] == [2]
