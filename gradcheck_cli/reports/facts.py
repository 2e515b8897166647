"""What a report tells people, before any layout: which cases belong under one header, and the
sentences below a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from gradcheck_cli.records.numbers import numbers_of
from gradcheck_cli.records.outcome import NO_VERDICT, Status
from gradcheck_cli.records.record import failing_variants, went_well
from gradcheck_cli.reports.format import (
    NOTHING,
    array_text,
    count_of,
    escape_controls,
    inline,
)
from gradcheck_cli.reports.header import notes_on
from gradcheck_cli.reports.rows import rows_of
from gradcheck_cli.reports.split import split_remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.reports.rows import FactRow

# How much is told unless asked for more: each is a guess at what fits on a screen.
MAX_SENTENCES, MAX_CLAIMS, MAX_EXPLAINED, MAX_FORMULAS, MAX_COMMANDS, MAX_NAMES = 10, 30, 3, 3, 3, 3
# Kinds of sentences that are about whole cases, not about partials.
UNEXPECTED, FORESEEN, NOTE = "not as expected", Status.XFAIL.words, "note"
_OF_CASES = (UNEXPECTED, FORESEEN, NOTE, *NO_VERDICT)


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
        number = count_of(len(self.about), "case" if self.kind in _OF_CASES else "partial")
        return mark.join((*self.about[:2], f"… ({number})"))


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
    for _, records in groupby(report.records, key=lambda record: record["expression"]):
        yield _group(list(records), verbose)


def _group(records: list[Record], verbose: bool) -> Group:
    fields = {id(record): fields_of(record, verbose=verbose) for record in records}
    files = {texts.get("case", "").rpartition("::")[0] for texts in fields.values()}
    if len(records) > 1 and len(files) == 1 and "" not in files:
        # The file is said once, above, and the names without it below.
        fields = {
            key: {"case": texts["case"].rpartition("::")[2], "file": min(files)}
            | {name: text for name, text in texts.items() if name != "case"}
            for key, texts in fields.items()
        }
    # The cotangent of a case that was not checked has no shape yet: that tells nothing apart.
    values = {
        name: {
            fields[id(record)].get(name, "")
            for record in records
            if name != "cotangent" or record["cotangent"] is not None
        }
        for name in dict.fromkeys(name for record in records for name in fields[id(record)])
    }
    shared = {name: min(texts) for name, texts in values.items() if len(texts) == 1}
    rows = {id(record): rows_of(record) for record in records}
    return Group(
        records,
        [row for record in records for row in rows[id(record)]],
        shared,
        tuple(name for name in values if name not in shared),
        [record for record in records if not is_settled(record, rows[id(record)])],
        fields,
    )


def is_settled(record: Record, rows: Sequence[FactRow]) -> bool:
    """Whether a case is plainly good: every partial agrees, it is as expected, and nothing is noted
    but numbers that were rounded, what the points of a sweep came to, or of a function that all
    went well.
    """
    function = record.get("function")
    is_noted = len(record["notes"]) > len(record["rounded"]) + (record["sweep"] is not None)
    return record["status"] == Status.PASS and (
        record["expected"] is not None
        or (
            all(row.settled for row in rows)
            and (not is_noted or (function is not None and went_well(function)))
        )
    )


def fields_of(record: Record, *, verbose: bool = False) -> dict[str, str]:
    """What was asked, as text; inputs under `name =`, so that none passes for another field."""
    fields = {"case": inline(record["id"])} if record["id"] is not None else {}
    fields |= {
        f"{inline(name)} =": array_text(value, whole=verbose)
        for name, value in record["at"].items()
    }
    fields |= {"dtype": inline(record["dtype"]), "device": inline(record["device"])}
    weights = record["cotangent"]
    if weights is not None and any(number != 1 for number in numbers_of(weights)):
        fields["cotangent"] = array_text(weights, whole=verbose)
    elif isinstance(weights, list):
        fields["cotangent"] = "ones"
    return fields


def phrase_of(fields: Mapping[str, str], names: Iterable[str]) -> str:
    """Fields in a sentence: `x = 0, float32, cpu`."""
    bare = ("case", "file", "dtype", "device")
    return ", ".join(
        fields[name] if name in bare else f"{name} {fields[name]}"
        for name in names
        if name in fields
    )


def place_of(group: Group) -> str:
    """What all cases of a group share, in a line: `at x = 3; float64 on cpu`."""
    shared = group.shared
    apart = ("dtype", "device", "case", "file")
    point = phrase_of(shared, [key for key in shared if key not in apart])
    device = f"on {shared['device']}" if "device" in shared else ""
    texts = (
        shared.get("file", ""),
        shared.get("case", ""),
        f"at {point}" if point else "",
        f"{shared.get('dtype', '')} {device}".strip(),
    )
    return "; ".join(filter(None, texts))


def programs_of(group: Group) -> list[str]:
    """What the user wrote, and behind it how that was read, where it is not the language's."""
    first = group.records[0]
    program = first["expression"].strip("\n")
    if first["written"] is None:
        return [program]
    return [first["written"].strip("\n"), "; ".join(program.split("\n"))]


