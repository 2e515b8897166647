"""Programs of one moving input, and stretches of its numbers: random ones of all sizes, and those
around numbers where something happens.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import Exact
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.questions.ranges import Patterns, Range, finite_count, rank
from gradcheck_cli.sweeps.asked import Sweep, SweepQuestion

from .points import call_text, differentiable_rows, inputs_of, seeded, variants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

# Set it to 1000 for a run of minutes that holds the laws at 1e5 points and more.
MORE = int(os.environ.get("GRADCHECK_LAWS", "1"))
COMPOSED = (
    "sigmoid(x**2) + tanh(x**3)", "log(1 + exp(x))", "x*sigmoid(x)", "gelu(x)", "(1 - cos(x))/x**2", "exp(-x**2)*sin(3*x)",
    "sqrt(x**2 + 1) - x", "where(x > 0.3, log(x), x**2)", "relu(x - 0.1)*relu(2 - x)", "exp(exp(x))", "x*exp(-x)", "abs(x - 1/3)**1.5",
    "atan(1/x)", "sin(x)/x", "1/(1 + exp(-x))", "tanh(x) - x", "max(x, x**3)", "x**3 - 3*x", "(x**2 - 2)**2", "log(cosh(x))", "straight_through(round(x), x)*x",
    "stop_gradient(x)*x**2", "1e-30*sin(x)", "1e30*x**3", "erf(x) - tanh(x)", "lgamma(x) - digamma(x)",
)  # fmt: skip
# Many small cells: 5 s to a minute each.
SLOW = ("erfcx", "i0e", "i1e")
# Near these: kinks, poles, edges of domains, zeros of derivatives, and where exponentials end.
PLACES = (0.0, 0.1, 0.3, 1 / 3, 0.5, 1.0, -1.0, 2.0, -2.0, 2**0.5, 3.0, -3.0, 6.0, -0.752, 16.6, 20.0, -20.0, 88.7, -88.7, 103.9, 709.7, -745.1, 1e-38, -1e-38, 1e-45, 5e-324, 1e19, 3.4e38, 1.7e308)  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """A program, the input that moves, and decimals of the others."""

    text: str
    moving: str = "x"
    fixed: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.text} by {self.moving}, {dict(self.fixed)}"

    def asked(self, dtype: str) -> SweepQuestion:
        """The question, over all numbers; a stretch of them is a line of its own."""
        fixed = {name: Exact(Fraction(text), text) for name, text in self.fixed}
        question = question_of(parse(self.text), (self.moving, *fixed), (self.moving,))
        sweep = Sweep({self.moving: Range(None, None, None, "all")}, fixed)
        return SweepQuestion(question, sweep, DTYPES[dtype], "cpu")


@dataclass(frozen=True)
class Stretch:
    """Consecutive numbers of a dtype."""

    dtype: str
    first: int
    count: int

    @cached_property
    def line(self) -> Patterns:
        """Its points."""
        last = self.first + self.count - 1
        return Patterns(DTYPES[self.dtype], self.first, last, self.count)


def moved(random: Random, row: object) -> Iterator[Moved]:
    """Each variant of a row by its first number, at decimals of the others."""
    for settings in variants(row):
        text = call_text(row, settings, order=random.randint(0, 3))
        moving, *others = inputs_of(text)
        yield Moved(text, moving, tuple((n, f"{random.uniform(-2, 2):.2f}") for n in others))


def programs() -> list[Moved]:
    """Every elementwise row that has a derivative, and the composed ones."""
    rows = [row for row in differentiable_rows() if row.name not in SLOW]
    calls = [each for row in rows for each in moved(seeded(row.name), row)]
    return [*calls, *map(Moved, COMPOSED)]


def stretches(random: Random, dtype: str, count: int, sizes: tuple[int, int]) -> list[Stretch]:
    """Around places, and anywhere; of sizes between two powers of 2."""
    form, found = DTYPES[dtype], []
    whole = 2 * finite_count(form)
    for _ in range(count):
        size = min(2 ** random.randint(*sizes), whole)
        near = form.round(Fraction(random.choice(PLACES)))
        is_special = random.random() < 0.6 and abs(near) <= float(form.largest)
        middle = rank(near, form) if is_special else random.randrange(whole)
        first = min(max(middle - random.randint(0, size), 0), whole - size)
        found.append(Stretch(dtype, first, size))
    return found
