"""The benchmarks' own parts: generators, lies and replays are what they say, or the benchmarks would
measure something else.
"""

from __future__ import annotations

import math
import runpy
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
import torch
from asking import autograd, case, points
from each import each

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.parse import parse

FOLDER = Path(__file__).parents[1] / "benchmarks"
GENERATED = runpy.run_path(str(FOLDER / "expressions.py"))["expressions"](80)


def same(asked, text):
    """Whether a text has the value that the calls of an expression have, to the rounding of torch's
    two ways to the same number.
    """
    point = {name: torch.tensor(value, dtype=torch.float64) for name, value in asked.at.items()}
    (ours,) = autograd(
        case(text, ",".join(f"{name}={value!r}" for name, value in asked.at.items()))
    ).forward
    return math.isclose(ours, float(asked.value(torch, point)), rel_tol=1e-12, abs_tol=1e-12)


@each("asked", GENERATED, ids=lambda asked: asked.text)
def test_the_calls_are_the_text(asked):
    """And no other: a millionth more is seen."""
    assert same(asked, asked.text)
    assert not same(asked, f"({asked.text}) + 1e-6")


@pytest.fixture
def part(monkeypatch):
    """Imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module


@pytest.mark.parametrize("kind", ["elementwise", "arrays"])
def test_a_drawn_program_has_the_shapes_that_it_says(kind, part):
    """40 of them: inputs and result; the same seed draws the same."""
    drawn = part("drawn")
    for seed in range(40):
        program = getattr(drawn, kind)(Random(seed))  # noqa: S311 - programs that repeat, not secrets
        assert program == getattr(drawn, kind)(Random(seed))  # noqa: S311
        names = {**program.shapes, **program.classes}
        assert set(parse(program.text).variables) == set(names)
        random = Random(seed)  # noqa: S311
        at = {n: drawn.numbers(random, s, "core", "float64") for n, s in program.shapes.items()}
        at |= program.classes
        (point,) = points(program.text, ",".join(f"{n}={v}" for n, v in at.items()))
        assert point.prepared.shape == program.result


@pytest.mark.parametrize("kind", ["factor", "sign", "dropped", "exponent"])
def test_a_planted_lie_moves_the_gradient_and_not_the_value(kind, part):
    """Of x**3 + x*y at (2, 5), whichever argument of whichever call it is planted at."""
    lies, program = part("lies"), parse("x**3 + x*y")
    moved = 0
    for seed in range(12):
        lie = lies.lie_of(kind, program, Random(seed), 1.5)  # noqa: S311
        inputs = {n: torch.tensor(v, requires_grad=True) for n, v in {"x": 2.0, "y": 5.0}.items()}
        result = lies.LyingSubject(program, lie).run(inputs, float, torch.empty(())).result
        result.backward()
        assert result.item() == 18
        moved += [inputs[n].grad.item() for n in "xy"] != [17, 2]
    assert moved == 12


REPLAYED = ["x*y - x/y", "x**3*exp(-y)", "tanh(x) + log(y)", "sqrt(x*x + y*y)", "atan(x)*sin(y)", "sigmoid(x - y)"]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", REPLAYED)
def test_a_replay_in_mpmath_is_torchs_gradient(text, dtype, part):
    """To 8 units in the last place."""
    found = case(text, "x=0.7,y=1.3", dtype)
    at = {name: float(value) for name, value in found.at.items()}
    ours = part("replayed").gradient(found.specification, at, DTYPES[dtype])
    for key, answer in zip(found.keys, autograd(found).partials, strict=True):
        room = 16 * DTYPES[dtype].unit_roundoff * abs(answer.value)
        assert abs(float(ours[key.variable]) - answer.value) <= room


def test_a_replay_in_mpmath_is_mended_by_the_node_that_loses_the_digits(part):
    """1/((1 + x**2) - 1) at 1e-10: `1 + x**2`, which rounds to 1, and no other."""
    replayed, program = part("replayed"), parse("1/((1 + x**2) - 1)")
    mended = []
    for node in replayed.moving(program):
        found = replayed.gradient(program, {"x": 1e-10}, DTYPES["float64"], node)["x"]
        if abs(found + 2e30) < 2e22:
            mended.append(program.source(node))
    assert mended == ["1 + x**2"]
    assert replayed.out_of_range(parse("exp(x) + x"), {"x": 800.0}, DTYPES["float64"])
