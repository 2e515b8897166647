"""The Markdown report: GitHub-flavoured tables, for issues, pull requests and job summaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.reports.format import MAX_LINE, printable
from gradcheck_cli.reports.rows import MAX_FORMULAS, commands, formulas, groups, said, sentences, summary
from gradcheck_cli.reports.table import TITLES
from gradcheck_cli.reports.wrap import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.reports.rows import Group
    from gradcheck_cli.suite.report import Report

# Everything that CommonMark or GitHub gives a meaning inside a line, backticks apart. The @ would notify whoever has that name.
_SPECIAL = re.compile(r"([\\*_{}\[\]<>#|~$&@!])")


def render(report: Report) -> str:
    """A heading with the summary, then for each program its table, what is to be said of it, and how to reproduce it."""
    blocks = [f"## {summary(report)}"]
    for group in groups(report):
        blocks += _group(group)
    blocks += [f"- problem: {prose(printable(problem))}" for problem in report.problems]
    return "\n\n".join(blocks) + "\n"


def _group(group: Group) -> list[str]:
    blocks = [fenced(printable(group.records[0]["expression"].strip("\n")), "python")]
    shared = said(group.shared, group.shared)
    found = formulas(group)
    lines = [prose(shared)] if shared else []
    lines += [f"{code(name)} = {code(shortened(formula, MAX_LINE))}" for name, formula in found[:MAX_FORMULAS]]
    lines += [f"… and {len(found) - MAX_FORMULAS:,} more"] if len(found) > MAX_FORMULAS else []
    # Two spaces at a line's end keep it a line.
    blocks += ["  \n".join(lines), _table(group)]
    told = [_sentence(sentence.kind, sentence.subject, sentence.text) for sentence in sentences(group)]
    reproduced = commands(group)
    return [*blocks, *(["\n".join(told)] if told else []), *([fenced("\n".join(reproduced), "sh")] if reproduced else [])]


def _table(group: Group) -> str:
    columns = [name for name in TITLES if name != "reference" or any(row.needed for row in group.rows)]
    names = [name.removesuffix(" =") for name in group.differing]
    lines = [_line([*map(cell, names), "partial", *(TITLES[name] for name in columns), "outcome"])]
    lines.append(_line(["---"] * (len(names) + 1) + ["---:"] * len(columns) + ["---"]))
    for row in group.rows:
        asked = [cell(group.fields[id(row.record)].get(name, "")) for name in group.differing]
        outcome = row.outcome if row.settled else f"**{row.outcome}**"
        lines.append(_line([*asked, code(row.name), *(row.cells[name] for name in columns), outcome]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sentence(kind: str, subject: str, text: str) -> str:
    parts = [*([f"**{kind}**"] if kind else []), *([prose(subject)] if subject else []), prose(text)]
    return f"- {': '.join(parts)}"


def cell(text: str) -> str:
    """Text inside a table: one line, every bar escaped."""
    return prose(" ".join(text.split()))


def prose(text: str) -> str:
    """Text with its `code` kept and everything else that Markdown would read escaped; a backtick without a partner is escaped too."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if k % 2 else _SPECIAL.sub(r"\\\1", part).replace("`", r"\`") for k, part in enumerate(parts))


def code(text: str) -> str:
    """A code span around text that may itself hold backticks."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    space = " " if longest else ""
    return f"{'`' * (longest + 1)}{space}{text}{space}{'`' * (longest + 1)}"


def fenced(text: str, language: str) -> str:
    """A code block whose fence no line of the text can close."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
