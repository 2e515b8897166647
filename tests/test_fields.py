"""The world of fields proves identities, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from each import each
from field_identities import ARRAYS, DERIVATIVES, FALSE, IDENTITIES

from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.functions import table
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Program
from gradcheck_cli.worlds import identity as module
from gradcheck_cli.worlds import residues
from gradcheck_cli.worlds.angles import Angles
from gradcheck_cli.worlds.exponents import Exponentials
from gradcheck_cli.worlds.field_values import FieldValue
from gradcheck_cli.worlds.identity import LARGEST_ERROR, identity
from gradcheck_cli.worlds.relations import Echelon
from gradcheck_cli.worlds.residues import Residues, random_prime, rational
from gradcheck_cli.worlds.scalars import expand, expand_into

# A planted lie: a coefficient that is off by one part in 10**9, a wrong sign, a term that is
# missing, a half too many.
LIES = ("1.000000001", "(-1)", "0", "(3/2)")


def drawing(seed):
    """A generator."""
    return Random(seed)  # noqa: S311 - points, not secrets


def scalars(text, shapes=None):
    """A program as scalars, and the places of its value's elements."""
    program = parse(text)
    given = {name: (shapes or {}).get(name, ()) for name in program.variables}
    expansion = expand(program, given)
    places = np.asarray(expansion.values[program.result]).reshape(-1).tolist()
    return Program(tuple(expansion.builder.nodes), tuple(places)), places


def point_of(program, at=None):
    """The inputs at short decimals between 0 and 1, or as given."""
    random = drawing("fields")
    drawn = {name: Fraction(random.randint(15, 85), 100) for name in program.variables}
    return drawn | {name: Fraction(value) for name, value in (at or {}).items()}


def ask(text, at=None, seed=0, shapes=None):
    """What the world of fields says of a text."""
    program, places = scalars(text, shapes)
    return identity(program, places, point_of(program, at), seed)


def ask_derivative(text, claim, seed=0):
    """What it says of the derivative by x less a claim."""
    builder = Builder()
    names = dict.fromkeys((*parse(text).variables, *parse(claim).variables))
    inputs = {name: builder.variable(name) for name in names}
    value = expand_into(builder, parse(text), inputs)
    slope = adjoints(builder, value, frozenset("x"))[inputs["x"]]
    gap = builder.call("sub", expand_into(builder, parse(claim), inputs), slope)
    program = Program(tuple(builder.nodes), (gap,))
    return identity(program, [gap], point_of(program), seed)


@pytest.mark.parametrize("text", IDENTITIES)
def test_an_identity_is_proved(text):
    """With a chance of error that is computed, and small."""
    answer = ask(text.format(k=1))
    assert answer.holds is True, answer
    assert 0 < answer.error_probability < LARGEST_ERROR
    assert answer.trials >= 8


@pytest.mark.parametrize("lie", LIES)
@each("text", IDENTITIES)
def test_a_lie_is_not_proved(text, lie):
    """A coefficient, a sign, a missing term."""
    answer = ask(text.format(k=lie))
    assert answer.holds is not True
    assert answer.holds is False or answer.reason


@pytest.mark.parametrize(("text", "shapes"), ARRAYS)
def test_arrays_are_proved_element_by_element(text, shapes):
    """And a lie of one part in 10**9 is not."""
    assert ask(text.format(k=1), shapes=shapes).holds is True
    for lie in LIES:
        assert ask(text.format(k=lie), shapes=shapes).holds is not True


@pytest.mark.parametrize(("text", "claim"), DERIVATIVES)
def test_derivatives_are_proved(text, claim):
    """Of the exact adjoint, less what is claimed."""
    assert ask_derivative(text, claim.format(k=1)).holds is True
    for lie in LIES:
        assert ask_derivative(text, claim.format(k=lie)).holds is not True


@pytest.mark.parametrize("seed", range(4))
@each("text", FALSE)
def test_what_is_nearly_or_elsewhere_true_is_not_proved(text, seed):
    """Whatever is drawn: many digits are no proof, nor is the other sign of a root."""
    assert ask(text, seed=seed).holds is not True


