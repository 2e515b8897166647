"""Law: what a closed form proves to be zero is zero, and the identities of a textbook are proved.

Numbers are made at random from rational numbers, pi, roots, logarithms, exponentials and angles;
the truth are balls of 3,000 bits, which know nothing of closed forms.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import pytest
from each import each
from flint import ctx

from gradcheck_cli.language.parse import parse
from gradcheck_cli.worlds import closed_angles, closed_forms, closed_functions
from gradcheck_cli.worlds.balls import Machine
from gradcheck_cli.worlds.closed_programs import program_of
from gradcheck_cli.worlds.real_values import reals_of
from gradcheck_cli.worlds.reals import Real
from gradcheck_cli.worlds.scalars import expand

from .points import all_rows, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

LOW, HIGH = 128, 3_000
LEAVES = (
    "1",
    "2",
    "3",
    "1/2",
    "3/4",
    "5",
    "6",
    "pi",
    "e",
    "sqrt(2)",
    "sqrt(3)",
    "log(2)",
    "log(3)",
    "log(6)",
    "a",
    "b",
)
FORMS = (
    "({x} + {y})", "({x} - {y})", "({x}*{y})", "({x}*{y})", "({x}/(1 + ({y})**2))", "sqrt(1 + ({x})**2)", "sqrt(({x})**2)", "log(1 + ({x})**2)", "exp({x}/4)",
    "sin({x})", "cos({x})", "atan({x})", "tanh({x})", "asinh({x})", "cosh({x}/3)", "erf({x})", "abs({x})", "({x})**2", "(1 + ({x})**2)**(1/3)", "sin(pi*{x})",
)  # fmt: skip
# Sums that come to nothing, by a textbook.
IDENTITIES = (
    "sqrt(2)*sqrt(3) - sqrt(6)", "log(6) - log(2) - log(3)", "4*atan(1) - pi", "exp(log(5)/2) - sqrt(5)", "sin(a)**2 + cos(a)**2 - 1", "tanh(a) - sinh(a)/cosh(a)",
    "1/cosh(a)**2 + tanh(a)**2 - 1", "exp(a)*exp(b) - exp(a + b)", "log(exp(a)) - a", "sin(pi/3) - sqrt(3)/2", "cos(2*pi/3) + 1/2", "acos(a) + asin(a) - pi/2",
    "cos(asin(a)) - sqrt(1 - a**2)", "sin(acos(a)) - sqrt(1 - a**2)", "tan(atan(a)) - a", "sinh(asinh(a)) - a", "exp(atanh(a)*2) - (1 + a)/(1 - a)", "sqrt(3 + 2*sqrt(2)) - 1 - sqrt(2)",
    "8**(1/3) - 2", "((1 + sqrt(5))/2)**2 - (1 + sqrt(5))/2 - 1", "1/(sqrt(3) - sqrt(2)) - sqrt(3) - sqrt(2)", "sin(a + pi/2) - cos(a)", "tan(a)**2 + 1 - 1/cos(a)**2",
    "log(sqrt(a)) - log(a)/2", "sqrt(a)*sqrt(b) - sqrt(a*b)", "erf(a) + erf(-a)", "erf(a) + erfc(a) - 1", "2**a*2**b - 2**(a + b)", "a**pi*a**(1 - pi) - a", "acosh(1.25)*2 - log(4)",
    "sqrt(pi)**2 - pi", "sqrt(4 + 4*pi) - 2*sqrt(1 + pi)", "lgamma(a)*2 - 2*lgamma(a)", "log(10)/log(10) - 1", "e - exp(1)",
)  # fmt: skip
POINT = {"a": Fraction(0.3), "b": Fraction(0.7)}


def number(text: str, bits: int) -> Real:
    """A constant program, at a precision."""
    program = parse(text)
    scalars = expand(program, dict.fromkeys(program.variables, ()))
    result = scalars.values[program.result]
    assert isinstance(result, int)
    flat = scalars.builder.program(result)
    with ctx.workprec(bits):
        found: Real = reals_of(flat, {n: Real(POINT[n]) for n in program.variables})[flat.result]
        _ = found.exact
    return found


def drawn(random: Any, depth: int) -> str:
    """A text of a number."""
    if depth == 0:
        return str(random.choice(LEAVES))
    form = random.choice(FORMS)
    return str(form.format(x=drawn(random, depth - 1), y=drawn(random, depth - 1)))


def lies(seeds: range) -> Iterator[str]:
    """Differences that are proved to be zero, and are not."""
    for seed in seeds:
        random = seeded(f"number {seed}")
        texts = [drawn(random, random.randint(1, 3)) for _ in range(6)]
        # A number and what it is near to: a wrong rule shows as a difference that is called zero.
        for x, y in [*combinations(texts, 2), *((text, f"({text})*1") for text in texts)]:
            text = f"({x}) - ({y})"
            found = number(text, LOW)
            with ctx.workprec(HIGH):
                truth = number(text, HIGH).ball
            if found.ball.is_finite() and found.is_zero() and not truth.contains(0):
                yield text
            if found.ball.is_finite() and not found.ball.overlaps(truth):
                yield f"{text}: {found} for {truth}"


def wrong(texts: tuple[str, ...]) -> list[str]:
    """Closed forms of texts whose value is another number than they say."""
    return [text for text in texts if not is_true(text)]


def is_true(text: str) -> bool:
    """Whether the closed form of a text, evaluated by itself, is the text's value."""
    found = number(text, HIGH)
    if found.exact is None:
        return True
    with ctx.workprec(HIGH):
        return bool(value(closed_forms.as_form(found.exact)).overlaps(found.ball))


