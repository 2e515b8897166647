"""Columns of a table: how much of each number there is room for, which columns give way, and where
decimal points stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from gradcheck_cli.reports.digits import ALL_DIGITS, SHORT, rounded
from gradcheck_cli.reports.format import torch_number
from gradcheck_cli.reports.rows import Detail, titles_of
from gradcheck_cli.reports.values import has_values, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.reports.facts import Group
    from gradcheck_cli.reports.rows import FactRow

GAP = "  "
LAST = "outcome"
# Below this a list is easier to read than what is left of a table.
NARROWEST = 60
# How digits that leave the truth are marked where the outcome is well all the same.
LEAVES = "yellow"
_NUMBER = re.compile(r"[+-]?\d+")
_WHOLE = re.compile(r"[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?")


def detail_of(
    tables: Sequence[tuple[Group, Sequence[FactRow]]], width: int | None, *, verbose: bool
) -> Detail | None:
    """As much of the numbers as every table of a report has room for; None for lists instead.

    Args:
        width: columns of the terminal; None for as many as it takes.
        verbose: nothing is rounded, no column gives way.
    """
    full = Detail(verbose=verbose)
    if width is None:
        return full
    if width < NARROWEST:
        return None
    known = (row for _, rows in tables for row in rows)
    ways = (full,) if verbose else _details(whole=any(map(_hides, known)))
    fitting = (d for d in ways if all(table_of(*table, d).width <= width for table in tables))
    return next(fitting, None)


def _details(*, whole: bool) -> Iterator[Detail]:
    """How a table gives way as the terminal narrows, in order: digits of the estimate and its bar,
    digits of the others; the estimate; what is allowed; the analytic column.

    Args:
        whole: shorter numbers would hide a difference that the outcome is about.
    """
    yield Detail()
    for without in ((), ("numeric",), ("numeric", "f"), ("numeric", "f", "analytic")):
        short = Detail(bar=1, without=without)
        lengths = (ALL_DIGITS,) if whole else range(SHORT, 5, -1)
        for digits in lengths:
            estimates = range(SHORT, 4, -1) if digits >= SHORT else ()
            yield from (short._replace(digits=digits, estimate=n) for n in estimates)
            yield from (short._replace(digits=digits, estimate=n, tight=True) for n in (4, 3))
        if without:
            yield from (short._replace(digits=digits, allowed=False) for digits in lengths)
    if whole:
        yield from _details(whole=False)


def _hides(row: FactRow) -> bool:
    """Whether numbers of `SHORT` digits look the same though the outcome is about their
    difference.
    """
    answer = row.opinions["autograd"].get("value")
    if row.settled or row.truth is None or answer is None or row.truth == float(answer):
        return False
    return rounded(row.truth, SHORT) == rounded(float(answer), SHORT)


@dataclass(frozen=True)
class Table:
    """A table: its head, and below each title the cells of that column.

    Attributes:
        first: number of the partial's column, which stands between those of the case and those of
            the opinions.
        marked: for each row which characters of the cell of `autograd` leave the truth.
    """

    head: Sequence[str]
    columns: Sequence[Sequence[str]]
    numbers: frozenset[int]
    autograd: int
    marked: Sequence[tuple[int, int]]

    @property
    def widths(self) -> list[int]:
        """Of each column."""
        pairs = zip(self.head, self.columns, strict=True)
        return [max(cell_len(title), *map(cell_len, column)) for title, column in pairs]

    @property
    def width(self) -> int:
        """Of the whole."""
        return sum(self.widths) + len(GAP) * (len(self.head) - 1)

    def lines(self, rows: Sequence[FactRow], styles: Mapping[str, str]) -> list[Text]:
        """The head, a rule, and a line for each row with its outcome in colour."""
        widths = self.widths
        lines = [self._line(list(map(Text, self.head)), widths), Text()]
        lines[0].stylize("bold")
        lines[1].append(GAP.join("─" * width for width in widths))
        for k, row in enumerate(rows):
            cells = [Text(column[k]) for column in self.columns]
            cells[-1].stylize(styles[row.outcome])
            mark = LEAVES if row.settled else styles[row.outcome]
            cells[self.autograd].stylize(mark, *self.marked[k])
            lines.append(self._line(cells, widths))
        return lines

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Text:
        """Numbers stand flush right, the case, the partial and the outcome flush left."""
        line = Text()
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - cell_len(cell.plain))
            parts = (space, cell) if k in self.numbers else (cell, space)
            line = Text.assemble(line, GAP * bool(k), *parts)
        line.rstrip()
        return line


def table_of(group: Group, rows: Sequence[FactRow], detail: Detail) -> Table:
    """The cells of a group's table."""
    titles = titles_of(rows, detail)
    head = [name.removesuffix(" =") for name in group.differing]
    fields = group.fields
    columns: list[Sequence[str]] = [
        [fields[id(row.record)].get(name, "") for row in rows] for name in group.differing
    ]
    numbers = {k for k, column in enumerate(columns) if all(map(_WHOLE.fullmatch, column))}
    columns = [_shorter(c, detail) if k in numbers else c for k, c in enumerate(columns)]
    if "f" not in detail.without and has_values(group):
        head.append("f")
        numbers.add(len(columns))
        columns.append([value_text(row.record, min(SHORT, detail.digits)) for row in rows])
    columns.append([row.name for row in rows])
    first = len(columns)
    numbers.update(range(first, first + len(titles)))
    columns += [[row.cell(name, detail) for row in rows] for name in titles]
    autograd = first + list(titles).index("autograd")
    marked = [_leaving(row, detail) for row in rows]
    columns = [_aligned(cells) if k in numbers else cells for k, cells in enumerate(columns)]
    columns.append([row.outcome for row in rows])
    # In a narrow terminal no title is wider than what it stands above, and says itself.
    is_wide = detail.digits >= ALL_DIGITS or max(map(len, columns[-1])) >= len(LAST)
    return Table(
        [*head, "", *titles.values(), LAST * is_wide], columns, frozenset(numbers), autograd, marked
    )


def _leaving(row: FactRow, detail: Detail) -> tuple[int, int]:
    """Where the digits of torch's answer leave those of the truth, and where they end."""
    answer, _, power = row.cell("autograd", detail).partition("e")
    if row.truth is None or not _NUMBER.match(answer):
        return 0, 0
    true, _, other = torch_number(row.truth, row.record["dtype"], detail.digits).partition("e")
    is_aligned = (power, answer.find(".")) == (other, true.find("."))
    pairs = zip(answer, true, strict=False) if is_aligned else ()
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)), len(answer)


def _shorter(cells: Sequence[str], detail: Detail) -> Sequence[str]:
    """Numbers of a point with no more digits than there is room for, if they still differ."""
    found = [min(cell, rounded(float(cell), detail.digits), key=len) for cell in cells]
    return found if len(set(found)) == len(set(cells)) else cells


def _aligned(column: Sequence[str]) -> list[str]:
    """The cells of a column with the points of its numbers below each other."""
    ends = [match.end() if (match := _NUMBER.match(cell)) else None for cell in column]
    tails = [0 if end is None else len(cell) - end for cell, end in zip(column, ends, strict=True)]
    most = max(tails, default=0)
    return [
        cell if end is None else cell + " " * (most - tail)
        for cell, end, tail in zip(column, ends, tails, strict=True)
    ]
