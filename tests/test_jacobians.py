"""Jacobians, every output by every input, and the seeded cotangent beside ones: what each shows,
and a lie that ones hide.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from asking import check_points, points
from test_subjects import CallableSubject
from test_together import Silent

from gradcheck_cli.api import assert_gradient, check
from gradcheck_cli.checks.report import report_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_value
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.questions.split import MAX_ENTRIES, MAX_OUTPUTS
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.versions import versions
from gradcheck_cli.reports import renderer
from gradcheck_cli.reports.stored import read_report

X = [0.5, -1.25, 2.0]
AT = f"x={X}"


class Softmax(torch.autograd.Function):
    """softmax whose backward subtracts the plain mean where the weighted one belongs."""

    generate_vmap_rule = True
    right = False

    @staticmethod
    def forward(x: Any) -> Any:
        """softmax over the last dimension."""
        return torch.softmax(x, -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Kept for the backward."""
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, ybar: Any) -> Any:
        """0 for equal cotangents, whichever mean it is."""
        (y,) = ctx.saved_tensors
        mean = (ybar * y).sum(-1, keepdim=True) if Softmax.right else ybar.mean(-1, keepdim=True)
        return y * (ybar - mean)


def of_softmax(**way: Any) -> Any:
    """The result of the class above beside the true softmax."""
    program = parse("softmax(x)")
    subject = CallableSubject("mine:softmax", program.variables, Softmax.apply)
    (result,) = check_points(points(program, [AT], subject=subject, **way), Silent())
    return result


def test_a_lie_that_ones_hide_is_caught_by_the_seeded_cotangent(monkeypatch):
    """Under ones every partial agrees; the case is wrong all the same, and an honest backward is
    not.
    """
    lying = of_softmax()
    assert {str(verdict.outcome) for verdict in lying.verdicts} == {"agree"}
    assert {str(verdict.outcome) for verdict in lying.also.verdicts} == {"wrong"}
    assert lying.outcome == Outcome.WRONG
    monkeypatch.setattr(Softmax, "right", True)
    honest = of_softmax()
    assert (honest.outcome, honest.also.outcome) == (Outcome.AGREE, Outcome.AGREE)


def test_a_lie_that_ones_hide_is_caught_by_a_jacobian(monkeypatch):
    """Which asks under no further cotangent."""
    lying = of_softmax(jacobian=True)
    assert (lying.outcome, lying.also) == (Outcome.WRONG, None)
    monkeypatch.setattr(Softmax, "right", True)
    assert of_softmax(jacobian=True).outcome == Outcome.AGREE


# A program, its point, and whether elements of an input mix in its value.
MIXING = [
    ("softmax(x)", AT, True),
    ("layer_norm(x, 3)", AT, True),
    ("cumsum(x)", AT, True),
    ("A @ x", "A=[[1, 2], [3, 4]],x=[5, 6]", True),
    ("x - mean(x)", AT, True),
    ("softmax([x, y, 2])", "x=1,y=2", True),
    ("flip(x, 0) * x", AT, True),
    # One number, or each element by itself.
    ("sum(softmax(x))", AT, False),
    ("sin(x)*y", "x=[1, 2],y=3", False),
    ("x*y", "x=[1, 2],y=[[3], [4]]", False),
    ("exp(x)", "x=1", False),
    ("transpose(x)", "x=[[1, 2], [3, 4]]", False),
    ("reshape(x, (4,))", "x=[[1, 2], [3, 4]]", False),
    ("x[1:]", AT, False),
    ("[x, y]*z", "x=1,y=2,z=3", False),
    ("a*sin(b*[1, 2, 3])", "a=1,b=2", False),
]


@pytest.mark.parametrize(("text", "at", "mixes"), MIXING, ids=[text for text, _, _ in MIXING])
def test_a_further_cotangent_is_for_elements_that_mix(text, at, mixes):
    """Elementwise functions and mere changes of shape need none, nor has one number any other."""
    (found,) = points(text, [at])
    assert (found.batch.also is not None) == mixes


def test_a_cotangent_of_ones_own_is_the_only_one():
    """Who gives one is asked under no other."""
    assert points("softmax(x)", [AT], cotangent="[1, 2, 3]")[0].batch.also is None
    # What is not differentiated may mix.
    assert points("softmax(b)*x", ["b=[1, 2],x=[3, 4]"], wrt=["x"])[0].batch.also is None


@pytest.mark.parametrize("count", [2, 3, 17, 256])
def test_seeded_numbers_are_the_same_everywhere_and_no_two_alike(count):
    """Every dtype holds them, none is 0, and they are not all equal."""
    numbers = seeded_numbers("cotangent", count)
    assert numbers == seeded_numbers("cotangent", count)
    assert 0 not in numbers
    assert len(set(numbers)) > 1
    assert all(dtype.round(Fraction(x)) == x for dtype in DTYPES.values() for x in numbers)


def test_the_further_outcome_is_told_in_a_line_and_kept():
    """With zeros that are proved; a stored report says the same."""
    report = replace(check("softmax(x)", {"x": X}), environment=versions())
    (record,) = report.records
    also = record["also"]
    assert (also["outcome"], len(also["partials"])) == ("agree", 3)
    assert also["cotangent"] == seeded_numbers("cotangent", 3)
    lines = renderer("table")(report).splitlines()
    told = "also under a random cotangent: agree"
    assert f"{told} (under ones every derivative by `x` is exactly 0)" in lines
    document = renderer("json")(report)
    assert renderer("json")(read_report(document)) == document
    assert told in renderer("table")(check("cumsum(x)", {"x": X})).splitlines()
    assert check("sin(x)", {"x": X}).records[0]["also"] is None


