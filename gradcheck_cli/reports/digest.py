"""Large answers summed up: the worst rows, a line for the rest, and where along an input which
outcome is found.
"""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.records.outcome import OUTCOMES, Outcome
from gradcheck_cli.records.record import failing_variants
from gradcheck_cli.reports.digits import amount
from gradcheck_cli.reports.facts import UNEXPECTED, place_of, programs_of, remarks_of
from gradcheck_cli.reports.format import MAX_LINE, count_of, escape_controls, inline
from gradcheck_cli.reports.tally import tally
from gradcheck_cli.reports.wrap import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcheck_cli.records.record import ClaimRecord, Record
    from gradcheck_cli.reports.facts import Group
    from gradcheck_cli.reports.rows import FactRow

# Points of an input that follow each other, with the worst row of each.
_Stretch: TypeAlias = "list[tuple[float, FactRow]]"
_Stretches: TypeAlias = "list[_Stretch]"

# Rows that a table has without being asked for more, and those of a larger one of which nothing is
# to be told.
MOST_ROWS, FEW_ROWS = 10, 3
_RANKS = {str(outcome): outcome.rank for outcome in Outcome}
# Stretches of an input that are named, the longest.
MOST_STRETCHES = 2
# Numbers of an input that its stretches are told from: fewer are a list of points.
LEAST_POINTS = 5


def worst_first(rows: Iterable[FactRow]) -> list[FactRow]:
    """Rows by how bad they are: what is not settled, the outcome, the error."""
    return sorted(rows, key=_badness)


def chosen(rows: Sequence[FactRow]) -> list[FactRow]:
    """The rows of a table: all of a few, else the worst."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    unsettled = sum(1 for row in rows if not row.settled)
    return nsmallest(min(MOST_ROWS, max(FEW_ROWS, unsettled)), rows, key=_badness)


def rest_of(group: Group, rows: Sequence[FactRow], shown: Sequence[FactRow]) -> list[str]:
    """What the rows amount to of which some are not shown: `28 of 30 agree; worst 24.6 ulp at
    ∂f/∂W[2,3]`, and where along an input the others are.
    """
    if len(shown) == len(rows):
        return []
    counts = Counter(row.outcome for row in rows)
    along = stretches(group, rows)
    parts = [f"{counts[Outcome.AGREE]:,} of {len(rows):,} agree"]
    agreeing = [row for row in rows if row.outcome == Outcome.AGREE and row.ulps is not None]
    worst = min(agreeing, key=_badness, default=None)
    if worst is not None and worst.ulps:
        parts.append(f"worst {amount(worst.ulps)} ulp at {group.subject(worst)}")
    others = (outcome for outcome in OUTCOMES if counts[outcome] and outcome != Outcome.AGREE)
    parts += [f"{counts[outcome]:,} {outcome}" for outcome in others]
    return ["; ".join(parts), *along]


def brief_of(group: Group) -> str:
    """A program's cases in a line: what they come to, what is not as expected, and the worst of
    them; of a program that was read leniently the text as typed, and what that was read as.
    """
    texts = (" ".join(escape_controls(text).split()) for text in programs_of(group))
    program, *read_as = (shorten(text, MAX_LINE) for text in texts)
    if "\n" in (group.records[0]["written"] or ""):  # a cell
        program = ""
    head = "; ".join(filter(None, (program, *map("read as {}".format, read_as), place_of(group))))
    many = len(group.records) > 1
    total = f"{count_of(len(group.records), 'case')}: " if many else ""
    words = ", ".join(f"{n:,} {word}" if many else word for word, n in tally(group.records))
    unsettled = [row for row in worst_first(group.rows) if not row.settled]
    found = stretches(group, group.rows)
    if not found and unsettled:
        found = [f"{group.subject(unsettled[0])}: {one_line(unsettled[0].partial['reason'])}"]
    # Of code nothing else tells why it has no verdict.
    lacking = [r for r in group.records if r["outcome"] == Outcome.ERROR and r["source"] is None]
    found += [one_line(r["reason"]) for r in lacking if r["reason"]][:1]
    found += [f"`{inline(c['claim'])}`: {one_line(c['reason'])}" for c in _failing_claims(group)]
    found += [text for r in group.records for text in _explained(r)][:1]
    varied = [v for r in group.records for v in failing_variants(r)][:1]
    found += [f"{v['what']}: {one_line(v['reason'])}" for v in varied]
    return "; ".join([f"{head}: {total}{words}", *_unexpected(group), *found])


def tells_reading(group: Group) -> bool:
    """Whether the line has to say how a program was read although all is well: that of a suite is
    told by `gradcheck lint`.
    """
    first = group.records[0]
    return first["written"] is not None and first["source"] is None


def _unexpected(group: Group) -> list[str]:
    """Of the first case that is not as its suite expects why that is so."""
    for record in group.records:
        for kind, text in remarks_of(record):
            if kind == UNEXPECTED:
                label = group.label(record)
                return [f"{label}: {one_line(text)}" if label else one_line(text)]
    return []


def _explained(record: Record) -> list[str]:
    """What is wrong with a function, where that is known."""
    explanation = (record["function"] or {"explanation": None})["explanation"]
    return [] if explanation is None else [one_line(explanation["text"])]


def _failing_claims(group: Group) -> list[ClaimRecord]:
    """What is claimed and not proved, the worst first, of one program once."""
    claims = {c["claim"]: c for r in group.records for c in r["claims"] or ()}
    open_ = [claim for claim in claims.values() if claim["outcome"] != Outcome.AGREE]
    return sorted(open_, key=lambda claim: Outcome(claim["outcome"]).rank)[:1]


def _badness(row: FactRow) -> tuple[bool, int, float]:
    error = row.ulps
    return (
        row.settled,
        _RANKS[row.partial["outcome"]],
        -(error if error is not None else float("inf")),
    )


def stretches(group: Group, rows: Sequence[FactRow]) -> list[str]:
    """Where along the only input that differs which outcome is found, each with its worst point."""
    axis = _axis(group)
    if axis is None:
        return []
    name, points = axis
    worst: dict[float, FactRow] = {}
    for row in worst_first(rows):
        worst.setdefault(points[id(row.record)], row)
    along = sorted(worst.items())
    runs = [list(run) for _, run in groupby(along, key=lambda entry: entry[1].outcome)]
    found: dict[str, _Stretches] = {}
    for run in runs:
        found.setdefault(run[0][1].outcome, []).append(run)
    return [
        f"{outcome} for {_where(name, parts, along)}{_worst(name, parts)}"
        for outcome, parts in sorted(found.items(), key=lambda item: Outcome(item[0]).rank)
        if outcome != Outcome.AGREE or len(found) == 1
    ]


def _axis(group: Group) -> tuple[str, dict[int, float]] | None:
    """The input that differs among the cases of a group, and each case's number of it."""
    asked = [name.removesuffix(" =") for name in group.differing if name.endswith(" =")]
    if len(asked) != 1 or len(group.differing) != 1:
        return None
    name = next((n for n in group.records[0]["at"] if inline(n) == asked[0]), None)
    values = {id(record): _number(record, name) for record in group.records}
    if name is None or None in values.values() or len(set(values.values())) < LEAST_POINTS:
        return None
    return asked[0], {key: float(value) for key, value in values.items() if value is not None}


