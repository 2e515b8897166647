"""Hunts for tests: spaces, and jobs inside this process."""

from __future__ import annotations

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.hunting.hunt import Hunter
from gradcheck_cli.hunting.judging import Judge
from gradcheck_cli.hunting.space import Lane, Space, place_in_order
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.questions.ranges import read_range


def space_of(program, over, dtype="float32", wrt=()):
    """A program, and ranges as they are written."""
    ranges = read_points([over], read_range)
    question = question_of(parse(program), tuple(ranges), wrt)
    stretches = []
    for name, range_ in ranges.items():
        line = range_.line(DTYPES[dtype])
        ends = (line.value(k) for k in (0, line.count - 1))
        stretches.append(Lane(name, *(place_in_order(end, DTYPES[dtype]) for end in ends)))
    return Space(question, tuple(stretches), {}, DTYPES[dtype], "cpu")


def hunter_of(space, budget, seed=0):
    """A hunt of so many points that has come to its end."""
    hunter = Hunter(space, Judge(space), seed, lambda asked: asked < budget, budget)
    for _ in hunter.run():
        pass
    return hunter
