"""Derivatives that people derive by hand: read, proved, refuted, explained."""

from __future__ import annotations

import pytest
from asking import case
from claims import RIGHT, WRONG

from gradcheck_cli.claims import explain as explaining
from gradcheck_cli.claims.entries import sentence_of
from gradcheck_cli.claims.trial import verdicts_of
from gradcheck_cli.language.claiming import read_claim
from gradcheck_cli.language.errors import ProgramError


def tried(claimed):
    return verdicts_of(case(claimed.program, claimed.at), claimed.claim)


@pytest.mark.parametrize("claimed", RIGHT, ids=lambda c: c.claim)
def test_a_right_claim_is_proved(claimed):
    """Every line of it, for all inputs or for those that are held."""
    for verdict in tried(claimed):
        assert verdict.status == "proved", verdict


@pytest.mark.parametrize("claimed", WRONG, ids=lambda c: c.claim)
def test_a_wrong_claim_is_refuted_and_explained(claimed):
    """By disjoint enclosures, in words that say what was done."""
    found = [verdict for verdict in tried(claimed) if verdict.status == "refuted"]
    assert found
    assert claimed.words in " ".join(v.explanation.words for v in found if v.explanation)


SINGLE = [claimed for claimed in RIGHT if not {";", "\n"} & {*claimed.claim}]


@pytest.mark.parametrize("claimed", SINGLE, ids=lambda c: c.claim)
def test_a_lie_of_a_part_in_a_billion_is_refuted(claimed):
    """Enclosures see it."""
    left, right = claimed.claim.split("=", 1)
    lied = claimed._replace(claim=f"{left}= ({right})*(1 + 1/1000000000)")
    assert [verdict.status for verdict in tried(lied)] == ["refuted"]


def test_no_description_is_given_that_does_not_give_the_numbers(monkeypatch):
    """A description that is tried gives other numbers than were claimed: nothing is said."""
    monkeypatch.setattr(explaining, "factor_between", lambda *_: None)
    monkeypatch.setattr(
        explaining,
        "_descriptions",
        lambda board, line, pair: iter([("sign", "its sign is wrong", pair.true)]),
    )
    (verdict,) = verdicts_of(case("exp(3*x)", "x=0.5"), "x = exp(3*x)*(1 + x)")
    assert verdict.status == "refuted"
    assert verdict.explanation is None


@pytest.mark.parametrize(
    ("program", "at", "claim", "sentence"),
    [
        ("x**2", "x=3", "x = 2*x", "proved (the same after writing out)"),
        ("x**2", "x=3", "x = 3*x",
         "refuted: at x = 1 it is 3 where the derivative is 2; it is 3/2 times the derivative"),
        ("x**2", "x=1.23", "x = 2.46", "right at the point, to the digits written"),
        ("p = softmax(z)\nL = -sum(y*log(p))", "z=[1,2],y=[0,1]", "dz = p - y",
         "proved with `y` as given (identity test, error below 2^-"),
    ],
)  # fmt: skip
def test_what_is_said(program, at, claim, sentence):
    """Whole sentences."""
    point = case(program, at)
    (verdict,) = verdicts_of(point, claim)
    assert sentence_of(verdict, point).startswith(sentence)


@pytest.mark.parametrize(
    ("program", "at", "claim", "outcome", "sentence"),
    [
        ("x**2/2", "x=0", "x = x**2/x", "inconclusive",
         "it has no value at the point, where the derivative has one; elsewhere it is proved"),
        ("x**3", "x=0.5", "x = 0.76", "wrong",
         "refuted: at the point it is 0.76 where the derivative is 0.75"),
        ("2**x", "x=1", "x = 2**x*0.6931471805599453094172321214581765680755", "wrong",
         "refuted: at the point it is 1.38629436111989061883446424291635313615100000000"
         " where the derivative is 1.38629436111989061883446424291635313615100026872"),
    ],
)  # fmt: skip
def test_what_is_said_at_odd_points(program, at, claim, outcome, sentence):
    """A claim without a number, a decimal, a factor that no digits would show."""
    point = case(program, at)
    (verdict,) = verdicts_of(point, claim)
    assert (str(verdict.outcome), sentence_of(verdict, point)) == (outcome, sentence)


def test_a_working_line_that_later_lines_put_right_is_no_mistake():
    """`dh` is used again for what comes before relu: all that is claimed of inputs is proved."""
    point = case("z = x @ w\nh = relu(z)\nL = sum(h**2)", "x=[[1,2],[3,-4]],w=[1,-1]")
    verdicts = verdicts_of(point, "dh = 2*h; dh[z <= 0] = 0; dw = x.T @ dh")
    assert [(v.status, str(v.outcome)) for v in verdicts] == [("proved", "agree")] * 2
    verdicts = verdicts_of(point, "dh = 2*h*(z > 0)*3; dw = x.T @ dh/3")
    assert [(v.status, str(v.outcome)) for v in verdicts] == [
        ("refuted", "agree"),
        ("proved", "agree"),
    ]


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("dx[w] = 1; dx = 2*x", "no-claim"), ("dx = 2*x; dx[w] -= 1", "bad-index"), ("dx = 2*x; dx[7] -= 1", "bad-index"),
        ("h = x @ w; dx = h", "shape-mismatch"), ("x[0] = 2", "no-claim"),
    ],
)  # fmt: skip
def test_elements_and_shapes_that_are_not_known_are_refused(claim, code):
    """Each with its place in the claim."""
    with pytest.raises(ProgramError) as error:
        verdicts_of(case("sum(x**2)*sum(w)", "x=[1,2],w=[3,4,5]"), claim)
    assert error.value.mistakes[0].code == code
    assert error.value.mistakes[0].span is not None


