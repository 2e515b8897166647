"""The statements of a pasted text: assignments, and what people write before a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import DERIVES, GIVE_FUNCTION, Span
from gradcheck_cli.language.terms import Term
from gradcheck_cli.language.token import Illegible

if TYPE_CHECKING:
    from gradcheck_cli.language.grammar import Grammar

_MOST = 5_000


def read_statements(grammar: Grammar) -> tuple[list[Term], list[str]]:
    """Statements, and the signs between them.

    Raises:
        Illegible: there are none, or something stands between them.
    """
    found: list[Term] = []
    breaks: list[str] = []
    while True:
        while grammar.is_next("end") and grammar.next.text:
            sign = grammar.take("end").text
            if found:
                breaks[len(found) - 1 :] = [sign]
            elif sign == ";":
                raise Illegible
        if grammar.is_next("end"):
            break
        if len(found) >= _MOST:
            raise Illegible
        found.append(_statement(grammar))
    if not found:
        raise Illegible
    return found, breaks


def _statement(grammar: Grammar) -> Term:
    start = grammar.next.span.start
    name = _head(grammar)
    _derivative(grammar)
    term = grammar.expression()
    if grammar.is_next("glyph", ","):
        grammar.at += 1  # that of a sentence
    if not grammar.is_next("end"):
        raise Illegible
    return Term("assign", Span(start, term.span.end), name, (term,)) if name else term


def _head(grammar: Grammar) -> str:
    """The name that a formula is assigned to; what stands before a formula otherwise is passed
    over: `f(x) =`, `x ->`, `lambda x:`, `=`.
    """
    tokens, at = grammar.tokens, grammar.at
    words = [(token.kind, token.text) for token in tokens[at : at + 2]]
    if words[0] == ("glyph", "="):
        grammar.at += 1
        return ""
    if words[0][0] == "name" and words[1] in (("glyph", "="), ("glyph", ":=")):
        grammar.at += 2
        if _head(grammar):
            raise Illegible
        return words[0][1]
    if words[0] == ("glyph", "lambda"):
        end = _past_names(grammar, at + 1)
        grammar.at = end + 1 if _is(grammar, end, ":") else at
        return ""
    end = _past_names(grammar, at)
    if end > at and _is(grammar, end, "->"):
        grammar.at = end + 1
    elif words[0][0] == "name" and words[1] in (("open", "("), ("glyph", ":")):
        end = _past_names(grammar, at + 2)
        is_closed = end < len(tokens) and tokens[end].kind == "close"
        if words[1][0] == "open" and is_closed and _is(grammar, end + 1, "=", ":="):
            grammar.at = end + 2
        elif words[1][0] == "glyph" and _is(grammar, end, "->"):
            grammar.at = end + 1
    return ""


def _derivative(grammar: Grammar) -> None:
    """Pass over `d/dx`, which is in doubt: a check differentiates by itself.

    Raises:
        Illegible: a derivative is stated, as in `dy/dx = 2x`.
    """
    tokens, first = grammar.tokens, grammar.at
    at = _past_d(grammar, first)
    if at == first or not _is(grammar, at, "/"):
        return
    end = _past_d(grammar, at + 1)
    if end == at + 1 or tokens[end - 1].text in ("d", "∂") or tokens[end].kind == "close":
        return
    span = Span(tokens[first].span.start, tokens[end - 1].span.end)
    if tokens[end].kind == "end":
        if tokens[first].text == "∂":
            raise Illegible(DERIVES, span, GIVE_FUNCTION)
        return
    if tokens[first].text in ("d", "∂") and not (
        tokens[end].kind == "glyph" and tokens[end].text in "*/=+)"
    ):
        grammar.at = end
        order = ", with `--order 2`" if tokens[at - 1].text == "2" else ""
        message = f"a check differentiates by itself: the function alone is wanted{order}"
        grammar.doubt(span, message)
    elif _is(grammar, end, "="):
        message = "this states a derivative, and a check is of the function"
        raise Illegible(message, span, "give the function that is differentiated")


def _past_d(grammar: Grammar, at: int) -> int:
    """The place behind `d`, `dx`, `d^2` or `∂x`; the same place if none of these is there."""
    tokens = grammar.tokens
    is_sign = _is(grammar, at, "∂")
    is_name = tokens[at].kind == "name" and tokens[at].text[:1] == "d" and len(tokens[at].text) < 4
    if not (is_sign or is_name):
        return at
    at += 1
    if is_sign and tokens[at].kind == "name":
        at += 1
    is_raised = _is(grammar, at, "**") and tokens[min(at + 1, len(tokens) - 1)].text == "2"
    return at + 2 * is_raised


def _is(grammar: Grammar, place: int, *texts: str) -> bool:
    token = grammar.tokens[min(place, len(grammar.tokens) - 1)]
    return token.kind == "glyph" and token.text in texts


def _past_names(grammar: Grammar, at: int) -> int:
    """The place behind `x, y`."""
    tokens = grammar.tokens
    while tokens[at].kind == "name":
        at += 1
        if not (_is(grammar, at, ",") and tokens[at + 1].kind == "name"):
            break
        at += 1
    return at
