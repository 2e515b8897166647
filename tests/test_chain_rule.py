"""The chain rule on paper: what each number is, that the printed formula is what was evaluated, and
that lies in either are seen.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import prod

import numpy as np
import pytest
import torch
from asking import points
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from screens import CHAIN, PATHS

from gradcheck_cli.api import check
from gradcheck_cli.checks.traced import trace_record
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.records.versions import versions
from gradcheck_cli.reports import renderer
from gradcheck_cli.reports.chain_rule import chain_rule
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.reports.stored import read_report
from gradcheck_cli.witnesses.chain import Chain
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds.balls import balls_of, exact_ball, nearest_float
from gradcheck_cli.worlds.scalars import expand

AT = "w0=0.5,x0=1,w1=-0.3,x1=2,w2=0.1"
SMOOTH = {
    CHAIN: AT,
    PATHS: "a=1,b=2",
    "x2 = 3*b; y4 = 3*b; x2*y4 + b": "b=0.7",
    "u = sin(x*y); v = u**2 + x; w = v/u; log1p(w**2)": "x=0.7,y=1.3",
    "x = 2*x; x = x*tanh(x); x**3": "x=0.4",
    "s = sqrt(1 + x**2); t = gelu(s) - silu(x); t*s": "x=-1.25",
    "d = x - y; m = maximum(d, 0); m**2 + abs(d)": "x=3,y=1",
    "c = x*stop_gradient(y); c*y": "x=2,y=3",
    "a = x; b = a; a*b + x": "x=1.5",
    "u = x**3; x*2": "x=2",
    "k = expm1(x)/x; k*k": "x=1e-9",
}  # fmt: skip
TENSORS = {
    "h = W @ x; s = softmax(h); l = -log(s); sum(l*y)": "W=[[1, 2], [3, 4.5]],x=[1, -1],y=[0, 1]",
    "a = x*b; c = tanh(a); mean(c**2)": "x=[[1, 2], [0.5, -1]],b=0.3",
    "h = x.T @ x; p = sum(h*h, dim=0); p": "x=[[1, 2], [0.5, -1]]",
    "g = x[0]*x; g": "x=[1, 2, 3]",
}  # fmt: skip


def traced(analyst, text, at, *, every=False, **options):
    """The point, and every name of the program in the chain rule."""
    (point,) = points(text, at, **options)
    return point, Chain(analyst, every).trace(point)


def number(numbers):
    """The only number."""
    (ball,) = numbers.balls
    return nearest_float(ball)


def formula_fits(partial, found):
    """Whether a printed formula, read again, is at the values of the names what stands behind it:
    the slope, or for the adjoint of the step what is handed back.
    """
    values = {each.name: each.value for each in found}
    meant, adjoint = partial.value, partial.formula.adjoint
    if adjoint:
        values[adjoint] = next(each.adjoint for each in found if each.name == partial.of)
        meant = partial.contribution
    program = parse(partial.formula.text)
    expansion = expand(program, {n: values[n].shape for n in program.variables})
    inputs = {
        element: ball
        for n in program.variables
        for element, ball in zip(elements_of(n, values[n].shape), values[n].balls, strict=True)
    }
    # `∂y/∂x = 2` of each element, and a row of sums for each of its elements.
    places = np.broadcast_to(expansion.values[program.result], meant.shape)
    outputs = places.ravel().tolist()
    scalars = expansion.builder.program(*outputs)
    everything = balls_of(scalars, inputs)
    balls = [everything[i] for i in scalars.outputs]
    # A decimal of the formula is the exact number here, and that of the dtype in the program.
    return all(
        (a - b).abs_upper() <= 1e-15 * abs(b).abs_upper() or a.overlaps(b)
        for a, b in zip(balls, meant.balls, strict=True)
    )


def adds_up(found):
    """Whether in balls every contribution is local partial times adjoint, where both are numbers,
    and all of a name add up to its adjoint.
    """
    adjoints = {each.name: each.adjoint for each in found}
    for each in found:
        total = [exact_ball(0)] * prod(each.value.shape)
        for partial in each.local:
            total = [a + b for a, b in zip(total, partial.contribution.balls, strict=True)]
            if partial.value is not None and len(partial.value.balls) == 1:
                (slope,), (upper,) = partial.value.balls, adjoints[partial.of].balls
                if not (slope * upper).overlaps(partial.contribution.balls[0]):
                    return False
        pairs = zip(total, each.adjoint.balls, strict=True)
        if each.local and not all(a.overlaps(b) for a, b in pairs):
            return False
    return True


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("text", {**SMOOTH, **TENSORS})
def test_the_printed_formula_is_what_was_evaluated(text, every, analyst):
    """Read again and evaluated at the values of the names, it gives the number behind it. Every
    step of numbers has a formula, and of arrays those that a rule is known for.
    """
    _, found = traced(analyst, text, {**SMOOTH, **TENSORS}[text], every=every)
    partials = [partial for each in found for partial in each.local]
    known = [partial for partial in partials if partial.formula.text]
    assert known == partials or text in TENSORS
    for partial in known:
        assert partial.formula.latex
        assert formula_fits(partial, found), (partial.of, partial.formula)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("text", {**SMOOTH, **TENSORS})
def test_contributions_add_up_to_adjoints_and_those_of_inputs_are_the_gradient(
    text, every, analyst
):
    """In balls; the gradient of the whole program is made without any of this."""
    point, found = traced(analyst, text, {**SMOOTH, **TENSORS}[text], every=every)
    assert adds_up(found)
    proof = Reference().answer(point.batch).testimony(point.k)
    inputs = {each.name: each.adjoint for each in found if each.words is None}
    balls = [ball for name in point.question.wrt for ball in inputs[name].balls]
    assert all(a.overlaps(b.ball) for a, b in zip(balls, proof.partials, strict=True))


class LyingAnalyst:
    """Answers with every formula's sign turned."""

    def __init__(self, analyst):
        self.analyst = analyst

    def ask(self, question):
        self.analyst.ask(question)

    def answer(self, question):
        reply = self.analyst.answer(question)
        return {**reply, "partials": [_turned(each) for each in reply["partials"]]}


