"""Law: a formula that is shown is the derivative that was proved, and SymPy's: read back by the
tool's own reader it has the same value, for every row and for composites.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from asking import case, points, reference
from each import each
from programs import smooth

from gradcheck_cli.calculus import chain_rule, markup, writing
from gradcheck_cli.calculus.collecting import TooLong
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Number, Program
from gradcheck_cli.symbolic import server, shown
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import question_text
from gradcheck_cli.witnesses.formula_balls import Formulas
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import ShapeError, expand

from .points import all_rows, array_rows, case_of, elementwise_rows, named, samples, seeded
from .test_array_gradients import FLAT, texts_of
from .test_same_shapes import of_torch
from .test_same_shapes import samples as array_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.questions.batch import Point

BITS = 320
# Calls of each row of arrays that are looked at, each alone and within another function.
COUNT = 4
SMOOTH = smooth(60, "shown formulas")
# One program a line, at a point; each has something that the others have not.
COMPOSED = [
    ("straight_through(x, 2*y)", "x=1,y=2"),
    ("straight_through(x, (x + y)/2)**2", "x=1,y=2"),
    ("sigmoid(x**2) + tanh(x**3)", "x=0.7"),
    ("x**y + y**x + 2**x", "x=1.3,y=0.6"),
    ("exp(-x**2/2)*cos(3*x)/(1 + x**4)", "x=0.4"),
    ("where(x > 0, sqrt(x), 0)", "x=-1"),
    ("where(x > 0, sqrt(x), 0)", "x=2"),
    ("where(x > 0, log(x), y/x)*exp(y)", "x=-1.5,y=0.3"),
    ("u = sqrt(x); where(x > 0, u, 0) + where(x > 1, u**2, y)", "x=-1,y=2"),
    ("where(x == 0, 0, x**2*sin(1/x))", "x=0.3"),
    ("x if x > 2 or y < 1 else (y if not x > 0 else x*y)", "x=1.5,y=2"),
    ("relu(x)**2*[y > x]/y", "x=0.5,y=2"),
    ("clamp(x, min=y)*clamp(y, -1, 1) + max(x, y, x*y)", "x=0.5,y=0.2"),
    ("x*detach(x) + stop_gradient(x)*y + straight_through(round(x), x**2)", "x=1.3,y=2"),
    ("0.1*x**2 + 0.5*x**1.5 - 3e-7/x", "x=2"),
    ("x*e**(-x**2/y) + log(e**x)*log(exp(y))", "x=0.3,y=2"),
    ("sum(e**(-x))*e**x[0]", "x=[0.3, 2]"),
    ("sum((W@x + b - t)**2)", "W=[[1, 2, 0.5], [3, 4, -1]],x=[1, 2, 3],b=[0.5, 1],t=[0, 3]"),
    ("sum((W@x + b - t)**2)", "W=[[1, 2], [3, 4]],x=[[1, 2, 3], [2, 0, 1]],b=[[0.5], [1]],t=0.3"),
    ("mean((x@W.T + b)**2)", "W=[[1, 2], [3, 4], [5, 6]],x=[[1, 2], [2, 0]],b=[0.5, 1, 2]"),
    ("x@A@x/(x@x)", "x=[1, 2],A=[[1, 2], [3, 4]]"),
    ("sum(W@x)", "W=[[1, 2], [3, 4]],x=[1, 2]"),
    ("sum(x@W)", "W=[[1, 2], [3, 4]],x=[1, 2]"),
    ("sum(A@B@c)", "A=[[1, 2], [3, 4]],B=[[1, 0.5], [2, 1]],c=[0.3, 0.7]"),
    ("sum(A@B@C)", "A=[[1, 2], [3, 4], [0, 1]],B=[[1, 0.5], [2, 1]],C=[[0.3], [0.7]]"),
    ("mean(V@tanh(W@x + b) - t)", "V=[[1, 2], [3, 4]],W=[[1, 0.5], [2, 1]],x=[0.3, 0.7],b=0.1,t=[1, 2]"),
    ("sum(softmax(W@x)*log(p))", "W=[[1, 0.5], [2, 1]],x=[0.3, 0.7],p=[0.2, 0.8]"),
    ("logsumexp(x*y)", "x=[0.3, 0.7, 1],y=[1, 2, -1]"),
    ("sum(outer(x, y)*z) + norm(x - y[0])", "x=[0.3, 0.7],y=[1, 2],z=[[1, 2], [3, 4]]"),
    ("sum(x.T*y)*sum(x, dim=0)@z", "x=[[1, 2], [3, 4]],y=[[1, 0.5], [2, 1]],z=[1, 2]"),
    ("trace(A@A)*trace(A.T@B)", "A=[[1, 2], [3, 5]],B=[[1, 2], [0.5, 1]]"),
    ("trace(A@B.T)**2 + trace(A@B@A.T@B) + trace(A@A.T)", "A=[[1, 2], [3, 5]],B=[[1, 2], [0.5, 1]]"),
    ("trace(A@B) + trace(A.T@A)", "A=[[1, 2, 1], [3, 5, 2]],B=[[1, 2], [0.5, 1], [2, 1]]"),
    ("det(A)*sum(inverse(A)@b)", "A=[[1, 2], [3, 5]],b=[1, 2]"),
    ("max(x)*min(x)*prod(x)*std(x)", "x=[0.3, 0.7, 2]"),
    ("sum(x*b - x + b)", "x=[[1, 2, 3], [4, 5, 6]],b=[[1], [2]]"),
    ("sum(x - x + y)", "x=[1, 2, 3],y=2"),
    ("sum(reshape(x, 4)*y)*sum(reshape(x, 4))", "x=[[1, 2], [3, 4]],y=[1, 2, 3, 4]"),
    ("x[0]*x[1]**2 + sum(y[1:])", "x=[1, 2],y=[1, 2, 3]"),
    ("layer_norm(x)@y", "x=[1, 2, 4],y=[1, 0.5, 2]"),
    ("cosine_similarity(x, y, dim=0)", "x=[1, 2, 4],y=[1, 0.5, 2]"),
    ("cross_entropy(x, t)", "x=[[1, 2, 4], [0.5, 1, 2]],t=[2, 0]"),
    ("binary_cross_entropy(sigmoid(x), y)", "x=[1, -2],y=[0.3, 0.6]"),
]  # fmt: skip


def told(found: Point) -> list[dict[str, Any]]:
    """What is shown of each element."""
    asked = server._asked(json.loads(_question(found)))
    formulas, _ = shown.shown(asked.wanted, asked.program, asked.scalars, server.MAX_FORMULA)
    return formulas


def _question(found: Point) -> str:
    question = question_text(found.prepared)
    assert isinstance(question, str), question
    return question


def enclosed(found: Point, text: str, shape: tuple[int, ...] = ()) -> list[Any]:
    """The balls of a text at a point, broadcast to a shape."""
    program = parse(text)
    given = {name: found.prepared.inputs[name] for name in program.variables}
    expansion = expand(program, given)
    places = np.broadcast_to(np.asarray(expansion.values[program.result]), shape).reshape(-1)
    machine = balls.Machine(Program(tuple(expansion.builder.nodes), ()))
    values = machine.run(found.scalars, BITS, found.dtype.round)
    return [balls.plain(values[i]) for i in places.tolist()]


def differences(found: Point, tell: Callable[..., Any] = told) -> Iterator[str]:
    """What is shown and is not what was proved."""
    proved = reference(found)
    assert isinstance(proved, Proof)
    try:
        formulas = tell(found)
    except TooLong:  # nothing is shown
        return
    of = cache(partial(enclosed, found))  # the gradient of an array is one text for all elements
    for key, truth, formula in zip(found.batch.keys, proved.partials, formulas, strict=True):
        if not isinstance(truth, Certified):
            continue
        pairs = [(formula["formula"], of(formula["formula"])[0])]
        whole = formula.get("gradient")
        if whole is not None:
            shape = found.prepared.inputs[key.variable]
            every = np.reshape(np.array(of(whole["formula"], shape)), shape)
            pairs.append((whole["formula"], every[key.index]))
        for text, ball in pairs:
            if not is_same(ball, truth.ball) and not is_rounded(found, text, ball, truth.ball):
                yield f"∂/∂{key.variable}{list(key.index)}: {text} is {ball}, not {truth.ball}"


def is_same(ball: Any, truth: Any) -> bool:
    """Whether two balls overlap, and are narrow enough for that to say something."""
    narrow = ball.rad() <= 2.0**-40 * (1 + abs(truth.mid()))
    return bool(narrow and ball.overlaps(truth))


def is_rounded(found: Point, text: str, ball: Any, truth: Any) -> bool:
    """Whether a formula has a decimal of its own, for an exact number of a row, and nothing but its
    rounding to float64 is between two balls.
    """
    own, given = (
        {node.value for node in program.nodes if isinstance(node, Number) and node.decimal}
        for program in (parse(text), found.specification)
    )
    near = (ball - truth).abs_upper() <= 2.0**-50 * (1 + abs(truth.mid()))
    return bool(own - given) and bool(near)


@each("row", elementwise_rows(), ids=named)
def test_the_formula_of_a_row_is_what_was_proved(row):
    """At seeded points, for each of its settings."""
    for sample in samples(row):
        found = case_of(sample)
        assert not list(differences(found)), sample


@cache
def array_cases(row: Function) -> tuple[Point, ...]:
    """Some calls of a row, alone and within a function that weighs its elements."""
    random = seeded(f"formulas of {row.name}")
    candidates = array_samples(row)
    random.shuffle(candidates)
    cases: list[Point] = []
    for text, values in candidates:
        result = of_torch(text, values)
        if isinstance(result, Exception) or not result.numel() or len(cases) >= 2 * COUNT:
            continue
        try:
            made = [case(t, texts_of(values)) for t in (text, f"sum(sin({text}))")]
        except UserError:  # a shape that we refuse
            continue
        asked = [question_text(found.prepared) for found in made]
        if not any(isinstance(question, Abstention) for question in asked):
            cases += [found for found in made if isinstance(reference(found), Proof)]
    return tuple(cases)


@pytest.mark.parametrize("row", array_rows(), ids=named)
def test_the_formula_of_a_row_of_arrays_is_what_was_proved(row):
    """For some of its shapes and settings."""
    assert array_cases(row) or row.name in FLAT
    for found in array_cases(row):
        assert not list(differences(found)), found.specification.text


@pytest.mark.parametrize(("text", "at"), COMPOSED)
def test_the_formula_of_a_composite_is_what_was_proved(text, at):
    """Element by element, and of whole arrays."""
    found = case(text, at)
    assert not list(differences(found))


@pytest.mark.parametrize(
    ("text", "at", "cotangent"),
    [
        ("softmax(x)", "x=[1, 2, 3]", "[1, 2, 0.1]"),
        ("softmax(W@x)", "W=[[1, 2], [3, 4]],x=[0.5, 2]", "[1, 1]"),
        ("softmax(W@x)**2", "W=[[1, 2], [3, 4]],x=[0.5, 2]", "[0.3, 0.3]"),
        ("W*x", "W=[[1, 2], [3, 4]],x=[0.5, 2]", "[[1, 1], [1, 1]]"),
        ("W@x*[1, -1]", "W=[[1, 2], [3, 4]],x=[0.5, 2]", "[1, 2]"),
        ("W*x", "W=[[1, 2], [3, 4]],x=[0.5, 2]", "[[1, 2], [3, 4]]"),
        ("sigmoid(x)", "x=0.3", "2.5"),
        ("sin(x)", f"x={[0.1 * k for k in range(20)]}", f"{list(range(20))}"),
    ],
)
def test_a_cotangent_weighs_the_elements(text, at, cotangent):
    """Of a few numbers as an array, of many element by element."""
    found = case(text, at, cotangent=cotangent)
    assert not list(differences(found))


@each("asked", SMOOTH, ids=str)
def test_what_is_shown_is_sympys_derivative_too(asked):
    """Its value is that of the expression which the analytic opinion evaluates."""
    found = case(asked.text, asked.at)
    reply = server.derive(json.loads(_question(found)))
    texts = tuple(item["formula"] for item in reply["partials"])
    theirs = Formulas(found.prepared, texts, reply["program"]).balls(found)
    for text, (ball, reason) in zip(texts, theirs, strict=True):
        assert ball is not None, reason
        assert enclosed(found, text)[0].overlaps(ball)
    assert not list(differences(found))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sigmoid(x)*sin(y)", "x=0.3,y=2"),
        ("sqrt(x*y)*exp(y)", "x=0.3,y=2"),
        ("x**2*y", "x=0.3,y=2"),
    ],
)
def test_second_derivatives_too(text, at):
    """They are derivatives of what is shown of the first."""
    for found in points(text, at, order=2):
        proved = reference(found)
        pairs = zip(proved.partials, told(found), strict=True)
        assert all(is_same(enclosed(found, f["formula"])[0], p.ball) for p, f in pairs)


def caught() -> bool:
    """Whether the law fails somewhere."""
    found = [case(text, at) for text, at in COMPOSED]
    found += [case_of(samples(lookup(name))[0]) for name in ("sigmoid", "softplus", "abs")]
    try:
        return any(True for point in found for _ in differences(point))
    except (ShapeError, ValueError):  # nothing that fits
        return True


LIES: dict[str, tuple[Any, str, Any]] = {
    "a sign of a term": (writing, "_first_positive", lambda honest: lambda node: [(abs(c), i) for c, i in honest(node)]),
    "a sign of a product": (writing.Writer, "_times", lambda honest: lambda self, c, f: honest(self, abs(c), f)),
    "a fraction upside down": (markup.Markup, "fraction", lambda honest: lambda self, a, b: honest(self, b, a) if b else honest(self, a, b)),
    "a power off by one": (markup.Markup, "raised", lambda honest: lambda self, b, e: honest(self, b, e + 1)),
    "no guard": (writing.Writer, "_guarded", lambda honest: lambda self, node: None),
    "no sum": (chain_rule, "summed_to", lambda honest: lambda algebra, part, target: part.place),
    "a step upside down": (markup.Markup, "step", lambda honest: lambda self, c: honest(self, f"not ({c})")),
    "a matrix not transposed": (markup.Markup, "transposed", lambda honest: lambda self, m: m),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_what_is_written_is_caught(lie, monkeypatch):
    """The law can fail, whatever is written wrongly."""
    assert not caught()
    where, name, wrong = LIES[lie]
    monkeypatch.setattr(where, name, wrong(getattr(where, name)))
    assert caught()


STATED = [row for row in all_rows() if row.derivative and isinstance(row.derivative, tuple)]


@pytest.mark.parametrize("row", [row for row in STATED if row in elementwise_rows()], ids=named)
def test_a_wrong_derivative_in_a_row_is_caught(row, monkeypatch):
    """One part in a million is enough."""
    lies = tuple(f"({text})*(1 + 1/10**6)" for text in row.derivative)
    monkeypatch.setitem(table(), row.name, replace(row, derivative=lies))
    found = [case_of(sample) for sample in samples(row)]
    assert any(True for point in found for _ in differences(point))


NOT_WRITTEN = ("gate", "zoo", "Heaviside", "Piecewise", "DiracDelta", "sinc_slope", "broadcast_like", "as_vector", "as_scalar")  # fmt: skip


@each("row", [row for row in elementwise_rows() if not row.helper], ids=named)
def test_no_internal_name_is_shown(row):
    """Helpers, and names that SymPy alone has."""
    found = case_of(samples(row)[0])
    for formula in told(found):
        assert not any(name in formula["formula"] for name in NOT_WRITTEN)
        assert "heaviside" not in formula["formula"] or row.name == "heaviside"