@pytest.mark.parametrize(
    ("text", "at", "branch"),
    [
        ("sqrt(x**2) - x", {"x": 3}, True),
        ("sqrt(x**2) + x", {"x": -3}, True),
        ("sqrt(x**2) + x", {"x": 3}, None),
        ("sqrt(x**2) - x", {"x": 0}, None),
        ("abs(x) - x", {"x": "0.5"}, True),
        ("abs(x) - x", {"x": "-0.5"}, None),
        ("abs(x) + x", {"x": 0}, None),
        ("relu(x) - x", {"x": 2}, True),
        ("relu(x)", {"x": -2}, True),
        ("relu(x)", {"x": 0}, None),
        ("maximum(x, y) - y", {"x": 1, "y": 2}, True),
        ("maximum(x, y) - y", {"x": 2, "y": 2}, None),
        ("where(x > 1, x, x**2) - x", {"x": 2}, True),
        ("where(x > 1, x, x**2) - x", {"x": "0.5"}, None),
        ("where(x > 0, sqrt(x), 0)", {"x": -1}, True),
        ("where(x == 0, 1, sin(x)/x)*x - sin(x)", {"x": 1}, True),
        ("where(x == 0, 0, x)", {"x": 0}, None),
        ("floor(x) - 2", {"x": "2.5"}, True),
        ("floor(x) - 2", {"x": 2}, None),
        ("sign(x) + heaviside(x) + 1", {"x": -1}, True),
        ("log(abs(x)) - log(-x)", {"x": -1}, True),
        ("sqrt(1 - sin(x)**2) - cos(x)", {"x": 1}, True),
        ("sqrt(1 - sin(x)**2) + cos(x)", {"x": 3}, True),
        ("sqrt(x**2 + 2*x*y + y**2) + (x + y)", {"x": -3, "y": 1}, True),
        ("x*(y + 1) - x*y - x", {"x": 0, "y": 0}, False),
        ("x**1073741825 - sqrt(x**2147483650)", {"x": 2}, True),
        ("x**1073741825 - x**1073741824*x", {"x": -2}, None),
        ("sqrt(x*y) - sqrt(-x)*sqrt(-y)", {"x": -1, "y": -1}, True),
        ("sqrt(x*y) - sqrt(x)*sqrt(y)", {"x": 1, "y": 1}, False),
        ("cbrt(x**3) - x", {"x": -2}, True),
        ("sqrt(x**6) + x**3", {"x": -1}, True),
        ("sin(x + pi/4) - (sin(x) + cos(x))/sqrt(2)", {"x": 1}, False),
        ("clamp(x, min=0) - x", {"x": 1}, True),
        ("logical_and(x > 0, y > 0)*x - x", {"x": 1, "y": 1}, True),
    ],
)  # fmt: skip
def test_a_branch_is_that_of_the_point(text, at, branch):
    """And the answer says that one was followed; `None` where it does not hold."""
    answer = ask(text, at)
    assert (answer.branch if answer.holds else None) is branch, answer


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x*y - y*x*1.000000001", False),
        ("(x**2 - 1)/(x - 1) - x - 1.5", False),
        ("abs(x) - x/2", False),
        ("exp(x) - 1", None),
        ("sqrt(x) - 1", None),
    ],
)
def test_only_rational_functions_are_shown_to_differ(text, holds):
    """What is no zero by the rules may be one all the same, unless nothing but arithmetic was
    used.
    """
    assert ask(text).holds is holds


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("exp(x) - 1", {}, "not zero by the rules that are known"),
        ("log(x - 1)", {}, "a logarithm or a power of what may not be positive"),
        ("x**(-1/2)", {"x": -1}, "a logarithm or a power of what may not be positive"),
        ("abs(x)", {"x": 0}, "a point on the boundary of `abs`"),
        ("0/(x - x)", {}, "a division by zero"),
        ("x**(2**20)*0", {}, ""),
        ("sqrt(x**2*y)*0", {"x": 0}, "a logarithm or a power of what may not be positive"),
        ("x*inf", {}, "an infinity"),
        ("(x**1048576)**1048576 - (x**1048576)**1048576", {}, ""),
    ],
)
def test_what_is_not_shown_has_its_reason(text, at, reason):
    """In words."""
    assert ask(text, at).reason == reason


def test_a_degree_that_is_too_large_is_no_proof():
    """Of a power tower the bound of the chance is 1."""
    power = "x"
    for _ in range(10):
        power = f"({power})**1048576"
    answer = ask(f"{power} + y - y - {power}")
    assert (answer.holds, answer.reason) == (None, "the degree is too large for the field")
    assert answer.error_probability == 1


def test_no_constant_knows_the_prime():
    """The prime is drawn from the program itself: a multiple of one that was drawn for another
    program is no zero.
    """
    prime = random_prime(drawing(1)).p
    assert ask(f"{prime}*x").holds is False
    assert ask(f"x**{prime} - x").holds is not True


def test_the_same_seed_gives_the_same_answer():
    """And another one another."""
    one, again = (ask("sin(x)*x - x*sin(x) + sqrt(x**2 + 1) - sqrt(1 + x**2)") for _ in range(2))
    assert one == again


@pytest.mark.parametrize("count", [1, 2, 5])
def test_bad_luck_is_drawn_anew(count, monkeypatch):
    """A division by zero at a random point is no verdict."""
    division, left = residues._inverses, [count]

    def unlucky(numbers, p):
        if left[0]:
            left[0] -= 1
            raise residues.Unlucky("a division by zero")
        return division(numbers, p)

    monkeypatch.setattr(residues, "_inverses", unlucky)
    assert ask("1/(x*(x + 1)) - 1/x + 1/(x + 1)").holds is True
    assert left == [0]


def test_a_broken_rule_is_seen(monkeypatch):
    """Where exp is a random number for each argument, nothing about it is proved."""
    monkeypatch.setattr(Exponentials, "exp", lambda self, a: self.drawn())
    assert ask("exp(x + y) - exp(x)*exp(y)").holds is None
    assert ask("exp(x) - exp(x)").holds is True  # one node


