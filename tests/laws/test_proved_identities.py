"""Law: what the world of fields proves of a random program is zero beside the point, too, in balls;
half of the claims are true elsewhere, with another sign or on another branch.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import ctx

from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Program
from gradcheck_cli.worlds.balls import balls_of, exact_ball
from gradcheck_cli.worlds.identity import identity
from gradcheck_cli.worlds.scalars import expand

from .points import seeded

PARTS = (
    "x", "y", "2", "pi", "1/2", "sqrt({a})", "log({a})", "exp({a})", "sin({a})", "abs({a})", "({a})**2", "tanh({a})", "-({a})",
    "({a} + {b})", "({a} - {b})", "({a}*{b})", "({a}/{b})", "maximum({a}, {b})", "({a})**({b})",
)  # fmt: skip
CLAIMS = (
    "sqrt(({a})**2) - ({a})", "sqrt(({a})**2) + ({a})", "log({a}) + log({b}) - log(({a})*({b}))", "sqrt({a})*sqrt({b}) - sqrt(({a})*({b}))",
    "exp({a})*exp({b}) - exp(({a}) + ({b}))", "sqrt(({a})**2 + 2*({a})*({b}) + ({b})**2) - ({a} + {b})",
    "sqrt(({a})**2 + 2*({a})*({b}) + ({b})**2) + ({a} + {b})", "sqrt(1 - sin({a})**2) - cos({a})", "sqrt(1 - sin({a})**2) + cos({a})",
    "abs({a})*abs({b}) - abs(({a})*({b}))", "abs({a})*({b}) - abs(({a})*({b}))", "sqrt(({a})**2*({b})) - ({a})*sqrt({b})",
    "sqrt(({a})**2*({b})) + ({a})*sqrt({b})", "log(({a})**2) - 2*log({a})", "log(({a})**2) - 2*log(-({a}))", "maximum({a}, {b}) - ({a})",
    "maximum({a}, {b}) - ({b})", "sqrt(4*({a}) + 4*({b})) - 2*sqrt(({a}) + ({b}))", "sqrt(({a})**2 + ({a})*({b})) - sqrt({a})*sqrt({a} + {b})",
)  # fmt: skip


def claimed(random):
    """A claim about two random expressions."""
    parts = [_text(random, random.randint(0, 2)) for _ in "ab"]
    return random.choice(CLAIMS).format(a=parts[0], b=parts[1]) + " + 0*x + 0*y"


def _text(random, depth):
    if not depth:
        return random.choice(PARTS[:5])
    return random.choice(PARTS).format(a=_text(random, depth - 1), b=_text(random, depth - 1))


def scalar_program(text):
    """A text as a scalar program."""
    program = parse(text)
    expansion = expand(program, dict.fromkeys(program.variables, ()))
    place = int(expansion.values[program.result])
    return Program(tuple(expansion.builder.nodes), (place,))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_proved_is_zero_beside_the_point(seed):
    """To 400 bits, wherever it is defined."""
    random, proved = seeded(f"identities {seed}"), 0
    for _ in range(60):
        text = claimed(random)
        at = {name: Fraction(random.randint(-30, 30), 10) for name in "xy"}
        program = scalar_program(text)
        answer = identity(program, program.outputs, at, seed)
        if answer.holds is not True:
            continue
        with ctx.workprec(400):
            beside = {
                name: exact_ball(value + Fraction(random.randint(-9, 9), 10**7))
                for name, value in at.items()
            }
            value = balls_of(program, beside)[program.result]
        assert value.is_nan() or value.contains(0), f"{text} at {at}: {value}, {answer}"
        proved += 1
    assert proved >= 10
