"""Kinks made by composition: left and right derivatives by hand, again by evaluation beside the
point, and proved, none of them estimated.

A slope is written as a text, so that a root stays a root. Evaluation is mpmath's, with 5,000 bits,
at 2**-900 beside the point.
"""

from __future__ import annotations

import mpmath
import pytest
from asking import case
from each import each
from laws.boundaries import Beside, beside, value

from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses import Abstention

# Program, point, left and right derivative by the first input.
KINKS = [
    # Ties of several.
    ("max(x, 2*x, 3*x, -x)", "x=0", "-1", "3"), ("max(x, -x, 0)", "x=0", "-1", "1"), ("min(x, x**2, x**3)", "x=1", "3", "1"), ("max(x, 1, x**2, x**3)", "x=1", "0", "3"),
    ("max(sin(x), x, tan(x), 2*x)", "x=0", "1", "2"), ("max(x, y)", "x=1,y=1", "0", "1"), ("max(x, y, 2*x - y)", "x=3,y=3", "0", "2"), ("min(x*y, x + y)", "x=2,y=2", "2", "1"),
    ("max(abs(x), x**2, relu(x))", "x=1", "1", "2"), ("max(exp(x), 1 + x, 1 + 2*x)", "x=0", "1", "2"), ("max(min(x, 1), min(2*x - 1, 5))", "x=1", "1", "2"),
    ("max(x, max(y, x*y))", "x=1,y=1", "0", "1"), ("relu(x) - relu(2*x) + relu(3*x)", "x=0", "0", "2"), ("max(x, sqrt(x), x**2)", "x=1", "1/2", "2"),
    ("max(cos(x), 1 - x, 1 + 3*x)", "x=0", "-1", "3"), ("max(log(x), x - 1, 2*x - 2)", "x=1", "1", "2"), ("max(0, x, x**2, x**3) - min(0, x)", "x=0", "-1", "1"),
    # Diagonals of two inputs.
    ("abs(x - y)*exp(x)", "x=1,y=1", "-e", "e"), ("sqrt((x - y)**2 + (x - y)**4)", "x=2,y=2", "-1", "1"), ("max(x, y)*min(x, y)", "x=2,y=2", "2", "2"), ("max(x, y)**2*min(x, y)", "x=2,y=2", "4", "8"),
    ("abs(x - y)/(1 + abs(x - y))", "x=3,y=3", "-1", "1"), ("hypot(x - y, x - y)", "x=1,y=1", "-sqrt(2)", "sqrt(2)"), ("norm([x - y, 2*x - 2*y])", "x=1,y=1", "-sqrt(5)", "sqrt(5)"),
    ("exp(-abs(x - y))", "x=0.5,y=0.5", "1", "-1"), ("exp(-sqrt(3)*abs(x - y)/0.25)", "x=1,y=1", "4*sqrt(3)", "-4*sqrt(3)"), ("x*abs(x - y)", "x=3,y=3", "-3", "3"), ("relu(x - y) + relu(2*y - 2*x)", "x=1,y=1", "-2", "1"),
    ("abs(x*y - 1)", "x=2,y=0.5", "-1/2", "1/2"), ("acos(1 - (x - y)**2)", "x=1,y=1", "-sqrt(2)", "sqrt(2)"), ("log(1 + abs(x**2 - y**2))", "x=1,y=-1", "-2", "2"),
    # Polynomials and others glued by `where`.
    ("where(x < 0, x**2, x)", "x=0", "0", "1"), ("where(x < 1, x**3, 2*x - 1)", "x=1", "3", "2"), ("where(x <= 2, x**2, 4*x**2 - 12)", "x=2", "4", "16"), ("where(x > 0, sin(x), 2*x)", "x=0", "2", "1"),
    ("where(x < 0, -x, where(x < 1, x**2, 1))", "x=0", "-1", "0"), ("where(x < 0, -x, where(x < 1, x**2, 1))", "x=1", "2", "0"), ("where(x == 0, 0, x*(1 + abs(x)/x))", "x=0", "0", "2"),
    ("where(abs(x) < 1, 1 - x**2, 0)", "x=1", "-2", "0"), ("where(abs(x) < 1, 1 - abs(x), 0)", "x=-1", "0", "1"), ("where(x >= 1, log(x), x**2 - 1)", "x=1", "2", "1"), ("x if x > 0 else x**2", "x=0", "0", "1"),
    ("where(x > 0 and x < 1, x**2, 3*x)", "x=0", "3", "0"), ("where(not (x > 2), x, 2 + (x - 2)*5)", "x=2", "1", "5"), ("where(x < 0 or x > 1, 0, x*(1 - x))", "x=1", "-1", "0"), ("where(x**2 < 4, 4 - x**2, 2 - x)", "x=2", "-4", "-1"),
    ("exp(where(x > 0, x, 3*x))", "x=0", "3", "1"), ("where(x > y, x - y, y**2 - x*y)", "x=1,y=1", "-1", "1"),
    # Branch points.
    ("acos(1 - x**2)", "x=0", "-sqrt(2)", "sqrt(2)"), ("acos(cos(x))", "x=0", "-1", "1"), ("acosh(cosh(x))", "x=0", "-1", "1"), ("acosh(1 + x**2/2)", "x=0", "-1", "1"), ("asin(abs(x))", "x=0", "-1", "1"),
    ("asin(sqrt(x**2))*2", "x=0", "-2", "2"), ("acos(sqrt(1 - x**2))", "x=0", "-1", "1"), ("sqrt(1 - cos(x))", "x=0", "-1/sqrt(2)", "1/sqrt(2)"), ("sqrt(x**2*(1 + x))", "x=0", "-1", "1"),
    ("sqrt(exp(x**2) - 1)", "x=0", "-1", "1"), ("sqrt(log(1 + 3*x**2))", "x=0", "-sqrt(3)", "sqrt(3)"), ("(x**6)**(1/6)", "x=0", "-1", "1"), ("(x**4 + x**6)**0.25", "x=0", "-1", "1"), ("sqrt(cosh(x) - 1)", "x=0", "-1/sqrt(2)", "1/sqrt(2)"),
    ("sqrt(x - log1p(x))", "x=0", "-1/sqrt(2)", "1/sqrt(2)"), ("sqrt(sin(x)**2)*cos(x)", "x=0", "-1", "1"), ("acosh(exp(x**2))", "x=0", "-sqrt(2)", "sqrt(2)"), ("sqrt((x - 1)**2*(2*x + 1))", "x=1", "-sqrt(3)", "sqrt(3)"),
    ("sqrt(tan(x)**2 + x**4)", "x=0", "-1", "1"), ("asinh(abs(x))", "x=0", "-1", "1"), ("atanh(abs(x))", "x=0", "-1", "1"), ("atan(abs(x)*3)", "x=0", "-3", "3"), ("acos(1 - x**4)/abs(x)*where(x == 0, 0, 1) if x != 0 else 0", "x=0", "-sqrt(2)", "sqrt(2)"),
    # Products with masks.
    ("(x > 0)*x", "x=0", "0", "1"), ("where(x > 0, 1, -1)*x", "x=0", "-1", "1"), ("where(x > 0, 1, 3)*sin(x)", "x=0", "3", "1"), ("x*(x >= 0) - x*(x < 0)", "x=0", "-1", "1"), ("(x - 1)*where(x > 1, 2, 5)", "x=1", "5", "2"),
    ("x*sign(x)*exp(x)", "x=0", "-1", "1"), ("tanh(x)*(2 + sign(x))", "x=0", "1", "3"), ("(x - 2)*floor(x)", "x=2", "1", "2"), ("(x**2 - 1)*(x > 1)", "x=1", "0", "2"), ("where(x != 0, x, 5)*where(x > 0, 2, 1)*(x != 0)", "x=0", "1", "2"),
    ("x*where(x > 0, where(y > 0, 2, 3), 4)", "x=0,y=1", "4", "2"), ("sin((x > 0)*x)", "x=0", "0", "1"), ("x*exp(where(x > 0, 1, 0))", "x=0", "1", "e"), ("log(1 + (x > 0)*x)", "x=0", "0", "1"), ("abs(x)*floor(2 + sign(x)/2)", "x=0", "-1", "2"),
    # Kernels, losses, roots, absolute values.
    ("exp(-abs(x)/2)", "x=0", "1/2", "-1/2"), ("(1 + abs(x))*exp(-2*abs(x))", "x=0", "1", "-1"), ("abs(abs(x) - 1)", "x=1", "-1", "1"), ("abs(abs(x) - 1)", "x=0", "1", "-1"), ("abs(x)*abs(x - 1)", "x=1", "-1", "1"),
    ("abs(x**3 - x)", "x=1", "-2", "2"), ("abs(sin(pi*x))", "x=1", "-pi", "pi"), ("abs(exp(x) - 1)", "x=0", "-1", "1"), ("sqrt(abs(x)**2 + abs(x)**3)", "x=0", "-1", "1"), ("sigmoid(abs(x))", "x=0", "-1/4", "1/4"), ("softplus(abs(x))", "x=0", "-1/2", "1/2"),
    ("leaky_relu(x, 0.25)*exp(x)", "x=0", "1/4", "1"), ("hardtanh(2*x)", "x=0.5", "2", "0"), ("clamp(x**2, 0, 1)", "x=-1", "0", "-2"), ("relu(1 - x*y)", "x=1,y=1", "-1", "0"), ("relu(1 - x)**2 + abs(x - 1)", "x=1", "-1", "1"),
    ("lgamma(1 + relu(x))", "x=0", "0", "-euler"), ("erf(abs(x))", "x=0", "-2/sqrt(pi)", "2/sqrt(pi)"), ("cos(x)*relu(x) + sin(x)", "x=0", "1", "2"), ("1/(1 + abs(x))", "x=0", "1", "-1"),
    # Far out: what grows without bound.
    ("where(x == 0, 0, x*tanh(1/x))", "x=0", "-1", "1"), ("where(x == 0, 0, x*atan(1/x))", "x=0", "-pi/2", "pi/2"), ("where(x == 0, 0, x/(1 + exp(1/x)))", "x=0", "1", "0"), ("where(x == 0, 0, x*erf(1/x))", "x=0", "-1", "1"),
    ("where(x > 0, exp(-1/x), x)", "x=0", "1", "0"), ("where(x > 0, x**2*log(x), 3*x)", "x=0", "3", "0"), ("abs(x) + xlogy(x**2, x**2)", "x=0", "-1", "1"), ("where(x == 0, 0, x**2*softplus(1/x))", "x=0", "0", "1"),
]  # fmt: skip
# Both sides have one slope.
SMOOTH = [
    ("maximum(log(2)*x, 0) - log(2)*relu(x)", "x=0", "0"), ("maximum(sqrt(2)*x, 0) - sqrt(2)*relu(x)", "x=0", "0"), ("maximum(pi*x, 0) - 4*atan(1)*relu(x)", "x=0", "0"), ("maximum(e*x, 0) - exp(1)*relu(x)", "x=0", "0"),
    ("abs(x)*(log(6) - log(2) - log(3))", "x=0", "0"), ("relu(sqrt(6)*x) - sqrt(2)*sqrt(3)*relu(x)", "x=0", "0"), ("where(x > 0, sin(pi/3)*x, sqrt(3)*x/2)", "x=0", "sqrt(3)/2"), ("relu(y*x) - y*relu(x)", "x=0,y=0.3", "0"),
    ("relu(sin(y)*x) - sin(y)*relu(x)", "x=0,y=0.3", "0"), ("abs(x)*(sin(y)**2 + cos(y)**2 - 1)", "x=0,y=0.3", "0"), ("d = sqrt(3)*sqrt((x - y)**2)/0.5; (1 + d)*exp(-d)", "x=1,y=1", "0"),
    ("d = sqrt(5*(x - y)**2)/0.3; (1 + d + d**2/3)*exp(-d)", "x=0.7,y=0.7", "0"), ("where(x == 0, 0, cos(pi*x)/x - sin(pi*x)/(pi*x**2))", "x=0", "-pi**2/3"), ("where(x == 0, 1, sin(pi*x)/(pi*x))", "x=0", "0"),
    ("where(x == 0, log(3), (3**x - 1)/x)", "x=0", "log(3)**2/2"), ("where(x == 1, 1, log(x)/(x - 1))", "x=1", "-1/2"), ("where(x == 0, 1/2, (1 - cos(x))/x**2)", "x=0", "0"), ("where(x == 0.5, 0, cos(pi*x)/(x - 0.5) + pi)", "x=0.5", "0"),
    ("where(x > 0, x**2*log(x), 0)", "x=0", "0"), ("where(x > 0, x + x**1.5*log(x), x)", "x=0", "1"), ("where(x > 0, exp(-1/x), 0)", "x=0", "0"), ("where(x == 0, 0, exp(-1/x**2))", "x=0", "0"), ("where(x == 0, 0, x*tanh(1/x**2))", "x=0", "1"),
    ("where(abs(x) < 1, exp(-1/(1 - x**2)), 0)", "x=1", "0"), ("acos(1 - x**2/2)*x", "x=0", "0"), ("where(x < 1, (1 - x)**2*atanh(x), 0)", "x=1", "0"), ("x*(x != 0)", "x=0", "1"), ("max(x, y)*min(x, y)", "x=2,y=2", "2"),
    ("max(x, y) + min(x, y)", "x=1,y=1", "1"), ("relu(x)**3 + where(x < 0, x**2, 0)", "x=0", "0"), ("abs(x)*x*log(1 + abs(x))", "x=0", "0"), ("where(x > 0, x**1.5/sqrt(-log(x)), 0)", "x=0", "0"), ("where(x == 0, 1/24, (cos(x) - 1 + x**2/2)/x**4)", "x=0", "0"), ("where(x == 0, 0, (sin(x) - x + x**3/6)/x**4)", "x=0", "1/120"),
]  # fmt: skip
# No finite slope: a jump, or a slope or a value that grows without bound.
UNDEFINED = [
    ("where(x == 0, 0, tanh(1/x))", "x=0", Cause.JUMP), ("where(x == 0, 0, 1/(1 + exp(1/x)))", "x=0", Cause.JUMP), ("where(x == 0, 0, atan(1/x))", "x=0", Cause.JUMP), ("x + where(x > 0, 1, 0)*cos(x)", "x=0", Cause.JUMP),
    ("where(x == 0, 5, x*sign(x))", "x=0", Cause.JUMP), ("max(x, where(x > 0, 1, -1))", "x=0", Cause.JUMP), ("cos(where(x > 2, 1, 2)) - cos(2)*x", "x=2", Cause.JUMP), ("where(x == 0, 2, sin(x)/x)", "x=0", Cause.JUMP),
    ("where(x > 0, x*log(x), 0)", "x=0", Cause.VERTICAL_TANGENT), ("where(x > 0, 1/log(x), 0)", "x=0", Cause.VERTICAL_TANGENT), ("entr(abs(x))", "x=0", Cause.VERTICAL_TANGENT), ("sqrt(1 - cos(sqrt(abs(x))))", "x=0", Cause.VERTICAL_TANGENT),
    ("acos(1 - abs(x))", "x=0", Cause.VERTICAL_TANGENT), ("where(x < 1, (1 - x)*atanh(x), 0)", "x=1", Cause.VERTICAL_TANGENT), ("where(x > 0, log(x), 0)", "x=0", Cause.POLE), ("where(x == 0, 0, exp(1/x))", "x=0", Cause.POLE),
    ("where(x == 0, 0, 1/x)", "x=0", Cause.POLE),
]  # fmt: skip


