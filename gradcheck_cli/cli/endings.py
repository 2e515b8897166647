"""What a run says on stderr when it is over: each check that is not as expected, once, with its
place and the command that makes it again; how long it took, and which cases took longest.
"""

from __future__ import annotations

import re
import shlex
import sys
from itertools import islice
from typing import TYPE_CHECKING

from gradcheck_cli.cli.streams import columns, say
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import failing_variants, worse_partials
from gradcheck_cli.reports.facts import remarks_of
from gradcheck_cli.reports.format import count_of, escape_controls, partial_name, place_in_sweep
from gradcheck_cli.reports.wrap import one_line, wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.records.record import Record
    from gradcheck_cli.records.report import Report
    from gradcheck_cli.runs.run import CaseTime
    from gradcheck_cli.settings.values import Settings

# Checks that are named at the end of a run that failed; the rest is counted.
MOST_CHECKS = 10
_LEAD = "reproduce: "
# What a layout puts into a text: colours, and a shell's breaks of a line.
_LAYOUT = re.compile(r"\x1b\[[0-9;]*m|\\\n")


def say_failures(report: Report, settings: Settings, shown: str, seconds: float) -> None:
    """Nothing where all is as expected.

    Args:
        shown: the report, where it is read together with these messages: what it says of a check,
            and its command, is not said again.
        seconds: how long the run took.
    """
    text = _LAYOUT.sub("", shown)
    sentences, lines = " ".join(text.split()), text.splitlines()
    commands = {_squeezed(line.removeprefix(_LEAD)) for line in lines if line.startswith(_LEAD)}
    failing = report.having("fail", "error", "unverified")
    named = 0
    for record in islice(failing, MOST_CHECKS):
        what, subject, why = _sentence_of(record)
        reason = (subject, why) if why not in sentences else ()
        _say_wrapped(": ".join(filter(None, (_place_of(record), what, *reason))))
        command = escape_controls(record["reproduce"])
        if _squeezed(command) not in commands:
            _say_command(f"  {_LEAD}", command)
        named += 1
    if not named:
        return
    if more := sum(1 for _ in failing):
        again = [*settings.command("run"), *["--last-failed"] * (not settings.last_failed)]
        _say_command(f"… and {more:,} more; all of them: ", shlex.join(["gradcheck", *again]))
    total = len(report.records)
    some = f"{named + more:,} of {count_of(total, 'check')}" if total > 1 else "the check"
    _say_wrapped(
        f"{some} {'is' if named + more == 1 else 'are'} not as expected, in {_time(seconds)}"
    )


def say_slowest(times: Sequence[CaseTime], most: int) -> None:
    """The cases that took longest.

    Args:
        times: of every case that was checked, the slowest first.
        most: how many are told; 0 for all.
    """
    shown = times[: most or None]
    if not shown:
        say("no case was timed: none was checked in this run")
        return
    some = f"{len(shown):,} of " if len(shown) < len(times) else ""
    say(f"{some}{count_of(len(times), 'case')}, the slowest first:")
    texts = [f"{time.seconds:,.2f} s" for time in shown]
    width = max(map(len, texts))
    for text, (case, checks, _) in zip(texts, shown, strict=True):
        several = f" ({count_of(checks, 'check')})" if checks > 1 else ""
        say(f"  {text:>{width}}  {case.place.file}:{case.place.line}: {case.name}{several}")


def _place_of(record: Record) -> str:
    """`FILE:LINE: NAME`, as editors and terminals find it."""
    source, name = record["source"], str(record["id"])
    if source is None:
        return name
    return f"{source['file']}:{source['line']}: {name.removeprefix(source['file'] + '::')}"


def _sentence_of(record: Record) -> tuple[str, str, str]:
    """(what a check came to, the partial that is why, the reason); the last two may be empty."""
    for kind, text in remarks_of(record):
        return kind, "", one_line(text)
    partials = [*record["partials"], *worse_partials(record)]
    if not partials:
        return str(record["outcome"]), "", ""
    worst = min(partials, key=lambda partial: Outcome(partial["outcome"]).rank)
    for claim in record["claims"] or ():
        if Outcome(claim["outcome"]).rank < Outcome(worst["outcome"]).rank:
            return claim["outcome"], f"`{claim['claim']}`", one_line(claim["reason"])
    for variant in failing_variants(record):
        return str(variant["outcome"]), variant["what"], one_line(variant["reason"])
    subject = partial_name(worst, record) + place_in_sweep(record)
    return str(record["outcome"]), subject, one_line(worst["reason"])


def _say_wrapped(text: str) -> None:
    from rich.text import Text

    say("\n".join(line.plain for line in wrap(Text(text), _width(), 2)))


def _say_command(lead: str, command: str) -> None:
    say(lead + wrap_command(command, _width(), len(lead)))


def _width() -> int | None:
    """Columns of a terminal; None for a pipe or a file, of which programs read whole lines."""
    return columns(sys.stderr) if sys.stderr.isatty() else None


def _squeezed(command: str) -> str:
    """A command without what a break of its lines adds or takes."""
    return re.sub(r"[\s'\"\\]", "", command)


def _time(seconds: float) -> str:
    return f"{seconds:,.1f} s"
