"""Law: what torch's backward evaluates is, in exact arithmetic, the cotangent times the derivative."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from each import each

from gradcheck_cli.functions import table
from gradcheck_cli.language.elements import element
from gradcheck_cli.language.parse import parse

from .points import all_rows, array_rows, elementwise_rows, named, samples
from .slopes import close, gradient
from .test_same_shapes import of_balls

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

COTANGENTS = (1.0, -2.5, 0.3, -1e-3)
STATED = [row for row in elementwise_rows() if row.pullback]
# The calls of array rows whose pullback is held against the exact gradient.
# fmt: off
ARRAY_CALLS = {
    "softmax": [({"dim": -1}, (3,)), ({"dim": 0}, (2, 3)), ({"dim": 1}, (2, 3))],
    "log_softmax": [({"dim": -1}, (3,)), ({"dim": 0}, (2, 3)), ({"dim": 1}, (2, 3))],
    "logsumexp": [({}, (3,)), ({"dim": 0}, (2, 3)), ({"dim": (-1, 0)}, (2, 3)), ({"dim": (0, 2)}, (2, 2, 2)), ({"dim": (-3, -1)}, (2, 2, 2)),
                  ({"dim": 1, "keepdim": True}, (2, 3))],
    "prod": [({}, (3,)), ({"dim": 0}, (2, 3)), ({"dim": -2}, (2, 3)), ({"dim": 1, "keepdim": True}, (2, 3))],
    "cumprod": [({}, (3,)), ({"dim": 0}, (3, 2)), ({"dim": -1}, (2, 3))],
    "var": [({}, (3,)), ({"dim": 1, "correction": 0}, (2, 3)), ({"dim": (0, 1)}, (2, 3)), ({"unbiased": False}, (2, 3))],
    "std": [({}, (3,)), ({"dim": 1, "correction": 0}, (2, 3)), ({"dim": -2, "keepdim": True}, (2, 3)), ({"unbiased": False}, (2, 3))],
    "norm": [({}, (3,)), ({"dim": 1}, (2, 3)), ({"p": 2, "dim": -2}, (2, 3)), ({"p": 3}, (3,)), ({"p": Fraction(5, 2), "dim": 1}, (2, 3)),
             ({"p": Fraction(3, 2), "dim": 0, "keepdim": True}, (2, 3)), ({"p": 1}, (3,))],
    "det": [({}, (2, 2)), ({}, (3, 3)), ({}, (2, 2, 2))],
    "inverse": [({}, (2, 2)), ({}, (3, 3))],
}
# fmt: on


def wrong_pullbacks(row: Function) -> list[str]:
    """Points and inputs where the stated pullback is not the cotangent times the exact partial."""
    found = []
    for sample in samples(row):
        for ybar in COTANGENTS:
            exact, pulled = (
                gradient(sample.text, sample.values, ybar=ybar, as_torch=as_torch)
                for as_torch in (False, True)
            )
            found += [
                f"{sample}, ybar={ybar}, d/d{name}"
                for name in sample.numbers
                if not close(exact[name], pulled[name], 400)
            ]
    return found


@each("row", STATED, ids=named)
def test_a_pullback_is_the_cotangent_times_the_partial(row):
    """In balls of 800 bits, for every setting and several cotangents."""
    assert not wrong_pullbacks(row)


@pytest.mark.parametrize("row", STATED, ids=named)
def test_a_wrong_pullback_is_seen(row, monkeypatch, forget):
    """The comparison above can fail: a pullback off by one part in a million is caught."""
    samples(row)
    forget()
    monkeypatch.setitem(
        table(),
        row.name,
        replace(
            row,
            pullback=lambda **settings: tuple(
                f"({text}) * (1000001/1000000)" for text in row.pulled_back(settings)
            ),
        ),
    )
    assert wrong_pullbacks(row)


def test_every_array_row_with_a_pullback_is_called():
    """A new array row with a pullback needs a call above."""
    assert {row.name for row in array_rows() if row.pullback} == set(ARRAY_CALLS)


def array_pullback(
    row: Function, settings: dict[str, Any], values: dict[str, Any], factor: str
) -> np.ndarray[Any, Any] | None:
    """The pullback's text, run as a tensor program in balls; None where none is stated."""
    given = ", ".join(f"{name}={value}" for name, value in settings.items())
    texts = row.pulled_back(settings)
    if not texts:
        return None
    text = texts[0]
    call = f"{row.name}(x{', ' if given else ''}{given})"
    found = of_balls(f"y = {call}\n({text}){factor}", values)
    return np.asarray(found)


def array_gradient(
    row: Function, settings: dict[str, Any], values: dict[str, Any]
) -> np.ndarray[Any, Any]:
    """The exact gradient of `<ybar, row(x)>`, from the primitives that the row comes to."""
    from gradcheck_cli.calculus.reverse import adjoints
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.language.program import Program, Variable
    from gradcheck_cli.worlds import balls
    from gradcheck_cli.worlds.scalars import expand

    given = ", ".join(f"{name}={value}" for name, value in settings.items())
    program = parse(f"sum(ybar * {row.name}(x{', ' if given else ''}{given}))")
    expansion = expand(program, {name: value.shape for name, value in values.items()})
    builder = expansion.builder
    wrt = [element("x", index) for index in np.ndindex(*values["x"].shape)]
    found = adjoints(
        builder, int(np.reshape(expansion.values[program.result], -1)[0]), frozenset(wrt)
    )
    inputs = {
        element(name, index): float(value[index])
        for name, value in values.items()
        for index in np.ndindex(*value.shape)
    }
    run = balls.Machine(Program(tuple(builder.nodes), (0,))).run(
        inputs, 128, DTYPES["float64"].round
    )
    out = np.empty(values["x"].shape, dtype=object)
    out.reshape(-1)[:] = [run[found[builder.index[Variable(name)]]] for name in wrt]
    return out


@pytest.mark.parametrize("row", [row for row in all_rows() if row.name in ARRAY_CALLS], ids=named)
@pytest.mark.parametrize("factor", ["", " * (1000001/1000000)"], ids=["stated", "scaled"])
def test_a_pullback_of_arrays_is_the_exact_gradient(row, factor):
    """As a tensor program; scaled by a millionth it is seen to be wrong."""
    stated = 0
    for settings, shape in ARRAY_CALLS[row.name]:
        random = np.random.default_rng(7)
        x = np.round(random.uniform(-2, 2, shape), 2)
        given = ", ".join(f", {name}={value}" for name, value in settings.items())
        y = np.asarray(of_balls(f"{row.name}(x{given.replace(', ,', ',')})", {"x": x}))
        values = {"x": x, "ybar": np.round(random.uniform(-2, 2, y.shape), 2)}
        pulled = array_pullback(row, settings, values, factor)
        exact = array_gradient(row, settings, values)
        if pulled is None:
            continue
        stated += 1
        pairs = zip(*np.broadcast_arrays(pulled, exact), strict=True)
        equal = [
            close(a, b, 90)
            for one, other in pairs
            for a, b in zip(np.ravel(one), np.ravel(other), strict=True)
        ]
        assert all(equal) if not factor else not any(equal)
    assert stated >= len(ARRAY_CALLS[row.name]) - 1
