"""The command that reproduces a check."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gradcheck_cli.records.numbers import typed_text
from gradcheck_cli.settings.table import ROWS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.questions.batch import Point

# Characters of one argument, at most: Linux takes 128 KiB.
LONGEST = 120_000


def reproduce(point: Point, *, strict: bool = False) -> str:
    """The command that checks this point alone, and fails where it did; empty where its numbers are
    more than a command can hold.
    """
    if point.question.subject.is_code:
        words = point.question.subject.words
        return shlex.join([*words, *["--strict"] * strict]) if words else ""
    said = {**({"strict": ("--strict",)} if strict else {}), **point.question.words}
    options: list[str] = []
    for row in ROWS:
        if row.repeated == "as given":
            options += said.get(row.name, ())
        elif row.repeated == "as checked":
            text, is_needed = _CHECKED[row.name](point)
            # What a configuration file sets is told even where it is what holds without one.
            options += row.spoken(text) if is_needed or row.name in said else []
    if "--seed" in point.spelled:
        options += ["--seed", point.spelled["--seed"]]
    if max(map(len, options), default=0) > LONGEST:
        return ""
    return shlex.join([*point.question.subject.words, *options])


def _at(point: Point) -> tuple[str, bool]:
    at, spelled = point.at, point.spelled
    variables = point.question.whole.variables
    values = (f"{n}={spelled.get(n) or typed_text(at[n].tolist())}" for n in variables)
    return ",".join(values), bool(variables)


def _wrt(point: Point) -> tuple[str, bool]:
    return ",".join(point.question.wrt), not point.question.everything


def _dtype(point: Point) -> tuple[str, bool]:
    return point.dtype.name, point.dtype.name != SETTINGS["dtype"].builtin


def _device(point: Point) -> tuple[str, bool]:
    return point.device, point.device != SETTINGS["device"].builtin


def _cotangent(point: Point) -> tuple[str, bool]:
    weights = point.batch.cotangent
    return ("", False) if weights is None else (str(weights.tolist()), True)


# What a check itself has one of, and whether it is other than what is built in.
_CHECKED: Mapping[str, Callable[[Point], tuple[str, bool]]] = {
    "at": _at,
    "wrt": _wrt,
    "dtype": _dtype,
    "device": _device,
    "cotangent": _cotangent,
}
