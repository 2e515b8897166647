"""Terms of a formula as it was pasted, and the strict text that they are spelled as."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

# The sign of a product that has none: that of MathML, which takes no room.
IMPLIED = "\u2062"
# How tightly a sign binds in Python.
STRENGTHS = {
    "or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "|": 5, "&": 6, "+": 7,
    "-": 7, "*": 8, "/": 8, "//": 8, "@": 8, "%": 8, IMPLIED: 8,
}  # fmt: skip
_NOT, _SIGNED, _POWER, _ATOM = 3, 9, 10, 11
_TIGHT = ("*", "/", "//")


@dataclass(frozen=True)
class Term:
    """A part of a formula.

    Attributes:
        kind: leaf, signed, chain (of signs of one strength), raised, call, keyword, index, slice,
            attribute, list, tuple, if, assign, choice.
        span: where it stands in what was pasted.
        text: of a leaf, and the sign or name of what else has one.
        signs: between the parts of a chain.
        tail: how the term ends, where that matters to what follows: with the argument of a function
            without brackets (bare), with an exponent or a root, with a bracket (closed), or as a
            name before one (call, product).
    """

    kind: str
    span: Span
    text: str = ""
    parts: tuple[Term | None, ...] = ()
    signs: tuple[str, ...] = ()
    tail: str = ""

    def ending(self, tail: str) -> Term:
        """The same with another tail."""
        return Term(self.kind, self.span, self.text, self.parts, self.signs, tail)

    def closed(self, span: Span) -> Term:
        """The same in brackets, which are a part of its place: no chain goes on in it."""
        return Term(self.kind, span, self.text, self.parts, self.signs, "closed")


def leaf(text: str, span: Span) -> Term:
    """A name, a number or a text in quotes."""
    return Term("leaf", span, text)


def chain(first: Term, *rest: tuple[str, Term]) -> Term:
    """`first sign term sign term`, read from the left."""
    if not rest:
        return first
    signs, parts = zip(*rest, strict=True)
    head = first.parts if extends(first, signs[0]) else (first,)
    before = first.signs if extends(first, signs[0]) else ()
    span = Span(first.span.start, parts[-1].span.end)
    return Term("chain", span, "", (*head, *parts), (*before, *signs))


def extends(first: Term, sign: str) -> bool:
    """Whether a chain goes on, so that long ones do not nest."""
    strength = STRENGTHS[sign]
    is_same = first.kind == "chain" and STRENGTHS[first.signs[0]] == strength
    # `(a < b) < c` is no chain of comparisons.
    return is_same and not (strength == STRENGTHS["<"] and first.tail == "closed")


def product(factors: Sequence[Term]) -> Term:
    """Factors side by side, multiplied from the left."""
    return chain(factors[0], *((IMPLIED, factor) for factor in factors[1:]))


def extended(term: Term, sign: str, factor: Term) -> Term:
    """A term whose end takes in one more factor: `sin(x*y)` for `sin x` and `y`."""
    head, *rest = term.parts
    assert head is not None
    if term.kind in ("signed", "chain") or (term.kind == "raised" and term.tail == "bare"):
        parts = (extended(head, sign, factor), *rest)
        return Term(term.kind, term.span, term.text, parts, term.signs)
    # The argument of a function, or the exponent of a power.
    last = term.parts[-1]
    assert last is not None
    return Term(term.kind, term.span, term.text, (head, chain(last, (sign, factor))))


def call(name: str, span: Span, *arguments: Term, at: Span | None = None) -> Term:
    """A function of the language, called."""
    return Term("call", span, "", (leaf(name, at or span), *arguments))


@dataclass
class Spelling:
    """Text of terms in the language, with the place that each piece of it was read from."""

    pieces: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    length: int = 0

    def put(self, text: str, span: Span) -> None:
        """One more piece."""
        self.pieces.append(text)
        self.starts.append(self.length)
        self.spans.append(span)
        self.length += len(text)

    @property
    def text(self) -> str:
        """Everything that was put."""
        return "".join(self.pieces)

    def source(self, span: Span) -> Span:
        """Where in the pasted text a span of the spelled one was read from."""
        last = max(span.start, span.end - 1)
        first, final = (bisect_right(self.starts, place) - 1 for place in (span.start, last))
        return Span(self.spans[first].start, max(s.end for s in self.spans[first : final + 1]))

    def term(self, term: Term, least: int = 0) -> None:
        """Spell a term where only what binds at least so tightly needs no brackets."""
        is_loose = _strength(term) < least
        if is_loose:
            self.put("(", Span(term.span.start, term.span.start))
        _SPELL.get(term.kind, Spelling._leaf)(self, term)
        if is_loose:
            self.put(")", Span(term.span.end, term.span.end))

    def _leaf(self, term: Term) -> None:
        self.put(term.text, term.span)

    def _signed(self, term: Term) -> None:
        is_word = term.text.isalpha()
        self.put(f"{term.text} " if is_word else term.text, Span(term.span.start, term.span.start))
        self._part(term, 0, _NOT if is_word else _SIGNED)

    def _part(self, term: Term, k: int, least: int = 0) -> None:
        part = term.parts[k]
        if part is not None:
            self.term(part, least)

    def _chain(self, term: Term) -> None:
        strength = STRENGTHS[term.signs[0]]
        self._part(term, 0, strength + (strength == STRENGTHS["<"]))
        for k, sign in enumerate(term.signs, 1):
            before, after = term.parts[k - 1], term.parts[k]
            assert before is not None
            assert after is not None
            gap = Span(before.span.end, max(before.span.end, after.span.start))
            self.put(sign if sign in _TIGHT else f" {sign} ", gap)
            self.term(after, strength + 1)

    def _power(self, term: Term) -> None:
        self._part(term, 0, _ATOM)
        self.put("**", Span(term.span.end, term.span.end))
        self._part(term, 1, _SIGNED)

    def _call(self, term: Term) -> None:
        self._part(term, 0, _ATOM)
        self._listed("(", term.parts[1:], ")", term)

    def _listed(self, opening: str, parts: Sequence[Term | None], close: str, term: Term) -> None:
        end = Span(term.span.end, term.span.end)
        self.put(opening, Span(term.span.start, term.span.start))
        for k, part in enumerate(parts):
            if k:
                self.put(", ", end)
            assert part is not None
            self.term(part, 0)
        self.put(f",{close}" if term.kind == "tuple" and len(parts) == 1 else close, end)

    def _index(self, term: Term) -> None:
        self._part(term, 0, _ATOM)
        self._listed("[", term.parts[1:], "]", term)

    def _slice(self, term: Term) -> None:
        for k in range(len(term.parts)):
            if k:
                self.put(":", term.span)
            self._part(term, k)

    def _list(self, term: Term) -> None:
        self._listed(
            *("[", term.parts, "]") if term.kind == "list" else ("(", term.parts, ")"), term
        )

    def _dot(self, term: Term) -> None:
        self._part(term, 0, _ATOM)
        self.put(f".{term.text}", Span(term.span.start, term.span.end))

    def _if(self, term: Term) -> None:
        self._part(term, 0, 1)
        self.put(" if ", term.span)
        self._part(term, 1, 1)
        self.put(" else ", term.span)
        self._part(term, 2)

    def _named(self, term: Term) -> None:
        self.put(term.text + ("=" if term.kind == "keyword" else " = "), term.span)
        self._part(term, 0)


_SPELL = {
    "signed": Spelling._signed, "chain": Spelling._chain, "raised": Spelling._power,
    "call": Spelling._call, "keyword": Spelling._named, "assign": Spelling._named,
    "index": Spelling._index, "slice": Spelling._slice, "attribute": Spelling._dot,
    "list": Spelling._list, "tuple": Spelling._list, "if": Spelling._if,
}  # fmt: skip


def _strength(term: Term) -> int:
    """How tightly a term's own sign binds."""
    match term.kind:
        case "chain":
            return STRENGTHS[term.signs[0]]
        case "signed":
            return _NOT if term.text.isalpha() else _SIGNED
        case "raised":
            return _POWER
        case "if" | "assign" | "keyword":
            return 0
    return _ATOM


def spelled(statements: Sequence[Term], breaks: Sequence[str]) -> Spelling:
    """The strict text of statements, and where its pieces come from.

    Args:
        breaks: between them, a `;` or the end of a line.
    """
    spelling = Spelling()
    for k, statement in enumerate(statements):
        if k:
            span = Span(statement.span.start, statement.span.start)
            spelling.put("; " if breaks[k - 1] == ";" else "\n", span)
        spelling.term(statement)
    return spelling
