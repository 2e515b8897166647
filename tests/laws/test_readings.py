"""Law: the program that SymPy's process sends for a formula is the one that its text reads back to,
and nothing else is taken for a program.
"""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
import sympy
from asking import analytic, case
from each import each
from programs import smooth

from gradcheck_cli.functions import table
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program, in_reading_order
from gradcheck_cli.symbolic import printing, readings, symbols, wire
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.formula_balls import Formulas

from .points import named
from .test_one_pass import CHOSEN, RANDOM, ROWS, about, taken

# Of these SymPy says what is no formula: nan, or an imaginary slope.
NO_FORMULA = ("0**x + x", "(-2)**x", "inf*x*y")
TEXTS = [text for text in [*RANDOM, *CHOSEN] if text not in NO_FORMULA]


def misread(text, spoil=lambda data: data):
    """Formulas of a program's gradient whose program, after its journey, is not that of their text."""
    variables = parse(text).variables
    order = printing.Order()
    gradient = list(symbols.gradient(*taken(text)))
    texts = [printing.Printer(order).doprint(formula) for formula in gradient]
    arrived = wire.from_wire(
        json.loads(json.dumps(spoil(wire.to_wire(readings.reading(gradient, order))))), variables
    )
    return [
        told
        for told, place in zip(texts, arrived.outputs, strict=True)
        if in_reading_order(Program(arrived.nodes, (place,))).nodes != parse(told).nodes
    ]


@each("text", TEXTS)
def test_a_program_is_what_its_text_reads_back_to(text):
    """Node by node."""
    assert not misread(text)


@each("row", ROWS, ids=named)
def test_a_program_of_every_row_is_what_its_text_reads_back_to(row):
    """At default settings, or at 0.3 where there are none."""
    assert not misread(about(row))


@pytest.mark.parametrize(
    "text",
    [
        "gelu(x, approximate='tanh')",
        "softplus(x, beta=0.3)",
        "elu(x*y, alpha=2)",
        "hardtanh(x, min_val=-1e-3)*y",
        "hardshrink(x, lambd=inf)",
    ],
)
def test_settings_travel_too(text):
    """Words, decimals, integers and infinities."""
    assert not misread(f"x*{text}")


@pytest.mark.parametrize("text", NO_FORMULA)
def test_what_is_no_formula_has_no_program(text):
    """Its text is read then, which tells why."""
    with pytest.raises(readings.NoReading):
        readings.reading(symbols.gradient(*taken(text)), printing.Order())


def altered(data, place):
    """One node changed: a number by 1, a variable for a number, a call for another."""
    node = data["nodes"][place]
    if isinstance(node, list):
        other = {
            "add": "sub",
            "sub": "add",
            "mul": "div",
            "div": "mul",
            "sin": "cos",
            "pi": "e",
        }.get(node[0])
        swapped = (
            [node[0], *reversed(node[1:])]
            if node[0] == "pow"
            else ["neg", node[1]]
            if len(node) > 1 and node[0] != "neg"
            else ["abs", *node[1:]]
        )
        node = [other, *node[1:]] if other else swapped
    else:
        node = node + 1 if isinstance(node, int) else 17
    return data | {"nodes": [*data["nodes"][:place], node, *data["nodes"][place + 1 :]]}


@pytest.mark.parametrize("text", RANDOM[::10])
def test_a_changed_node_is_seen(text):
    """The comparison above can fail, wherever the lie is."""
    size = len(readings.reading(symbols.gradient(*taken(text)), printing.Order()).nodes)
    assert all(
        misread(text, lambda data, place=place: altered(data, place)) for place in range(size)
    )


