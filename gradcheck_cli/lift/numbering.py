"""Numbers of Python's that have names: what they stand for is seen where they are used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.language.terms import Term

# Stands in the leaf of a named number, and in no name of Python's.
MARK = "\N{MIDDLE DOT}"


def is_number(word: str) -> bool:
    """Whether a leaf is that of a named number."""
    return MARK in word


def name_of(word: str) -> str:
    """The name of the script that a leaf is made of."""
    return word.partition(MARK)[0]


def rewritten(term: Term, new: Callable[[str], Term | None]) -> Term:
    """A term with other terms in the place of some leaves."""
    if term.kind == "leaf":
        other = new(term.text)
        return term if other is None else other
    parts = tuple(None if part is None else rewritten(part, new) for part in term.parts)
    return replace(term, parts=parts)
