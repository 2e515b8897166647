"""Numbers that options, variables and settings take, from text: counts, shards, times, sizes and
tolerances.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gradcheck_cli.language.errors import Mistake, PointError, UserError, elide, mistake

# Beyond these a number is more likely a slip of the pen than a wish: nobody has so many processors,
# waits a year for one check, splits a suite in so many parts or owns so much memory.
MOST_JOBS, MOST_SECONDS, MOST_SHARDS, MOST_BYTES = 4_096, 31_536_000, 100_000, 2**60
# Points of a hunt: what is known of each is kept.
MOST_TRIED = 1_000_000
# What 63 bits hold: seeds and counts fit every integer type that they meet.
MOST = 2**63 - 1

# Patterns as texts, and fractions imported where they are used: the options' module imports this
# one, and `--help` needs neither.
_WHOLE, _DECIMAL = r"[0-9]{1,19}", r"(?=\.?[0-9])[0-9]{0,20}(?:\.[0-9]{0,20})?"
_TIMES = {"s": 1, "m": 60, "h": 3_600}
_UNITS = {
    "": 1,
    **{prefix: 1_000 ** (n + 1) for n, prefix in enumerate("kmgt")},
    **{f"{prefix}i": 1_024 ** (n + 1) for n, prefix in enumerate("kmgt")},
}


def count(text: str, name: str = "--maxfail") -> int:
    """A whole number that is not negative.

    Args:
        name: how the user calls what the text was given to; here and below it heads the message.
    Raises:
        UserError: the text is something else; so do all readers below.
    """
    number = _whole(text)
    if number is None or number > MOST:
        raise _bad(name, text, "count", f"a whole number from 0 to {MOST:,}")
    return number


def points(text: str, name: str = "--points") -> int:
    """How many points are drawn or swept."""
    from gradcheck_cli.questions.ranges import MOST_SWEPT

    number = _whole(text)
    if number is None or not 1 <= number <= MOST_SWEPT:
        raise _bad(name, text, "number of points", f"a whole number from 1 to {MOST_SWEPT:,}")
    return number


class Quota(NamedTuple):
    """When a hunt ends: after so many points, or so many seconds; one of the two is None."""

    points: int | None = None
    seconds: float | None = None


def budget(text: str, name: str = "--budget") -> Quota:
    """A number of points, or a time with its unit."""
    match = re.fullmatch(rf"({_DECIMAL})\s*(s|m|h)", text.strip())
    if match:
        time = float(match[1]) * _TIMES[match[2]]
        if 0 < time <= MOST_SECONDS:
            return Quota(seconds=time)
    number = _whole(text)
    if number is None or not 1 <= number <= MOST_TRIED:
        accepted = f"a number of points up to {MOST_TRIED:,}, or a time, such as 5000, 10s or 2m"
        raise _bad(name, text, "budget", accepted)
    return Quota(points=number)


def order(text: str, name: str = "--order") -> int:
    """The order of the derivatives, 1 or 2."""
    number = _whole(text)
    if number not in (1, 2):
        raise _bad(name, text, "order", "1 or 2")
    return number


def jobs(text: str, name: str = "--jobs") -> int | None:
    """How many processes; None for `auto`, as many as serve this machine."""
    if text.strip().lower() == "auto":
        return None
    number = _whole(text)
    if number is None or not 1 <= number <= MOST_JOBS:
        raise _bad(
            name, text, "number of jobs", f"`auto` or a whole number from 1 to {MOST_JOBS:,}"
        )
    return number


def shard(text: str, name: str = "--shard") -> tuple[int, int]:
    """(I, N): the I-th of N parts, counted from 1."""
    match = re.fullmatch(rf"({_WHOLE})\s*/\s*({_WHOLE})", text.strip())
    part, parts = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part <= parts <= MOST_SHARDS:
        raise _bad(name, text, "shard", f"I/N with 1 <= I <= N <= {MOST_SHARDS:,}, such as 2/4")
    return part, parts


def seconds(text: str, name: str = "--timeout") -> float:
    """A time in seconds."""
    number = float(text) if re.fullmatch(_DECIMAL, text.strip()) else 0.0
    if not 0 < number <= MOST_SECONDS:
        raise _bad(
            name,
            text,
            "number of seconds",
            f"a number above 0 and up to {MOST_SECONDS:,}, such as 30 or 0.5",
        )
    return number


def size(text: str, name: str = "--max-memory") -> int:
    """A size in bytes. A bare number is refused: it might mean bytes or megabytes."""
    from fractions import Fraction

    match = re.fullmatch(rf"({_DECIMAL})\s*([kmgt]i?)?b", text.strip(), re.IGNORECASE)
    number = int(Fraction(match[1]) * _UNITS[(match[2] or "").lower()]) if match else 0
    if not 0 < number <= MOST_BYTES:
        thousands, others = (
            "B, kB, MB, GB, TB (powers of 1,000)",
            "KiB, MiB, GiB, TiB (powers of 1,024)",
        )
        accepted = f"a number with {thousands} or {others}, such as 500MB or 2GiB"
        raise _bad(name, text, "size", accepted)
    return number


def tolerance(text: str, name: str = "--rtol") -> float:
    """A number that is not negative, written in any way that a point may be."""
    return _real(text, name, positive=False)


def step(text: str, name: str = "--step") -> float:
    """A positive number, written in any way that a point may be."""
    return _real(text, name, positive=True)


def _real(text: str, name: str, *, positive: bool) -> float:
    from gradcheck_cli.dtypes import DTYPES
    from gradcheck_cli.language.constants import nonfinite
    from gradcheck_cli.questions.numbers import Exact, read_value

    sign = "positive" if positive else "not negative"
    number = "a number" if nonfinite(text) is None else "a finite number"
    message = f"{name} takes {number} that is {sign}, and got `{elide(text)}`"
    wanted = Mistake("bad-number", message)
    try:
        value = read_value(text)
    except UserError as error:
        raise PointError([wanted]) from error
    if not isinstance(value, Exact) or value.value < 0 or (positive and value.value == 0):
        raise PointError([wanted])
    rounded = DTYPES["float64"].round(value.value)
    if rounded in (0.0, float("inf")) and value.value != 0:
        raise mistake("out-of-range", f"{name} is beyond what a float64 holds")
    return rounded


def _whole(text: str) -> int | None:
    """The number, or None where the text is no whole number of at most 19 digits."""
    return int(text.strip()) if re.fullmatch(_WHOLE, text.strip()) else None


def _bad(name: str, text: str, noun: str, accepted: str) -> PointError:
    found = f"`{elide(text)}` is no {noun}" if text.strip() else f"a {noun} is missing"
    return mistake("bad-setting", f"{name}: {found}", help=f"{name} takes {accepted}")