def _turned(partial):
    """A formula with its sign turned, that of the whole array as well."""
    turned = {**partial, "formula": f"-({partial['formula']})"}
    return turned | ({"gradient": _turned(partial["gradient"])} if "gradient" in partial else {})


@pytest.mark.parametrize(
    ("text", "at"), [(CHAIN, AT), ("h = W @ x; s = h**2; s", "W=[[1, 2], [3, 4]],x=[1, -2]")]
)
def test_a_wrong_sign_in_the_printing_is_seen(text, at, analyst):
    """The law above can fail, at every partial that is not 0."""
    _, found = traced(LyingAnalyst(analyst), text, at)
    fits = [formula_fits(partial, found) for each in found for partial in each.local]
    assert fits
    assert True not in fits


def test_a_wrong_local_partial_is_seen(analyst):
    """It is not what the formula says, and not what the contribution rests on."""
    _, found = traced(analyst, CHAIN, AT)
    for k, each in enumerate(found):
        for partial in each.local:
            turned = replace(partial.value, balls=tuple(-ball for ball in partial.value.balls))
            lie = replace(partial, value=turned)
            assert not formula_fits(lie, found)
            assert not adds_up([*found[:k], replace(each, local=(lie,)), *found[k + 1 :]])
            lie = replace(partial, contribution=turned)
            assert not adds_up([*found[:k], replace(each, local=(lie,)), *found[k + 1 :]])


