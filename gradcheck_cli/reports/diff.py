"""What is different between two reports of the same checks: before and after a new torch, another
machine, a changed suite.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import inf, nan
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome, Status
from gradcheck_cli.records.record import FREE_ULPS, line_of, opinion_of, opinions_of
from gradcheck_cli.records.sweep_record import NOT_SETTLED
from gradcheck_cli.reports.findings import with_names
from gradcheck_cli.reports.format import count_of, partial_name, variables_of
from gradcheck_cli.reports.stored import UNKNOWN
from gradcheck_cli.reports.wrap import one_line

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from gradcheck_cli.records.record import Opinion, PartialRecord, Record
    from gradcheck_cli.records.report import Report

# Errors that grow by less than three bits, about one decimal digit, are the last bits of another
# machine's functions; up to `FREE_ULPS` an error needs no explanation. A guess at what is worth a
# look.
LOST = 8
# What points of a sweep may be, the worst first.
_BY_RANK = (Outcome.ERROR, Outcome.WRONG, NOT_SETTLED, *list(Outcome)[2:])
# On which side of the old report the new one is.
WORSE, OTHER, BETTER = -1, 0, 1


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: status, outcome, digits, points, cause, opinion, program, vanished or new.
        case: the check's name.
        partial: `∂f/∂x`; empty for the whole check.
        before, after: what was and what is, each in a word or a number; None where there is
            nothing.
        text: the difference in a sentence.
    """

    kind: str
    case: str
    partial: str
    before: str | float | None
    after: str | float | None
    text: str


