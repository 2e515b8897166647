"""Rows of a table: each partial as text, with a cell for each witness and for torch's error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import (
    FREE_ULPS,
    MODES,
    WITNESSES,
    opinion_of,
    opinions_of,
    worse_partials,
)
from gradcheck_cli.reports.format import (
    ALSO,
    NOTHING,
    inline,
    partial_name,
    to_the_bar,
    torch_number,
    with_bar,
)
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gradcheck_cli.records.record import Opinion, PartialRecord, Record

_MEASURES = ("error", "tolerance")
_TITLES = {
    "numeric": "numeric ± bar",
    "tolerance": "tolerance (abs)",
    **{mode: f"autograd ({mode})" for mode in MODES},
}


@dataclass(frozen=True)
class FactRow:
    """One partial as text.

    Attributes:
        partial: the entry of `partials` in its record.
        cells: by column: each witness, error, tolerance.
        settled: nothing is left to be told: it agrees, and so does every other opinion.
        needed: the reference says what the analytic column does not.
        also: it is that under the seeded cotangent, where it came out worse.
        abstentions: (witness, reason) behind each dash.
    """

    record: Record
    partial: PartialRecord
    cells: Mapping[str, str]
    settled: bool
    needed: bool
    abstentions: tuple[tuple[str, str], ...]
    also: bool = False

    @property
    def name(self) -> str:
        """`∂f/∂x`."""
        return ALSO * self.also + partial_name(self.partial, self.record)

    @property
    def outcome(self) -> str:
        """Of this partial."""
        return str(self.partial["outcome"])

    @property
    def plain(self) -> bool:
        """It agrees so closely that the row says it all."""
        ulps = opinion_of(self.partial, "autograd").get("ulps")
        return self.settled and ulps is not None and float(ulps) <= FREE_ULPS


def titles_of(rows: Iterable[FactRow], *, verbose: bool = False) -> dict[str, str]:
    """The columns of a table with their titles: every witness that one of the rows knows, then
    torch's error and what is allowed.

    Args:
        verbose: the reference has a column even where the analytic one says the same.
    """
    rows = list(rows)
    names = dict.fromkeys((*WITNESSES, *(name for row in rows for name in row.cells), *_MEASURES))
    order = [name for name in names if name not in _MEASURES] + list(_MEASURES)
    if not verbose and not any(row.needed for row in rows):
        order.remove("reference")
    return {name: _TITLES.get(name) or one_line(name) for name in order}


def rows_of(record: Record, *, verbose: bool = False) -> list[FactRow]:
    """A row for each partial of a case, and for each that is worse under the seeded cotangent."""
    rows = [_row(record, partial, verbose) for partial in record["partials"]]
    worse = (_row(record, partial, verbose) for partial in worse_partials(record))
    return [*rows, *(replace(row, abstentions=(), also=True) for row in worse)]


def _row(record: Record, partial: PartialRecord, verbose: bool) -> FactRow:
    opinions = dict(opinions_of(partial))
    cells = {name: _answer(name, partial, record["dtype"], verbose) for name in opinions}
    disputed = any(opinion.get("agrees") is False for opinion in opinions.values())
    truth = opinions["reference"].get("value")
    tolerance = opinions["autograd"].get("tolerance")
    return FactRow(
        record,
        partial,
        {
            **cells,
            "error": _error(opinions["autograd"], verbose),
            "tolerance": NOTHING if tolerance is None else f"{float(tolerance):.2g}",
        },
        settled=partial["outcome"] == Outcome.AGREE and not disputed,
        needed=truth is not None and cells["analytic"] != repr(float(truth)),
        abstentions=tuple(_abstentions(opinions)),
    )


def _answer(name: str, partial: PartialRecord, dtype: str, verbose: bool) -> str:
    """What a witness says of a partial, in a cell."""
    opinion = opinion_of(partial, name)
    value = opinion.get("value")
    if value is None:
        return NOTHING
    if name == "reference" and verbose:
        return inline(opinion["digits"])
    if name == "autograd" or name in MODES:
        return torch_number(float(value), dtype)
    if name == "numeric" and _is_sided(partial):
        return ", ".join(f"{side} {_slope(opinion[side])}" for side in ("left", "right"))
    # A key that nobody has described may hold anything.
    has_bar = "radius" in opinion and (name == "numeric" or name not in WITNESSES)
    return with_bar(float(value), float(opinion["radius"])) if has_bar else repr(float(value))


def _is_sided(partial: PartialRecord) -> bool:
    """Whether the sides differ: the central difference is a number without a meaning then."""
    numeric = partial["numeric"]
    sided = partial["one_sided"] is not None and "value" not in opinion_of(partial, "reference")
    return sided and bool(numeric["left"] or numeric["right"])


def _slope(side: Opinion | None) -> str:
    if side is None:
        return NOTHING
    value, radius = float(side["value"]), float(side["radius"])
    # A side of which nothing is known is no number without a bar.
    return to_the_bar(value, radius) if isfinite(radius) else with_bar(value, radius)


def _error(autograd: Opinion, verbose: bool) -> str:
    ulps, error = autograd.get("ulps"), autograd.get("error")
    if ulps is None or error is None or not isfinite(float(ulps)):
        return NOTHING
    return f"{float(ulps):.4g} ulp" + (f" ({float(error):.2g})" if verbose else "")


def _abstentions(opinions: Mapping[str, Opinion]) -> Iterator[tuple[str, str]]:
    """Not torch's and the reference's: what they cannot say is the verdict's own sentence."""
    for name, opinion in opinions.items():
        reason = opinion.get("abstained") or opinion.get("reason")
        if opinion.get("value") is None and reason and name not in ("reference", "autograd"):
            yield _TITLES[name] if name in MODES else one_line(name), reason
