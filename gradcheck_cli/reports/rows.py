"""Rows of a table: each partial as text, with a cell for each witness and for torch's error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import (
    FREE_ULPS,
    MODES,
    WITNESSES,
    abstains,
    opinions_of,
    worse_partials,
)
from gradcheck_cli.reports.digits import ALL_DIGITS, amount, rounded, to_the_bar, with_bar
from gradcheck_cli.reports.format import ALSO, NOTHING, inline, partial_name, torch_number
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gradcheck_cli.records.record import Opinion, PartialRecord, Record

_TITLES = {
    "numeric": "numeric ± bar",
    **{mode: f"autograd ({mode})" for mode in MODES},
}


class Detail(NamedTuple):
    """How much of a row is written.

    Attributes:
        digits: significant digits of the derivatives; those of the estimate are `estimate`, and
            those of its bar `bar`.
        tight: no blanks around `±`, one digit of what is allowed.
        allowed: what would still agree stands beside the error.
        without: columns that are left out.
        verbose: the digits that are proved, and errors in the unit of the partial as well.
    """

    digits: int = ALL_DIGITS
    estimate: int = ALL_DIGITS
    bar: int = 2
    tight: bool = False
    allowed: bool = True
    without: tuple[str, ...] = ()
    verbose: bool = False


@dataclass
class FactRow:
    """One partial as text. It is not frozen, as very many are made: that would be a call for each
    field.

    Attributes:
        partial: the entry of `partials` in its record.
        also: it is that under the seeded cotangent, where it came out worse.
    """

    record: Record
    partial: PartialRecord
    also: bool = False

    @cached_property
    def settled(self) -> bool:
        """Nothing is left to be told: it agrees, and so does every other opinion."""
        if self.partial["outcome"] != Outcome.AGREE:
            return False
        said = [one for one in self.partial.values() if isinstance(one, dict)]
        # Of a hundred thousand partials few have an opinion that is disputed.
        if False not in [one.get("agrees") for one in said]:
            return True
        return all(opinion.get("agrees") is not False for opinion in self.opinions.values())

    @property
    def needed(self) -> bool:
        """The reference says what the analytic column does not."""
        truth, analytic = (self.opinions[name].get("value") for name in ("reference", "analytic"))
        if truth is None:
            return False
        return analytic is None or repr(float(truth)) != repr(float(analytic))

    @property
    def abstentions(self) -> tuple[tuple[str, str], ...]:
        """(witness, reason) behind each dash."""
        return () if self.also else tuple(_abstentions(self.opinions))

    @property
    def name(self) -> str:
        """`∂f/∂x`."""
        return ALSO * self.also + partial_name(self.partial, self.record)

    @property
    def outcome(self) -> str:
        """Of this partial."""
        return str(self.partial["outcome"])

    @cached_property
    def opinions(self) -> Mapping[str, Opinion]:
        """What each witness said."""
        return dict(opinions_of(self.partial))

    @property
    def ulps(self) -> float | None:
        """torch's error; None where there is no measure of it, as where the truth is 0."""
        said = self.partial["autograd"]
        ulps = None if abstains(said) else said.get("ulps")
        return None if ulps is None else float(ulps)

    @property
    def truth(self) -> float | None:
        """The derivative, where it is proved."""
        value = self.opinions["reference"].get("value")
        return None if value is None else float(value)

    @property
    def plain(self) -> bool:
        """It agrees so closely that the row says it all."""
        return self.settled and self.ulps is not None and self.ulps <= FREE_ULPS

    def cell(self, column: str, detail: Detail = Detail()) -> str:  # noqa: B008 - it never changes
        """What stands in a column of titles_of."""
        if column == "error":
            return _error(self.opinions["autograd"], detail)
        opinion = self.opinions.get(column)
        if opinion is None or opinion.get("value") is None:
            return NOTHING
        return _answer(column, opinion, self, detail)


