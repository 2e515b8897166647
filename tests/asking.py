"""How tests ask: points as the command line makes them, and what one witness says of a point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.bounds import ForwardNoise
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.questions.batching import MOST_POINTS, batches
from gradcheck_cli.questions.numbers import Grid, read_points, read_value
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.settings.readers import dtype_name
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Analytic
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.noise import Scatter
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference


def groups(
    text,
    at="",
    wrt=(),
    cotangent=None,
    dtypes=("float64",),
    devices=("cpu",),
    words=None,
    most=MOST_POINTS,
    **way,
):
    """The batches of a program at the points of a command line; `way` is the order, or a Jacobian,
    or another subject.
    """
    given = at if isinstance(at, dict) else read_points([at] if isinstance(at, str) else at)
    program = parse(text) if isinstance(text, str) else text
    weights = read_value(cotangent) if isinstance(cotangent, str) else cotangent
    question = question_of(program, given, wrt, cotangent=weights, words=words, **way)
    runs = [
        (DTYPES[dtype_name(dtype, "--dtype")], device) for dtype in dtypes for device in devices
    ]
    spell = [name for name, value in given.items() if isinstance(value, Grid)]
    return list(batches(question, points_of(given), runs, spell, most))


def points(text, at="", **options):
    """All points, each in each dtype and on each device, in the order of a report."""
    return [
        p for group in groups(text, at, **options) for row in zip(*group, strict=True) for p in row
    ]


def case(text, at="", dtype="float64", *, cotangent=None, wrt=(), device="cpu"):
    """The first point."""
    return points(text, at, wrt=wrt, cotangent=cotangent, dtypes=[dtype], devices=[device])[0]


def _said(witness, point):
    answer = witness.answer(point.batch)
    return answer if isinstance(answer, Abstention) else answer.testimony(point.k)


def reference(point, limit=5.0):
    """What is proved of a point."""
    return _said(Reference(limit), point)


def autograd(point):
    """What torch says of a point."""
    return _said(Autograd(), point)


def numeric(point, noise=None, step=None):
    """The differences at a point, or an abstention."""
    said = _said(Numeric(step, noise or Scatter()), point)
    return said if isinstance(said, Abstention) else tuple(said.partials)


def analytic(point, analyst):
    """SymPy's formulas at a point, or an abstention."""
    said = _said(Analytic(analyst), point)
    return said if isinstance(said, Abstention) else tuple(said.partials)


def noise():
    """What is known of how far rounding takes forward values."""
    return ForwardNoise()


def evidence(point, **testimonies):
    """What witnesses said, by their names; tuples of answers stand for a testimony."""
    whole = {
        name: _Answers(said) if isinstance(said, tuple) else said
        for name, said in testimonies.items()
    }
    return Evidence(point, whole)


class _Answers:
    def __init__(self, partials):
        self.partials = partials


def alone(point):
    """The point in a batch of its own."""
    return Point(point.batch.alone(point.k), 0)


def check_points(found, analyst, tolerance=None, step=None):
    """The results of some points, each checked by itself."""
    parts = ((point.batch.alone(point.k),) for point in found)
    return list(check_batches(parts, panel(analyst, step), tolerance))


def check_case(point, analyst, tolerance=None, step=None):
    """The result of a point."""
    return check_points([point], analyst, tolerance, step)[0]


def in_dtype(point, name):
    """The same numbers taken for numbers of another dtype."""
    return Point(replace(point.batch.alone(point.k), dtype=DTYPES[name]), 0)


def changed(evidence_, **testimonies):
    """Evidence in which some witnesses say something else."""
    return evidence(evidence_.point, **{**evidence_.testimonies, **testimonies})


def batch_of(found):
    """Points that differ in numbers alone, as one batch."""
    first = found[0].batch
    arrays = {name: np.stack([point.at[name] for point in found]) for name in first.points}
    return replace(
        first,
        points=arrays,
        rounded=tuple(point.rounded for point in found),
        spelled=tuple(point.spelled for point in found),
    )


def check_together(found, analyst, tolerance=None, step=None):
    """The results of some points as one batch, each as soon as it is there."""
    return check_batches([(batch_of(found),)], panel(analyst, step), tolerance)


def autograd_at(found):
    """What torch says of some points together."""
    batch = batch_of(found)
    answer = Autograd().answer(batch)
    return [answer.testimony(k) for k in range(len(batch))]


def numeric_at(found, noise=None, step=None):
    """The differences at some points together."""
    batch = batch_of(found)
    answer = Numeric(step, noise or Scatter()).answer(batch)
    said = [
        answer if isinstance(answer, Abstention) else answer.testimony(k) for k in range(len(batch))
    ]
    return [one if isinstance(one, Abstention) else tuple(one.partials) for one in said]
