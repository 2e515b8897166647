"""Law: constants that only a textbook's identities prove to be zero are asked of SymPy in the end;
what it says is believed as far as balls allow, and where it says nothing, nothing is said.
"""

from __future__ import annotations

import json
import os
import signal

import pytest
from asking import case, check_case
from clocks import until
from flint import arb, ctx
from mpmath import mp, mpf

from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.language.parse import parse
from gradcheck_cli.symbolic import zero_questions
from gradcheck_cli.symbolic.client import Analyst
from gradcheck_cli.symbolic.zero_questions import MOST_ZEROS, ZeroQuestions, may_be_zero
from gradcheck_cli.symbolic.zeros import is_zero
from gradcheck_cli.witnesses import Abstention

NOBODY = Abstention("not asked")
# Two ways to write a number, and the number by mpmath; the third is empty where our own algebra
# proves them equal.
EQUAL = (
    ("sin(2)", "2*sin(1)*cos(1)", lambda: mp.sin(2)),
    ("sin(3)", "sin(1)*cos(2) + cos(1)*sin(2)", lambda: mp.sin(3)),
    ("cos(3)", "4*cos(1)**3 - 3*cos(1)", lambda: mp.cos(3)),
    ("tan(2)", "2*tan(1)/(1 - tan(1)**2)", lambda: mp.tan(2)),
    ("tanh(2)", "2*tanh(1)/(1 + tanh(1)**2)", lambda: mp.tanh(2)),
    ("pi/4", "atan(1/2) + atan(1/3)", lambda: mp.pi / 4),
    ("pi/4", "4*atan(1/5) - atan(1/239)", lambda: mp.pi / 4),
    ("pi/2", "asin(3/5) + asin(4/5)", lambda: mp.pi / 2),
    ("cos(pi/5)", "(1 + sqrt(5))/4", lambda: mp.cos(mp.pi / 5)),
    ("tan(pi/8)", "sqrt(2) - 1", lambda: mp.tan(mp.pi / 8)),
    ("cos(pi/7) - cos(2*pi/7) + cos(3*pi/7)", "1/2", lambda: mpf(1) / 2),
    ("(2 + sqrt(5))**(1/3)", "(1 + sqrt(5))/2", lambda: (1 + mp.sqrt(5)) / 2),
    ("sqrt(3 + 2*sqrt(2))", "1 + sqrt(2)", lambda: 1 + mp.sqrt(2)),
    ("2*log(1 + sqrt(2))", "log(3 + 2*sqrt(2))", lambda: 2 * mp.log(1 + mp.sqrt(2))),
    ("log(sin(2))", "log(2) + log(sin(1)) + log(cos(1))", lambda: mp.log(mp.sin(2))),
    ("exp(sin(2))", "exp(2*sin(1)*cos(1))", lambda: mp.exp(mp.sin(2))),
    ("exp(lgamma(1/2))", "sqrt(pi)", lambda: mp.sqrt(mp.pi)),
    ("-2*log(2)", "digamma(1/2) - digamma(1)", lambda: -2 * mp.log(2)),
)  # fmt: skip
# Our own algebra proves these by itself.
OWN = {"sqrt(3 + 2*sqrt(2))", "tanh(2)"}
IDS = [f"{a} = {b}" for a, b, _ in EQUAL]
# Programs with a smooth slope a + s at 0 where a and b are equal, and with a kink where they differ.
SMOOTH = (
    ("where(x > 0, ({a})*x, ({b})*x)", 1, 0),
    ("maximum((({a}) - ({b}))*x, 0) + 3*x", 0, 3),
    ("where(x > 0, exp(({a})*x), 1 + ({b})*x) - abs((({b}) - ({a}))*x)", 1, 0),
)
# 4,096 bits do not tell this from 0 beside a number of ordinary size.
TINY = "exp(-4000)"


class Scripted:
    """An Analyst that answers the same to everything, and counts."""

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    def ask(self, question):
        """Nothing is begun."""

    def answer(self, question):
        """What it was told to."""
        self.asked.append(json.loads(question))
        return self.reply


class Killed(Analyst):
    """An Analyst whose process is killed as soon as it is at work on a zero."""

    def answer(self, question):
        """As whoever asks finds it."""
        if "zero" in json.loads(question):
            self.ask(question)
            until(lambda: self._server._begun is not None)
            os.kill(self._server.child.pid, signal.SIGKILL)
        return super().answer(question)


