"""`docs/where-things-go.md` is true of the tree, and the doors that it names are open."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asking import groups
from jsonschema import Draft202012Validator
from test_house import FLOORS
from test_together import Silent

from gradcheck_cli.checks.check import check_batches, panel
from gradcheck_cli.checks.report import report_of
from gradcheck_cli.records.versions import versions
from gradcheck_cli.reports import FORMATS, renderer
from gradcheck_cli.reports.json import document
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.witnesses import Answers, PointwiseEstimates, Trust

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Batch

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "where-things-go.md").read_text(encoding="utf-8")


def rows(text):
    """The cells of every table row, headings apart."""
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def missing(text):
    """Paths that the page names and the tree lacks."""
    paths = re.findall(r"`((?:gradcheck_cli|docs|tests)/[\w./-]*)`", text)
    return [path for path in paths if not (ROOT / path).exists()]


def test_every_path_exists():
    """A file that moves takes its line along."""
    assert missing(TEXT) == []
    assert missing("`gradcheck_cli/nothing.py`") == ["gradcheck_cli/nothing.py"]


def test_the_page_has_fifteen_changes_and_every_room():
    """The floors are those that the house is held to."""
    page = rows(TEXT)
    assert sum(row[0].startswith(("a ", "an ", "how ", "the ", "what ")) for row in page) >= 15
    floors = {int(row[0]): row[1] for row in page if row[0].isdigit()}
    assert sorted(floors) == list(range(1, len(FLOORS) + 1))
    for number, rooms in enumerate(FLOORS, 1):
        named = set(re.findall(r"`([\w]+)(?:\.py|/)`", floors[number]))
        assert named == set(rooms), number


@dataclass(frozen=True)
class Doubled:
    """A witness of its own: it says a multiple of x."""

    factor: float
    name: str = "doubled"
    trust: Trust = Trust.ESTIMATED

    def prepare(self, batch: Batch) -> None:
        """Nothing."""

    def answer(self, batch: Batch) -> PointwiseEstimates:
        """An answer at each point."""
        points = list(batch)

        def testimony(k: int) -> Answers:
            return Answers([Said(self.factor * points[k].scalars["x"])])

        return PointwiseEstimates(testimony, (len(batch), 1))


@dataclass(frozen=True)
class Said:
    """A number that it stands by."""

    value: float

    @property
    def ball(self) -> Any:
        """The number alone."""
        from flint import arb

        return arb(self.value)

    def entry(self) -> dict[str, Any]:
        """What a record keeps."""
        return {"value": self.value}


def report_with(factor):
    """The report of x**2 with one more witness, which says `factor * x`."""
    witnesses = (*panel(Silent()), Doubled(factor))
    results = list(check_batches(groups("x**2", ["x=3"]), witnesses))
    return replace(report_of(results), environment=versions(), command=("gradcheck",))


@pytest.mark.parametrize("form", FORMATS)
def test_a_further_witness_is_in_every_report(form):
    """One file: the judge compares it, and records, tables and services show it."""
    report = report_with(2.0)
    assert report.records[0]["partials"][0]["doubled"] == {"value": 6.0, "agrees": True}
    Draft202012Validator(report_schema()).validate(document(report))
    text = renderer(form)(report)
    if form in ("table", "json", "jsonl", "csv", "markdown"):
        assert "doubled" in text


def test_a_further_witness_that_lies_is_told():
    """With both numbers; torch's own outcome stands."""
    (record,) = report_with(2.1).records
    partial = record["partials"][0]
    assert partial["doubled"]["agrees"] is False
    assert partial["outcome"] == "agree"
    assert "the doubled opinion, 6.3, is not the true derivative, 6" in partial["reason"]
