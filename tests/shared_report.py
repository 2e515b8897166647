"""One Report of real checks that meets every outcome; the goldens in `golden/` are what each format
makes of it.

Tests of reports read it from its own JSON, so that they need no checks; one test holds that JSON to
the checks. To write the goldens anew after a change that is meant: `python tests/shared_report.py`,
then read the difference. The programs use only what IEEE arithmetic rounds in one way
(+ - * / sqrt), so that every machine gets the same digits.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, renderer
from gradcheck_cli.reports.findings import with_names

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record

GOLDEN = Path(__file__).parent / "golden"
# A name that every format has to escape somewhere.
SUITE = "suites/a, b: 100 %.gradcheck.yaml"
COMMAND = ("gradcheck", "run", "shared.yaml")
ENVIRONMENT = {
    "gradcheck": "0",
    "python": "3",
    "torch": "2",
    "sympy": "1",
    "python_flint": "0",
    "platform": "any",
}
# (id, program, point, dtypes)
ASKED = [
    ("grid", "abs(x)*y", "x=-1:1:3,y=0.5", ("float64", "float32")),
    ("tensor", "W2 = W*W\nW2*[1, 3]", "W=[[1, 2], [0.3, 4]]", ("float32",)),
    ("wrong | `odd` [red]id[/red]", "relu(x) - relu(-x)", "x=0", ("float64",)),
    ("nan", "sqrt(x**2)", "x=0", ("float64",)),
    ("outside", "sqrt(x)", "x=-1", ("float64",)),
    ("cut", "detach(x)*3 + 0*y", "x=1,y=-0.0", ("float64",)),
    ("cancelled", "(x+1)**2 - x**2", "x=1e8", ("float32",)),
    (None, "x*y", "x=3,y=4", ("float64",)),
]


@cache
def shared_report() -> Report:
    """The report, read from its golden JSON."""
    data = json.loads(golden("json").read_text(encoding="utf-8"))
    return Report(data["cases"], data["command"], data["environment"], data["problems"])


def suite_records() -> list[Record]:
    """The checks of a suite in it."""
    return [record for record in shared_report().records if record["source"] is not None]


def by_name() -> dict[str, Record]:
    """The checks of the shared report by the names that formats for services give them."""
    return dict(with_names(shared_report().records))


def golden(name: str) -> Path:
    """Where a format's golden stands."""
    return GOLDEN / f"report.{name}.txt"


def live_report() -> Report:
    """The report, made by checks: of the last case two witnesses are lost, so that nothing is shown
    of it; behind it stands what only a suite has.
    """
    from asking import changed, check_case, points

    from gradcheck_cli.checks.record import record_of
    from gradcheck_cli.judge.bench import judge
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Abstention

    analyst = Analyst()
    try:
        *results, last = [
            replace(check_case(case, analyst), id=name)
            for name, program, point, dtypes in ASKED
            for case in points(program, [point], dtypes=dtypes)
        ]
    finally:
        analyst.close()
    lost = changed(
        last.evidence,
        reference=Abstention("no enclosure within 5 s"),
        analytic=Abstention("SymPy found no derivative within 3 s"),
    )
    results.append(replace(last, evidence=lost, verdicts=judge(lost)))
    records = [record_of(result) for result in results]
    return Report(
        records=[*records, *_of_suite(records)],
        command=COMMAND,
        environment=ENVIRONMENT,
        problems=("`lost`: the worker ended without an answer",),
    )


def _of_suite(records: list[Record]) -> list[Record]:
    """Checks of a suite: as expected, not as expected, failing and passing though expected to fail,
    skipped, out of time.

    Stated here, as a run would write them; the numbers are those of checks above.
    """
    by_id = {record["id"]: record for record in records}
    kink = next(record for record in records if record["outcome"] == "kink")
    wrong, agree = by_id["wrong | `odd` [red]id[/red]"], by_id["tensor"]
    unchecked = {
        "value": {"reference": None, "autograd": None},
        "cotangent": None,
        "partials": [],
        "notes": [],
        "rounded": [],
    }
    stated: list[tuple[str, Record, dict[str, Any]]] = [
        ("kink", kink, {"expected": ["kink", "agree"], "status": "pass"}),
        (
            "unmet",
            kink,
            {
                "expected": ["agree"],
                "unmet": ["the outcome is kink, expected is agree"],
                "status": "fail",
            },
        ),
        (
            "foreseen",
            wrong,
            {"reason": "relu(0) is 0 in torch; 50 % off \\ # known", "status": "xfail"},
        ),
        (
            "mended",
            agree,
            {
                "reason": "it passes, though the suite expects it to fail: a defect of old",
                "status": "fail",
            },
        ),
        (
            "skipped",
            agree,
            unchecked | {"outcome": "skipped", "reason": "too slow # 3 % of it", "status": "skip"},
        ),
        (
            "slow",
            kink,
            unchecked
            | {
                "outcome": "error",
                "reason": "no answer within 120 s\n(given up)",
                "status": "error",
            },
        ),
    ]
    return [
        record
        | {"id": f"{SUITE}::{name}", "source": {"file": SUITE, "line": 3 + 4 * k, "column": 5}, "position": k}
        | facts
        for k, (name, record, facts) in enumerate(stated)
    ]  # fmt: skip


def main() -> None:
    """Write every golden anew."""
    GOLDEN.mkdir(exist_ok=True)
    report = live_report()
    for name in FORMATS:
        golden(name).write_bytes(renderer(name)(report).encode())


if __name__ == "__main__":
    main()