def numbers(at):
    """A point of the command line as texts by name."""
    return dict(part.split("=") for part in at.split(","))


def proved(text, at):
    """What the two sides come to along the first input, with no help from differences."""
    found = case(text, at)
    first = next(iter(numbers(at)))
    names = [key.variable for key in found.keys]
    return boundary_at(found, names.index(first), Abstention("not asked"))


def by_hand(text):
    """A slope that was written down."""
    return value(text, {"euler": mpmath.euler})


def is_same(a, b):
    """Whether two numbers are the same to 60 digits."""
    return abs(a - b) <= mpmath.mpf(10) ** -60 * (1 + abs(a))


def holds(ball, number):
    """Whether a ball is narrow and holds a number, to 60 digits."""
    return ball.rad() < 1e-60 and is_same(mpmath.mpf(ball.mid().str(90, radius=False)), number)


def fault(text, at, left, right):
    """What is wrong with a kink as it is written down; empty if nothing is."""
    with mpmath.workdps(100):
        hands = by_hand(left), by_hand(right)
        truth = beside(text, numbers(at), next(iter(numbers(at))))
        if truth is None or truth.left is None:
            return f"evaluation finds no slopes: {truth}"
        if not (is_same(hands[0], truth.left) and is_same(hands[1], truth.right)):
            return f"evaluation finds {Beside(truth.kind, *map(mpmath.nstr, (truth.left, truth.right)))}"
        found = proved(text, at)
        if found.sides is None or not found.sides.proved:
            return f"nothing is proved: {found.words}"
        if hands[0] == hands[1]:
            fits = found.kind == "smooth" and holds(found.slope, hands[0])
        else:
            fits = (
                found.kind == "kink"
                and holds(found.low, min(hands))
                and holds(found.high, max(hands))
            )
            ends = (found.sides.left.value, found.sides.right.value)
            fits = fits and all(
                a == pytest.approx(float(b), rel=1e-14, abs=1e-300)
                for a, b in zip(ends, hands, strict=True)
            )
        return "" if fits else f"{found.kind}: {found.words}"


