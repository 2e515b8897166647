"""What the language accepts, SymPy's own parser reads the same way: equal values at random points."""

from __future__ import annotations

from random import Random

import mpmath
import pytest
import sympy
from each import each
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy.parsing.sympy_parser import parse_expr

from gradcheck_cli.language.parse import parse
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import expand

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=250)
NAMES = ("x", "y", "z")
# SymPy gives a decimal literal 15 digits.
ROOM = mpmath.mpf("1e-12")

PRECEDENCE = [
    "-x**2", "(-x)**2", "x**-y", "x**-2", "2**-x", "-x**-2", "-2**-x", "x/y/z", "x/y*z", "x*y/z", "x/(y/z)", "x**y**z", "(x**y)**z", "2**x**2", "2**-x**2", "x**-y**2",
    "x - y - z", "x - (y - z)", "x - y + z", "-x - -y", "- - -x", "+x - +y", "-x*y", "x*-y", "x/-y", "x/-y**2", "-(x + y)**2", "-x**2*y", "-x/y**-2", "x**2**3", "1/2*x", "x**(1/2)", "x**0.5",
    "2*x**2/3*y", "--x**2", "x+-y", "x*y**-z", "(x)", "((x))*(y)", "1e-3*x", "1.5e+2/x", ".5*x", "5.*x",
]  # fmt: skip

# The names that both languages have, with arguments inside the domain wherever x, y and z are in
# (0, 1).
CALLS = [
    "sin(x)", "cos(x)", "tan(x)", "asin(x)", "acos(x)", "atan(x)", "atan2(x, y)", "sinh(x)", "cosh(x)", "tanh(x)", "asinh(x)", "acosh(1 + x)", "atanh(x)", "exp(x)", "log(x)", "ln(x)", "sqrt(x)",
    "Abs(x - y)", "abs(x - y)", "sign(x - y)", "floor(5*x)", "ceiling(5*x)", "erf(x)", "erfc(x)", "erfinv(x)", "Max(x, y)", "Min(x, y, z)", "Max(x, y, z, 1/2)", "loggamma(x)", "digamma(x)", "polygamma(1, x)",
    "Mod(x, y)", "x % y", "Heaviside(x - y)", "Pow(x, y)", "pi*x", "E*x", "sqrt(x)*exp(-x**2/2)/sqrt(2*pi)", "log(1 + exp(-abs(x)))", "asin(sin(x))", "sin(cos(tan(x)))",
]  # fmt: skip


def ours(text, point):
    """The midpoint of the ball of a program's value, or None where it has none."""
    program = parse(text)
    scalars = expand(program, dict.fromkeys(program.variables, ()))
    inner = scalars.builder.program(scalars.values[program.result])
    ball = balls.Machine(inner).run(point, 400, lambda value: value)[inner.result]
    if not ball.is_finite() or ball.rel_accuracy_bits() < 60:
        return None
    with mpmath.workdps(40):
        return mpmath.mpf(ball.str(40, radius=False))


def sympys(text, point):
    """The value that SymPy's parser and evaluator give, or None where it is no real number."""
    expression = parse_expr(text, local_dict={name: sympy.Symbol(name) for name in NAMES})
    value = sympy.sympify(expression).evalf(
        30, subs={name: sympy.Rational(number) for name, number in point.items()}
    )
    if not value.is_number or not value.is_real or not value.is_finite:
        return None
    return mpmath.mpf(sympy.Float(value, 30)._mpf_)


def agree(a, b):
    """Equal but for the digits that SymPy keeps."""
    return abs(a - b) <= ROOM * max(abs(a), abs(b), 1)


def points(seed):
    """Short decimals in (0, 1), as floats."""
    random = Random(seed)  # noqa: S311 - a fixed seed is wanted
    return {name: round(random.uniform(0.05, 0.95), 2) for name in NAMES}


@each("text", PRECEDENCE + CALLS)
def test_the_same_reading(text):
    """At three points."""
    for seed in range(3):
        point = points(f"{text} {seed}")
        mine, theirs = ours(text, point), sympys(text, point)
        assert mine is not None
        assert theirs is not None
        assert agree(mine, theirs), (point, mine, theirs)


@pytest.mark.parametrize(
    ("written", "misread"),
    [
        ("-x**2", "(-x)**2"),
        ("x/y/z", "x/(y/z)"),
        ("x**y**z", "(x**y)**z"),
        ("2**-x", "2**(x)"),
        ("x - y - z", "x - (y - z)"),
    ],
)
def test_a_misreading_is_caught(written, misread):
    """The law above tells two readings of one text apart."""
    point = points(written)
    assert not agree(ours(misread, point), sympys(written, point))


_SIGNS = st.sampled_from(["", "", "", "-", "+", "--"])
_ATOMS = st.one_of(
    st.sampled_from([*NAMES, "x", "y"]),
    st.integers(1, 9).map(str),
    st.sampled_from(["0.5", "1.25", "2e-1", "pi", "E"]),
)
_EXPONENTS = st.sampled_from(
    ["2", "-2", "3", "x", "-y", "-1", "0.5", "(1/2)", "-x**2", "y**-1", "2**x"]
)
_FUNCTIONS = st.sampled_from(
    ["sin", "cos", "exp", "tanh", "atan", "sqrt", "log", "erf", "asinh", "abs"]
)


def grown(inner):
    """Chains without brackets, so that precedence decides; brackets, calls and powers around them."""
    chain = st.lists(
        st.tuples(st.sampled_from(["+", "-", "*", "/", " - ", " * "]), _SIGNS, inner),
        min_size=1,
        max_size=3,
    )
    return st.one_of(
        st.builds(
            lambda sign, first, rest: sign + first + "".join(op + s + item for op, s, item in rest),
            _SIGNS,
            inner,
            chain,
        ),
        st.builds("({})".format, inner),
        st.builds("{}({})".format, _FUNCTIONS, inner),
        # The base is no bare integer: 9**9**9 is for another test.
        st.builds(
            "{}**{}".format,
            st.one_of(st.sampled_from(NAMES), st.builds("({} + x)".format, inner)),
            _EXPONENTS,
        ),
    )


@FIXED
@given(st.recursive(_ATOMS, grown, max_leaves=8), st.integers(0, 10**6))
def test_a_random_text_is_read_as_sympy_reads_it(text, seed):
    """Wherever both have a real value; SymPy simplifies what we leave undefined."""
    point = points(seed)
    mine = ours(text, point)
    assume(mine is not None and abs(mine) < 1e40)
    theirs = sympys(text, point)
    assert theirs is not None
    assert agree(mine, theirs), (text, point, mine, theirs)
