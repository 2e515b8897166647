"""A report of someone who means no good: whatever stands in it, nothing that is made of it acts on a
terminal, on a CI server, on a spreadsheet or on a page.
"""

from __future__ import annotations

import csv
import io
import json
import re
from copy import deepcopy
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from ci_readers import commands, junit_faults
from shared_report import shared_report

from gradcheck_cli.language import errors
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.records.json_text import MARKS, json_text
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, renderer
from gradcheck_cli.reports.diff import compare_reports
from gradcheck_cli.reports.diff_text import diff_document, render_diff
from gradcheck_cli.reports.format import inert
from gradcheck_cli.reports.json import document
from gradcheck_cli.reports.markdown import cell
from gradcheck_cli.reports.merge import merge_reports
from gradcheck_cli.reports.stored import read_report
from gradcheck_cli.reports.table import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Path = tuple[Any, ...]

# What a CI server acts upon. GitHub's runner looks for `::` at the beginning of a line, blanks
# apart, and for `##[` anywhere (ActionCommand.cs); Azure and TeamCity look anywhere; GitLab and
# Travis want a carriage return behind theirs, which is asked for here of nobody.
SERVERS = re.compile(
    r"^\s*::|##[\w-]*\[|section_(?:start|end):|travis_(?:fold|time):", re.MULTILINE
)
# What acts on a terminal or on whoever reads it: control characters, line ends that are none, signs
# that turn the direction of a text, halves of a pair.
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]"
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# As a bare line each of these is a command of somebody, or breaks out of where it stands.
LINES = (
    "::error file=a,line=1::pwned",
    "  ::set-output name=a::b",
    "::stop-commands::x",
    "::add-mask::x",
    "##[error]pwned",
    "##[set-env name=a;]b",
    "###[command]x",
    "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStop comment='x']",
    "section_start:1:name\r\x1b[0Kheader",
    "travis_fold:start:x\r",
    "not ok 1 - x # SKIP",
    "Bail out! x",
    "<script>alert(1)</script>|</td>| [a](javascript:b) ![c](d) https://e.example @f",
    "]]>&<b attr=\"'>",
    "```\n~~~\n",
    '=HYPERLINK("a")',
)
HOSTILE = {
    "lines": "x\n" + "\n".join(LINES) + "\n",
    "first": "\n".join(LINES),
    "windows": "\r\n".join(LINES),
    "returns": "\r".join(LINES),
    "blanks": " ".join(LINES),
    "odd lines": "\u2028".join(LINES) + "\x85" + "\x0b\x0c".join(LINES),
    "controls": "".join(map(chr, [*range(1, 32), *range(127, 160)])) + "\x1b]0;title\x07\x9b31m",
    "turned": "a\u202eb\u2066c\u2069\u200f\ufeff\u200b\ufffe\uffff",
    "halves": "\udcff\ud800",
    "formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "long": "::error::" * 60,
}


def small() -> dict[str, Any]:
    """A valid report as data, with everything that a record may hold and few records."""
    whole = json.loads(json.dumps(document(shared_report())))
    kinds: dict[Any, Any] = {}
    for record in whole["cases"]:
        kinds.setdefault((record["outcome"], record["status"], record["source"] is None), record)
    cases = list(kinds.values())
    for k, record in enumerate(cases):
        record["position"] = k
    report = Report(cases, whole["command"], whole["environment"], whole["problems"])
    return json.loads(json.dumps(document(report)))


SMALL = small()


def places(data: Any, path: Path = ()) -> Iterator[Path]:
    """Every string in some data."""
    if isinstance(data, str):
        yield path
    elif isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*path, key))


def kind(path: Path) -> Path:
    """A path less its numbers: places of one kind are treated alike."""
    return tuple("*" if isinstance(step, int) else step for step in path)


def faults_in(text: str) -> list[str]:
    """What in a text acts on something."""
    return [*ACTS.findall(text), *SERVERS.findall(text)]


def put(data: Any, path: Path, text: str) -> Any:
    """The data with a text at a place."""
    place, last = data, path[-1]
    for step in path[:-1]:
        place = place[step]
    place[last] = text
    return data


def refused(data: Any) -> bool:
    """Whether the reader refuses it; what it says does no harm either."""
    try:
        read_report(json.dumps(data))
    except UserError as error:
        assert faults_in(str(error)) == [], error
        return True
    return False


# A place of each kind where any text may stand.
FREE = [
    path
    for path in {kind(path): path for path in places(SMALL)}.values()
    if not refused(put(deepcopy(SMALL), path, "odd"))
]


