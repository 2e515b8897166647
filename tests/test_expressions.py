"""What five notebooks print, what is known to be wrong in torch, and what the tool says of both."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from asking import points, reference
from torch_facts import FACTS, known_facts

from gradcheck_cli import check
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_value
from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds.balls import nearest_float

# The notebooks' own float64 arithmetic is good to this: 6e-12 was lost in 4/(exp(27) +
# exp(-27))**2, 1e-16 elsewhere.
NUMPY = 1e-11
EXIT = {
    "agree": 0,
    "imprecise": 0,
    "kink": 0,
    "wrong": 1,
    "undefined": 4,
    "detached": 4,
    "inconclusive": 4,
}


def named(row):
    """Test id of a row."""
    return row["id"]


def flat(value):
    """Nested lists as one list."""
    return [inner for item in value for inner in flat(item)] if isinstance(value, list) else [value]


def run(row, dtype="float64", step=None):
    """The report on a row, with one result."""
    return check(
        row["program"],
        row["at"],
        wrt=row.get("wrt", ()),
        cotangent=row.get("cotangent"),
        dtype=row.get("dtype", dtype),
        step=step,
    )


def exit_code(row):
    """The exit code of a row's outcome, or the one that the row states."""
    return int(row.get("exit", EXIT[outcome(row)]))


def answers(result, name):
    """torch's numbers for an input."""
    keys = result.evidence.case.keys
    return [
        answer.value
        for key, answer in zip(keys, result.evidence.testimonies["autograd"].partials, strict=True)
        if key.variable == name
    ]


def truths(result, name):
    """The proved derivatives by an input, as balls."""
    proved = result.evidence.testimonies["reference"].partials
    found = [
        (verdict.truth, answer)
        for verdict, answer in zip(result.verdicts, proved, strict=True)
        if verdict.key.variable == name
    ]
    return [answer.ball if truth is None else truth for truth, answer in found]


def printed_as(text, value):
    """Whether a notebook that prints `value` would print `text`: to as many digits; a text that
    ends in a point is exact.
    """
    if "nan" in text or math.isnan(value):
        return text == "nan" and math.isnan(value)
    shown = Decimal(text)
    room = Decimal(0) if text.endswith(".") else Decimal((0, (5,), shown.as_tuple().exponent - 1))
    return abs(Decimal(value) - shown) <= room


def near(text, value):
    """Whether `value` is what NumPy computed, as far as NumPy's own rounding goes."""
    return value == float(text) or abs(value - float(text)) <= NUMPY * abs(value)


def enclosures(formula, at):
    """The balls of a formula's elements at the float32 point of a row."""
    inside = {name: read(value) for name, value in at.items() if name in parse(formula).variables}
    if not inside:
        return [
            answer.ball
            for answer in reference(
                points(f"x - x + ({formula})", {"x": read("1")}, dtypes=["float32"])[0]
            ).forward
        ]
    case = points(formula, inside, dtypes=["float32"])[0]
    return [answer.ball for answer in reference(case).forward]


def read(value):
    """A number or nested lists as the command line reads them."""
    return [read(item) for item in value] if isinstance(value, list) else read_value(value)


def outcome(row):
    """The outcome of a row."""
    return row.get("outcome", "agree")


NOTEBOOKS, DEFECTS = FACTS.rows("notebooks"), FACTS.rows("defects")


@pytest.mark.torch_fact
@pytest.mark.parametrize("row", NOTEBOOKS, ids=named)
def test_a_notebook_prints_what_torch_answers(row):
    """Values and gradients, to the digits printed; the outcome and its reason."""
    report = run(row)
    (result,) = report.results
    assert (result.outcome, report.exit_code) == (outcome(row), exit_code(row))
    assert any(
        row.get("because", "") in verdict.reason
        for verdict in result.verdicts
        if verdict.outcome == result.outcome
    )
    for text, value in zip(
        flat(row.get("value", {}).get("printed", [])),
        result.evidence.testimonies["autograd"].forward,
        strict=False,
    ):
        assert printed_as(text, value)
    for name, shown in row.get("grad", {}).items():
        for text, value in zip(
            flat(shown.get("printed", [])), answers(result, name), strict="printed" in shown
        ):
            assert printed_as(text, value), name


@pytest.mark.parametrize("row", [row for row in NOTEBOOKS if "exact" in str(row)], ids=named)
def test_a_notebooks_float64_result_is_the_reference(row):
    """Numbers that a notebook computed in float64 with NumPy are the proved ones, but for NumPy's
    rounding.
    """
    (result,) = run(row).results
    compared = 0
    for text, answer in zip(
        flat(row.get("value", {}).get("exact", [])),
        result.evidence.testimonies["reference"].forward,
        strict=False,
    ):
        assert isinstance(answer, Certified)
        assert near(text, nearest_float(answer.ball))
        compared += 1
    for name, shown in row["grad"].items():
        for text, ball in zip(
            flat(shown.get("exact", [])), truths(result, name), strict="exact" in shown
        ):
            assert near(text, nearest_float(ball)), name
            compared += 1
    assert compared


@pytest.mark.parametrize(
    "row", [row for row in NOTEBOOKS if "claim" in row or "refuted" in row], ids=named
)
def test_a_formula_derived_by_hand_is_right_or_refuted(row):
    """Claims, evaluated in balls, meet the reference; the two false ones do not."""
    (result,) = run(row).results
    for kind, holds in (("claim", True), ("refuted", False)):
        for name, formula in row.get(kind, {}).items():
            pairs = list(zip(enclosures(formula, row["at"]), truths(result, name), strict=True))
            assert pairs
            assert all(bool(claimed.overlaps(truth)) is holds for claimed, truth in pairs), formula