@pytest.fixture
def killed():
    """It is ended by itself."""
    found = Killed()
    yield found
    found.close()


@pytest.fixture
def impatient():
    """An Analyst without the time that a 17-gon takes SymPy, which is 5 s and more."""
    found = Analyst(time_limit=0.3)
    yield found
    found.close()


SLOW = "16*cos(2*pi/17) + 1 - sqrt(17) - sqrt(34-2*sqrt(17)) - 2*sqrt(17+3*sqrt(17)-sqrt(34-2*sqrt(17))-2*sqrt(34+2*sqrt(17)))"  # fmt: skip


def sides(text, analyst=None):
    """What the two sides of 0 come to."""
    zero_test = None if analyst is None else ZeroQuestions(analyst)
    return boundary_at(case(text, "x=0"), 0, NOBODY, zero_test=zero_test)


@pytest.mark.parametrize("form", SMOOTH, ids=["where", "maximum", "both"])
@pytest.mark.parametrize(("a", "b", "truth"), EQUAL, ids=IDS)
def test_equal_slopes_are_smooth(a, b, truth, form, analyst):
    """With mpmath's slope; without SymPy nothing is said."""
    template, factor, more = form
    text = template.format(a=a, b=b)
    found = sides(text, analyst)
    assert found.kind == "smooth"
    with mp.workdps(60), ctx.workprec(256):
        slope = arb(str(factor * truth() + more)).mid()
        assert abs(found.slope - slope) < 1e-50
    if a not in OWN:
        assert "SymPy's algebra finds" in found.words
        assert sides(text).kind == "unknown"


@pytest.mark.parametrize("lie", [False, True], ids=["SymPy", "a lie"])
@pytest.mark.parametrize(("a", "b", "truth"), EQUAL, ids=IDS)
def test_slopes_that_differ_by_little_are_a_kink(a, b, truth, lie, analyst):
    """By 1e-60, whatever is said of zeros: balls tell them apart, and nobody is asked."""
    asked = Scripted({"zero": True}) if lie else analyst
    found = sides(f"where(x > 0, ({a} + 1/10**60)*x, ({b})*x)", asked)
    assert found.kind == "kink"
    assert found.sides.proved
    with mp.workdps(80), ctx.workprec(512):
        assert abs(found.low - arb(str(truth()))) < 1e-70
        assert abs(found.high - found.low - arb(10) ** -60) < arb(10) ** -100
    if lie:
        assert not asked.asked


@pytest.mark.parametrize("a_b", [each[:2] for each in EQUAL], ids=IDS)
def test_a_liar_is_not_believed(a_b):
    """Where slopes differ by e**-4000, which 4,096 bits do not show."""
    a, b = a_b
    liar = Scripted({"zero": True})
    found = sides(f"where(x > 0, ({a} + {TINY})*x, ({b})*x)", liar)
    assert found.kind in ("unknown", "kink")
    assert liar.asked or a in OWN


def test_the_look_at_a_zero_is_what_catches_a_liar(monkeypatch):
    """Without it the lie above passes for a proof."""
    text = f"where(x > 0, (sin(2) + {TINY})*x, 2*sin(1)*cos(1)*x)"
    assert sides(text, Scripted({"zero": True})).kind == "unknown"
    monkeypatch.setattr(zero_questions, "may_be_zero", lambda program: True)
    assert sides(text, Scripted({"zero": True})).kind == "smooth"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sin(2) - 2*sin(1)*cos(1)", True), (f"sin(2) - 2*sin(1)*cos(1) + {TINY}", False), ("exp(-20000)", False), ("1/3", False),
        ("sin(exp(20000))", False), ("0*sin(1)", True),
    ],
)  # fmt: skip
def test_a_ball_around_zero_has_to_be_narrow(text, expected):
    """sin(exp(20000)) is any number from -1 to 1 in 16,384 bits."""
    assert may_be_zero(parse(text)) is expected


@pytest.mark.parametrize(
    "reply",
    [{"zero": None}, {"zero": False}, {"zero": 1}, {"zero": "True"}, {}, {"abstained": "."}],
)
def test_only_a_plain_yes_counts(reply):
    """Anything else proves nothing."""
    assert sides("maximum((sin(2) - 2*sin(1)*cos(1))*x, 0)", Scripted(reply)).kind == "unknown"


