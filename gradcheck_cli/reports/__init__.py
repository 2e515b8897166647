"""Report formats: one file each, one function `render(report, ...) -> str` each. The same Report
gives the same bytes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.records.report import Report

# Format name to module; each module has `render(report) -> str`.
FORMATS = ("table", "json", "jsonl", "csv", "markdown", "junit", "github", "gitlab", "sarif", "tap")
# `github` and `gitlab` go by no ending of their own: `--export gitlab:FILE`.
SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".md": "markdown",
    ".txt": "table",
    ".xml": "junit",
    ".sarif": "sarif",
    ".tap": "tap",
}


def renderer(name: str) -> Callable[[Report], str]:
    """The function that renders a format."""
    module = import_module(f"gradcheck_cli.reports.{name}")
    found: Callable[[Report], str] = module.render
    return found