def test_the_chain_of_the_logistic_function(analyst):
    """As a person writes it on paper."""
    _, found = traced(analyst, CHAIN, AT)
    assert [
        (
            e.name,
            e.words,
            [(p.of, p.formula.text, number(p.value)) for p in e.local],
            number(e.adjoint),
        )
        for e in found[:5]
    ] == [
        ("f", "1/h", [], 1),
        ("h", "1 + k", [("f", "-1/h**2", -0.25)], -0.25),
        ("k", "exp(-z)", [("h", "1", 1)], -0.25),
        ("z", "w0*x0 + w1*x1 + w2", [("k", "-exp(-z)", -1)], 0.25),
        ("w0", None, [("z", "x0", 1)], 0.25),
    ]


def test_several_paths(analyst):
    """Equal steps stay apart, and each path says what it brings."""
    _, found = traced(analyst, PATHS, "a=1,b=2")
    assert [e.name for e in found] == [
        "z",
        "d",
        "y",
        "y5",
        "y4",
        "y3",
        "y2",
        "y1",
        "c",
        "x",
        "x2",
        "x1",
        "a",
        "b",
    ]
    assert [(p.of, number(p.value), number(p.contribution)) for p in found[-1].local] == [
        ("y4", 3, 36),
        ("y3", 4, 72),
        ("x2", 3, 6),
    ]
    assert number(found[-1].adjoint) == 114


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch_is_what_a_person_gets_by_retain_grad(dtype, analyst):
    """The same operations, typed in."""
    _, found = traced(analyst, CHAIN, AT, dtypes=(dtype,))
    kind = getattr(torch, dtype)
    given = {"w0": 0.5, "x0": 1.0, "w1": -0.3, "x1": 2.0, "w2": 0.1}
    t = {n: torch.tensor(v, dtype=kind, requires_grad=True) for n, v in given.items()}
    t["z"] = t["w0"] * t["x0"] + t["w1"] * t["x1"] + t["w2"]
    t["k"] = torch.exp(-t["z"])
    t["h"] = 1 + t["k"]
    t["f"] = 1 / t["h"]
    for name in "zkhf":
        t[name].retain_grad()
    t["f"].backward()
    assert {e.name: e.torch for e in found} == {n: (v.grad.item(),) for n, v in t.items()}


def test_another_name_of_an_input_has_a_gradient_of_its_own(analyst):
    """torch would hold one tensor, and the sum."""
    _, found = traced(analyst, "a = x; a*x", "x=3")
    assert {e.name: e.torch for e in found} == {"f": (1.0,), "a": (3.0,), "x": (6.0,)}


@pytest.mark.parametrize("text", [CHAIN, PATHS, "u = sin(x*y); v = u**2 + x; log1p(v**2)"])
def test_an_adjoint_is_the_derivative_by_the_name(text, analyst):
    """Where it is asked for with the assignment cut."""
    at = SMOOTH.get(text, "x=0.7,y=1.3")
    _, found = traced(analyst, text, at)
    for each in found[1:]:
        if each.words is None:
            continue
        (point,) = points(text, at, wrt=(each.name,))
        (answer,) = Reference().answer(point.batch).testimony(point.k).partials
        assert nearest_float(answer.ball) == pytest.approx(number(each.adjoint), rel=1e-12)


def test_where_there_is_no_derivative_the_row_says_so(analyst):
    """And the others go on; what rests on it has no proof."""
    _, found = traced(analyst, "h = relu(x); y = h*x; g = sign(y); y + h + g*y", "x=0")
    rows = trace_record(found)
    assert [(row["name"], [p["reason"] for p in row["local"]]) for row in rows] == [
        ("f", []),
        ("g", [None]),
        ("y", [None, "jump of `sign(y)`"]),
        ("h", [None, None]),
        ("x", [None, "kink of `relu(x)`"]),
    ]
    assert [row["adjoint"]["reference"] for row in rows] == [1, 0, None, None, None]
    assert rows[4]["local"][0]["value"] == 0


def test_a_kink_that_nothing_rests_on_is_none(analyst):
    """Its adjoint is 0: the product is, whatever the slope."""
    _, found = traced(analyst, "h = relu(x); g = 0*h; x**2 + g", "x=0")
    rows = trace_record(found)
    assert (rows[-1]["name"], rows[-1]["adjoint"]["reference"]) == ("x", 0)


