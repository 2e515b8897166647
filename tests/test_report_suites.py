"""How the formats for people show a suite: what it states, what was not checked, and no more than
fits.
"""

from __future__ import annotations

import csv
import io
import re
from random import Random

import pytest
from shared_report import SUITE, by_name, shared_report, suite_records

from gradcheck_cli.records.outcome import Outcome, Status
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import renderer
from gradcheck_cli.reports.markdown import MAX_BYTES, MAX_FILES, MAX_GROUPS, MAX_ROWS
from gradcheck_cli.reports.table import render
from gradcheck_cli.reports.tally import summary, tally

KINK, UNMET, FORESEEN, MENDED, SKIPPED, SLOW = suite_records()


def markdown(*records: dict[str, object], **more: object) -> str:
    """The Markdown report of some records."""
    return renderer("markdown")(Report(records=records, **more))  # type: ignore[arg-type]  # the fields of a Report


def test_the_table_tells_what_a_suite_states() -> None:
    """Each sentence once, with the check it is about; nothing of a kink that is expected when only
    what is bad is asked for.
    """
    text = render(Report(records=suite_records()), quiet=True)
    for line in (
        "not as expected: the outcome is kink, expected is agree",
        "expected to fail: relu(0) is 0 in torch; 50 % off \\ # known",
        "skipped: too slow # 3 % of it",
        "error: no answer within 120 s (given up)",
    ):
        assert text.count(line) == 1, line
    assert (
        "\nmended: not as expected: it passes, though the suite expects it to fail: a defect of old\n"
        in text
    )
    assert render(Report(records=[KINK]), quiet=True) == "1 case: 1 kink\n"
    assert "kink: no derivative at the boundary" in render(Report(records=[KINK]))
    for width in (30, 60, 100):
        assert "120 s" in render(Report(records=[SLOW]), width=width)


def test_a_case_that_was_not_checked_is_told_apart_by_what_was_asked_alone() -> None:
    """Its cotangent has no shape yet."""
    text = render(Report(records=[MENDED, SKIPPED]))
    assert "\nskipped: skipped: too slow # 3 % of it\n" in text
    head = next(line for line in text.splitlines() if line.startswith("case"))
    assert "cotangent" not in head


def test_what_is_said_of_many_cases_counts_cases() -> None:
    """Not partials: there are none."""
    many = [SLOW | {"id": f"n{k}"} for k in range(5)]
    assert "n0, n1, … (5 cases): error: no answer within 120 s (given up)\n" in render(
        Report(records=many)
    )
    assert render(Report(records=many)).count("reproduce: ") == 1


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ([("agree", "pass")], "1 case: 1 agree"),
        ([("agree", "pass")] * 1000 + [("wrong", "fail"), ("wrong", "pass"), ("error", "error")], "1,003 cases: 1,000 agree, 1 error, 1 wrong, 1 as expected (wrong)"),
        ([("kink", "fail"), ("kink", "pass"), ("imprecise", "fail")], "3 cases: 2 failing (kink, imprecise), 1 kink"),
        ([("wrong", "xfail")] * 2 + [("wrong", "pass"), ("wrong", "fail")], "4 cases: 2 expected to fail (wrong), 1 wrong, 1 as expected (wrong)"),
        ([("undefined", "pass"), ("detached", "unverified"), ("skipped", "skip")], "3 cases: 1 detached, 1 skipped, 1 as expected (undefined)"),
        ([("detached", "fail"), ("inconclusive", "fail"), ("agree", "unverified")], "3 cases: 2 failing (inconclusive, detached), 1 not verified (agree)"),
    ],
)  # fmt: skip
def test_the_summary_tells_a_status_where_it_is_not_the_outcomes_own(
    pairs: list[tuple[str, str]], text: str
) -> None:
    """And nothing else."""
    assert (
        summary(
            Report(
                records=[KINK | {"outcome": outcome, "status": status} for outcome, status in pairs]
            )
        )
        == text
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_summary_counts_each_case_once(seed: int) -> None:
    """Its numbers add up to what it begins with, whatever comes together; what is not as its
    outcome is counted under its status alone.
    """
    random = Random(seed)  # noqa: S311 - no secret
    pairs = [
        (random.choice([*Outcome]), random.choice([*Status]))
        for _ in range(random.randrange(1, 40))
    ]
    records = [KINK | {"outcome": outcome, "status": status} for outcome, status in pairs]
    counted = dict(tally(records))  # type: ignore[arg-type]  # the two fields that count
    assert sum(counted.values()) == len(pairs)
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    for outcome in Outcome:
        own = sum(pair == (outcome, outcome.status) for pair in pairs)
        assert counted.get(outcome, 0) == own


def test_one_line_of_a_case_tells_what_is_not_as_expected() -> None:
    """It never ends with `agree` alone, and of several cases names the first."""
    fails = "it passes, though the suite expects it to fail: a defect of old"
    (line,) = render(Report(records=[MENDED]), quiet=True, brief=True).splitlines()
    assert line.endswith(f"on cpu: failing (agree); {fails}")
    first, _ = render(
        Report(records=[KINK, UNMET, MENDED, UNMET | {"id": "again"}]), quiet=True, brief=True
    ).splitlines()[:2]
    assert "2 cases: 1 kink, 1 failing (kink); " in first
    assert "unmet: the outcome is kink, expected is agree; " in first


def test_missing_checks_fail_a_report() -> None:
    """More than a wrong gradient does, less than Ctrl-C."""
    assert Report(records=[KINK]).exit_code == 0
    assert Report(records=[KINK], incomplete=True).exit_code == 3
    assert Report(records=[UNMET], incomplete=True).exit_code == 3
    assert Report(incomplete=True).exit_code == 3
    assert Report(records=[KINK], incomplete=True, interrupted=True).exit_code == 130


def test_csv_tells_what_a_suite_states() -> None:
    """In each row of a case; a case without partials has one row."""
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(Report(records=suite_records())))))
    assert [(row["outcome"], row["status"], row["unmet"]) for row in rows[2:4]] == [
        (outcome, "fail", UNMET["unmet"][0]) for outcome in ("kink", "agree")
    ]
    assert (
        rows[-1]["variable"],
        rows[-1]["status"],
        rows[-1]["case_reason"],
        rows[-1]["file"],
        rows[-1]["line"],
    ) == ("", "error", SLOW["reason"], SUITE, "23")
    assert rows[-1]["reason"] == SLOW["reason"]
    hostile = SLOW | {
        "reason": "=1+1",
        "unmet": ["@x"],
        "source": {"file": "-a", "line": 1, "column": 1},
    }
    (row,) = csv.DictReader(io.StringIO(renderer("csv")(Report(records=[hostile]))))
    assert (row["case_reason"], row["unmet"], row["file"]) == ("'=1+1", "'@x", "'-a")