def _number(record: Record, name: str | None) -> float | None:
    value = record["at"].get(name or "")
    return None if value is None or isinstance(value, list) else float(value)


def _where(name: str, parts: _Stretches, along: _Stretch) -> str:
    """`|x| >= 5.4`, `x <= -1, 2 <= x <= 3 and at 4 more points from 5 to 9`."""
    first, last = along[0][0], along[-1][0]
    if sum(map(len, parts)) == len(along):
        return f"every {name} from {_text(first)} to {_text(last)}"
    longest = sorted(parts, key=len)[-MOST_STRETCHES:]
    shown = [part for part in parts if part in longest]
    ends = [(part[0][0], part[-1][0]) for part in shown]
    if first == -last and ends == [(first, -ends[-1][0]), (ends[-1][0], last)]:
        texts = [f"|{name}| >= {_text(ends[1][0])}"]
    elif len(ends) == 1 and ends[0][0] == -ends[0][1] < 0:
        texts = [f"|{name}| <= {_text(ends[0][1])}"]
    else:
        texts = [_between(name, *pair, first, last) for pair in ends]
    rest = [value for part in parts if part not in shown for value, _ in part]
    if rest:
        ends_of = f"from {_text(rest[0])} to {_text(rest[-1])}" if rest[1:] else _text(rest[0])
        more = f"at {count_of(len(rest), 'more point')} {ends_of}"
        return f"{', '.join(texts)} and {more}"
    return ", ".join(texts)


def _between(name: str, a: float, b: float, first: float, last: float) -> str:
    if a == b:
        return f"{name} = {_text(a)}"
    if a == first:
        return f"{name} <= {_text(b)}"
    if b == last:
        return f"{name} >= {_text(a)}"
    return f"{_text(a)} <= {name} <= {_text(b)}"


def _worst(name: str, parts: _Stretches) -> str:
    """The worst point of some stretches, where one is worse than others."""
    points = [point for part in parts for point in part]
    value, row = min(points, key=lambda point: _badness(point[1]))
    if len(points) == 1 or row.ulps is None:
        return ""
    return f", worst at {name} = {_text(value)} ({amount(row.ulps)} ulp)"


def _text(value: float) -> str:
    """A number of a point, as close as one reads; the commands are exact."""
    return f"{value:.6g}"