@each("text, at, left, right", KINKS)
def test_a_composed_kink_is_proved(text, at, left, right):
    """By hand, by evaluation and by series the same."""
    assert fault(text, at, left, right) == ""


@each("text, at, slope", SMOOTH)
def test_what_is_composed_smoothly_is_proved(text, at, slope):
    """One slope from both sides, exactly."""
    assert fault(text, at, slope, slope) == ""


@pytest.mark.parametrize(("text", "at", "cause"), UNDEFINED)
def test_a_composed_jump_or_pole_is_proved(text, at, cause):
    """With its cause."""
    found = proved(text, at)
    assert (found.kind, found.cause) == ("undefined", cause), found.words
    truth = beside(text, numbers(at), "x")
    assert truth is None or truth.kind in ("jump", "steep")


def test_there_are_a_hundred():
    """All different."""
    assert len({kink[:2] for kink in KINKS if kink[2] != kink[3]}) >= 100


@pytest.mark.parametrize(("text", "at", "left", "right"), KINKS[::9])
def test_a_kink_written_down_wrongly_is_caught(text, at, left, right):
    """Swapped, mirrored and off by a millionth."""
    if left != right:
        assert fault(text, at, right, left)
    for a, b in ((left, f"{right} + 1/1000000"), (f"{left} - 1/1000000", right)):
        assert fault(text, at, a, b)


def test_a_side_that_is_proved_wrongly_is_caught(monkeypatch):
    """What series say is held against what hands and evaluation say."""
    honest = boundary_at
    from dataclasses import replace

    def swapped(*args):
        found = honest(*args)
        return replace(found, low=-found.high, high=-found.low)

    monkeypatch.setitem(globals(), "boundary_at", swapped)
    assert fault("max(x, 3*x)", "x=0", "1", "3")
    monkeypatch.setitem(globals(), "boundary_at", honest)
    assert fault("max(x, 3*x)", "x=0", "1", "3") == ""