def test_a_notebooks_central_difference_comes_out_of_step():
    """The plain quotient with the notebook's step, to the rounding of its two values of about 2."""
    row = next(row for row in NOTEBOOKS if "central_difference" in row)
    told = row["central_difference"]
    (result,) = run(row, step=float(told["step"])).results
    (difference,) = result.evidence.testimonies["numeric"].partials
    assert abs(difference.value - float(told["value"])) <= 4 * 2.0**-52 / float(told["step"])
    assert not abs(difference.value - float(row["grad"]["x"]["exact"])) <= difference.radius, (
        "a textbook's step has an error that rounding is not"
    )


@pytest.mark.torch_fact
@pytest.mark.parametrize("row", DEFECTS, ids=named)
def test_a_known_defect_is_told(row):
    """torch's answer to six digits, the outcome and its reason."""
    report = run(row)
    (result,) = report.results
    name = row.get("wrt", result.evidence.case.keys[0].variable)
    verdict = next(verdict for verdict in result.verdicts if verdict.key.variable == name)
    answer = answers(result, name)[0]
    same = abs(answer - float(row["torch"])) <= 1e-6 * abs(answer)
    both_nan = row["torch"] == "nan" and math.isnan(answer)
    assert same or both_nan, f"torch answers {answer}, not {row['torch']}"
    assert (verdict.outcome, report.exit_code) == (row["outcome"], exit_code(row))
    assert row.get("because", "") in verdict.reason


@pytest.mark.parametrize("row", DEFECTS, ids=named)
def test_the_right_answer_is_proved(row):
    """To the bit, or from both sides, whatever torch answers."""
    (result,) = run(row).results
    name = row.get("wrt", result.evidence.case.keys[0].variable)
    verdict = next(verdict for verdict in result.verdicts if verdict.key.variable == name)
    if isinstance(row["right"], dict):
        assert verdict.sides.proved
        assert [verdict.sides.left.value, verdict.sides.right.value] == [
            float(edge) for edge in row["right"]["kink"]
        ]
    elif row["right"] != "undefined":
        assert nearest_float(truths(result, name)[0]) == float(row["right"])


@pytest.mark.parametrize("suite", ["notebooks", "defects"])
def test_a_row_has_a_name_of_its_own_and_an_outcome_that_exists(suite):
    """Names are unique, outcomes known, and no key is misspelt."""
    found = [row for facts in known_facts() for row in facts.rows(suite)]
    known = {
        "notebooks": {
            "value",
            "grad",
            "claim",
            "refuted",
            "central_difference",
            "cotangent",
            "note",
        },
        "defects": {"torch", "right", "why"},
    }[suite]
    assert len({row["id"] for row in found}) * len(known_facts()) == len(found)
    for row in found:
        assert (
            set(row)
            <= {"id", "program", "at", "wrt", "dtype", "outcome", "because", "exit"} | known
        ), row["id"]
        assert outcome(row) in OUTCOMES
        assert "outcome" in row or suite == "notebooks"


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [
        ("0.2350", 0.23500001, True), ("0.2350", 0.23506, False), ("6.", 6.0, True), ("6.", 6.0000005, False), ("nan", math.nan, True), ("nan", 0.0, False),
        ("0.2350", math.nan, False), ("-2.0206e-14", -2.02058e-14, True), ("-2.0206e-14", -2.0207e-14, False), ("6.0", 6.04, True),
    ],
)  # fmt: skip
def test_printed_digits_are_compared_to_the_last(text, value, same):
    """The comparison of printed numbers can fail."""
    assert printed_as(text, value) is same


@pytest.mark.parametrize(
    "formula", ["1 - tanh(x)", "(1 - tanh(x)**2)*(1 + 1e-6)", "1 - tanh(x)**2 + 1e-18"]
)
def test_a_false_formula_is_refuted(formula):
    """The comparison of formulas can fail, by one part in a million and by less than float64 can
    tell.
    """
    row = next(row for row in NOTEBOOKS if row["id"] == "tanh-vjp")
    pairs = zip(enclosures(formula, row["at"]), truths(run(row).results[0], "x"), strict=True)
    assert not any(claimed.overlaps(truth) for claimed, truth in pairs)


@pytest.mark.torch_fact
@pytest.mark.parametrize(
    "row",
    [
        row
        for row in NOTEBOOKS + DEFECTS
        if row["id"]
        in ("tanh-vjp", "two-variables", "no-path", "direction-at-zero", "sqrt-of-square")
    ],
    ids=named,
)
def test_the_command_line_says_the_same(tool, row):
    """Outcome and exit code, for one row of each exit code and the multi-line, list and float32
    forms.
    """

    def text(value):
        return f"[{', '.join(map(text, value))}]" if isinstance(value, list) else value

    words = [
        "--at",
        ",".join(f"{name}={text(value)}" for name, value in row["at"].items()),
        "--dtype",
        row.get("dtype", "float64"),
        "-f",
        "json",
    ]
    words += ["--cotangent", text(row["cotangent"])] if "cotangent" in row else []
    done = tool.run([row["program"], *words])
    assert done.stderr == ""
    assert done.returncode == exit_code(row)
    (case,) = json.loads(done.stdout)["cases"]
    assert case["outcome"] == outcome(row)
    assert any(row.get("because", "") in partial["reason"] for partial in case["partials"])