def test_markdown_counts_each_file_by_status() -> None:
    """Then tells what is not plainly good, worst first; problems stand above."""
    text = renderer("markdown")(shared_report())
    table = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in re.findall(r"^\|.*$", text.split("```")[0], re.MULTILINE)
    ]
    head, _, *rows = table
    assert head == ["file", "pass", "skip", "xfail", "unverified", "fail", "error", "all"]
    for row, records in zip(
        rows, (shared_report().records[:13], suite_records(), shared_report().records), strict=True
    ):
        counts = [sum(record["status"] == status for record in records) for status in head[1:-1]]
        assert row[1:] == [str(number) for number in (*counts, len(records))]
    assert [row[0] for row in rows] == ["no suite", SUITE, "all"]
    assert text.index("- problem: `lost`") < text.index("| file |")
    told = [
        name
        for name in by_name()
        if f"{name}," in text or f"{name} |" in text or f"{name}:" in text
    ]
    assert f"{SUITE}::kink" not in told
    order = [text.index(name) for name in ("::slow", "::unmet", "sqrt(x)\n", "::foreseen")]
    assert order == sorted(order)


def test_markdown_of_one_command_has_no_counts() -> None:
    """Everything is told, as nothing is of a suite."""
    text = markdown(*shared_report().records[:13])
    assert "| file |" not in text
    assert "W2 = W*W" in text


def test_markdown_of_a_good_suite_is_a_table() -> None:
    """Nothing is told of what is as it should be."""
    good = [
        KINK | {"id": f"n{k}", "source": {"file": "a|b.yaml", "line": 1, "column": 1}}
        for k in range(1000)
    ]
    counts = "| file | pass | all |\n| --- | ---: | ---: |\n| a\\|b.yaml | 1,000 | 1,000 |"
    assert markdown(*good) == f"## 1,000 cases: 1,000 kink\n\n{counts}\n"


@pytest.mark.parametrize("length", [10, 30_000])
def test_markdown_stays_below_what_github_shows(length: int) -> None:
    """However many programs fail, however long they are; what is left out is counted."""
    programs = [
        UNMET | {"id": f"n{k}", "expression": f"abs(x)*{'9' * length}{k}"} for k in range(200)
    ]
    text = markdown(*programs, problems=["p" * length] * 30)
    told = text.count("```python")
    assert told == MAX_GROUPS if length == 10 else 0 < told < MAX_GROUPS
    assert len(text.encode()) <= MAX_BYTES + 1000 < 2**20
    assert text.endswith(f"\n\n… and {200 - told} programs more that are not plainly good\n")
    assert f"\n\n… and {30 - MAX_ROWS} problems more\n\n" in text


def test_markdown_cuts_long_tables_to_the_rows_that_matter() -> None:
    """Of a tensor with many partials those that do not agree; of many files the worst."""
    agree, kink = UNMET["partials"][1], UNMET["partials"][0]
    large = UNMET | {"partials": [*[agree] * 100, *[kink] * 3]}
    text = markdown(large)
    assert text.count("**kink** |") == 3
    assert text.count("| agree |") == MAX_ROWS - 3
    assert f"\n\n… and {103 - MAX_ROWS} rows more\n\n" in text
    files = [
        KINK | {"source": {"file": f"f{k}", "line": 1, "column": 1}} for k in range(MAX_FILES + 50)
    ]
    text = markdown(*files, SLOW)
    assert "| … and 51 files more |  |  |  |\n| all | 250 | 1 | 251 |" in text
    assert f"| {SUITE} | 0 | 1 | 1 |" in text


def test_every_status_has_a_column_and_a_word() -> None:
    """A new status would have to be given one."""
    records = [KINK | {"status": status} for status in Status]
    assert all(f" {status} |" in markdown(*records) for status in Status)
    assert (
        summary(Report(records=records))
        == "6 cases: 1 kink, 1 error (kink), 1 failing (kink), 1 not verified (kink), "
        "1 expected to fail (kink), 1 skipped (kink)"
    )
