"""A machine: a scalar program that runs at many points, with what does not depend on the point
kept.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest
from each import each
from flint import arb, ctx
from programs import smooth

from gradcheck_cli.calculus.formulas import lower
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Copying, Program, fold
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import expand

ROUND = DTYPES["float64"].round
TEXTS = [asked.text for asked in smooth(30, "machines")] + [
    "0.1*x + pi",
    "sin(2)*x + exp(1/3)",
    "where(x > 0, x, -x)*gelu(y)",
    "softplus(x) - softplus(3)",
]


def machine_of(text, keep="primitives"):
    """(machine, program) of a text's scalars; derived functions stay whole with "all"."""
    program = parse(text)
    expansion = expand(program, dict.fromkeys(program.variables, ()), keep)
    scalars = expansion.builder.program(expansion.values[program.result])
    return balls.Machine(scalars), scalars


@each("keep", ["primitives", "all"])
@each("text", TEXTS)
def test_a_machine_gives_at_every_point_what_one_run_gives(text, keep):
    """Ball for ball, node for node, at several precisions and in several dtypes in turn."""
    machine, program = machine_of(text, keep)
    for bits in (64, 192, 64):
        for dtype in ("float64", "bfloat16"):
            for x in (0.3, -1.7):
                inputs, literal = {"x": x, "y": x + 1, "z": 2.0}, DTYPES[dtype].round
                ours, alone = (
                    run[: len(program.nodes)]
                    for run in (
                        machine.run(inputs, bits, literal),
                        balls.Machine(program).run(inputs, bits, literal),
                    )
                )
                assert [shown(ball) for ball in ours] == [shown(ball) for ball in alone]


def shown(ball):
    """Everything of a ball."""
    return (ball.mid().man_exp(), ball.rad().man_exp()) if hasattr(ball, "man_exp") else ball


@pytest.mark.parametrize("text", TEXTS)
def test_a_derived_function_is_its_meaning(text):
    """Whole or taken apart beforehand: the same ball for the result."""
    (whole, first), (apart, second) = machine_of(text, "all"), machine_of(text)
    inputs = {"x": 0.3, "y": 1.25, "z": -2.0}
    assert whole.run(inputs, 128, ROUND)[first.result].overlaps(
        apart.run(inputs, 128, ROUND)[second.result]
    )


def test_what_no_variable_reaches_is_computed_once(monkeypatch):
    """One sine of a constant for each precision and dtype, however many points there are."""
    calls, row = [], table()["sin"]
    monkeypatch.setitem(table(), "sin", replace(row, arb=lambda x: calls.append(x) or row.arb(x)))
    machine, _ = machine_of("sin(0.1)*x + sin(x)")
    for x in (0.5, 1.5, 2.5):
        machine.run({"x": x}, 96, ROUND)
    assert len(calls) == 4
    machine.run({"x": 0.5}, 192, ROUND)
    machine.run({"x": 0.5}, 96, DTYPES["float16"].round)
    assert len(calls) == 8
    assert any(not one.overlaps(calls[0]) and abs(one - calls[0]) < 1e-3 for one in calls), (
        "0.1 in float16 is another number"
    )


def test_a_literal_that_is_another_dtypes_is_seen():
    """The constants kept for one dtype are not another's."""
    machine, program = machine_of("0.1*x")
    for dtype in DTYPES.values():
        assert machine.run({"x": 1.0}, 96, dtype.round)[program.result] == balls.exact_ball(
            dtype.round(Fraction(1, 10))
        )


def test_values_put_in_place_are_followed():
    """Of a node, also one that no input reaches; what rests on it follows, and the next run does
    not. Each place is shown once, after those that it rests on.
    """
    machine, program = machine_of("sin(2)*x")
    sine = next(i for i, node in enumerate(program.nodes) if getattr(node, "function", "") == "sin")
    seen = []

    def put(place, values):
        seen.append(place)
        if place == sine:
            values[place] = arb(5)

    with ctx.workprec(96):
        inputs = {"x": arb(3)}
        assert machine.values(inputs, ROUND, after=put)[program.result] == 15
        assert machine.values(inputs, ROUND)[program.result].overlaps(3 * arb(2).sin())
    assert seen == [sine, program.result]