LIES = {
    "no sign": ("_product", lambda honest: lambda self, product, signed: honest(self, product, signed=False)),
    "no line of a fraction": ("_times", lambda honest: lambda self, factors: factors[0]),
    "1/x for x": ("_power", lambda honest: lambda self, base, exponent: honest(self, base, -exponent if exponent.is_Number else exponent)),
    "a sum for a difference": ("_sum", lambda honest: lambda self, total: honest(self, sympy.Add(*[abs(a) if a.is_Number else a for a in total.args], evaluate=False))),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_reading_is_seen(lie, monkeypatch):
    """The comparison above can fail, whatever is read wrongly."""
    name, wrong = LIES[lie]
    monkeypatch.setattr(
        readings.ExpressionReader, name, wrong(getattr(readings.ExpressionReader, name))
    )
    assert any(misread(text) for text in TEXTS)


@pytest.mark.parametrize("asked", smooth(30, "programs of formulas"), ids=str)
def test_program_and_text_have_the_same_value(asked, analyst):
    """At a point; as the process sends it, unevaluated, and as SymPy's text reads."""
    found = case(asked.text, asked.at)
    answers = analytic(found, analyst)
    assert not isinstance(answers, Abstention), answers
    printer = printing.Printer(printing.Order())
    texts = [printer.doprint(formula) for formula in symbols.gradient(*taken(asked.text))]
    balls = [ball for ball, _ in Formulas(found.prepared, texts, None).balls(found)]
    assert all(a.ball.overlaps(ball) for a, ball in zip(answers, balls, strict=True))


def test_the_elements_of_an_array_are_its_inputs(analyst):
    """They are named as in a scalar program; the text takes them by index."""
    found = case("sum(tanh(x @ y)**2)", "x=[[1, 2], [3, 4]],y=[3, 0.1]", wrt=["x"])
    answers = analytic(found, analyst)
    texts = [answer.text for answer in answers]
    balls = [ball for ball, _ in Formulas(found.prepared, texts, None).balls(found)]
    assert len(balls) == 4
    assert all(a.ball.overlaps(ball) for a, ball in zip(answers, balls, strict=True))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "a program has nodes and outputs"),
        ({"nodes": []}, "a program has nodes and outputs"),
        ({"nodes": [1] * (wire.MAX_WIRE_NODES + 1), "outputs": [0]}, "it has more than 65,536 nodes"),
        ({"nodes": [1], "outputs": [1]}, "an output is no number of it"),
        ({"nodes": [1], "outputs": [-1]}, "an output is no number of it"),
        ({"nodes": [1], "outputs": [None]}, "an output is no number of it"),
        ({"nodes": ["x", ["gt", 0, 0]], "outputs": [1]}, "an output is no number of it"),
        ({"nodes": ["y"], "outputs": [0]}, "`y` is not one of its inputs"),
        ({"nodes": [1.5], "outputs": [0]}, "`1.5` is no number"),
        ({"nodes": [float("nan")], "outputs": [0]}, "`nan` is no number"),
        ({"nodes": [True], "outputs": [0]}, "`True` is no number"),
        ({"nodes": [None], "outputs": [0]}, "`None` is no number"),
        ({"nodes": [{"decimal": "1", "x": 1}], "outputs": [0]}, "`{'decimal': '1', 'x': 1}` is no number"),
        ({"nodes": [{"decimal": "one"}], "outputs": [0]}, "`one` is no decimal"),
        ({"nodes": [{"decimal": "1/0"}], "outputs": [0]}, "`1/0` is no decimal"),
        ({"nodes": [{"decimal": "1e999999999"}], "outputs": [0]}, "`1e999999999` is no decimal"),
        ({"nodes": [[]], "outputs": [0]}, "there is no function `None`"),
        ({"nodes": [["system", 0]], "outputs": [0]}, "there is no function `system`"),
        ({"nodes": [["ln", 0]], "outputs": [0]}, "there is no function `ln`"),
        ({"nodes": ["x", ["sin"]], "outputs": [1]}, "`sin` has the arguments []"),
        ({"nodes": ["x", ["sin", 1]], "outputs": [1]}, "`sin` has the arguments [1]"),
        ({"nodes": ["x", ["sin", -1]], "outputs": [1]}, "`sin` has the arguments [-1]"),
        ({"nodes": ["x", ["sin", "x"]], "outputs": [1]}, "`sin` has the arguments ['x']"),
        ({"nodes": ["x", ["where", 0, 0, 0]], "outputs": [1]}, "`where` takes a condition for `c`"),
        ({"nodes": ["x", ["lt", 0, 0], ["sin", 1]], "outputs": [2]}, "`sin` takes a number for `x`"),
        ({"nodes": ["x", ["sin", 0, {"dim": 0}]], "outputs": [1]}, "`sin` is no function of numbers with these settings"),
        ({"nodes": ["x", ["softplus", 0, {"beta": [1]}]], "outputs": [1]}, "`[1]` is no number"),
        ({"nodes": ["x", ["softplus", 0, {"beta": "x"}]], "outputs": [1]}, "`x` is no number"),
        ({"nodes": ["x", ["softplus", 0]], "outputs": [1]}, "`None` is no number"),
        ({"nodes": ["x", ["gelu", 0, {"approximate": 1.5}]], "outputs": [1]}, "`1.5` is no number"),
        ({"nodes": ["x", ["transpose", 0, {"dim0": 0, "dim1": 1}]], "outputs": [1]}, "`transpose` is no function of numbers with these settings"),
    ],
)  # fmt: skip
def test_what_is_no_program_is_refused_in_words(data, told):
    """Known functions, numbers and inputs, each after its arguments: a text can say no more."""
    with pytest.raises(wire.Unreadable) as caught:
        wire.from_wire(json.loads(json.dumps(data)), ["x"])
    assert str(caught.value) == told


def test_every_setting_of_every_row_is_data():
    """As it is bound by default."""
    for row in table().values():
        if row.parsed.settings and row.kind == "derived":
            sent = wire._sent(Call(row.name, (), tuple(sorted(row.bound({}).items()))))
            assert json.loads(json.dumps(sent)) == sent


def test_numbers_arrive_as_they_were():
    """Integers without end, decimals that are rounded, infinities."""
    numbers = [
        Number(Fraction(-(10**40)), decimal=False),
        Number(Fraction(1, 10), decimal=True),
        Number(Fraction(2), decimal=True),
        Number(float("-inf"), decimal=False),
    ]
    program = Program(tuple(numbers), (0, 3))
    assert wire.from_wire(json.loads(json.dumps(wire.to_wire(program))), ()) == program


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "a program has nodes and outputs"),
        ('{"nodes": ["y"], "outputs": [0]}', "`y` is not one of its inputs"),
        ('{"nodes": [], "outputs": []}', "0 formulas came for 1 partials"),
    ],
)
def test_a_malformed_program_is_told_as_a_formula_without_a_value(program, told):
    """It is no verdict on torch, whatever came."""
    assert Formulas(case("x**2", "x=3").prepared, ["2*x"], program).balls(case("x**2", "x=3")) == [
        (None, f"the formula could not be evaluated: {told}")
    ]
