"""The bars of the numeric opinion, held against proved derivatives: random programs at random and at
special points.

Usage: python benchmarks/bars.py [PROGRAMS] [SEED]

A bar holds the truth or is infinite. Where neither is so, the report has to say why: torch's own
values are off by more than rounding explains, or steps cross jumps.
"""

from __future__ import annotations

import sys
from collections import Counter
from math import inf, isfinite
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bounds import ForwardNoise
from gradcheck_cli.judge.evidence import Evidence, agreement
from gradcheck_cli.judge.forward import why_numeric_misses
from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.differences import Difference
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.witnesses import Witness

# Where functions have their zeros, poles, kinks and edges, and where steps are far from everything.
SPECIAL = [
    "0",
    "1",
    "-1",
    "pi",
    "-pi",
    "pi/2",
    "2*pi",
    "0.5",
    "2",
    "-2",
    "3",
    "6",
    "10",
    "20",
    "40",
    "-40",
    "100",
    "700",
    "-700",
    "1e-8",
    "-1e-8",
    "1e-16",
    "1e-300",
    "5e-324",
    "1e5",
    "1e8",
    "1e10",
    "1e15",
    "1e16",
    "1e300",
    "-1e300",
    "1+2**-52",
    "1-2**-53",
    "2.404825557695773",
]
# Plateaus of rounding, cancellations, waves, kinks, jumps; and what leads from one to another.
SHAPES = [
    "sqrt(1-cos({}))",
    "acos(cos({}))",
    "acosh(1+({})**2)",
    "sqrt(({})**2)",
    "({})**2",
    "({})**3",
    "1/({})",
    "({})*({})",
    "({})-({})",
    "({})/({})",
    "({})+1",
    "({})-1",
    "exp({})",
    "exp(-({})**2)",
    "log({})",
    "log(1+({})**2)",
    "log1p({})",
    "expm1({})",
    "sin({})",
    "cos({})",
    "sin(pi*({}))",
    "1e10*({})",
    "pi*({})",
    "tanh({})",
    "atan({})",
    "asinh({})",
    "sigmoid({})",
    "softplus({})",
    "sqrt({})",
    "({})**1.5",
    "abs({})",
    "maximum({},0)",
    "relu({})",
    "where({}>0,{},0)",
    "floor({})+({})",
    "hypot({},{})",
    "xlogy({},{})",
    "logaddexp({},{})",
]
LEAVES = ("x", "x", "x", "y", "2", "0.3")


class Told(NamedTuple):
    """A bar beside the truth: what became of it, and its width for its size."""

    outcome: str
    width: float = inf


def pairs(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Every function of one number at every special point, and random programs."""
    random = Random(seed)  # noqa: S311 - programs that repeat, not secrets
    for name, row in table().items():
        plain = not row.parsed.settings and not row.condition and is_elementwise(name)
        if plain and [parameter.kind for parameter in row.parsed.args] == [""]:
            yield from ((f"{name}(x)", f"x={point}") for point in SPECIAL)
    for _ in range(count):
        yield drawn(random)


def drawn(random: Random) -> tuple[str, str]:
    """A random program and a point, three coordinates of five special."""
    text = _grown(random, random.choice((1, 2, 2, 3, 3)))
    names = parse(text).variables
    if not names:
        return drawn(random)
    return text, ",".join(f"{name}={_coordinate(random)}" for name in names)


def _grown(random: Random, depth: int) -> str:
    if not depth:
        return random.choice(LEAVES)
    shape = random.choice(SHAPES)
    return shape.format(*(_grown(random, depth - 1) for _ in range(shape.count("{}"))))


def _coordinate(random: Random) -> str:
    return random.choice(SPECIAL) if random.random() < 0.6 else f"{random.uniform(-4, 4):.3f}"


def told(text: str, at: str, shrunk: float = 1.0) -> Iterator[Told]:
    """What becomes of each bar; at kinks of those of both sides.

    Args:
        shrunk: by what the bars are multiplied first.
    """
    given = read_points([at])
    try:
        question = question_of(parse(text), given)
        ((batch,),) = batches(question, points_of(given), [(DTYPES["float64"], "cpu")])
    except UserError:
        return
    point = next(iter(batch))
    witnesses: list[Witness] = [Reference(), Autograd(), Numeric(None, ForwardNoise())]
    heard = {w.name: w.answer(batch) for w in witnesses}
    testimonies = {
        name: said if isinstance(said, Abstention) else said.testimony(0)
        for name, said in heard.items()
    }
    evidence = Evidence(point, testimonies)
    for k in range(len(batch.keys)):
        difference = evidence.of("numeric", k)
        if isinstance(difference, Difference):
            yield from _of_partial(point, evidence, k, difference, shrunk)


def _of_partial(
    point: Point, evidence: Evidence, k: int, difference: Difference, shrunk: float
) -> Iterator[Told]:
    truth = evidence.of("reference", k)
    if isinstance(truth, Certified):
        bar = Difference(difference.value, difference.radius * shrunk)
        holds, size = agreement(truth.ball, bar), abs(float(truth.ball.mid()))
        yield _told(difference.radius, holds is not False, size, evidence, k)
        return
    sides = boundary_at(point, k, Abstention("not asked")).sides
    pairs_ = (
        () if sides is None else ((sides.left, difference.left), (sides.right, difference.right))
    )
    for proved, estimated in pairs_:
        if proved is not None and estimated is not None:
            room = estimated.radius * shrunk + proved.radius + abs(estimated.value) * 2.0**-52
            holds = abs(proved.value - estimated.value) <= room
            yield _told(estimated.radius, holds, abs(proved.value), evidence, k)


def _told(radius: float, holds: bool, size: float, evidence: Evidence, k: int) -> Told:
    if not isfinite(radius):
        return Told("infinite")
    if holds:
        return Told("held", radius / size if size else 0.0)
    return Told(f"missed: {why_numeric_misses(evidence, k)}")


def main() -> None:
    """Print the table, and every bar that misses without a reason."""
    count, seed = (int(a) for a in [*sys.argv[1:], *("2000", "1")[len(sys.argv) - 1 :]])
    outcomes: Counter[str] = Counter()
    widths = []
    for text, at in pairs(count, seed):
        for outcome, width in told(text, at):
            outcomes[outcome] += 1
            if outcome == "held":
                widths.append(width)
            elif outcome.endswith("of this tool"):
                print(f"missed: {text} at {at}")
    print(f"{outcomes.total():,} bars")
    for outcome, number in outcomes.most_common():
        print(f"{number:>8,} {100 * number / outcomes.total():6.2f} %  {outcome}")
    print(f"half of those that hold are narrower than {sorted(widths)[len(widths) // 2]:.1e} of it")


if __name__ == "__main__":
    main()
