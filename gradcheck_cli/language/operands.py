"""The operands of a pasted formula: numbers, brackets, bars, roots, and functions with what they
are applied to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions import constants, names
from gradcheck_cli.language.cursor import Cursor
from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.libraries import ATTRIBUTES
from gradcheck_cli.language.naming import is_variable_like, takes_base
from gradcheck_cli.language.terms import Term, call, chain, leaf, product
from gradcheck_cli.language.token import Illegible

if TYPE_CHECKING:
    from gradcheck_cli.language.token import Token

_ROUNDED = {"⌊": "floor", "⌈": "ceil"}
# Libraries whose logarithm takes a base; in the others a second argument is something else.
_WITH_BASE = ("math", "sympy", "sp")


class Operands(Cursor):
    """Reads one operand, with what belongs to it on its right."""

    def postfix(self) -> Term:
        """An operand with calls, indices, attributes and signs behind it."""
        term = self.operand()
        while True:
            token = self.next
            if token.kind == "attribute":
                self.at += 1
                term = Term("attribute", Span(term.span.start, token.span.end), token.text, (term,))
            elif token.kind == "open" and _belongs(term, token):
                self.at += 1
                parts, start = self.inside(token), term.span.start
                kind = "index" if token.text == "[" else "call"
                term = _with_base(Term(kind, self.since(start), "", (term, *parts)))
            elif self.is_next("glyph", "!", "°"):
                term = _marked(term, self.take("glyph"))
            else:
                return term

    def operand(self) -> Term:
        """A name, a number, or what stands in brackets or bars."""
        token = self.next
        self.at += 1
        match token.kind:
            case "number" | "string":
                return leaf(token.text, token.span)
            case "name":
                return self.name(token)
            case "open":
                return self.bracketed(token)
            case "root":
                return self.root(token)
            case "bar" | "doublebar" if token.text != ")":
                return self.barred(token)
        raise Illegible

    def bracketed(self, token: Token) -> Term:
        """A group, a list, or what is rounded down or up."""
        is_list = self.brackets.lists[self.at - 1]
        parts = self.inside(token)
        span = self.since(token.span.start)
        if any(part.kind in ("keyword", "slice") for part in parts):
            raise Illegible
        if token.text == "[":
            return Term("list", span, "", tuple(parts))
        if is_list:
            return Term("tuple", span, "", tuple(parts))
        if token.text in _ROUNDED:
            return call(_ROUNDED[token.text], span, parts[0], at=token.span)
        # What is in brackets ends with them: nothing goes on behind it.
        return parts[0].closed(span)

    def barred(self, token: Token) -> Term:
        """An absolute value, or a norm."""
        self.deeper()
        self.open.append(token.kind)
        inner = self.expression()
        if self.next.text == "(":
            raise Illegible
        self.take(token.kind)
        self.open.pop()
        self.depth -= 1
        order = self.take("sub").text if self.is_next("sub") else ""
        span = self.since(token.span.start)
        if token.kind == "bar" and not order:
            return call("abs", span, inner, at=token.span)
        if order in ("", "F"):
            return call("norm", span, inner, at=token.span)
        value = leaf("inf" if order in ("∞", "infty") else order, span)
        setting = Term("keyword", span, "ord", (value,))
        return call("linalg_norm", span, inner, setting, at=token.span)

    def root(self, token: Token) -> Term:
        """A square, cube or fourth root of the next operand."""
        self.deeper()
        is_bracket = self.is_next("open")
        inner = self.operand() if is_bracket else self.postfix()
        self.depth -= 1
        term = _rooted(token, inner)
        if is_bracket or self.next.gap:
            return term
        if self.is_next("glyph", "**"):
            exponent, _ = self.exponent()
            span = self.since(token.span.start)
            raised = Term("raised", Span(inner.span.start, span.end), "", (inner, exponent))
            options = _rooted(token, raised), Term("raised", span, "", (term, exponent))
            return self.doubt(span, "where the root ends is not said", *options)
        is_open = inner.kind == "leaf" and self.is_next("name")
        return term.ending("root") if is_open else term

    def name(self, token: Token) -> Term:
        """A name, or a function with what it is applied to."""
        word, base = self.naming.base(token)
        if word:
            return self.based(token, word, base)
        called, bare = self.naming.called(token), self.naming.bare(token)
        if self.is_next("open", "("):
            return self.applied(token, called) if called else self.product_or_call(token)
        if self.is_next("open", "[") and called and called != token.text:
            return self.applied(token, called)  # `Sin[x]`
        if self.is_next("open", "{") and called:
            return self.applied(token, called)  # `\sqrt{x}`, `max{x, 0}`
        if self.is_next("glyph", "**") and called:
            return self.raised_function(token, called, bare)
        if bare and (self.begins() or self.is_next("glyph", "-")):
            return self.bare(token, bare)
        return leaf(token.text, token.span)

    def applied(self, token: Token, function: str) -> Term:
        """A function and its arguments in brackets."""
        opening = self.take("open")
        parts = self.inside(opening)
        head = leaf(function, token.span)
        return _with_base(Term("call", self.since(token.span.start), "", (head, *parts)))

    def bare(self, token: Token, function: str) -> Term:
        """A function and its argument without brackets: `sin x`, `ln 2x`."""
        self.deeper()
        factors = [self.signed()]
        while self.begins() and not self.next.gap and not self.is_function():
            self.note_product(factors[-1])
            factors.append(self.power())
        self.depth -= 1
        term = call(function, self.since(token.span.start), product(factors), at=token.span)
        return term.ending("bare")

    def based(self, token: Token, word: str, base: str) -> Term:
        """A logarithm to a base: `log_2(x)`."""
        own = f"{names()[word]}{base}"
        function = own if own in names() else word
        if self.is_next("open", "(", "{"):
            term = self.applied(token, function)
        elif self.begins():
            term = self.bare(token, function)
        else:
            raise Illegible
        if function != word:
            return term
        under = call(word, token.span, leaf(base, token.span))
        return chain(term, ("/", under)).ending(term.tail)

    def raised_function(self, token: Token, function: str, bare: str) -> Term:
        """`sin^2(x)` and `sin^-1 x`; of what is applied to nothing a power of the name."""
        exponent, _ = self.exponent()
        is_applied = self.is_next("open", "(", "{")
        if not is_applied and not (bare and self.begins()):
            return Term(
                "raised", self.since(token.span.start), "", (leaf(token.text, token.span), exponent)
            )
        is_inverse = exponent.kind == "signed" and exponent.parts[0] == _one_at(exponent)
        inverse = self.naming.inverse(function) if is_inverse else ""
        name = inverse or function
        term = self.applied(token, name) if is_applied else self.bare(token, name)
        if inverse:
            return term
        raised = Term("raised", term.span, "", (term, exponent), (), term.tail)
        if not is_inverse:
            return raised
        return self.doubt(term.span, f"`{function}` has no inverse here", raised)

    def product_or_call(self, token: Token) -> Term:
        """A name that is no function, with a bracket behind it."""
        term = leaf(token.text, token.span)
        if token.text in constants() or self.in_exponent:
            return term
        is_one = not self.brackets.lists[self.at]
        if token.text == "lg" and is_one:
            parts = self.inside(self.take("open"))
            span = self.since(token.span.start)
            options = call("log10", span, *parts), call("log2", span, *parts)
            return self.doubt(span, "`lg` has base 10 in some books and 2 in others", *options)
        seen = self.naming.seen
        is_number = token.letter or is_variable_like(token.text) or token.text in seen
        return term.ending("product" if is_one and is_number else "call")

    def note_product(self, term: Term) -> None:
        """That a name with a bracket behind it may be a function."""
        while term.kind == "signed" and term.parts[0] is not None:
            term = term.parts[0]
        if term.tail == "product":
            message = f"there is no function `{term.text}`: a product needs its sign"
            self.doubt(term.span, message)

    def begins(self) -> bool:
        """Whether a factor begins with the next token: `Grammar` knows."""
        raise NotImplementedError

    def is_function(self) -> bool:
        """Whether that is a function which is applied."""
        raise NotImplementedError

    def signed(self) -> Term:
        """A power with signs before it."""
        raise NotImplementedError

    def power(self) -> Term:
        """A factor, raised or not."""
        raise NotImplementedError

    def exponent(self) -> tuple[Term, str]:
        """What follows the sign of a power, and its tail."""
        raise NotImplementedError


def _belongs(term: Term, token: Token) -> bool:
    """Whether a bracket calls or indexes what stands before it."""
    if token.text == "[":
        kinds = ("leaf", "call", "attribute", "index", "list")
        return not token.gap and term.kind in kinds and not term.text[:1].isdigit()
    is_method = term.kind == "attribute" and term.text not in ATTRIBUTES
    return token.text == "(" and (is_method or term.tail == "call")


def _marked(term: Term, sign: Token) -> Term:
    """A factorial, or an angle in degrees."""
    if sign.text == "°":
        return chain(term, ("*", leaf("pi", sign.span)), ("/", leaf("180", sign.span)))
    above = chain(term, ("+", leaf("1", sign.span)))
    return call("gamma", Span(term.span.start, sign.span.end), above, at=sign.span)


def _rooted(token: Token, inner: Term) -> Term:
    """The root of a term."""
    span = Span(token.span.start, inner.span.end)
    if token.text == "2":
        return call("sqrt", span, inner, at=token.span)
    if token.text == "3":
        return call("cbrt", span, inner, at=token.span)
    part = chain(leaf("1", token.span), ("/", leaf(token.text, token.span)))
    return Term("raised", span, "", (inner, part))


def _with_base(term: Term) -> Term:
    """A logarithm of two arguments as a quotient, where the second is the base."""
    head, *parts = term.parts
    assert head is not None
    prefix = head.parts[0] if head.kind == "attribute" else None
    is_ours = prefix is None or (prefix.kind == "leaf" and prefix.text in _WITH_BASE)
    row = names().get(head.text, "")
    has_base = term.kind == "call" and len(parts) == 2 and row and takes_base(row) and is_ours
    if not has_base or any(part is None or part.kind == "keyword" for part in parts):
        return term
    above, under = (Term("call", term.span, "", (head, part)) for part in parts)
    return chain(above, ("/", under))


def _one_at(exponent: Term) -> Term | None:
    part = exponent.parts[0]
    return part if part is not None and part.text == "1" and exponent.text == "-" else None
