"""The Markdown report: GitHub-flavoured tables, for issues, pull requests and job summaries."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Status
from gradcheck_cli.reports.chain_rule import NUMBERS
from gradcheck_cli.reports.facts import (
    MAX_FORMULAS,
    commands,
    groups,
    is_settled,
    phrase_of,
    programs_of,
    sentences,
)
from gradcheck_cli.reports.findings import file_of
from gradcheck_cli.reports.format import MAX_LINE, count_of, escape_controls, inert
from gradcheck_cli.reports.header import formulas
from gradcheck_cli.reports.rows import rows_of, titles_of
from gradcheck_cli.reports.tally import summary
from gradcheck_cli.reports.traced_cases import chain_tables, chains_left
from gradcheck_cli.reports.wrap import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.facts import Group
    from gradcheck_cli.reports.rows import FactRow

RANK = 5
SUFFIXES = (".md",)

# Everything that CommonMark or GitHub gives a meaning inside a line, backticks apart. The @ would
# notify whoever has that name; `://` and `www.` would make a link.
_SPECIAL = re.compile(r"([\\*_{}\[\]<>#|~$&@!]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
# What a suite's report tells in full; the rest is counted. GitHub drops a job summary of more than
# 1 MiB.
MAX_GROUPS, MAX_ROWS, MAX_FILES, MAX_BYTES = 50, 20, 200, 900_000


def render(report: Report) -> str:
    """A heading with the summary, then for each program its table, what is to be said of it, and
    how to reproduce it.

    Of a suite: how many checks of each file came to each status, then the programs that are not
    plainly good, worst first.
    """
    problems = [f"- problem: {prose(one_line(problem))}" for problem in report.problems]
    if any(record["source"] is not None for record in report.records):
        head = [f"## {summary(report)}", *_first(problems, "problem"), _counts(report)]
        return inert("\n\n".join([*head, *_details(report, MAX_BYTES - _size(head))]) + "\n")
    blocks = [f"## {summary(report)}"]
    for group in groups(report):
        blocks += _group(group)
    return inert("\n\n".join([*blocks, *problems]) + "\n")


def _counts(report: Report) -> str:
    """A table: a row for each file, a column for each status that was come to; of many files the
    worst.
    """
    counts = Counter((file_of(record) or "", record["status"]) for record in report.records)
    files = list(dict.fromkeys(file for file, _ in counts))
    if len(files) > MAX_FILES:
        files.sort(key=lambda file: [-counts[file, status] for status in Status])
    statuses = [status for status in reversed(Status) if status in report.statuses]
    rows = [["file", *statuses, "all"], ["---"] + ["---:"] * (len(statuses) + 1)]
    for file in files[:MAX_FILES]:
        numbers = [counts[file, status] for status in statuses]
        name = cell(escape_controls(file)) or "no suite"
        rows.append([name, *(f"{number:,}" for number in (*numbers, sum(numbers)))])
    if len(files) > MAX_FILES:
        rest = count_of(len(files) - MAX_FILES, "file")
        rows.append([f"… and {rest} more", *[""] * (len(statuses) + 1)])
    if len(files) > 1:
        numbers = [report.statuses[status] for status in statuses]
        rows.append(["all", *(f"{number:,}" for number in (*numbers, counts.total()))])
    return "\n".join(map(_line, rows))


def _first(lines: list[str], noun: str) -> list[str]:
    """The first few, and how many more there are."""
    if len(lines) <= MAX_ROWS:
        return lines
    return [*lines[:MAX_ROWS], f"… and {count_of(len(lines) - MAX_ROWS, noun)} more"]


def _size(blocks: Sequence[str]) -> int:
    """Bytes of blocks, with the empty line after each."""
    return sum(len(block.encode()) + 2 for block in blocks)


def _details(report: Report, room: int) -> list[str]:
    """The programs that are not plainly good, as many as fit into `room` bytes."""
    bad = [record for record in report.records if not is_settled(record, rows_of(record))]
    ranked = sorted(
        groups(replace(report, records=bad)),
        key=lambda group: min(Status(record["status"]).rank for record in group.records),
    )
    blocks: list[str] = []
    left = len(ranked)
    for group in ranked[:MAX_GROUPS]:
        added = _group(group, MAX_ROWS)
        if _size(added) <= room:
            blocks += added
            room -= _size(added)
            left -= 1
    if left:
        blocks.append(f"… and {count_of(left, 'program')} more that are not plainly good")
    return blocks


def _group(group: Group, most: int | None = None) -> list[str]:
    """The blocks of a program, its table no longer than `most` rows."""
    shared = phrase_of(group.shared, group.shared)
    program, *read_as = programs_of(group)
    lines = [f"read as {code(text)}" for text in read_as]
    lines += [prose(shared)] if shared else []
    known = formulas(group.rows)
    for name, formula in known[:MAX_FORMULAS]:
        lines.append(f"{code(name)} = {code(shorten(formula, MAX_LINE))}")
    if len(known) > MAX_FORMULAS:
        lines.append(f"… and {len(known) - MAX_FORMULAS:,} more")
    texts = [_sentence(said.kind, said.subject, said.text) for said in sentences(group)]
    blocks = [
        fence(escape_controls(program), "python"),
        # Two spaces at a line's end keep it a line.
        "  \n".join(lines),
        *_tables(group, most),
        *_chain_rules(group),
    ]
    blocks += ["\n".join(texts)] if texts else []
    lines = commands(group)
    return [*blocks, fence("\n".join(lines), "sh")] if lines else blocks


def _tables(group: Group, most: int | None) -> list[str]:
    rows = group.rows
    if most is not None and len(rows) > most:
        rows = sorted(rows, key=lambda row: row.settled)[:most]
    if not rows:
        return []
    left = len(group.rows) - len(rows)
    return [_table(group, rows), *([f"… and {count_of(left, 'row')} more"] if left else [])]


def _table(group: Group, rows: Sequence[FactRow]) -> str:
    titles = titles_of(rows)
    asked = [cell(name.removesuffix(" =")) for name in group.differing]
    lines = [
        _line([*asked, "partial", *map(cell, titles.values()), "outcome"]),
        _line(["---"] * (len(asked) + 1) + ["---:"] * len(titles) + ["---"]),
    ]
    for row in rows:
        fields = group.fields[id(row.record)]
        outcome = row.outcome if row.settled else f"**{row.outcome}**"
        lines.append(
            _line(
                [
                    *(cell(fields.get(name, "")) for name in group.differing),
                    _in_cell(code(row.name)),
                    *(row.cell(name) for name in titles),
                    outcome,
                ]
            )
        )
    return "\n".join(lines)


def _chain_rules(group: Group) -> Iterator[str]:
    """The chain rule of the first few cases, a table for each."""
    for label, head, *rows in chain_tables(group):
        if label:
            yield prose(" ".join(label))
        sides = ["---:" if title in NUMBERS else "---" for title in head]
        cells = ([_in_cell(code(text)) if text else "" for text in row] for row in rows)
        yield "\n".join(map(_line, [head, sides, *cells]))
    left = chains_left(group)
    if left:
        yield left


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sentence(kind: str, subject: str, text: str) -> str:
    parts = [f"**{prose(kind)}**" if kind else "", prose(subject), prose(text)]
    return f"- {': '.join(filter(None, parts))}"


def cell(text: str) -> str:
    """Text inside a table: one line, every bar escaped, those in code too."""
    return _in_cell(prose(" ".join(text.split())))


def _in_cell(text: str) -> str:
    """Markdown inside a table, where a bar ends a cell be it in the middle of code."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\|", r"\1\\|", text)


def prose(text: str) -> str:
    """Text with its `code` kept and everything else that Markdown would read escaped; a backtick
    without a partner is escaped too.
    """
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if k % 2 else _SPECIAL.sub(r"\\\1", part).replace("`", r"\`")
        for k, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A code span around text that may itself hold backticks."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    space = " " if longest else ""
    return f"{'`' * (longest + 1)}{space}{text}{space}{'`' * (longest + 1)}"


def fence(text: str, language: str) -> str:
    """A code block whose fence no line of the text can close."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
