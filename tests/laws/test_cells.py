"""Law: on every cell the polynomial is the derivative, up to the error that is stated of it, as the
tally computes it; what is told to be beyond every number is so, and what is outside a domain.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import isfinite

import pytest
import torch
from flint import arb, ctx

from gradcheck_cli.judge import distances as far
from gradcheck_cli.questions.ranges import Range
from gradcheck_cli.questions.tracks import LineTrack
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.witnesses import cells, line_cells
from gradcheck_cli.witnesses.cells import Modeller
from gradcheck_cli.witnesses.line_cells import Beyond, Modelled, Open, Outside
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.witnesses.truth import Undefined
from gradcheck_cli.worlds import balls

from .points import seeded
from .stretches import MORE, programs, stretches

# Digits are lost where numbers cancel, as `x - tanh(x)` near 0.
BITS, ENOUGH = (1000, 5000), 700
# Cells of a stretch that are looked at, and points inside of each.
CELLS, INSIDE = 5, 3
SIZES = {"float32": (4, 27), "float64": (4, 57), "bfloat16": (4, 15)}
_ROOM = 2.0**-50


def truth(asked, x):
    """The ball of the derivative at one number."""
    gradient = asked.prepared.gradient
    node = gradient.partials[0]
    if node is None:
        return arb(0)
    inputs = {n: arb(v) for n, v in asked.numbers.items()} | {asked.sweep.moving: arb(x)}
    found = arb.nan()
    for bits in BITS:
        with ctx.workprec(bits):
            values = asked.prepared.machine.values(inputs, asked.dtype.round)
            found = balls.plain(values[node])
        if found.is_zero() or found.rel_accuracy_bits() > ENOUGH:
            break
    return found


def nearest(ball, dtype):
    """The number of a dtype beside a ball; 0 where there is none."""
    found = float(ball.mid()) if ball.is_finite() else 0.0
    found = dtype.round(Fraction(found)) if isfinite(found) else 0.0
    return found if isfinite(found) else 0.0


def violations(asked, line, cell, points):
    """What is not so at points of a cell."""
    x = torch.tensor([line.value(k) for k in points], dtype=torch.float64)
    if isinstance(cell, Outside):
        proof = Reference().answer(Alone(asked).batch(points))
        return [f"no value at {v}" for k, v in enumerate(x) if not isinstance(proof.testimony(k).partials[0], Undefined)]  # fmt: skip
    truths = [truth(asked, float(v)) for v in x]
    with ctx.workprec(BITS[-1]):
        if isinstance(cell, Beyond):
            largest = balls.exact_ball(asked.dtype.largest)
            return [f"not beyond at {v}" for v, t in zip(x, truths, strict=True) if not t * cell.sign > largest]  # fmt: skip
        # Nearly torch's answer, and one that is far off.
        near = [nearest(t, asked.dtype) for t in truths]
        told = []
        for answers in (near, [1.5 * a for a in near]):
            column = torch.tensor(answers, dtype=torch.float64)
            gaps, _ = far.distances(cell.polynomial, x, column)
            for v, a, t, gap in zip(x.tolist(), answers, truths, gaps.tolist(), strict=True):
                exact = abs(arb(a) - t) * cell.polynomial.scale
                room = arb(cell.polynomial.error) + abs(arb(gap)) * _ROOM
                is_less = abs(t) * cell.polynomial.scale < arb(cell.polynomial.low)
                if is_less or not abs(arb(gap) - exact) <= room:
                    told.append(f"off at {v!r}: {cell}")
    return told


def seen(program, dtype, count):
    """Points at which the law was held, and what is not so."""
    random = seeded(f"cells of {program} {dtype}")
    asked, held, told = program.asked(dtype), 0, []
    for stretch in stretches(random, dtype, count, SIZES[dtype]):
        line = stretch.line
        vars(asked)["track"] = LineTrack(program.moving, line)
        modeller = Modeller(asked.prepared, 0, program.moving, _others(program, asked), line)
        for cell in islice(modeller.over(0, line.count), CELLS):
            if isinstance(cell, Modelled | Beyond | Outside):
                inside = (random.randrange(cell.start, cell.stop) for _ in range(INSIDE))
                points = sorted({cell.start, cell.stop - 1, *inside})
                told += violations(asked, line, cell, points)
                held += len(points)
    return held, told


def _others(program, asked):
    return {n: v for n, v in asked.numbers.items() if n != program.moving}


@pytest.mark.parametrize("dtype", SIZES)
def test_the_truth_lies_within_the_error(dtype):
    """Every row by its first number, and composed programs; at most a few programs have no cell in
    so few stretches.
    """
    counts, told = {}, {}
    for program in programs():
        held, wrong = seen(program, dtype, 2 * MORE)
        counts[program] = held
        told |= {str(program): wrong} if wrong else {}
    assert told == {}
    print(f"{dtype}: {sum(counts.values())} points")  # noqa: T201 - what a long run is for
    assert sum(held > 0 for held in counts.values()) > 0.6 * len(counts)


@pytest.mark.parametrize("singles", [100, 2_048])
def test_few_points_are_left_to_single_checks(monkeypatch, singles):
    """Of a sine beside its fifteen zeros here: beyond so many all others are enclosed in bulk."""
    monkeypatch.setattr(line_cells, "_SINGLES", singles)
    (program,) = (p for p in programs() if p.text == "sin(x)")
    asked = program.asked("float32")
    line = Range(Fraction(712), Fraction(760), None, "712:760").line(asked.dtype)
    found = [*Modeller(asked.prepared, 0, program.moving, {}, line).over(0, line.count)]
    assert [c.start for c in found] == [0, *(c.stop for c in found[:-1])]
    assert found[-1].stop == line.count
    loose = [c for c in found if isinstance(c, Open)]
    assert 0 < sum(c.stop - c.start for c in loose if not c.given_up) <= singles
    assert any(c.given_up for c in loose) == (singles == 100)


def test_where_no_cell_holds_little_is_tried():
    """Some fifty floats a period: each stretch that is given up makes the next one cheaper."""
    (program,) = (p for p in programs() if p.text == "sin(x)")
    asked = program.asked("float32")
    line = Range(Fraction(2**20), Fraction(2**20 + 2**15), None, "").line(asked.dtype)
    modeller = Modeller(asked.prepared, 0, program.moving, {}, line)
    found = [*modeller.over(0, line.count)]
    assert [(c.start, c.stop, c.given_up) for c in found] == [(0, line.count, True)]
    patience = [modeller._patience(0, line.count, lost) for lost in range(8)]
    assert patience == [32, 16, 8, 4, 2, 2, 2, 2]
    assert modeller.tried < 16 * cells._STRETCHES


def test_patience_is_as_long_as_before_where_a_cell_holds():
    """However much was given up before it."""
    asked = next(p for p in programs() if p.text == "sin(x)").asked("float32")
    tried = []

    class Failing(Modeller):
        """No cell holds but beyond a point."""

        def _cell(self, start, stop):
            tried.append((start, stop))
            holds = (start >= 2**18 and stop <= 2**18 + 64) or start >= 2**19
            return Outside(start, stop) if holds else 3

    line = Range(Fraction(1), Fraction(2), None, "").line(asked.dtype)
    found = [*Failing(asked.prepared, 0, "x", {}, line).over(0, 2**20)]
    assert [c.start for c in found] == [0, *(c.stop for c in found[:-1])]
    lost = [sum(1 for a, b in tried if b - a <= 64 and a // 2**14 == k) for k in range(20)]
    assert lost[:6] == [32, 16, 8, 4, 2, 2]
    assert lost[16:20] == [33, 16, 8, 4]