def test_questions_are_counted():
    """So many for a point, none after an abstention, and none of what is too long."""
    several = [parse(f"sin({k}) - 2*sin({k}/2)*cos({k}/2)") for k in range(1, 3 * MOST_ZEROS)]
    patient, silent = Scripted({"zero": True}), Scripted({"abstained": "late"})
    asked = ZeroQuestions(patient)
    assert [asked(program) for program in several].count(True) == MOST_ZEROS
    assert len(patient.asked) == MOST_ZEROS
    asked = ZeroQuestions(silent)
    assert not any(map(asked, several))
    assert len(silent.asked) == 1
    assert not ZeroQuestions(patient)(parse("+".join("sin(1)" for _ in range(3_000))))
    assert len(patient.asked) == MOST_ZEROS


def test_multiples_of_a_number_are_asked_for_once():
    """Of three coefficients that are multiples of one number, on either side."""
    asked = Scripted({"zero": True})
    text = "maximum((sin(2) - 2*sin(1)*cos(1))*exp(3*x), 0) + abs((sin(1)*cos(1) - sin(2)/2)*x)"
    assert sides(text, asked).kind == "smooth"
    assert len(asked.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        "relu(x)", "abs(x)*x", "relu(x) - relu(-x)", "sqrt(x**2)", "x*log(x)", "where(x > 0, log(6)*x, (log(2) + log(3))*x)", "sign(x)*sin(x)", "exp(-1/x)*abs(x)",
        "maximum(x, 1/10**60*x)",
    ],
)  # fmt: skip
def test_nobody_is_asked_where_no_zero_is_undecided(text):
    """Nor is anything of it said."""
    asked = Scripted({"zero": True})
    assert "SymPy" not in sides(text, asked).words
    assert not asked.asked


def test_a_check_asks_and_says_so(analyst):
    """The verdict rests on SymPy's algebra, in every dtype."""
    text = "where(x > 0, sin(2)*x, 2*sin(1)*cos(1)*x)"
    for dtype in ("float64", "float32"):
        (verdict,) = check_case(case(text, "x=0", dtype), analyst).verdicts
        assert verdict.outcome == "agree"
        words = "SymPy's algebra finds `2 * cos(1) * sin(1) - sin(2)` to be 0"
        assert verdict.reason.endswith(words)


@pytest.mark.parametrize("kind", ["killed", "impatient"])
def test_a_process_that_dies_or_hangs_proves_nothing(kind, request):
    """Whatever befalls it, the check ends, `inconclusive`."""
    asked = request.getfixturevalue(kind)
    result = check_case(case(f"maximum(({SLOW})*x, 0)", "x=0"), asked)
    assert [verdict.outcome for verdict in result.verdicts] == ["inconclusive"]
    assert "SymPy's algebra" not in result.verdicts[0].reason


@pytest.mark.parametrize("text", ["().__class__", "x + 1", "1 +", "round(1/2)", "sum([1, 2])"])
def test_what_is_no_constant_of_the_language_is_no_question(text, analyst):
    """It is read by our own reader, never evaluated."""
    assert "abstained" in analyst.answer(json.dumps({"zero": text}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("sin(2) - sin(1)", False), ("sin(2) - 2*sin(1)*cos(1) + 1/10**60", False), ("atan(1/2) + atan(1/3) - pi/4", True), ("exp(1) - e", True), ("erf(1) - 1/2", False)],
)  # fmt: skip
def test_sympy_tells_zeros_from_others(text, expected):
    """By its own functions, not by opaque ones."""
    assert is_zero(text) is expected


def test_constants_that_are_long_or_several_are_not_quoted():
    """The sentence stays short."""
    yes = Scripted({"zero": True})
    several = "relu((sin(2) - 2*sin(1)*cos(1))*x) + relu((sin(4) - 2*sin(2)*cos(2))*x)"
    long = "relu((sin(3/7 + 5/11) - sin(3/7)*cos(5/11) - cos(3/7)*sin(5/11))*x)"
    for text in (several, long):
        assert sides(text, yes).words.endswith("; SymPy's algebra finds constants there to be 0")