def test_a_pole_and_a_place_outside_the_domain(analyst):
    """What has no value has none, and a slope that is not finite says so."""
    _, found = traced(analyst, "a = log(x); b = sqrt(a); b*2", "x=1")
    rows = trace_record(found)
    assert [(r["name"], r["value"], [p["reason"] for p in r["local"]]) for r in rows] == [
        ("f", 0, []),
        ("b", 0, [None]),
        ("a", 0, ["not finite"]),
        ("x", 1, [None]),
    ]
    _, found = traced(analyst, "a = log(x); a*2", "x=-1")
    assert [row["value"] for row in trace_record(found)] == [None, None, -1]


def test_what_is_not_differentiated_has_a_row_without_an_adjoint(analyst):
    """A step of other inputs; a step that nothing rests on has 0."""
    _, found = traced(analyst, "u = w**2; v = x*u; d = x**3; v", "x=2,w=3", wrt=("x",))
    rows = [(e.name, e.adjoint and number(e.adjoint), e.torch, len(e.local)) for e in found]
    assert rows == [
        ("d", 0, None, 0),
        ("v", 1, (1.0,), 0),
        ("u", None, None, 0),
        ("x", 9, (9.0,), 1),
    ]


def test_tensors_have_slopes_of_elements_or_a_jacobian(analyst):
    """`elementwise` where each element has a slope of its own; the shape of the name where the step is
    a number; else the dimensions of the step first.
    """
    text = "h = W @ x; s = tanh(h); p = sum(s**2); p"
    _, found = traced(analyst, text, "W=[[1, 2], [3, 4], [5, 6]],x=[0.5, -0.25]")
    shapes = [(p.of, e.name, p.value.shape, p.elementwise) for e in found for p in e.local]
    assert shapes == [
        ("p", "s", (3,), False),
        ("s", "h", (3,), True),
        ("h", "W", (3, 3, 2), False),
        ("h", "x", (3, 2), False),
    ]
    jacobian = found[-1].local[0].value
    assert [nearest_float(ball) for ball in jacobian.balls] == [1, 2, 3, 4, 5, 6]


def test_a_step_of_arrays_says_how_it_hands_its_adjoint_back(analyst):
    """In a name for the adjoint that the step itself does not use."""
    _, found = traced(analyst, "h = W @ dh; sum(h**2)", "W=[[1, 2], [3, 4]],dh=[1, -2]")
    told = {e.name: [(p.of, p.formula.text, p.formula.adjoint) for p in e.local] for e in found}
    assert told == {
        "f": [],
        "h": [("f", "2*h", "")],
        "W": [("h", "outer(dh_, dh)", "dh_")],
        "dh": [("h", "W.T @ dh_", "dh_")],
    }


def test_a_cotangent_stands_at_the_result(analyst):
    """And what is handed back is multiplied with it."""
    _, found = traced(analyst, "h = 1 + x; h/2", "x=3", cotangent="2")
    assert [number(each.adjoint) for each in found] == [2, 1, 1]


def rendered(text, at, name="table", **options):
    """A report as text."""
    return renderer(name)(check(text, at, trace=True, **options))


def test_the_record_is_as_the_schema_says_and_null_where_nothing_is_asked():
    """Written and read again it is the same; a report from before has it filled in."""
    report = check("h = 2*x; h**2", {"x": [1.0, 2.0]}, trace=True)
    document = json.loads(renderer("json")(replace(report, environment=versions())))
    Draft202012Validator(report_schema()).validate(document)
    (case,) = document["cases"]
    assert case["trace"][1] == {
        "name": "h",
        "value": [2.0, 4.0],
        "step": "2*x",
        "local": [
            {
                "of": "f",
                "formula": "2*h",
                "latex": "2 h",
                "adjoint": None,
                "value": [4.0, 8.0],
                "elementwise": True,
                "contribution": [4.0, 8.0],
                "reason": None,
            }
        ],
        "adjoint": {"reference": [4.0, 8.0], "autograd": [4.0, 8.0]},
    }
    assert read_report(json.dumps(document)).records == report.records
    del case["trace"]
    assert read_report(json.dumps(document)).records[0]["trace"] is None
    assert check("h = 2*x; h**2", {"x": 1.0}).records[0]["trace"] is None
    assert "local partial" in repr(report)
    assert "local partial" in report._repr_html_()


