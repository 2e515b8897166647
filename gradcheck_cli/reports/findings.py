"""What a report tells machines: a name for each check that no other check has, and what there is to
find fault with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import NO_VERDICT, Outcome, Status
from gradcheck_cli.records.record import failing_variants, worse_partials
from gradcheck_cli.reports.facts import UNEXPECTED, fields_of, phrase_of, remarks_of
from gradcheck_cli.reports.format import (
    ALSO,
    MAX_LINE,
    count_of,
    escape_controls,
    partial_name,
    place_in_sweep,
    variables_of,
)
from gradcheck_cli.reports.wrap import MAX_TEXT, one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.record import PartialRecord, Record

# The statuses that make the exit code something else than 0, worst first.
NOT_GREEN = tuple(status for status in Status if not status.is_well)
# What a check is filed under whose outcome is well, and something else is not.
UNEXPECTED_RULE = "unexpected"


@dataclass(frozen=True)
class Finding:
    """One thing to be told of a check: of one input and one outcome, or of the check as a whole.

    Attributes:
        rule: an outcome or `unexpected`.
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
        text = "\0".join((name, self.variable, self.rule))
        return sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def with_names(records: Sequence[Record]) -> Iterator[tuple[str, Record]]:
    """Every check with a name that no other has: its id, and the point, dtype and device where ids
    repeat or are missing.
    """
    repeated = Counter(record["id"] for record in records)
    taken: Counter[str] = Counter()
    for record in records:
        known = record["id"]
        name = full = (
            one_line(known)
            if known is not None and repeated[known] == 1
            else _question_text(record)
        )
        while taken[name]:
            taken[full] += 1
            name = f"{full} ({taken[full]})"
        taken[name] += 1
        yield name, record


def _question_text(record: Record) -> str:
    fields = fields_of(record)
    about = one_line(record["expression"] if record["id"] is None else record["id"])
    point = phrase_of(fields, [name for name in fields if name != "case"])
    return f"{shorten(about, MAX_LINE)} at {point}"


def file_of(record: Record) -> str | None:
    """The suite that a check stands in; None outside a suite. What is no UTF-8 in its name is
    written as escapes.
    """
    source = record["source"]
    return None if source is None else source["file"].encode(errors="backslashreplace").decode()


def outcome_text(record: Record) -> str:
    """What there is to say where nothing else is: `the outcome is kink`."""
    return f"the outcome is {record['outcome']}"


def rule_of(record: Record) -> str:
    """What a whole check is filed under: its outcome, or `unexpected` where the outcome is well and
    something else is not.
    """
    well = record["outcome"] in _accepted(record) and record["status"] in NOT_GREEN
    return UNEXPECTED_RULE if well else str(record["outcome"])


def _accepted(record: Record) -> tuple[str, ...]:
    return (Outcome.AGREE, *(record["expected"] or ()))


def findings(record: Record) -> list[Finding]:
    """What there is to tell of a check; nothing where it passes."""
    if record["status"] == Status.PASS:
        return []
    unmet = [one_line(text) for kind, text in remarks_of(record) if kind == UNEXPECTED]
    found = [Finding(UNEXPECTED_RULE, "; ".join(unmet))] if unmet else []
    if record["outcome"] in NO_VERDICT:
        reason = one_line(record["reason"] or outcome_text(record))
        return [*found, Finding(str(record["outcome"]), reason)]
    found += _blame(record)
    return found or [Finding(rule_of(record), outcome_text(record))]


def _blame(record: Record) -> Iterator[Finding]:
    """The partials that neither agree nor are expected, those of one input and outcome together."""
    accepted = _accepted(record)
    groups: dict[tuple[str, str, bool], list[PartialRecord]] = {}
    named = [(variables_of(partial), partial) for partial in record["partials"]]
    named += [(ALSO + variables_of(partial), partial) for partial in worse_partials(record)]
    for variables, partial in named:
        if partial["outcome"] not in accepted:
            key = (variables, str(partial["outcome"]), bool(partial["failed"]))
            groups.setdefault(key, []).append(partial)
    for claim in record["claims"] or ():
        if claim["outcome"] not in accepted:
            text = f"`{claim['claim']}`: {claim['outcome']}: {claim['reason']}"
            yield Finding(claim["outcome"], one_line(text), claim["claim"], claim["failed"])
    for variant in failing_variants(record):
        text = f"{variant['what']}: {variant['outcome']}: {variant['reason']}"
        yield Finding(str(variant["outcome"]), one_line(text), variant["name"], failed=True)
    for (variable, outcome, failed), partials in groups.items():
        first, rest = partials[0], len(partials) - 1
        more = f" and {count_of(rest, 'element')} more" if rest else ""
        subject = ALSO * variable.startswith(ALSO) + partial_name(first, record)
        subject += place_in_sweep(record)
        text = f"{subject}{more}: {outcome}: {first['reason']}"
        # Whether it fails is part of the variable's name where both kinds stand side by side, so
        # that fingerprints differ.
        both = failed and (variable, outcome, False) in groups
        subject = f"{variable} without a path" if both else variable
        yield Finding(outcome, one_line(text), subject, failed)


def lines_of(record: Record) -> list[str]:
    """All that is to be said of a check, one line each: what the suite says, what was found, the
    command that reproduces it.
    """
    stated = [f"{kind}: {text}" for kind, text in remarks_of(record)]
    blame = [] if record["status"] == Status.PASS else [finding.text for finding in _blame(record)]
    swept = [] if record["sweep"] is None else record["notes"][:1]
    texts = map(one_line, [*([*stated, *blame] or [outcome_text(record)]), *swept])
    return [*texts, f"reproduce: {command_of(record)}"]


def command_of(record: Record) -> str:
    """The command that reproduces a check; one too long for an annotation is not cut, which would
    make it another command.
    """
    command = escape_controls(record["reproduce"])
    if len(command) <= MAX_TEXT:
        return command
    return f"a command of {len(command):,} characters, which stands in the JSON report"
