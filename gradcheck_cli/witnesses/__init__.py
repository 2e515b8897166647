"""Witnesses: each looks at a Case and says, for every partial asked for, a value with its room, or why it cannot.

What a witness answers for one partial is one of its own small records or an `Abstention`; numerical trouble is
always a value, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Abstention:
    """A witness has nothing to say, and why."""

    reason: str


def first_line(error: Exception) -> str:
    """The first line of a library's message: torch's go on with a page of advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
