"""A run on its way: progress, what is streamed, and what ends it."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradcheck_cli.cli.streams import defect, say, wants_progress
from gradcheck_cli.language.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.cli.exports import Delivery
    from gradcheck_cli.runs.session import Session

# What ends a run before its time and leaves it time to write a report.
_ENDINGS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def signals() -> Iterator[None]:
    """SIGTERM and SIGHUP taken as Ctrl-C while a run is under way: a CI server that cancels a job
    asks first, and so does a terminal that is closed, unless `nohup` says that it is not to count.
    Afterwards everything is as before.
    """
    before = {number: signal.getsignal(number) for number in _ENDINGS}
    for number in _ENDINGS[1:]:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def go(session: Session, delivery: Delivery) -> bool:
    """Run to the end, streaming and showing progress; whether the run itself broke."""
    from gradcheck_cli.cli.progress import Progress

    journal, count = session.run.journal, session.run.plan.selected
    streamed, broken = delivery.settings.format == "jsonl", False
    for remark in session.remarks:
        say(remark)
    if session.resumed:
        say(f"{session.resumed:,} of {count:,} checks are taken over from the run before")
    with Progress(count, shown=wants_progress(count)) as progress:

        def take(position: int, done: int) -> bool:
            progress.show(done, lambda: session.run.name(position))
            return not streamed or delivery.stream(journal.line(position))

        try:
            session.go(take)
        except UserError:
            raise
        except KeyboardInterrupt:  # before the first check, or a second time
            session.run.interrupted = True
        except Exception as error:  # noqa: BLE001 - what is finished is reported all the same
            defect(error)
            session.run.problems.append(f"the run broke off: {error}")
            broken = True
    # Whoever presses Ctrl-C again must not lose the report.
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    if streamed and delivery.read:
        all(delivery.stream(journal.line(position)) for position in session.run.rest())
    if journal.trouble:
        say(f"{journal.trouble}: results were kept in memory, and --resume will not find them")
    return broken
