"""Reports of shards put together: the report of the whole run, and no two runs taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_report import ENVIRONMENT, suite_records

from gradcheck_cli.language.errors import PointError
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports.json import render
from gradcheck_cli.reports.merge import merge_reports
from gradcheck_cli.settings.table import immaterial_words

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None)

if TYPE_CHECKING:
    from pathlib import Path

    from tool import Tool

    from gradcheck_cli.records.record import Record

RUN = ("gradcheck", "run", "suites", "--strict")
PASSING = suite_records()[0]


def checks(number: int) -> list[Record]:
    """Passing checks with positions from 0."""
    return [PASSING | {"id": f"a.yaml::n{k}", "position": k} for k in range(number)]


def shard(part: int, total: int, records: list[Record], **more: Any) -> Report:
    """The report of a shard: every `total`-th check."""
    return Report(
        command=(*RUN, "--shard", f"{part}/{total}"),
        environment=ENVIRONMENT,
        records=records[part - 1 :: total],
        **more,
    )


def refused(*reports: Report, names: tuple[str, ...] = ("a.json", "b.json", "c.json")) -> str:
    """The message for reports that do not belong together."""
    with pytest.raises(PointError) as caught:
        merge_reports(reports, names)
    return str(caught.value)


@FIXED
@given(st.integers(1, 6), st.integers(6, 20), st.randoms(use_true_random=False))
def test_shards_in_any_order_are_the_whole_run(total: int, number: int, random: Any) -> None:
    """The same bytes as a run that was not split."""
    parts = [shard(part, total, checks(number)) for part in range(1, total + 1)]
    random.shuffle(parts)
    whole = Report(command=RUN, environment=ENVIRONMENT, records=checks(number))
    assert render(merge_reports(parts)) == render(whole)


@FIXED
@given(st.sets(st.integers(0, 30), min_size=1), st.integers(1, 4))
def test_a_gap_is_a_problem_and_fails(present: set[int], total: int) -> None:
    """Wherever a check is missing below the last one."""
    records = [record for record in checks(31) if record["position"] in present]
    report = merge_reports([Report(records=records[k::total]) for k in range(total)])
    missing = [k for k in range(max(present)) if k not in present]
    assert [record["position"] for record in report.records] == sorted(present)
    assert report.exit_code == (3 if missing else 0)
    assert bool(report.problems) == bool(missing)
    assert all(str(k) in report.problems[0] for k in missing[:5])


def test_what_is_missing_is_told() -> None:
    """Checks by their positions, shards by their numbers; the exit code is 3."""
    report = merge_reports([shard(2, 3, checks(12))])
    assert report.problems == [
        "shards 1/3, 3/3 are in none of these reports",
        "checks 0, 2, 3, 5, 6 and 2 more are in none of these reports",
    ]
    assert report.exit_code == 3
    assert report.incomplete
    assert merge_reports([shard(1, 2, checks(2))]).problems == [
        "shard 2/2 is in none of these reports"
    ]
    assert merge_reports([Report(records=checks(3)[::2])]).problems == [
        "check 1 is in none of these reports"
    ]
    # Of a report that is of no shard, nobody knows which shards it holds.
    assert (
        merge_reports([Report(command=RUN, records=checks(3)[:2]), shard(3, 3, checks(3))]).problems
        == []
    )


def test_a_failure_stays_one() -> None:
    """The exit code is that of the worst; what is missing outweighs it, Ctrl-C everything."""
    bad = [PASSING | {"position": 2, "id": "bad", "status": "fail"}]
    assert merge_reports([Report(records=checks(2)), Report(records=bad)]).exit_code == 1
    assert merge_reports([Report(records=checks(1)), Report(records=bad)]).exit_code == 3
    assert (
        merge_reports([Report(records=checks(2), incomplete=True), Report(records=bad)]).exit_code
        == 3
    )
    assert (
        merge_reports([Report(records=checks(2), interrupted=True), Report(records=bad)]).exit_code
        == 130
    )
    assert merge_reports([]).exit_code == 5


def test_versions_that_differ_are_a_problem() -> None:
    """All are told; machines may differ."""
    other = ENVIRONMENT | {"torch": "3", "platform": "elsewhere"}
    report = merge_reports(
        [
            shard(1, 2, checks(4), problems=("slow",)),
            replace(shard(2, 2, checks(4), problems=("slow", "late")), environment=other),
        ]
    )
    assert report.problems == [
        "slow",
        "late",
        "the reports were made with different versions of torch: 2, 3",
    ]
    assert (
        report.environment["torch"],
        report.environment["platform"],
        report.environment["python"],
    ) == ("2 and 3", "any and elsewhere", "3")
    assert report.exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--shard", "1/2", "--export", "one.json", "-fjsonl"), ("-f", "json", "--shard=1/2"), ("-q", "--export=a.xml", "-j", "4", "--shard", "1/2"),
        ("--format=table", "--jobs=2", "-v", "--color", "never", "--resume", "--exit-zero", "--shard", "1/2"),
    ],
)  # fmt: skip
def test_options_that_change_nothing_may_differ(options: tuple[str, ...]) -> None:
    """Where a report is written, how it looks, how many processes made it."""
    one = Report(command=(*RUN[:3], *options, "--strict"), records=checks(4)[::2])
    immaterial = immaterial_words("run")
    report = merge_reports([one, shard(2, 2, checks(4))], immaterial=immaterial)
    assert report.command == RUN
    assert report.problems == []
    same = [one, replace(one, records=checks(4)[1::2])]
    assert merge_reports(same, immaterial=immaterial).command == tuple(
        word for word in one.command if word not in ("--shard", "1/2", "--shard=1/2")
    )


def test_different_runs_are_refused() -> None:
    """Also if their checks would fit together."""
    other = Report(command=("gradcheck", "run", "other"), records=checks(4)[1::2])
    assert refused(shard(1, 2, checks(4)), other) == (
        "error[not-mergeable]: `a.json` and `b.json` are of different runs: `gradcheck run suites --strict` and `gradcheck run other`\n"
        "  = help: merge reports of one command, each with its own `--shard I/N`"
    )
    assert (
        "`report 1` and `report 2` are of different runs: `gradcheck run other` and `no command`"
        in refused(other, Report(records=checks(1)), names=())
    )


def test_a_check_stands_in_one_report_alone() -> None:
    """Given twice, even if both say the same; by its position or by its id."""
    first, second = shard(1, 2, checks(6)), shard(2, 2, checks(6))
    way_out = "  = help: give each report once; a run is split by `--shard I/N`"
    assert (
        refused(first, second, first)
        == f"error[not-mergeable]: check 0 (`a.yaml::n0`), like 2 others, is in `a.json` and in `c.json`\n{way_out}"
    )
    twin = replace(second, records=[PASSING | {"id": "a.yaml::n2", "position": 7}])
    assert (
        refused(first, twin)
        == f"error[not-mergeable]: check 7 (`a.yaml::n2`) is in `a.json` and in `b.json`\n{way_out}"
    )
    assert (
        refused(replace(first, records=[*checks(1), *checks(1)]))
        == f"error[not-mergeable]: check 0 (`a.yaml::n0`) is twice in `a.json`\n{way_out}"
    )


def test_checks_without_positions_are_refused() -> None:
    """Those of a single command: nobody knows how they belong together."""
    alone = replace(shard(2, 2, checks(2)), records=[PASSING | {"position": None}])
    assert refused(shard(1, 2, checks(2)), alone) == (
        "error[not-mergeable]: `b.json` does not tell the positions of its checks\n  = help: only reports of `gradcheck run` can be merged"
    )


def test_what_is_missing_is_told_on_stderr(tool: Tool, tmp_path: Path) -> None:
    """Beside the report, which says it as well; what a shard has told is not told again."""
    first = shard(1, 3, checks(9), problems=["told before"])
    (tmp_path / "one.json").write_text(render(first), encoding="utf-8")
    done = tool.run(["merge", "one.json"], folder=tmp_path)
    said = [
        "shards 2/3, 3/3 are in none of these reports",
        "checks 1, 2, 4, 5 are in none of these reports",
    ]
    assert (done.returncode, done.stderr.splitlines()) == (3, said)
    assert json.loads(done.stdout)["problems"] == ["told before", *said]
