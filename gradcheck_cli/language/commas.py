"""A comma that no bracket holds: a decimal point in much of Europe, or a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, ProgramError, Span

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = re.compile(r"\\.|#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|[\s\S]")
_DECIMAL = re.compile(r"(?<![\w.])([0-9]+),(?=[0-9])")
_HEAD = re.compile(r"\s*(?:\w+\s*:?=(?!=))?\s*")
_LAST = re.compile(r"\s*(?:\$|\\\)|\\\]|#|$)")
_MOST = 100


def require_no_comma(text: str, read: Callable[[str], str]) -> None:
    """Nothing, if every comma of a text stands in brackets, ends it or is one of names.

    Args:
        read: the strict text of a program.
    Raises:
        ProgramError: a comma has two meanings, or lacks the brackets of a list.
    """
    for start, end, places in _statements(text):
        if not places:
            continue
        options = []
        decimal = _DECIMAL.sub(r"\1.", text[start:end])
        head = _HEAD.match(text, start, end)
        assert head is not None
        bounds = zip([head.end() - 1, *places], [*places, end], strict=True)
        items = ", ".join(text[a + 1 : b].strip() for a, b in bounds)
        listed = f"{text[start : head.end()]}[{items}]"
        for words in (decimal,) * (decimal != text[start:end]) + (listed,):
            try:
                options.append(read(f"{text[:start]}{words}{text[end:]}"))
            except ProgramError:
                continue
        if options:
            words = "a comma without brackets may be a decimal point, or make a list"
            if len(options) == 1:
                words = "a list stands in brackets"
            span = Span(places[0], places[0] + 1)
            raise ProgramError([Mistake("ambiguous", words, text, span, instead=tuple(options))])


def _statements(text: str) -> list[tuple[int, int, list[int]]]:
    """Where each statement begins and ends, and its commas outside brackets."""
    found: list[tuple[int, int, list[int]]] = []
    depth = start = 0
    places: list[int] = []
    for step in _STEP.finditer(text):
        sign, at = step[0].replace("\\{", "{").replace("\\}", "}"), step.start()
        depth += (sign in "([{") - (sign in ")]}")
        if sign[0] == "#" or (sign in ";\n" and depth <= 0):
            found.append((start, at, places))
            start, places = step.end(), []
        elif sign == "," and depth <= 0 and not _LAST.match(text, at + 1):
            places.append(at)
    found.append((start, len(text), places))
    return [(a, b, [p for p in c if text[p + 1 : b].strip()]) for a, b, c in found][:_MOST]