def test_a_rule_that_is_false_is_seen(monkeypatch):
    """Where every angle is taken for 0, a lie is proved: the lies above would tell."""
    monkeypatch.setattr(Angles, "at", lambda self, a: a.constant(1))
    assert ask(IDENTITIES[0].format(k="1.000000001")).holds is not False
    assert ask("sin(x) + 0*y").holds is True


@pytest.mark.parametrize(
    ("radicands", "free"),
    [
        (lambda a, b, c: [a + b], True),
        (lambda a, b, c: [a + b, a + c, b + c], True),
        (lambda a, b, c: [(a + b) ** 2 + 0], False),
        (lambda a, b, c: [7 * (a + b) * (a + b)], False),
        (lambda a, b, c: [a + b, 3 * (a + b) * (a + c), a + c], False),
        (lambda a, b, c: [a * a + 2 * a * b + b * b], False),
    ],
)
def test_signs_of_roots_are_free_where_no_product_is_a_square(radicands, free):
    """Of sums that were drawn; a square is never taken for one that is none."""
    world = Exponentials(random_prime(drawing(6)), 16, drawing(6))
    plain = [FieldValue(world.drawn().at) for _ in "abc"]
    for radicand in radicands(*plain):
        # Without the logarithm of what it is a multiple of, by which it would be known.
        world._products, world._in_products = Echelon(residues.CHARACTER), len(world.pairs)
        world.exp(_times(world.log(FieldValue(radicand.at)), Fraction(1, 2)))
    assert world.has_free_signs() is free


def test_the_error_counts_degrees_and_points():
    """The larger the degree, the larger the chance; the fewer the points, too."""
    world = module.Fields(random_prime(drawing(3)), 4, drawing(3), lambda v: v, eager=False)
    small = module.log2_error(world, 1)
    world.largest = 2**40
    assert module.log2_error(world, 1) == pytest.approx(small + 40, abs=1)
    assert module.log2_error(world, 4) < module.log2_error(world, 1)
    world.exponentials.conjugates = 200
    assert module.log2_error(world, 4) > 0


def test_a_prime_is_as_it_is_said_to_be():
    """Of the residue classes that roots need, and drawn anew by each generator."""
    primes = [random_prime(drawing(seed)) for seed in range(5)]
    for prime in primes:
        assert prime.p.bit_length() in (residues.BITS, residues.BITS + 1)
        assert prime.p % 4 == 3
        assert prime.p % residues.CHARACTER == 1
        assert (prime.p + 1) % prime.circle == 0
        assert all(prime.squares % small and prime.circle % small for small in (2, 3, 5, 7, 11, 13))
    assert len({prime.p for prime in primes}) == len(primes)


@pytest.mark.parametrize("value", ["0", "1", "-1", "3/7", "-22/7", "1000/999"])
def test_rational_numbers_are_found_again(value):
    """And what is none of small terms is None."""
    p, value = random_prime(drawing(2)).p, Fraction(value)
    assert rational(value.numerator * pow(value.denominator, -1, p), p, 2**64) == value
    assert rational(drawing(5).randrange(p), p, 2**64) is None


def test_linear_relations_are_found():
    """Modulo a prime, with their coefficients."""
    echelon = Echelon(101)
    assert echelon.add(0, [1, 2, 3])
    assert echelon.add(1, [0, 1, 1])
    assert not echelon.add(2, [2, 7, 9])
    assert echelon.reduced([2, 7, 9]) == ([0, 0, 0], {0: 2, 1: 3})


def test_gaussian_residues_are_a_field():
    """Products, inverses, powers and roots."""
    p, random = random_prime(drawing(7)).p, drawing(7)
    x, y = (Residues(p, *[[random.randrange(p) for _ in range(3)] for _ in "ab"]) for _ in "xy")
    assert ((x * y) / y - x).is_zero
    assert (x**5 * x**-3 - x * x).is_zero
    real = Residues(p, x.re)
    root = real.root(random)
    assert (root * root - real).is_zero
    square = x * x
    assert (square.root(random) ** 2 - square).is_zero


def test_what_has_roots_has_one_of_each_degree():
    """Rational powers of what was drawn are multiplicative."""
    world = Exponentials(random_prime(drawing(4)), 8, drawing(4))
    a, b = world.drawn(), world.drawn()
    for pair in (a, b):
        world.log(pair)
    for power in (Fraction(1, 2), Fraction(2, 3), Fraction(-3, 8), Fraction(1, 2**55)):
        x, y = (world.exp(_times(world.log(u), power)) for u in (a, b))
        z = world.exp(_times(world.log(a) + world.log(b), power))
        assert ((x * y).at - z.at).is_zero
        assert (x.at**power.denominator - a.at**power.numerator).is_zero


def _times(value, factor):
    product = value * factor
    assert isinstance(product, FieldValue)
    return product


def test_a_wrong_row_is_seen(monkeypatch):
    """A row whose form in fields is not the function: a true identity is not proved."""
    row = table()["tanh"]
    monkeypatch.setitem(table(), "tanh", replace(row, fields=lambda f, x: f.exp(x)))
    assert ask("tanh(x) - 2*sigmoid(2*x) + 1").holds is None
