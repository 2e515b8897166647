"""Terms of a script: its named numbers are leaves of their own, until they are put in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.functions.modules import is_cut
from gradcheck_cli.language.terms import Spelling, Term

if TYPE_CHECKING:
    from collections.abc import Callable

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


def uncut(term: Term) -> Term:
    """A term without the places where it is cut off from a gradient: a formula has none."""
    match term:
        case Term(kind="call", parts=(Term(kind="leaf", text=name), Term() as inner)) if is_cut(
            name.rpartition(".")[2]
        ):
            return uncut(inner)
        case Term(
            kind="call", parts=(Term(kind="attribute", text=name, parts=(Term() as inner,)),)
        ) if is_cut(name):
            return uncut(inner)
    parts = tuple(None if part is None else uncut(part) for part in term.parts)
    return Term(term.kind, term.span, term.text, parts, term.signs, term.tail)


def text_of(term: Term) -> str:
    """A term in the language."""
    spelling = Spelling()
    spelling.term(term)
    return spelling.text
