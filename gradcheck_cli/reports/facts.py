"""What a report tells people, before any layout: rows of cells, sentences, and which cases belong
under one header.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.judge.measure import FREE_ULPS
from gradcheck_cli.records.outcome import NO_VERDICT
from gradcheck_cli.reports.format import (
    NOTHING,
    array_text,
    count_of,
    escape_controls,
    partial_name,
    to_the_bar,
    torch_number,
    with_bar,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

# How much is told unless asked for more: each is a guess at what fits on a screen.
MAX_SENTENCES, MAX_EXPLAINED, MAX_FORMULAS, MAX_COMMANDS, MAX_NAMES = 10, 3, 3, 3, 3
# Kinds of sentences that are about whole cases, not about partials.
UNEXPECTED, FORESEEN, NOTE = "not as expected", "expected to fail", "note"
_OF_CASES = (UNEXPECTED, FORESEEN, NOTE, *NO_VERDICT)
# The status that an outcome has by itself is not told beside it; of other outcomes that is `pass`.
_BY_ITSELF = {
    "error": "error",
    "skipped": "skip",
    "wrong": "fail",
    **dict.fromkeys(("inconclusive", "undefined", "detached"), "unverified"),
}
_TOLD = {
    "error": "error",
    "fail": "failing",
    "unverified": "not verified",
    "xfail": FORESEEN,
    "skip": "skipped",
    "pass": "as expected",
}


@dataclass(frozen=True)
class FactRow:
    """One partial as text.

    Attributes:
        partial: the entry of `partials` in its record.
        cells: by column: reference, analytic, autograd, numeric, error, tolerance.
        settled: nothing is left to be told: it agrees, and so does every other opinion.
        needed: the reference says what the analytic column does not.
        abstentions: (witness, reason) behind each dash.
    """

    record: Record
    partial: Mapping[str, Any]
    cells: Mapping[str, str]
    settled: bool
    needed: bool
    abstentions: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """`∂f/∂x`."""
        return partial_name(self.partial["variable"], self.partial["index"])

    @property
    def outcome(self) -> str:
        """Of this partial."""
        return str(self.partial["outcome"])

    @property
    def plain(self) -> bool:
        """It agrees so closely that the row says it all."""
        ulps = self.partial["autograd"].get("ulps")
        return self.settled and ulps is not None and float(ulps) <= FREE_ULPS


@dataclass(frozen=True)
class Sentence:
    """Something said once of one or many partials or cases; `kind` is an outcome, `note` or the
    like.
    """

    kind: str
    text: str
    about: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What it is about: a few names, or the first two and how many there are."""
        mark = "; " if any(", " in name for name in self.about) else ", "
        if len(self.about) <= MAX_NAMES:
            return mark.join(self.about)
        return mark.join(
            (
                *self.about[:2],
                f"… ({count_of(len(self.about), 'case' if self.kind in _OF_CASES else 'partial')})",
            )
        )


@dataclass(frozen=True)
class Group:
    """Consecutive cases of one program.

    Attributes:
        shared: what all cases have in common, by field: the id, each input, dtype, device,
            cotangent.
        differing: the fields that tell the cases apart.
        unsettled: the cases that are not plainly good.
    """

    records: Sequence[Record]
    rows: Sequence[FactRow]
    shared: Mapping[str, str]
    differing: tuple[str, ...]
    unsettled: Sequence[Record]
    fields: Mapping[int, Mapping[str, str]] = field(repr=False)

    def label(self, record: Record) -> str:
        """What tells a case apart from the others: `x = 0, float32`; empty if it is alone."""
        return phrase_of(self.fields[id(record)], self.differing)

    def subject(self, row: FactRow) -> str:
        """`∂f/∂x`, or `∂f/∂x at x = 0, float32` among several cases."""
        label = self.label(row.record)
        return f"{row.name} at {label}" if label else row.name


def groups(report: Report, *, verbose: bool = False) -> Iterator[Group]:
    """The cases of a report, those of one program that follow each other together."""
    for _, found in groupby(report.records, key=lambda record: record["expression"]):
        yield _group(list(found), verbose)


