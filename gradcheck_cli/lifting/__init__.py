"""A suite out of a notebook or a script, which is read and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from gradcheck_cli.lifting.script import NotLifted


class Lifted(NamedTuple):
    """What came of a file: a suite, how many checks and claims are in it, and what is not."""

    suite: str
    checks: int
    claims: int
    unread: tuple[NotLifted, ...]


def lift(path: Path) -> Lifted:
    """The suite of a notebook or a script.

    Raises:
        PointError: the file cannot be read.
    """
    from gradcheck_cli.lifting.collecting import Collecting
    from gradcheck_cli.lifting.matching import lifted_checks
    from gradcheck_cli.lifting.script import read_script
    from gradcheck_cli.lifting.suite import mistake_in, suite_text

    script = read_script(path)
    reading = Collecting(script)
    reading.run(script.body)
    good = []
    for check in lifted_checks(reading):
        wrong = mistake_in(check, reading.seed)
        if wrong:
            reading.tell(check.line, f"`{check.words}`: {wrong}")
        else:
            good.append(check)
    unread = tuple(sorted(reading.unread, key=lambda each: each.place))
    text = suite_text(path.name, good, unread, reading.seed)
    claims = sum(len(check.claims) + len(check.expected) for check in good)
    return Lifted(text, len(good), claims, unread)
