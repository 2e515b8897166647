"""Formulas as MathML: what the language writes in a line, drawn as people write it.

Whoever strips the tags off reads the formula all the same: brackets and signs that the drawing does
without are there, unseen. JupyterLab strips them in a notebook that it does not trust, and of
`x**2` would leave `x2`.
"""

from __future__ import annotations

import ast
import unicodedata
from contextlib import suppress
from html import escape
from typing import NamedTuple

from gradcheck_cli.functions import names, table

# A longer formula is of no use as a drawing; a shorter one nests no deeper than the stack bears.
MAX_DRAWN = 300

# How tightly Python's signs bind, the loosest first.
_OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(9)
_MINUS_SIGN, _DOT, _APPLY = "\N{MINUS SIGN}", "\N{DOT OPERATOR}", "\N{FUNCTION APPLICATION}"
# fmt: off
_SIGNS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Add: ("+", _SUM), ast.Sub: (_MINUS_SIGN, _SUM), ast.Mult: (_DOT, _PRODUCT), ast.MatMult: ("@", _PRODUCT), ast.Mod: ("%", _PRODUCT),
    ast.Lt: ("<", _COMPARED), ast.LtE: ("≤", _COMPARED), ast.Gt: (">", _COMPARED), ast.GtE: ("≥", _COMPARED),
    ast.Eq: ("=", _COMPARED), ast.NotEq: ("≠", _COMPARED), ast.And: ("∧", _AND), ast.Or: ("∨", _OR),
    ast.USub: (_MINUS_SIGN, _MINUS), ast.Not: ("¬", _NOT),
}
# fmt: on


class _NotDrawn(Exception):
    """Syntax that there is no drawing of."""


class _Drawn(NamedTuple):
    """Markup, how tightly its outermost sign binds, and the sign that it begins with."""

    markup: str
    rank: int
    first: str = ""


def equation(name: str, formula: str) -> str | None:
    """A `math` element that says what a partial, such as `∂f/∂x`, is; None where there is no
    drawing: the formula is too long, or not an expression.
    """
    if len(formula) > MAX_DRAWN:
        return None
    text = formula.strip()
    try:
        right = _draw(ast.parse(text, mode="eval").body, text).markup
    except (_NotDrawn, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    above, _, below = name.partition("/")
    left = f"<mfrac>{_word(above)}<mrow>{_unseen('/')}{_word(below)}</mrow></mfrac>"
    return f'<math displaystyle="true">{left}{_sign("=")}{right}</math>'


def _draw(node: ast.expr, text: str) -> _Drawn:
    match node:
        case ast.Constant():
            return _constant(node, text)
        case ast.Name(id=name):
            return _Drawn(_name(name), _ATOM)
        case ast.BinOp(op=ast.Div()):
            return _fraction(_draw(node.left, text), _draw(node.right, text))
        case ast.BinOp(op=ast.Pow()):
            return _power(_draw(node.left, text), _draw(node.right, text))
        case ast.BinOp():
            return _infix(node.op, [_draw(node.left, text), _draw(node.right, text)])
        case ast.BoolOp():
            return _infix(node.op, [_draw(value, text) for value in node.values])
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            return _prefix(node.op, _draw(node.operand, text))
        case ast.Compare(ops=ops, comparators=others):
            return _compared(ops, [_draw(part, text) for part in (node.left, *others)])
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [_draw(arg, text) for arg in node.args], node.keywords, text)
        case ast.Subscript():
            return _element(node, text)
        case ast.Attribute(attr="T"):
            return _transposed(_draw(node.value, text))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return _Drawn(_listed("[", [_draw(part, text) for part in parts], "]"), _ATOM)
    raise _NotDrawn


def _constant(node: ast.Constant, text: str) -> _Drawn:
    """A literal in the formula's own digits."""
    words = ast.get_source_segment(text, node) or str(node.value)
    is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return _Drawn(f"<mn>{escape(words)}</mn>" if is_number else _word(words), _ATOM, words[:1])


def _name(name: str) -> str:
    """A letter for the name of a Greek one."""
    with suppress(KeyError):
        if len(name) > 1:
            name = unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}")
    return f"<mi>{escape(name)}</mi>"


def _word(text: str) -> str:
    return f"<mtext>{escape(text)}</mtext>"


def _unseen(text: str) -> str:
    return f'<mtext style="display:none">{escape(text)}</mtext>'


def _sign(text: str) -> str:
    return f"<mo>{escape(text)}</mo>"


def _bracketed(inner: _Drawn) -> str:
    return f"<mrow>{_sign('(')}{inner.markup}{_sign(')')}</mrow>"


def _above(inner: _Drawn, least: int) -> str:
    """In brackets if it binds less tightly than `least`."""
    return inner.markup if inner.rank >= least else _bracketed(inner)


def _apart(inner: _Drawn, least: int) -> str:
    """As `_above`, the brackets unseen: where the drawing sets something apart by its place."""
    if inner.rank >= least:
        return inner.markup
    return f"{_unseen('(')}{inner.markup}{_unseen(')')}"