def renderings(report: Report) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that can be made of a report."""
    for form in FORMATS:
        yield form, renderer(form)(report)
    for width in (20, 40, 80):
        for verbose in (False, True):
            yield f"table of {width}", render(report, width=width, verbose=verbose)
    yield "colours", COLOURS.sub("", render(report, width=60, color=True))
    clean = read_report(json.dumps(SMALL))
    for name, old, new in (("new", clean, report), ("old", report, clean)):
        found = compare_reports(old, new)
        yield f"diff {name}", render_diff(found)
        yield f"diff {name} of 30", COLOURS.sub("", render_diff(found, 30, color=True))
        yield f"diff {name} as JSON", json_text(diff_document(found), indent=1)
    try:
        merged = merge_reports([report], ["::error::a"])
    except UserError as error:  # a hostile id stands there twice
        yield "refused", str(error)
        return
    yield "merged", renderer("table")(merged)
    yield "merged as JSON", renderer("json")(merged)


def examine(report: Report) -> None:
    """Everything that can be made of a report is harmless, and is still what it should be."""
    for name, text in renderings(report):
        said = text
        if name == "github":
            # What it writes itself is a command, one a line and none besides.
            lines = text.splitlines()
            assert len(commands(text)) == len(lines)
            assert all(re.match("::(error|warning|notice) ", line) for line in lines)
            said = re.sub("(?m)^::", "", text)
        assert faults_in(said) == [], (name, faults_in(said)[:3])
        text.encode()
        if "JSON" in name or name in ("json", "gitlab", "sarif"):
            json.loads(text)
    assert junit_faults(renderer("junit")(report)) == []
    rows = list(csv.reader(io.StringIO(renderer("csv")(report), newline="")))
    assert len({len(row) for row in rows}) == 1
    for value in (value for row in rows for value in row):
        assert not value.lstrip(" ").startswith(("=", "+", "@", "\t", "\r")), value
        assert not value.startswith("-") or float(value) <= 0


@pytest.mark.parametrize("path", FREE, ids=lambda path: ".".join(kind(path)))
def test_nothing_that_is_made_of_a_hostile_report_does_harm(path: Path) -> None:
    """A hostile text at one place, whatever stands there of what may."""
    for text in (HOSTILE["lines"], HOSTILE["controls"] + HOSTILE["turned"] + HOSTILE["halves"]):
        examine(read_report(json.dumps(put(deepcopy(SMALL), path, text))))


def test_all_places_are_tried_that_hold_any_text() -> None:
    """The others hold words of which the reader knows all."""
    known = {
        "cases.*.expected.*",
        "cases.*.outcome",
        "cases.*.partials.*.autograd.value",
        "cases.*.partials.*.cause",
        "cases.*.partials.*.outcome",
        "cases.*.status",
        "cases.*.value.autograd",
    }
    assert {".".join(kind(path)) for path in places(SMALL)} - known == {
        ".".join(kind(path)) for path in FREE
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_a_report_that_is_hostile_everywhere_does_no_harm(name: str) -> None:
    """At all places at once; the names of inputs, of witnesses and of versions too."""
    data, text = deepcopy(SMALL), HOSTILE[name]
    # The library that holds it against the schema takes no halves of pairs in names.
    called = "odd" if name == "halves" else text
    free = {kind(path) for path in FREE}
    for path in list(places(data)):
        if kind(path) in free:
            put(data, path, text)
    for record in data["cases"]:
        record["at"] = {f"{called}{k}": value for k, value in enumerate(record["at"].values())}
        record["notes"], record["unmet"] = [text, text], [text]
        for partial in record["partials"]:
            partial["autograd"][called] = {"value": text}
            partial["analytic"]["radius"] = text
            partial[called] = {"value": 1.5, "agrees": False, "reason": text}
            partial[f"{called}2"] = {"abstained": text}
    data["environment"][called] = text
    data["problems"] = [text, text]
    examine(read_report(json.dumps(data)))


def test_messages_and_reports_know_the_same_commands() -> None:
    """The room of messages does not know that of records."""
    assert errors._MARKS.pattern == MARKS.pattern


def test_what_is_escaped_in_json_is_the_same_data() -> None:
    """Read back it is what it was, character by character."""
    for text in HOSTILE.values():
        data = {text: [text, {"a": text}], "b": text}
        for indent in (None, 1):
            said = json_text(data, indent=indent)
            assert json.loads(said) == data
            assert faults_in(said) == []


def test_what_an_xml_reader_gets_is_the_same_text() -> None:
    """A command is a reference, which only a reader of lines does not understand."""
    from xml.etree import ElementTree as Tree

    data = deepcopy(SMALL)
    data["problems"] = [line for line in LINES if line.isprintable()]
    text = renderer("junit")(read_report(json.dumps(data)))
    told = Tree.fromstring(text).iter("system-err")  # noqa: S314 - it is our own
    assert [error.text.split("\n") for error in told] == [
        [" ".join(line.split()) for line in data["problems"]]
    ]


@pytest.mark.parametrize(
    "lie",
    [
        "\x1b[31m", "\x9b31m", "a\rb", "\u202e", "\u2066", "\ufeff", "\x85", "\u2028", "\ud800",
        "::error::x", "\n   ::x::", "a ##[error]", "##vso[a]", "###[a]", "##teamcity[a]", "section_start:1:a", "travis_fold:a",
    ],
)  # fmt: skip
def test_what_does_harm_is_seen(lie: str) -> None:
    """By the eyes of these tests; and the filter of the reports mends what a server acts upon."""
    assert faults_in(f"some\n{lie}")
    if SERVERS.search(f"\n{lie}"):
        assert SERVERS.search(inert(f"some\n{lie}\n")) is None


@pytest.mark.parametrize(
    "text",
    ["a: b", "x[1::2]", "s.yaml::case", "## 3 cases", "# comment", "a ## b", "section_start"],
)
def test_what_does_no_harm_stays(text: str) -> None:
    """As it is written."""
    assert inert(text) == text
    assert json.loads(json_text(text)) == text
    assert json_text(text) == json.dumps(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("-1.5", "-1.5"), ("+1e-5", "+1e-5"), ("-.5", "-.5"), ("-inf", "'-inf"), ("-1.5x", "'-1.5x"), ("-1+1", "'-1+1"),
        ("--1", "'--1"), (" =1", "' =1"), ("＝1", "'＝1"), ("a=1", "a=1"), ("-１", "'-１"), ("", ""),
    ],
)  # fmt: skip
def test_a_number_is_no_formula(value: str, text: str) -> None:
    """All else that begins like one is."""
    data = deepcopy(SMALL)
    data["cases"][0]["id"] = value
    rows = csv.DictReader(io.StringIO(renderer("csv")(read_report(json.dumps(data))), newline=""))
    assert next(rows)["id"] == text


def cells_of(line: str) -> list[str]:
    """The cells of a row as GitHub cuts it: at bars that no backslash stands before."""
    return re.split(r"(?<!\\)(?:\\\\)*\|", line)


@pytest.mark.parametrize(
    "text",
    ["a|b", "`a|b`", "`a` | `b|c", "a\\|b", "`a\\|b`", "`a\\\\|b`", "a\n| b |", "|", "``a|b``", "```a|`b"],
)  # fmt: skip
def test_a_cell_is_one_cell(text: str) -> None:
    """Whatever bars, backslashes and backticks stand in it."""
    assert len(cells_of(f"| {cell(text)} |")) == 3
    assert "\n" not in cell(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["command"].extend(["--shard", "1/999999999999"]),
        lambda data: data["command"].extend(["--shard", f"1/{'9' * 5_000}"]),
        lambda data: data["command"].extend(["--shard", "²/³"]),
        lambda data: data["cases"][0].update(position=10**300),
        lambda data: data["cases"][0]["partials"][0].update(index=[10**300] * 3),
        lambda data: data["cases"][0].update(source={"file": "a\0b", "line": 10**300, "column": 1}),
        lambda data: data["environment"].update({"": ""}),
    ],
)  # fmt: skip
def test_numbers_that_nobody_meant_end_nothing(change: Callable[[Any], None]) -> None:
    """Nor do they take long."""
    data = deepcopy(SMALL)
    change(data)
    examine(read_report(json.dumps(data)))


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "text", "=1", [], {}, {"value": 1}])
def test_keys_that_nobody_has_described_count_for_nothing(value: Any) -> None:
    """Beside what a witness says, or that it abstains; named like those of others, of any kind."""
    keys = (
        "agrees",
        "digits",
        "error",
        "formula",
        "left",
        "radius",
        "reason",
        "relative_error",
        "right",
        "tolerance",
        "ulps",
        "value",
    )
    witnesses = ("reference", "analytic", "autograd", "numeric", "one_sided", "error", "id")
    accepted: dict[str, list[str]] = {key: [] for key in keys}
    for key, witness in product(keys, witnesses):
        if not refused(_with_key(key, [witness], value)):
            accepted[key].append(witness)
    assert sum(map(len, accepted.values())) > 20
    # All that may stand there stands there at once.
    for key, together in accepted.items():
        if together:
            data = _with_key(key, together, value)
            assert not refused(data)
            for _, text in renderings(read_report(json.dumps(data))):
                assert faults_in(re.sub("(?m)^::", "", text)) == []


def _with_key(key: str, witnesses: Iterable[str], value: Any) -> Any:
    """A report with a key in what some witnesses say, where that has none of the name."""
    data = deepcopy(SMALL)
    for partial in (partial for record in data["cases"] for partial in record["partials"]):
        for witness in witnesses:
            if witness in ("error", "id"):
                partial[witness] = {"value": 1.5}
            if isinstance(partial[witness], dict) and key not in partial[witness]:
                partial[witness][key] = value
    return data
