"""Reports of parts of one run put together: the shards that several machines have checked."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports.format import count_of
from gradcheck_cli.reports.stored import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.records.record import Record

# What differs from machine to machine without anything being the matter.
_LOCAL = ("platform",)
# The option that tells the parts of a run apart, and the number of its words.
_SHARD = {"--shard": 2}
# Numbers named in a sentence; the rest is counted.
MAX_NAMED = 5


def merge_reports(
    reports: Sequence[Report],
    names: Sequence[str] = (),
    immaterial: Mapping[str, int] | None = None,
) -> Report:
    """One report of all checks, by their positions in the run.

    Versions that differ, shards that are not there and checks that are in none of the reports
    become problems; with the last two the report is incomplete, which its exit code says.

    Args:
        names: what messages call the reports.
        immaterial: options that say where a check is made and how it is shown, not what is
            checked, with the number of words that belong to each.
    Raises:
        PointError: `not-mergeable`: of different commands, without positions, or with a check that
            is in two of them.
    """
    unnamed = [f"report {k}" for k in range(len(names) + 1, len(reports) + 1)]
    called = [*names[: len(reports)], *unnamed]
    commands = [_without(report.command, _SHARD) for report in reports]
    material = [_without(report.command, {**_SHARD, **(immaterial or {})}) for report in reports]
    mistakes = [*_foreign(material, called), *_misplacements(reports, called)]
    if mistakes:
        raise PointError(mistakes)
    records = sorted((record for report in reports for record in report.records), key=_position)
    missing = [*_missing_shards(reports), *_gaps(records)]
    problems = [problem for report in reports for problem in report.problems]
    return Report(
        records=records,
        command=(commands if len(set(commands)) == 1 else material or [()])[0],
        environment={name: " and ".join(texts) for name, texts in _versions(reports).items()},
        problems=list(dict.fromkeys([*problems, *_differences(reports), *missing])),
        interrupted=any(report.interrupted for report in reports),
        incomplete=bool(missing) or any(report.incomplete for report in reports),
        kind=min((report.kind for report in reports), default=""),
    )


def _position(record: Record) -> int:
    """The number of a check in its run; reports without are refused before."""
    position = record["position"]
    assert position is not None
    return position


def _without(command: Sequence[str], options: Mapping[str, int]) -> tuple[str, ...]:
    """A command without some of its options, however they are joined to their values."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        if name not in options:
            kept.append(word)
        elif word == name and options[name] == 2:
            next(words, None)
    return tuple(kept)


def _foreign(commands: Sequence[tuple[str, ...]], names: Sequence[str]) -> Iterator[Mistake]:
    for name, command in zip(names, commands, strict=True):
        if command != commands[0]:
            texts = [" ".join(words) or "no command" for words in (commands[0], command)]
            yield Mistake(
                "not-mergeable",
                f"`{names[0]}` and `{name}` are of different runs: `{texts[0]}` and `{texts[1]}`",
                help="merge reports of one command, each with its own `--shard I/N`",
            )


def _misplacements(reports: Sequence[Report], names: Sequence[str]) -> Iterator[Mistake]:
    """A mistake for each report without positions, and for each pair that shares a check."""
    owners: dict[tuple[str, int | str | None], str] = {}
    shared: dict[tuple[str, str], list[str]] = {}
    for name, report in zip(names, reports, strict=True):
        if any(record["position"] is None for record in report.records):
            yield Mistake(
                "not-mergeable",
                f"`{name}` does not tell the positions of its checks",
                help="only reports of `gradcheck run` can be merged",
            )
            continue
        for record in report.records:
            position, known = record["position"], record["id"]
            keys = [("position", position), *([] if known is None else [("id", known)])]
            owner = next((owners[key] for key in keys if key in owners), None)
            if owner is not None:
                shared.setdefault((owner, name), []).append(f"{position} (`{known}`)")
            owners |= dict.fromkeys(keys, name)
    for (first, second), checks in shared.items():
        where = f"twice in `{first}`" if first == second else f"in `{first}` and in `{second}`"
        rest = f", like {count_of(len(checks) - 1, 'other')}," if len(checks) > 1 else ""
        yield Mistake(
            "not-mergeable",
            f"check {checks[0]}{rest} is {where}",
            help="give each report once; a run is split by `--shard I/N`",
        )


def _missing_shards(reports: Sequence[Report]) -> Iterator[str]:
    """Shards that the commands speak of and that are not there; nothing can be said where a report
    is of no shard.
    """
    parts = {_shard(report.command) for report in reports}
    shards = set() if None in parts else {part for part in parts if part is not None}
    for total in sorted({total for _, total in shards}):
        absent = [f"{part}/{total}" for part in range(1, total + 1) if (part, total) not in shards]
        if absent:
            yield _absence("shard", absent, len(absent))


def _shard(command: Sequence[str]) -> tuple[int, int] | None:
    """The last `--shard I/N` of a command; one of a million parts was made by nobody."""
    texts = [
        after if word == "--shard" else word.partition("=")[2]
        for word, after in pairwise([*command, ""])
        if word.partition("=")[0] == "--shard"
    ]
    part, _, total = texts[-1].partition("/") if texts else ("", "", "")
    known = re.fullmatch(r"[0-9]{1,6}", part) and re.fullmatch(r"[0-9]{1,6}", total)
    return (int(part), int(total)) if known else None


def _gaps(records: Sequence[Record]) -> Iterator[str]:
    """Positions that no record has, below the last; of what is missing at the end nothing can be
    known.
    """
    present = set(map(_position, records))
    end = max(present, default=-1) + 1
    if end > len(present):
        first = islice((str(k) for k in range(end) if k not in present), MAX_NAMED)
        yield _absence("check", list(first), end - len(present))


def _absence(noun: str, names: Sequence[str], number: int) -> str:
    """What is not there: the first few, and how many more there are."""
    head = ", ".join(names[:MAX_NAMED])
    rest = f" and {number - MAX_NAMED:,} more" if number > MAX_NAMED else ""
    noun, verb = (noun, "is") if number == 1 else (f"{noun}s", "are")
    return f"{noun} {head}{rest} {verb} in none of these reports"


def _differences(reports: Sequence[Report]) -> Iterator[str]:
    for name, texts in _versions(reports).items():
        if len(texts) > 1 and name not in _LOCAL:
            yield f"the reports were made with different versions of {name}: {', '.join(texts)}"


def _versions(reports: Sequence[Report]) -> dict[str, list[str]]:
    """Each part of the environment, with the values that the reports tell, in order."""
    names = dict.fromkeys(name for report in reports for name in report.environment)
    texts = {
        name: dict.fromkeys(report.environment.get(name, UNKNOWN) for report in reports)
        for name in names
    }
    return {
        name: [text for text in known if text != UNKNOWN] or [UNKNOWN]
        for name, known in texts.items()
    }