def sentences(
    group: Group,
    rows: Sequence[FactRow] | None = None,
    *,
    verbose: bool = False,
    quiet: bool = False,
) -> list[Sentence]:
    """What is to be said below a table: of each partial that is not plain, of each dash, of each
    case.

    Args:
        rows: the partials that are spoken of; None for all.
    """
    rows = group.rows if rows is None else rows
    said = [(row, (row.outcome, row.partial["reason"], group.subject(row))) for row in rows]
    dashes = [
        (f"{NOTHING} {witness}", reason, "") for row in rows for witness, reason in row.abstentions
    ]
    split = [("", text, "") for text in split_remarks(group.records)]
    parts = [
        (_labelled(group, remarks_of), MAX_SENTENCES),
        ([text for row, text in said if not row.settled], MAX_SENTENCES),
        ([text for row, text in said if row.settled and (verbose or not row.plain)], MAX_EXPLAINED),
        (_claimed(group), MAX_CLAIMS),
        (_varied(group), MAX_SENTENCES),
        (split, MAX_SENTENCES),
        (dashes, MAX_SENTENCES),
        (_labelled(group, _notes_of), MAX_EXPLAINED),
    ]
    if quiet and not verbose:
        del parts[2]
    return [
        sentence
        for texts, most in parts
        for sentence in _first(_gather(texts), len(texts) if verbose else most)
    ]


def remarks_of(record: Record) -> Iterator[tuple[str, str]]:
    """What a suite says of a case, beside what is true of it: (kind, sentence)."""
    yield from ((UNEXPECTED, text) for text in record["unmet"])
    if record["reason"] is not None:
        kinds: dict[str, str] = {Status.XFAIL: FORESEEN, Status.FAIL: UNEXPECTED}
        yield kinds.get(record["status"], str(record["outcome"])), record["reason"]


def _notes_of(record: Record) -> Iterator[tuple[str, str]]:
    yield from ((NOTE, note) for note in notes_on(record))


def _labelled(
    group: Group, of: Callable[[Record], Iterable[tuple[str, str]]]
) -> list[tuple[str, str, str]]:
    """What is said of each case, with its name: (kind, sentence, subject)."""
    return [(*said, group.label(record)) for record in group.records for said in of(record)]


def _claimed(group: Group) -> list[tuple[str, str, str]]:
    """What becomes of derivatives by hand."""
    return [
        (claim["outcome"], claim["reason"], f"`{inline(claim['claim'])}`")
        for record in group.records
        for claim in record["claims"] or ()
    ]


def _varied(group: Group) -> list[tuple[str, str, str]]:
    """What fails of other calls of a function."""
    return [
        (str(variant["outcome"]), f"{variant['what']}: {variant['reason']}", "")
        for record in group.records
        for variant in failing_variants(record)
    ]


def _gather(texts: Iterable[tuple[str, str, str]]) -> list[Sentence]:
    """One Sentence for all that the same is said of, in the order of its first."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for kind, text, about in texts:
        subjects.setdefault((kind, text.replace("\n", " ")), []).append(about)
    return [
        Sentence(kind, escape_controls(text), tuple(filter(None, about)))
        for (kind, text), about in subjects.items()
    ]


def _first(texts: list[Sentence], most: int) -> list[Sentence]:
    """The first few; the rest is counted. One more than the most is told rather than counted."""
    if len(texts) <= most + 1:
        return texts
    rest = count_of(len(texts) - most, "sentence")
    return [*texts[:most], Sentence("", f"… and {rest} more, which --verbose shows")]


def commands(
    group: Group, rows: Sequence[FactRow] | None = None, *, verbose: bool = False
) -> list[str]:
    """The commands that reproduce what is not plainly good.

    Args:
        rows: whose commands these are, worst first; None for all of the group's.
    """
    unsettled = {id(record): record for record in group.unsettled}
    if rows is not None:
        unsettled = {id(r.record): r.record for r in rows if id(r.record) in unsettled}
    commands = (record["reproduce"] for record in unsettled.values())
    texts = list(dict.fromkeys(escape_controls(text) for text in commands if text))
    return texts if verbose else texts[:MAX_COMMANDS]
