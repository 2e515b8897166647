"""The chain rules of the cases of a program, of many the first few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gradcheck_cli.reports.chain_rule import ALWAYS, TITLES, ChainText, chain_rule
from gradcheck_cli.reports.format import MAX_LINE, count_of
from gradcheck_cli.reports.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.reports.facts import Group

# Cases whose chain rule is shown, unless asked for more: each is a screen.
MAX_TRACES = 3


def chain_tables(group: Group, *, verbose: bool = False) -> Iterator[list[list[str]]]:
    """The chain rule of each case, of many the first few: what tells the case apart, the titles of
    columns, and the lines.
    """
    most = None if verbose else MAX_LINE
    for record in _traced(group)[: None if verbose else MAX_TRACES]:
        rows = [line.cells(most, most) for line in ChainText(record, verbose=verbose).lines()]
        shown = [k for k in range(len(TITLES)) if k < ALWAYS or any(row[k] for row in rows)]
        label = chain_label(group, record)
        yield [[label] if label else [], *([row[k] for k in shown] for row in (TITLES, *rows))]


def chain_label(group: Group, record: Record) -> str:
    """What a case's chain rule is told apart by; empty where there is one case."""
    label = group.label(record)
    return f"chain rule at {label}" if label else ""


def chains_left(group: Group, *, verbose: bool = False) -> str:
    """How many more cases have a chain rule; empty where all are shown."""
    more = 0 if verbose else len(_traced(group)) - MAX_TRACES
    return f"… and the chain rule of {count_of(more, 'case')} more" if more > 0 else ""


def chain_rules(group: Group, width: int | None, *, verbose: bool = False) -> list[Text]:
    """As `chain_rule`, of each case, of many the first few."""
    lines: list[Text] = []
    for record in _traced(group)[: None if verbose else MAX_TRACES]:
        label = chain_label(group, record)
        lines += [Text()] * bool(lines)
        lines += wrap(Text(label), width, 2) if label else []
        lines += chain_rule(record, width, verbose=verbose)
    left = chains_left(group, verbose=verbose)
    if left:
        lines += [Text(), *wrap(Text(f"{left}, which --verbose shows"), width, 2)]
    return lines


def _traced(group: Group) -> list[Record]:
    return [record for record in group.records if record["trace"]]
