"""The differences between two reports: every planted one is found, and named as worse, better or
other.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from shared_report import SUITE, by_name, shared_report, suite_records

from gradcheck_cli.records.outcome import OUTCOMES, Status
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports.diff import LOST, Change, Diff, compare_reports
from gradcheck_cli.reports.diff_text import MAX_TOLD, diff_document, render_diff

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None)

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record

LISTS = ("regressions", "improvements", "changes", "new")


def changed(record: Record, partial: int = 0, /, **facts: Any) -> Record:
    """A copy of a record in which a partial says something else."""
    found = deepcopy(record)
    found["partials"][partial] |= facts
    return found


def between(old: Record, new: Record) -> Diff:
    """The differences between reports of one check."""
    return compare_reports(Report(records=[old]), Report(records=[new]))


def told(diff: Diff) -> dict[str, list[tuple[str, Any, Any]]]:
    """(kind, before, after) of each difference, by list."""
    return {
        name: [(c.kind, c.before, c.after) for c in getattr(diff, name)]
        for name in LISTS
        if getattr(diff, name)
    }


def measured(ulps: float | str | None) -> Record:
    """A check whose error is this."""
    return changed(
        by_name()["tensor"],
        0,
        autograd={
            "value": 2.0,
            "error": 0.0,
            "relative_error": 0.0,
            "ulps": ulps,
            "tolerance": 1.0,
        },
    )


def test_a_report_is_no_different_from_itself() -> None:
    """Whatever it holds, in whatever order."""
    report = shared_report()
    for other in (report, replace(report, records=report.records[::-1])):
        found = compare_reports(report, other)
        assert told(found) == {}
        assert (found.compared, found.exit_code) == (19, 0)
        assert (
            render_diff(found)
            == "19 checks compared: 0 regressions, 0 improvements, 0 changes, 0 new checks\n"
        )


@each("old", [*OUTCOMES, "error"])
@each("new", [*OUTCOMES, "error"])
def test_outcomes_have_an_order(old: str, new: str) -> None:
    """error > wrong > inconclusive > undefined > detached > kink > imprecise > agree; a partial
    tells it once, and the case does where there is none.
    """

    def case(outcome: str) -> Record:
        record = changed(by_name()["tensor"], 1, outcome=outcome, reason="because")
        return (
            record
            | {"outcome": outcome}
            | (
                {"partials": [], "status": "error", "reason": "because"}
                if outcome == "error"
                else {}
            )
        )

    order = [
        "error",
        "wrong",
        "inconclusive",
        "undefined",
        "detached",
        "kink",
        "imprecise",
        "agree",
    ]
    found = between(case(old), case(new))
    worse = order.index(new) < order.index(old)
    assert told(found) == (
        {} if old == new else {"regressions" if worse else "improvements": [("outcome", old, new)]}
    )
    assert found.exit_code == worse


@each("old", Status)
@each("new", Status)
def test_statuses_have_an_order(old: str, new: str) -> None:
    """Also where the outcome stays: what the suite expects has changed, or the run was strict."""
    record = by_name()[f"{SUITE}::kink"]
    found = between(
        record | {"status": old}, record | {"status": new, "unmet": ["why"], "reason": "so"}
    )
    order = ["error", "fail", "unverified", "xfail", "skip", "pass"]
    assert list(Status) == order
    worse = order.index(new) < order.index(old)
    assert told(found) == (
        {} if old == new else {"regressions" if worse else "improvements": [("status", old, new)]}
    )
    assert not worse or found.regressions[0].text == f"{old} → {new}: why; so"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (0.0, 4.0, None), (0.0, 4.1, "regressions"), (0.5, 4.0, None), (0.5, 4.1, "regressions"), (1.0, 8.0, None), (1.0, 8.1, "regressions"), (100.0, 800.0, None),
        (100.0, 801.0, "regressions"), (801.0, 100.0, "improvements"), (4.1, 0.5, "improvements"), (4.0, 0.0, None), (1.0, "inf", "regressions"), (1.0, "nan", None), (None, 50.0, None),
    ],
)  # fmt: skip
def test_digits_lost_are_told_beyond_what_needs_no_explanation(
    old: Any, new: Any, where: str | None
) -> None:
    """More than eight times the error, and more than four ulp of it."""
    assert LOST == 8
    found = between(measured(old), measured(new))
    assert told(found) == ({where: [("digits", float(old), float(new))]} if where else {})
    json.dumps(diff_document(found), allow_nan=False)


def test_a_lost_opinion_is_a_change() -> None:
    """Neither better nor worse: the reference has judged without it."""
    record = by_name()["tensor"]
    silent = changed(record, 2, numeric={"abstained": "no values"})
    disputes = changed(record, 2, analytic=record["partials"][2]["analytic"] | {"agrees": False})
    assert told(between(record, silent)) == {"changes": [("opinion", "agrees", "abstains")]}
    assert between(record, silent).changes[0].text == "numeric agreed, now abstains: no values"
    assert told(between(record, disputes)) == {"changes": [("opinion", "agrees", "disagrees")]}
    assert told(between(silent, record)) == {}
    assert between(record, silent).exit_code == 0


def test_what_vanished_is_a_regression_and_what_is_new_is_not() -> None:
    """Whole checks, and partials of one."""
    some = Report(records=suite_records()[1:])
    found = compare_reports(shared_report(), some)
    assert len(found.regressions) == 14
    assert {change.kind for change in found.regressions} == {"vanished"}
    assert (
        Change(
            "vanished", f"{SUITE}::kink", "", "kink", None, "kink before, and not checked any more"
        )
        in found.regressions
    )
    assert told(compare_reports(some, shared_report())) == {
        "new": [("new", None, record["outcome"]) for record in shared_report().records[:14]]
    }
    record = by_name()["tensor"]
    fewer = record | {"partials": record["partials"][1:]}
    assert told(between(record, fewer)) == {"regressions": [("vanished", "agree", None)]}
    assert told(between(fewer, record)) == {"changes": [("new", None, "agree")]}


def test_another_program_under_the_same_name_is_a_change() -> None:
    """Its gradients are compared all the same."""
    record = by_name()["tensor"]
    assert told(between(record, record | {"expression": "W"})) == {
        "changes": [("program", record["expression"], "W")]
    }
    unnamed = [r | {"id": None} for r in (record, record | {"expression": "W"})]
    assert [change.kind for change in between(*unnamed).regressions] == ["vanished"]


@FIXED
@given(st.data())
def test_every_planted_difference_is_found(data: Any) -> None:
    """In any check of a report whose ids repeat."""
    records = list(shared_report().records)
    k = data.draw(
        st.sampled_from(
            [
                k
                for k, record in enumerate(records)
                if record["partials"] and record["outcome"] != "wrong"
            ]
        )
    )
    worse = changed(records[k], 0, outcome="wrong", reason="planted")
    found = compare_reports(
        shared_report(), replace(shared_report(), records=[*records[:k], worse, *records[k + 1 :]])
    )
    assert [(change.case, change.after) for change in found.regressions] == [
        (list(by_name())[k], "wrong")
    ]
    assert (found.improvements, found.changes, found.new) == ((), (), ())


def test_the_text_tells_the_worst_in_full_and_the_rest_in_short() -> None:
    """Elements that say the same together; what is not worse is counted beyond the first few."""
    tensor = by_name()["tensor"]
    wrong = tensor | {
        "outcome": "wrong",
        "partials": [
            p | {"outcome": "wrong", "reason": "torch answers 1\x1b"} for p in tensor["partials"]
        ],
    }
    names = [f"n{k}" for k in range(MAX_TOLD + 2)]
    old = Report(
        records=[tensor, *(measured(800.0) | {"id": name} for name in names)],
        environment={"torch": "2", "sympy": "1", "python": "unknown"},
    )
    new = Report(
        records=[wrong, *(measured(1.0) | {"id": name} for name in names)],
        environment={"torch": "3", "sympy": "1", "python": "3"},
    )
    text = render_diff(compare_reports(old, new))
    lines = text.splitlines()
    assert lines[:6] == [
        "13 checks compared: 1 regression, 12 improvements, 0 changes, 0 new checks",
        "torch: 2 → 3",
        "",
        "regressions",
        "tensor: ∂f/∂W[0,0] and 3 elements more: agree → wrong: torch answers 1\\x1b",
        "",
    ]
    assert lines[6:8] == [
        "improvements",
        "n0: ∂f/∂W[0,0]: 800 ulp → 1 ulp: within 4 ulp of the true value",
    ]
    assert lines[-1] == "… and 2 more"
    assert len(diff_document(compare_reports(old, new))["improvements"]) == 12
    coloured = render_diff(compare_reports(old, new), color=True)
    assert "\x1b[1;31mregressions\x1b[0m" in coloured
    assert all(
        cell_len(line) <= 40 for line in render_diff(compare_reports(old, new), 40).splitlines()
    )
    assert "\x1b" not in text


def test_the_document_has_everything() -> None:
    """As plain data with a format of its own."""
    record = by_name()["tensor"]
    found = diff_document(between(record, changed(record, 3, outcome="wrong", reason="so")))
    assert found == {
        "format": 1,
        "exit_code": 1,
        "compared": 1,
        "environment": {},
        "regressions": [
            {
                "kind": "outcome",
                "case": "tensor",
                "partial": "∂f/∂W[1,1]",
                "before": "agree",
                "after": "wrong",
                "text": "agree → wrong: so",
            }
        ],
        "improvements": [],
        "changes": [],
        "new": [],
    }
