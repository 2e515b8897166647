"""Products without a sign, once the shapes of what stands in them are known or not: `*` of numbers
and elements, `@` of matrices.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.functions import constants, lookup, names
from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.terms import IMPLIED, extends

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradcheck_cli.language.terms import Term


class Settling:
    """Puts a sign into each product without one.

    Attributes:
        pick: which meaning is taken of what has several.
        ranks: how many dims a name has, as far as that is known.
        products: places of the products that are those of matrices.
    """

    def __init__(self, pick: int = 0, ranks: Mapping[str, int] | None = None) -> None:
        self.pick, self.ranks = pick, dict[str, int | None](ranks or {})
        self.products: list[Span] = []

    def all(self, statements: Iterable[Term]) -> list[Term]:
        """The statements, one meaning of each."""
        return [self.term(statement) for statement in statements]

    def term(self, term: Term) -> Term:
        """A term in which every product has a sign."""
        term = self._flat(self._picked(term))
        if not term.parts:
            return term
        parts = tuple([part and self.term(part) for part in term.parts])
        signs = self._signs([p for p in parts if p is not None], term.signs)
        settled = replace(term, parts=parts, signs=signs)
        if term.kind == "assign":
            self.ranks[term.text] = self._rank(settled)
        return settled

    def _picked(self, term: Term) -> Term:
        while term.kind == "choice":
            picked = term.parts[min(self.pick, len(term.parts) - 1)]
            assert picked is not None
            term = picked
        return term

    def _flat(self, term: Term) -> Term:
        """A chain that begins with a chain, as one."""
        if term.kind != "chain":
            return term
        links = [term]
        while (head := self._head(links[-1])).tail != "closed" and extends(head, term.signs[0]):
            links.append(head)
        parts = [part for link in reversed(links) for part in link.parts[1:]]
        signs = [sign for link in reversed(links) for sign in link.signs]
        return replace(term, parts=(head, *parts), signs=tuple(signs))

    def _head(self, term: Term) -> Term:
        """What a chain begins with."""
        first = term.parts[0]
        assert first is not None
        return self._picked(first)

    def _signs(self, parts: Sequence[Term], signs: Sequence[str]) -> tuple[str, ...]:
        """The signs of a chain, each product without one settled."""
        found: list[str] = []
        rank = self._rank(parts[0]) if signs else None
        turned = _turned(parts, signs) if IMPLIED in signs else ()
        for k, sign in enumerate(signs):
            other = self._rank(parts[k + 1])
            if sign == IMPLIED:
                is_product = _is_of_matrices(rank, other, is_turned=turned[k])
                sign = "@" if is_product else "*"  # noqa: PLW2901 - the sign that it is read as
                if is_product:
                    self.products.append(Span(parts[k].span.start, parts[k + 1].span.end))
            found.append(sign)
            rank = _combined(sign, rank, other)
        return tuple(found)

    def _rank(self, term: Term) -> int | None:
        """How many dims a settled term has; None where that is not known."""
        parts = [part for part in term.parts if part is not None]
        match term.kind:
            case "leaf":
                is_number = term.text[:1].isdigit() or term.text in constants()
                return 0 if is_number else self.ranks.get(term.text)
            case "signed" | "raised" | "assign":
                return self._rank(parts[0])
            case "attribute":
                return self._rank(parts[0]) if _is_transposed(term) else None
            case "if":
                return _combined("", self._rank(parts[0]), self._rank(parts[2]))
            case "list" | "tuple":
                inner = self._rank(parts[0]) if parts else None
                return None if inner is None else inner + 1
            case "chain":
                rank = self._rank(parts[0])
                for sign, part in zip(term.signs, parts[1:], strict=True):
                    rank = _combined(sign, rank, self._rank(part))
                return rank
            case "call":
                return self._called(*parts)
        return None

    def _called(self, head: Term, *arguments: Term) -> int | None:
        if head.kind != "leaf" or head.text not in names():
            return None
        row = lookup(names()[head.text])
        settings = {each.name for each in row.parsed.settings}
        if settings & {"keepdim", "reduction"}:
            has_dim = any(part.kind == "keyword" and part.text != "ord" for part in arguments)
            return None if has_dim or len(arguments) > len(row.parsed.args) + 1 else 0
        if row.kind == "structural" or not arguments:
            return None
        rank = self._rank(arguments[0])
        for part in arguments[1:]:
            if part.kind != "keyword":
                rank = _combined("", rank, self._rank(part))
        return rank


def _is_of_matrices(left: int | None, right: int | None, *, is_turned: bool) -> bool:
    """Whether a product without a sign is one of matrices.

    Args:
        is_turned: whether something transposed stands in it.
    """
    if 0 in (left, right):
        return False
    return is_turned or max(left or 0, right or 0) > 1


def _combined(sign: str, left: int | None, right: int | None) -> int | None:
    """The dims of what a sign makes of two values."""
    if left is None or right is None:
        return None
    if sign == "@" and left and right:
        return max(left + right - 2, 0) if min(left, right) == 1 else max(left, right)
    return max(left, right)


def _turned(parts: Sequence[Term], signs: Sequence[str]) -> Sequence[bool]:
    """Of each sign, whether something transposed stands in the run of factors that it is in."""
    found: list[bool] = []
    start = 0
    for k in range(len(signs) + 1):
        if k == len(signs) or signs[k] != IMPLIED:
            is_turned = any(map(_is_transposed, parts[start : k + 1]))
            found += [is_turned] * (k + 1 - start)
            start = k + 1
    return found


def _is_transposed(term: Term) -> bool:
    while term.kind == "signed" and term.parts[0] is not None:
        term = term.parts[0]
    return (term.kind, term.text) in (("attribute", "T"), ("attribute", "mT"))
