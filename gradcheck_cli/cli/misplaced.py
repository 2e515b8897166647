"""Values of a point that stand outside of `--at`, and the command that has them in it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, PointError, UserError, elide

if TYPE_CHECKING:
    from collections.abc import Sequence

# `x=3`, `--x=3`, `-x=3`; `-x 3` and `--x 3`; `3`.
_ASSIGNED = re.compile(r"(--?)?([^\W\d]\w*)\s*=(?!=)\s*(.+)", re.DOTALL)
_NAMED = re.compile(r"--?([^\W\d]\w*)")


def require_point_option(strays: Sequence[str], options: Sequence[str]) -> None:
    """Nothing, unless words beside the one program are values of its point.

    Args:
        strays: the words that are neither options nor their values, in order.
        options: the others.
    Raises:
        UserError: they are, with the command that says so.
    """
    programs: list[str] = []
    given: list[str] = []
    bare: list[str] = []
    rest = list(strays)
    while rest:
        word = rest.pop(0)
        assigned, named = _ASSIGNED.fullmatch(word), _NAMED.fullmatch(word)
        if assigned and _is_value(assigned[3]):
            given.append(f"{assigned[2]}={assigned[3]}")
        elif named and rest and _is_value(rest[0]):
            given.append(f"{named[1]}={rest.pop(0)}")
        elif _is_value(word):
            bare.append(word)
        else:
            programs.append(word)
    if len(programs) == 1 and (point := _point(programs[0], given, bare)):
        instead = shlex.join(["gradcheck", programs[0], "--at", point, *options])
        words = " ".join(elide(word) for word in strays if word != programs[0])
        message = f"a point stands behind `--at`: `{words}` does not"
        raise PointError([Mistake("misplaced-point", message, instead=(instead,))])


def _point(program: str, given: Sequence[str], bare: Sequence[str]) -> str:
    """The point that is meant; empty where there is none, or where it is not to be told."""
    from gradcheck_cli.language.reading import read_program

    try:
        inputs = read_program(program).variables
    except UserError:
        return ""
    names = [text.partition("=")[0] for text in given]
    free = [name for name in inputs if name not in names]
    if not set(names) <= set(inputs) or len(bare) > 1 or (bare and len(free) != 1):
        return ""
    return ",".join([*given, *(f"{free[0]}={value}" for value in bare)])


def _is_value(word: str) -> bool:
    from gradcheck_cli.questions.constructors import read_given

    try:
        read_given(word)
    except UserError:
        return False
    return True