def value(form: Any) -> Any:
    """A closed form in balls, from what its atoms are said to be."""
    total = [sum_of(part) if part is not None else 1 for part in (form.above, form.below)]
    return total[0] / total[1]


def sum_of(polynomial: Any) -> Any:
    """A polynomial in balls."""
    from flint import arb

    total = arb(0)
    for monomial, c in polynomial.items():
        product = arb(c)
        for atom, k in monomial:
            product = product * known(atom) ** (arb(k.numerator) / k.denominator)
        total = total + product
    return total


def known(atom: Any) -> Any:
    """An atom in balls, by its name."""
    from flint import arb

    (name, *_), args = atom.key
    values = [value(arg) for arg in args]
    methods = {"root": arb.__pos__, "pi": arb.pi, "pow": arb.__pow__}
    if name in methods:
        return methods[name](*values)
    return getattr(arb, name.split()[0])(*values)


def miswritten(number: Real) -> bool:
    """Whether the program of a number's closed form has another value than its ball, or terms of
    other sizes: the names of atoms may be those of functions that they are not.
    """
    form = closed_forms.as_form(number.exact)
    program = program_of(form)
    if program is None:
        return False
    parts = [Fraction(int(c.p), int(c.q)) for c in form.above.values()] or [Fraction(1)]
    scale = Fraction(lcm(*(c.denominator for c in parts)), gcd(*(c.numerator for c in parts)))
    with ctx.workprec(HIGH):
        k = Real(scale).ball
        truth = number.ball * (1 if form.below is None else sum_of(form.below))
        written = Machine(program).run({}, HIGH, Fraction)
        total, *terms = (abs(written[i]) for i in program.outputs)
        sizes = sum((abs(sum_of({m: c})) for m, c in form.above.items()), truth * 0)
        return not (total.overlaps(abs(truth) * k) and sum(terms, k * 0).overlaps(sizes * k))


