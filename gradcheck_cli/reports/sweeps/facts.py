"""What is said of a sweep, in words and rows that every format for people shares."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.records.numbers import typed_text
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.sweep_record import NOT_SETTLED, ULP_EDGES
from gradcheck_cli.reports.format import inline, torch_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.numbers import JsonNumber
    from gradcheck_cli.records.sweep_record import Binade, SweptPoint, SweptSpan
    from gradcheck_cli.reports.sweeps import WholeSweep

# Stretches of an outcome that are named, and rows of the histogram, where not all are wanted.
_MOST_SPANS, _MOST_BINADES = 3, 16
# Upper ends of the histogram's columns, in ulps.
_SHOWN = (0.5, 1.0, 2.0, 4.0, 16.0, 1024.0)
EDGE_TITLES = ("≤ ½", "≤ 1", "≤ 2", "≤ 4", "≤ 16", "≤ 1024", "more")


class OutcomeRow(NamedTuple):
    """An outcome: its points, the worst of them, and where they lie."""

    outcome: str
    points: str
    worst: str
    at: str
    between: str


def head_of(sweep: WholeSweep) -> str:
    """What was swept."""
    name = f"∂f/∂{inline(sweep['variable'])}"
    fixed = "".join(f", {n} = {typed_text(v)}" for n, v in sweep["fixed"].items())
    count = f"{sweep['points']:,} points"
    if sweep["points"] < sweep["total"]:
        count = f"{sweep['points']:,} of {sweep['total']:,} points"
    each = f"every {sweep['dtype']}" if sweep["every"] else f"{sweep['dtype']} numbers"
    ranges = ", ".join(f"{inline(n)} = {inline(text)}" for n, text in sweep["over"].items())
    return f"{name} over {ranges}{fixed}: {each}, {count}, on {sweep['device']}"


def outcome_rows(sweep: WholeSweep) -> list[OutcomeRow]:
    """One for each outcome."""
    found = []
    for outcome, points in sweep["outcomes"].items():
        worst, spans = sweep["worst"].get(outcome), _where(sweep, outcome)
        ulps = None if worst is None else worst["ulps"]
        at = "" if worst is None else _place(worst, sweep)
        found.append(
            OutcomeRow(
                outcome,
                f"{points:,}",
                "" if ulps is None else _distance(float(ulps)),
                at,
                "" if not spans else _between(spans[0][0], spans[-1][1], sweep),
            )
        )
    return found


def _distance(ulps: float) -> str:
    """In ulps; there are none from an answer that is NaN."""
    return "nan" if isnan(ulps) else f"{ulps:.4g} ulp"


def _where(sweep: WholeSweep, outcome: str) -> list[tuple[JsonNumber, JsonNumber]]:
    spans: list[Any] = (
        [span for span in sweep["spans"] if span["outcome"] == outcome]
        if outcome != NOT_SETTLED
        else [*sweep["unsettled"]]
    )
    return [(span["low"], span["high"]) for span in spans if span["low"] is not None]


def _place(worst: SweptPoint, sweep: WholeSweep) -> str:
    """The numbers that move at a point."""
    numbers = {name: _number(worst["at"][name], sweep) for name in sweep["over"]}
    if len(numbers) == 1:
        return next(iter(numbers.values()))
    return ", ".join(f"{inline(name)} = {number}" for name, number in numbers.items())


def _between(low: JsonNumber | None, high: JsonNumber | None, sweep: WholeSweep) -> str:
    if low is None or high is None:
        return ""
    if low == high:
        return _number(low, sweep)
    return f"{_number(low, sweep)} … {_number(high, sweep)}"


def _number(value: JsonNumber, sweep: WholeSweep) -> str:
    return torch_number(float(value), sweep["dtype"])


def sentences_of(sweep: WholeSweep, *, verbose: bool = False) -> list[tuple[str, str]]:
    """(outcome or nothing, sentence) of what is not plainly good, and how all was judged."""
    found: list[tuple[str, str]] = []
    for outcome in sweep["outcomes"]:
        worst = sweep["worst"].get(outcome)
        if outcome in (Outcome.AGREE, NOT_SETTLED) or worst is None:
            continue
        at = _place(worst, sweep)
        found.append((outcome, f"at {at}: {worst['partial']['reason']}"))
        spans = [span for span in sweep["spans"] if span["outcome"] == outcome]
        if len(spans) > 1 and spans[0]["low"] is not None:
            found.append(("", f"{outcome} in {_stretches(spans, sweep, verbose=verbose)}"))
    for left in sweep["unsettled"] if verbose else sweep["unsettled"][:_MOST_SPANS]:
        place = "" if left["low"] is None else f" in {_between(left['low'], left['high'], sweep)}"
        found.append((NOT_SETTLED, f"{left['points']:,} points{place}: {left['reason']}"))
    more = len(sweep["unsettled"]) - _MOST_SPANS
    if more > 0 and not verbose:
        found.append((NOT_SETTLED, f"… and {more_stretches(more)}"))
    found += [("", assumption) for assumption in sweep["assumptions"]]
    return [*found, ("", how(sweep))]


def _stretches(spans: Sequence[SweptSpan], sweep: WholeSweep, *, verbose: bool) -> str:
    texts = []
    for span in spans if verbose else spans[:_MOST_SPANS]:
        whole = "" if span["whole"] else f" ({span['points']:,} points)"
        texts.append(f"{_between(span['low'], span['high'], sweep)}{whole}")
    more = len(spans) - len(texts)
    return ", ".join(texts) + (f" and {more_stretches(more)}" if more else "")


def more_stretches(number: int) -> str:
    """What is not named."""
    return f"{number:,} more stretch{'' if number == 1 else 'es'}"


def how(sweep: WholeSweep) -> str:
    """How the points were judged."""
    pieces = f"{sweep['cells']:,} proved piece{'' if sweep['cells'] == 1 else 's'} of the truth"
    bulk = f"enclosures in bulk of {sweep['in_bulk']:,} points ({sweep['samples']:,} held to balls)"
    against = [pieces] * bool(sweep["cells"]) + [bulk] * bool(sweep["in_bulk"])
    alone = f"{sweep['alone']:,} checked one by one"
    near = f"{sweep['within']:,} within 4 ulp whatever the formula"
    return f"held against {' and '.join(against) or 'nothing'}; {near}; {alone}"


def commands_of(sweep: WholeSweep) -> list[str]:
    """The commands that reproduce the worst point of each outcome but `agree`."""
    worst = sweep["worst"].items()
    return [point["reproduce"] for outcome, point in worst if outcome != Outcome.AGREE]


def histogram_of(sweep: WholeSweep, *, verbose: bool = False) -> list[tuple[str, list[int]]]:
    """(binades, points by `EDGE_TITLES`): neighbours are taken together where all are nearest
    numbers, and further where there are more rows than people read.
    """
    rows: list[tuple[list[Binade], list[int]]] = []
    for binade in sweep["histogram"]:
        points = _shown(binade["points"])
        last = rows[-1] if rows else None
        is_like = last is not None and _class(last[1]) == _class(points)
        if last is not None and is_like and last[0][-1]["negative"] == binade["negative"]:
            rows[-1] = ([*last[0], binade], [a + b for a, b in zip(last[1], points, strict=True)])
        else:
            rows.append(([binade], points))
    if len(rows) > _MOST_BINADES and not verbose:
        rows = sorted(rows, key=lambda row: -_class(row[1]))[:_MOST_BINADES]
        rows.sort(key=lambda row: _order(row[0][0]))
    return [(_binades(group, sweep), points) for group, points in rows]


def _order(binade: Binade) -> tuple[bool, int]:
    exponent = binade["exponent"]
    return (not binade["negative"], -exponent if binade["negative"] else exponent)


def _shown(points: Sequence[int]) -> list[int]:
    found = [0] * len(EDGE_TITLES)
    for k, number in enumerate(points):
        edge = ULP_EDGES[k] if k < len(ULP_EDGES) else float("inf")
        place = next((j for j, shown in enumerate(_SHOWN) if edge <= shown), len(_SHOWN))
        found[place] += number
    return found


def _class(points: Sequence[int]) -> int:
    """The last column that has points."""
    return max((k for k, number in enumerate(points) if number), default=0)


def _binades(group: Sequence[Binade], sweep: WholeSweep) -> str:
    """`2^-3 … 2^4`; of the lowest binade 0 is its lower end, and all of it in a dtype that has no
    other number so small.
    """
    sign = "-" if group[0]["negative"] else ""
    exponents = sorted(binade["exponent"] for binade in group)
    if exponents == [-1023] and sweep["dtype"] != "float64":
        return f"{sign}0"
    low = "0" if exponents[0] <= -1023 else f"{sign}2^{exponents[0]}"
    high = f"{sign}2^{exponents[-1] + 1}"
    return f"{high} … {low}" if sign else f"{low} … {high}"
