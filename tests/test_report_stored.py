"""Reports read back: the same bytes again, old ones filled in, and nothing believed that does not
hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from shared_report import ENVIRONMENT, shared_report, suite_records
from test_report_schema import PROMISED, at, lie_for, paths, with_lie

from gradcheck_cli.language.errors import PointError
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, jsonl, renderer
from gradcheck_cli.reports.diff import compare_reports
from gradcheck_cli.reports.json import document, render
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.reports.stored import DEEPEST, read_report

SCHEMA = report_schema()
OLD = Path(__file__).parent / "stored" / "report-0.1.0.json"
NEWER = ("notes", "rounded", "source", "position", "expected", "unmet", "reason", "status")


def said(text: str) -> str:
    """The message for a report that cannot be read."""
    with pytest.raises(PointError) as caught:
        read_report(text)
    return str(caught.value)


def aged(report: Report) -> dict[str, Any]:
    """A document as the first version of format 1 wrote it."""
    found = json.loads(render(report))
    for case in found["cases"]:
        for key in NEWER:
            del case[key]
        for partial in case["partials"]:
            del partial["failed"], partial["cause"]
            for key in ("left", "right"):
                partial["numeric"].pop(key, None)
            partial["analytic"].pop("reason", None)
    return found


def alone() -> Report:
    """The part of the shared report that a single command can give."""
    return replace(shared_report(), records=shared_report().records[:13])


@pytest.mark.parametrize(
    "report",
    [
        shared_report(),
        Report(environment=ENVIRONMENT),
        replace(shared_report(), interrupted=True),
        replace(alone(), incomplete=True),
    ],
)
def test_a_report_reads_back_as_the_same_bytes(report: Report, tmp_path: Path) -> None:
    """From a text and from a file, in every format."""
    text = render(report)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    for found in (
        read_report(text),
        read_report(tmp_path / "report.json"),
        read_report(json.dumps(json.loads(text))),
    ):
        assert render(found) == text
        assert found.exit_code == report.exit_code
        for name in FORMATS:
            assert renderer(name)(found) == renderer(name)(report)


def test_json_lines_read_back_as_the_same_bytes() -> None:
    """Also a single line, and lines with characters that end a line elsewhere; of versions they
    tell nothing.
    """
    for records in (
        shared_report().records,
        suite_records()[:1],
        [suite_records()[0] | {"id": "a\u2028b\x85c"}],
    ):
        text = jsonl.render(Report(records=records))
        found = read_report(text)
        assert jsonl.render(found) == text
        assert set(found.environment.values()) == {"unknown"}
        Draft202012Validator(SCHEMA).validate(document(found))


def test_a_report_from_before_the_newer_keys_is_filled_in() -> None:
    """Every format renders it, statuses and exit code as they were; read twice it is what it is
    read once.
    """
    found = read_report(json.dumps(aged(alone())))
    assert [(r["status"], [p["failed"] for p in r["partials"]]) for r in found.records] == [
        (r["status"], [p["failed"] for p in r["partials"]]) for r in alone().records
    ]
    assert found.exit_code == alone().exit_code == 1
    for name in FORMATS:
        assert renderer(name)(found)
    assert render(read_report(render(found))) == render(found)
    assert tuple(found.records[0])[-len(NEWER) :] == NEWER
    Draft202012Validator(SCHEMA).validate(document(found))


def test_an_old_report_of_a_strict_run_stays_one() -> None:
    """Only its exit code says that it was strict."""
    kinks = [record for record in alone().records if record["outcome"] in ("kink", "agree")]
    old = aged(replace(alone(), records=kinks)) | {"exit_code": 1}
    assert [record["status"] for record in read_report(json.dumps(old)).records] == [
        "fail" if record["outcome"] == "kink" else "pass" for record in kinks
    ]
    assert {
        record["status"] for record in read_report(json.dumps(old | {"exit_code": 0})).records
    } == {"pass"}


def test_a_report_of_the_first_release_is_read() -> None:
    """Made by `gradcheck run` of 0.1.0; nothing of it is lost, and what came since is null."""
    text = OLD.read_text(encoding="utf-8")
    report = read_report(OLD)
    assert (report.exit_code, report.environment["gradcheck"]) == (4, "0.1.0")
    data = json.loads(json.dumps(document(report)))
    partials = [partial for case in data["cases"] for partial in case["partials"]]
    assert len(partials) == 8
    assert [partial.pop("cause") for partial in partials] == [None] * 8
    assert [partial.pop("output") for partial in partials] == [None] * 8
    since = [
        [
            case.pop(key)
            for key in (
                *("order", "direction", "also", "trace"),
                *("written", "claims", "function", "in_bulk", "sweep"),
            )
        ]
        for case in data["cases"]
    ]
    assert since == [[1, *[None] * 8]] * len(since)
    assert data == json.loads(text)
    assert "sqrt(x)" in renderer("table")(report)
    for name in FORMATS:
        assert renderer(name)(report)
    again = read_report(render(read_report(OLD)))
    assert compare_reports(read_report(OLD), again).changes == ()
    said(text.replace('"exit_code": 4', '"exit_code": 0'))


def test_what_was_promised_can_be_read() -> None:
    """The example of the contract."""
    assert read_report(json.dumps(PROMISED)).records[0]["status"] == "pass"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n", "it is empty"),
        ("gradcheck", "it is not JSON: expecting value at 1:1"),
        ('{"format', "it is not JSON: unterminated string starting at 1:2"),
        ('{\n "format": 1,\n', "it is not JSON: expecting property name enclosed in double quotes at 3:1"),
        ('{"format": NaN}', "it is not JSON: `NaN` is no number of JSON"),
        ('{"format": 1e999}', "it is not JSON: `1e999` is no number of JSON"),
        (f'{{"format": {"9" * 309}}}', f"it is not JSON: `{'9' * 59}…` is no number of JSON"),
        ("[" * 100_000, "it is not JSON: it is nested too deeply"),
        ("[1]", "it is JSON, but no object"),
        ("{}", "it has no `format`\n  = help: this version reads format 1"),
        ('{"format": 2}', "its format is 2\n  = help: this version reads format 1"),
        ('{"format": true}', '"command" is a required property'),
        ('{"format": 1}', '"command" is a required property'),
        ('{"partials": []}', 'in line 1, "id" is a required property'),
        ('{"partials": []}\n{', 'in line 1, "id" is a required property'),
        (jsonl.render(Report(records=[suite_records()[0] | {"outcome": "fine"}])), 'in line 1, `outcome`: "fine" is not one of "wrong", "inconclusive" or 7 other candidates'),
        (jsonl.render(Report(records=suite_records()[:2])) + '{"id":', "line 3 is not JSON: expecting value at 1:7"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_said(text: str, reason: str) -> None:
    """The whole message."""
    assert said(text) == f"error[bad-report]: `the report` is no report that can be read: {reason}"


@pytest.mark.parametrize(
    ("path", "lie", "reason"),
    [
        (("exit_code",), 0, "its exit code is 0, its cases come to 3"),
        (("exit_code",), 6, "`exit_code`: 6 is not one of 0, 1 or 5 other candidates"),
        (("summary", "agree"), 7, "its summary says 1 error, 3 wrong, 1 inconclusive, 1 undefined, 1 detached, 4 kink, 1 imprecise, 7 agree, 1 skipped, its cases come to 1 error, 3 wrong, 1 inconclusive, 1 undefined, 1 detached, 4 kink, 1 imprecise, 6 agree, 1 skipped"),
        (("summary",), {"fine": 1}, '`summary`: "fine" is not one of "wrong", "inconclusive" or 7 other candidates'),
        (("summary", "agree"), 0, "`summary.agree`: 0 is less than the minimum of 1"),
        (("cases", 3, "dtype"), None, '`cases[3].dtype`: null is not of type "string"'),
        (("cases", 0, "id"), [list(range(99))], '`cases[0].id`: [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,… is not of types "null", "string"'),
        (("cases", 0, "at", "x"), "NaN", '`cases[0].at.x`: "NaN" is not of type "number"; "NaN" is not one of "nan", "inf" or "-inf"; "NaN" is not of type "array"'),
        (("cases", 1, "at", "x"), [[1, 2], []], '`cases[1].at.x[1]`: [] is not of type "number"; [] is not one of "nan", "inf" or "-inf"; [] has less than 1 item'),
        (("cases", 0, "source"), {"file": "a", "line": 0, "column": 1}, "`cases[0].source.line`: 0 is less than the minimum of 1"),
        (("cases", 0, "partials"), [], "`cases[0].partials`: [] has less than 1 item"),
        (("cases", 0, "partials", 0, "reason"), "", '`cases[0].partials[0].reason`: "" is shorter than 1 character'),
        (("cases", 0, "partials", 0, "autograd"), {"value": 1.0}, '`cases[0].partials[0].autograd`: "error" is a required property; "abstained" is a required property'),
        (("cases", 0, "partials", 0, "numeric"), {"abstained": "no", "value": 1, "radius": 0, "agrees": None}, "`cases[0].partials[0].numeric`: {\"abstained\": \"no\", \"agrees\": null, \"radius\": 0, \"value\": 1} is valid under more than one of the schemas listed in the 'oneOf' keyword"),
        (("cases", 0, "partials", 0, "numeric"), 5, '`cases[0].partials[0].numeric`: 5 is not of type "object"'),
        (("cases", 18, "partials"), [{}], '`cases[18].partials[0]`: "variable" is a required property'),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(path: tuple[Any, ...], lie: Any, reason: str) -> None:
    """Types, words, and sums that are not those of the cases."""
    assert (
        said(json.dumps(with_lie(json.loads(render(shared_report())), path, lie)))
        == f"error[bad-report]: `the report` is no report that can be read: {reason}"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Or that is no text."""
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, why in {
        "none": "No such file or directory",
        "bytes": "it is not UTF-8 (byte 0)",
    }.items():
        with pytest.raises(PointError) as caught:
            read_report(tmp_path / name)
        assert str(caught.value) == f"error[unreadable]: `{tmp_path / name}` cannot be read: {why}"


