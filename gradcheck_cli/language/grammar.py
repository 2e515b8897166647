"""The grammar of pasted formulas: products without a sign, and where they have two meanings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Span
from gradcheck_cli.language.operands import Operands
from gradcheck_cli.language.terms import IMPLIED, STRENGTHS, Term, chain, extended, product
from gradcheck_cli.language.token import Illegible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.language.token import Token

_FACTORS = ("*", "/", "//", "@", "%")
_COMPARED = STRENGTHS["<"]
_MOST_SIGNS = 40


class Grammar(Operands):
    """Reads an expression."""

    def expression(self) -> Term:
        """All that binds, `a if c else b` too."""
        self.deeper()
        body = self.climb(1)
        if self.is_next("glyph", "if"):
            self.at += 1
            test = self.climb(1)
            self.take("glyph", "else")
            rest = self.expression()
            body = Term("if", Span(body.span.start, rest.span.end), "", (body, test, rest))
        self.depth -= 1
        return body

    def climb(self, least: int) -> Term:
        """What signs join that bind at least so tightly."""
        left = self.negation(least) if self.is_next("glyph", "not", "!") else self.product()
        links: list[tuple[str, Term]] = []
        while True:
            sign, strength = self.joint()
            if not sign or strength < least:
                return chain(left, *links)
            if links and STRENGTHS[links[-1][0]] != strength:
                left, links = chain(left, *links), []
            self.at += 1
            right = self.climb(strength + 1)
            if sign == "±":
                left, links = self.either(chain(left, *links), right), []
            else:
                links.append((sign, right))

    def either(self, left: Term, right: Term) -> Term:
        """`left ± right`."""
        options = chain(left, ("+", right)), chain(left, ("-", right))
        span = Span(left.span.start, right.span.end)
        return self.doubt(span, "`±` stands for two formulas", *options)

    def joint(self) -> tuple[str, int]:
        """The sign that joins what was read with what follows, and how tightly."""
        token = self.next
        if token.kind in ("bar", "doublebar") and token.text.startswith("|") and not self.closes():
            sign = "|" if token.kind == "bar" else "or"
            return sign, STRENGTHS[sign]
        if token.kind != "glyph" or token.text in _FACTORS:
            return "", 0
        return token.text, STRENGTHS.get("+" if token.text == "±" else token.text, 0)

    def negation(self, least: int) -> Term:
        """`not c`, `!c`."""
        start = self.take("glyph").span.start
        self.deeper()
        if least > _COMPARED:
            raise Illegible
        inner = self.climb(_COMPARED)
        self.depth -= 1
        return Term("signed", Span(start, inner.span.end), "not", (inner,))

    def product(self) -> Term:
        """Factors, with signs between them or without."""
        factors = self.run()
        base, links = product(factors), list[tuple[str, Term]]()
        # Makes the whole again with another last factor.
        again = _around(factors)
        while self.is_next("glyph", *_FACTORS):
            sign, is_function = self.take("glyph").text, self.is_function()
            right, last, kept = self.run(), factors[-1], len(links)
            links += [(sign, right[0]), *((IMPLIED, factor) for factor in right[1:])]
            span = Span(base.span.start, right[-1].span.end)
            other = message = None
            if sign != "*" and len(right) > 1:
                other = chain(base, *links[:kept], (sign, product(right)))
                message = f"what stands behind `{sign}` may be one factor or the product"
            elif _reaches_over(last, sign) and not (last.tail == "bare" and is_function):
                other = again(extended(last, sign, product(right)))
                message = _ends(last)
            again = _around(right, base, links, kept, sign)
            if other is not None and message is not None:
                base, links = self.doubt(span, message, chain(base, *links), other), []
            factors = right
        return chain(base, *links)

    def run(self) -> list[Term]:
        """A factor, and what stands beside it without a sign."""
        factors = [self.signed()]
        while self.begins():
            token, last, is_function = self.next, factors[-1], self.is_function()
            is_number = token.kind == "number"
            is_list = token.kind == "open" and self.brackets.lists[self.at]
            if token.kind == "string" or is_list or (is_number and last.text[:1].isdigit()):
                raise Illegible
            self.note_product(last)
            factor = self.power()
            span = Span(last.span.start, factor.span.end)
            plain = chain(last, (IMPLIED, factor))
            if is_number and last.tail != "bare":
                raised = Term("raised", span, "", (last, factor))
                message = "a number behind is a factor or an exponent"
                factors[-1] = self.doubt(span, message, raised, plain)
            elif _goes_on(last, token) and not is_function:
                inner = extended(last, IMPLIED, factor)
                factors[-1] = self.doubt(span, _ends(last), plain, inner)
            else:
                factors.append(factor)
        return factors

    def begins(self) -> bool:
        """Whether a factor begins with the next token, without a sign before it."""
        token = self.next
        if token.kind in ("bar", "doublebar"):
            is_joint = token.gap and self.ahead.gap
            is_pair = token.text == "(" or (self.brackets.partners[self.at] and not is_joint)
            return not self.closes() and is_pair
        return token.kind in ("number", "name", "root", "string") or (
            token.kind == "open" and token.text != "["
        )

    def closes(self) -> bool:
        """Whether the bar that is next closes the one that is open."""
        token = self.next
        is_open = bool(self.open) and self.open[-1] == token.kind
        return token.text == ")" or (is_open and token.text != "(")

    def is_function(self) -> bool:
        """Whether the next token is a function that is applied."""
        token, behind = self.next, self.ahead
        if token.kind != "name":
            return token.kind == "root"
        is_call = (behind.kind, behind.text) == ("open", "(") and bool(self.naming.called(token))
        return is_call or bool(self.naming.bare(token) or self.naming.base(token)[0])

    def signed(self) -> Term:
        """A power with signs before it."""
        signs: list[Token] = []
        while self.is_next("glyph", "-", "+", "~"):
            signs.append(self.take("glyph"))
        if len(signs) > _MOST_SIGNS:
            raise Illegible
        term = self.power()
        for token in reversed(signs):
            span = Span(token.span.start, term.span.end)
            term = Term("signed", span, token.text, (term,), (), term.tail)
        return term

    def power(self) -> Term:
        """A factor, raised or not."""
        base = self.postfix()
        if not self.is_next("glyph", "**"):
            return base
        exponent, tail = self.exponent()
        span = Span(base.span.start, exponent.span.end)
        raised = Term("raised", span, "", (base, exponent), (), tail)
        if (exponent.kind, exponent.text) != ("leaf", "T"):
            return raised
        return self.doubt(
            span, "`^T` transposes, or `T` is an exponent", transposed(base, span), raised
        )

    def exponent(self) -> tuple[Term, str]:
        """What follows the sign of a power; and whether what follows that may belong to it."""
        self.take("glyph", "**")
        self.deeper()
        is_bare = self.next.kind in ("number", "name")
        before, self.in_exponent = self.in_exponent, True
        term = self.signed()
        self.in_exponent = before
        self.depth -= 1
        return term, "exponent" if is_bare and term.kind == "leaf" else ""


def _around(
    factors: list[Term],
    base: Term | None = None,
    links: Sequence[tuple[str, Term]] = (),
    kept: int = 0,
    sign: str = "",
) -> Callable[[Term], Term]:
    """Makes a product again with another last factor.

    Args:
        base, links, kept: what stands before the factors, of the links so many.
    """

    def again(last: Term) -> Term:
        first, *rest = *factors[:-1], last
        if base is None:
            return product([first, *rest])
        return chain(base, *links[:kept], (sign, first), *((IMPLIED, factor) for factor in rest))

    return again


def transposed(term: Term, span: Span) -> Term:
    """`x.T`."""
    return Term("attribute", span, "T", (term,))


def _goes_on(last: Term, token: Token) -> bool:
    """Whether what follows a factor without a sign may belong to the end of it."""
    if last.tail == "bare":
        return True
    if last.tail == "root":
        return token.kind == "name" and not token.gap
    exponent = last.parts[1] if last.tail == "exponent" and last.kind == "raised" else None
    if exponent is None or token.gap:
        return False
    is_number = exponent.text[:1].isdigit()
    return token.kind == "name" if is_number else token.kind == "open"


def _reaches_over(last: Term, sign: str) -> bool:
    """Whether a sign that follows may stand within the end of a factor."""
    exponent = last.parts[1] if last.tail == "exponent" and last.kind == "raised" else None
    is_one = sign == "/" and exponent is not None and exponent.text == "1"
    return last.tail == "bare" or is_one


def _ends(last: Term) -> str:
    """That the end of a factor is not written."""
    what = {"bare": "argument", "root": "root"}.get(last.tail, "exponent")
    return f"where the {what} ends is not said"