def titles_of(rows: Iterable[FactRow], detail: Detail = Detail()) -> dict[str, str]:  # noqa: B008 - it never changes
    """The columns of a table with their titles: every witness that one of the rows knows, then
    torch's error, and what is allowed beside it. Where it is not asked for in full, the reference
    has a column only where the analytic one does not say the same.
    """
    rows = list(rows)
    names = dict.fromkeys((*WITNESSES, *(name for row in rows for name in row.opinions), "error"))
    left = [name for name in detail.without if name in names]
    if not detail.verbose and not any(row.needed for row in rows):
        left.append("reference")
    return {name: _TITLES.get(name) or one_line(name) for name in names if name not in left}


def rows_of(record: Record) -> list[FactRow]:
    """A row for each partial of a case, and for each that is worse under the seeded cotangent."""
    rows = [FactRow(record, partial) for partial in record["partials"]]
    return [*rows, *(FactRow(record, partial, also=True) for partial in worse_partials(record))]


def _answer(name: str, opinion: Opinion, row: FactRow, detail: Detail) -> str:
    """What a witness says of a partial, in a cell."""
    value, space = float(opinion["value"]), "" if detail.tight else " "
    if name == "reference" and detail.verbose:
        return inline(opinion["digits"])
    if name == "autograd" or name in MODES:
        return torch_number(value, row.record["dtype"], detail.digits)
    if name == "numeric" and _is_sided(row):
        return ", ".join(f"{side} {_slope(opinion[side], detail)}" for side in ("left", "right"))
    # A key that nobody has described may hold anything.
    has_bar = "radius" in opinion and (name == "numeric" or name not in WITNESSES)
    if has_bar:
        return with_bar(value, float(opinion["radius"]), detail.estimate, detail.bar, space)
    return rounded(value, detail.digits)


def _is_sided(row: FactRow) -> bool:
    """Whether the sides differ: the central difference is a number without a meaning then."""
    numeric = row.partial["numeric"]
    sided = row.partial["one_sided"] is not None and row.truth is None
    return sided and bool(numeric["left"] or numeric["right"])


def _slope(side: Opinion | None, detail: Detail) -> str:
    if side is None:
        return NOTHING
    value, radius = float(side["value"]), float(side["radius"])
    if isfinite(radius):
        return to_the_bar(value, radius, detail.estimate)
    # A side of which nothing is known is no number without a bar.
    return with_bar(value, radius, detail.estimate, detail.bar, "" if detail.tight else " ")


def _error(autograd: Opinion, detail: Detail) -> str:
    """`4501 of 6.0e5 ulp`: torch's error, and the largest one that would still be `agree`."""
    error, ulps, most = (_number(autograd, name) for name in ("error", "ulps", "tolerance"))
    if error is None or not isfinite(error):
        return NOTHING
    if ulps is None:  # an error where the derivative is 0
        beside = f" of {amount(most, 2 - detail.tight)}" if most and detail.allowed else ""
        return f"{amount(error, 2)}{beside}"
    ulp = error / ulps if ulps else 0.0
    allowed = most / ulp if most and ulp else 0.0
    beside = f" of {amount(allowed, 2 - detail.tight)}" if allowed and detail.allowed else ""
    whole = f" ({amount(error, 2)})" if detail.verbose and error else ""
    return f"{amount(ulps)}{beside} ulp{whole}"


def _number(opinion: Opinion, name: str) -> float | None:
    value = opinion.get(name)
    return None if value is None else float(value)


def _abstentions(opinions: Mapping[str, Opinion]) -> Iterator[tuple[str, str]]:
    """Not torch's and the reference's: what they cannot say is the verdict's own sentence."""
    for name, opinion in opinions.items():
        reason = opinion.get("abstained") or opinion.get("reason")
        if opinion.get("value") is None and reason and name not in ("reference", "autograd"):
            yield _TITLES[name] if name in MODES else one_line(name), reason
