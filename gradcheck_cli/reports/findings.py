"""What a report tells machines: a name for each check that no other check has, and what there is to
find fault with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.outcome import NO_VERDICT, Status
from gradcheck_cli.reports.facts import UNEXPECTED, fields_of, phrase_of, remarks_of
from gradcheck_cli.reports.format import MAX_LINE, NOTHING, count_of, escape_controls, partial_name
from gradcheck_cli.reports.wrap import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record

# The statuses that make the exit code something else than 0, worst first.
NOT_GREEN = tuple(status for status in Status if not status.is_well)
# A guess at what a reader of an annotation still reads; the limits of the services lie beyond it.
MAX_TEXT = 4000


@dataclass(frozen=True)
class Finding:
    """One thing to be told of a check: of one input and one outcome, or of the check as a whole.

    Attributes:
        rule: an outcome, `error`, `skipped` or `unexpected`.
        text: a sentence on one line.
        variable: the input that it is about; empty for the whole check.
        failed: it fails although its outcome alone does not.
    """

    rule: str
    text: str
    variable: str = ""
    failed: bool = False

    def fingerprint(self, name: str) -> str:
        """The same from run to run, and different for any other finding of a report; `name` is the
        check's.
        """
        return sha256("\0".join((name, self.variable, self.rule)).encode()).hexdigest()[:32]


def with_names(records: Sequence[Record]) -> Iterator[tuple[str, Record]]:
    """Every check with a name that no other has: its id, and the point, dtype and device where ids
    repeat or are missing.
    """
    repeated = Counter(record["id"] for record in records)
    seen: Counter[str] = Counter()
    for record in records:
        alone = record["id"] is not None and repeated[record["id"]] == 1
        name = full = one_line(record["id"]) if alone else _asked(record)
        while seen[name]:
            seen[full] += 1
            name = f"{full} ({seen[full]})"
        seen[name] += 1
        yield name, record


def _asked(record: Record) -> str:
    fields = fields_of(record)
    about = one_line(record["expression"] if record["id"] is None else record["id"])
    return f"{shorten(about, MAX_LINE)} at {phrase_of(fields, [name for name in fields if name != 'case'])}"


def file_of(record: Record) -> str | None:
    """The suite that a check stands in; None outside a suite. What is no UTF-8 in its name is
    written as escapes.
    """
    return (
        None
        if record["source"] is None
        else str(record["source"]["file"]).encode(errors="backslashreplace").decode()
    )


def rule_of(record: Record) -> str:
    """What a whole check is filed under: its outcome, or `unexpected` where the outcome is well and
    something else is not.
    """
    well = record["outcome"] in ("agree", *(record["expected"] or ()))
    return "unexpected" if well and record["status"] in NOT_GREEN else str(record["outcome"])


def findings(record: Record) -> list[Finding]:
    """What there is to tell of a check; nothing where it passes."""
    if record["status"] == "pass":
        return []
    told = [one_line(text) for kind, text in remarks_of(record) if kind == UNEXPECTED]
    found = [Finding("unexpected", "; ".join(told))] if told else []
    if record["outcome"] in NO_VERDICT:
        return [
            *found,
            Finding(
                str(record["outcome"]),
                one_line(record["reason"] or f"the outcome is {record['outcome']}"),
            ),
        ]
    found += _blamed(record)
    return found or [Finding(rule_of(record), f"the outcome is {record['outcome']}")]


def _blamed(record: Record) -> Iterator[Finding]:
    """The partials that neither agree nor are expected, those of one input and outcome together."""
    well = ("agree", *(record["expected"] or ()))
    groups: dict[tuple[str, str, bool], list[Mapping[str, Any]]] = {}
    for partial in record["partials"]:
        if partial["outcome"] not in well:
            groups.setdefault(
                (partial["variable"], partial["outcome"], partial["failed"]), []
            ).append(partial)
    for (variable, outcome, failed), partials in groups.items():
        first = partials[0]
        more = f" and {count_of(len(partials) - 1, 'element')} more" if len(partials) > 1 else ""
        text = f"{partial_name(variable, first['index'])}{more}: {outcome}: {first['reason']}"
        # Whether it fails is part of the variable's name where both kinds stand side by side, so
        # that fingerprints differ.
        both = failed and (variable, outcome, False) in groups
        yield Finding(
            outcome, one_line(text), f"{variable} without a path" if both else variable, failed
        )


def lines_of(record: Record) -> list[str]:
    """All that is to be said of a check, one line each: what the suite says, what was found, the
    command that reproduces it.
    """
    stated = [f"{kind}: {text}" for kind, text in remarks_of(record)]
    found = [finding.text for finding in _blamed(record)] if record["status"] != "pass" else []
    said_of = [one_line(text) for text in (*stated, *found)] or [
        f"the outcome is {record['outcome']}"
    ]
    return [*said_of, f"reproduce: {command_of(record)}"]


def command_of(record: Record) -> str:
    """The command that reproduces a check; one too long for an annotation is not cut, which would
    make it another command.
    """
    command = escape_controls(record["reproduce"])
    return (
        command
        if len(command) <= MAX_TEXT
        else f"a command of {len(command):,} characters, which stands in the JSON report"
    )


def one_line(text: str) -> str:
    """A text on one line, without anything that a terminal, a log or a file format would act upon;
    never empty.
    """
    return shorten(" ".join(escape_controls(text).split()), MAX_TEXT) or NOTHING
