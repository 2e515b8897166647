"""The differences between two reports, for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from rich.text import Text

from gradcheck_cli.reports.format import count_of, inline
from gradcheck_cli.reports.terminal import terminal_text
from gradcheck_cli.reports.wrap import wrap

if TYPE_CHECKING:
    from gradcheck_cli.reports.diff import Change, Diff

DIFF_FORMAT = 1
# What is not worse is told this often in the text; the JSON form has it all.
MAX_TOLD = 10


def diff_document(diff: Diff) -> dict[str, Any]:
    """The differences as plain data, for JSON."""

    def plain(change: Change) -> dict[str, Any]:
        return {
            key: str(value) if isinstance(value, float) and not isfinite(value) else value
            for key, value in asdict(change).items()
        }

    return {
        "format": DIFF_FORMAT,
        "exit_code": diff.exit_code,
        "compared": diff.compared,
        "environment": {
            name: {"before": before, "after": after} for name, before, after in diff.environment
        },
        **{
            name: [plain(change) for change in getattr(diff, name)]
            for name in ("regressions", "improvements", "changes", "new")
        },
    }


def render_diff(diff: Diff, width: int | None = None, *, color: bool = False) -> str:
    """The differences for people: how many there are, then each, what is worse first; the first few
    of what is not worse.

    Args:
        width: columns of the terminal; None for as many as it takes.
    """
    parts = (
        ("regression", "regressions", "bold red", diff.regressions),
        ("improvement", "improvements", "green", diff.improvements),
        ("change", "changes", "yellow", diff.changes),
        ("new check", "new checks", "", diff.new),
    )
    counts = [count_of(len(changes), noun) for noun, _, _, changes in parts]
    lines = [Text(f"{count_of(diff.compared, 'check')} compared: {', '.join(counts)}")]
    for name, before, after in diff.environment:
        lines.append(Text(inline(f"{name}: {before} → {after}")))
    for _, title, style, changes in parts:
        most = len(changes) if changes is diff.regressions else MAX_TOLD
        lines += [Text(), Text(title, style=style)] if changes else []
        lines += [Text(_line(change)) for change in changes[:most]]
        lines += [Text(f"… and {len(changes) - most:,} more")] if len(changes) > most else []
    pieces = [piece for line in lines for piece in wrap(line, width, 2)]
    return terminal_text(Text("\n").join(pieces), color=color)


def _line(change: Change) -> str:
    return inline(": ".join(filter(None, (change.case, change.partial, change.text))))
