"""Attempts at a proof: with more and more precision, and in the end with the help of others who may
know which numbers are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gradcheck_cli.worlds.zeros import zero_inquiry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.worlds.zeros import ZeroInquiry, ZeroTest

T = TypeVar("T")
# A constant is quoted up to so many characters.
_QUOTED = 60


def settled(
    attempt: Callable[[int, int], T | str],
    tries: Sequence[tuple[int, int]],
    zero_test: ZeroTest | None,
) -> tuple[T | str, str]:
    """What the first attempt that succeeds comes to, else in words why the last one does not; and
    in words what it owes to others.

    Args:
        attempt: of so many bits and terms; in words why it fails.
        zero_test: who is asked where all has failed, and zeros were met that are not decided.
    """
    found: T | str = ""
    is_open = False
    for bits, terms in tries:
        with zero_inquiry(None) as idle:
            found = attempt(bits, terms)
        if not isinstance(found, str):
            return found, ""
        is_open = idle.is_open
    if zero_test is None or not is_open:
        return found, ""
    with zero_inquiry(zero_test) as asked:
        return attempt(*tries[-1]), _debt(asked)


def _debt(asked: ZeroInquiry) -> str:
    zeros = asked.zeros
    if not zeros:
        return ""
    is_short = len(zeros) == 1 and len(zeros[0]) <= _QUOTED and "\n" not in zeros[0]
    return f"; SymPy's algebra finds {f'`{zeros[0]}`' if is_short else 'constants there'} to be 0"