@pytest.mark.parametrize("text", IDENTITIES)
def test_an_identity_is_proved(text):
    """With 128 bits, of which none says so by itself."""
    found = number(text, LOW)
    assert found.is_zero()
    with ctx.workprec(HIGH):
        assert number(text, HIGH).ball.contains(0)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_what_is_proved_to_be_zero_is_zero(start):
    """Differences of numbers made at random."""
    assert list(lies(range(start, start + 20))) == []


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_a_closed_form_is_its_number(start):
    """Evaluated from its atoms, at 3,000 bits."""
    texts = tuple(drawn(seeded(f"form {k}"), 1 + k % 3) for k in range(start, start + 50))
    assert wrong(texts) == []


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_a_closed_form_is_written_as_it_is(start):
    """As a program of the language, for those who know more; some have none."""
    texts = [drawn(seeded(f"form {k}"), 1 + k % 3) for k in range(start, start + 50)]
    known = [found for found in (number(text, HIGH) for text in texts) if found.exact is not None]
    assert not any(map(miswritten, known))
    written = [program_of(closed_forms.as_form(found.exact)) is not None for found in known]
    assert written.count(True) > len(known) / 2


def test_a_form_that_is_written_wrongly_is_caught(monkeypatch):
    """An atom under the name of another function."""
    monkeypatch.setattr(closed_angles, "_COSINE", "sinh")
    assert miswritten(number("cos(a)", HIGH))


def test_a_number_that_is_not_zero_is_not_proved():
    """However small: 2**-5000, and what is wrong by it."""
    with ctx.workprec(LOW):
        assert not Real(Fraction(1, 2**5000)).is_zero()
        assert not (
            Real(2).sqrt() * Real(3).sqrt() - Real(6).sqrt() + Fraction(1, 2**900)
        ).is_zero()
        assert not (Real.pi() - Fraction(355, 113)).is_zero()
        assert not (Real(0.25, 0.5) - Real(0.25, 0.5)).is_zero()


def test_what_is_known_of_a_ball_alone_stays_unknown():
    """A ball with a radius is no number, and a union is none."""
    with ctx.workprec(LOW):
        ball = Real(1, 0.5)
        assert (ball - ball).exact is None
        assert (Real(1).union(Real(2)) * 0 + ball).exact is None
        assert Real(1).union(Real(1)).fraction == 1


@pytest.mark.parametrize(
    ("module", "name", "lie"),
    [
        (closed_angles, "cos_of", closed_angles.sin_of),
        (closed_functions, "erfc_of", lambda x: closed_forms.one() + closed_functions.erf_of(x)),
        (closed_functions, "tanh_of", closed_functions.sinh_of),
        (closed_functions, "sqrt_of", lambda x: closed_functions.root(x, Fraction(1, 3))),
        (closed_functions, "exp_of", lambda x: closed_forms.one() + x),
        (closed_functions, "log_of", lambda x: x - closed_forms.one()),
    ],
)
def test_a_wrong_rule_is_caught(module, name, lie, monkeypatch):
    """Its form has another value than its ball."""
    monkeypatch.setattr(module, name, lie)
    method = name.removesuffix("_of")
    texts = tuple(f"{method}({leaf})" for leaf in ("a", "b", "2", "3/4", "pi", "sqrt(2)"))
    assert wrong(texts)


UNARY = [
    row
    for row in all_rows()
    if row.kind == "primitive" and [p.kind for p in row.parsed.args] == [""]
]


@each("row", UNARY, ids=lambda row: row.name)
def test_every_primitive_takes_numbers_that_are_known(row):
    """What the row answers to a `Real` is what it answers to a ball."""
    for x in (
        Fraction(0),
        Fraction(1),
        Fraction(-1),
        Fraction(1, 3),
        Fraction(0.3),
        Fraction(5, 2),
    ):
        with ctx.workprec(LOW):
            ball = row.arb(Real(x).ball)
            found = row.arb(Real(x))
            if ball.is_finite() and ball.rad() < 1e-20:
                assert found.ball.overlaps(ball)
                assert found.exact is not None
                again = row.arb(Real(x)) - found
                assert again.is_zero()
                assert not miswritten(found)


def test_a_method_that_has_the_name_of_another_function_is_caught():
    """A ball's own sinc is sin(x)/x, that of the table sin(pi x)/(pi x)."""
    with ctx.workprec(LOW):
        assert miswritten(Real(Fraction(1, 3)).sinc())
        assert not miswritten(Real(Fraction(1, 3)).lgamma())
