"""Law: every kink of the table is proved, at arguments from 1e-300 to 1e300, and nothing agrees
where the value jumps or the slopes differ.

A kink is planted twice. *Stretched*: the row of `x * 2**-k` at 2**k times one of its kinks, so that
kinks at any number stand at any size. *Far out*: the row itself at 2**k times a short number, which
is another kink of `floor`, `remainder` or `x < y`. A row is planted by being in the table.

The truth are differences of the ball function with steps of 2**-1400 and less: they know nothing of
derivatives, kinks or series.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from asking import case, reference
from flint import arb, ctx

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.sides import Boundary, boundary_at
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import expand
from gradcheck_cli.worlds.series import UndecidedSign, constant_series

from .points import all_rows, call_text, elementwise_rows, inputs_of, named, variants, verdicts_of

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

# 1e-300, 1, 1e140, 1e300.
SIZES = (-996, 0, 465, 996)
# Numbers for a call of one input, of two, and of more.
GRIDS = (
    ("-6", "-3", "-1", "-0.5", "0", "0.5", "0.8", "1", "1.3", "2.5", "3", "6", "20"),
    ("-1.5", "0", "1", "2"),
    ("0", "1"),
)
BITS, STEPS = 8_000, (1_400, 1_600)
NOBODY = Abstention("not asked")


class Planted(NamedTuple):
    """A call at a point where one of its kinks lies."""

    text: str
    numbers: dict[str, float]
    least: int  # slopes below 2**least are none: what is left of a curve in a difference

    def __str__(self) -> str:
        return f"gradcheck {self.text!r} --at {self.at}"

    @property
    def at(self) -> str:
        """The point as `--at` takes it."""
        return ",".join(f"{name}={value!r}" for name, value in self.numbers.items())


def calls_of(row: Function) -> list[str]:
    """Calls of a row on numbers; on vectors of numbers, one along their dim, where it takes arrays."""
    if row in elementwise_rows():
        return [call_text(row, settings) for settings in variants(row)]
    pairs = ("[x, y]", "[z, w]")[: len(row.parsed.args)]
    args = ", ".join([*pairs, *(["dim=0"] if "dim" in row.bound({}) else [])])
    try:
        case(text := f"sum({row.name}({args}))", ",".join(f"{x}=0.5" for x in inputs_of(text)))
    except UserError:
        return []
    return [text]


def texts(row: Function, size: int) -> list[tuple[str, int]]:
    """Calls of a row, far out and stretched; the slopes of each below which there are none."""
    calls = [(text, -1_300) for text in calls_of(row)]
    if not size:
        return calls
    return calls + [
        (
            "; ".join([*(f"{x} = {x.upper()} * 2**{-size}" for x in inputs_of(text)), text]),
            -size - 300,
        )
        for text, _ in calls
    ]


@cache
def planted(row: Function, size: int) -> tuple[Planted, ...]:
    """Points of a finite value where some kink of the row is zero."""
    found = []
    for text, least in texts(row, size):
        names = inputs_of(text)
        program = case(text, ",".join(f"{name}=0.5" for name in names)).prepared.gradient
        machine = balls.Machine(program.program)
        grid = product(GRIDS[min(len(names), len(GRIDS)) - 1], repeat=len(names))
        for short in grid if program.kinks else ():
            numbers = {n: float(x) * 2.0**size for n, x in zip(names, short, strict=True)}
            values = machine.run(numbers, BITS, DTYPES["float64"].round)
            arguments = [values[kink.expression] for kink in program.kinks]
            touches = not all(ball > 0 or ball < 0 for ball in arguments)
            if touches and balls.plain(values[program.outputs[0]]).is_finite():
                found.append(Planted(text, numbers, least))
    return tuple(found)


def slope_of(plant: Planted, name: str) -> Any | None:
    """The one slope of the value; None where it has none: differences of one step to the left and
    to the right, and of a much shorter one, are not the same.
    """
    expansion = expand(parse(plant.text), dict.fromkeys(inputs_of(plant.text), ()))
    result = expansion.values[parse(plant.text).result]
    program = expansion.builder.program(int(result))
    machine = balls.Machine(program)

    def value(moved: Any) -> Any:
        at = {n: arb(x) for n, x in plant.numbers.items()}
        values = machine.values(at | {name: at[name] + moved}, DTYPES["float64"].round)
        return balls.plain(values[program.result])

    with ctx.workprec(BITS):
        steps = [sign * arb(2) ** -bits for sign in (-1, 1) for bits in STEPS]
        first, *others = [(value(step) - value(arb(0))) / step for step in steps]
    return first if all(is_near(first, other, plant.least) for other in others) else None


def is_near(a: Any, b: Any, least: int) -> bool:
    """Whether two numbers are finite and the same to 100 bits, or below 2**least."""
    with ctx.workprec(BITS):
        room = (abs(a) + abs(b)) / 2**100 + arb(2) ** least
        return bool(a.is_finite() and b.is_finite() and abs(a - b) <= room)


def fault(plant: Planted, truth: Any | None, answer: Any, boundary: Boundary) -> str:
    """What is wrong with what is proved of one partial at a kink; empty if nothing is."""
    if isinstance(answer, Certified):
        right = truth is not None and is_near(truth, answer.ball, plant.least)
        return "" if right else "a slope is certified that is none"
    if boundary.sides is None or not boundary.sides.proved:
        return f"nothing is proved: {boundary.words}"
    if boundary.kind == "smooth":
        right = truth is not None and is_near(truth, boundary.slope, plant.least)
        return "" if right else "a slope is proved that is none"
    return "" if truth is None else f"its slope is called {boundary.kind}: {boundary.words}"


def faults(row: Function, size: int) -> list[str]:
    """All that is wrong with what is said of the kinks of a row."""
    found = []
    for plant in planted(row, size):
        point = case(plant.text, plant.at)
        proof = reference(point)
        for k, verdict in enumerate(verdicts_of(point)):
            name = verdict.key.variable
            truth = slope_of(plant, name)
            wrong = fault(plant, truth, proof.partials[k], boundary_at(point, k, NOBODY))
            if truth is None and verdict.outcome in (Outcome.AGREE, Outcome.IMPRECISE):
                wrong += f"; it is {verdict.outcome}"
            found += [f"{plant}: d/d{name}: {wrong}"] if wrong else []
    return found


ROWS = [row for row in all_rows() if planted(row, 0)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("row", ROWS, ids=named)
def test_every_kink_is_proved_at_every_size(row, size):
    """Never estimated, never taken for a slope."""
    assert planted(row, size)
    assert faults(row, size) == []


def test_every_row_with_kinks_is_planted():
    """The law above is about every row that states a kink, and about every condition."""
    stating = {row.name for row in all_rows() if row.kinks or row.condition}
    assert stating <= {row.name for row in ROWS}


def nudged(s: Any, x: Any) -> Any:
    """floor a fixed step beside the point, which far out is beyond every precision."""
    return constant_series((x.at(0) + arb(x.moving.sign()) / arb(2) ** 5_000).floor())


def undecided() -> Any:
    """No series."""
    raise UndecidedSign("nothing is settled today")


LIES = [
    ("floor", {"germ": nudged}, 996, "nothing is proved"),
    ("floor", {"germ": lambda s, x: s.constant(0)}, 465, "a slope is proved that is none"),
    ("abs", {"germ": lambda s, x: x}, 996, "a slope is proved that is none"),
    ("maximum", {"germ": lambda s, x, y: undecided()}, -996, "nothing is proved"),
    ("sign", {"jumps": False, "kinks": ()}, 0, "a slope is certified that is none"),
    ("sign", {"germ": lambda s, x: s.constant(0)}, 0, "a slope is proved that is none"),
]


@pytest.mark.parametrize(("name", "lie", "size", "told"), LIES)
def test_a_row_that_lies_is_caught(name, lie, size, told, forget, monkeypatch):
    """What is planted is where the honest row has its kinks."""
    honest = table()[name]
    assert planted(honest, size)
    forget()
    monkeypatch.setitem(table(), name, replace(honest, **lie))
    assert any(told in fault for fault in faults(honest, size))