def test_what_the_schema_refuses_is_refused() -> None:
    """Every key left out and every value changed, in a report with an opinion of each kind; another
    library tells what is refused.

    What fits the schema is refused for its sums, which are those of all the cases.
    """
    whole = json.loads(render(shared_report()))
    small = whole | {"cases": [whole["cases"][k] for k in (2, 12, 18)]}
    library = Draft202012Validator(SCHEMA)
    assert library.is_valid(small)
    refused = 0
    for path in paths(small):
        lies = [with_lie(small, path, lie) for lie in (lie_for(at(small, path)), None, -1, "", {})]
        if isinstance(path[-1], str):
            lies.append(deepcopy(small))
            del at(lies[-1], path[:-1])[path[-1]]
        for lie in lies:
            part = (
                lie | {"cases": lie["cases"][path[1] : path[1] + 1]}
                if path[0] == "cases" and len(path) > 1
                else lie
            )
            fits = library.is_valid(part)
            assert ("its cases come to" in said(json.dumps(part))) == fits, path
            refused += not fits
    assert refused > 500


def nested(depth: int) -> list[Any]:
    """Lists in each other, a number in the last."""
    return [1.0] if depth == 1 else [nested(depth - 1)]


def test_what_is_nested_too_deeply_is_refused() -> None:
    """Whatever else it is; up to there it is read, or what is wrong is found at the very end of it."""
    report = json.loads(render(shared_report()))
    deep = nested(DEEPEST - 4)
    assert (
        read_report(json.dumps(with_lie(report, ("cases", 0, "at", "x"), deep))).records[0]["at"][
            "x"
        ]
        == deep
    )
    deeper = with_lie(report, ("cases", 0, "at", "x"), [deep])
    assert said(json.dumps(deeper)).endswith(": it is not JSON: it is nested too deeply")
    # A line stands in neither a report nor its list of cases.
    assert read_report(json.dumps(with_lie(report["cases"][0], ("at", "x"), [[deep]])))
    lines = [
        json.dumps(record)
        for record in (report["cases"][0], with_lie(report["cases"][0], ("at", "x"), [[[deep]]]))
    ]
    assert said("\n".join(lines)).endswith(": line 2 is not JSON: it is nested too deeply")
    at(deep, (0,) * (DEEPEST - 5))[0] = "one"
    place = "[0]" * (DEEPEST - 4)
    assert said(json.dumps(with_lie(report, ("cases", 0, "at", "x"), deep))).endswith(
        f': `cases[0].at.x{place}`: "one" is not of type "number"; "one" is not one of "nan", "inf" or "-inf"; "one" is not of type "array"'
    )


def test_half_of_a_surrogate_pair_is_read_where_any_text_may_stand() -> None:
    """The name of a file that is no UTF-8 is written so; in the place of a certain word it is said."""
    odd = suite_records()[0] | {
        "id": "\udcff",
        "source": {"file": "\udcff.yaml", "line": 1, "column": 1},
    }
    text = json.dumps(document(Report(records=[odd], environment=ENVIRONMENT)))
    assert read_report(text).records == [odd]
    assert said(text.replace('"outcome": "kink"', '"outcome": "\\udcff"', 1)) == (
        "error[bad-report]: `the report` is no report that can be read: it cannot be held against the schema: "
        "'utf-8' codec can't encode character '\\udcff' in position 0: surrogates not allowed"
    )


def test_the_library_is_loaded_when_a_report_is_read() -> None:
    """And not before."""
    code = "import sys; import gradcheck_cli.reports.stored as s; print('jsonschema_rs' in sys.modules); s._checker({}); print('jsonschema_rs' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "False\nTrue\n"
    )
