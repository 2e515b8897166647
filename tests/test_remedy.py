"""Remedies: found for what loses digits, run and proved before they are told, and nothing else."""

from __future__ import annotations

import json
from fractions import Fraction

import mpmath
import pytest
import torch
from asking import autograd, case, changed, check_case, evidence, reference

from gradcheck_cli.calculus.rewriting import Rewriting
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge import remedy
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.digits import Goal, right_digits
from gradcheck_cli.judge.remedy import with_remedies
from gradcheck_cli.language.parse import parse
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.worlds import balls

# A program, a point, the dtype, and what its remedy is made of.
# fmt: off
AILING = [
    ("log(sigmoid(x))",                      "x=-800",                    "float64", "logsigmoid"),
    ("F.sigmoid(x).log()",                   "x=-200",                    "float32", "logsigmoid"),
    ("p = sigmoid(z); -log(1 - p)",          "z=800",                     "float64", "logsigmoid(-z)"),
    ("log(1/(1 + exp(-x)))",                 "x=-800",                    "float64", "logsigmoid"),
    ("log(x + 1) - log(x)",                  "x=1e16",                    "float64", "log1p"),
    ("y*log(1 + x)",                         "x=1e-17,y=3",               "float64", "log1p"),
    ("(exp(x) - 1)/x",                       "x=1e-9",                    "float64", "expm1"),
    ("exp(x)/(exp(x) - 1)",                  "x=800",                     "float64", "expm1"),
    ("log(1 + exp(x))",                      "x=800",                     "float64", "softplus"),
    ("softplus(x)",                          "x=21",                      "float64", "logsigmoid"),
    ("x - log(exp(x) - 1)",                  "x=800",                     "float64", "-log(-expm1(-x))"),
    ("(exp(2*x) - 1)/(exp(2*x) + 1)",        "x=400",                     "float64", "tanh(x)"),
    ("-(t*log(sigmoid(z)) + (1 - t)*log(1 - sigmoid(z)))", "z=[800, -800],t=[0, 1]", "float64", "-(t*logsigmoid(z) + (1 - t)*logsigmoid(-z))"),
    ("sqrt(x @ x)",                          "x=[1e200, 1]",              "float64", "amax"),
    ("sqrt(x*x + y*y)",                      "x=1e200,y=1e200",           "float64", "hypot"),
    ("torch.sqrt(x**2 + torch.square(y))",   "x=1e-30,y=1e-30",           "float32", "hypot"),
    ("sqrt(float_power(x, 2) + y**2)",       "x=1e30,y=1e30",             "float32", "hypot(x, y)"),
    ("sqrt(x**2 + y**2 + z**2)",             "x=1e200,y=1e200,z=1",       "float64", "hypot"),
    ("norm(x)",                              "x=[1e-200, 1e-200]",        "float64", "amax"),
    ("log(exp(x) + exp(y))",                 "x=1000,y=999",              "float64", "logaddexp"),
    ("log(sum(exp(x)))",                     "x=[1000, 1001]",            "float64", "logsumexp"),
    ("log(exp(W).sum(dim=1)).sum()",         "W=[[1000, 1], [2, 3]]",     "float64", "logsumexp(W, dim=1)"),
    ("exp(x)/sum(exp(x))",                   "x=[1000, 999]",             "float64", "softmax"),
    ("log(softmax(x))[0]",                   "x=[0, 1000]",               "float64", "log_softmax"),
    ("where(x > 0, x*log(x), 0)",            "x=-1",                      "float64", "xlogy"),
    ("where(x > 0, sqrt(x), 0)",             "x=-1",                      "float64", "where(x > 0, x, 1)"),
    ("where(x <= 0, 0, sqrt(x))",            "x=-1",                      "float64", "where(x <= 0, 1, x)"),
    ("where(r > 0, x/r, 0)",                 "x=0,r=-0.0",                "float64", "where(r > 0, r, 1)"),
    ("sqrt(x) if x > 0 else 0",              "x=-1",                      "float64", "where"),
    ("(1 - cos(x))/x",                       "x=1e-8",                    "float64", "sin(x/2)"),
    ("(x*x - y*y)/(x - y)",                  "x=100000001,y=100000000",   "float64", "x + y"),
    ("sqrt(x**2)",                           "x=1e-200",                  "float64", "abs"),
    ("sqrt(x + 1) - sqrt(x)",                "x=1e15",                    "float64", "sqrt(x + 1) + sqrt(x)"),
    ("1 - tanh(x)**2",                       "x=25",                      "float64", "cosh"),
    ("sigmoid(x)*(1 - sigmoid(x))",          "x=40",                      "float64", "sigmoid(-x)"),
    ("exp(x**2)*erfc(x)",                    "x=30",                      "float64", "erfcx"),
    ("log(erfc(x))",                         "x=30",                      "float64", "erfcx"),
    ("celu(x, alpha=0.3)",                   "x=-1",                      "float64", "expm1"),
    ("relu(x) - relu(-x)",                   "x=0",                       "float64", "x"),
    ("tanh(x)",                              "x=20",                      "float64", "sigmoid"),
    ("asinh(x)",                             "x=1e20",                    "float32", "hypot"),
    ("(1 + x/1e9)**1e9",                     "x=1",                       "float64", "log1p"),
    ("modified_bessel_i0(x) + x",            "x=1",                       "float64", "i0(x)"),
]
# fmt: on