def _group(records: list[Record], verbose: bool) -> Group:
    fields = {id(record): fields_of(record, verbose=verbose) for record in records}
    files = {found.get("case", "").rpartition("::")[0] for found in fields.values()}
    if len(records) > 1 and len(files) == 1 and "" not in files:
        # The file is said once, above, and the names without it below.
        fields = {
            key: {"case": found["case"].rpartition("::")[2], "file": min(files), **_other(found)}
            for key, found in fields.items()
        }
    names = dict.fromkeys(name for record in records for name in fields[id(record)])
    # The cotangent of a case that was not checked has no shape yet: that does not tell it apart.
    told = {
        name: [
            record for record in records if name != "cotangent" or record["cotangent"] is not None
        ]
        for name in names
    }
    values = {name: {fields[id(record)].get(name, "") for record in told[name]} for name in names}
    shared = {name: found.copy().pop() for name, found in values.items() if len(found) == 1}
    rows = {id(record): rows_of(record, verbose=verbose) for record in records}
    unsettled = [record for record in records if not is_settled(record, rows[id(record)])]
    differing = tuple(name for name in names if name not in shared)
    return Group(
        records,
        [row for record in records for row in rows[id(record)]],
        shared,
        differing,
        unsettled,
        fields,
    )


def _other(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "case"}


def is_settled(record: Record, rows: Sequence[FactRow]) -> bool:
    """Whether a case is plainly good: every partial agrees, it is as expected, and nothing is noted
    but numbers that were rounded.
    """
    return record["status"] == "pass" and (
        record["expected"] is not None
        or (all(row.settled for row in rows) and len(record["notes"]) <= len(record["rounded"]))
    )


def fields_of(record: Record, *, verbose: bool = False) -> dict[str, str]:
    """What was asked, as text; inputs under `name =`, so that none can be taken for another field."""
    found = {"case": escape_controls(record["id"])} if record["id"] is not None else {}
    found |= {f"{name} =": array_text(value, whole=verbose) for name, value in record["at"].items()}
    found |= {"dtype": record["dtype"], "device": record["device"]}
    weights = np.asarray(1.0 if record["cotangent"] is None else record["cotangent"], dtype=float)
    if not (weights == 1).all():
        found["cotangent"] = array_text(weights, whole=verbose)
    elif weights.ndim:
        found["cotangent"] = "ones"
    return found


def phrase_of(fields: Mapping[str, str], names: Iterable[str]) -> str:
    """Fields in a sentence: `x = 0, float32, cpu`."""
    bare = ("case", "file", "dtype", "device")
    return ", ".join(
        fields[name] if name in bare else f"{name} {fields[name]}"
        for name in names
        if name in fields
    )


def rows_of(record: Record, *, verbose: bool = False) -> list[FactRow]:
    """A row for each partial of a case."""
    return [_row(record, partial, verbose) for partial in record["partials"]]


def _row(record: Record, partial: Mapping[str, Any], verbose: bool) -> FactRow:
    reference, analytic, autograd, numeric = (
        partial[name] for name in ("reference", "analytic", "autograd", "numeric")
    )
    proved = "value" in reference
    cells = {
        "reference": NOTHING
        if not proved
        else reference["digits"]
        if verbose
        else repr(float(reference["value"])),
        "analytic": NOTHING if analytic.get("value") is None else repr(float(analytic["value"])),
        "autograd": torch_number(float(autograd["value"]), record["dtype"])
        if "value" in autograd
        else NOTHING,
        "numeric": _numeric(partial),
        "error": _error(autograd, verbose),
        "tolerance": NOTHING
        if autograd.get("tolerance") is None
        else f"{float(autograd['tolerance']):.2g}",
    }
    disputed = analytic.get("agrees") is False or numeric.get("agrees") is False
    settled = partial["outcome"] == "agree" and not disputed
    needed = proved and cells["analytic"] != repr(float(reference["value"]))
    return FactRow(record, partial, cells, settled, needed, tuple(_abstentions(partial)))


def _numeric(partial: Mapping[str, Any]) -> str:
    numeric = partial["numeric"]
    if "abstained" in numeric:
        return NOTHING
    sides = {name: numeric[name] for name in ("left", "right")}
    if partial["one_sided"] is None or "value" in partial["reference"] or not any(sides.values()):
        return with_bar(float(numeric["value"]), float(numeric["radius"]))
    # Where the sides differ the central difference is a number without a meaning.
    return ", ".join(
        f"{name} {NOTHING if side is None else to_the_bar(float(side['value']), float(side['radius']))}"
        for name, side in sides.items()
    )


def _error(autograd: Mapping[str, Any], verbose: bool) -> str:
    ulps, error = autograd.get("ulps"), autograd.get("error")
    if ulps is None or error is None or not isfinite(float(ulps)):
        return NOTHING
    return f"{float(ulps):.4g} ulp" + (f" ({float(error):.2g})" if verbose else "")