def _infix(op: ast.AST, parts: list[_Drawn]) -> _Drawn:
    if type(op) not in _SIGNS:
        raise _NotDrawn
    sign, rank = _SIGNS[type(op)]
    left, *rest = parts
    markup = _above(left, rank)
    for right in rest:
        # Two signs in a row would be hard to read.
        inner = _bracketed(right) if right.first == _MINUS_SIGN else _above(right, rank + 1)
        markup += _between(sign, left, right) + inner
    return _Drawn(f"<mrow>{markup}</mrow>", rank, left.first)


def _compared(ops: list[ast.cmpop], parts: list[_Drawn]) -> _Drawn:
    """A chain of comparisons."""
    markup = _above(parts[0], _SUM)
    for op, part in zip(ops, parts[1:], strict=True):
        if type(op) not in _SIGNS:
            raise _NotDrawn
        inner = _bracketed(part) if part.first == _MINUS_SIGN else _above(part, _SUM)
        markup += _sign(_SIGNS[type(op)][0]) + inner
    return _Drawn(f"<mrow>{markup}</mrow>", _COMPARED, parts[0].first)


def _between(sign: str, left: _Drawn, right: _Drawn) -> str:
    """A sign; a number stands at what it multiplies, and so does a matrix, without one."""
    if sign == "@":
        return f'{_unseen(sign)}<mspace width="0.2em"/>'
    is_coefficient = left.markup.startswith("<mn>") and not right.first.isdecimal()
    return _unseen(sign) if sign == _DOT and is_coefficient else _sign(sign)


def _prefix(op: ast.AST, inner: _Drawn) -> _Drawn:
    sign, rank = _SIGNS[type(op)]
    body = _bracketed(inner) if inner.first == sign else _above(inner, rank)
    return _Drawn(f"<mrow>{_sign(sign)}{body}</mrow>", rank, sign)


def _fraction(above: _Drawn, below: _Drawn) -> _Drawn:
    top, bottom = _apart(above, _PRODUCT), _apart(below, _PRODUCT + 1)
    markup = f"<mfrac><mrow>{top}</mrow><mrow>{_unseen('/')}{bottom}</mrow></mfrac>"
    return _Drawn(markup, _PRODUCT)


def _power(base: _Drawn, exponent: _Drawn) -> _Drawn:
    up = f"<mrow>{_unseen('^')}{_apart(exponent, _MINUS)}</mrow>"
    return _Drawn(f"<msup>{_above(base, _ATOM)}{up}</msup>", _POWER, base.first)


def _call(name: str, args: list[_Drawn], keywords: list[ast.keyword], text: str) -> _Drawn:
    row = table().get(names().get(name, ""))
    draw = _FORMS.get(row.latex) if row is not None else None
    if draw is not None and len(args) == 1 and not keywords:
        return draw(name, args[0])
    for keyword in keywords:
        value = _draw(keyword.value, text).markup
        args.append(_Drawn(f"<mi>{escape(keyword.arg or '')}</mi>{_sign('=')}{value}", _ATOM))
    head = f"<mi>{escape(name)}</mi>{_sign(_APPLY)}"
    return _Drawn(f"<mrow>{head}{_listed('(', args, ')')}</mrow>", _ATOM)


def _listed(opening: str, parts: list[_Drawn], closing: str) -> str:
    inner = _sign(",").join(part.markup for part in parts)
    return f"<mrow>{_sign(opening)}{inner}{_sign(closing)}</mrow>"


def _exponential(name: str, inner: _Drawn) -> _Drawn:
    base = f"<mrow><mi>{escape(name[:1])}</mi>{_unseen(name[1:])}</mrow>"
    up = f"<mrow>{_unseen('(')}{inner.markup}{_unseen(')')}</mrow>"
    # To a power it needs brackets, or two exponents would stand in a row.
    return _Drawn(f"<msup>{base}{up}</msup>", _POWER)


def _root(name: str, inner: _Drawn) -> _Drawn:
    body = f"{_unseen(f'{name}(')}{inner.markup}{_unseen(')')}"
    return _Drawn(f"<msqrt>{body}</msqrt>", _ATOM)


def _cube_root(name: str, inner: _Drawn) -> _Drawn:
    body = f"<mrow>{_unseen(f'{name}(')}{inner.markup}{_unseen(')')}</mrow>"
    return _Drawn(f"<mroot>{body}<mn>3</mn></mroot>", _ATOM)


def _absolute(name: str, inner: _Drawn) -> _Drawn:
    return _Drawn(f"<mrow>{_sign('|')}{inner.markup}{_sign('|')}</mrow>", _ATOM)


# By the form that a row of the function table has in LaTeX.
_FORMS = {
    r"e^{%s}": _exponential,
    r"\sqrt{%s}": _root,
    r"\sqrt[3]{%s}": _cube_root,
    r"\left|%s\right|": _absolute,
}


def _element(node: ast.Subscript, text: str) -> _Drawn:
    index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    inner = _sign(",").join(_draw(part, text).markup for part in index)
    base = _above(_draw(node.value, text), _ATOM)
    down = f"<mrow>{_unseen('[')}{inner}{_unseen(']')}</mrow>"
    return _Drawn(f"<msub>{base}{down}</msub>", _ATOM)


def _transposed(matrix: _Drawn) -> _Drawn:
    up = f"<mrow>{_unseen('.')}<mi>T</mi></mrow>"
    return _Drawn(f"<msup>{_above(matrix, _ATOM)}{up}</msup>", _POWER)
