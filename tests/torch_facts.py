"""What torch does, as data: `facts/torch.yaml` for all known versions, `facts/torch-X.Y.yaml` for
what one of them does in its own way.

A test of such a fact is marked `torch_fact`. On a version without a file the facts of the nearest
one are asked: those that do not hold are listed at the end of the run and fail nothing, since torch
may choose another convention, mend a defect or make one. What is no fact about one torch, every
law for example, fails as always. A new version needs one file: `facts/torch-X.Y.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent / "facts"
MARKER = "torch_fact"
LINES = 12  # shown of what pytest says of a fact that does not hold


@dataclass(frozen=True)
class Facts:
    """What is stated of a version of torch; every number is the text that stands there."""

    version: str
    file: str  # of that version, or of the one nearest to it
    known: bool
    data: dict[str, Any]

    @property
    def kinks(self) -> list[tuple[str, str, float]]:
        """(program, point, the slope that torch takes) at points without a derivative."""
        return [
            (*stated.split(" at ", 1), float(slope)) for stated, slope in self.data["kinks"].items()
        ]

    def rows(self, suite: str) -> list[dict[str, Any]]:
        """The rows of `facts/SUITE.yaml`, with what torch does in this version."""
        own = self.data.get(suite, {})
        return [merged(row, own.get(row["id"], {})) for row in texts_of(FOLDER / f"{suite}.yaml")]


@cache
def texts_of(path: Path) -> Any:
    """What a YAML file holds, with every number as the text that stands there."""
    text = path.read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts and nothing else


def merged(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What both state; where they differ, the second one's word."""
    return shared | {
        key: merged(shared[key], value)
        if isinstance(value, dict) and isinstance(shared.get(key), dict)
        else value
        for key, value in own.items()
    }


def series(version: str) -> tuple[int, ...]:
    """(2, 13) for `2.13.0+cpu`: a patch release changes no convention."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", version).groups()))


def stated_versions() -> list[str]:
    """The versions that have a file, the earliest first."""
    return sorted(
        (file.stem.removeprefix("torch-") for file in FOLDER.glob("torch-*.yaml")), key=series
    )


def facts_of(version: str, stated: list[str] | None = None) -> Facts:
    """The facts of a version. Those of the last one before it if it has no file, and of the first
    one if it is older than all.
    """
    stated = stated or stated_versions()
    nearest = [name for name in stated if series(name) <= series(version)][-1:] or stated[:1]
    file = f"torch-{nearest[0]}.yaml"
    known = series(version) == series(nearest[0])
    return Facts(
        version, file, known, merged(texts_of(FOLDER / "torch.yaml"), texts_of(FOLDER / file))
    )


def known_facts() -> list[Facts]:
    """The facts of every version that has a file."""
    return [facts_of(version) for version in stated_versions()]


FACTS = facts_of(version("torch"))


def difference(text: str) -> str:
    """What an assertion says: its own message, or else pytest's comparison of the two sides."""
    lines = text.removeprefix("AssertionError: ").splitlines()
    message = list(takewhile(lambda line: not line.startswith("assert "), lines))
    return "\n    ".join(message or lines[:LINES])


class FactsReport:
    """pytest on a version of torch that has no file: facts that changed are listed and fail
    nothing.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def pytest_configure(self, config: pytest.Config) -> None:
        """The marker is known."""
        config.addinivalue_line("markers", f"{MARKER}: a fact about a version of torch")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """A fact that does not hold is an expected failure. An exception of another kind is a
        failure as always: then a check did not come to an end.
        """
        report = yield
        if (
            not self.facts.known
            and call.when == "call"
            and item.get_closest_marker(MARKER)
            and call.excinfo is not None
            and call.excinfo.errisinstance(AssertionError)
        ):
            report.outcome = "skipped"
            report.wasxfail = difference(call.excinfo.exconly())
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Every fact that changed, with what was expected and what came."""
        if self.facts.known:
            return
        changed = [
            report
            for report in terminalreporter.getreports("xfailed")
            if MARKER in report.keywords and hasattr(report, "wasxfail")
        ]
        terminalreporter.section(f"torch {self.facts.version} has no file in tests/facts")
        terminalreporter.write_line(f"{len(changed)} facts are not as {self.facts.file} has them")
        for report in changed:
            terminalreporter.write_line(f"{report.nodeid}\n    {report.wasxfail}")
