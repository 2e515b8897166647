"""What is different between two reports of the same checks: before and after a new torch, another
machine, a changed suite.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from rich.text import Text

from gradcheck_cli.records.outcome import NO_VERDICT, OUTCOMES, Status
from gradcheck_cli.records.record import FREE_ULPS, line_of
from gradcheck_cli.reports.findings import with_names
from gradcheck_cli.reports.format import count_of, escape_controls, partial_name
from gradcheck_cli.reports.stored import UNKNOWN
from gradcheck_cli.reports.terminal import terminal_text
from gradcheck_cli.reports.wrap import one_line, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report

DIFF_FORMAT = 1
# Worst first. What was skipped has no place in the order: nothing is known of it.
_OUTCOMES = (NO_VERDICT[0], *OUTCOMES)
_STATUSES = tuple(Status)
# Errors that grow by less than three bits, about one decimal digit, are the last bits of another
# machine's functions; up to `FREE_ULPS` an error needs no explanation. A guess at what is worth a
# look.
LOST = 8
# What is not worse is told this often in the text; the JSON form has it all.
MAX_TOLD = 10


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: status, outcome, digits, opinion, program, vanished or new.
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
        regressions: a status or an outcome that is worse, digits lost, a check or partial that
            vanished.
        changes: neither better nor worse: another opinion lost or changed, another program under
            the same name.
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
    before, after = _keyed(old), _keyed(new)
    worse: list[Change] = []
    better: list[Change] = []
    other: list[Change] = []
    for key, (name, record) in before.items():
        if key in after:
            for side, change in _between(name, record, after[key][1]):
                {-1: worse, 0: other, 1: better}[side].append(change)
        else:
            worse.append(
                Change(
                    "vanished",
                    name,
                    "",
                    record["outcome"],
                    None,
                    f"{record['outcome']} before, and not checked any more",
                )
            )
    added = [
        Change("new", name, "", None, record["outcome"], record["outcome"])
        for key, (name, record) in after.items()
        if key not in before
    ]
    known = [
        name
        for name, value in old.environment.items()
        if UNKNOWN not in (value, new.environment.get(name, UNKNOWN))
    ]
    environment = tuple(
        (name, old.environment[name], new.environment[name])
        for name in known
        if old.environment[name] != new.environment[name]
    )
    return Diff(
        len(before.keys() & after.keys()),
        environment,
        tuple(worse),
        tuple(better),
        tuple(other),
        tuple(added),
    )


def _keyed(report: Report) -> dict[tuple[Any, ...], tuple[str, Record]]:
    """Every check by what tells it apart; of several that are the same in everything, by their
    order.
    """
    found: dict[tuple[Any, ...], tuple[str, Record]] = {}
    seen: Counter[tuple[Any, ...]] = Counter()
    for name, record in with_names(report.records):
        about = (
            ("id", record["id"])
            if record["id"] is not None
            else ("expression", record["expression"])
        )
        key = (*about, record["dtype"], record["device"], line_of(record["at"]))
        found[*key, seen[key]] = name, record
        seen[key] += 1
    return found


def _between(name: str, old: Record, new: Record) -> Iterator[tuple[int, Change]]:
    """The differences between two records of a check: -1 for worse, 1 for better, 0 for neither."""
    if old["expression"] != new["expression"]:
        yield (
            0,
            Change(
                "program",
                name,
                "",
                old["expression"],
                new["expression"],
                "another program under the same name",
            ),
        )
    told = list(_partials(name, old, new))
    if (
        not told
        and {old["outcome"], new["outcome"]} <= set(_OUTCOMES)
        and old["outcome"] != new["outcome"]
    ):
        side = _side(_OUTCOMES, old["outcome"], new["outcome"])
        told = [
            (
                side,
                Change(
                    "outcome",
                    name,
                    "",
                    old["outcome"],
                    new["outcome"],
                    f"{old['outcome']} → {new['outcome']}{_because(new)}",
                ),
            )
        ]
    if old["status"] != new["status"]:
        side = _side(_STATUSES, old["status"], new["status"])
        # A status is told where no outcome explains it.
        if not any(found == side and change.kind == "outcome" for found, change in told):
            yield (
                side,
                Change(
                    "status",
                    name,
                    "",
                    old["status"],
                    new["status"],
                    f"{old['status']} → {new['status']}{_because(new)}",
                ),
            )
    yield from told


def _because(record: Record) -> str:
    found = [*record["unmet"], *([record["reason"]] if record["reason"] is not None else [])]
    return f": {one_line('; '.join(found))}" if found else ""


def _partials(name: str, old: Record, new: Record) -> Iterator[tuple[int, Change]]:
    """Differences partial by partial, those of one input that say the same together."""
    if not old["partials"] or not new["partials"]:
        return
    before, after = (
        {(p["variable"], tuple(p["index"])): p for p in record["partials"]} for record in (old, new)
    )
    groups: dict[tuple[Any, ...], list[tuple[int, Change]]] = {}
    for key in dict.fromkeys((*before, *after)):
        for side, change in _partial(name, key, before.get(key), after.get(key)):
            word = change.after if isinstance(change.after, str) else ""
            groups.setdefault(
                (side, key[0], change.kind, change.before if word else "", word), []
            ).append((side, change))
    for found in groups.values():
        side, worst = (
            found[0]
            if found[0][1].kind != "digits"
            else max(found, key=lambda pair: _growth(pair[1]))
        )
        more = f" and {count_of(len(found) - 1, 'element')} more" if len(found) > 1 else ""
        yield side, Change(**asdict(worst) | {"partial": f"{worst.partial}{more}"})


def _partial(
    name: str,
    key: tuple[str, tuple[int, ...]],
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
) -> Iterator[tuple[int, Change]]:
    about = partial_name(*key)
    if old is None or new is None:
        present = old or new or {}
        kind, text = (
            ("vanished", "not differentiated any more")
            if new is None
            else ("new", "not differentiated before")
        )
        before, after = (None if partial is None else partial["outcome"] for partial in (old, new))
        yield (
            (-1 if new is None else 0),
            Change(kind, name, about, before, after, f"{text}: {present['outcome']}"),
        )
        return
    if old["outcome"] != new["outcome"]:
        side = _side(_OUTCOMES, old["outcome"], new["outcome"])
        yield (
            side,
            Change(
                "outcome",
                name,
                about,
                old["outcome"],
                new["outcome"],
                f"{old['outcome']} → {new['outcome']}: {one_line(new['reason'])}",
            ),
        )
    elif (side := _digits(_ulps(old), _ulps(new))) != 0:
        before, after = _ulps(old), _ulps(new)
        yield (
            side,
            Change(
                "digits",
                name,
                about,
                before,
                after,
                f"{before:.4g} ulp → {after:.4g} ulp: {one_line(new['reason'])}",
            ),
        )
    for witness in ("analytic", "numeric"):
        words = _opinion(old[witness]), _opinion(new[witness])
        if words[0] == "agrees" != words[1]:
            why = new[witness].get("abstained") or new[witness].get("reason") or ""
            yield (
                0,
                Change(
                    "opinion",
                    name,
                    about,
                    *words,
                    f"{witness} agreed, now {words[1]}" + (f": {one_line(why)}" if why else ""),
                ),
            )


def _side(order: Sequence[str], before: str, after: str) -> int:
    return 1 if order.index(after) > order.index(before) else -1


def _ulps(partial: Mapping[str, Any]) -> float:
    """The error in ulps; NaN where there is none."""
    found = partial["autograd"].get("ulps")
    return float("nan") if found is None else float(found)


def _digits(before: float, after: float) -> int:
    """-1 where digits are lost, 1 where they are won, 0 where the error is about what it was."""
    if after > FREE_ULPS and after > LOST * before:
        return -1
    return 1 if before > FREE_ULPS and before > LOST * after else 0


def _growth(change: Change) -> float:
    """By what factor an error changed, whichever way."""
    low, high = sorted((float(change.before or 0), float(change.after or 0)))
    return high / low if low else inf


def _opinion(opinion: Mapping[str, Any]) -> str:
    if "abstained" in opinion:
        return "abstains"
    return {True: "agrees", False: "disagrees", None: "has no value to compare"}[opinion["agrees"]]


def diff_document(diff: Diff) -> dict[str, Any]:
    """The differences as plain data, for JSON."""

    def plain(change: Change) -> dict[str, Any]:
        return {
            key: str(value) if isinstance(value, float) and not isfinite(value) else value
            for key, value in asdict(change).items()
        }

    lists = {
        name: [plain(change) for change in getattr(diff, name)]
        for name in ("regressions", "improvements", "changes", "new")
    }
    environment = {
        name: {"before": before, "after": after} for name, before, after in diff.environment
    }
    return {
        "format": DIFF_FORMAT,
        "exit_code": diff.exit_code,
        "compared": diff.compared,
        "environment": environment,
        **lists,
    }


def render_diff(diff: Diff, width: int | None = None, *, color: bool = False) -> str:
    """The differences for people: how many there are, then each, what is worse first; the first few
    of what is not worse.

    Args:
        width: columns of the terminal; None for as many as it takes.
    """
    counts = [
        count_of(len(found), noun)
        for found, noun in (
            (diff.regressions, "regression"),
            (diff.improvements, "improvement"),
            (diff.changes, "change"),
        )
    ]
    head = f"{count_of(diff.compared, 'check')} compared: {', '.join([*counts, count_of(len(diff.new), 'new check')])}"
    lines = wrap(Text(head), width, 2)
    for name, before, after in diff.environment:
        lines += wrap(Text(escape_controls(f"{name}: {before} → {after}")), width, 2)
    for title, style, found in (
        ("regressions", "bold red", diff.regressions),
        ("improvements", "green", diff.improvements),
        ("changes", "yellow", diff.changes),
        ("new checks", "", diff.new),
    ):
        most = len(found) if title == "regressions" else MAX_TOLD
        told = [_line(change) for change in found[:most]]
        told += [f"… and {len(found) - most:,} more"] if len(found) > most else []
        lines += [Text(), Text(title, style=style)] if found else []
        lines += [line for text in told for line in wrap(Text(text), width, 2)]
    return terminal_text(Text("\n").join(lines), color=color)


def _line(change: Change) -> str:
    return escape_controls(
        ": ".join(part for part in (change.case, change.partial, change.text) if part)
    )