@pytest.mark.parametrize("width", [40, 60, 70, 80, 100, 120, None])
@pytest.mark.parametrize("verbose", [False, True])
def test_numbers_are_whole_and_no_line_is_wider(width, verbose):
    """Whatever gives way: every number of the widest table stands in each."""
    text = "numerator = sin(x)*exp(y) + w*x; f = numerator/(1 + numerator**2)"
    (record,) = check(text, {"x": 0.3, "y": -1.2, "w": 123.456}, trace=True).records
    plain = [line.plain for line in chain_rule(record, width, verbose=verbose)]
    assert width is None or max(map(cell_len, plain)) <= width
    page = " ".join(" ".join(plain).split())
    whole = [line.plain for line in chain_rule(record, None, verbose=verbose)]
    words = {word for line in whole[2:] for word in line.split()}
    numbers = {word for word in words if re.fullmatch(r"-?\d+\.?\d*(e-?\d+)?", word)}
    assert numbers
    assert [n for n in numbers if n not in page.replace(",", "").split(" ")] == []


def test_autograd_has_a_column_where_it_is_another():
    """Beyond the digits that are shown, or without a path."""
    page = rendered("h = x*detach(x); g = floor(h); h + g", {"x": 1.5})
    assert "x    1.5  (input)      ∂h/∂x = x + detach(x) = 3  ∂f/∂x = 3       1.5" in page
    assert "autograd\n" not in rendered(CHAIN, dict(p.split("=") for p in AT.split(",")))[-500:]
    page = rendered("h = round(x)*2; straight_through(h, x)", {"x": 1.25})
    assert "no path" not in page


def test_markdown_has_a_table_of_its_own():
    """Each number in its column."""
    page = rendered("h = 1 + x; 1/h", {"x": 1}, "markdown")
    assert (
        "|  | value | step | local partial | adjoint |\n"
        "| --- | ---: | --- | --- | ---: |\n"
        "| `f` | `0.5` | `1/h` |  | `∂f/∂f = 1` |\n"
        "| `h` | `2` | `1 + x` | `∂f/∂h = -1/h**2 = -0.25` | `∂f/∂h = -0.25` |\n"
        "| `x` | `1` | `(input)` | `∂h/∂x = 1` | `∂f/∂x = -0.25` |\n"
    ) in page


def test_of_many_points_the_first_few_are_traced():
    """Each under its point, and how many there are more."""
    page = rendered("h = 2*x; h**2", {"x": "1:5:5"})
    assert [line for line in page.splitlines() if "chain rule" in line] == [
        "chain rule at x = 1",
        "chain rule at x = 2",
        "chain rule at x = 3",
        "… and the chain rule of 2 cases more, which --verbose shows",
    ]


@pytest.mark.parametrize("options", [{"order": 2}, {"jacobian": True}])
def test_only_first_derivatives_under_one_cotangent_are_traced(options):
    """The whole message."""
    (name,) = options
    with pytest.raises(UserError) as caught:
        check("h = 2*x; h**2", {"x": 1.0}, trace=True, **options)
    assert str(caught.value.mistakes[0]) == (
        "error[conflicting-options]: the chain rule is traced for first derivatives under one cotangent\n"
        f"  = help: leave `{name}` out"
    )


def test_a_program_that_is_too_large_says_so():
    """In a note; the check itself is made."""
    (record,) = check("h = x @ x; sum(h)", {"x": "ones(80, 80)"}, trace=True).records
    assert record["trace"] is None
    assert record["notes"][-1].startswith(
        "no trace: it comes to 1,036,800 scalar operations, more than 100,000"
    )