def _abstentions(partial: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Only SymPy's and the numeric opinion's: what torch and the reference cannot say is the
    verdict's own sentence.
    """
    analytic, numeric = partial["analytic"], partial["numeric"]
    if "abstained" in analytic or analytic["value"] is None:
        yield "analytic", analytic.get("abstained") or analytic["reason"]
    if "abstained" in numeric:
        yield "numeric", numeric["abstained"]


def formulas(group: Group) -> list[tuple[str, str]]:
    """(`∂f/∂x`, SymPy's formula), once for each partial."""
    found: dict[str, str] = {}
    for row in group.rows:
        if "formula" in row.partial["analytic"]:
            found.setdefault(row.name, row.partial["analytic"]["formula"])
    return list(found.items())


def sentences(group: Group, *, verbose: bool = False, quiet: bool = False) -> list[Sentence]:
    """What is to be said below a table: of each partial that is not plain, of each dash, of each
    case.
    """
    unsettled = _gathered(
        (row.outcome, row.partial["reason"], group.subject(row))
        for row in group.rows
        if not row.settled
    )
    explained = _gathered(
        (row.outcome, row.partial["reason"], group.subject(row))
        for row in group.rows
        if row.settled and (verbose or not row.plain)
    )
    stated = _gathered(
        (kind, text, group.label(record))
        for record in group.records
        for kind, text in remarks_of(record)
    )
    dashes = _gathered(
        (f"{NOTHING} {witness}", reason, "")
        for row in group.rows
        for witness, reason in row.abstentions
    )
    notes = _gathered(
        (NOTE, note, group.label(record)) for record in group.records for note in record["notes"]
    )
    if verbose:
        return stated + unsettled + explained + dashes + notes
    parts = [
        (stated, MAX_SENTENCES),
        (unsettled, MAX_SENTENCES),
        ([] if quiet else explained, MAX_EXPLAINED),
        (dashes, MAX_SENTENCES),
        (notes, MAX_EXPLAINED),
    ]
    return [sentence for found, most in parts for sentence in _first(found, most)]


def remarks_of(record: Record) -> Iterator[tuple[str, str]]:
    """What a suite says of a case, beside what is true of it: (kind, sentence)."""
    yield from ((UNEXPECTED, text) for text in record["unmet"])
    if record["reason"] is not None:
        kind = (
            FORESEEN
            if record["status"] == "xfail"
            else UNEXPECTED
            if record["status"] == "fail"
            else str(record["outcome"])
        )
        yield kind, record["reason"]


def _gathered(said_of: Iterable[tuple[str, str, str]]) -> list[Sentence]:
    """One Sentence for all that the same is said of, in the order of its first."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind, text, about in said_of:
        found.setdefault((kind, text.replace("\n", " ")), []).append(about)
    return [
        Sentence(kind, escape_controls(text), tuple(name for name in about if name))
        for (kind, text), about in found.items()
    ]


def _first(found: list[Sentence], most: int) -> list[Sentence]:
    """The first few; the rest is counted. One more than the most is told rather than counted."""
    if len(found) <= most + 1:
        return found
    return [
        *found[:most],
        Sentence(
            "", f"… and {count_of(len(found) - most, 'sentence')} more, which --verbose shows"
        ),
    ]


def commands(group: Group, *, verbose: bool = False) -> list[str]:
    """The commands that reproduce what is not plainly good."""
    found = list(dict.fromkeys(escape_controls(record["reproduce"]) for record in group.unsettled))
    return found if verbose else found[:MAX_COMMANDS]


def summary(report: Report) -> str:
    """`5 cases: 3 agree, 2 wrong (1 as expected)`: outcomes, and in brackets how many have another
    status than theirs by itself.
    """
    both = Counter((record["outcome"], record["status"]) for record in report.records)
    parts = []
    for outcome, number in sorted(report.summary.items(), key=lambda item: -item[1]):
        told = [
            f"{both[outcome, status]:,} {words}"
            for status, words in _TOLD.items()
            if both[outcome, status] and status != _BY_ITSELF.get(outcome, "pass")
        ]
        parts.append(f"{number:,} {outcome}" + (f" ({', '.join(told)})" if told else ""))
    return count_of(sum(report.summary.values()), "case") + (
        f": {', '.join(parts)}" if parts else ""
    )