def result_of(text, at, dtype, analyst):
    """A checked point."""
    return check_case(case(text, at, dtype), analyst)


def verdicts_of(text, at, dtype="float64"):
    """What the judge says of a point, remedies included, without SymPy and differences."""
    point = case(text, at, dtype)
    said = evidence(
        point, reference=reference(point), autograd=autograd(point), numeric=Abstention("not asked")
    )
    return with_remedies(said, judge(said))


@pytest.mark.parametrize(("text", "at", "dtype", "part"), AILING, ids=[row[0] for row in AILING])
def test_what_ails_has_a_remedy_that_agrees(text, at, dtype, part):
    """A partial is wrong or imprecise; its remedy, run by itself, agrees."""
    verdicts = verdicts_of(text, at, dtype)
    ailing = [k for k, v in enumerate(verdicts) if v.outcome in ("wrong", "imprecise")]
    assert ailing
    remedies = [verdicts[k].remedy for k in ailing]
    assert any(r is not None and part in r.program for r in remedies)
    for k, found in zip(ailing, remedies, strict=True):
        if found is not None:
            again = verdicts_of(found.program, at, dtype)
            (same,) = (v for v in again if v.key == verdicts[k].key)
            assert same.outcome is Outcome.AGREE
            assert found.digits_regained >= remedy.LEAST_GAIN


