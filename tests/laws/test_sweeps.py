"""Law: a sweep comes to the outcomes that single checks come to; and lies of all kinds are found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from each import each
from flint import arb_series

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup
from gradcheck_cli.judge.spans import Stretch
from gradcheck_cli.questions.ranges import Patterns, rank
from gradcheck_cli.questions.tracks import LineTrack
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.sweeps import part as parts
from gradcheck_cli.sweeps.alone import Alone
from gradcheck_cli.witnesses import cells
from gradcheck_cli.worlds import jets

from .points import seeded
from .stretches import MORE, Moved, programs, stretches
from .test_bulk_parts import loose
from .test_cells import seen

PROGRAMS = programs()
# Points of a stretch that are also checked one by one.
SIZE = 96
# torch refuses these in the dtype.
_NAN = float("nan")


def outcomes(asked, stretch):
    """(points by outcome of the sweep, points not settled) of a stretch."""
    vars(asked)["track"] = LineTrack(asked.sweep.moving, stretch.line)
    part = parts.swept(asked, 0, stretch.count, None)
    open_points = sum(span.points for span, _ in part.settled.unsettled)
    return {o: n for o, n in part.tally.counts.items() if n}, open_points, part


@each("program", PROGRAMS)
def test_a_sweep_comes_to_what_checks_come_to(program):
    """Consecutive numbers around random and special places."""
    for dtype in ("float32", "float64"):
        random, asked = seeded(f"sweep {program} {dtype}"), program.asked(dtype)
        for stretch in stretches(random, dtype, MORE, (6, 6)):
            found, left, _ = outcomes(asked, stretch)
            single = Counter(v.outcome for v in Alone(asked).verdicts(range(stretch.count)))
            if not left:
                assert found == dict(single), (dtype, stretch.line.value(0))
            assert sum(found.values()) + left == stretch.count


# --- lies of torch


def line_of(dtype, low, count):
    """Consecutive numbers from one on."""
    first = rank(low, DTYPES[dtype])
    return Patterns(DTYPES[dtype], first, first + count - 1, count)


def swept_with(monkeypatch, text, dtype, low, count, lie):
    """What a sweep makes of torch's answers, of which some are changed."""
    asked = Moved(text).asked(dtype)
    line = line_of(dtype, low, count)
    vars(asked)["track"] = LineTrack("x", line)
    answers = parts.torch_answers

    def lying(asked, start, stop):
        for first, columns, partials in answers(asked, start, stop):
            yield first, columns, lie(columns["x"], partials.clone())

    monkeypatch.setattr(parts, "torch_answers", lying)
    part = parts.swept(asked, 0, count, None)
    return line, part


def at(line, place, change):
    """A lie at one number."""

    def lie(x, partials):
        where = x == line.value(place)
        partials[where] = change(partials[where])
        return partials

    return lie


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(
    "change", [lambda a: a * _NAN, lambda a: -a, lambda a: a * 1.5, lambda a: a + float("inf")]
)
def test_a_lie_at_one_number_does_not_pass(monkeypatch, dtype, change):
    """It is bulk that sees it: asked alone torch tells the truth, and the two do not fit."""
    line = line_of(dtype, 0.75, 100)
    _, part = swept_with(monkeypatch, "x**3", dtype, 0.75, 100, at(line, 37, change))
    why = "in bulk torch's answer is wrong, and agrees when torch is asked again"
    assert part.settled.unsettled == [(Stretch(37, 38, 1), why)]
    assert part.tally.counts[Outcome.AGREE] == 99


def test_six_ulp_at_one_number_are_seen(monkeypatch):
    """Where the formula deserves no rounding."""
    line = line_of("float32", 1.0, 200)
    spacing = 2.0**-22
    lie = at(line, 77, lambda a: a + 6 * spacing)
    _, part = swept_with(monkeypatch, "3*x", "float32", 1.0, 200, lie)
    assert part.tally.within == part.tally.counts[Outcome.AGREE] == 199
    assert [stretch for stretch, _ in part.settled.unsettled] == [Stretch(77, 78, 1)]


def test_a_wrong_formula_in_one_binade_is_wrong(monkeypatch):
    """One part in a million, and single checks are deceived as well."""
    from gradcheck_cli.sweeps import settling

    def lie(x, partials):
        inside = (x >= 2) & (x < 4)
        partials[inside] *= 1 + 2.0**-20
        return partials

    monkeypatch.setattr(settling, "_try", lambda *_: None)
    _, part = swept_with(monkeypatch, "x**2", "float32", 1.5, 2**24, lie)
    assert part.tally.counts[Outcome.WRONG] + part.tally.counts[Outcome.AGREE] == 2**24
    assert part.tally.counts[Outcome.WRONG] > 2**22
    spans = list(part.tally.spans[Outcome.WRONG])
    assert all(2 <= part.asked.track.line.value(s.start) < 4 for s in spans)


# --- lies of ours


def fails(program, dtype="float32"):
    """Whether the law of cells sees something."""
    return bool(seen(Moved(program), dtype, 12)[1])


def test_an_error_told_too_small_is_seen(monkeypatch):
    """A hundredth of it."""
    real = cells.polynomial_of

    def lying(*args):
        made = real(*args)
        return made if isinstance(made, int) else replace(made, error=made.error / 100)

    assert not fails("x*exp(x)", "float64")
    monkeypatch.setattr(cells, "polynomial_of", lying)
    assert fails("x*exp(x)", "float64")


@pytest.mark.parametrize("place", [0, 1])
def test_a_wrong_coefficient_is_seen(monkeypatch, place):
    """By one part in 1e5."""
    real = cells.polynomial_of

    def lying(*args):
        made = real(*args)
        if isinstance(made, int) or len(made.coefficients) <= place:
            return made
        wrong = list(made.coefficients)
        wrong[place] *= 1 + 1e-5
        return replace(made, coefficients=tuple(wrong))

    monkeypatch.setattr(cells, "polynomial_of", lying)
    assert fails("x*exp(x)")


def test_a_wrong_series_is_seen(monkeypatch):
    """A row whose form is another function's, and one that forgets that a failure is NaN."""
    lie = replace(lookup("tanh"), series=lambda x: x.sin())
    real = jets.lookup
    monkeypatch.setattr(jets, "lookup", lambda name: lie if name == "tanh" else real(name))
    assert loose(Moved("tanh(x)*x"))
    half = replace(lookup("tanh"), series=lambda x: arb_series([x[0].tanh()]))
    monkeypatch.setattr(jets, "lookup", lambda name: half if name == "tanh" else real(name))
    assert fails("tanh(x)*x")
