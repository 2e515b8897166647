"""Whether scalars of a program are zero for all inputs: a test at random points of a field.

A program is read as a formal one: a rational function with integer coefficients of things drawn at
random, its inputs, logarithms and exponentials that are not made of others, values of functions of
which nothing is known. Every rule that is used to tell one of them by others is true of real
numbers near the given point (that exp(a + b) is exp(a) exp(b), that the square root of x > 0 is the
positive number with the square x, that equal arguments have equal values), so putting the real
values in for what was drawn gives the real function. Where the formal function is zero the real one
is, wherever all of its parts are defined, on the branch of the given point. The converse does not
hold: that a formal function is not zero says nothing where two of the things drawn have to do with
each other in a way that no rule knows.

That the formal function is zero is concluded from zeros at random points modulo a random prime,
which is wrong with a chance that is computed:

- a polynomial of degree d that is not zero modulo p is zero at a point drawn from n numbers with a
  chance of at most d / n (Schwartz 1980, Zippel 1979). Rational exponents and the choice of roots
  multiply d: by their common denominator, and by the number of conjugates. The points are
  independent; their number is the power to which this is taken;
- the same holds for each two values that were taken for equal, and for each linear relation that
  was found, once for every way in which its coefficients might be chosen;
- p may divide all coefficients of a polynomial that is not zero: their logarithm, divided by that
  of p, bounds how many such primes there are among those that p was drawn from;
- p may be composite (Rabin 1980).

The numbers are drawn from a hash of the program, so that nobody can write a constant that knows the
prime. What is zero at a point in a denominator is bad luck and drawn anew.

Square roots of sums need care, as fields have no positive numbers: the root of (x + y)**2 is x + y
or -x - y. Where no product of numbers under roots is a square in the field of the others, all
choices of signs are conjugate (Mordell 1953), so that what is zero for one choice is for all. That
is shown by a point at which the product has no root; where it cannot be shown nothing is said.
Roots of inputs, of exponentials, and of what is a product of those, are positive by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import log2
from random import Random
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import lower
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, Program, with_args
from gradcheck_cli.worlds.balls import balls_of, exact_ball
from gradcheck_cli.worlds.field_values import FieldValue, Nameless, NoForm
from gradcheck_cli.worlds.fields import Fields
from gradcheck_cli.worlds.relations import LARGEST, MOST_TRIALS, TooFewPoints
from gradcheck_cli.worlds.residues import BITS, Unlucky, random_prime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from gradcheck_cli.worlds.balls import Ball, Literal

# What is wrong with a larger chance is not called proved.
LARGEST_ERROR = 2.0**-50
# So many points to begin with; precision of the balls that decide branches; draws before giving up.
_POINTS, _BITS, _DRAWS = 8, 256, 6


@dataclass(frozen=True)
class Identity:
    """What is known of whether scalars are zero for all inputs on the branch of a point.

    Attributes:
        holds: True where they are, but for `error_probability`; False where one is not, which is
            certain and said only of rational functions of the inputs; None where neither was shown.
        error_probability: an upper bound of the chance, over the numbers drawn, that True is wrong.
        trials: at how many random points they were zero.
        branch: whether it was used on which side of something the given point lies.
        reason: why nothing was shown.
    """

    holds: bool | None
    error_probability: float = 0.0
    trials: int = 0
    branch: bool = False
    reason: str = ""


def identity(
    program: Program,
    nodes: Sequence[int],
    point: Mapping[str, Ball | Fraction | float],
    seed: int,
    literal: Literal = lambda value: value,
) -> Identity:
    """Whether some nodes of a scalar program are zero for all inputs, on the branch of a point.

    Args:
        point: a ball or an exact number for each input.
        literal: rounds a decimal literal to a dtype, or keeps it.
    """
    from flint import arb, ctx

    builder = Builder()
    outputs = lower(builder, Program(program.nodes, tuple(nodes)), {})
    scalars = _simple_first(builder.program(*outputs))
    with ctx.workprec(_BITS):
        given = {
            name: value if isinstance(value, arb) else exact_ball(value)
            for name, value in point.items()
        }
        balls = balls_of(scalars, given, literal)
        return _tested(scalars, balls, _random(seed, scalars), literal)


def _simple_first(program: Program) -> Program:
    """The program with nodes under fewer functions first, so that what a root or a logarithm is
    taken of may be known for a square or a product of what stands elsewhere.
    """
    depths: list[int] = []
    for node in program.nodes:
        depth = 0
        if isinstance(node, Call):
            named = not lookup(node.function).operator
            depth = max((depths[i] for i in node.args), default=0) + named
        depths.append(depth)
    order = sorted(range(len(depths)), key=depths.__getitem__)
    new = {old: k for k, old in enumerate(order)}
    nodes = tuple(with_args(program.nodes[old], new) for old in order)
    return Program(nodes, tuple(new[i] for i in program.outputs))


def _random(seed: int, program: Program) -> Random:
    text = repr((seed, program.nodes, program.outputs))
    return Random(sha256(text.encode()).digest())  # noqa: S311 - drawn, not secret


def _tested(program: Program, balls: list[Any], random: Random, literal: Literal) -> Identity:
    """What the first draw comes to at which all values exist and signs are free."""
    points, reason = _POINTS, ""
    draws, eager = 0, False
    while draws < _DRAWS:
        world = Fields(random_prime(random), points, random, literal, eager=eager)
        try:
            values = world.run(program, balls)
            results = list(_results(values[i] for i in program.outputs))
        except TooFewPoints:
            points = min(2 * points, MOST_TRIALS)
            continue
        except NoForm as error:
            return Identity(None, reason=str(error))
        except Unlucky as error:
            draws, reason = draws + 1, str(error)
            continue
        is_zero = all(value.at.is_zero for value in results)
        if is_zero and world.exponentials.has_free_signs():
            return _zero(world, points)
        if not is_zero and (eager or not world.exponentials.has_logs):
            return _not_zero(world)
        draws, reason, eager = draws + 2, "the sign of a root is not known", True
        points = min(2 * points, MOST_TRIALS)
    return Identity(None, reason=reason)


def _results(values: Iterable[Any]) -> Iterable[FieldValue]:
    """The values that have to be zero: those that are no structural zeros."""
    for value in values:
        if isinstance(value, Nameless):
            raise value.error
        if isinstance(value, FieldValue):
            yield value


def _not_zero(world: Fields) -> Identity:
    branch = world.follows or world.logarithms.uses_signs
    if world.only_arithmetic:
        return Identity(False, trials=1, branch=branch)
    return Identity(None, branch=branch, reason="not zero by the rules that are known")


def _zero(world: Fields, points: int) -> Identity:
    error = 2.0 ** min(0.0, log2_error(world, points))
    branch = world.follows or world.logarithms.uses_signs
    if not error < LARGEST_ERROR:
        return Identity(None, error, points, branch, "the degree is too large for the field")
    return Identity(True, error, points, branch)


def log2_error(world: Fields, points: int) -> float:
    """The logarithm of the chance that what is zero in a world is not zero."""
    conjugates = world.exponentials.conjugates
    denominators = world.exponentials.denominators * world.angles.denominators
    # Twice: two values that were compared are one whose numerator has the degree of both.
    degree = log2(2 * world.largest) + log2(denominators) + conjugates
    of_point = degree - log2(world.prime.least)
    relations = max(len(world.exponentials.pairs), len(world.angles)) + 1
    compared = 2 * log2(world.made) + relations * (2 * log2(LARGEST) + 1)
    coefficients = log2(2 * world.largest) + conjugates - log2(BITS) - world.prime.log2_others
    parts = (points * of_point + compared, coefficients, float(world.prime.log2_error))
    return max(parts) + 2