@dataclass(frozen=True)
class Diff:
    """All differences between two reports.

    Attributes:
        compared: checks that both have.
        environment: (name, before, after) of every version that changed.
        regressions: a status or an outcome that is worse, of one point or of more points of a
            sweep, digits lost, a check or partial that vanished.
        changes: neither better nor worse: another opinion lost or changed, another cause, another
            program under the same name.
    """

    compared: int
    environment: tuple[tuple[str, str, str], ...]
    regressions: tuple[Change, ...]
    improvements: tuple[Change, ...]
    changes: tuple[Change, ...]
    new: tuple[Change, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything is worse, else 0."""
        return 1 if self.regressions else 0


def compare_reports(old: Report, new: Report) -> Diff:
    """The differences, by id, dtype, device and point; without an id by the program."""
    before, after = _by_key(old), _by_key(new)
    sides: dict[int, list[Change]] = {WORSE: [], BETTER: [], OTHER: []}
    for key, (name, record) in before.items():
        if key in after:
            for side, change in _case_changes(name, record, after[key][1]):
                sides[side].append(change)
        else:
            outcome = record["outcome"]
            text = f"{outcome} before, and not checked any more"
            sides[WORSE].append(Change("vanished", name, "", outcome, None, text))
    new_checks = [
        Change("new", name, "", None, record["outcome"], record["outcome"])
        for key, (name, record) in after.items()
        if key not in before
    ]
    versions = [(name, text, new.environment.get(name)) for name, text in old.environment.items()]
    environment = [
        (name, was, now)
        for name, was, now in versions
        if now is not None and was != now and UNKNOWN not in (was, now)
    ]
    lists = (tuple(changes) for changes in (*sides.values(), new_checks))
    return Diff(len(before.keys() & after.keys()), tuple(environment), *lists)


def _by_key(report: Report) -> dict[Hashable, tuple[str, Record]]:
    """Every check, with its name, by what tells it apart; of several that are the same in
    everything, by their order.
    """
    checks: dict[Hashable, tuple[str, Record]] = {}
    number: Counter[Hashable] = Counter()
    for name, record in with_names(report.records):
        unnamed = record["id"] is None
        about = ("expression", record["expression"]) if unnamed else ("id", record["id"])
        key = (*about, record["dtype"], record["device"], _points_text(record))
        checks[*key, number[key]] = name, record
        number[key] += 1
    return checks


def _points_text(record: Record) -> str:
    """At which point a check is, or at which points of a sweep, whichever of them is the worst."""
    sweep = record["sweep"]
    if sweep is None:
        return line_of(record["at"])
    fixed = {name: value for name, value in record["at"].items() if name not in sweep["over"]}
    names = ("over", "variable", "first", "last")
    return line_of({**{name: sweep[name] for name in names}, "fixed": fixed})  # type: ignore[literal-required]


def _case_changes(name: str, old: Record, new: Record) -> Iterator[tuple[int, Change]]:
    """The differences between two records of a check, each with its side."""
    if old["expression"] != new["expression"]:
        text = "another program under the same name"
        yield OTHER, Change("program", name, "", old["expression"], new["expression"], text)
    reasons = [*new["unmet"], *([] if new["reason"] is None else [new["reason"]])]
    why = one_line("; ".join(reasons)) if reasons else ""
    changes = list(_partials_changes(name, old, new)) or list(_points_changes(name, old, new))
    before, after = Outcome(old["outcome"]), Outcome(new["outcome"])
    # Of what was skipped nothing is known.
    if not changes and before != after and Outcome.SKIPPED not in (before, after):
        changes = [_step("outcome", name, "", before, after, why)]
    if old["status"] != new["status"]:
        side, change = _step("status", name, "", Status(old["status"]), Status(new["status"]), why)
        # A status is told where no outcome explains it.
        if (side, "outcome") not in [(other, found.kind) for other, found in changes]:
            yield side, change
    yield from changes


def _step(
    kind: str, name: str, about: str, before: Outcome | Status, after: Outcome | Status, why: str
) -> tuple[int, Change]:
    """From one word to another of the same order."""
    text = f"{before} → {after}" + (f": {why}" if why else "")
    change = Change(kind, name, about, str(before), str(after), text)
    return BETTER if after.rank > before.rank else WORSE, change


def _points_changes(name: str, old: Record, new: Record) -> Iterator[tuple[int, Change]]:
    """What became of the points of a sweep whose worst one is what it was: more of the worst are
    worse.
    """
    swept = old["sweep"], new["sweep"]
    counts = [sweep["outcomes"] for sweep in swept if sweep is not None]
    ranked = [[count.get(word, 0) for word in _BY_RANK] for count in counts]
    if len(counts) == len(swept) and ranked[0] != ranked[1]:
        before, after = (_counts(count) for count in counts)
        side = WORSE if ranked[1] > ranked[0] else BETTER
        yield side, Change("points", name, "", before, after, f"{before} → {after}")


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items())


def _partials_changes(name: str, old: Record, new: Record) -> Iterator[tuple[int, Change]]:
    """Differences partial by partial, those of one input that say the same together."""
    if not old["partials"] or not new["partials"]:
        return
    before, after = (
        {partial_name(p, record): p for p in record["partials"]} for record in (old, new)
    )
    groups: dict[Hashable, list[tuple[int, Change]]] = {}
    for about in dict.fromkeys((*before, *after)):
        variables = variables_of(before.get(about) or after[about])
        for side, change in _partial_changes(name, about, before.get(about), after.get(about)):
            words = (change.before, change.after) if isinstance(change.after, str) else ()
            groups.setdefault((side, variables, change.kind, words), []).append((side, change))
    for group in groups.values():
        side, worst = group[0]
        if worst.kind == "digits":
            worst = max((change for _, change in group), key=_growth)
        more = f" and {count_of(len(group) - 1, 'element')} more" if len(group) > 1 else ""
        yield side, replace(worst, partial=f"{worst.partial}{more}")


def _partial_changes(
    name: str, about: str, old: PartialRecord | None, new: PartialRecord | None
) -> Iterator[tuple[int, Change]]:
    if old is None or new is None:
        before, after = (None if partial is None else partial["outcome"] for partial in (old, new))
        if after is None:
            text = f"not differentiated any more: {before}"
            yield WORSE, Change("vanished", name, about, before, None, text)
        else:
            text = f"not differentiated before: {after}"
            yield OTHER, Change("new", name, about, None, after, text)
        return
    why = one_line(new["reason"])
    causes = old.get("cause"), new.get("cause")
    errors = _ulps(old), _ulps(new)
    if old["outcome"] != new["outcome"]:
        yield _step("outcome", name, about, Outcome(old["outcome"]), Outcome(new["outcome"]), why)
    elif side := _digits_side(*errors):
        text = f"{errors[0]:.4g} ulp → {errors[1]:.4g} ulp: {why}"
        yield side, Change("digits", name, about, *errors, text)
    elif causes[0] != causes[1] and None not in causes:
        text = f"{causes[0]} → {causes[1]}: {why}"
        yield OTHER, Change("cause", name, about, *causes, text)
    now = dict(opinions_of(new))
    for witness, opinion in opinions_of(old):
        stance = _stance(now.get(witness))
        if opinion.get("agrees") and stance != "agrees":
            reason = now.get(witness, {}).get("abstained") or now.get(witness, {}).get("reason")
            text = f"{one_line(witness)} agreed, now {stance}"
            text += f": {one_line(str(reason))}" if reason else ""
            yield OTHER, Change("opinion", name, about, "agrees", stance, text)


def _ulps(partial: PartialRecord) -> float:
    """The error in ulps; NaN where there is none."""
    ulps = opinion_of(partial, "autograd").get("ulps")
    return nan if ulps is None else float(ulps)


def _digits_side(before: float, after: float) -> int:
    """Whether digits are lost or won; neither where the error is about what it was."""
    if after > FREE_ULPS and after > LOST * before:
        return WORSE
    return BETTER if before > FREE_ULPS and before > LOST * after else OTHER


def _growth(change: Change) -> float:
    """By what factor an error changed, whichever way."""
    low, high = sorted((float(change.before or 0), float(change.after or 0)))
    return high / low if low else inf


def _stance(opinion: Opinion | None) -> str:
    if opinion is None:
        return "is not asked"
    if "abstained" in opinion:
        return "abstains"
    agrees = opinion.get("agrees")
    return "has no value to compare" if agrees is None else "agrees" if agrees else "disagrees"
