"""Names of a program that is one of several in a cell: without numbers where none is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.scope import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.cells.scope import Derivative
    from gradcheck_cli.language.terms import Term


def without_numbers(
    derivative: Derivative, wanted: Mapping[str, str]
) -> tuple[Derivative, dict[str, str]]:
    """A derivative whose names are those of the cell as far as they can be told apart, and the new
    names by the old ones.

    Args:
        wanted: what each name of a program is called in the cell.
    """
    terms = [*derivative.statements, derivative.result]
    words = {term.text for term in derivative.statements}.union(*map(words_of, terms))
    new: dict[str, str] = {}
    for name in (name for name in wanted if name in words):
        bare = wanted[name]
        if bare not in words and bare not in new.values():
            new[name] = bare
    if not new:
        return derivative, new
    *statements, result = (_renamed(term, new) for term in terms)
    wrt = derivative.wrt and tuple(new.get(name, name) for name in derivative.wrt)
    return replace(derivative, statements=tuple(statements), result=result, wrt=wrt), new


def _renamed(term: Term, new: Mapping[str, str]) -> Term:
    parts = tuple(None if part is None else _renamed(part, new) for part in term.parts)
    text = new.get(term.text, term.text) if term.kind in ("leaf", "assign") else term.text
    return replace(term, text=text, parts=parts)