def test_a_program_too_large_to_be_judged_twice_says_so(monkeypatch):
    """In a note: ones may hide something, and nothing else was asked."""
    monkeypatch.setattr("gradcheck_cli.questions.prepared.MAX_JUDGED_TWICE", 20)
    (record,) = check("softmax(x)", {"x": X}).records
    assert record["also"] is None
    (note,) = record["notes"]
    assert note.startswith(
        "not checked under a random cotangent, which ones may need: 3 partials of "
    )
    assert check("sin(x)", {"x": X}).records[0]["notes"] == []


def test_sympy_is_not_asked_for_a_large_jacobian():
    """Each row would be a question of its own."""
    (result,) = check_points(
        points("x*sum(x)", {"x": read_value(str([1.5] * 17))}, jacobian=True), Silent()
    )
    assert result.outcome == "agree"
    reason = result.evidence.of("analytic", 0).reason
    assert reason == "SymPy is not asked for 289 partials; 256 is the most"


def lying_report() -> Any:
    """The report of a softmax that only the seeded cotangent refutes."""
    return report_of([of_softmax()], environment=versions())


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "junit", "github", "gitlab", "sarif"])
def test_what_is_worse_under_it_is_shown_in_every_format(form):
    """As rows, or as findings, of their own; the exit code is that of a wrong gradient."""
    report = lying_report()
    assert report.exit_code == 1
    text = renderer(form)(report)
    if form == "csv":
        assert text.count(",wrong,") == 3
    else:
        assert "also ∂f/∂x[0]" in text
    if form == "table":
        assert "also under a random cotangent: wrong" in text


def test_a_stored_report_without_the_key_is_read():
    """As one of an older release: nothing was asked then."""
    data = json.loads(
        renderer("json")(replace(check("softmax(x)", {"x": X}), environment=versions()))
    )
    for key in ("also", "order", "direction"):
        del data["cases"][0][key]
    (record,) = read_report(json.dumps(data)).records
    assert (record["also"], record["order"], record["direction"]) == (None, 1, None)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_jacobian_is_that_of_mpmath(dtype):
    """softmax: J = diag(y) - y y^T, with 50 digits."""
    (result,) = check_points(points("softmax(x)", [AT], jacobian=True, dtypes=[dtype]), Silent())
    with mpmath.workdps(50):
        sizes = [mpmath.exp(x) for x in X]
        y = [size / sum(sizes) for size in sizes]
        true = [float(y[i] * ((i == j) - y[j])) for i in range(3) for j in range(3)]
    found = [float(result.evidence.of("reference", k).truth.mid()) for k in range(9)]
    assert np.allclose(found, true, rtol=1e-15, atol=0)
    assert [(v.key.output, v.key.index) for v in result.verdicts] == [
        ((i,), (j,)) for i in range(3) for j in range(3)
    ]
    assert {str(verdict.outcome) for verdict in result.verdicts} == {"agree"}
    assert all(verdict.agrees["numeric"] for verdict in result.verdicts)


def test_a_row_of_a_jacobian_has_troubles_of_its_own():
    """sqrt has no slope at 0, which is no trouble of the other element; torch multiplies by 0."""
    (result,) = check_points(points("sqrt(x)", ["x=[0, 4]"], jacobian=True), Silent())
    assert [str(v.outcome) for v in result.verdicts] == ["undefined", "agree", "wrong", "agree"]
    assert result.verdicts[3].truth is None


def test_what_a_record_of_a_jacobian_holds():
    """The output of each partial, no cotangent, the whole value, and the same question again."""
    report = replace(check("[x*y, x + y]", {"x": 3, "y": 2}, jacobian=True), environment=versions())
    (record,) = report.records
    assert [(p["output"], p["variable"], p["autograd"]["value"]) for p in record["partials"]] == [
        ([0], "x", 2.0), ([0], "y", 3.0), ([1], "x", 1.0), ([1], "y", 1.0),
    ]  # fmt: skip
    assert (record["cotangent"], record["also"]) == (None, None)
    assert record["value"] == {"reference": [6.0, 5.0], "autograd": [6.0, 5.0]}
    assert record["reproduce"].endswith("--jacobian")
    assert "∂f[1]/∂y" in renderer("table")(report)
    document = renderer("json")(report)
    assert renderer("json")(read_report(document)) == document


def test_a_jacobian_of_a_number_is_its_gradient():
    """The same record, the command apart."""
    plain, each = (check("x**2", {"x": 3}, jacobian=way).records[0] for way in (False, True))
    assert plain | {"reproduce": ""} == each | {"reproduce": ""}
    assert_gradient("[x, 2*x]", {"x": 3}, jacobian=True)


def test_a_jacobian_has_a_largest_size():
    """Beyond it an error with a way out, as for what cannot be asked together."""
    within = {"x": [1.0] * MAX_OUTPUTS}
    assert len(within["x"]) ** 2 == MAX_ENTRIES
    beyond = {"x": [1.0] * (MAX_OUTPUTS + 1)}
    (found,) = points("x + 0", {"x": read_value(str(within["x"]))}, jacobian=True)
    assert len(found.keys) == MAX_ENTRIES
    with pytest.raises(PointError) as caught:
        check("x + 0", beyond, jacobian=True)
    assert str(caught.value) == (
        "error[too-large]: the Jacobian has 65 rows and 4,225 entries; 64 rows and 4,096 entries are checked\n"
        "  = help: weigh the elements of the value by a cotangent"
    )
    with pytest.raises(PointError, match="a Jacobian has no cotangent"):
        check("x + 0", {"x": [1.0, 2.0]}, jacobian=True, cotangent=[1.0, 2.0])
    with pytest.raises(PointError, match="second derivatives are those of one number"):
        check("x + 0", {"x": [1.0, 2.0]}, jacobian=True, order=2)