def test_the_digits_are_those_that_torch_regains(analyst):
    """Counted by mpmath and plain torch."""
    x = torch.tensor(1e-9, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(1e-9, dtype=torch.float64, requires_grad=True)
    ((x.exp() - 1) / x).backward()
    (torch.expm1(y) / y).backward()
    with mpmath.workdps(60):
        point = mpmath.mpf(1e-9)
        truth = mpmath.diff(lambda t: mpmath.expm1(t) / t, point)
        digits = [-mpmath.log10(abs(v.grad.item() / truth - 1)) for v in (x, y)]
    lost, kept = (max(float(d), 0) for d in digits)
    (verdict,) = result_of("(exp(x) - 1)/x", "x=1e-9", "float64", analyst).verdicts
    assert verdict.remedy.digits_regained == pytest.approx(kept - lost, abs=0.06)


def test_a_remedy_is_told_and_recorded(tool):
    """In the sentence and in the JSON report, which keeps to its schema."""
    said = tool.run(["log(sigmoid(x))", "--at", "x=-800", "-f", "json"])
    (partial,) = json.loads(said.stdout)["cases"][0]["partials"]
    assert partial["remedy"] == {"program": "logsigmoid(x)", "digits_regained": 16.0}
    assert partial["reason"].endswith("; write `logsigmoid(x)` instead: regains 16.0 digits")
    (partial,) = json.loads(tool.run(["sin(x)", "--at", "x=1", "-f", "json"]).stdout)["cases"][0][
        "partials"
    ]
    assert partial["remedy"] is None


@pytest.mark.parametrize(("text", "at", "program"), [
    ("-log(sigmoid( x ))  # loss",                      "x=-800",   "-logsigmoid(x)  # loss"),
    ("2.50*log( sigmoid(x)) + torch.sin( x )",          "x=-800",   "2.50*logsigmoid(x) + torch.sin( x )"),
    ("p = sigmoid(x)\nlog(p) + y",                      "x=-800,y=1", "logsigmoid(x) + y"),
    ("p = sigmoid(x); log(p) + 0*p",                    "x=-800",   "p = sigmoid(x); logsigmoid(x) + 0*p"),
    ("log(sigmoid(x)) + 2*log(sigmoid(x))",             "x=-800",   "logsigmoid(x) + 2*logsigmoid(x)"),
    ("log(sigmoid(a*b))",                               "a=-800,b=1", "logsigmoid(a*b)"),
    ("log(sigmoid(-x))",                                "x=800",    "logsigmoid(-x)"),
    ("log(1/(1 + exp(x)))",                             "x=800",    "logsigmoid(-x)"),
    ("log(1/(1 + exp(-(x + y))))",                      "x=-800,y=1", "logsigmoid(x + y)"),
    ("x*(exp(y) - 1)/y",                                "x=2,y=1e-9", "x*expm1(y)/y"),
])  # fmt: skip
def test_only_the_place_is_rewritten(text, at, program):
    """The rest stays in the user's words, names that nothing uses any more go."""
    assert program in {v.remedy.program for v in verdicts_of(text, at) if v.remedy}


@pytest.mark.parametrize(
    ("text", "at", "lie"),
    [
        ("(exp(x) - 1)/x", "x=1e-9", "1 + x/2"), ("(exp(x) - 1)/x", "x=1e-9", "1 + x/2 + x**2/6 + 7"), ("log(sigmoid(x))", "x=-800", "x - 1e-9"),
        ("where(x > 0, sqrt(x), 0)", "x=-1", "relu(x) + 1"), ("sqrt(x**2)", "x=0", "x"), ("tanh(x)", "x=20", "1 - 2*exp(-2*x)"),
        ("sqrt(x**2)", "x=0", "abs(x)/2"), ("log(sum(exp(x)))", "x=[1000, 999]", "logsumexp(x) + 0*x"),
    ],
)  # fmt: skip
def test_a_rewriting_that_is_another_function_is_refused(text, at, lie, monkeypatch):
    """However many digits it seems to regain."""
    monkeypatch.setattr(remedy, "rewritings", lambda *_: [Rewriting(lie, parse(lie), None)])
    verdicts = verdicts_of(text, at)
    assert {v.outcome for v in verdicts} & {Outcome.WRONG, Outcome.IMPRECISE}
    assert not any(v.remedy for v in verdicts)


@pytest.mark.parametrize(
    ("text", "at", "useless"),
    [
        ("log(sigmoid(x))", "x=-800", "log(1/(1 + exp(-x)))"),
        # torch spoils the branch not taken as before.
        ("where(x > 0, sqrt(x), 0)", "x=-1", "where(x > 0, x**0.5, 0)"),
        # The derivative by x is mended, that by y spoilt.
        ("log(sigmoid(x)) + sin(y)", "x=-800,y=0.3", "logsigmoid(x) + sin(y + 1e9 - 1e9)"),
        # The value is spoilt.
        ("sigmoid(x)", "x=40", "1 - sigmoid(-x) + 1e17 - 1e17"),
        # An input would be given that the program has not.
        ("relu(x) - relu(-x) + 0*y", "x=0,y=1", "x"),
    ],
)
def test_a_rewriting_that_regains_nothing_or_costs_something_is_refused(
    text, at, useless, monkeypatch
):
    """Nothing is told that is not better all round."""
    rewriting = Rewriting(useless, parse(useless), None)
    monkeypatch.setattr(remedy, "rewritings", lambda *_: [rewriting])
    assert not any(v.remedy for v in verdicts_of(text, at))


def test_the_planted_rewritings_would_be_taken_if_they_were_right(monkeypatch):
    """The lies above are refused for what they are."""
    monkeypatch.setattr(
        remedy, "rewritings", lambda *_: [Rewriting("x", parse("expm1(x)/x"), None)]
    )
    (verdict,) = verdicts_of("(exp(x) - 1)/x", "x=1e-9")
    assert verdict.remedy.program == "x"


@pytest.mark.parametrize("at", ["x=0.5", "x=[0.5, 2]"])
def test_nothing_is_sought_where_all_is_well(at, monkeypatch):
    """Nor for kinks and what is undefined."""
    monkeypatch.setattr(remedy, "rewritings", None)
    assert all(v.remedy is None for v in verdicts_of("exp(x)", at))
    assert all(v.remedy is None for v in verdicts_of("relu(x)", "x=0"))
    assert all(v.remedy is None for v in verdicts_of("log(x)", "x=-1"))


def test_a_cut_that_is_meant_is_no_ailment():
    """`detach` is not taken out."""
    assert [v.remedy for v in verdicts_of("x*detach(x)", "x=3")] == [None]


def test_a_search_that_fails_is_a_note(analyst, monkeypatch):
    """And takes no verdict down."""

    def fail(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr(remedy, "with_remedies", fail)
    result = result_of("log(sigmoid(x))", "x=-800", "float64", analyst)
    assert result.outcome is Outcome.WRONG
    assert any("no remedy was found" in note and "too deep" in note for note in result.notes)


# fmt: off
HOSTILE = {
    "a sum":     "exp(x) - 1" + "".join(f" + x**2/{k}" for k in range(3, 90)),
    "a chain":   "log(1 + exp(" * 40 + "x*800" + "))" * 40,
    "a product": "(exp(x) - 1)/x" + "*(1 + x)" * 120,
    "choices":   "where(x > 0, sqrt(x), " * 60 + "0" + ")" * 60,
    "large":     "where(x > 0, sqrt(x), 0)" + " + x*x" * 5_000,
}
# fmt: on


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_is_bounded(name, monkeypatch):
    """However many ways there are to rewrite a program."""
    runs, written = [], []
    answer, made = remedy.Autograd.answer, remedy.rewritings
    monkeypatch.setattr(remedy.Autograd, "answer", lambda *a: runs.append(a) or answer(*a))

    def counted(*asked):
        for rewriting in made(*asked):
            written.append(rewriting)
            yield rewriting

    monkeypatch.setattr(remedy, "rewritings", counted)
    text = HOSTILE[name]
    point = case(text, "x=-1e-9")
    said = evidence(point, reference=reference(point), autograd=autograd(point))
    runs.clear()
    with_remedies(said, judge(changed(said, numeric=Abstention("not asked"))))
    assert len(runs) <= 200
    assert len(written) * len(parse(text).nodes) <= 25_000


@pytest.mark.parametrize(
    ("answer", "truth", "dtype", "digits"),
    [
        (1.001, 1, "float64", 3), (float("nan"), 1, "float64", 0), (1.0, 1, "float32", 7.22), (float("inf"), 1, "float64", 0),
        (float("inf"), Fraction(10) ** 400, "float64", 15.95), (0.0, Fraction(1, 10**400), "float64", 15.95), (-1.0, 1, "float64", 0),
        (0.0, 0, "float64", 15.95), (1e-5, 0, "float64", 5), (50.0, 1, "float64", 0), (float("-inf"), Fraction(10) ** 400, "float64", 0),
    ],
)  # fmt: skip
def test_digits_are_counted(answer, truth, dtype, digits):
    """From 0 to as many as the dtype has; infinities and zeros where the range ends."""
    ball = balls.exact_ball(Fraction(truth))
    assert right_digits(answer, Goal(ball, ball), DTYPES[dtype]) == pytest.approx(digits, abs=0.01)


@pytest.mark.parametrize(("answer", "digits"), [(0.5, 15.95), (-1.0, 15.95), (1.001, 3), (9, 0)])
def test_a_subgradient_has_all_digits(answer, digits):
    """Between -1 and 1."""
    goal = Goal(*map(balls.exact_ball, (Fraction(-1), Fraction(1))))
    assert right_digits(answer, goal, DTYPES["float64"]) == pytest.approx(digits, abs=0.01)