def test_the_first_wrong_line_is_named_and_later_ones_are_right_but_for_it():
    """Of a backward program whose second line lacks a factor."""
    program = "z = x*w\na = tanh(z)\nL = a**2"
    point = case(program, "x=0.5,w=2")
    verdicts = verdicts_of(point, "da = 2*a; dz = da*(1 - a); dw = dz*x; dx = dz*z")
    assert [v.status for v in verdicts] == ["proved", "refuted", "refuted", "refuted"]
    assert [v.first for v in verdicts] == [False, True, False, False]
    assert verdicts[2].but_for == ("dz",)
    assert verdicts[3].but_for == ()


def test_a_factor_that_comes_later_is_no_mistake():
    """`dz` lacks 1/3, which the lines for the inputs have: what is claimed of inputs is proved."""
    program = "z = x @ w\nL = sum(z**2)/3"
    point = case(program, "x=[[1,2],[3,4],[5,6]],w=[1,-1]")
    verdicts = verdicts_of(point, "dz = 2*z; dw = x.T @ dz/3")
    assert [(v.status, v.deferred) for v in verdicts] == [("refuted", True), ("proved", False)]
    assert [str(v.outcome) for v in verdicts] == ["agree", "agree"]


@pytest.mark.parametrize(
    ("program", "at", "claim", "branch"),
    [
        ("softmax(z)", "z=[0.5,1,-1]", "s = softmax(z); dz = s*(g - sum(g*s))", False),
        ("softmax(z)", "z=[1,1,1]", "s = softmax(z); dz = s*(g - sum(g*s))", False),
        ("relu(z)", "z=[0.5,1,-1]", "dz = where(z > 0, g, 0)", True),
        ("abs(z)*z", "z=-2", "z = 2*abs(z)", True),
    ],
)
def test_a_branch_is_told_where_one_is_followed(program, at, claim, branch):
    """What softmax takes off is any number; what relu does is not."""
    point = case(program, at)
    (verdict,) = verdicts_of(point, claim)
    assert (verdict.status, verdict.branch) == ("proved", branch)


def test_a_working_line_that_nothing_rests_on_is_no_working_line():
    """It is wrong, whatever else is right."""
    point = case("z = x*w\nL = z**2", "x=0.5,w=2")
    verdicts = verdicts_of(point, "dz = 3*z; dw = 2*z*x")
    assert [(v.status, str(v.outcome)) for v in verdicts] == [
        ("refuted", "wrong"),
        ("proved", "agree"),
    ]


def test_a_factor_of_some_elements_alone_is_none():
    """The first four are halves, the fifth is not: nothing is said of a half."""
    point = case("sum(x**2)", "x=[1,2,3,4,5]")
    (verdict,) = verdicts_of(point, "dx = x*stack([1, 1, 1, 1, 3])")
    assert verdict.status == "refuted"
    assert verdict.explanation is None or "1/2" not in verdict.explanation.words


NAMES = ("x", "W", "b", "z", "y4", "x2")


@pytest.mark.parametrize(
    ("text", "of", "by"),
    [
        ("x = 2", "", "x"), ("df/dx = 2", "", "x"), ("∂f/∂x = 2", "", "x"), ("d/dx = 2", "", "x"), ("dz/dx = 2", "z", "x"),
        ("dz_dx = 2", "z", "x"), ("dzdx = 2", "z", "x"), ("dW = 2", "", "W"), ("grad_W = 2", "", "W"), ("W_grad = 2", "", "W"),
        ("dL_dW = 2", "", "W"), ("dLdW = 2", "", "W"), ("dx2 = 2", "", "x2"), ("d_x = 2", "", "x"), ("dy4dx2 = 3", "y4", "x2"),
    ],
)  # fmt: skip
def test_the_left_side_says_what_is_claimed(text, of, by):
    """In the spellings that people have for it."""
    (statement,) = read_claim(text, NAMES, "")
    assert (statement.of, statement.by) == (of, by)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2*x", "no-claim"), ("", "empty"), ("df/dq = 3", "unknown-name"), ("q = 3", "no-claim"), ("x =", "no-claim"),
        ("dz = 3", "ambiguous-claim"), ("x[0] = 2", "no-claim"), ("# dx = 2", "empty"), ("x == 2", "no-claim"),
    ],
)  # fmt: skip
def test_what_claims_nothing_is_refused(text, code):
    """With its place, and a way out."""
    with pytest.raises(ProgramError) as error:
        read_claim(text, NAMES, "z")
    assert [mistake.code for mistake in error.value.mistakes] == [code]


@pytest.mark.parametrize(
    "text", ["x = __import__('os').system('true')", "x = open('f')", "x = 9**9**9", "x = " + "(" * 5000, "dx = x.__class__", "x = [2*x for x in y]"]
)  # fmt: skip
def test_hostile_claims_are_refused(text):
    """They are read as programs are, and never run."""
    with pytest.raises(ProgramError):
        verdicts_of(case("x**2", "x=3"), text)