@pytest.mark.parametrize("text", ["abs(gate(x > 0))", "gate(x > 0)**2", "exp(gate(x > 0))", "maximum(x, gate(x > 0))",
                                  "where(gate(x > 0) < 1, 3, 4)", "1/gate(x > 0)", "gate(x > 0)**-1", "x**gate(x > 0)"])  # fmt: skip
def test_every_function_knows_the_structural_zero(text):
    """It is a plain 0 to those that say nothing of it."""
    builder = Builder()
    program = lower_text(builder, text)
    value = balls.Machine(program).run({"x": -1.0}, 96, ROUND)[program.result]
    plain = lower_text(Builder(), text.replace("gate(x > 0)", "(x - x)"))
    expected = balls.Machine(plain).run({"x": -1.0}, 96, ROUND)[plain.result]
    assert balls.plain(value).is_nan() == expected.is_nan()
    assert expected.is_nan() or balls.plain(value).overlaps(expected)


def lower_text(builder, text):
    """A text as primitives."""
    return builder.program(*lower(builder, parse(text), {}))


def test_trouble_is_not_a_number():
    """What flint refuses, of an argument or of a constant, is no exception."""
    machine, program = machine_of("polygamma(1, x) + polygamma(1, -2)")
    assert machine.run({"x": -1.0}, 96, ROUND)[program.result].is_nan()


def test_a_branch_that_is_off_stays_off():
    """The structural zero passes through."""
    builder = Builder()
    x = builder.variable("x")
    gate = builder.call("gate", builder.call("gt", x, builder.number(0)))
    result = builder.call("mul", gate, builder.call("log", x))
    machine = balls.Machine(Program(tuple(builder.nodes), (result,)))
    assert machine.run({"x": -1.0}, 96, ROUND)[result] is OFF
    assert machine.run({"x": 1.0}, 96, ROUND)[result] == 0


@pytest.mark.parametrize(
    "text", ["sin(x)", "sin(2)", "+".join(f"sin({k}*x)" for k in range(1, 200))]
)
def test_the_deadline_is_looked_at(text):
    """In constants and in long programs alike; precision is put back."""
    before = ctx.prec
    machine, _ = machine_of(text)
    with pytest.raises(balls.OutOfTime):
        machine.run({"x": 0.5}, 500, ROUND, deadline=-inf)
    assert ctx.prec == before
    machine.run({"x": 0.5}, 500, ROUND, deadline=inf)


class Plain:
    """The world of balls without a machine: each row's own form, node by node."""

    def number(self, node):
        return balls.literal_ball(node, ROUND)

    def variable(self, name):
        raise KeyError(name)

    def call(self, node, args):
        return table()[node.function].arb(*args)


@pytest.mark.parametrize("text", TEXTS)
def test_a_machine_is_a_fold_made_ready(text):
    """The same balls as those of one fold over the program."""
    machine, program = machine_of(text)
    inputs = {"x": 0.3, "y": 1.3, "z": 2.0}
    with ctx.workprec(96):
        folded = fold(program, Plain(), {name: arb(value) for name, value in inputs.items()})
    assert [shown(ball) for ball in machine.run(inputs, 96, ROUND)] == [shown(b) for b in folded]


def test_an_input_that_is_not_given_is_the_worlds_affair():
    """A world may have a value for it; one that has none refuses."""
    program = parse("x + y")
    with pytest.raises(KeyError, match="y"):
        fold(program, Plain(), {"x": arb(1)})
    copied = fold(program, Copying(builder := Builder()), {"x": builder.number(3)})
    assert builder.program(copied[program.result]).variables == ("y",)
