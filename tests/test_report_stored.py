"""Reports read back: the same bytes again, old ones filled in, and nothing believed that does not hold."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from shared_report import ENVIRONMENT, shared_report, suite_records
from test_report_schema import PROMISED, at, lie_for, paths, with_lie

from gradcheck_cli.language.errors import PointError
from gradcheck_cli.reports import FORMATS, jsonl, renderer
from gradcheck_cli.reports.json import document, render
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.reports.stored import read_report
from gradcheck_cli.reports.validate import NESTED, SILENT, SPOKEN, checker
from gradcheck_cli.suite.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = report_schema()
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
            del partial["failed"]
            for key in ("left", "right"):
                partial["numeric"].pop(key, None)
            partial["analytic"].pop("reason", None)
    return found


def alone() -> Report:
    """The part of the shared report that a single command can give."""
    return replace(shared_report(), stored=shared_report().records[:13])


@pytest.mark.parametrize(
    "report", [shared_report(), Report(environment=ENVIRONMENT), replace(shared_report(), interrupted=True), replace(alone(), incomplete=True)]
)
def test_a_report_reads_back_as_the_same_bytes(report: Report, tmp_path: Path) -> None:
    """From a text and from a file, in every format."""
    text = render(report)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    for found in (read_report(text), read_report(tmp_path / "report.json"), read_report(json.dumps(json.loads(text)))):
        assert render(found) == text
        assert found.exit_code == report.exit_code
        for name in FORMATS:
            assert renderer(name)(found) == renderer(name)(report)


def test_json_lines_read_back_as_the_same_bytes() -> None:
    """Also a single line, and lines with characters that end a line elsewhere; of versions they tell nothing."""
    for records in (shared_report().records, suite_records()[:1], [suite_records()[0] | {"id": "a\u2028b\x85c"}]):
        text = jsonl.render(Report(stored=records))
        found = read_report(text)
        assert jsonl.render(found) == text
        assert set(found.environment.values()) == {"unknown"}
        Draft202012Validator(SCHEMA).validate(document(found))


def test_a_report_from_before_the_newer_keys_is_filled_in() -> None:
    """Every format renders it, statuses and exit code as they were; read twice it is what it is read once."""
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
    old = aged(replace(alone(), stored=kinks)) | {"exit_code": 1}
    assert [record["status"] for record in read_report(json.dumps(old)).records] == ["fail" if record["outcome"] == "kink" else "pass" for record in kinks]
    assert {record["status"] for record in read_report(json.dumps(old | {"exit_code": 0})).records} == {"pass"}


def test_what_was_promised_can_be_read() -> None:
    """The example of the contract."""
    assert read_report(json.dumps(PROMISED)).records[0]["status"] == "pass"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n", "it is empty"),
        ("gradcheck", "it is not JSON: expecting value at 1:1"),
        ('{\n "format": 1,\n', "it is not JSON: expecting property name enclosed in double quotes at 3:1"),
        ('{"format": NaN}', "it is not JSON: `NaN` is no number of JSON"),
        ('{"format": 1e999}', "it is not JSON: `1e999` is no number of JSON"),
        ("[" * 100_000, "it is not JSON: it is nested too deeply"),
        ("[1]", "it is JSON, but no object"),
        ("{}", "it has no `format`\n  = help: this version reads format 1"),
        ('{"format": 2}', "its format is 2\n  = help: this version reads format 1"),
        ('{"format": true}', "`command` is missing"),
        ('{"format": 1}', "`command` is missing"),
        ('{"partials": []}', "in line 1 `id` is missing"),
        ('{"partials": []}\n{', "in line 1 `id` is missing"),
        (jsonl.render(Report(stored=suite_records()[:2])) + '{"id":', "line 3 is not JSON: expecting value at 1:7"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_said(text: str, reason: str) -> None:
    """The whole message."""
    assert said(text) == f"error[bad-report]: `the report` is no report that can be read: {reason}"


@pytest.mark.parametrize(
    ("path", "lie", "reason"),
    [
        (("exit_code",), 0, "its exit code is 0, its cases come to 3"),
        (("exit_code",), 6, "`exit_code` should be 0 or 1 or 2 or 3 or 4 or 5 or 130, and is 6"),
        (("summary", "agree"), 7, "its summary says 1 error, 3 wrong, 1 inconclusive, 1 undefined, 1 detached, 4 kink, 1 imprecise, 7 agree, 1 skipped, its cases come to 1 error, 3 wrong, 1 inconclusive, 1 undefined, 1 detached, 4 kink, 1 imprecise, 6 agree, 1 skipped"),
        (("summary",), {"fine": 1}, '`summary.fine` should be "wrong" or "inconclusive" or "undefined" or "detached" or "kink" or "imprecise" or "agree" or "error" or "skipped", and is "fine"'),
        (("summary", "agree"), 0, "`summary.agree` is below 1"),
        (("cases", 3, "dtype"), None, "`cases[3].dtype` should be string, and is null"),
        (("cases", 0, "id"), 5, "`cases[0].id` should be string or null, and is 5"),
        (("cases", 0, "at", "x"), "NaN", '`cases[0].at.x` may not be "NaN"'),
        (("cases", 0, "partials"), [], "`cases[0].partials` has 0 entries"),
        (("cases", 0, "partials", 0, "reason"), "", "`cases[0].partials[0].reason` is empty"),
        (("cases", 0, "partials", 0, "autograd"), {"value": 1.0}, "`cases[0].partials[0].autograd.error` is missing"),
        (("cases", 0, "partials", 0, "numeric"), {"abstained": "no", "value": 1, "radius": 0, "agrees": None}, '`cases[0].partials[0].numeric` may not be {"abstained": "no", "value": 1, "radius": 0, "agrees": null}'),
        (("cases", 18, "partials"), [{}], "`cases[18].partials[0].variable` is missing"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(path: tuple[Any, ...], lie: Any, reason: str) -> None:
    """Types, words, and sums that are not those of the cases."""
    assert (
        said(json.dumps(with_lie(json.loads(render(shared_report())), path, lie))) == f"error[bad-report]: `the report` is no report that can be read: {reason}"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Or that is no text."""
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, why in {
        "none": f"[Errno 2] No such file or directory: '{tmp_path / 'none'}'",
        "bytes": "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    }.items():
        with pytest.raises(PointError) as caught:
            read_report(tmp_path / name)
        assert str(caught.value) == f"error[unreadable]: `{tmp_path / name}` cannot be read: {why}"


def keywords(schema: Any) -> Iterator[str]:
    """Every keyword of a schema, names of properties and definitions apart."""
    for key, value in schema.items():
        yield key
        inner = value.values() if key in ("properties", "$defs") else value if isinstance(value, list) else [value]
        for part in inner:
            if isinstance(part, dict) and key not in ("const", "enum"):
                yield from keywords(part)


def test_every_keyword_of_the_schema_has_a_meaning() -> None:
    """One that is not known is our mistake, and never passed over."""
    assert set(keywords(SCHEMA)) <= {*SPOKEN, *NESTED, *SILENT}
    with pytest.raises(NotImplementedError, match="no meaning is known here for pattern"):
        checker({"pattern": "y"}, SCHEMA)


def test_it_sees_what_a_library_sees() -> None:
    """Every key left out and every value changed, in a report with an opinion of each kind."""
    whole = json.loads(render(shared_report()))
    small = whole | {"cases": [whole["cases"][k] for k in (2, 12, 18)]}
    library = Draft202012Validator(SCHEMA)
    assert library.is_valid(small)
    fault = checker(SCHEMA, SCHEMA)
    assert fault(small, None) is None
    for path in paths(small):
        lies = [with_lie(small, path, lie) for lie in (lie_for(at(small, path)), None, -1, "", {})]
        if isinstance(path[-1], str):
            lies.append(deepcopy(small))
            del at(lies[-1], path[:-1])[path[-1]]
        for lie in lies:
            part = lie | {"cases": lie["cases"][path[1] : path[1] + 1]} if path[0] == "cases" and len(path) > 1 else lie
            assert (fault(part, None) is None) == library.is_valid(part), path


values = st.recursive(st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-2, 2) | st.sampled_from(["nan", "agree", ""]), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["abstained", "value", "radius", "left", "right", "agrees"]), inner, max_size=4), max_leaves=6)  # fmt: skip


@given(values, st.sampled_from(sorted(set(SCHEMA["$defs"]) - {"case", "jsonl_line"})))
def test_it_sees_what_a_library_sees_in_any_data(data: Any, name: str) -> None:
    """Data of any shape, held against each definition."""
    part = {"$ref": f"#/$defs/{name}"}
    assert (checker(part, SCHEMA)(data, None) is None) == Draft202012Validator(part | {"$defs": SCHEMA["$defs"]}).is_valid(data)
